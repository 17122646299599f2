/*
 * Auditing: everything is read into an empty store in memory, from the root key alone, through the
 * same door as any other change; so whatever does not follow from signed bytes is found, and the
 * state is rebuilt and compared with what the sequencer signed.
 */

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit_internal.h"
#include "batch.h"
#include "bundle_in.h"
#include "digest.h"

#define FINDING_TEXT_MAX CAIRN_ERR_TEXT_BYTES

void cairn_audit_finding(struct cairn_auditor *audit, const char *text, const char *affects)
{
    audit->report.finding_count++;
    if (audit->visitor->finding != NULL)
        audit->visitor->finding(audit->visitor->context, audit->report.finding_count, text,
                                affects);
}

static const char *translated(const struct cairn_auditor *audit, const char *msgid)
{
    return audit->err.translate == NULL ? msgid : audit->err.translate(msgid);
}

/* ---- taking in ----------------------------------------------------------------------------- */

/* Whose log is it? False: nobody's that is known. */
static bool run_device(struct cairn_auditor *audit, const struct cairn_group *group,
                       const struct cairn_run *run, struct cairn_sign_public *out_device)
{
    struct cairn_list leaves = group->leaves;
    struct cairn_scope_leaf leaf;
    struct cairn_scope_log scope_log;
    struct cairn_log log;
    uint32_t no;

    *out_device = run->log.device;
    if (!run->log.is_numbered)
        return true;
    if (cairn_scope_log_load(&audit->ctx, group->scope, group->channel, &scope_log) != CAIRN_OK)
        return false;
    if (run->log.log_number < scope_log.log_count) {
        bool is_found =
            cairn_scope_log_of(&audit->ctx, &scope_log, run->log.log_number, &no) == CAIRN_OK &&
            cairn_log_load(&audit->ctx, no, &log) == CAIRN_OK;
        if (is_found)
            *out_device = log.device;
        return is_found;
    }
    /* Named in full at its first leaf of this group. */
    for (uint32_t number = scope_log.log_count; cairn_scope_leaf_next(&leaves, &leaf);)
        if (!leaf.log.is_numbered && number++ == run->log.log_number) {
            *out_device = leaf.log.device;
            return true;
        }
    return false;
}

/* Which records a run that does not hold would have touched: the place for a person to look. */
static void run_affects(struct cairn_auditor *audit, const struct cairn_group *group,
                        const struct cairn_run *run, char out_text[static FINDING_TEXT_MAX])
{
    struct cairn_err text = {.translate = audit->err.translate};
    struct cairn_ref ref;
    struct cairn_under under = {.is_root = false};
    struct cairn_standing standing = {.tag = "?"};
    struct cairn_sign_public device;
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(group->scope, scope);
    if (run_device(audit, group, run, &device) &&
        cairn_grant_of_seal_key(&audit->ctx, &device, &ref) == CAIRN_OK) {
        under.grant = ref;
        if (cairn_standing_get(&audit->ctx, &under, &standing) != CAIRN_OK)
            standing.tag[0] = '?';
    }
    cairn_fail(&text, CAIRN_BAD_SIGNATURE,
               "Entries %u to %u of %s in %s are left out; what does not rest on them is checked. "
               "Ask %s for a "
               "new bundle and compare.",
               run->first, run->first + run->entry_count - 1, standing.tag, scope, standing.tag);
    snprintf(out_text, FINDING_TEXT_MAX, "%s", text.text);
}

/* Does what was handed over fail, and not this machine? */
static bool is_theirs(enum cairn_status status)
{
    return status != CAIRN_OK && (cairn_status_actor(status) == CAIRN_ACTOR_PEER ||
                                  cairn_status_actor(status) == CAIRN_ACTOR_RETRY);
}

/* One run of a group, followed without the others and without a checkpoint, in a unit of work that
 * is given up. `*alone` is as the group, `bytes` has room for the run. */
static enum cairn_status run_follow(struct cairn_auditor *audit, const struct cairn_run *run,
                                    struct cairn_group *alone, struct cairn_writer *bytes)
{
    struct cairn_follow follow;

    cairn_run_write(bytes, run);
    cairn_reader_init(&alone->runs.reader, cairn_writer_bytes(bytes));
    alone->runs.left = 1;
    alone->has_checkpoint = false;
    return cairn_group_follow(&audit->ctx, alone, &follow);
}

/* Which run of a failing group is the one that does not hold? Asked of each alone. */
static enum cairn_status run_fails_alone(struct cairn_auditor *audit,
                                         const struct cairn_group *group,
                                         const struct cairn_run *run, bool *out_fails,
                                         char out_affects[static FINDING_TEXT_MAX])
{
    size_t capacity = run->entries.size + 1024;
    struct cairn_group *alone = malloc(sizeof *alone);
    uint8_t *bytes = malloc(capacity);
    enum cairn_status status = alone == NULL || bytes == NULL
                                   ? CAIRN_NO_MEMORY
                                   : cairn_context_begin(&audit->ctx, CAIRN_TXN_WRITE);

    *out_fails = false;
    if (status == CAIRN_OK) {
        struct cairn_writer writer;
        cairn_writer_init(&writer, bytes, capacity);
        *alone = *group;
        status = run_follow(audit, run, alone, &writer);
        *out_fails = status == CAIRN_BAD_SIGNATURE || status == CAIRN_MALFORMED;
        if (*out_fails)
            run_affects(audit, group, run, out_affects);
        cairn_context_abort(&audit->ctx);
    }
    free(alone);
    free(bytes);
    return is_theirs(status) ? CAIRN_OK : status;
}

/* A finding for the first run that does not hold alone; *out_is_found false: each of them does. */
static enum cairn_status run_finding(struct cairn_auditor *audit, const struct cairn_group *group,
                                     const char *name, bool *out_is_found)
{
    struct cairn_list runs = group->runs;
    struct cairn_run run;
    char affects[FINDING_TEXT_MAX];

    *out_is_found = false;
    while (!*out_is_found && cairn_run_next(&runs, &run)) {
        CAIRN_TRY(run_fails_alone(audit, group, &run, out_is_found, affects));
        if (*out_is_found)
            FINDING(audit, affects,
                    "%s: entries %u to %u do not match the seal over them: altered after they were "
                    "signed, or "
                    "damaged in transit.",
                    name, run.first, run.first + run.entry_count - 1);
    }
    return CAIRN_OK;
}

static enum cairn_status group_finding(struct cairn_auditor *audit, const struct cairn_group *group,
                                       const char *name, enum cairn_status status)
{
    struct cairn_err cause = audit->err; /* before the runs are tried alone */
    char scope[CAIRN_SCOPE_TEXT_BYTES];
    bool is_found = false;

    cairn_scope_text(group->scope, scope);
    /* At a fork of the server the numbers of its logs are others there: no run is to blame. */
    if (status != CAIRN_FORKED)
        CAIRN_TRY(run_finding(audit, group, name, &is_found));
    if (is_found)
        return CAIRN_OK;
    if (status == CAIRN_BAD_SIGNATURE)
        FINDING(
            audit, scope,
            "%s: a checkpoint of %s is not signed by its server, or what it covers was altered.",
            name, scope);
    else if (status == CAIRN_FORKED)
        FINDING(audit, scope,
                "%s: %s has a history that is not the one its server signed elsewhere.", name,
                scope);
    else if (cairn_status_actor(status) == CAIRN_ACTOR_RETRY)
        FINDING(audit, scope, "%s: %s rests on something that the bundle does not hold.", name,
                scope);
    else {
        status = cairn_explain(&cause, status);
        FINDING(audit, scope, "%s: a part of %s is left out: %s", name, scope, cause.text);
    }
    return CAIRN_OK;
}

static enum cairn_status group_take(struct cairn_auditor *audit, const struct cairn_group *group,
                                    const char *name)
{
    struct cairn_follow follow = {0};
    char scope[CAIRN_SCOPE_TEXT_BYTES];
    size_t leaf_count = group->leaves.left;

    cairn_context_fresh(&audit->ctx);
    CAIRN_TRY(cairn_context_begin(&audit->ctx, CAIRN_TXN_WRITE));
    audit->err.text[0] = '\0';
    enum cairn_status status = cairn_group_follow(&audit->ctx, group, &follow);
    if (status == CAIRN_OK)
        status = cairn_context_commit(&audit->ctx);
    else
        cairn_context_abort(&audit->ctx);
    audit->entries_done += status == CAIRN_OK ? follow.entry_count : 0;
    if (is_theirs(status))
        return group_finding(audit, group, name, status);
    if (status != CAIRN_OK || !group->has_checkpoint)
        return status;
    audit->report.checkpoint_count++;
    if (group->is_explicit) /* else what is held here was signed */
        CAIRN_TRY(cairn_audit_rests_add(audit, group->scope, group->first_leaf + leaf_count,
                                        group->held, group->held_count));
    cairn_scope_text(group->scope, scope);
    if (follow.state_is_equal)
        audit->report.compared_count++;
    if (follow.state_differs)
        FINDING(audit, scope,
                "%s: the state rebuilt from the entries of %s is not the one its server signed.",
                name, scope);
    if (audit->visitor->progress != NULL)
        audit->visitor->progress(audit->visitor->context, audit->entries_done,
                                 audit->entries_total);
    return CAIRN_OK;
}

static enum cairn_status links_take(struct cairn_auditor *audit, struct cairn_list links,
                                    const char *name)
{
    struct cairn_link link;

    CAIRN_TRY(cairn_context_begin(&audit->ctx, CAIRN_TXN_WRITE));
    while (cairn_link_next(&links, &link)) {
        enum cairn_status status = cairn_link_admit(&audit->ctx, &link);
        if (status == CAIRN_OK)
            continue;
        if (cairn_status_actor(status) != CAIRN_ACTOR_PEER && status != CAIRN_NOT_FOUND) {
            cairn_context_abort(&audit->ctx);
            return status;
        }
        FINDING(audit, NULL, "%s: a grant does not lead to the root key.", name);
    }
    enum cairn_status status = cairn_waiting_links_release(&audit->ctx);
    if (status == CAIRN_OK)
        return cairn_context_commit(&audit->ctx);
    cairn_context_abort(&audit->ctx);
    return status;
}

static enum cairn_status part_take(struct cairn_auditor *audit,
                                   const struct cairn_bundle_part *part, const char *name)
{
    struct cairn_list groups = part->groups;
    struct cairn_group *group = malloc(sizeof *group);

    if (group == NULL)
        return CAIRN_NO_MEMORY;
    enum cairn_status status = links_take(audit, part->links, name);
    while (status == CAIRN_OK && cairn_group_next(&groups, group))
        status = group_take(audit, group, name);
    free(group);
    return status;
}

static enum cairn_status file_take(struct cairn_auditor *audit, struct cairn_bytes file,
                                   const char *name)
{
    struct cairn_bundle_header header;
    struct cairn_root_statement root;
    struct cairn_parts parts;
    struct cairn_bundle_part part;
    enum cairn_status status;
    size_t at;

    if (cairn_bundle_header_read(file, &header) != CAIRN_OK ||
        cairn_root_statement_read(header.root_statement, &root) != CAIRN_OK)
        return cairn_fail(audit->outer, CAIRN_MALFORMED,
                          "%s is not a bundle, or its beginning is damaged.", name);
    if (!cairn_hash_equal(&root.network, &audit->ctx.network))
        return cairn_fail(
            audit->outer, CAIRN_REFUSED,
            "%s belongs to another network than the root key: its own root is not the one given.",
            name);
    if (header.kind != CAIRN_BUNDLE_FULL)
        return cairn_fail(
            audit->outer, CAIRN_BAD_INPUT,
            "%s is sealed for its readers. Ask for one written with: cairn bundle write FILE "
            "--full",
            name);
    cairn_parts_init(&parts, file, &header, NULL);
    for (at = parts.reader.pos;
         (status = cairn_parts_next(&parts, audit->ctx.packer, &part)) == CAIRN_OK;
         at = parts.reader.pos) {
        status = part_take(audit, &part, name);
        if (status != CAIRN_OK)
            break;
    }
    const char *what_to_do = translated(
        audit, "What came before that place is checked; ask for a new bundle and compare.");
    if (status == CAIRN_MALFORMED)
        FINDING(audit, what_to_do, "%s is damaged or cut short at byte %zu.", name,
                parts.reader.pos);
    else if (status == CAIRN_NOT_FOUND && !parts.is_done)
        FINDING(audit, what_to_do,
                "%s could not be checked from byte %zu on: what stands there names something that "
                "is not here.",
                name, at);
    cairn_parts_release(&parts);
    return status == CAIRN_MALFORMED || status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* ---- the calls ----------------------------------------------------------------------------- */

static enum cairn_status audit_begin(struct cairn_auditor *audit, struct cairn_bytes root_statement)
{
    struct cairn_root_statement root;

    if (sodium_init() < 0)
        return CAIRN_NO_MEMORY;
    cairn_verifier_init(&audit->verifier);
    CAIRN_TRY(cairn_store_memory_new(&audit->store));
    CAIRN_TRY(cairn_context_init(&audit->ctx, audit->store, &audit->verifier));
    audit->ctx.indexing.is_off = true;
    audit->ctx.err = audit->outer;
    audit->ctx.is_auditor = true;
    if (cairn_root_statement_read(root_statement, &root) != CAIRN_OK)
        return cairn_fail(audit->outer, CAIRN_BAD_INPUT,
                          "The root key file is not one, or it is damaged.");
    CAIRN_TRY(cairn_context_begin(&audit->ctx, CAIRN_TXN_WRITE));
    enum cairn_status status = cairn_root_put(&audit->ctx, root_statement);
    if (status == CAIRN_OK)
        status = cairn_context_commit(&audit->ctx);
    else
        cairn_context_abort(&audit->ctx);
    audit->ctx.err = &audit->err; /* from here on they are findings */
    return status;
}

static void audit_end(struct cairn_auditor *audit)
{
    cairn_buffer_release(&audit->rests);
    if (audit->ctx.store != NULL)
        cairn_context_release(&audit->ctx);
    if (audit->store != NULL)
        audit->store->ops->close(audit->store);
}

static enum cairn_status files_take(struct cairn_auditor *audit,
                                    const struct cairn_audit_given *given)
{
    for (size_t i = 0; i < given->file_count; i++)
        CAIRN_TRY(file_take(audit, given->files[i], given->file_names[i]));
    return CAIRN_OK;
}

enum cairn_status cairn_audit_files(const struct cairn_audit_given *given,
                                    const struct cairn_audit_visitor *visitor,
                                    struct cairn_audit_report *out_report,
                                    struct cairn_bytes *out_checkpoints, struct cairn_err *err)
{
    struct cairn_auditor *audit = calloc(1, sizeof *audit);
    struct cairn_buffer notes;

    if (audit == NULL)
        return cairn_explain(err, CAIRN_NO_MEMORY);
    if (err != NULL) {
        err->text[0] = '\0';
        audit->err.translate = err->translate;
    }
    audit->visitor = visitor;
    audit->outer = err;
    for (size_t i = 0; i < given->file_count; i++)
        audit->entries_total += given->files[i].size / 16;
    cairn_buffer_init(&notes, CAIRN_VALUE_MAX);
    cairn_buffer_init(&audit->rests, SIZE_MAX / 2);
    enum cairn_status status = audit_begin(audit, given->root_statement);
    if (status == CAIRN_OK)
        status = cairn_audit_earlier_check(audit, &given->earlier);
    if (status == CAIRN_OK)
        status = files_take(audit, given);
    if (status == CAIRN_OK)
        status = cairn_audit_earlier_report(audit, &given->earlier);
    if (status == CAIRN_OK)
        status = cairn_audit_report_gather(audit, &notes);
    audit_end(audit);
    if (status == CAIRN_OK) {
        *out_report = audit->report;
        if (out_checkpoints != NULL) {
            *out_checkpoints = cairn_buffer_bytes(&notes);
            notes.data = NULL;
        }
    }
    cairn_buffer_release(&notes);
    free(audit);
    return cairn_explain(err, status);
}

/* The state of a store, as it keeps it. */
static enum cairn_status own_digest(struct cairn_context *ctx, char out_digest[static 65])
{
    crypto_hash_sha256_state state;
    struct cairn_scope_log scope_log;
    struct cairn_hash digest;
    enum cairn_status status;

    crypto_hash_sha256_init(&state);
    for (status = cairn_scope_log_next(ctx, &scope_log, true); status == CAIRN_OK;
         status = cairn_scope_log_next(ctx, &scope_log, false)) {
        CAIRN_TRY(cairn_digest_anew(ctx, scope_log.scope, scope_log.channel, &digest));
        crypto_hash_sha256_update(&state, digest.bytes, sizeof digest.bytes);
    }
    crypto_hash_sha256_final(&state, digest.bytes);
    sodium_bin2hex(out_digest, 65, digest.bytes, sizeof digest.bytes);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

/* This store's logs, and its own state beside them. */
struct own {
    struct cairn_replica *replica;
    struct cairn_buffer bundle;
    bool has_begun;
    enum cairn_status digest_status;
    char digest[65];
};

/* Whoever writes into this store meanwhile, a server for one, must not come between the two: so the
 * digest is worked out in the unit of work that reads the bundle, when that begins. */
static bool own_keep(void *context, struct cairn_bytes bytes)
{
    struct own *own = context;

    if (!own->has_begun)
        own->digest_status = own_digest(&own->replica->ctx, own->digest);
    own->has_begun = true;
    cairn_buffer_add(&own->bundle, bytes.data, bytes.size);
    return !own->bundle.failed;
}

static enum cairn_status own_read(struct own *own, struct cairn_err *err)
{
    struct cairn_bundle_report written;
    enum cairn_status status = cairn_bundle_write_here(own->replica, own_keep, own, &written, err);

    if (own->bundle.failed) { /* it was memory, and no file, that failed */
        if (err != NULL)
            err->text[0] = '\0';
        return cairn_explain(err, cairn_buffer_status(&own->bundle));
    }
    return status == CAIRN_OK ? cairn_explain(err, own->digest_status) : status;
}

enum cairn_status cairn_audit_replica(struct cairn_replica *replica,
                                      const struct cairn_audit_earlier *earlier,
                                      const struct cairn_audit_visitor *visitor,
                                      struct cairn_audit_report *out_report,
                                      struct cairn_bytes *out_checkpoints, struct cairn_err *err)
{
    static const char *const name = "this store";
    struct own own = {.replica = replica};
    uint8_t root_bytes[CAIRN_STATEMENT_MAX];
    struct cairn_writer root;

    cairn_writer_init(&root, root_bytes, sizeof root_bytes);
    CAIRN_TRY(cairn_root_export(replica, &root, err));
    cairn_buffer_init(&own.bundle, SIZE_MAX / 2);
    enum cairn_status status = own_read(&own, err);
    if (status == CAIRN_OK) {
        struct cairn_bytes file = cairn_buffer_bytes(&own.bundle);
        const struct cairn_audit_given given = {
            .root_statement = cairn_writer_bytes(&root),
            .files = &file,
            .file_names = &name,
            .file_count = 1,
            .earlier = earlier == NULL ? (struct cairn_audit_earlier){.count = 0} : *earlier};
        status = cairn_audit_files(&given, visitor, out_report, out_checkpoints, err);
    }
    cairn_buffer_release(&own.bundle);
    /* The state kept here must be the one that the auditor's rebuilt from the logs. */
    if (status == CAIRN_OK && strcmp(own.digest, out_report->digest) != 0) {
        struct cairn_err text = {.translate = err == NULL ? NULL : err->translate};
        cairn_fail(&text, CAIRN_CORRUPT,
                   "The state in this store is not the one that its logs give: it was altered or "
                   "damaged.");
        out_report->finding_count++;
        if (visitor->finding != NULL)
            visitor->finding(visitor->context, out_report->finding_count, text.text, NULL);
    }
    return status;
}
