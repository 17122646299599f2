/*
 * context.h: one unit of work on a replica: a transaction, scratch memory, and what every module
 * below `apply` needs to know (network, verifier, schemas). Not shared between threads.
 */

#ifndef CAIRN_CONTEXT_H
#define CAIRN_CONTEXT_H

#include "arena.h"
#include "cairn/sign.h"
#include "cairn/store.h"
#include "layout.h"

struct cairn_schema;
struct cairn_schema_cache;
struct cairn_packer;
struct cairn_seen;
struct cairn_roots;
struct cairn_held_records;

/* What a unit of work did, since cairn_context_fresh. */
struct cairn_tally {
    uint64_t entries;        /* accepted, bases not counted */
    uint64_t conflicts;      /* records that came into conflict */
    uint64_t without_effect; /* entries judged invalid */
    uint64_t forks;          /* forks proven */
};

/* A log that an accepted run brought to a size. */
struct cairn_grown {
    uint32_t log;
    uint32_t size;
};

/* What is indexed now (index.h); known for one writing transaction, or for one snapshot. */
struct cairn_indexing {
    bool is_off; /* this context keeps no indexes: an auditor's */
    bool is_known;
    bool has_readiness, is_ready; /* whether the rows say all there is */
    bool has_key;
    bool may_be_due; /* what is indexed has changed: the caller lets the index be built */
    const struct cairn_schema *schema;
    uint64_t signature; /* of what the schema has indexed */
    uint8_t key[32];    /* of the hashes that stand for personal values */
};

/* The blob whose entries were read last (log.c), so that whoever reads one after another does not
 * unpack it each time. Known for one transaction, until blobs change. */
struct cairn_read_blob {
    uint32_t log; /* no; 0: none */
    uint32_t first, count;
    size_t entries_size, chain_size;
    struct cairn_buffer plain; /* the entries, then their chain */
    struct cairn_buffer ends;  /* where entries end, as far as somebody asked */
};

/* Called before a run of so many bytes goes in that comes under no checkpoint. */
typedef enum cairn_status cairn_before_run_fn(void *context, size_t bytes);

struct cairn_context {
    struct cairn_store *store;
    struct cairn_txn *txn; /* NULL between units of work */
    bool is_writing;
    bool is_void;            /* there was nothing to write: what was begun for it is given up */
    uint64_t snapshot;       /* while reading: the number of what is seen */
    struct cairn_seen *seen; /* what was looked up in a snapshot; own to this context */
    struct cairn_indexing indexing;
    bool has_schema_version; /* while reading: the newest, as of snapshot schema_snapshot */
    uint64_t schema_version, schema_snapshot;
    bool is_auditor; /* takes blind seeds in the place of secrets, and what lies behind a cut */
    const struct cairn_verifier *verifier;
    struct cairn_hash network;          /* zeros until this store belongs to one */
    struct cairn_schema_cache *schemas; /* tables decoded so far; own to this context */
    struct cairn_packer *packer;        /* zstd; own to this context */
    struct cairn_arena arena;
    struct cairn_read_blob read_blob;
    struct cairn_roots *roots; /* of logs, worked out in this transaction; NULL: none yet */
    struct cairn_tally tally;
    struct cairn_buffer grown; /* struct cairn_grown, in order; the caller resets it */
    /* struct cairn_grown: authority entries that came alone, each as the end of its log; until
     * those that waited for them are judged again (batch.h). */
    struct cairn_buffer linked;
    /* A sequencer's, for one unit of work: it signs what came before (sequence.h). May be NULL. */
    cairn_before_run_fn *before_run;
    void *before_run_context;
    uint64_t write_count; /* keys put and deleted; whatever failed after one leaves a half behind */
    /* A parked run that failed so: the unit of work is given up, and done anew without it. */
    bool has_spoilt;
    struct cairn_key spoilt;
    /* The log that is being appended to: its head in the store is behind. */
    uint32_t growing_log, growing_size;
    struct cairn_held_records *held; /* records that a batch keeps open (held.h); NULL: none */
    /* Stale buckets not written yet (digest.h). */
    bool has_dirty;
    uint64_t dirty_scope;
    uint8_t dirty[32];
    struct cairn_err *err; /* may be NULL */
};

/* Tables of schemas decoded so far; schema.c knows what is in them, a context owns one. */
struct cairn_schema_cache *cairn_schema_cache_new(void);
void cairn_schema_cache_free(struct cairn_schema_cache *cache);
/* Forget all: a unit of work that was given up may have decoded what was never kept. */
void cairn_schema_cache_reset(struct cairn_schema_cache *cache);

/* Roots of logs worked out so far (roots.c). */
void cairn_roots_free(struct cairn_roots *roots);
/* The blob under that key is written or goes: what was worked out behind it is void. */
void cairn_roots_forget(struct cairn_roots *roots, const struct cairn_key *blob);

CAIRN_NODISCARD enum cairn_status cairn_context_begin(struct cairn_context *ctx,
                                                      enum cairn_txn_mode mode);
/* Ends the transaction whatever the answer. */
CAIRN_NODISCARD enum cairn_status cairn_context_commit(struct cairn_context *ctx);
void cairn_context_abort(struct cairn_context *ctx);

/* Ready a context over an open store, outside any transaction. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status cairn_context_init(struct cairn_context *ctx, struct cairn_store *store,
                                     const struct cairn_verifier *verifier);
void cairn_context_release(struct cairn_context *ctx);
/* Forget what was gathered or set for one unit of work: tally, grown logs, links, before_run. */
void cairn_context_fresh(struct cairn_context *ctx);

/* Values without their format byte, borrowed until the next write. NOT_FOUND; CORRUPT for a
 * format this version does not know. */
CAIRN_NODISCARD
enum cairn_status cairn_kv_get(struct cairn_context *ctx, const struct cairn_key *key,
                               struct cairn_bytes *out_value);
/* As get, with a copy in the arena. */
CAIRN_NODISCARD
enum cairn_status cairn_kv_copy(struct cairn_context *ctx, const struct cairn_key *key,
                                struct cairn_bytes *out_value);
/* A value that is a number of four bytes. CORRUPT also for one of another size. */
CAIRN_NODISCARD
enum cairn_status cairn_u32_get(struct cairn_context *ctx, const struct cairn_key *key,
                                uint32_t *out_number);
/* Is there such a key? */
CAIRN_NODISCARD
enum cairn_status cairn_kv_has(struct cairn_context *ctx, const struct cairn_key *key,
                               bool *out_has);
/* The format byte is put before `value`, which is at most CAIRN_VALUE_MAX bytes. */
#define CAIRN_VALUE_MAX (1u << 23)
CAIRN_NODISCARD
enum cairn_status cairn_kv_put(struct cairn_context *ctx, const struct cairn_key *key,
                               struct cairn_bytes value);
/* Absent is fine. */
CAIRN_NODISCARD enum cairn_status cairn_kv_del(struct cairn_context *ctx,
                                               const struct cairn_key *key);

/* Counters and small numbers under M. Absent is 0. */
CAIRN_NODISCARD
enum cairn_status cairn_meta_number(struct cairn_context *ctx, const char *name,
                                    uint64_t *out_number);
CAIRN_NODISCARD
enum cairn_status cairn_meta_number_put(struct cairn_context *ctx, const char *name,
                                        uint64_t number);
/* Add one and give the new value. */
CAIRN_NODISCARD
enum cairn_status cairn_meta_next(struct cairn_context *ctx, const char *name,
                                  uint64_t *out_number);

/* Walk the keys that begin with `prefix`. */
struct cairn_walk {
    struct cairn_context *ctx;
    struct cairn_range *range; /* NULL when closed */
    size_t prefix_size;
    struct cairn_reader key;  /* behind the prefix */
    struct cairn_bytes value; /* without the format byte */
};
/* From `prefix` + `from` (may be empty) up or down within the prefix. */
CAIRN_NODISCARD
enum cairn_status cairn_walk_open(struct cairn_context *ctx, const struct cairn_key *prefix,
                                  struct cairn_bytes from, enum cairn_range_order order,
                                  struct cairn_walk *out_walk);
/* NOT_FOUND at the end. */
CAIRN_NODISCARD enum cairn_status cairn_walk_next(struct cairn_walk *walk);
void cairn_walk_close(struct cairn_walk *walk);
/* How many keys begin with `prefix`. */
CAIRN_NODISCARD
enum cairn_status cairn_keys_count(struct cairn_context *ctx, const struct cairn_key *prefix,
                                   uint64_t *out_count);

/* Varints (LEB128) for values on our own disk; what travels is CBOR. */
void cairn_write_varint(struct cairn_writer *writer, uint64_t value);
uint64_t cairn_read_varint(struct cairn_reader *reader);

/* Give up this unit of work unless OK: `CAIRN_TRY(f(...))` returns the status from the caller. */
#define CAIRN_TRY(call)                  \
    do {                                 \
        enum cairn_status try_ = (call); \
        if (try_ != CAIRN_OK)            \
            return try_;                 \
    } while (0)

#endif
