#include "record.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "held.h"
#include "index.h"

#define ENTRY_ROOM 16 /* versions and tombs that one entry usually adds, and more */

enum live_flag { LIVE_PERSONAL = 1, LIVE_CLOSED = 2, LIVE_SHARED = 4 };

struct cairn_hash cairn_record_id_hash(const struct cairn_log *log, uint32_t index)
{
    uint8_t bytes[48];
    struct cairn_writer writer;
    struct cairn_hash hash;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_cbor_write_array(&writer, 2);
    cairn_cbor_write_hash(&writer, &log->id);
    cairn_cbor_write_uint(&writer, index);
    crypto_hash_sha256(hash.bytes, bytes, writer.size);
    return hash;
}

struct cairn_key cairn_record_key(struct cairn_scope scope, uint8_t bucket, struct cairn_dot id)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_RECORD);

    cairn_key_scope(&key, scope);
    cairn_key_u8(&key, bucket);
    cairn_key_u32(&key, id.log);
    cairn_key_u32(&key, id.index);
    return key;
}

struct cairn_key cairn_counter_key(uint32_t counter, uint8_t bucket, struct cairn_dot id)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_COUNTER);

    cairn_key_u32(&key, counter);
    cairn_key_u8(&key, cairn_bucket_check(bucket));
    cairn_key_u32(&key, id.log);
    cairn_key_u32(&key, id.index);
    return key;
}

struct cairn_key cairn_counter_key_before(uint32_t counter, struct cairn_dot id)
{
    struct cairn_key key = cairn_key(CAIRN_TABLE_COUNTER);

    cairn_key_u32(&key, counter);
    cairn_key_u32(&key, id.log);
    cairn_key_u32(&key, id.index);
    return key;
}

enum cairn_status cairn_counter_put(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t counter, uint32_t index)
{
    struct cairn_hash id = cairn_record_id_hash(log, index);
    struct cairn_key key =
        cairn_counter_key(counter, id.bytes[0], (struct cairn_dot){log->no, index});

    return cairn_kv_put(ctx, &key, (struct cairn_bytes){id.bytes, 1});
}

/* A record is read at every turn: its reader is this one, which the compiler can see through. */
static inline uint64_t varint(struct cairn_reader *reader)
{
    size_t pos = reader->pos;
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 63 && !reader->failed && pos < reader->size; shift += 7) {
        uint8_t byte = reader->data[pos++];
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            reader->pos = pos;
            return value;
        }
    }
    return cairn_read_varint(reader);
}

static inline struct cairn_bytes bytes_take(struct cairn_reader *reader, size_t size)
{
    if (reader->failed || size > reader->size - reader->pos)
        return cairn_read_bytes(reader, size);
    reader->pos += size;
    return (struct cairn_bytes){reader->data + reader->pos - size, size};
}

static inline struct cairn_dot dot_read(struct cairn_reader *reader)
{
    struct cairn_dot dot;

    dot.log = (uint32_t)varint(reader);
    dot.index = (uint32_t)varint(reader);
    return dot;
}

static void dot_write(struct cairn_writer *writer, struct cairn_dot dot)
{
    cairn_write_varint(writer, dot.log);
    cairn_write_varint(writer, dot.index);
}

static inline void live_read(struct cairn_reader *reader, struct cairn_live *live)
{
    live->field = varint(reader);
    live->dot = dot_read(reader);
    live->time_s = varint(reader);
    struct cairn_bytes flags = bytes_take(reader, 1);
    live->is_personal = flags.size == 1 && (flags.data[0] & LIVE_PERSONAL) != 0;
    live->is_closed = flags.size == 1 && (flags.data[0] & LIVE_CLOSED) != 0;
    live->is_shared = flags.size == 1 && (flags.data[0] & LIVE_SHARED) != 0;
    live->cbor = bytes_take(reader, (size_t)varint(reader));
    if (!live->is_personal)
        return;
    struct cairn_bytes commitment = bytes_take(reader, sizeof live->commitment.bytes);
    if (commitment.size == sizeof live->commitment.bytes)
        memcpy(live->commitment.bytes, commitment.data, commitment.size);
}

bool cairn_stored_value_read(struct cairn_bytes cbor, struct cairn_value *out_value)
{
    enum { MAJOR_UNSIGNED = 0, MAJOR_NEGATIVE = 1, MAJOR_TEXT = 3 };
    unsigned major = cbor.size == 0 ? UINT8_MAX : cbor.data[0] >> 5;
    unsigned short_argument = cbor.size == 0 ? 0 : cbor.data[0] & 31;
    size_t more = short_argument < 24 ? 0 : (size_t)1 << (short_argument - 24);
    uint64_t argument = short_argument;
    struct cairn_reader reader;

    /* Anything else, and what no whole value is: the reader of what travels judges it. */
    if ((major > MAJOR_NEGATIVE && major != MAJOR_TEXT) || short_argument > 26 ||
        cbor.size < 1 + more) {
        cairn_reader_init(&reader, cbor);
        return cairn_value_read(&reader, out_value);
    }
    if (more > 0)
        argument = 0;
    for (size_t i = 0; i < more; i++)
        argument = argument << 8 | cbor.data[1 + i];
    *out_value = (struct cairn_value){.kind = CAIRN_VALUE_INTEGER, .cbor = cbor};
    if (major != MAJOR_TEXT) {
        out_value->integer = major == MAJOR_UNSIGNED ? (int64_t)argument : -1 - (int64_t)argument;
        return true;
    }
    out_value->kind = CAIRN_VALUE_TEXT;
    out_value->text = (struct cairn_bytes){cbor.data + 1 + more, (size_t)argument};
    return argument == cbor.size - 1 - more;
}

/* `room`: for how many more versions and tombs there is to be room. */
static enum cairn_status state_decode(struct cairn_context *ctx, struct cairn_bytes value,
                                      struct cairn_dot id, size_t room,
                                      struct cairn_record_state *out_state)
{
    struct cairn_record_state state = {.id = id, .stored = value};
    struct cairn_reader reader;

    cairn_reader_init(&reader, value);
    cairn_read_hash(&reader);
    state.type = cairn_read_varint(&reader);
    state.counter = (uint32_t)cairn_read_varint(&reader);
    state.chain = dot_read(&reader);
    state.live_count = (size_t)cairn_read_varint(&reader);
    state.tomb_count = (size_t)cairn_read_varint(&reader);
    if (reader.failed || state.live_count > CAIRN_LIVE_MAX || state.tomb_count > CAIRN_TOMBS_MAX)
        return CAIRN_CORRUPT;
    state.live_capacity = state.live_count + room;
    state.tomb_capacity = state.tomb_count + room;
    state.live = cairn_arena_get(&ctx->arena, state.live_capacity * sizeof *state.live);
    state.tombs = cairn_arena_get(&ctx->arena, state.tomb_capacity * sizeof *state.tombs);
    if (state.live == NULL || state.tombs == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < state.live_count; i++)
        live_read(&reader, &state.live[i]);
    for (size_t i = 0; i < state.tomb_count; i++) {
        state.tombs[i].field = cairn_read_varint(&reader);
        state.tombs[i].dot = dot_read(&reader);
    }
    if (cairn_reader_end(&reader) != CAIRN_OK)
        return CAIRN_CORRUPT;
    *out_state = state;
    return CAIRN_OK;
}

enum cairn_status cairn_record_decode(struct cairn_context *ctx, struct cairn_bytes value,
                                      struct cairn_dot id, struct cairn_record_state *out_state)
{
    value = cairn_arena_copy(&ctx->arena, value);
    if (value.data == NULL)
        return CAIRN_NO_MEMORY;
    return state_decode(ctx, value, id, ENTRY_ROOM, out_state);
}

enum cairn_status cairn_record_borrow(struct cairn_context *ctx, struct cairn_bytes value,
                                      struct cairn_dot id, struct cairn_record_state *out_state)
{
    return state_decode(ctx, value, id, 0, out_state);
}

enum cairn_status cairn_record_load(struct cairn_context *ctx, const struct cairn_log *log,
                                    uint32_t index, struct cairn_record_state *out_state)
{
    struct cairn_dot dot = {log->no, index};
    const struct cairn_record_state *held = cairn_held_record_state(ctx, dot);
    struct cairn_bytes value;

    if (held != NULL) {
        *out_state = *held;
        return CAIRN_OK;
    }
    struct cairn_hash id = cairn_record_id_hash(log, index);
    struct cairn_key key = cairn_record_key(log->scope, id.bytes[0], dot);
    CAIRN_TRY(cairn_kv_get(ctx, &key, &value));
    CAIRN_TRY(cairn_record_decode(ctx, value, dot, out_state));
    out_state->has_bucket = true;
    out_state->bucket = id.bytes[0];
    return CAIRN_OK;
}

static size_t record_bytes_max(const struct cairn_record_state *state)
{
    size_t size = 96;

    for (size_t i = 0; i < state->live_count; i++)
        size += 80 + state->live[i].cbor.size;
    return size + 24 * state->tomb_count;
}

enum cairn_status cairn_record_save(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_record_state *state)
{
    uint8_t bucket =
        state->has_bucket ? state->bucket : cairn_record_id_hash(log, state->id.index).bytes[0];
    struct cairn_key key = cairn_record_key(log->scope, bucket, state->id);
    size_t capacity = record_bytes_max(state);
    struct cairn_hash hash = {{0}}; /* stays zero for a record without live versions */
    struct cairn_writer writer;
    uint8_t *bytes = cairn_arena_get(&ctx->arena, capacity);

    if (bytes == NULL)
        return CAIRN_NO_MEMORY;
    /* The record's hash stands first, so that a digest need not read the rest. */
    enum cairn_status status = cairn_record_hash(ctx, log, state, &hash);
    if (status != CAIRN_OK && status != CAIRN_NOT_FOUND)
        return status;
    cairn_writer_init(&writer, bytes, capacity);
    cairn_write_bytes(&writer, hash.bytes, sizeof hash.bytes);
    cairn_write_varint(&writer, state->type);
    cairn_write_varint(&writer, state->counter);
    dot_write(&writer, state->chain);
    cairn_write_varint(&writer, state->live_count);
    cairn_write_varint(&writer, state->tomb_count);
    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        cairn_write_varint(&writer, live->field);
        dot_write(&writer, live->dot);
        cairn_write_varint(&writer, live->time_s);
        cairn_write_u8(&writer, (uint8_t)((live->is_personal ? LIVE_PERSONAL : 0) |
                                          (live->is_closed ? LIVE_CLOSED : 0) |
                                          (live->is_shared ? LIVE_SHARED : 0)));
        cairn_write_varint(&writer, live->cbor.size);
        cairn_write_bytes(&writer, live->cbor.data, live->cbor.size);
        if (live->is_personal)
            cairn_write_bytes(&writer, live->commitment.bytes, 32);
    }
    for (size_t i = 0; i < state->tomb_count; i++) {
        cairn_write_varint(&writer, state->tombs[i].field);
        dot_write(&writer, state->tombs[i].dot);
    }
    CAIRN_ASSERT(!writer.overflowed);
    if (writer.size > CAIRN_VALUE_MAX)
        return CAIRN_LIMIT;
    CAIRN_TRY(cairn_index_update(ctx, log, bucket, state));
    return cairn_kv_put(ctx, &key, cairn_writer_bytes(&writer));
}

/* ---- merging ------------------------------------------------------------------------------- */

static bool dot_equal(struct cairn_dot a, struct cairn_dot b)
{
    return a.log == b.log && a.index == b.index;
}

static bool field_matches(uint64_t field, uint64_t pattern)
{
    return pattern == CAIRN_FIELD_ALL || field == pattern;
}

/* The value of a step is an array of three, and no other value is. */
static bool live_is_step(const struct cairn_live *live)
{
    return live->cbor.size > 0 && live->cbor.data[0] == 0x83;
}

/* Where a workflow stands outlives a deletion: nobody restores what others decided. */
static bool live_matches(const struct cairn_live *live, uint64_t pattern)
{
    return field_matches(live->field, pattern) &&
           !(pattern == CAIRN_FIELD_ALL && live_is_step(live));
}

static void live_remove(struct cairn_record_state *state, size_t i)
{
    state->live_count--;
    memmove(&state->live[i], &state->live[i + 1], (state->live_count - i) * sizeof state->live[0]);
}

static enum cairn_status live_add(struct cairn_context *ctx, struct cairn_record_state *state,
                                  const struct cairn_live *live)
{
    size_t at = state->live_count;

    if (state->live_count == CAIRN_LIVE_MAX)
        return CAIRN_LIMIT;
    if (state->live_count == state->live_capacity) {
        size_t capacity = state->live_capacity * 2 + 16;
        struct cairn_live *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (state->live_count > 0)
            memcpy(grown, state->live, state->live_count * sizeof *grown);
        state->live = grown;
        state->live_capacity = capacity;
    }
    while (at > 0 && state->live[at - 1].field > live->field)
        at--;
    memmove(&state->live[at + 1], &state->live[at], (state->live_count - at) * sizeof *live);
    state->live[at] = *live;
    state->live_count++;
    return CAIRN_OK;
}

static enum cairn_status tomb_add(struct cairn_context *ctx, struct cairn_record_state *state,
                                  uint64_t field, struct cairn_dot dot)
{
    for (size_t i = 0; i < state->tomb_count; i++)
        if (state->tombs[i].field == field && dot_equal(state->tombs[i].dot, dot))
            return CAIRN_OK;
    if (state->tomb_count == CAIRN_TOMBS_MAX)
        return CAIRN_LIMIT;
    if (state->tomb_count == state->tomb_capacity) {
        size_t capacity = state->tomb_capacity * 2 + 16;
        struct cairn_tomb *grown = cairn_arena_get(&ctx->arena, capacity * sizeof *grown);
        if (grown == NULL)
            return CAIRN_NO_MEMORY;
        if (state->tomb_count > 0)
            memcpy(grown, state->tombs, state->tomb_count * sizeof *grown);
        state->tombs = grown;
        state->tomb_capacity = capacity;
    }
    state->tombs[state->tomb_count++] = (struct cairn_tomb){field, dot};
    return CAIRN_OK;
}

/* Was this version replaced before it came? */
static bool tomb_holds(const struct cairn_record_state *state, const struct cairn_live *live)
{
    for (size_t i = 0; i < state->tomb_count; i++)
        if (dot_equal(state->tombs[i].dot, live->dot) && live_matches(live, state->tombs[i].field))
            return true;
    return false;
}

enum cairn_status cairn_record_merge(struct cairn_context *ctx, struct cairn_record_state *state,
                                     const struct cairn_write *write, cairn_is_here_fn *is_here)
{
    uint64_t pattern = write->deletes ? CAIRN_FIELD_ALL : write->live.field;

    for (size_t i = state->live_count; write->replaces_own && i-- > 0;) {
        const struct cairn_live *live = &state->live[i];
        if (live->dot.log == write->live.dot.log && live->dot.index < write->live.dot.index &&
            live_matches(live, pattern))
            live_remove(state, i);
    }
    for (size_t n = 0; n < write->named_count; n++) {
        bool is_held;
        for (size_t i = state->live_count; i-- > 0;)
            if (dot_equal(state->live[i].dot, write->named[n]) &&
                live_matches(&state->live[i], pattern))
                live_remove(state, i);
        CAIRN_TRY(is_here(ctx, write->named[n], &is_held));
        if (!is_held)
            CAIRN_TRY(tomb_add(ctx, state, pattern, write->named[n]));
    }
    if (write->only_removes || tomb_holds(state, &write->live))
        return CAIRN_OK;
    return live_add(ctx, state, &write->live);
}

const struct cairn_live *cairn_field_versions(const struct cairn_record_state *state,
                                              uint64_t field, size_t *out_count)
{
    size_t first = 0, count = 0;

    while (first < state->live_count && state->live[first].field < field)
        first++;
    while (first + count < state->live_count && state->live[first + count].field == field)
        count++;
    *out_count = count;
    return count == 0 ? NULL : &state->live[first];
}

int64_t cairn_counts_sum(const struct cairn_live *live, size_t count)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        struct cairn_reader reader;
        struct cairn_value value;
        cairn_reader_init(&reader, live[i].cbor);
        if (!live[i].is_closed && cairn_value_read(&reader, &value) &&
            value.kind == CAIRN_VALUE_INTEGER)
            sum += (uint64_t)value.integer;
    }
    return (int64_t)sum;
}

bool cairn_live_is_deletion(const struct cairn_live *live)
{
    return live->field == CAIRN_FIELD_EXISTENCE && live->cbor.size == 1 && live->cbor.data[0] == 0;
}

bool cairn_record_is_deleted(const struct cairn_record_state *state)
{
    /* Existence is field 0: its versions stand first. Deleted only when nothing else is live. */
    return state->live_count > 0 && cairn_live_is_deletion(&state->live[0]) &&
           !cairn_record_has_conflict(state);
}

bool cairn_record_has_conflict(const struct cairn_record_state *state)
{
    bool has_deletion = false, has_other = false, has_two = false;

    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = &state->live[i];
        bool is_deletion = cairn_live_is_deletion(live);
        has_deletion = has_deletion || is_deletion;
        has_other = has_other || (!is_deletion && !live_is_step(live));
        has_two =
            has_two || (i > 0 && live->field == live[-1].field && !is_deletion && !live->is_shared);
    }
    /* Two steps of a deleted record are nobody's to settle: a deletion leaves them as they are. */
    return has_deletion ? has_other : has_two;
}

enum cairn_status cairn_live_wins(struct cairn_context *ctx, const struct cairn_live *a,
                                  const struct cairn_live *b, bool *out_wins)
{
    struct cairn_log a_log, b_log;

    if (a->time_s != b->time_s || a->dot.log == b->dot.log) {
        *out_wins = a->time_s != b->time_s ? a->time_s > b->time_s : a->dot.index > b->dot.index;
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_log_load(ctx, a->dot.log, &a_log));
    CAIRN_TRY(cairn_log_load(ctx, b->dot.log, &b_log));
    *out_wins = cairn_hash_compare(&a_log.id, &b_log.id) > 0;
    return CAIRN_OK;
}

/* ---- hashing ------------------------------------------------------------------------------- */

/* One log that a live version is of. */
struct writer_log {
    uint32_t no;
    struct cairn_hash id;
};
struct writers {
    size_t count;
    struct writer_log *list; /* in the arena, by id */
};
/* A live version and the number of its writer. */
struct written {
    const struct cairn_live *live;
    size_t writer;
};

static int writer_compare(const void *a, const void *b)
{
    const struct writer_log *x = a, *y = b;

    return cairn_hash_compare(&x->id, &y->id);
}

static size_t writer_number(const struct writers *writers, uint32_t no)
{
    size_t at = 0;

    while (at < writers->count && writers->list[at].no != no)
        at++;
    return at;
}

static enum cairn_status writers_collect(struct cairn_context *ctx, const struct cairn_log *own,
                                         const struct cairn_record_state *state,
                                         struct writers *writers)
{
    writers->count = 0;
    writers->list = cairn_arena_get(&ctx->arena, state->live_count * sizeof *writers->list);
    if (writers->list == NULL)
        return CAIRN_NO_MEMORY;
    for (size_t i = 0; i < state->live_count; i++) {
        struct writer_log writer = {state->live[i].dot.log, own->id};
        if (writer_number(writers, writer.no) < writers->count)
            continue;
        if (writer.no != own->no) {
            struct cairn_log other;
            CAIRN_TRY(cairn_log_load(ctx, writer.no, &other));
            writer.id = other.id;
        }
        writers->list[writers->count++] = writer;
    }
    qsort(writers->list, writers->count, sizeof *writers->list, writer_compare);
    return CAIRN_OK;
}

static int written_compare(const void *a, const void *b)
{
    const struct written *x = a, *y = b;

    if (x->live->field != y->live->field)
        return x->live->field < y->live->field ? -1 : 1;
    if (x->writer != y->writer)
        return x->writer < y->writer ? -1 : 1;
    return x->live->dot.index < y->live->dot.index ? -1 : x->live->dot.index > y->live->dot.index;
}

/* Live versions by (field, writer, index). */
static void live_order(const struct cairn_record_state *state, const struct writers *writers,
                       struct written *order)
{
    for (size_t i = 0; i < state->live_count; i++)
        order[i] =
            (struct written){&state->live[i], writer_number(writers, state->live[i].dot.log)};
    qsort(order, state->live_count, sizeof *order, written_compare);
}

enum cairn_status cairn_record_hash(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_record_state *state,
                                    struct cairn_hash *out_hash)
{
    struct writers writers;
    struct cairn_writer writer;
    size_t capacity;

    if (state->live_count == 0)
        return CAIRN_NOT_FOUND;
    CAIRN_TRY(writers_collect(ctx, log, state, &writers));
    capacity = 128 + record_bytes_max(state) + writers.count * 34;
    struct written *order = cairn_arena_get(&ctx->arena, state->live_count * sizeof *order);
    uint8_t *bytes = cairn_arena_get(&ctx->arena, capacity);
    if (order == NULL || bytes == NULL)
        return CAIRN_NO_MEMORY;
    live_order(state, &writers, order);

    cairn_writer_init(&writer, bytes, capacity);
    cairn_cbor_write_array(&writer, 4 + 4 * state->live_count);
    cairn_cbor_write_hash(&writer, &log->id);
    cairn_cbor_write_uint(&writer, state->id.index);
    cairn_cbor_write_uint(&writer, state->type);
    cairn_cbor_write_array(&writer, writers.count);
    for (size_t i = 0; i < writers.count; i++)
        cairn_cbor_write_hash(&writer, &writers.list[i].id);
    for (size_t i = 0; i < state->live_count; i++) {
        const struct cairn_live *live = order[i].live;
        cairn_cbor_write_uint(&writer, live->field);
        cairn_cbor_write_uint(&writer, order[i].writer);
        cairn_cbor_write_uint(&writer, live->dot.index);
        if (live->is_personal)
            cairn_cbor_write_hash(&writer, &live->commitment);
        else
            cairn_write_bytes(&writer, live->cbor.data, live->cbor.size);
    }
    CAIRN_ASSERT(!writer.overflowed);
    crypto_hash_sha256(out_hash->bytes, bytes, writer.size);
    return CAIRN_OK;
}

enum cairn_status cairn_record_saved_hash(struct cairn_bytes value, struct cairn_hash *out_hash)
{
    static const struct cairn_hash none = {{0}};
    struct cairn_reader reader;

    cairn_reader_init(&reader, value);
    struct cairn_hash hash = cairn_read_hash(&reader);
    if (reader.failed)
        return CAIRN_CORRUPT;
    if (cairn_hash_equal(&hash, &none))
        return CAIRN_NOT_FOUND;
    *out_hash = hash;
    return CAIRN_OK;
}
