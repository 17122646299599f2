/* replica_internal.h: the open replica, shared by the files behind cairn/replica.h. */

#ifndef CAIRN_REPLICA_INTERNAL_H
#define CAIRN_REPLICA_INTERNAL_H

#include <pthread.h>

#include "apply.h"
#include "authority.h"
#include "cairn/folder.h"
#include "cairn/keys.h"
#include "cairn/replica.h"
#include "index.h"
#include "links.h"
#include "outgoing.h"
#include "own_log.h"
#include "record.h"

struct cairn_exchange; /* sync_client.c */

#define CAIRN_IDLE_CONTEXTS_MAX 64

struct cairn_replica {
    struct cairn_store *store;
    struct cairn_ports *ports;
    bool owns_store, owns_ports;
    struct cairn_folder_lock lock;
    bool is_writer;
    bool has_keys; /* the key file was opened */
    bool was_restored;
    struct cairn_keys keys;
    struct cairn_verifier verifier;
    struct cairn_context ctx;
    bool is_joined;
    struct cairn_under under; /* what this device writes under, when joined */
    uint64_t generation;
    uint64_t marked_count; /* own entries when the mark was saved last */
    bool mark_is_synced;
    struct cairn_arena results; /* what the last call handed out */
    struct cairn_exchange *exchange;
    struct cairn_sync_report sync;
    /* Contexts of the serving threads that are idle. */
    pthread_mutex_t pool_mutex;
    struct cairn_context *pool[CAIRN_IDLE_CONTEXTS_MAX];
    size_t pool_count;
};

/* Begin a call: results of the last one go. */
void cairn_replica_fresh(struct cairn_replica *replica, struct cairn_err *err);
CAIRN_NODISCARD
enum cairn_status cairn_replica_read(struct cairn_replica *replica, struct cairn_err *err);
/*
 * Run `work` in a write transaction until it is not in conflict any more, commit, and move the
 * high-water mark. LOCKED (opened for reading), CONFLICT (each time), or what `work` answers.
 */
typedef enum cairn_status cairn_work_fn(struct cairn_replica *replica, void *context);
CAIRN_NODISCARD
enum cairn_status cairn_replica_write(struct cairn_replica *replica, cairn_work_fn *work,
                                      void *context, struct cairn_err *err);
/* End a read unit and give `status`, with a sentence where nobody wrote one. */
CAIRN_NODISCARD
enum cairn_status cairn_replica_done(struct cairn_replica *replica, enum cairn_status status,
                                     struct cairn_err *err);
/* A sentence for statuses of the store that nobody explained. */
enum cairn_status cairn_explain(struct cairn_err *err, enum cairn_status status);
struct cairn_author cairn_replica_author(struct cairn_replica *replica);
/* Put the mark on disk: before anything sealed leaves. */
CAIRN_NODISCARD
enum cairn_status cairn_replica_mark(struct cairn_replica *replica, bool sync,
                                     struct cairn_err *err);

/* ---- what programs remember (memo.c) ---- */

/* Inside a write unit. */
CAIRN_NODISCARD
enum cairn_status cairn_memo_keep(struct cairn_replica *replica, const struct cairn_memo *memo);

/* ---- names that people see (names.c) ---- */

/* "A7-0042-K": at least four digits, and the check character of the bucket. */
void cairn_label_write(const char *tag, uint32_t counter, uint8_t bucket,
                       char out_label[static 32]);
CAIRN_NODISCARD
enum cairn_status cairn_label_format(struct cairn_context *ctx, const struct cairn_log *log,
                                     const struct cairn_record_state *state,
                                     char out_label[static 32]);
/* Has the text the form of a label? */
bool cairn_label_is(const char *text);
/* Where the record lies that a label names, or else an alias. NOT_FOUND, AMBIGUOUS, with a
 * sentence. */
CAIRN_NODISCARD
enum cairn_status cairn_label_locate(struct cairn_context *ctx, const char *label,
                                     struct cairn_index_row *out_row);
/* The same, loaded. */
CAIRN_NODISCARD
enum cairn_status cairn_label_find(struct cairn_context *ctx, const char *label,
                                   struct cairn_log *out_log, struct cairn_record_state *out_state);
/* The record of which a field marked as alias shows `alias` (alias.c); as label_locate. */
CAIRN_NODISCARD
enum cairn_status cairn_alias_locate(struct cairn_context *ctx, const char *alias,
                                     struct cairn_index_row *out_row);
/* Records of a type whose alias field shows `value`, at most CAIRN_ALIKE_MAX of *out_count; only
 * those of `scope` unless that is NULL. */
#define CAIRN_ALIKE_MAX 8
CAIRN_NODISCARD
enum cairn_status cairn_alias_find(struct cairn_context *ctx, const struct cairn_type *type,
                                   const struct cairn_field *field, const struct cairn_value *value,
                                   const struct cairn_scope *scope,
                                   struct cairn_index_row out_rows[static CAIRN_ALIKE_MAX],
                                   size_t *out_count);
/* Tag of the device that writes a log. */
CAIRN_NODISCARD
enum cairn_status cairn_log_tag(struct cairn_context *ctx, const struct cairn_log *log,
                                char out_tag[static 8]);
const char *cairn_role_name(uint64_t role);
const char *cairn_channel_name(enum cairn_channel channel);
/* 0: no such role. */
uint64_t cairn_role_number(const char *name);
void cairn_text_copy(char *out, size_t capacity, struct cairn_bytes text);
/* Fill what a standing says. */
void cairn_device_describe(const struct cairn_standing *standing, struct cairn_device *out_device);

/* ---- records as people see them (view.c) ---- */

/* The record of a row, borrowed from the store while the transaction reads; and as people see it.
 */
CAIRN_NODISCARD
enum cairn_status cairn_row_load(struct cairn_context *ctx, const struct cairn_index_row *row,
                                 struct cairn_record_state *out_state);
CAIRN_NODISCARD
enum cairn_status cairn_row_view(struct cairn_replica *replica, struct cairn_context *ctx,
                                 const struct cairn_index_row *row,
                                 const struct cairn_record_state *state,
                                 struct cairn_record *out_record);
/* A closed replica; cairn_replica_close() ends it. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status cairn_replica_new(const struct cairn_replica_config *config,
                                    struct cairn_replica **out_replica);
/* Ports, lock and store of a folder; simulators bring theirs. `create`: make what is not there. */
CAIRN_NODISCARD
enum cairn_status cairn_replica_folder(struct cairn_replica *replica,
                                       const struct cairn_replica_config *config, bool create,
                                       struct cairn_err *err);
/* A full bundle for a reader in this process: packed in haste. Else as cairn_bundle_write(). */
CAIRN_NODISCARD
enum cairn_status cairn_bundle_write_here(struct cairn_replica *replica, cairn_bundle_fn *write,
                                          void *context, struct cairn_bundle_report *out_report,
                                          struct cairn_err *err);
/* 1 to 4 ASCII letters or digits? */
bool cairn_tag_is_good(const char *tag);
/* The live versions of `field`, the shown one first, then by (time, log) as all lists number them:
 * in `arena`. */
CAIRN_NODISCARD
enum cairn_status cairn_versions_order(struct cairn_context *ctx,
                                       const struct cairn_record_state *state, uint64_t field,
                                       struct cairn_arena *arena,
                                       const struct cairn_live ***out_order, size_t *out_count);
/* The value of a live version; a record stands as (log, index) of this store. Borrowed from it.
 * On a failure *out_value says nothing. */
CAIRN_NODISCARD
enum cairn_status cairn_live_value(struct cairn_context *ctx, const struct cairn_live *live,
                                   struct cairn_value *out_value);
/* That as text in `arena`: as cairn_field_format, a record by its label, a position by its state's
 * name. */
CAIRN_NODISCARD
enum cairn_status cairn_value_text(struct cairn_context *ctx, const struct cairn_type *type,
                                   const struct cairn_field *field, const struct cairn_value *value,
                                   struct cairn_arena *arena, const char **out_text);
struct cairn_type;
struct cairn_field;
/* The shown value of a field; not an integer also where there is none. A counter's is its sum. */
struct cairn_shown {
    bool is_integer;
    int64_t integer;
};
struct cairn_indicator;
/* Does a value meet the indicator (met.c)? Views and queries ask here. */
bool cairn_indicator_is_met(const struct cairn_indicator *indicator, int64_t value);
/* Fill in which indicators of its type the record meets (met.c), from what each field of the type
 * shows, in the type's order; `shown` may be NULL where the type has no indicators. */
CAIRN_NODISCARD
enum cairn_status cairn_indicators_view(struct cairn_replica *replica,
                                        const struct cairn_type *type,
                                        const struct cairn_shown *shown,
                                        struct cairn_record *record);
/* Fill in the other records of its group (same.c). */
CAIRN_NODISCARD
enum cairn_status cairn_group_view(struct cairn_replica *replica,
                                   const struct cairn_record_state *state,
                                   struct cairn_record *record);
/* What a value is called in both languages, where the schema says: choices and states. */
void cairn_value_label(const struct cairn_type *type, const struct cairn_field *field,
                       const struct cairn_value *value, struct cairn_label *out_label);
/*
 * Edits of different fields by devices that had not seen each other's: the newest live version of
 * each such log, in the arena; none where all edits follow each other. Those of one field are a
 * conflict instead (parallels.c).
 */
CAIRN_NODISCARD
enum cairn_status cairn_record_parallel(struct cairn_context *ctx,
                                        const struct cairn_record_state *state,
                                        struct cairn_dot **out_dots, size_t *out_count);
/* The sum of a counter's live differences; `state` may be NULL. One beyond 63 bits wraps, as it
 * does in an index: what several wrote unseen must not make their record unreadable. */
int64_t cairn_counter_sum(const struct cairn_record_state *state, uint64_t field);
/* The schema that values are shown and checked by: the newest held. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_now(struct cairn_context *ctx,
                                   const struct cairn_schema **out_schema);
/* That, and its record type `name`. BAD_INPUT: it has none; NO_RIGHT: no schema came here yet. */
CAIRN_NODISCARD
enum cairn_status cairn_type_now(struct cairn_context *ctx, const char *name,
                                 const struct cairn_schema **out_schema,
                                 const struct cairn_type **out_type);
/* Sign a table as schema version `version` into the root's authority log, in a write unit. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_sign(struct cairn_replica *replica, uint64_t version,
                                    struct cairn_bytes table);
/* ---- all records (states.c) ---- */

/* Visit records in key order; return other than OK to stop. */
typedef enum cairn_status cairn_state_fn(void *context, struct cairn_context *ctx,
                                         const struct cairn_log *log,
                                         const struct cairn_record_state *state);
CAIRN_NODISCARD
enum cairn_status cairn_states_visit(struct cairn_context *ctx, cairn_state_fn *visit,
                                     void *context);
/* Records that lists show, and those with a conflict. */
CAIRN_NODISCARD
enum cairn_status cairn_records_count(struct cairn_context *ctx, uint64_t *out_records,
                                      uint64_t *out_conflicts);

/* ---- sync ---- */

void cairn_exchange_free(struct cairn_exchange *exchange);
/* Own entries that no checkpoint covers; bases are not counted. */
CAIRN_NODISCARD
enum cairn_status cairn_unreceived_count(struct cairn_context *ctx, uint64_t *out_count);
/* H over the roots in the order of the list (SPEC.md section 9), its first 16 bytes. */
void cairn_roots_digest(const struct cairn_hash *roots, size_t count,
                        uint8_t out_digest[static 16]);
/* Authority logs without a sequencer, in the scopes at or above `scope`, by log id. In
 * the arena. */
CAIRN_NODISCARD
enum cairn_status cairn_heads_collect(struct cairn_context *ctx, struct cairn_scope scope,
                                      struct cairn_head **out_heads, size_t *out_count);
void cairn_heads_digest(const struct cairn_head *heads, size_t count, uint8_t out_digest[static 8]);
/* "cairn-sync-1" || network id */
#define CAIRN_PROLOGUE_BYTES 44
void cairn_prologue(const struct cairn_hash *network,
                    uint8_t out_prologue[static CAIRN_PROLOGUE_BYTES]);

#endif
