/* Is what the checkpoints rest on here? Declared in audit_internal.h. */

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"
#include "evidence.h"
#include "force.h"

enum cairn_status cairn_audit_rests_add(struct cairn_auditor *audit, struct cairn_scope scope,
                                        uint64_t scope_size, const struct cairn_held *held,
                                        size_t held_count)
{
    for (size_t i = 0; i < held_count; i++) {
        const struct cairn_audit_rest rest = {held[i].log, held[i].size, scope, scope_size};
        cairn_buffer_add(&audit->rests, &rest, sizeof rest);
    }
    return cairn_buffer_status(&audit->rests);
}

/* By log, of each the greatest size first, and of those what the earliest checkpoint says. */
static int rest_compare(const void *a, const void *b)
{
    const struct cairn_audit_rest *one = a, *two = b;
    int order = cairn_hash_compare(&one->log, &two->log);

    if (order != 0)
        return order;
    if (one->size != two->size)
        return one->size > two->size ? -1 : 1;
    if (one->scope.code != two->scope.code)
        return one->scope.code < two->scope.code ? -1 : 1;
    return one->scope_size < two->scope_size ? -1 : one->scope_size > two->scope_size;
}

/*
 * Under what a log is written that is not here itself: what came alone of it says so. NOT_FOUND:
 * nothing came.
 */
static enum cairn_status under_by_evidence(struct cairn_context *ctx, const struct cairn_hash *log,
                                           struct cairn_under *out_under)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_EVIDENCE);
    struct cairn_evidence evidence;
    struct cairn_walk walk;

    cairn_key_hash(&prefix, log);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK)
        status = cairn_evidence_decode(ctx, walk.value, &evidence);
    cairn_walk_close(&walk);
    CAIRN_TRY(status);
    struct cairn_reader body = evidence.entry.body;
    struct cairn_under under = cairn_under_read(&body);
    if (body.failed)
        return CAIRN_CORRUPT;
    *out_under = under;
    return CAIRN_OK;
}

/* The log as far as it is known here; *out_is_named false: nobody can say whose it is. */
static enum cairn_status log_of_rest(struct cairn_context *ctx, const struct cairn_hash *id,
                                     struct cairn_log *out_log, bool *out_is_named)
{
    struct cairn_log log;
    enum cairn_status status = cairn_log_find(ctx, id, &log);

    *out_is_named = status == CAIRN_OK && log.is_known;
    if (status == CAIRN_OK && !log.is_known)
        status = CAIRN_NOT_FOUND;
    if (status == CAIRN_NOT_FOUND) {
        log = (struct cairn_log){.id = *id, .channel = CAIRN_CHANNEL_AUTHORITY};
        cairn_tree_init(&log.tree);
        status = under_by_evidence(ctx, id, &log.under);
        *out_is_named = status == CAIRN_OK;
        if (status == CAIRN_NOT_FOUND) {
            log.under.is_root = true; /* no revocation is asked for */
            status = CAIRN_OK;
        }
    }
    if (status == CAIRN_OK)
        *out_log = log;
    return status;
}

/* From where on entries of the log count for nothing, whatever they are. */
static enum cairn_status log_stop(struct cairn_context *ctx, const struct cairn_log *log,
                                  uint32_t *out_stop)
{
    uint32_t end, adopted;

    CAIRN_TRY(cairn_force_end(ctx, log, &end));
    CAIRN_TRY(cairn_force_adopted(ctx, log, &adopted));
    *out_stop = end > adopted ? end : adopted;
    return CAIRN_OK;
}

/* The tag of who writes the log, else how its id begins. */
static enum cairn_status log_name(struct cairn_context *ctx, const struct cairn_log *log,
                                  bool is_named, char out_name[static 20])
{
    if (is_named)
        return cairn_log_tag(ctx, log, out_name);
    sodium_bin2hex(out_name, 17, log->id.bytes, 8);
    return CAIRN_OK;
}

enum cairn_status cairn_audit_log_name(struct cairn_context *ctx, const struct cairn_hash *id,
                                       char out_name[static 20])
{
    struct cairn_log log;
    bool is_named;

    CAIRN_TRY(log_of_rest(ctx, id, &log, &is_named));
    return log_name(ctx, &log, is_named, out_name);
}

static enum cairn_status rest_report(struct cairn_auditor *audit,
                                     const struct cairn_audit_rest *rest)
{
    struct cairn_context *ctx = &audit->ctx;
    struct cairn_err affects = {.translate = audit->err.translate};
    char name[20], scope[CAIRN_SCOPE_TEXT_BYTES];
    struct cairn_log log;
    uint32_t stop;
    bool is_named;

    CAIRN_TRY(log_of_rest(ctx, &rest->log, &log, &is_named));
    CAIRN_TRY(log_stop(ctx, &log, &stop));
    uint32_t here = cairn_log_size(&log);
    if (here >= rest->size || here >= stop)
        return CAIRN_OK;
    CAIRN_TRY(log_name(ctx, &log, is_named, name));
    cairn_scope_text(rest->scope, scope);
    cairn_fail(&affects, CAIRN_GAP,
               "What is missing may be a revocation: whether what is here still counts cannot be "
               "told without it. Ask for a full bundle from somebody who holds more.");
    FINDING(audit, affects.text,
            "The server signed %s at size %llu with %u entries of the authority log of %s; only "
            "%u of the %u entries are here.",
            scope, (unsigned long long)rest->scope_size, rest->size, name, here, rest->size);
    return CAIRN_OK;
}

enum cairn_status cairn_audit_rests_report(struct cairn_auditor *audit)
{
    struct cairn_audit_rest *rests = (struct cairn_audit_rest *)(void *)audit->rests.data;
    size_t count = audit->rests.size / sizeof *rests;

    if (count > 0)
        qsort(rests, count, sizeof *rests, rest_compare);
    for (size_t i = 0; i < count; i++) {
        struct cairn_arena_mark mark = cairn_arena_mark(&audit->ctx.arena);
        if (i == 0 || !cairn_hash_equal(&rests[i].log, &rests[i - 1].log))
            CAIRN_TRY(rest_report(audit, &rests[i]));
        cairn_arena_rewind(&audit->ctx.arena, mark);
    }
    return CAIRN_OK;
}
