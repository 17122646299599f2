/*
 * raw.h: the same work on bare LMDB, for the limits that figures stand beside: values of 240 bytes
 * under keys of 16 that come in no order.
 *
 * Memory:  one object; raw_close frees it. Threads: one. Effects: one file.
 */

#ifndef CAIRN_BENCH_RAW_H
#define CAIRN_BENCH_RAW_H

#include "cairn/base.h"

struct raw;

/* A new file of that name with `count` values in it. */
CAIRN_NODISCARD
enum cairn_status raw_open(const char *path, uint64_t count, struct raw **out_raw,
                           struct cairn_err *err);
/* Put `count` more in one commit, on disk when it returns. */
CAIRN_NODISCARD enum cairn_status raw_put(struct raw *raw, uint64_t count, struct cairn_err *err);
/*
 * A copy of the LMDB store in `store`, which nobody has open, at `path`, an empty folder, to read
 * the same bytes from under the same keys: those that begin with `table`; *out_count of them.
 */
CAIRN_NODISCARD
enum cairn_status raw_copy(const char *store, const char *path, char table, struct raw **out_raw,
                           size_t *out_count, struct cairn_err *err);
/* Get the values of the keys numbered so in a copy, each in a transaction of its own, which is
 * renewed: the least that one read of a consistent store costs. */
CAIRN_NODISCARD
enum cairn_status raw_copy_get(struct raw *raw, const uint32_t *numbers, size_t count,
                               struct cairn_err *err);
void raw_close(struct raw *raw); /* NULL is allowed */

#endif
