/* scope_count.h: how many different villages were met. Memory: 8 to 16 bytes a village, heap. */

#ifndef CLI_SCOPE_COUNT_H
#define CLI_SCOPE_COUNT_H

#include "cairn/base.h"

struct scope_count {
    uint64_t *codes; /* open addressing; 0: free */
    size_t capacity; /* a power of 2, or 0 */
    size_t count;
};

/* Count the village of 12 digits, or NULL for the device's own. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status scope_count_add(struct scope_count *scopes, const char *scope,
                                  struct cairn_err *err);
void scope_count_release(struct scope_count *scopes);

#endif
