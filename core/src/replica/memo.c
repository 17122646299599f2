/* What programs remember in a store for themselves, atomically with what they write. */

#include <string.h>

#include "replica_internal.h"

/* A varint of at most ten bytes stands before the value. */
#define GENERATION_BYTES_MAX 10

static struct cairn_key memo_key(const char *name)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_MEMO);

    cairn_key_text(&key, name);
    return key;
}

static bool is_name(const char *name)
{
    return name[0] != '\0' && strlen(name) <= CAIRN_MEMO_NAME_MAX;
}

enum cairn_status cairn_memo_keep(struct cairn_replica *replica, const struct cairn_memo *memo)
{
    uint8_t bytes[GENERATION_BYTES_MAX + CAIRN_MEMO_MAX];
    struct cairn_writer writer;

    if (!is_name(memo->name) || memo->value.size > CAIRN_MEMO_MAX)
        return cairn_fail(replica->ctx.err, CAIRN_BAD_INPUT,
                          "The memo %s is too long, or has no name. Nothing was written.",
                          memo->name);
    struct cairn_key key = memo_key(memo->name);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_varint(&writer, replica->generation);
    cairn_write_bytes(&writer, memo->value.data, memo->value.size);
    return cairn_kv_put(&replica->ctx, &key, cairn_writer_bytes(&writer));
}

static enum cairn_status memo_apply(struct cairn_replica *replica, void *context)
{
    const struct cairn_memo *memo = context;

    return cairn_memo_keep(replica, memo);
}

enum cairn_status cairn_memo_put(struct cairn_replica *replica, const struct cairn_memo *memo,
                                 struct cairn_err *err)
{
    struct cairn_memo copy = *memo;

    cairn_replica_fresh(replica, err);
    return cairn_replica_write(replica, memo_apply, &copy, err);
}

static enum cairn_status memo_read(struct cairn_replica *replica, const char *name,
                                   struct cairn_writer *out)
{
    struct cairn_key key = memo_key(name);
    struct cairn_bytes value;
    struct cairn_reader reader;

    CAIRN_TRY(cairn_kv_get(&replica->ctx, &key, &value));
    cairn_reader_init(&reader, value);
    uint64_t generation = cairn_read_varint(&reader);
    if (reader.failed)
        return CAIRN_CORRUPT;
    if (generation != replica->generation)
        return CAIRN_NOT_FOUND;
    struct cairn_bytes rest = cairn_read_bytes(&reader, cairn_reader_left(&reader));
    cairn_write_bytes(out, rest.data, rest.size);
    return out->overflowed ? CAIRN_LIMIT : CAIRN_OK;
}

enum cairn_status cairn_memo_get(struct cairn_replica *replica, const char *name,
                                 struct cairn_writer *out, struct cairn_err *err)
{
    cairn_replica_fresh(replica, err);
    if (!is_name(name))
        return cairn_fail(err, CAIRN_BAD_INPUT, "The name of a memo is too long, or empty.");
    CAIRN_TRY(cairn_replica_read(replica, err));
    return cairn_replica_done(replica, memo_read(replica, name, out), err);
}
