#include "force.h"

#include <string.h>

#include "authority.h"
#include "cuts.h"
#include "parked.h"
#include "rebuild.h"

/* The least size that a cut held here allows (CAIRN_NO_END: none). */
static enum cairn_status force_cut(struct cairn_context *ctx, const struct cairn_log *log,
                                   uint32_t *out_cut)
{
    bool stands;

    CAIRN_TRY(cairn_cuts_end(ctx, log, out_cut));
    CAIRN_TRY(cairn_under_stands(ctx, &log->under, &stands));
    *out_cut = stands ? *out_cut : 0;
    return CAIRN_OK;
}

enum cairn_status cairn_force_end(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t *out_end)
{
    uint32_t cut, fork;

    CAIRN_TRY(force_cut(ctx, log, &cut));
    /* A fork stops the log, unless the sequencer covered our branch beyond it. */
    CAIRN_TRY(cairn_fork_least(ctx, log, log->covered, &fork));
    *out_end = cut < fork ? cut : fork;
    return CAIRN_OK;
}

/* Visit the ranges of `log` that were adopted; return other than OK to stop. */
struct adopted {
    uint32_t from, to;
    struct cairn_hash root; /* at `to` */
    struct cairn_hash by_log;
    uint32_t by_index;
    bool counts; /* the entry that adopts is not cut */
};
typedef enum cairn_status adopted_fn(void *context, struct cairn_context *ctx,
                                     const struct adopted *adopted);

static enum cairn_status adopted_visit(struct cairn_context *ctx, const struct cairn_log *log,
                                       adopted_fn *visit, void *context)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_ADOPTED);
    struct cairn_walk walk;
    enum cairn_status status;

    cairn_key_hash(&prefix, &log->id);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct adopted adopted;
        struct cairn_reader reader;
        adopted.from = cairn_read_u32be(&walk.key);
        adopted.by_log = cairn_read_hash(&walk.key);
        adopted.by_index = cairn_read_u32be(&walk.key);
        cairn_reader_init(&reader, walk.value);
        adopted.to = cairn_read_u32be(&reader);
        adopted.root = cairn_read_hash(&reader);
        status = reader.failed || walk.key.failed
                     ? CAIRN_CORRUPT
                     : cairn_author_counts(ctx, &adopted.by_log, adopted.by_index, &adopted.counts);
        if (status == CAIRN_OK)
            status = visit(context, ctx, &adopted);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status note_greatest(void *context, struct cairn_context *ctx,
                                       const struct adopted *adopted)
{
    uint32_t *greatest = context;

    (void)ctx;
    *greatest = adopted->counts && adopted->to > *greatest ? adopted->to : *greatest;
    return CAIRN_OK;
}

enum cairn_status cairn_force_adopted(struct cairn_context *ctx, const struct cairn_log *log,
                                      uint32_t *out_to)
{
    *out_to = 0;
    return adopted_visit(ctx, log, note_greatest, out_to);
}

static enum cairn_status note_waits(void *context, struct cairn_context *ctx,
                                    const struct adopted *adopted)
{
    const struct cairn_verdict *waits = context;
    struct cairn_log author;

    enum cairn_status status = cairn_log_find(ctx, &adopted->by_log, &author);
    if (status == CAIRN_NOT_FOUND ||
        (status == CAIRN_OK && (!author.is_known || adopted->by_index >= cairn_log_size(&author))))
        return CAIRN_OK;
    CAIRN_TRY(status);
    return cairn_verdict_put(ctx, author.no, adopted->by_index, waits);
}

enum cairn_status cairn_adoptions_wait(struct cairn_context *ctx, const struct cairn_log *log)
{
    struct cairn_verdict waits = {CAIRN_WAITING, CAIRN_WHY_NOT_HERE_YET, log->no, 1};

    return adopted_visit(ctx, log, note_waits, &waits);
}

enum cairn_status cairn_force_limit(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t *out_limit)
{
    uint32_t cut, adopted = 0;

    CAIRN_TRY(force_cut(ctx, log, &cut));
    if (cut != CAIRN_NO_END)
        CAIRN_TRY(cairn_force_adopted(ctx, log, &adopted));
    *out_limit = cut > adopted ? cut : adopted;
    return CAIRN_OK;
}

struct adoption {
    const struct cairn_log *log;
    uint32_t index;
    bool is_adopted;
};

/* Only a range that is here whole, with the history that was adopted. */
static enum cairn_status note_holds(void *context, struct cairn_context *ctx,
                                    const struct adopted *adopted)
{
    struct adoption *adoption = context;
    struct cairn_hash root;

    if (!adopted->counts || adoption->is_adopted || adoption->index < adopted->from ||
        adoption->index >= adopted->to || adopted->to > cairn_log_size(adoption->log))
        return CAIRN_OK;
    CAIRN_TRY(cairn_log_root_at(ctx, adoption->log, adopted->to, &root));
    adoption->is_adopted = cairn_hash_equal(&adopted->root, &root);
    return CAIRN_OK;
}

static enum cairn_status is_adopted(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t index, bool *out_is_adopted)
{
    struct adoption adoption = {.log = log, .index = index};

    CAIRN_TRY(adopted_visit(ctx, log, note_holds, &adoption));
    *out_is_adopted = adoption.is_adopted;
    return CAIRN_OK;
}

enum cairn_status cairn_original_in_force(struct cairn_context *ctx, const struct cairn_ref *ref,
                                          bool *out_in_force)
{
    struct cairn_log log;
    struct cairn_entry entry;
    struct cairn_hash *commitments;
    struct cairn_hash leaf;

    *out_in_force = false;
    enum cairn_status status = cairn_log_find(ctx, &ref->log, &log);
    if (status == CAIRN_NOT_FOUND || (status == CAIRN_OK && ref->index >= cairn_log_size(&log)))
        return CAIRN_OK;
    CAIRN_TRY(status);
    CAIRN_TRY(cairn_entry_load(ctx, &log, ref->index, &entry, &commitments, &leaf));
    if (!cairn_hash_equal(&leaf, &ref->leaf))
        return CAIRN_OK;
    struct cairn_verdict verdict;
    CAIRN_TRY(cairn_verdict_get(ctx, log.no, ref->index, &verdict));
    if (verdict.validity != CAIRN_VALID)
        return CAIRN_OK;
    return cairn_in_force(ctx, &log, ref->index, NULL, out_in_force);
}

enum cairn_status cairn_in_force(struct cairn_context *ctx, const struct cairn_log *log,
                                 uint32_t index, const struct cairn_ref *repeats,
                                 bool *out_in_force)
{
    bool in_force = index < log->force_end;

    if (!in_force)
        CAIRN_TRY(is_adopted(ctx, log, index, &in_force));
    if (in_force && repeats != NULL) {
        bool original;
        CAIRN_TRY(cairn_original_in_force(ctx, repeats, &original));
        in_force = !original;
    }
    *out_in_force = in_force;
    return CAIRN_OK;
}

enum cairn_status cairn_force_why(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t index, const struct cairn_ref *repeats,
                                  enum cairn_reason *out_why)
{
    bool in_force;
    uint32_t cut;

    CAIRN_TRY(cairn_in_force(ctx, log, index, NULL, &in_force));
    if (!in_force) {
        CAIRN_TRY(force_cut(ctx, log, &cut));
        *out_why = index >= cut ? CAIRN_WHY_CUT : CAIRN_WHY_FORK;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_in_force(ctx, log, index, repeats, &in_force));
    *out_why = in_force ? CAIRN_WHY_NONE : CAIRN_WHY_REPEATED;
    return CAIRN_OK;
}

/* ---- when something moved ------------------------------------------------------------------ */

/* The entries of a log that may have come into force or gone out of it; linked in the arena. */
struct moved {
    struct moved *next;
    uint32_t log;
    uint32_t from, to;
};

/* A log may move in more than one round: its range is all that it moved over. */
static enum cairn_status moved_note(struct cairn_context *ctx, struct moved **first,
                                    const struct cairn_log *log, uint32_t end)
{
    uint32_t from = end < log->force_end ? end : log->force_end;
    uint32_t to = end < log->force_end ? log->force_end : end;
    struct moved *moved = *first;

    while (moved != NULL && moved->log != log->no)
        moved = moved->next;
    if (moved == NULL) {
        moved = cairn_arena_get(&ctx->arena, sizeof *moved);
        if (moved == NULL)
            return CAIRN_NO_MEMORY;
        *moved = (struct moved){.next = *first, .log = log->no, .from = from, .to = to};
        *first = moved;
        return CAIRN_OK;
    }
    moved->from = from < moved->from ? from : moved->from;
    moved->to = to > moved->to ? to : moved->to;
    return CAIRN_OK;
}

/* Ends of authority logs decide about those below: about one round a level of the chain. Where it
 * goes on and on, two devices say that they are above each other. */
#define ROUNDS_MAX (2 * CAIRN_CHAIN_MAX + 2)

static enum cairn_status ends_move(struct cairn_context *ctx, struct moved **out_first)
{
    uint64_t count;
    bool any = true;

    *out_first = NULL;
    CAIRN_TRY(cairn_meta_number(ctx, "logs", &count));
    for (unsigned round = 0; any; round++) {
        if (round == ROUNDS_MAX)
            return CAIRN_CORRUPT;
        any = false;
        for (uint32_t no = 1; no <= count; no++) {
            struct cairn_log log;
            uint32_t end;
            struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
            CAIRN_TRY(cairn_log_load(ctx, no, &log));
            if (!log.is_known)
                continue;
            CAIRN_TRY(cairn_force_end(ctx, &log, &end));
            cairn_arena_rewind(&ctx->arena, mark);
            if (end == log.force_end)
                continue;
            CAIRN_TRY(moved_note(ctx, out_first, &log, end));
            log.force_end = end;
            CAIRN_TRY(cairn_log_save(ctx, &log));
            any = true;
        }
    }
    return CAIRN_OK;
}

/* What is adopted counts beyond its log's end only, and while its adoption does. */
static enum cairn_status adopted_move(struct cairn_context *ctx, struct moved **first)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_ADOPTED);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_hash id = cairn_read_hash(&walk.key);
        uint32_t from = cairn_read_u32be(&walk.key);
        struct cairn_reader reader;
        struct cairn_log log;
        cairn_reader_init(&reader, walk.value);
        uint32_t to = cairn_read_u32be(&reader);
        status = walk.key.failed || reader.failed ? CAIRN_CORRUPT : cairn_log_find(ctx, &id, &log);
        if (status == CAIRN_NOT_FOUND)
            continue;
        if (status != CAIRN_OK)
            break;
        from = from < log.force_end ? log.force_end : from;
        struct moved *moved = cairn_arena_get(&ctx->arena, sizeof *moved);
        if (moved == NULL) {
            status = CAIRN_NO_MEMORY;
            break;
        }
        *moved = (struct moved){.next = *first, .log = log.no, .from = from, .to = to};
        *first = moved;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_force_move(struct cairn_context *ctx)
{
    struct moved *first;

    CAIRN_TRY(ends_move(ctx, &first));
    CAIRN_TRY(adopted_move(ctx, &first));
    for (const struct moved *moved = first; moved != NULL; moved = moved->next) {
        struct cairn_log log;
        CAIRN_TRY(cairn_log_load(ctx, moved->log, &log));
        uint32_t to = moved->to < cairn_log_size(&log) ? moved->to : cairn_log_size(&log);
        if (!log.is_known || moved->from >= to)
            continue;
        CAIRN_TRY(cairn_rebuild_touched(ctx, &log, moved->from, to));
        CAIRN_TRY(cairn_repeats_rebuild(ctx, &log, moved->from));
    }
    return CAIRN_OK;
}
