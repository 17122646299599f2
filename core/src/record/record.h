/*
 * record.h: records as state: for each field the versions that are live, merged from the entries in
 * force (SPEC.md section 5.2). Merging knows nothing of rights, cuts or seals; judge.h and force.h
 * do.
 */

#ifndef CAIRN_RECORD_H
#define CAIRN_RECORD_H

#include "log.h"
#include "schema.h"

/* An entry or record of this store. */
struct cairn_dot {
    uint32_t log; /* no; 0: none */
    uint32_t index;
};

#define CAIRN_FIELD_ALL UINT64_MAX /* what a deletion replaces */

/* One live version. */
struct cairn_live {
    uint64_t field;
    struct cairn_dot dot;
    uint64_t time_s;
    bool is_personal;
    bool is_shared;               /* an element or a difference: others may stand beside it */
    bool is_closed;               /* only the commitment is here */
    struct cairn_bytes cbor;      /* the value, unless closed */
    struct cairn_hash commitment; /* when personal */
};
/* A version replaced before it arrived. */
struct cairn_tomb {
    uint64_t field; /* or CAIRN_FIELD_ALL */
    struct cairn_dot dot;
};

/* What others wrote is taken whatever it comes to, up to these; what a program writes here keeps
 * a record far below (CAIRN_LIVE_WRITTEN_MAX), so that only hostile hands reach them. */
#define CAIRN_LIVE_MAX 65536
#define CAIRN_TOMBS_MAX 65536
#define CAIRN_LIVE_WRITTEN_MAX 1000

struct cairn_record_state {
    struct cairn_dot id;
    uint64_t type;
    uint32_t counter;
    struct cairn_dot chain; /* the newest entry here that touches it */
    size_t live_count, tomb_count;
    struct cairn_live *live; /* in the arena */
    struct cairn_tomb *tombs;
    size_t live_capacity, tomb_capacity;
    /* The value that the store has of it, from which indexes learn what changed; {NULL, 0}: none.
     * A state is saved once: load it again before the next change. */
    struct cairn_bytes stored;
    bool has_bucket; /* the place of its hash is known: the first byte of H of its id */
    uint8_t bucket;
};

/* H of the record's id: its first byte is the bucket, its first five bits the check character. */
struct cairn_hash cairn_record_id_hash(const struct cairn_log *log, uint32_t index);

/* `log` is the log that created it. NOT_FOUND. Bytes in the arena; of a record that a batch holds
 * (held.h) they are its own, until it is written to. */
CAIRN_NODISCARD
enum cairn_status cairn_record_load(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t index, struct cairn_record_state *out_state);
CAIRN_NODISCARD
enum cairn_status cairn_record_save(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_record_state *state);
/* Decode a value of table R whose key names `id`. */
CAIRN_NODISCARD
enum cairn_status cairn_record_decode(struct cairn_context *ctx, struct cairn_bytes value,
                                      struct cairn_dot id, struct cairn_record_state *out_state);

/* The key that lists record `id` under its label's counter and check character. */
struct cairn_key cairn_counter_key(uint32_t counter, uint8_t bucket, struct cairn_dot id);
/* That of an earlier version, which the building of indexes replaces. */
struct cairn_key cairn_counter_key_before(uint32_t counter, struct cairn_dot id);
/* Which of the 32 check characters the labels of a bucket end in. */
static inline uint8_t cairn_bucket_check(uint8_t bucket)
{
    return bucket >> 3;
}

/* As decode, without a copy and not to be changed: borrowed from `value`. */
CAIRN_NODISCARD
enum cairn_status cairn_record_borrow(struct cairn_context *ctx, struct cairn_bytes value,
                                      struct cairn_dot id, struct cairn_record_state *out_state);
/* A value as a live version holds it. What stands in the store was checked when it came, so that
 * integers and texts are not checked again. */
bool cairn_stored_value_read(struct cairn_bytes cbor, struct cairn_value *out_value);
/* The key of a record in table R, whose bucket is known. */
struct cairn_key cairn_record_key(struct cairn_scope scope, uint8_t bucket, struct cairn_dot id);
/* The value of table I for a record: its bucket, so that the record is found without hashing. */
CAIRN_NODISCARD
enum cairn_status cairn_counter_put(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t counter, uint32_t index);
/* Is a the shown one of a and b: greater (time, log id)? */
CAIRN_NODISCARD
enum cairn_status cairn_live_wins(struct cairn_context *ctx, const struct cairn_live *a,
                                  const struct cairn_live *b, bool *out_wins);

/* One write of an entry in force: replaces, then is live unless replaced before it came. */
struct cairn_write {
    bool deletes;      /* all fields but workflows; else `live.field` */
    bool replaces_own; /* every earlier version of its own log too: registers and deletions */
    bool only_removes; /* `live` says whose write it is, and does not live */
    struct cairn_live live;
    const struct cairn_dot *named; /* versions replaced; those that do not count were left out */
    size_t named_count;
};
/*
 * `is_here` says whether an entry has been merged or may never be (then naming it leaves no tomb).
 * LIMIT: the record is full. The state may then be partly changed; the caller gives up the unit of
 * work.
 */
typedef enum cairn_status cairn_is_here_fn(struct cairn_context *ctx, struct cairn_dot dot,
                                           bool *out_is_here);
CAIRN_NODISCARD
enum cairn_status cairn_record_merge(struct cairn_context *ctx, struct cairn_record_state *state,
                                     const struct cairn_write *write, cairn_is_here_fn *is_here);

/* The live versions of a field, which stand together; NULL: none. */
const struct cairn_live *cairn_field_versions(const struct cairn_record_state *state,
                                              uint64_t field, size_t *out_count);
/* The sum of a counter's differences. Sums that overflow wrap: the same everywhere, and nobody's
 * honest count. */
int64_t cairn_counts_sum(const struct cairn_live *live, size_t count);
/* Is this version the record's deletion? */
bool cairn_live_is_deletion(const struct cairn_live *live);
bool cairn_record_is_deleted(const struct cairn_record_state *state);
bool cairn_record_has_conflict(const struct cairn_record_state *state);

/* The hash as it was when the record was saved, from a value of table R. NOT_FOUND: no live
 * version. */
CAIRN_NODISCARD
enum cairn_status cairn_record_saved_hash(struct cairn_bytes value, struct cairn_hash *out_hash);
/* SPEC.md section 6.1. A record without live versions has none (NOT_FOUND). */
CAIRN_NODISCARD
enum cairn_status cairn_record_hash(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_record_state *state,
                                    struct cairn_hash *out_hash);

#endif
