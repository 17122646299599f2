/* Names that people see: labels of records, tags of devices, roles. Declared in
 * replica_internal.h. */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replica_internal.h"

static const struct {
    uint64_t number;
    const char *name;
} roles[] = {
    {CAIRN_ROLE_PREFECTURE, "prefecture"}, {CAIRN_ROLE_COUNTY, "county"},
    {CAIRN_ROLE_TOWNSHIP, "township"},     {CAIRN_ROLE_STATION, "station"},
    {CAIRN_ROLE_SERVER, "server"},         {CAIRN_ROLE_AUDITOR, "auditor"},
    {CAIRN_ROLE_APPROVER, "approver"},
};

const char *cairn_role_name(uint64_t role)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (roles[i].number == role)
            return roles[i].name;
    return role == 0 ? "root" : "newer";
}

uint64_t cairn_role_number(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(roles[i].name, name) == 0)
            return roles[i].number;
    return 0;
}

const char *cairn_channel_name(enum cairn_channel channel)
{
    static const char *const names[] = {"authority", "records", "funds"};

    return names[channel];
}

void cairn_text_copy(char *out, size_t capacity, struct cairn_bytes text)
{
    size_t size = text.size < capacity ? text.size : capacity - 1;

    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

void cairn_device_describe(const struct cairn_standing *standing, struct cairn_device *out_device)
{
    cairn_text_copy(out_device->tag, sizeof out_device->tag, cairn_bytes_of_text(standing->tag));
    if (!standing->is_root)
        cairn_text_copy(out_device->name, sizeof out_device->name, standing->grant.name);
    cairn_scope_text(standing->scope, out_device->scope);
    cairn_text_copy(out_device->role, sizeof out_device->role,
                    cairn_bytes_of_text(cairn_role_name(standing->role)));
    out_device->may_delegate = (standing->rights & CAIRN_RIGHT_DELEGATE) != 0;
    out_device->channels = (unsigned)standing->channels;
}

enum cairn_status cairn_log_tag(struct cairn_context *ctx, const struct cairn_log *log,
                                char out_tag[static 8])
{
    struct cairn_standing standing;
    enum cairn_status status = cairn_standing_get(ctx, &log->under, &standing);

    if (status == CAIRN_NOT_FOUND)
        cairn_text_copy(out_tag, 8, cairn_bytes_of_text("?"));
    else if (status == CAIRN_OK)
        cairn_text_copy(out_tag, 8, cairn_bytes_of_text(standing.tag));
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static char check_character(const struct cairn_log *log, uint32_t index)
{
    static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    struct cairn_hash id = cairn_record_id_hash(log, index);

    return crockford[id.bytes[0] >> 3];
}

enum cairn_status cairn_label_format(struct cairn_context *ctx, const struct cairn_log *log,
                                     const struct cairn_record_state *state,
                                     char out_label[static 32])
{
    char tag[8];

    CAIRN_TRY(cairn_log_tag(ctx, log, tag));
    snprintf(out_label, 32, "%s-%04" PRIu32 "-%c", tag, state->counter,
             check_character(log, state->id.index));
    return CAIRN_OK;
}

/* TAG-COUNTER-CHECK; the check, which finds slips of the hand, may be in lower case. */
static bool label_parse(const char *label, char out_tag[static 8], uint32_t *out_counter,
                        char *out_check)
{
    const char *dash = strchr(label, '-');
    char *end;

    if (dash == NULL || dash == label || (size_t)(dash - label) > CAIRN_TAG_MAX)
        return false;
    memcpy(out_tag, label, (size_t)(dash - label));
    out_tag[dash - label] = '\0';
    if (dash[1] < '0' || dash[1] > '9')
        return false;
    unsigned long long counter = strtoull(dash + 1, &end, 10);
    if (counter > UINT32_MAX)
        return false;
    *out_counter = (uint32_t)counter;
    if (end[0] != '-' || end[1] == '\0' || end[2] != '\0')
        return false;
    *out_check = (char)toupper((unsigned char)end[1]);
    return true;
}

struct label_search {
    size_t count;
    struct cairn_log log;
    uint32_t index;
    char candidates[256];
};

static enum cairn_status label_candidate(struct cairn_context *ctx, struct cairn_dot dot,
                                         const char *tag, char check, struct label_search *search)
{
    struct cairn_log log;
    char log_tag[8];

    CAIRN_TRY(cairn_log_load(ctx, dot.log, &log));
    CAIRN_TRY(cairn_log_tag(ctx, &log, log_tag));
    char actual = check_character(&log, dot.index);
    if (strcmp(log_tag, tag) != 0 || check != actual)
        return CAIRN_OK;
    search->count++;
    search->log = log;
    search->index = dot.index;
    char scope[CAIRN_SCOPE_TEXT_BYTES];
    cairn_scope_text(log.scope, scope);
    size_t used = strlen(search->candidates);
    snprintf(search->candidates + used, sizeof search->candidates - used, "%s%s",
             used == 0 ? "" : ", ", scope);
    return CAIRN_OK;
}

static enum cairn_status label_search(struct cairn_context *ctx, uint32_t counter, const char *tag,
                                      char check, struct label_search *search)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_COUNTER);
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_u32(&prefix, counter);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_dot dot;
        dot.log = cairn_read_u32be(&walk.key);
        dot.index = cairn_read_u32be(&walk.key);
        status = label_candidate(ctx, dot, tag, check, search);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_label_find(struct cairn_context *ctx, const char *label,
                                   struct cairn_log *out_log, struct cairn_record_state *out_state)
{
    struct label_search search = {.count = 0};
    char tag[8], check;
    uint32_t counter;

    if (!label_parse(label, tag, &counter, &check))
        return cairn_fail(ctx->err, CAIRN_NOT_FOUND,
                          "%s is not the id of a record: ids look like A7-0042-K.", label);
    CAIRN_TRY(label_search(ctx, counter, tag, check, &search));
    if (search.count == 0)
        return cairn_fail(ctx->err, CAIRN_NOT_FOUND, "There is no record %s here.", label);
    if (search.count > 1)
        return cairn_fail(
            ctx->err, CAIRN_AMBIGUOUS,
            "%s names %zu records, in villages %s. Nothing was changed; find the one you mean with "
            "cairn list village=CODE.",
            label, search.count, search.candidates);
    *out_log = search.log;
    return cairn_record_load(ctx, &search.log, search.index, out_state);
}
