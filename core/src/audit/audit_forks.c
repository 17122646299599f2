/* Who signed two histories? Declared in audit_internal.h. */

#include "audit_internal.h"
#include "evidence.h"

/* Branches of logs that are here. */
static enum cairn_status branches_report(struct cairn_auditor *audit)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_FORK);
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(&audit->ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING,
                              &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_log log;
        struct cairn_reader reader;
        char tag[8];
        status = cairn_log_load(&audit->ctx, cairn_read_u32be(&walk.key), &log);
        if (status == CAIRN_OK)
            status = cairn_log_tag(&audit->ctx, &log, tag);
        if (status != CAIRN_OK)
            break;
        cairn_reader_init(&reader, walk.value);
        audit->report.fork_count++;
        FINDING(audit, NULL, "%s signed two different histories after its entry %u.", tag,
                cairn_read_u32be(&reader));
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* Is there a branch of that log, which was told already? */
static enum cairn_status has_branch(struct cairn_context *ctx, const struct cairn_hash *id,
                                    bool *out_has)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_FORK);
    struct cairn_walk walk;
    struct cairn_log log;
    enum cairn_status status = cairn_log_find(ctx, id, &log);

    if (status == CAIRN_OK) {
        cairn_key_u32(&prefix, log.no);
        CAIRN_TRY(
            cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
        status = cairn_walk_next(&walk);
        cairn_walk_close(&walk);
    }
    *out_has = status == CAIRN_OK;
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static enum cairn_status place_report(struct cairn_auditor *audit, const struct cairn_ref *ref)
{
    struct cairn_err affects = {.translate = audit->err.translate};
    char name[20];
    bool is_told;

    CAIRN_TRY(cairn_audit_log_name(&audit->ctx, &ref->log, name));
    CAIRN_TRY(has_branch(&audit->ctx, &ref->log, &is_told));
    audit->report.fork_count += !is_told;
    cairn_fail(&affects, CAIRN_FORKED,
               "Each of the two stands by itself: what either of them grants counts until a "
               "revocation cuts it. Keep what was audited, which is the proof, and show it to "
               "those above %s.",
               name);
    FINDING(audit, affects.text,
            "%s signed two different histories: its authority log has two entries in place %u.",
            name, ref->index);
    return CAIRN_OK;
}

/*
 * Links of two entries for one place of a log are a fork of it (SPEC.md section 7). An entry that
 * came in its log and as a link is one row; of each log the first such place is told.
 */
static enum cairn_status places_report(struct cairn_auditor *audit)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_EVIDENCE);
    struct cairn_ref before = {.index = 0};
    bool has_before = false, is_told = false;
    struct cairn_walk walk;
    enum cairn_status status;

    CAIRN_TRY(cairn_walk_open(&audit->ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING,
                              &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_ref ref = {.log = cairn_read_hash(&walk.key)};
        ref.index = cairn_read_u32be(&walk.key);
        bool is_same_log = has_before && cairn_hash_equal(&ref.log, &before.log);
        is_told = is_told && is_same_log;
        if (is_same_log && !is_told && ref.index == before.index) {
            is_told = true;
            status = place_report(audit, &ref);
            if (status != CAIRN_OK)
                break;
        }
        before = ref;
        has_before = true;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_audit_forks_report(struct cairn_auditor *audit)
{
    CAIRN_TRY(branches_report(audit));
    return places_report(audit);
}
