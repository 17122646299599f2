#include "outgoing.h"

#include <string.h>

void cairn_outgoing_init(struct cairn_outgoing *out, size_t bytes_max)
{
    memset(out, 0, offsetof(struct cairn_outgoing, links));
    out->bytes_max = bytes_max;
    cairn_buffer_init(&out->groups, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_buffer_init(&out->pending_runs, CAIRN_MESSAGE_UNPACKED_MAX);
    cairn_link_set_init(&out->links);
}

void cairn_outgoing_release(struct cairn_outgoing *out)
{
    cairn_buffer_release(&out->groups);
    cairn_buffer_release(&out->pending_runs);
    cairn_link_set_release(&out->links);
}

void cairn_outgoing_reset(struct cairn_outgoing *out)
{
    cairn_buffer_reset(&out->groups);
    out->group_count = 0;
    cairn_buffer_reset(&out->pending_runs); /* of a message that failed half way */
    out->pending_count = 0;
    cairn_buffer_reset(&out->links.bytes);
    out->links.count = 0;
    out->links.ref_count = 0;
}

static size_t bytes_left(const struct cairn_outgoing *out, size_t more)
{
    size_t used = out->groups.size + out->pending_runs.size + out->links.bytes.size + more;

    return used < out->bytes_max ? out->bytes_max - used : 0;
}

/* As much of what is left as one run, or one group, may be. */
static size_t bytes_at_once(const struct cairn_outgoing *out)
{
    size_t left = bytes_left(out, 0);

    return left < CAIRN_OUTGOING_BYTES ? left : CAIRN_OUTGOING_BYTES;
}

bool cairn_outgoing_is_full(const struct cairn_outgoing *out)
{
    return bytes_left(out, 0) == 0;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* The run's entries with every slot closed, and the blind seed for the secret. */
static enum cairn_status run_close(struct cairn_context *ctx, const struct cairn_log *log,
                                   struct cairn_run *run)
{
    struct cairn_blinder blinder;
    struct cairn_reader reader;
    struct cairn_writer writer;
    enum cairn_status status = CAIRN_OK;
    size_t capacity = run->entries.size + (size_t)run->entry_count * 64 * 33;
    uint8_t *bytes;

    capacity = capacity > CAIRN_VALUE_MAX ? CAIRN_VALUE_MAX : capacity;
    bytes = cairn_arena_get(&ctx->arena, capacity);
    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    cairn_log_blinder(log, &blinder);
    cairn_reader_init(&reader, run->entries);
    cairn_writer_init(&writer, bytes, capacity);
    for (uint32_t i = 0; i < run->entry_count && status == CAIRN_OK; i++) {
        struct cairn_entry entry;
        status = cairn_entry_read(cairn_cbor_skip(&reader), &entry);
        if (status == CAIRN_OK)
            status = cairn_entry_close(&blinder, run->first + i, &entry, &writer, NULL);
    }
    if (run->secret_kind == CAIRN_RUN_SECRET) {
        run->secret_kind = CAIRN_RUN_BLIND_SEED;
        run->secret = blinder.blind_seed;
    }
    cairn_blinder_release(&blinder);
    if (status != CAIRN_OK)
        return CAIRN_CORRUPT;
    if (writer.overflowed)
        return CAIRN_LIMIT;
    run->entries = cairn_writer_bytes(&writer);
    return CAIRN_OK;
}

/* The last schema up to `version` that is known here by its evidence alone; 1: none is, for
 * invitations brought everybody the first. */
static enum cairn_status schema_beyond_log(struct cairn_context *ctx, uint64_t version,
                                           uint64_t *out_last)
{
    *out_last = 1;
    for (uint64_t v = 2; v <= version; v++) {
        struct cairn_ref schema;
        struct cairn_log log;
        enum cairn_status status = cairn_schema_ref(ctx, v, &schema);
        if (status == CAIRN_NOT_FOUND)
            break; /* a branch kept as evidence may name any */
        CAIRN_TRY(status);
        status = cairn_log_find(ctx, &schema.log, &log);
        if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
            return status;
        if (status == CAIRN_NOT_FOUND || !log.is_known || schema.index >= cairn_log_size(&log))
            *out_last = v;
    }
    return CAIRN_OK;
}

/* Whoever lacks a schema gets it with the root's log, by its head; one that is not in that log goes
 * as a link, behind those before it, which it rests on. */
static enum cairn_status schema_links(struct cairn_context *ctx, struct cairn_outgoing *out,
                                      uint64_t version)
{
    uint64_t last;

    CAIRN_TRY(schema_beyond_log(ctx, version, &last));
    for (uint64_t v = 2; v <= last; v++) {
        struct cairn_ref schema;
        CAIRN_TRY(cairn_schema_ref(ctx, v, &schema));
        CAIRN_TRY(cairn_link_set_entry(ctx, &out->links, &schema));
    }
    return CAIRN_OK;
}

/* The evidence that the bases in a run name. */
static enum cairn_status run_links(struct cairn_context *ctx, struct cairn_outgoing *out,
                                   const struct cairn_run *run)
{
    struct cairn_reader reader;

    cairn_reader_init(&reader, run->entries);
    for (uint32_t i = 0; i < run->entry_count; i++) {
        struct cairn_entry entry;
        struct cairn_basis basis;
        struct cairn_bytes bytes = cairn_cbor_skip(&reader);
        /* [kind ...: only a basis has kind 0, which is the byte behind the array's head. */
        if (bytes.size < 2 || bytes.data[1] != CAIRN_KIND_BASIS)
            continue;
        if (cairn_entry_read(bytes, &entry) != CAIRN_OK || !cairn_basis_read(&entry, &basis))
            continue;
        CAIRN_TRY(cairn_link_set_chain(ctx, &out->links, &basis.under));
        CAIRN_TRY(schema_links(ctx, out, basis.schema_version));
    }
    return CAIRN_OK;
}

static uint64_t run_count_entries(const struct cairn_run *run)
{
    /* A log's first entry is its basis; later ones are rare and counted as entries. */
    return run->entry_count - (run->first == 0 ? 1 : 0);
}

/* One run of `log` from `from`, at most to `end`, appended to `runs`. LIMIT: it does not fit beside
 * what is there already. */
static enum cairn_status run_add(struct cairn_context *ctx, struct cairn_outgoing *out,
                                 const struct cairn_log *log, const struct cairn_log_name *name,
                                 uint32_t from, uint32_t end, size_t bytes_max,
                                 struct cairn_buffer *runs, uint32_t *out_next)
{
    struct cairn_run run;

    CAIRN_TRY(cairn_log_run(ctx, log, from, end, bytes_max, &run));
    if (run.entries.size > bytes_max && out->groups.size + out->pending_runs.size > 0)
        return CAIRN_LIMIT;
    if (name != NULL)
        run.log = *name;
    if (out->is_closed)
        CAIRN_TRY(run_close(ctx, log, &run));
    CAIRN_TRY(run_links(ctx, out, &run));
    struct cairn_writer room = cairn_buffer_room(runs, run.entries.size + 512);
    cairn_run_write(&room, &run);
    cairn_buffer_take(runs, &room);
    out->entry_count += run_count_entries(&run);
    if (log->own_generation != 0)
        out->own_count += run_count_entries(&run);
    *out_next = from + run.entry_count;
    return cairn_buffer_status(runs);
}

static enum cairn_status group_add(struct cairn_outgoing *out, const struct cairn_group *group,
                                   const struct cairn_group_parts *parts)
{
    struct cairn_writer room = cairn_buffer_room(
        &out->groups, parts->leaves.size + parts->runs.size + 512 + group->held_count * 40);

    cairn_group_write(&room, group, parts);
    cairn_buffer_take(&out->groups, &room);
    out->group_count++;
    return cairn_buffer_status(&out->groups);
}

enum cairn_status cairn_outgoing_flush(struct cairn_outgoing *out)
{
    struct cairn_group group = {.scope = out->pending_scope, .channel = out->pending_channel};
    struct cairn_group_parts parts = {.runs = cairn_buffer_bytes(&out->pending_runs),
                                      .run_count = out->pending_count};

    if (out->pending_count == 0)
        return CAIRN_OK;
    enum cairn_status status = group_add(out, &group, &parts);
    cairn_buffer_reset(&out->pending_runs);
    out->pending_count = 0;
    return status;
}

enum cairn_status cairn_outgoing_log(struct cairn_context *ctx, struct cairn_outgoing *out,
                                     const struct cairn_log *log, uint32_t from, uint32_t *out_next)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_log_name name = {.is_numbered = true};
    struct cairn_scope_log scope_log;
    uint32_t next = from;

    /* A log that the scope log knows is named by its number there. */
    CAIRN_TRY(cairn_scope_log_load(ctx, log->scope, log->channel, &scope_log));
    enum cairn_status status = cairn_scope_ordinal(ctx, &scope_log, log->no, &name.log_number);
    bool is_numbered = status == CAIRN_OK && !out->is_explicit;
    if (status != CAIRN_NOT_FOUND)
        CAIRN_TRY(status);
    status = CAIRN_OK;
    if (out->pending_scope.code != log->scope.code || out->pending_channel != log->channel)
        CAIRN_TRY(cairn_outgoing_flush(out));
    out->pending_scope = log->scope;
    out->pending_channel = log->channel;
    while (next < cairn_log_size(log) && status == CAIRN_OK && !cairn_outgoing_is_full(out)) {
        status = run_add(ctx, out, log, is_numbered ? &name : NULL, next, cairn_log_size(log),
                         bytes_at_once(out), &out->pending_runs, &next);
        out->pending_count += status == CAIRN_OK;
        cairn_arena_rewind(&ctx->arena, mark);
        if (out->pending_runs.size >= CAIRN_OUTGOING_BYTES)
            CAIRN_TRY(cairn_outgoing_flush(out));
    }
    *out_next = next;
    return status == CAIRN_GAP || status == CAIRN_LIMIT ? CAIRN_OK : status;
}

enum cairn_status cairn_outgoing_branch(struct cairn_context *ctx, struct cairn_outgoing *out,
                                        const struct cairn_log *log, const struct cairn_run *run)
{
    struct cairn_log branch = *log;
    struct cairn_run closed = *run;

    if (run->first == 0) { /* it has a secret of its own */
        branch.secret_kind = run->secret_kind;
        branch.secret = run->secret;
    }
    CAIRN_TRY(cairn_outgoing_flush(out));
    if (out->is_closed)
        CAIRN_TRY(run_close(ctx, &branch, &closed));
    CAIRN_TRY(run_links(ctx, out, &closed));
    struct cairn_writer room = cairn_buffer_room(&out->pending_runs, closed.entries.size + 512);
    cairn_run_write(&room, &closed);
    cairn_buffer_take(&out->pending_runs, &room);
    out->pending_scope = log->scope;
    out->pending_channel = log->channel;
    out->pending_count = 1;
    CAIRN_TRY(cairn_buffer_status(&out->pending_runs));
    return cairn_outgoing_flush(out);
}

/* ---- covered leaves ------------------------------------------------------------------------ */

/* What one log contributes to a group: its covered entries [from, to), named once. */
struct contribution {
    uint32_t no;
    uint32_t from, to;
    uint32_t ordinal;
};

struct covering {
    struct cairn_context *ctx;
    struct cairn_outgoing *out;
    const struct cairn_scope_log *scope_log;
    uint64_t from, to; /* leaves */
    size_t bytes_max;  /* given up with LIMIT as soon as it comes to more */
    uint32_t known;    /* ordinals below this were named before leaf `from` */
    struct contribution *logs;
    size_t log_count;
    struct cairn_buffer leaves, runs;
    size_t run_count;
};

/* How many logs the leaves before `from` name: the ordinal of the first log behind them. */
static enum cairn_status ordinals_before(struct covering *c)
{
    /* Ordinals are given in order of first leaves, so the first new one behind `from` tells. */
    c->known = c->scope_log->log_count;
    for (uint64_t i = c->from; i < c->scope_log->tree.size; i++) {
        struct cairn_covered_leaf leaf;
        uint32_t ordinal;
        CAIRN_TRY(cairn_scope_leaf_get(c->ctx, c->scope_log, i, &leaf));
        if (leaf.from != 0)
            continue;
        CAIRN_TRY(cairn_scope_ordinal(c->ctx, c->scope_log, leaf.log, &ordinal));
        c->known = ordinal < c->known ? ordinal : c->known;
        break;
    }
    return CAIRN_OK;
}

static enum cairn_status leaf_write(struct covering *c, const struct cairn_covered_leaf *covered)
{
    struct cairn_scope_leaf leaf = {.log.is_numbered = true, .size = covered->size};
    struct cairn_log log;
    size_t at = 0;

    CAIRN_TRY(cairn_scope_ordinal(c->ctx, c->scope_log, covered->log, &leaf.log.log_number));
    while (at < c->log_count && c->logs[at].no != covered->log)
        at++;
    if (at == c->log_count) {
        c->logs[c->log_count++] =
            (struct contribution){covered->log, covered->from, covered->size, leaf.log.log_number};
        if (leaf.log.log_number >= c->known) {
            CAIRN_TRY(cairn_log_load(c->ctx, covered->log, &log));
            leaf.log =
                (struct cairn_log_name){.device = log.device, .incarnation = log.incarnation};
        }
    }
    c->logs[at].to = covered->size;
    struct cairn_writer room = cairn_buffer_room(&c->leaves, 96);
    cairn_scope_leaf_write(&room, &leaf);
    cairn_buffer_take(&c->leaves, &room);
    return cairn_buffer_status(&c->leaves);
}

static enum cairn_status contribution_write(struct covering *c, const struct contribution *part)
{
    struct cairn_log_name name = {.is_numbered = true, .log_number = part->ordinal};
    struct cairn_log log;

    CAIRN_TRY(cairn_log_load(c->ctx, part->no, &log));
    if (c->out->has_skip &&
        memcmp(log.device.bytes, c->out->skip.bytes, sizeof log.device.bytes) == 0)
        return CAIRN_OK;
    for (uint32_t at = part->from; at < part->to; c->run_count++) {
        CAIRN_TRY(
            run_add(c->ctx, c->out, &log, &name, at, part->to, CAIRN_RUN_BYTES_MAX, &c->runs, &at));
        if (c->leaves.size + c->runs.size > c->bytes_max)
            return CAIRN_LIMIT;
    }
    return CAIRN_OK;
}

static enum cairn_status covered_gather(struct covering *c)
{
    c->logs = cairn_arena_get(&c->ctx->arena, (size_t)(c->to - c->from) * sizeof *c->logs + 1);
    if (c->logs == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(ordinals_before(c));
    for (uint64_t i = c->from; i < c->to; i++) {
        struct cairn_covered_leaf leaf;
        CAIRN_TRY(cairn_scope_leaf_get(c->ctx, c->scope_log, i, &leaf));
        CAIRN_TRY(leaf_write(c, &leaf));
        if (c->leaves.size > c->bytes_max)
            return CAIRN_LIMIT;
    }
    for (size_t i = 0; i < c->log_count; i++)
        CAIRN_TRY(contribution_write(c, &c->logs[i]));
    return c->leaves.size + c->runs.size > c->bytes_max ? CAIRN_LIMIT : CAIRN_OK;
}

/* A receiver derives `held` from what it holds after this message: what we hold now. */
static enum cairn_status held_has_moved(struct covering *c,
                                        const struct cairn_checkpoint *checkpoint, bool *out_moved)
{
    struct cairn_checkpoint *now = cairn_arena_get(&c->ctx->arena, sizeof *now);

    if (now == NULL)
        return CAIRN_NO_MEMORY;
    CAIRN_TRY(cairn_checkpoint_held(c->ctx, checkpoint->scope, now));
    *out_moved = !cairn_held_equal(now, checkpoint);
    return CAIRN_OK;
}

static enum cairn_status covered_write(struct covering *c,
                                       const struct cairn_checkpoint *checkpoint,
                                       const struct cairn_signature *signature)
{
    bool moved;

    CAIRN_TRY(held_has_moved(c, checkpoint, &moved));
    struct cairn_group group = {.scope = checkpoint->scope,
                                .channel = checkpoint->channel,
                                .epoch = checkpoint->epoch,
                                .first_leaf = c->from,
                                .time_s = checkpoint->time_s,
                                .has_checkpoint = true,
                                .signature = *signature,
                                .is_explicit = c->out->is_explicit || moved,
                                .root = checkpoint->root,
                                .digest = checkpoint->digest};
    struct cairn_group_parts parts = {.leaf_count = (size_t)(c->to - c->from),
                                      .run_count = c->run_count};

    if (group.is_explicit) {
        group.held_count = checkpoint->held_count;
        memcpy(group.held, checkpoint->held, sizeof group.held);
    }
    parts.leaves = cairn_buffer_bytes(&c->leaves);
    parts.runs = cairn_buffer_bytes(&c->runs);
    c->out->checkpoint_count++;
    return group_add(c->out, &group, &parts);
}

enum cairn_status cairn_outgoing_size(struct cairn_outgoing *out,
                                      const struct cairn_scope_log *scope_log)
{
    struct cairn_group group = {.scope = scope_log->scope,
                                .channel = scope_log->channel,
                                .epoch = scope_log->epoch,
                                .first_leaf = scope_log->tree.size};

    return group_add(out, &group, &(struct cairn_group_parts){.leaf_count = 0});
}

/* The newest checkpoint whose leaves may fit; at least the first behind `from`. Sizes are known
 * only when gathered, so the span is halved until it fits. */
enum cairn_status cairn_outgoing_covered(struct cairn_context *ctx, struct cairn_outgoing *out,
                                         const struct cairn_scope_log *scope_log, uint64_t from,
                                         uint64_t *out_next)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_checkpoint checkpoint;
    struct cairn_signature signature;
    uint64_t size_max = scope_log->tree.size;

    *out_next = from;
    for (;;) {
        enum cairn_status status = cairn_checkpoint_get(ctx, scope_log->scope, scope_log->channel,
                                                        from, size_max, &checkpoint, &signature);
        bool is_least = status == CAIRN_NOT_FOUND;
        if (is_least)
            status = cairn_checkpoint_after(ctx, scope_log->scope, scope_log->channel, from,
                                            &checkpoint, &signature);
        if (status != CAIRN_OK)
            return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
        struct covering c = {
            .ctx = ctx, .out = out, .scope_log = scope_log, .from = from, .to = checkpoint.size};
        uint64_t entries = out->entry_count, own = out->own_count;
        c.bytes_max = is_least && out->group_count == 0 ? SIZE_MAX : bytes_at_once(out);
        cairn_buffer_init(&c.leaves, CAIRN_MESSAGE_UNPACKED_MAX);
        cairn_buffer_init(&c.runs, CAIRN_VALUE_MAX);
        status = covered_gather(&c);
        bool fits = status == CAIRN_OK;
        if (fits) {
            status = covered_write(&c, &checkpoint, &signature);
            *out_next = checkpoint.size;
        } else if (status == CAIRN_LIMIT && c.bytes_max != SIZE_MAX) {
            out->entry_count = entries;
            out->own_count = own;
            status = CAIRN_OK;
        }
        cairn_buffer_release(&c.leaves);
        cairn_buffer_release(&c.runs);
        cairn_arena_rewind(&ctx->arena, mark);
        if (status != CAIRN_OK || fits || is_least)
            return status;
        size_max = from + (checkpoint.size - from) / 2;
    }
}

enum cairn_status cairn_log_next(struct cairn_context *ctx, struct cairn_log *log, bool is_first)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_SCOPE_LOGS);
    struct cairn_key from = {.size = 0};
    struct cairn_walk walk;
    uint32_t no = 0;

    if (!is_first) {
        cairn_key_scope(&from, log->scope);
        cairn_key_u8(&from, (uint8_t)log->channel);
        cairn_key_u32(&from, log->no);
        cairn_key_u8(&from, 0);
    }
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, cairn_key_bytes(&from), CAIRN_ASCENDING, &walk));
    enum cairn_status status = cairn_walk_next(&walk);
    if (status == CAIRN_OK) {
        cairn_read_bytes(&walk.key, 9);
        no = cairn_read_u32be(&walk.key);
    }
    cairn_walk_close(&walk);
    CAIRN_TRY(status);
    return cairn_log_load(ctx, no, log);
}
