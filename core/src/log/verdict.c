#include "verdict.h"

static const char *const reason_texts[] = {
#define ROW(number, name, text) [number] = text,
    CAIRN_REASON_MAP(ROW)
#undef ROW
};

const char *cairn_reason_text(enum cairn_reason reason)
{
    return reason < CAIRN_REASON_COUNT ? reason_texts[reason] : reason_texts[CAIRN_WHY_NEWER];
}

enum cairn_status cairn_verdict_get(struct cairn_context *ctx, uint32_t log, uint32_t index,
                                    struct cairn_verdict *out_verdict)
{
    struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_VERDICT, log, index);
    struct cairn_verdict verdict = {.validity = CAIRN_VALID};
    struct cairn_bytes value;
    struct cairn_reader reader;

    enum cairn_status status = cairn_kv_get(ctx, &key, &value);
    if (status == CAIRN_OK) {
        cairn_reader_init(&reader, value);
        verdict.validity = (enum cairn_validity)cairn_read_u8(&reader);
        verdict.reason = (enum cairn_reason)cairn_read_u8(&reader);
        verdict.waits_for_log = cairn_read_u32be(&reader);
        verdict.waits_for_size = cairn_read_u32be(&reader);
        if (cairn_reader_end(&reader) != CAIRN_OK)
            return CAIRN_CORRUPT;
    } else if (status != CAIRN_NOT_FOUND) {
        return status;
    }
    *out_verdict = verdict;
    return CAIRN_OK;
}

static struct cairn_key waiting_key(const struct cairn_verdict *verdict, uint32_t log,
                                    uint32_t index)
{
    struct cairn_key key =
        cairn_key_log_index(CAIRN_TABLE_WAITING, verdict->waits_for_log, verdict->waits_for_size);

    cairn_key_u32(&key, log);
    cairn_key_u32(&key, index);
    return key;
}

/* How many entries wait in all: most stores have none, and many questions end here. */
static enum cairn_status waiting_count(struct cairn_context *ctx, bool waited, bool waits)
{
    uint64_t count;

    if (waited == waits)
        return CAIRN_OK;
    CAIRN_TRY(cairn_meta_number(ctx, "waiting", &count));
    return cairn_meta_number_put(ctx, "waiting", waits ? count + 1 : count - 1);
}

enum cairn_status cairn_verdict_put(struct cairn_context *ctx, uint32_t log, uint32_t index,
                                    const struct cairn_verdict *verdict)
{
    struct cairn_key key = cairn_key_log_index(CAIRN_TABLE_VERDICT, log, index);
    struct cairn_verdict before;
    struct cairn_writer writer;
    uint8_t bytes[10];

    CAIRN_TRY(cairn_verdict_get(ctx, log, index, &before));
    CAIRN_TRY(
        waiting_count(ctx, before.validity == CAIRN_WAITING, verdict->validity == CAIRN_WAITING));
    if (before.validity == CAIRN_WAITING && before.waits_for_log != 0) {
        struct cairn_key waiting = waiting_key(&before, log, index);
        CAIRN_TRY(cairn_kv_del(ctx, &waiting));
    }
    if (verdict->validity == CAIRN_VALID)
        return cairn_kv_del(ctx, &key);
    if (verdict->validity == CAIRN_WAITING && verdict->waits_for_log != 0) {
        struct cairn_key waiting = waiting_key(verdict, log, index);
        CAIRN_TRY(cairn_kv_put(ctx, &waiting, (struct cairn_bytes){NULL, 0}));
    }
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_write_u8(&writer, (uint8_t)verdict->validity);
    cairn_write_u8(&writer, (uint8_t)verdict->reason);
    cairn_write_u32be(&writer, verdict->waits_for_log);
    cairn_write_u32be(&writer, verdict->waits_for_size);
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}
