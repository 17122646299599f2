#include "seen.h"

#include <stdlib.h>
#include <string.h>

#include "authority.h"

#define SLOTS                                                                           \
    2048 /* more than a prefecture has logs of records: 160 KiB, once something is read \
          */
#define TAGS 64

struct cairn_seen {
    struct slot {
        uint64_t snapshot;
        uint64_t alone_type;       /* 0: not known of any */
        struct cairn_seen_log log; /* no 0: empty */
    } slots[SLOTS];                /* a log's is no mod SLOTS */
    struct cairn_seen_log written; /* the log asked for last in a writing transaction */
    struct seen_tag {
        struct cairn_ref grant;
        char tag[8]; /* "": empty */
    } tags[TAGS];    /* of grants met. A ref names bytes that cannot change: never stale */
};

/* "?" for a grant that is not here yet. */
static enum cairn_status tag_look_up(struct cairn_context *ctx, const struct cairn_under *under,
                                     char out_tag[static 8], bool *out_is_held)
{
    struct cairn_arena_mark mark = cairn_arena_mark(&ctx->arena);
    struct cairn_standing standing;
    enum cairn_status status = cairn_standing_get(ctx, under, &standing);

    cairn_arena_rewind(&ctx->arena, mark);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    memset(out_tag, 0, 8);
    out_tag[0] = '?';
    *out_is_held = status == CAIRN_OK;
    if (status == CAIRN_OK)
        memcpy(out_tag, standing.tag, sizeof standing.tag);
    return CAIRN_OK;
}

/* A device has one grant and many logs. */
static enum cairn_status tag_see(struct cairn_context *ctx, const struct cairn_under *under,
                                 char out_tag[static 8])
{
    struct seen_tag *tag = &ctx->seen->tags[under->grant.leaf.bytes[0] % TAGS];
    bool is_held;

    if (under->is_root)
        return tag_look_up(ctx, under, out_tag, &is_held);
    if (tag->tag[0] == '\0' || !cairn_ref_equal(&tag->grant, &under->grant)) {
        CAIRN_TRY(tag_look_up(ctx, under, out_tag, &is_held));
        if (!is_held)
            return CAIRN_OK;
        memcpy(tag->tag, out_tag, sizeof tag->tag);
        tag->grant = under->grant;
    }
    memcpy(out_tag, tag->tag, sizeof tag->tag);
    return CAIRN_OK;
}

static enum cairn_status log_see(struct cairn_context *ctx, uint32_t no,
                                 struct cairn_seen_log *out_log)
{
    struct cairn_log log;

    CAIRN_TRY(cairn_log_load(ctx, no, &log));
    CAIRN_TRY(tag_see(ctx, &log.under, out_log->tag));
    out_log->covered = log.covered;
    out_log->scope = log.scope;
    out_log->id = log.id;
    out_log->no = no;
    return CAIRN_OK;
}

enum cairn_status cairn_seen_log(struct cairn_context *ctx, uint32_t no,
                                 const struct cairn_seen_log **out_log)
{
    if (ctx->seen == NULL)
        ctx->seen = calloc(1, sizeof *ctx->seen);
    if (ctx->seen == NULL)
        return CAIRN_NO_MEMORY;
    if (ctx->is_writing) { /* what is written changes under us */
        CAIRN_TRY(log_see(ctx, no, &ctx->seen->written));
        *out_log = &ctx->seen->written;
        return CAIRN_OK;
    }
    struct slot *slot = &ctx->seen->slots[no % SLOTS];
    if (slot->log.no != no || slot->snapshot != ctx->snapshot) {
        slot->log.no = 0;
        slot->alone_type = 0;
        CAIRN_TRY(log_see(ctx, no, &slot->log));
        slot->snapshot = ctx->snapshot;
    }
    *out_log = &slot->log;
    return CAIRN_OK;
}

/* NULL: nothing of the log is known in this snapshot. */
static struct slot *slot_of(const struct cairn_context *ctx, uint32_t no)
{
    struct slot *slot = ctx->seen == NULL ? NULL : &ctx->seen->slots[no % SLOTS];

    if (ctx->is_writing || slot == NULL || slot->log.no != no || slot->snapshot != ctx->snapshot)
        return NULL;
    return slot;
}

bool cairn_seen_is_alone(const struct cairn_context *ctx, uint32_t no, uint64_t type)
{
    const struct slot *slot = slot_of(ctx, no);

    return slot != NULL && slot->alone_type == type && type != 0;
}

void cairn_seen_alone(struct cairn_context *ctx, uint32_t no, uint64_t type)
{
    struct slot *slot = slot_of(ctx, no);

    if (slot != NULL)
        slot->alone_type = type;
}
