/* Request and reply (SPEC.md section 9). */

#include "cairn/cbor.h"
#include "cairn/message.h"
#include "message_internal.h"

enum { EXCHANGE_FORMAT = 1, EXCHANGE_ITEMS = 7, SCOPE_SIZE_ITEMS = 4, REFUSAL_ITEMS = 3 };
enum { ROOTS_DIGEST_BYTES = 16, HEADS_DIGEST_BYTES = 8 };

/* A flag that we do not know may change what the bytes after it mean: refused, not ignored. */
static const uint64_t request_flags_max =
    CAIRN_REQUEST_EXPLICIT | CAIRN_REQUEST_ROOTS | CAIRN_REQUEST_HEADS | CAIRN_REQUEST_GIVES_BACK;
static const uint64_t reply_flags_max =
    CAIRN_REPLY_MORE | CAIRN_REPLY_SEND_ROOTS | CAIRN_REPLY_SEND_HEADS;

/* ---- Scope logs held ---- */

static struct cairn_scope_size scope_size_take(struct cairn_reader *reader)
{
    struct cairn_scope_size scope_size;

    scope_size.scope = cairn_scope_read(reader);
    scope_size.channel = cairn_message_channel_take(reader);
    scope_size.epoch = cairn_cbor_read_uint(reader);
    scope_size.size = cairn_cbor_read_uint(reader);
    return scope_size;
}

void cairn_scope_size_write(struct cairn_writer *writer, const struct cairn_scope_size *scope_size)
{
    cairn_cbor_write_uint(writer, scope_size->scope.code);
    cairn_cbor_write_uint(writer, scope_size->channel);
    cairn_cbor_write_uint(writer, scope_size->epoch);
    cairn_cbor_write_uint(writer, scope_size->size);
}

bool cairn_scope_size_next(struct cairn_list *scopes, struct cairn_scope_size *out_scope_size)
{
    if (scopes->left == 0)
        return false;
    scopes->left--;
    *out_scope_size = scope_size_take(&scopes->reader);
    CAIRN_ASSERT(!scopes->reader.failed);
    return true;
}

static struct cairn_list scopes_check(struct cairn_reader *reader)
{
    size_t count = cairn_message_flat_take(reader, SCOPE_SIZE_ITEMS);
    struct cairn_list list = {*reader, count};
    struct cairn_scope_size last = {0};

    for (size_t i = 0; i < count && !reader->failed; i++) {
        struct cairn_scope_size next = scope_size_take(reader);

        if (i > 0 && !cairn_message_is_before(last.scope, last.channel, next.scope, next.channel))
            cairn_reader_fail(reader);
        last = next;
    }
    return list;
}

/* ---- Roots and heads: a digest, or the list ---- */

bool cairn_hash_next(struct cairn_list *hashes, struct cairn_hash *out_hash)
{
    if (hashes->left == 0)
        return false;
    hashes->left--;
    *out_hash = cairn_cbor_read_hash(&hashes->reader);
    CAIRN_ASSERT(!hashes->reader.failed);
    return true;
}

static struct cairn_list roots_check(struct cairn_reader *reader, size_t scope_count)
{
    struct cairn_list list;

    cairn_cbor_expect_array(reader, scope_count);
    list = (struct cairn_list){*reader, scope_count};
    for (size_t i = 0; i < scope_count && !reader->failed; i++)
        cairn_cbor_read_hash(reader);
    return list;
}

/* Empty says "none, send all". */
static struct cairn_bytes heads_digest_take(struct cairn_reader *reader)
{
    struct cairn_bytes digest = cairn_cbor_read_bytes(reader);

    if (digest.size != 0 && digest.size != HEADS_DIGEST_BYTES)
        cairn_reader_fail(reader);
    return digest;
}

/* ---- Request ---- */

enum cairn_status cairn_request_read(struct cairn_bytes bytes, struct cairn_request *out_request)
{
    struct cairn_request request = {0};
    struct cairn_reader reader;
    enum cairn_status status;

    cairn_message_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, EXCHANGE_ITEMS);
    if (cairn_cbor_read_uint(&reader) != EXCHANGE_FORMAT)
        cairn_reader_fail(&reader);
    request.flags = cairn_cbor_read_uint_max(&reader, request_flags_max);
    request.scopes = scopes_check(&reader);
    if (request.flags & CAIRN_REQUEST_ROOTS)
        request.roots = roots_check(&reader, request.scopes.left);
    else
        request.roots_digest = cairn_cbor_read_bytes_of(&reader, ROOTS_DIGEST_BYTES);
    if (request.flags & CAIRN_REQUEST_HEADS)
        request.heads = cairn_message_held_check(&reader);
    else
        request.heads_digest = heads_digest_take(&reader);
    bool gives_back = (request.flags & CAIRN_REQUEST_GIVES_BACK) != 0;
    request.groups = cairn_message_groups_check(&reader, gives_back ? CAIRN_GROUPS_GIVEN_BACK
                                                                    : CAIRN_GROUPS_OF_REQUEST);
    request.links = cairn_message_links_check(&reader);

    status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_request = request;
    return status;
}

void cairn_request_write(struct cairn_writer *writer, const struct cairn_request_parts *parts)
{
    bool has_roots = (parts->flags & CAIRN_REQUEST_ROOTS) != 0;
    bool has_heads = (parts->flags & CAIRN_REQUEST_HEADS) != 0;

    CAIRN_ASSERT(parts->flags <= request_flags_max);
    CAIRN_ASSERT(has_roots || parts->roots.size == ROOTS_DIGEST_BYTES);
    CAIRN_ASSERT(has_heads || parts->heads.size == 0 || parts->heads.size == HEADS_DIGEST_BYTES);
    CAIRN_ASSERT(parts->group_count <= CAIRN_MESSAGE_ITEMS_MAX);
    CAIRN_ASSERT(parts->link_count <= CAIRN_LINKS_MAX);

    cairn_cbor_write_array(writer, EXCHANGE_ITEMS);
    cairn_cbor_write_uint(writer, EXCHANGE_FORMAT);
    cairn_cbor_write_uint(writer, parts->flags);
    cairn_message_array_write(writer, parts->scopes, SCOPE_SIZE_ITEMS * parts->scope_count);
    if (has_roots)
        cairn_message_array_write(writer, parts->roots, parts->scope_count);
    else
        cairn_message_bytes_write(writer, parts->roots);
    if (has_heads)
        cairn_message_array_write(writer, parts->heads, 2 * parts->head_count);
    else
        cairn_message_bytes_write(writer, parts->heads);
    cairn_message_array_write(writer, parts->groups, parts->group_count);
    cairn_message_array_write(writer, parts->links, parts->link_count);
}

/* ---- Reply ---- */

static struct cairn_refusal refusal_take(struct cairn_reader *reader)
{
    struct cairn_refusal refusal;

    cairn_cbor_expect_array(reader, REFUSAL_ITEMS);
    refusal.log = cairn_cbor_read_hash(reader);
    refusal.index = (uint32_t)cairn_cbor_read_uint_max(reader, UINT32_MAX);
    refusal.reason = cairn_cbor_read_uint(reader);
    return refusal;
}

void cairn_refusal_write(struct cairn_writer *writer, const struct cairn_refusal *refusal)
{
    cairn_cbor_write_array(writer, REFUSAL_ITEMS);
    cairn_cbor_write_hash(writer, &refusal->log);
    cairn_cbor_write_uint(writer, refusal->index);
    cairn_cbor_write_uint(writer, refusal->reason);
}

bool cairn_refusal_next(struct cairn_list *refusals, struct cairn_refusal *out_refusal)
{
    if (refusals->left == 0)
        return false;
    refusals->left--;
    *out_refusal = refusal_take(&refusals->reader);
    CAIRN_ASSERT(!refusals->reader.failed);
    return true;
}

static struct cairn_list refusals_check(struct cairn_reader *reader)
{
    size_t count = cairn_cbor_read_array(reader);
    struct cairn_list list = {*reader, count};

    for (size_t i = 0; i < count && !reader->failed; i++)
        refusal_take(reader);
    return list;
}

enum cairn_status cairn_reply_read(struct cairn_bytes bytes, struct cairn_reply *out_reply)
{
    struct cairn_reply reply = {0};
    struct cairn_reader reader;
    enum cairn_status status;

    cairn_message_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, EXCHANGE_ITEMS);
    if (cairn_cbor_read_uint(&reader) != EXCHANGE_FORMAT)
        cairn_reader_fail(&reader);
    reply.code = cairn_cbor_read_uint(&reader);
    reply.flags = cairn_cbor_read_uint_max(&reader, reply_flags_max);
    reply.groups = cairn_message_groups_check(&reader, CAIRN_GROUPS_OF_ANSWER);
    reply.links = cairn_message_links_check(&reader);
    reply.refusals = refusals_check(&reader);
    reply.text = cairn_cbor_read_text(&reader);
    if (reply.text.size > CAIRN_REPLY_TEXT_MAX)
        cairn_reader_fail(&reader);

    status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_reply = reply;
    return status;
}

void cairn_reply_write(struct cairn_writer *writer, const struct cairn_reply_parts *parts)
{
    CAIRN_ASSERT(parts->flags <= reply_flags_max);
    CAIRN_ASSERT(parts->group_count <= CAIRN_MESSAGE_ITEMS_MAX);
    CAIRN_ASSERT(parts->link_count <= CAIRN_LINKS_MAX);
    CAIRN_ASSERT(parts->text.size <= CAIRN_REPLY_TEXT_MAX);

    cairn_cbor_write_array(writer, EXCHANGE_ITEMS);
    cairn_cbor_write_uint(writer, EXCHANGE_FORMAT);
    cairn_cbor_write_uint(writer, parts->code);
    cairn_cbor_write_uint(writer, parts->flags);
    cairn_message_array_write(writer, parts->groups, parts->group_count);
    cairn_message_array_write(writer, parts->links, parts->link_count);
    cairn_message_array_write(writer, parts->refusals, parts->refusal_count);
    cairn_cbor_write_text(writer, (const char *)parts->text.data, parts->text.size);
}
