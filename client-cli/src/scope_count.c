#include "scope_count.h"

#include <stdlib.h>

#include "i18n.h"

#define CAPACITY_FIRST 64

/* True when it was not there. There must be a free place. */
static bool insert(uint64_t *codes, size_t capacity, uint64_t code)
{
    /* Fibonacci hashing (Knuth, TAOCP 6.4): neighbouring codes go far apart. */
    size_t at = (size_t)((code * 0x9e3779b97f4a7c15u) >> 32) & (capacity - 1);

    while (codes[at] != 0 && codes[at] != code)
        at = (at + 1) & (capacity - 1);
    bool is_new = codes[at] == 0;
    codes[at] = code;
    return is_new;
}

static bool grow(struct scope_count *scopes)
{
    size_t capacity = scopes->capacity == 0 ? CAPACITY_FIRST : scopes->capacity * 2;
    uint64_t *codes = calloc(capacity, sizeof *codes);

    if (codes == NULL)
        return false;
    for (size_t i = 0; i < scopes->capacity; i++)
        if (scopes->codes[i] != 0)
            (void)insert(codes, capacity, scopes->codes[i]);
    free(scopes->codes);
    scopes->codes = codes;
    scopes->capacity = capacity;
    return true;
}

enum cairn_status scope_count_add(struct scope_count *scopes, const char *scope,
                                  struct cairn_err *err)
{
    if (scopes->count * 2 >= scopes->capacity && !grow(scopes))
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
    uint64_t code = scope == NULL ? 0 : strtoull(scope, NULL, 10);
    scopes->count += insert(scopes->codes, scopes->capacity, code + 1);
    return CAIRN_OK;
}

void scope_count_release(struct scope_count *scopes)
{
    free(scopes->codes);
    *scopes = (struct scope_count){NULL, 0, 0};
}
