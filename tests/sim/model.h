/*
 * model.h: the simulator's own book of every edit that a device acknowledged: who wrote which
 * field of which record, where it stands in its log, and what its author had before the eyes when
 * writing it. From that and from how much of each log a replica holds follows what the replica must
 * show: the oracle. It is written from SPEC.md sections 5.2 and 5.3, in another way than core, and
 * reads none of core's tables.
 *
 * Versions are of kinds: those of registers replace their field, elements and differences of others
 * stand beside each other, a removal only replaces, a step counts once what it follows is held.
 *
 * An entry is a place (log, index); a version is one field of it. Logs, records and versions have
 * numbers of the model's own.
 *
 * Memory:  the caller's struct; model_release() frees what grew.
 * Threads: one at a time.
 */

#ifndef CAIRN_SIM_MODEL_H
#define CAIRN_SIM_MODEL_H

#include "cairn/identity.h"

#define MODEL_LOGS_MAX 192
#define MODEL_LIVE_MAX 512
#define MODEL_NONE UINT32_MAX
#define MODEL_EXISTENCE 0 /* the field that a creation or deletion writes */

struct model_log {
    struct cairn_hash id;
    unsigned grant;  /* of the device that writes it */
    bool is_foreign; /* nobody of ours wrote it: a hostile device did */
    bool is_forked;  /* written twice from some entry on: nothing is foretold of it */
    struct cairn_scope scope;
    enum cairn_channel channel;
    uint32_t entry_count;
    uint32_t *first_versions; /* of each entry; MODEL_NONE: it is no edit */
    uint32_t capacity;
};

enum model_kind { MODEL_SET, MODEL_ADD, MODEL_REMOVE, MODEL_COUNT, MODEL_STEP };

struct model_version {
    uint32_t record;
    uint32_t field;
    enum model_kind kind;
    uint32_t token; /* what was written; 0 for a deletion or creation. Of an element its number, of
                       a count the difference, modulo 2^32, of a step BOOK_POSITION */
    uint32_t follows; /* of a step: the version that it follows, or MODEL_NONE */
    uint32_t log, index;
    uint64_t time_s;                         /* by the author's clock */
    uint32_t repeats;                        /* the version that this one repeats, or MODEL_NONE */
    uint32_t replaces_first, replaces_count; /* into model.replaced */
    bool deletes;
    bool is_lost;   /* its device went back, and nobody else has it */
    bool is_gone;   /* the same, and its place in the log was given to another */
    bool came_back; /* what it repeats was there when its device went back the last time */
};

struct model_record {
    uint32_t log, index; /* the entry that created it */
    struct cairn_scope scope;
    char label[32];
    uint32_t *versions;
    uint32_t count, capacity;
};

/* How much of each log a replica has. */
struct holdings {
    uint32_t size[MODEL_LOGS_MAX];
    uint32_t covered[MODEL_LOGS_MAX];
};

/* A revocation, with a cut for each log of the grant, or an adoption. */
struct model_decree {
    uint32_t by_log, by_index; /* the entry that says so */
    bool adopts;
    unsigned grant;                /* revoked */
    uint32_t cuts[MODEL_LOGS_MAX]; /* of a revocation, by log; 0 for those not listed */
    uint32_t log, from, to;        /* adopted */
};
#define MODEL_DECREES_MAX 8

struct model {
    struct model_log logs[MODEL_LOGS_MAX];
    uint32_t log_count;
    struct model_record *records;
    uint32_t record_count, record_capacity;
    struct model_version *versions;
    uint32_t version_count, version_capacity;
    uint32_t *replaced;
    uint32_t replaced_count, replaced_capacity;
    struct model_decree decrees[MODEL_DECREES_MAX];
    uint32_t decree_count;
    uint32_t token_count; /* given out so far */
};

void model_init(struct model *model);
void model_release(struct model *model);

uint32_t model_log_find(const struct model *model, const struct cairn_hash *id);
/* MODEL_NONE when there are too many. */
uint32_t model_log_add(struct model *model, const struct model_log *log);
uint32_t model_record_add(struct model *model, uint32_t log, uint32_t index, const char *label);
/* The record that entry (log, index) created, or MODEL_NONE. */
uint32_t model_record_of(const struct model *model, uint32_t log, uint32_t index);
/* Versions of one entry are added one after the other. `version->replaces_*` are not read. */
uint32_t model_version_add(struct model *model, const struct model_version *version,
                           const uint32_t *replaces, uint32_t count);
/* The version of `field` in entry (log, index), or MODEL_NONE. */
uint32_t model_version_of(const struct model *model, uint32_t log, uint32_t index, uint32_t field);

/* The log goes on from `size`: what stood above never left its device and is gone for good. */
void model_log_cut(struct model *model, uint32_t log, uint32_t size);

/* The log has entries up to `size` that are no edits of ours. */
void model_log_grow(struct model *model, uint32_t log, uint32_t size);

/* Is entry (log, index) held, inside every cut known there, or adopted? */
bool model_is_inside(const struct model *model, const struct holdings *held, uint32_t log,
                     uint32_t index);
/* Is it inside, is what it rests on held, and does it repeat nothing that counts itself? */
bool model_in_force(const struct model *model, const struct holdings *held,
                    const struct model_version *version);
/* The versions of a record that must be live at a replica, in the order in which they were written;
 * at most MODEL_LIVE_MAX. */
uint32_t model_live(const struct model *model, const struct holdings *held, uint32_t record,
                    uint32_t out_versions[static MODEL_LIVE_MAX]);
/* The shown one of these versions of a field: the greatest (time, log id); MODEL_NONE of none. */
uint32_t model_shown(const struct model *model, const uint32_t *versions, uint32_t count,
                     uint32_t field);
bool model_has_forks(const struct model *model);
/* Is nothing foretold of this record: has a forked log touched it? */
bool model_is_vague(const struct model *model, uint32_t record);

#endif
