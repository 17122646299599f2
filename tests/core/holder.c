#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "digest.h"
#include "force.h"
#include "holder.h"
#include "index.h"
#include "outgoing.h"
#include "replica_internal.h"

#define must(holder, call)                                                                  \
    do {                                                                                    \
        enum cairn_status must_ = (call);                                                   \
        if (must_ != CAIRN_OK)                                                              \
            fail_msg("%s: %s \"%s\"", #call, cairn_status_name(must_), (holder)->err.text); \
    } while (0)

void holder_open(struct holder *holder, struct cairn_bytes root_statement)
{
    memset(holder, 0, sizeof *holder);
    cairn_verifier_init(&holder->verifier);
    must(holder, cairn_store_memory_new(&holder->store));
    must(holder, cairn_context_init(&holder->ctx, holder->store, &holder->verifier));
    holder->ctx.err = &holder->err;
    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_WRITE));
    must(holder, cairn_root_put(&holder->ctx, root_statement));
    must(holder, cairn_context_commit(&holder->ctx));
}

void holder_close(struct holder *holder)
{
    cairn_context_release(&holder->ctx);
    holder->store->ops->close(holder->store);
}

enum cairn_status holder_try(struct holder *holder, const struct piece *piece, bool is_sequenced,
                             enum cairn_outcome *out_outcome)
{
    const struct cairn_apply_input input = {.scope = piece->scope,
                                            .channel = piece->channel,
                                            .run = &piece->run,
                                            .covered_to = is_sequenced ? UINT32_MAX : 0};
    uint32_t no;

    cairn_context_fresh(&holder->ctx);
    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_WRITE));
    enum cairn_status status = cairn_apply_run(&holder->ctx, &input, out_outcome, &no);
    if (status == CAIRN_OK)
        status = cairn_parked_retry(&holder->ctx);
    if (status == CAIRN_OK)
        return cairn_context_commit(&holder->ctx);
    cairn_context_abort(&holder->ctx);
    return status;
}

enum cairn_outcome holder_take(struct holder *holder, const struct piece *piece)
{
    enum cairn_outcome outcome = CAIRN_OUTCOME_KNOWN;

    must(holder, holder_try(holder, piece, false, &outcome));
    return outcome;
}

enum cairn_outcome holder_take_sequenced(struct holder *holder, const struct piece *piece)
{
    enum cairn_outcome outcome = CAIRN_OUTCOME_KNOWN;

    must(holder, holder_try(holder, piece, true, &outcome));
    return outcome;
}

void holder_cover(struct holder *holder, const struct cairn_hash *log)
{
    struct cairn_log found;

    cairn_context_fresh(&holder->ctx);
    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_WRITE));
    must(holder, cairn_log_find(&holder->ctx, log, &found));
    found.covered = cairn_log_size(&found);
    must(holder, cairn_log_save(&holder->ctx, &found));
    must(holder, cairn_force_move(&holder->ctx));
    must(holder, cairn_context_commit(&holder->ctx));
}

void holder_rebuild(struct holder *holder)
{
    cairn_context_fresh(&holder->ctx);
    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_WRITE));
    must(holder, cairn_force_move(&holder->ctx));
    must(holder, cairn_context_commit(&holder->ctx));
}

void holder_take_all(struct holder *holder, const struct pieces *pieces)
{
    for (size_t i = 0; i < pieces->count; i++)
        holder_take(holder, &pieces->list[i]);
}

void holder_open_either_way(struct holder *holder, const struct land *land)
{
    struct holder backward;

    holder_open(holder, land->statement);
    holder_open(&backward, land->statement);
    holder_take_all(holder, &land->pieces);
    for (size_t i = land->pieces.count; i-- > 0;)
        holder_take(&backward, &land->pieces.list[i]);
    char *got = holder_describe(&backward);
    char *want = holder_describe(holder);
    expect_same_text(got, want, "backwards gives another state");
    free(got);
    free(want);
    holder_close(&backward);
}

/* ---- looking ---- */

struct cairn_hash holder_digest(struct holder *holder, uint64_t scope, enum cairn_channel channel)
{
    struct cairn_hash digest;
    bool is_comparable;

    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_READ));
    must(holder,
         cairn_digest(&holder->ctx, (struct cairn_scope){scope}, channel, &digest, &is_comparable));
    cairn_context_abort(&holder->ctx);
    return digest;
}

struct cairn_log holder_log(struct holder *holder, const struct cairn_hash *log)
{
    struct cairn_log found;

    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_READ));
    if (cairn_log_find(&holder->ctx, log, &found) != CAIRN_OK)
        memset(&found, 0, sizeof found);
    cairn_context_abort(&holder->ctx);
    return found;
}

struct cairn_verdict holder_verdict(struct holder *holder, const struct cairn_hash *log,
                                    uint32_t index)
{
    struct cairn_log found = holder_log(holder, log);
    struct cairn_verdict verdict;

    assert_true(cairn_log_size(&found) > index);
    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_READ));
    must(holder, cairn_verdict_get(&holder->ctx, found.no, index, &verdict));
    cairn_context_abort(&holder->ctx);
    return verdict;
}

void holder_expect(struct holder *holder, const struct pen *pen, uint32_t index,
                   enum cairn_validity validity, enum cairn_reason reason, const char *what)
{
    struct cairn_verdict verdict = holder_verdict(holder, &pen->id, index);

    if (verdict.validity != validity || verdict.reason != reason)
        fail_msg("%s, at %u: %d for %d, not %d for %d", what, index, (int)verdict.validity,
                 (int)verdict.reason, (int)validity, (int)reason);
}

size_t holder_live(struct holder *holder, const struct cairn_hash *log, uint32_t index,
                   uint64_t field)
{
    struct cairn_log found = holder_log(holder, log);
    struct cairn_record_state state;
    size_t count = 0;

    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_READ));
    if (found.no != 0 && cairn_record_load(&holder->ctx, &found, index, &state) == CAIRN_OK)
        for (size_t i = 0; i < state.live_count; i++)
            count += state.live[i].field == field;
    cairn_context_abort(&holder->ctx);
    return count;
}

bool holder_has_conflict(struct holder *holder, const struct cairn_hash *log, uint32_t index)
{
    struct cairn_log found = holder_log(holder, log);
    struct cairn_record_state state;

    must(holder, cairn_context_begin(&holder->ctx, CAIRN_TXN_READ));
    must(holder, cairn_record_load(&holder->ctx, &found, index, &state));
    bool has_conflict = cairn_record_has_conflict(&state);
    cairn_context_abort(&holder->ctx);
    return has_conflict;
}

/* ---- in words ---- */

#define LINES_MAX 8192
#define LINE_BYTES 200

struct lines {
    size_t count;
    char (*text)[LINE_BYTES];
};

static char *line_new(struct lines *lines)
{
    assert_true(lines->count < LINES_MAX);
    return lines->text[lines->count++];
}

static void hex(const struct cairn_hash *hash, char out[static 17])
{
    sodium_bin2hex(out, 17, hash->bytes, 8);
}

static enum cairn_status log_lines(struct cairn_context *ctx, const struct cairn_log *log,
                                   struct lines *lines)
{
    uint32_t end = cairn_log_size(log) < log->force_end ? cairn_log_size(log) : log->force_end;
    char id[17];

    hex(&log->id, id);
    if (end == 0)
        return CAIRN_OK; /* as if it had never come */
    snprintf(line_new(lines), LINE_BYTES, "log %s in force to %u", id, end);
    for (uint32_t i = 0; i < end; i++) {
        struct cairn_verdict verdict;
        CAIRN_TRY(cairn_verdict_get(ctx, log->no, i, &verdict));
        if (verdict.validity != CAIRN_VALID)
            snprintf(line_new(lines), LINE_BYTES, "verdict %s %u: %d, %d", id, i,
                     (int)verdict.validity, (int)verdict.reason);
    }
    return CAIRN_OK;
}

/* The bytes of a value in full, or their hash where they are long. */
static void value_line(struct lines *lines, const char *id, uint32_t index,
                       const struct cairn_live *live, const char *writer)
{
    struct cairn_hash hash;
    char text[65];

    if (live->cbor.size <= 32) {
        sodium_bin2hex(text, sizeof text, live->cbor.data, live->cbor.size);
    } else {
        crypto_hash_sha256(hash.bytes, live->cbor.data, live->cbor.size);
        sodium_bin2hex(text, sizeof text, hash.bytes, sizeof hash.bytes);
    }
    snprintf(line_new(lines), LINE_BYTES, "value %s %u field %llu by %s %u: %s", id, index,
             (unsigned long long)live->field, writer, live->dot.index, text);
}

static enum cairn_status state_lines(void *context, struct cairn_context *ctx,
                                     const struct cairn_log *log,
                                     const struct cairn_record_state *state)
{
    char id[17], writer[17];

    hex(&log->id, id);
    if (cairn_record_has_conflict(state))
        snprintf(line_new(context), LINE_BYTES, "conflict %s %u", id, state->id.index);
    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        struct cairn_log other;
        CAIRN_TRY(cairn_log_load(ctx, live->dot.log, &other));
        hex(&other.id, writer);
        snprintf(line_new(context), LINE_BYTES, "live %s %u field %llu by %s %u at %llu", id,
                 state->id.index, (unsigned long long)live->field, writer, live->dot.index,
                 (unsigned long long)live->time_s);
        value_line(context, id, state->id.index, live, writer);
    }
    return CAIRN_OK;
}

static enum cairn_status digest_line(struct cairn_context *ctx, uint64_t scope,
                                     enum cairn_channel channel, struct lines *lines)
{
    struct cairn_hash digest;
    bool is_comparable;
    char text[17];

    CAIRN_TRY(cairn_digest(ctx, (struct cairn_scope){scope}, channel, &digest, &is_comparable));
    hex(&digest, text);
    snprintf(line_new(lines), LINE_BYTES, "digest %llu %d: %s%s", (unsigned long long)scope,
             (int)channel, text, is_comparable ? "" : ", not comparable");
    return CAIRN_OK;
}

static enum cairn_status describe(struct cairn_context *ctx, struct lines *lines)
{
    static const uint64_t scopes[] = {ROOT_SCOPE, COUNTY, VILLAGE, OTHER_VILLAGE};
    struct cairn_log log;
    enum cairn_status status;
    bool is_first = true;

    while ((status = cairn_log_next(ctx, &log, is_first)) == CAIRN_OK) {
        is_first = false;
        CAIRN_TRY(log_lines(ctx, &log, lines));
    }
    if (status != CAIRN_NOT_FOUND)
        return status;
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        CAIRN_TRY(digest_line(ctx, scopes[i], CAIRN_CHANNEL_AUTHORITY, lines));
        CAIRN_TRY(digest_line(ctx, scopes[i], CAIRN_CHANNEL_RECORDS, lines));
    }
    return cairn_states_visit(ctx, state_lines, lines);
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* ---- indexes ---- */

static void table_dump(struct cairn_context *ctx, enum cairn_table table, struct cairn_buffer *out)
{
    struct cairn_key prefix = cairn_key(table);
    struct cairn_walk walk;

    assert_int_equal(
        cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk),
        CAIRN_OK);
    while (cairn_walk_next(&walk) == CAIRN_OK) {
        cairn_buffer_add(out, walk.key.data, walk.key.size);
        cairn_buffer_add(out, walk.value.data, walk.value.size);
        cairn_buffer_add(out, "\n", 1);
    }
    cairn_walk_close(&walk);
}

static void indexes_dump(struct cairn_context *ctx, struct cairn_buffer *out)
{
    cairn_buffer_init(out, 1u << 26);
    table_dump(ctx, CAIRN_TABLE_INDEX, out);
    table_dump(ctx, CAIRN_TABLE_FLAG, out);
    assert_false(out->failed);
}

void context_indexes_lose(struct cairn_context *ctx)
{
    struct cairn_key key = cairn_key_meta("index");

    assert_int_equal(cairn_context_begin(ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_kv_del(ctx, &key), CAIRN_OK);
    assert_int_equal(cairn_context_commit(ctx), CAIRN_OK);
    ctx->indexing.is_known = false;
}

size_t context_index_check(struct cairn_context *ctx)
{
    static const uint8_t entropy[32] = {1};
    struct cairn_key key = cairn_key_meta("index");
    struct cairn_buffer kept, built;
    bool is_done = false;

    assert_int_equal(cairn_context_begin(ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    indexes_dump(ctx, &kept);
    assert_int_equal(cairn_kv_del(ctx, &key), CAIRN_OK);
    while (!is_done)
        assert_int_equal(cairn_index_build(ctx, entropy, &is_done), CAIRN_OK);
    indexes_dump(ctx, &built);
    cairn_context_abort(ctx);
    assert_int_equal(kept.size, built.size);
    if (kept.size > 0)
        assert_memory_equal(kept.data, built.data, kept.size);
    size_t size = kept.size;
    cairn_buffer_release(&kept);
    cairn_buffer_release(&built);
    return size;
}

char *context_describe(struct cairn_context *ctx)
{
    struct lines lines = {.text = calloc(LINES_MAX, LINE_BYTES)};
    char *text = malloc(LINES_MAX * LINE_BYTES);
    size_t size = 0;

    assert_non_null(lines.text);
    assert_non_null(text);
    context_index_check(ctx);
    assert_int_equal(cairn_context_begin(ctx, CAIRN_TXN_READ), CAIRN_OK);
    assert_int_equal(describe(ctx, &lines), CAIRN_OK);
    cairn_context_abort(ctx);
    qsort(lines.text, lines.count, LINE_BYTES, line_compare);
    text[0] = '\0';
    for (size_t i = 0; i < lines.count; i++)
        size += (size_t)sprintf(text + size, "%s\n", lines.text[i]);
    free(lines.text);
    return text;
}

char *holder_describe(struct holder *holder)
{
    return context_describe(&holder->ctx);
}

/* Lines of `text` that `other` does not have. */
static void lines_print(const char *text, const char *other, const char *mark)
{
    char line[LINE_BYTES];

    for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
        snprintf(line, sizeof line, "%.*s\n", (int)strcspn(text, "\n"), text);
        if (strstr(other, line) == NULL)
            print_error("%s %s", mark, line);
    }
}

void expect_same_text(const char *got, const char *want, const char *what)
{
    if (strcmp(got, want) == 0)
        return;
    lines_print(got, want, "got ");
    lines_print(want, got, "want");
    fail_msg("%s", what);
}
