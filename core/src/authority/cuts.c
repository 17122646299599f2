#include "cuts.h"

#include "authority.h"
#include "parked.h"

static struct cairn_key cut_key(const struct cairn_hash *log_id, const struct cairn_hash *by_log,
                                uint32_t by_index)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_CUT);

    cairn_key_hash(&key, log_id);
    cairn_key_hash(&key, by_log);
    cairn_key_u32(&key, by_index);
    return key;
}

enum cairn_status cairn_cut_put(struct cairn_context *ctx, const struct cairn_ref *by,
                                const struct cairn_ref *grant, const struct cairn_head *cut)
{
    struct cairn_key key = cut_key(&cut->log, &by->log, by->index);
    struct cairn_writer writer;
    uint8_t bytes[128];

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u32be(&writer, cut->size);
    cairn_write_bytes(&writer, cut->root.bytes, 32);
    cairn_ref_write(&writer, grant);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

enum cairn_status cairn_cut_drop(struct cairn_context *ctx, const struct cairn_ref *by,
                                 const struct cairn_hash *log_id)
{
    struct cairn_key key = cut_key(log_id, &by->log, by->index);

    return cairn_kv_del(ctx, &key);
}

/*
 * The size that one cut leaves of `log`. Where our branch is not the one it names, what the two
 * have in common, as far as evidence of the other branch is here; without it, nothing. A log under
 * another grant than the cut is of is none of its author's business.
 */
static enum cairn_status cut_size(struct cairn_context *ctx, const struct cairn_log *log,
                                  struct cairn_bytes value, uint32_t *out_size)
{
    struct cairn_reader reader;
    struct cairn_hash here;

    cairn_reader_init(&reader, value);
    uint32_t size = cairn_read_u32be(&reader);
    struct cairn_hash root = cairn_read_hash(&reader);
    struct cairn_ref grant = cairn_ref_read(&reader);
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    if (log->under.is_root || !cairn_ref_equal(&grant, &log->under.grant)) {
        *out_size = CAIRN_NO_END;
        return CAIRN_OK;
    }
    if (size > 0 && size <= cairn_log_size(log)) {
        CAIRN_TRY(cairn_log_root_at(ctx, log, size, &here));
        if (!cairn_hash_equal(&here, &root)) {
            uint32_t common;
            CAIRN_TRY(cairn_fork_least(ctx, log, 0, &common));
            size = common < size ? common : 0;
        }
    }
    *out_size = size;
    return CAIRN_OK;
}

/* The least of all cuts that name the log. */
static enum cairn_status cuts_least(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t *out_least)
{
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_CUT);
    struct cairn_walk walk;
    enum cairn_status status;
    uint32_t least = CAIRN_NO_END;

    cairn_key_hash(&prefix, &log->id);
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        uint32_t size = CAIRN_NO_END;
        struct cairn_hash by_log = cairn_read_hash(&walk.key);
        uint32_t by_index = cairn_read_u32be(&walk.key);
        bool counts;
        status = cairn_author_counts(ctx, &by_log, by_index, &counts);
        if (status == CAIRN_OK && counts)
            status = cut_size(ctx, log, walk.value, &size);
        if (status != CAIRN_OK)
            break;
        least = size < least ? size : least;
    }
    cairn_walk_close(&walk);
    if (status != CAIRN_NOT_FOUND)
        return status;
    *out_least = least;
    return CAIRN_OK;
}

struct unlisted {
    const struct cairn_log *log;
    bool is_cut;
};

static enum cairn_status revocation_lists(void *context, struct cairn_context *ctx,
                                          const struct cairn_hash *by_log, uint32_t by_index)
{
    struct unlisted *unlisted = context;
    struct cairn_key cut = cut_key(&unlisted->log->id, by_log, by_index);
    bool is_listed;

    CAIRN_TRY(cairn_kv_has(ctx, &cut, &is_listed));
    unlisted->is_cut = unlisted->is_cut || !is_listed;
    return CAIRN_OK;
}

enum cairn_status cairn_cuts_end(struct cairn_context *ctx, const struct cairn_log *log,
                                 uint32_t *out_end)
{
    struct unlisted unlisted = {.log = log};
    uint64_t any;

    *out_end = CAIRN_NO_END;
    CAIRN_TRY(cairn_meta_number(ctx, "cuts", &any));
    if (any == 0)
        return CAIRN_OK;
    CAIRN_TRY(cuts_least(ctx, log, out_end));
    /* A revocation of the log's grant that does not list the log cuts it at 0. */
    if (!log->under.is_root)
        CAIRN_TRY(cairn_revocations_visit(ctx, &log->under.grant, revocation_lists, &unlisted));
    *out_end = unlisted.is_cut ? 0 : *out_end;
    return CAIRN_OK;
}
