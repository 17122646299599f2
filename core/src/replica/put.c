/* Creating and changing records: the writing half of cairn/replica.h's records. */

#include <stdlib.h>
#include <string.h>

#include "edit.h"
#include "put_internal.h"
#include "upsert.h"

/* One put, checked, with what it means in this store. */
struct prepared {
    const struct cairn_type *type;
    struct cairn_scope scope;
    bool creates;
    struct cairn_log creator; /* of the record, unless it creates */
    struct cairn_record_state state;
    struct cairn_edits edits;
};

enum cairn_status cairn_writer_check(struct cairn_replica *replica,
                                     struct cairn_standing *out_standing)
{
    struct cairn_context *ctx = &replica->ctx;
    bool in_force;

    if (!replica->is_joined)
        return cairn_fail(
            ctx->err, CAIRN_NO_RIGHT,
            "This device may not write yet: it has no grant. Send its request to the office "
            "above, then: cairn join FILE");
    CAIRN_TRY(cairn_standing_get(ctx, &replica->under, out_standing));
    if ((out_standing->channels & CAIRN_BIT_RECORDS) == 0)
        return cairn_fail(
            ctx->err, CAIRN_NO_RIGHT,
            "%s may not write records: its grant does not cover them. Nothing was written.",
            out_standing->tag);
    CAIRN_TRY(cairn_standing_in_force(ctx, &replica->under, &in_force));
    if (!in_force)
        return cairn_fail(
            ctx->err, CAIRN_NO_RIGHT,
            "The grant of %s was taken back. Nothing was written; what it wrote before stays.",
            out_standing->tag);
    if (!replica->has_keys)
        return cairn_fail(ctx->err, CAIRN_NO_KEY,
                          "The key of this device is locked: give its passphrase.");
    return CAIRN_OK;
}

static enum cairn_status scope_prepare(struct cairn_context *ctx,
                                       const struct cairn_standing *standing, const char *text,
                                       struct cairn_scope *out_scope)
{
    char own[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(standing->scope, own);
    if (text == NULL)
        text = own;
    size_t digits = strspn(text, "0123456789");
    if (text[digits] != '\0')
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "village code %s: only digits can stand in it.", text);
    if (digits != CAIRN_VILLAGE_DIGITS && text == own)
        return cairn_fail(
            ctx->err, CAIRN_BAD_INPUT,
            "village= is missing: %s holds more than one village, so the code says which.",
            standing->tag);
    if (digits != CAIRN_VILLAGE_DIGITS)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "village code %s has %zu digits, %d are needed.", text, digits,
                          CAIRN_VILLAGE_DIGITS);
    if (!cairn_scope_parse(text, out_scope))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "village code %s is not an administrative code.", text);
    if (!cairn_scope_contains(standing->scope, *out_scope))
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "village %s is not inside %s, which the grant of %s covers.", text, own,
                          standing->tag);
    return CAIRN_OK;
}

static enum cairn_status record_prepare(struct cairn_context *ctx, const struct cairn_put *put,
                                        const struct cairn_standing *standing,
                                        struct prepared *prepared)
{
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    prepared->creates = put->id == NULL;
    if (prepared->creates) {
        CAIRN_TRY(scope_prepare(ctx, standing, put->scope, &prepared->scope));
        enum cairn_status status = CAIRN_NOT_FOUND;
        if (put->upserts)
            status = cairn_upsert_find(ctx, prepared->type, prepared->scope, put,
                                       &prepared->creator, &prepared->state);
        prepared->creates = status == CAIRN_NOT_FOUND;
        return prepared->creates ? CAIRN_OK : status;
    }
    CAIRN_TRY(cairn_label_find(ctx, put->id, &prepared->creator, &prepared->state));
    prepared->scope = prepared->creator.scope;
    cairn_scope_text(prepared->scope, scope);
    if (put->scope != NULL && strcmp(put->scope, scope) != 0)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT,
                          "%s lies in village %s and cannot be moved to %s. Nothing was written.",
                          put->id, scope, put->scope);
    if (!cairn_scope_contains(standing->scope, prepared->scope))
        return cairn_fail(ctx->err, CAIRN_NO_RIGHT,
                          "%s lies in village %s, which the grant of %s does not cover.", put->id,
                          scope, standing->tag);
    if (prepared->state.type != prepared->type->number)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s is not a %s. Nothing was written.",
                          put->id, put->type);
    if (cairn_record_is_deleted(&prepared->state))
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s was deleted. Nothing was written.",
                          put->id);
    return CAIRN_OK;
}

static bool is_blank(const struct cairn_edit *edit)
{
    return edit->number == CAIRN_ITEM_SET && edit->text[strspn(edit->text, " \t\r\n")] == '\0';
}

static enum cairn_status required_check(struct cairn_context *ctx, const struct cairn_put *put,
                                        const struct prepared *prepared)
{
    for (size_t f = 0; f < prepared->type->field_count; f++) {
        const struct cairn_field *field = &prepared->type->fields[f];
        bool is_there = !prepared->creates;
        if (!field->is_required || field->is_retired)
            continue;
        for (size_t i = 0; i < prepared->edits.count; i++)
            if (prepared->edits.items[i].field == field)
                is_there = !is_blank(&prepared->edits.items[i]);
        if (!is_there)
            return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "%s is missing: a %s needs it.",
                              field->name, put->type);
    }
    return CAIRN_OK;
}

/* All but whether what is required is there: rows of one record may bring it together. */
static enum cairn_status row_prepare(struct cairn_replica *replica, const struct cairn_put *put,
                                     const struct cairn_standing *standing,
                                     struct prepared *prepared)
{
    struct cairn_context *ctx = &replica->ctx;
    const struct cairn_schema *schema;

    CAIRN_TRY(cairn_type_now(ctx, put->type, &schema, &prepared->type));
    CAIRN_TRY(record_prepare(ctx, put, standing, prepared));
    CAIRN_TRY(cairn_edits_read(replica, put, prepared->type,
                               prepared->creates ? NULL : &prepared->state, &prepared->edits));
    if (put->reason != NULL && strlen(put->reason) > CAIRN_REASON_MAX)
        return cairn_fail(ctx->err, CAIRN_BAD_INPUT, "The reason has more than %d bytes.",
                          CAIRN_REASON_MAX);
    return CAIRN_OK;
}

static enum cairn_status put_prepare(struct cairn_replica *replica, const struct cairn_put *put,
                                     const struct cairn_standing *standing,
                                     struct prepared *prepared)
{
    CAIRN_TRY(row_prepare(replica, put, standing, prepared));
    return required_check(&replica->ctx, put, prepared);
}

/* ---- writing ------------------------------------------------------------------------------- */

struct put_work {
    const struct cairn_put *puts;
    size_t count;
    const struct cairn_put *merged; /* the puts to do; type NULL: done by an earlier one */
    size_t *first;                  /* which */
    struct cairn_put_result *results;
    size_t failed;
    struct cairn_author author;
    size_t composer_count;
    struct cairn_composer **composers; /* one a log */
};

static void composers_release(struct put_work *work)
{
    for (size_t i = 0; i < work->composer_count; i++) {
        cairn_composer_release(work->composers[i]);
        free(work->composers[i]);
    }
    free(work->composers);
    work->composers = NULL;
    work->composer_count = 0;
}

/* Entries for the own log of `scope`, being gathered. */
static enum cairn_status composer_for(struct cairn_replica *replica, struct put_work *work,
                                      struct cairn_scope scope,
                                      struct cairn_composer **out_composer)
{
    struct cairn_log log;

    for (size_t i = 0; i < work->composer_count; i++)
        if (work->composers[i]->log.scope.code == scope.code) {
            *out_composer = work->composers[i];
            return CAIRN_OK;
        }
    CAIRN_TRY(cairn_own_log(&replica->ctx, &work->author, scope, CAIRN_CHANNEL_RECORDS, &log));
    struct cairn_composer **grown =
        realloc(work->composers, (work->composer_count + 1) * sizeof(struct cairn_composer *));
    if (grown == NULL)
        return CAIRN_NO_MEMORY;
    work->composers = grown;
    struct cairn_composer *composer = malloc(sizeof *composer);
    if (composer == NULL)
        return CAIRN_NO_MEMORY;
    cairn_composer_init(composer, &replica->ctx, &log, work->author.now_s);
    work->composers[work->composer_count++] = composer;
    *out_composer = composer;
    return CAIRN_OK;
}

enum cairn_status cairn_field_live(struct cairn_context *ctx,
                                   const struct cairn_record_state *state, uint64_t field,
                                   uint32_t own_log, const struct cairn_live **out_shown,
                                   struct cairn_dot *out_named, size_t *out_named_count,
                                   size_t *out_count)
{
    *out_shown = NULL;
    *out_named_count = 0;
    *out_count = 0;
    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        bool wins = true;
        if (live->field != field)
            continue;
        if (*out_shown != NULL)
            CAIRN_TRY(cairn_live_wins(ctx, live, *out_shown, &wins));
        if (wins)
            *out_shown = live;
        if (live->dot.log != own_log)
            out_named[(*out_named_count)++] = live->dot;
        (*out_count)++;
    }
    return CAIRN_OK;
}

bool cairn_value_equal(const struct cairn_value *a, const struct cairn_value *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case CAIRN_VALUE_INTEGER:
        return a->integer == b->integer;
    case CAIRN_VALUE_TEXT:
        return cairn_bytes_equal(a->text, b->text);
    case CAIRN_VALUE_DOT:
        return a->dot.log_number == b->dot.log_number && a->dot.index == b->dot.index;
    case CAIRN_VALUE_CLOSED:
    case CAIRN_VALUE_POSITION:
        break;
    }
    return false;
}

static enum cairn_status change_compose(struct cairn_replica *replica, struct put_work *work,
                                        const struct cairn_put *put, struct prepared *prepared,
                                        struct cairn_put_result *result)
{
    struct cairn_composer *composer;

    CAIRN_TRY(composer_for(replica, work, prepared->scope, &composer));
    CAIRN_TRY(cairn_label_format(&replica->ctx, &prepared->creator, &prepared->state, result->id));
    return cairn_edits_compose(replica, composer, &prepared->state, &prepared->edits, put->reason,
                               &result->changes, &result->change_count);
}

/* The create holds the registers; elements and counts follow in entries of their own. */
static enum cairn_status create_compose(struct cairn_replica *replica, struct put_work *work,
                                        const struct cairn_put *put, struct prepared *prepared,
                                        struct cairn_put_result *result)
{
    struct cairn_record_state state = {.type = prepared->type->number};
    struct cairn_composer *composer;
    const struct cairn_change *changes;
    size_t change_count;
    uint64_t counter;

    CAIRN_TRY(composer_for(replica, work, prepared->scope, &composer));
    CAIRN_TRY(cairn_meta_next(&replica->ctx, "counter", &counter));
    cairn_compose_begin(composer);
    CAIRN_TRY(
        cairn_edits_create(composer, prepared->type->number, (uint32_t)counter, &prepared->edits));
    if (put->reason != NULL)
        cairn_compose_reason(composer, put->reason);
    state.id.log = composer->log.no;
    state.counter = (uint32_t)counter;
    CAIRN_TRY(cairn_compose_end(composer, &state.id.index));
    CAIRN_TRY(cairn_edits_compose(replica, composer, &state, &prepared->edits, put->reason,
                                  &changes, &change_count));
    result->changes = NULL;
    result->change_count = 0;
    return cairn_label_format(&replica->ctx, &composer->log, &state, result->id);
}

static enum cairn_status put_compose(struct cairn_replica *replica, struct put_work *work, size_t i,
                                     const struct cairn_standing *standing)
{
    const struct cairn_put *put = &work->merged[i];
    struct cairn_put_result *result = &work->results[i];
    struct prepared prepared = {.type = NULL};

    CAIRN_TRY(put_prepare(replica, put, standing, &prepared));
    result->is_created = prepared.creates;
    return prepared.creates ? create_compose(replica, work, put, &prepared, result)
                            : change_compose(replica, work, put, &prepared, result);
}

/* A row that is part of an earlier one. */
static void result_repeat(struct put_work *work, size_t i)
{
    work->results[i] = work->results[work->first[i]];
    work->results[i].is_created = false;
    work->results[i].changes = NULL;
    work->results[i].change_count = 0;
}

static enum cairn_status put_apply(struct cairn_replica *replica, void *context)
{
    struct put_work *work = context;
    struct cairn_standing standing;
    bool writes = false;

    composers_release(work);
    work->author = cairn_replica_author(replica);
    work->failed = 0;
    CAIRN_TRY(cairn_writer_check(replica, &standing));
    CAIRN_TRY(cairn_upserts_merge(&replica->ctx, standing.scope, work->puts, work->count,
                                  &work->merged, &work->first));
    for (size_t i = 0; i < work->count; i++) {
        work->failed = i;
        if (work->first[i] == i)
            CAIRN_TRY(put_compose(replica, work, i, &standing));
        else
            result_repeat(work, i);
        if (work->puts[i].memo != NULL)
            CAIRN_TRY(cairn_memo_keep(replica, work->puts[i].memo));
        writes = writes || work->puts[i].memo != NULL;
    }
    for (size_t i = 0; i < work->composer_count; i++) {
        struct cairn_composer *composer = work->composers[i];
        if (composer->entry_count == 0)
            continue;
        writes = true;
        struct cairn_log log;
        CAIRN_TRY(cairn_log_load(&replica->ctx, composer->log.no, &log));
        CAIRN_TRY(cairn_apply_own(&replica->ctx, &work->author, &log,
                                  cairn_buffer_bytes(&composer->entries), composer->entry_count));
    }
    replica->ctx.is_void = !writes; /* no log is begun for what says nothing new */
    return CAIRN_OK;
}

enum cairn_status cairn_put_many(struct cairn_replica *replica, const struct cairn_put *puts,
                                 size_t count, struct cairn_put_result *out_results,
                                 size_t *out_failed, struct cairn_err *err)
{
    struct put_work work = {.puts = puts, .count = count, .results = out_results};

    cairn_replica_fresh(replica, err);
    enum cairn_status status = cairn_replica_write(replica, put_apply, &work, err);
    composers_release(&work);
    if (status != CAIRN_OK && out_failed != NULL)
        *out_failed = work.failed;
    return status;
}

/* ---- checking ------------------------------------------------------------------------------ */

struct put_checking {
    struct cairn_replica *replica;
    const struct cairn_put *puts;
    size_t count;
    struct cairn_standing standing;
    cairn_bad_put_fn *visit;
    void *context;
    struct cairn_err one; /* what is wrong with a row */
    bool *is_shared;      /* of each row: it is one record with another */
    /* Such rows that are good by themselves, and which they are. */
    struct cairn_put *shared;
    size_t *shared_rows, shared_count;
};

/* Tell of row `i` what a person must mend; any other failure ends the check. */
static enum cairn_status bad_tell(struct put_checking *c, size_t i, enum cairn_status bad)
{
    if (bad == CAIRN_OK || cairn_status_actor(bad) != CAIRN_ACTOR_USER)
        return bad;
    c->visit(c->context, i, bad, c->one.text);
    return CAIRN_OK;
}

/* Which rows are one record with another? */
static enum cairn_status shared_find(struct put_checking *c)
{
    struct cairn_arena *arena = &c->replica->ctx.arena;
    const struct cairn_put *merged;
    size_t *first;

    c->is_shared = cairn_arena_get(arena, (c->count + 1) * sizeof *c->is_shared);
    c->shared = cairn_arena_get(arena, (c->count + 1) * sizeof *c->shared);
    c->shared_rows = cairn_arena_get(arena, (c->count + 1) * sizeof *c->shared_rows);
    if (c->is_shared == NULL || c->shared == NULL || c->shared_rows == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_upserts_merge(&c->replica->ctx, c->standing.scope, c->puts, c->count, &merged,
                                  &first));
    for (size_t i = 0; i < c->count; i++) {
        c->is_shared[i] = first[i] != i;
        c->is_shared[first[i]] = c->is_shared[first[i]] || c->is_shared[i];
    }
    return CAIRN_OK;
}

/* Each row by itself: thus what is wrong is told of the row that it stands in. */
static enum cairn_status rows_check(struct put_checking *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct prepared prepared = {.type = NULL};
        c->one.text[0] = '\0';
        enum cairn_status bad = c->is_shared[i]
                                    ? row_prepare(c->replica, &c->puts[i], &c->standing, &prepared)
                                    : put_prepare(c->replica, &c->puts[i], &c->standing, &prepared);
        CAIRN_TRY(bad_tell(c, i, bad));
        if (bad != CAIRN_OK || !c->is_shared[i])
            continue;
        c->shared[c->shared_count] = c->puts[i];
        c->shared_rows[c->shared_count++] = i;
    }
    return CAIRN_OK;
}

/* The rows of one record together, without the bad ones: what is missing is missing in each. */
static enum cairn_status shared_check(struct put_checking *c)
{
    const struct cairn_put *merged;
    size_t *first;

    CAIRN_TRY(cairn_upserts_merge(&c->replica->ctx, c->standing.scope, c->shared, c->shared_count,
                                  &merged, &first));
    for (size_t i = 0; i < c->shared_count; i++) {
        struct prepared prepared = {.type = NULL};
        if (first[i] != i)
            continue;
        c->one.text[0] = '\0';
        enum cairn_status bad = put_prepare(c->replica, &merged[i], &c->standing, &prepared);
        for (size_t k = i; bad != CAIRN_OK && k < c->shared_count; k++)
            if (first[k] == i)
                CAIRN_TRY(bad_tell(c, c->shared_rows[k], bad));
    }
    return CAIRN_OK;
}

enum cairn_status cairn_put_check(struct cairn_replica *replica, const struct cairn_put *puts,
                                  size_t count, cairn_bad_put_fn *visit, void *context,
                                  struct cairn_err *err)
{
    struct put_checking checking = {.replica = replica,
                                    .puts = puts,
                                    .count = count,
                                    .visit = visit,
                                    .context = context,
                                    .one.translate = err == NULL ? NULL : err->translate};

    cairn_replica_fresh(replica, err);
    CAIRN_TRY(cairn_replica_read(replica, err));
    enum cairn_status status = cairn_writer_check(replica, &checking.standing);
    if (status == CAIRN_OK)
        status = shared_find(&checking);
    replica->ctx.err = &checking.one;
    if (status == CAIRN_OK)
        status = rows_check(&checking);
    if (status == CAIRN_OK)
        status = shared_check(&checking);
    replica->ctx.err = err;
    return cairn_replica_done(replica, status, err);
}
