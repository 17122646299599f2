#include "cairn/message.h"

#include <sodium.h>
#include <string.h>

#include "cairn/cbor.h"
#include "message_internal.h"

enum { LINK_ITEMS = 6, LOG_NAME_ITEMS = 2, RUN_ITEMS = 4, GROUP_ITEMS = 8, EXPLICIT_ITEMS = 3 };

void cairn_message_reader_init(struct cairn_reader *reader, struct cairn_bytes bytes)
{
    cairn_reader_init(reader, bytes);
    if (bytes.size > CAIRN_MESSAGE_UNPACKED_MAX)
        cairn_reader_fail(reader);
}

/* The argument of a head whose lower five bits are `info`. */
static uint64_t pass_argument(struct cairn_reader *reader, uint8_t info)
{
    switch (info) {
    case 24:
        return cairn_read_u8(reader);
    case 25:
        return cairn_read_u16be(reader);
    case 26:
        return cairn_read_u32be(reader);
    case 27:
        return cairn_read_u64be(reader);
    default:
        return info;
    }
}

void cairn_message_pass(struct cairn_reader *reader, size_t item_count)
{
    /* An array only adds to the items still to come, so no depth needs remembering. */
    for (uint64_t left = item_count; left > 0; left--) {
        uint8_t initial = cairn_read_u8(reader);
        uint64_t argument = pass_argument(reader, initial & 0x1f);
        enum cairn_cbor_type type = (enum cairn_cbor_type)(initial >> 5);

        CAIRN_ASSERT(!reader->failed);
        if (type == CAIRN_CBOR_ARRAY)
            left += argument;
        else if (type == CAIRN_CBOR_BYTES || type == CAIRN_CBOR_TEXT)
            cairn_read_bytes(reader, (size_t)argument);
    }
    CAIRN_ASSERT(!reader->failed);
}

void cairn_message_fixed_take(struct cairn_reader *reader, void *out, size_t size)
{
    struct cairn_bytes bytes = cairn_cbor_read_bytes_of(reader, size);

    if (!reader->failed)
        memcpy(out, bytes.data, size);
}

size_t cairn_message_flat_take(struct cairn_reader *reader, size_t width)
{
    size_t item_count = cairn_cbor_read_array(reader);

    if (item_count % width != 0)
        cairn_reader_fail(reader);
    return reader->failed ? 0 : item_count / width;
}

enum cairn_channel cairn_message_channel_take(struct cairn_reader *reader)
{
    return (enum cairn_channel)cairn_cbor_read_uint_max(reader, CAIRN_CHANNEL_COUNT - 1);
}

bool cairn_message_is_before(struct cairn_scope a_scope, enum cairn_channel a_channel,
                             struct cairn_scope b_scope, enum cairn_channel b_channel)
{
    return a_scope.code < b_scope.code || (a_scope.code == b_scope.code && a_channel < b_channel);
}

void cairn_message_array_write(struct cairn_writer *writer, struct cairn_bytes items,
                               size_t item_count)
{
    cairn_cbor_write_array(writer, item_count);
    cairn_write_bytes(writer, items.data, items.size);
}

void cairn_message_bytes_write(struct cairn_writer *writer, struct cairn_bytes bytes)
{
    cairn_cbor_write_bytes(writer, bytes.data, bytes.size);
}

/* A size that must be there: nothing names a log, or a batch of one, that holds no entry. */
static uint32_t size_take(struct cairn_reader *reader)
{
    uint32_t size = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);

    if (size == 0)
        cairn_reader_fail(reader);
    return size;
}

/* Move over one entry, checking its form: one array of the subset, not over any limit. */
static void entry_check(struct cairn_reader *reader)
{
    if (cairn_cbor_peek(reader) != CAIRN_CBOR_ARRAY ||
        cairn_cbor_skip(reader).size > CAIRN_ENTRY_CLOSED_MAX)
        cairn_reader_fail(reader);
}

/* ---- Held: log id, size ---- */

static struct cairn_held held_take(struct cairn_reader *reader)
{
    struct cairn_held held;

    held.log = cairn_cbor_read_hash(reader);
    held.size = size_take(reader);
    return held;
}

struct cairn_list cairn_message_held_check(struct cairn_reader *reader)
{
    size_t count = cairn_message_flat_take(reader, 2);
    struct cairn_list list = {*reader, count};
    struct cairn_held last;

    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct cairn_held held = held_take(reader);

        if (i > 0 && cairn_hash_compare(&last.log, &held.log) >= 0)
            cairn_reader_fail(reader);
        last = held;
    }
    return list;
}

bool cairn_held_next(struct cairn_list *heads, struct cairn_held *out_held)
{
    if (heads->left == 0)
        return false;
    heads->left--;
    *out_held = held_take(&heads->reader);
    CAIRN_ASSERT(!heads->reader.failed);
    return true;
}

/* ---- Links (section 7) ---- */

static void link_entry_take(struct cairn_reader *reader, enum cairn_walk walk,
                            struct cairn_bytes *out_entry)
{
    struct cairn_bytes entry = cairn_cbor_read_bytes(reader);
    struct cairn_reader inside;

    if (walk == CAIRN_WALK_CHECK) {
        cairn_reader_init(&inside, entry);
        entry_check(&inside);
        if (cairn_reader_end(&inside) != CAIRN_OK)
            cairn_reader_fail(reader);
    }
    *out_entry = entry;
}

static void path_take(struct cairn_reader *reader, struct cairn_link *out_link)
{
    struct cairn_bytes path = cairn_cbor_read_bytes(reader);

    if (path.size % sizeof(struct cairn_hash) != 0 || path.size > sizeof(out_link->path)) {
        cairn_reader_fail(reader);
        return;
    }
    out_link->path_count = path.size / sizeof(struct cairn_hash);
    if (path.size > 0)
        memcpy(out_link->path, path.data, path.size);
}

static void link_take(struct cairn_reader *reader, enum cairn_walk walk,
                      struct cairn_link *out_link)
{
    *out_link = (struct cairn_link){0};
    cairn_cbor_expect_array(reader, LINK_ITEMS);
    link_entry_take(reader, walk, &out_link->entry);
    out_link->blinding = cairn_cbor_read_hash(reader);
    cairn_message_fixed_take(reader, out_link->incarnation.bytes,
                             sizeof(out_link->incarnation.bytes));
    /* The seal is over index + 1 entries, and a size is below 2^32 as well. */
    out_link->index = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX - 1);
    path_take(reader, out_link);
    cairn_message_fixed_take(reader, out_link->seal.bytes, sizeof(out_link->seal.bytes));
}

void cairn_link_write(struct cairn_writer *writer, const struct cairn_link *link)
{
    CAIRN_ASSERT(link->entry.size <= CAIRN_ENTRY_CLOSED_MAX);
    CAIRN_ASSERT(link->path_count <= CAIRN_PATH_MAX);
    CAIRN_ASSERT(link->index < UINT32_MAX);

    cairn_cbor_write_array(writer, LINK_ITEMS);
    cairn_message_bytes_write(writer, link->entry);
    cairn_cbor_write_hash(writer, &link->blinding);
    cairn_cbor_write_bytes(writer, link->incarnation.bytes, sizeof(link->incarnation.bytes));
    cairn_cbor_write_uint(writer, link->index);
    cairn_cbor_write_bytes(writer, link->path, link->path_count * sizeof(struct cairn_hash));
    cairn_cbor_write_bytes(writer, link->seal.bytes, sizeof(link->seal.bytes));
}

enum cairn_status cairn_link_read(struct cairn_bytes bytes, struct cairn_link *out_link)
{
    struct cairn_reader reader;
    struct cairn_link link;
    enum cairn_status status;

    cairn_message_reader_init(&reader, bytes);
    link_take(&reader, CAIRN_WALK_CHECK, &link);
    status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_link = link;
    return status;
}

bool cairn_link_next(struct cairn_list *links, struct cairn_link *out_link)
{
    if (links->left == 0)
        return false;
    links->left--;
    link_take(&links->reader, CAIRN_WALK_TRUST, out_link);
    CAIRN_ASSERT(!links->reader.failed);
    return true;
}

struct cairn_list cairn_message_links_check(struct cairn_reader *reader)
{
    size_t count = cairn_cbor_read_array(reader);
    struct cairn_list list = {*reader, count};
    struct cairn_link link;

    if (count > CAIRN_LINKS_MAX)
        cairn_reader_fail(reader);
    for (size_t i = 0; i < count && !reader->failed; i++)
        link_take(reader, CAIRN_WALK_CHECK, &link);
    return list;
}

/* ---- The name of a log in a group: a number, or [seal key, incarnation] (section 8) ---- */

static struct cairn_log_name log_name_take(struct cairn_reader *reader)
{
    struct cairn_log_name log = {0};

    log.is_numbered = cairn_cbor_peek(reader) == CAIRN_CBOR_UINT;
    if (log.is_numbered) {
        log.log_number = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
        return log;
    }
    cairn_cbor_expect_array(reader, LOG_NAME_ITEMS);
    cairn_message_fixed_take(reader, log.device.bytes, sizeof(log.device.bytes));
    cairn_message_fixed_take(reader, log.incarnation.bytes, sizeof(log.incarnation.bytes));
    return log;
}

static void log_name_write(struct cairn_writer *writer, const struct cairn_log_name *log)
{
    if (log->is_numbered) {
        cairn_cbor_write_uint(writer, log->log_number);
        return;
    }
    cairn_cbor_write_array(writer, LOG_NAME_ITEMS);
    cairn_cbor_write_bytes(writer, log->device.bytes, sizeof(log->device.bytes));
    cairn_cbor_write_bytes(writer, log->incarnation.bytes, sizeof(log->incarnation.bytes));
}

/* ---- Runs (section 8) ---- */

static void run_entries_take(struct cairn_reader *reader, enum cairn_walk walk,
                             struct cairn_run *out_run)
{
    size_t count = cairn_cbor_read_array(reader);
    size_t start = reader->pos;

    if (count < 1 || count > CAIRN_RUN_ENTRIES_MAX || count > UINT32_MAX - out_run->first)
        cairn_reader_fail(reader);
    if (walk == CAIRN_WALK_TRUST)
        cairn_message_pass(reader, count);
    else
        for (size_t i = 0; i < count && !reader->failed; i++)
            entry_check(reader);
    if (reader->failed)
        return;
    out_run->entry_count = (uint32_t)count;
    out_run->entries = (struct cairn_bytes){reader->data + start, reader->pos - start};
}

/* s, or [blind seed, 0] */
static void run_secret_take(struct cairn_reader *reader, struct cairn_run *out_run)
{
    if (cairn_cbor_peek(reader) == CAIRN_CBOR_BYTES) {
        out_run->secret_kind = CAIRN_RUN_SECRET;
        out_run->secret = cairn_cbor_read_hash(reader);
        return;
    }
    cairn_cbor_expect_array(reader, 2);
    out_run->secret_kind = CAIRN_RUN_BLIND_SEED;
    out_run->secret = cairn_cbor_read_hash(reader);
    cairn_cbor_read_uint_max(reader, 0);
}

static void run_take(struct cairn_reader *reader, enum cairn_walk walk, struct cairn_run *out_run)
{
    size_t item_count = cairn_cbor_read_array(reader);

    *out_run = (struct cairn_run){0};
    out_run->log = log_name_take(reader);
    out_run->first = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
    if (item_count != (out_run->first == 0 ? RUN_ITEMS + 1 : RUN_ITEMS))
        cairn_reader_fail(reader);
    if (reader->failed)
        return;
    run_entries_take(reader, walk, out_run);
    cairn_message_fixed_take(reader, out_run->seal.bytes, sizeof(out_run->seal.bytes));
    if (out_run->first == 0)
        run_secret_take(reader, out_run);
}

void cairn_run_write(struct cairn_writer *writer, const struct cairn_run *run)
{
    CAIRN_ASSERT(run->entry_count >= 1 && run->entry_count <= CAIRN_RUN_ENTRIES_MAX);
    CAIRN_ASSERT(run->entry_count <= UINT32_MAX - run->first);
    CAIRN_ASSERT((run->first > 0) == (run->secret_kind == CAIRN_RUN_NO_SECRET));

    cairn_cbor_write_array(writer, run->first == 0 ? RUN_ITEMS + 1 : RUN_ITEMS);
    log_name_write(writer, &run->log);
    cairn_cbor_write_uint(writer, run->first);
    cairn_message_array_write(writer, run->entries, run->entry_count);
    cairn_cbor_write_bytes(writer, run->seal.bytes, sizeof(run->seal.bytes));
    switch (run->secret_kind) {
    case CAIRN_RUN_NO_SECRET:
        break;
    case CAIRN_RUN_SECRET:
        cairn_cbor_write_hash(writer, &run->secret);
        break;
    case CAIRN_RUN_BLIND_SEED:
        cairn_cbor_write_array(writer, 2);
        cairn_cbor_write_hash(writer, &run->secret);
        cairn_cbor_write_uint(writer, 0);
        break;
    }
}

bool cairn_run_next(struct cairn_list *runs, struct cairn_run *out_run)
{
    if (runs->left == 0)
        return false;
    runs->left--;
    run_take(&runs->reader, CAIRN_WALK_TRUST, out_run);
    CAIRN_ASSERT(!runs->reader.failed);
    return true;
}

bool cairn_run_entry_next(struct cairn_reader *entries, struct cairn_bytes *out_entry)
{
    size_t start = entries->pos;

    CAIRN_ASSERT(!entries->failed);
    if (cairn_reader_left(entries) == 0)
        return false;
    cairn_message_pass(entries, 1);
    *out_entry = (struct cairn_bytes){entries->data + start, entries->pos - start};
    return true;
}

/* ---- Groups (section 8) ---- */

static struct cairn_scope_leaf scope_leaf_take(struct cairn_reader *reader)
{
    struct cairn_scope_leaf leaf;

    leaf.log = log_name_take(reader);
    leaf.size = size_take(reader);
    return leaf;
}

void cairn_scope_leaf_write(struct cairn_writer *writer, const struct cairn_scope_leaf *leaf)
{
    CAIRN_ASSERT(leaf->size >= 1);

    log_name_write(writer, &leaf->log);
    cairn_cbor_write_uint(writer, leaf->size);
}

bool cairn_scope_leaf_next(struct cairn_list *leaves, struct cairn_scope_leaf *out_leaf)
{
    if (leaves->left == 0)
        return false;
    leaves->left--;
    *out_leaf = scope_leaf_take(&leaves->reader);
    CAIRN_ASSERT(!leaves->reader.failed);
    return true;
}

static void leaves_take(struct cairn_reader *reader, enum cairn_walk walk,
                        struct cairn_group *out_group)
{
    size_t count = cairn_message_flat_take(reader, 2);

    out_group->leaves = (struct cairn_list){*reader, count};
    if (count > UINT64_MAX - out_group->first_leaf)
        cairn_reader_fail(reader);
    if (walk == CAIRN_WALK_TRUST)
        cairn_message_pass(reader, 2 * count);
    else
        for (size_t i = 0; i < count && !reader->failed; i++)
            scope_leaf_take(reader);
}

static void run_check(struct cairn_reader *reader, enum cairn_channel channel)
{
    struct cairn_run run;

    run_take(reader, CAIRN_WALK_CHECK, &run);
    /* Elsewhere each entry has its own seal, so that it can be judged alone. */
    if (channel != CAIRN_CHANNEL_RECORDS && run.entry_count != 1)
        cairn_reader_fail(reader);
    sodium_memzero(&run.secret, sizeof(run.secret));
}

static void runs_take(struct cairn_reader *reader, enum cairn_walk walk,
                      struct cairn_group *out_group)
{
    size_t count = cairn_cbor_read_array(reader);

    out_group->runs = (struct cairn_list){*reader, count};
    if (count > CAIRN_MESSAGE_ITEMS_MAX)
        cairn_reader_fail(reader);
    if (walk == CAIRN_WALK_TRUST)
        cairn_message_pass(reader, count);
    else
        for (size_t i = 0; i < count && !reader->failed; i++)
            run_check(reader, out_group->channel);
}

/* Time and signature; without a signature there is nothing that a time or a leaf could rest on. */
static void checkpoint_take(struct cairn_reader *reader, struct cairn_group *out_group)
{
    struct cairn_bytes signature;

    out_group->time_s = cairn_cbor_read_uint(reader);
    signature = cairn_cbor_read_bytes(reader);
    if (signature.size == sizeof(out_group->signature.bytes)) {
        memcpy(out_group->signature.bytes, signature.data, signature.size);
        out_group->has_checkpoint = true;
    } else if (signature.size != 0 || out_group->time_s != 0 || out_group->leaves.left != 0) {
        cairn_reader_fail(reader);
    }
}

/* [root, digest, [log id, size ...]] */
static void explicit_take(struct cairn_reader *reader, struct cairn_group *out_group)
{
    struct cairn_list held;

    cairn_cbor_expect_array(reader, EXPLICIT_ITEMS);
    out_group->root = cairn_cbor_read_hash(reader);
    out_group->digest = cairn_cbor_read_hash(reader);
    held = cairn_message_held_check(reader);
    if (held.left > CAIRN_HELD_MAX || !out_group->has_checkpoint)
        cairn_reader_fail(reader);
    if (reader->failed)
        return;
    out_group->is_explicit = true;
    while (cairn_held_next(&held, &out_group->held[out_group->held_count]))
        out_group->held_count++;
}

static void group_take(struct cairn_reader *reader, enum cairn_walk walk,
                       struct cairn_group *out_group)
{
    size_t item_count = cairn_cbor_read_array(reader);

    if (item_count != GROUP_ITEMS && item_count != GROUP_ITEMS + 1)
        cairn_reader_fail(reader);
    *out_group = (struct cairn_group){0};
    out_group->scope = cairn_scope_read(reader);
    out_group->channel = cairn_message_channel_take(reader);
    out_group->epoch = cairn_cbor_read_uint(reader);
    out_group->first_leaf = cairn_cbor_read_uint(reader);
    leaves_take(reader, walk, out_group);
    runs_take(reader, walk, out_group);
    checkpoint_take(reader, out_group);
    if (item_count == GROUP_ITEMS + 1)
        explicit_take(reader, out_group);
}

static void explicit_write(struct cairn_writer *writer, const struct cairn_group *group)
{
    cairn_cbor_write_array(writer, EXPLICIT_ITEMS);
    cairn_cbor_write_hash(writer, &group->root);
    cairn_cbor_write_hash(writer, &group->digest);
    cairn_cbor_write_array(writer, 2 * group->held_count);
    for (size_t i = 0; i < group->held_count; i++) {
        cairn_cbor_write_hash(writer, &group->held[i].log);
        cairn_cbor_write_uint(writer, group->held[i].size);
    }
}

void cairn_group_write(struct cairn_writer *writer, const struct cairn_group *group,
                       const struct cairn_group_parts *parts)
{
    CAIRN_ASSERT(parts->run_count <= CAIRN_MESSAGE_ITEMS_MAX);
    CAIRN_ASSERT(group->held_count <= CAIRN_HELD_MAX);
    CAIRN_ASSERT(group->has_checkpoint ||
                 (parts->leaf_count == 0 && group->time_s == 0 && !group->is_explicit));

    cairn_cbor_write_array(writer, group->is_explicit ? GROUP_ITEMS + 1 : GROUP_ITEMS);
    cairn_cbor_write_uint(writer, group->scope.code);
    cairn_cbor_write_uint(writer, group->channel);
    cairn_cbor_write_uint(writer, group->epoch);
    cairn_cbor_write_uint(writer, group->first_leaf);
    cairn_message_array_write(writer, parts->leaves, 2 * parts->leaf_count);
    cairn_message_array_write(writer, parts->runs, parts->run_count);
    cairn_cbor_write_uint(writer, group->time_s);
    cairn_cbor_write_bytes(writer, group->signature.bytes,
                           group->has_checkpoint ? sizeof(group->signature.bytes) : 0);
    if (group->is_explicit)
        explicit_write(writer, group);
}

bool cairn_group_next(struct cairn_list *groups, struct cairn_group *out_group)
{
    if (groups->left == 0)
        return false;
    groups->left--;
    group_take(&groups->reader, CAIRN_WALK_TRUST, out_group);
    CAIRN_ASSERT(!groups->reader.failed);
    return true;
}

/* What is given back was signed by its reader, but for the authority logs that it rests on. */
static bool belongs_to_request(const struct cairn_group *group, enum cairn_groups_of whose)
{
    if (whose == CAIRN_GROUPS_OF_REQUEST || group->channel == CAIRN_CHANNEL_AUTHORITY)
        return !group->has_checkpoint || (whose == CAIRN_GROUPS_GIVEN_BACK && group->is_explicit);
    return group->is_explicit;
}

struct cairn_list cairn_message_groups_check(struct cairn_reader *reader,
                                             enum cairn_groups_of whose)
{
    size_t count = cairn_cbor_read_array(reader);
    struct cairn_list list = {*reader, count};
    struct cairn_group group;
    struct cairn_scope last_scope = {0};
    enum cairn_channel last_channel = CAIRN_CHANNEL_AUTHORITY;
    size_t run_count = 0;

    if (count > CAIRN_MESSAGE_ITEMS_MAX)
        cairn_reader_fail(reader);
    for (size_t i = 0; i < count && !reader->failed; i++) {
        group_take(reader, CAIRN_WALK_CHECK, &group);
        run_count += group.runs.left;
        if (run_count > CAIRN_MESSAGE_ITEMS_MAX)
            cairn_reader_fail(reader);
        bool is_after =
            i == 0 || cairn_message_is_before(last_scope, last_channel, group.scope, group.channel);
        if (whose != CAIRN_GROUPS_OF_ANSWER && (!is_after || !belongs_to_request(&group, whose)))
            cairn_reader_fail(reader);
        last_scope = group.scope;
        last_channel = group.channel;
    }
    return list;
}
