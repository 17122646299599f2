/* Invitations and bundles: the bytes around and inside what is sealed (SPEC.md section 10). */

#include "cairn/cbor.h"
#include "cairn/message.h"
#include "message_internal.h"

enum { INVITATION_FILE_ITEMS = 2, INVITATION_ITEMS = 3, HEADER_ITEMS = 3, PART_ITEMS = 2 };
enum { SEAL_BYTES = 48 }; /* what a sealed box adds: an ephemeral key and a tag */
enum { SEALED_KEY_BYTES = SEAL_BYTES + 32 };

static const char invitation_label[] = "cairn-invite-1";
static const char bundle_label[] = "cairn-bundle-1";

/* Its inside is cairn/identity.h's to judge; here only that something of a sane size is there. */
static struct cairn_bytes statement_take(struct cairn_reader *reader)
{
    struct cairn_bytes statement = cairn_cbor_read_bytes(reader);

    if (statement.size < 1 || statement.size > CAIRN_STATEMENT_MAX)
        cairn_reader_fail(reader);
    return statement;
}

/* ---- Invitation ---- */

enum cairn_status cairn_invitation_read(struct cairn_bytes bytes,
                                        struct cairn_invitation *out_invitation)
{
    struct cairn_invitation invitation = {0};
    struct cairn_reader reader;
    enum cairn_status status;

    cairn_message_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, INVITATION_ITEMS);
    invitation.root_statement = statement_take(&reader);
    invitation.links = cairn_message_links_check(&reader);
    invitation.grant = cairn_ref_read(&reader);

    status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_invitation = invitation;
    return status;
}

void cairn_invitation_write(struct cairn_writer *writer, struct cairn_bytes root_statement,
                            struct cairn_bytes links, size_t link_count,
                            const struct cairn_ref *grant)
{
    CAIRN_ASSERT(root_statement.size >= 1 && root_statement.size <= CAIRN_STATEMENT_MAX);
    CAIRN_ASSERT(link_count <= CAIRN_LINKS_MAX);

    cairn_cbor_write_array(writer, INVITATION_ITEMS);
    cairn_message_bytes_write(writer, root_statement);
    cairn_message_array_write(writer, links, link_count);
    cairn_ref_write(writer, grant);
}

enum cairn_status cairn_invitation_file_read(struct cairn_bytes file,
                                             struct cairn_bytes *out_sealed)
{
    struct cairn_reader reader;
    struct cairn_bytes sealed;
    enum cairn_status status;

    cairn_message_reader_init(&reader, file);
    cairn_cbor_expect_array(&reader, INVITATION_FILE_ITEMS);
    cairn_cbor_expect_text(&reader, invitation_label);
    sealed = cairn_cbor_read_bytes(&reader);
    if (sealed.size <= SEAL_BYTES)
        cairn_reader_fail(&reader);

    status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_sealed = sealed;
    return status;
}

void cairn_invitation_file_write(struct cairn_writer *writer, struct cairn_bytes sealed)
{
    CAIRN_ASSERT(sealed.size > SEAL_BYTES);

    cairn_cbor_write_array(writer, INVITATION_FILE_ITEMS);
    cairn_cbor_write_text(writer, invitation_label, sizeof(invitation_label) - 1);
    cairn_message_bytes_write(writer, sealed);
}

/* ---- Bundle header ---- */

static void bundle_reader_take(struct cairn_reader *reader, struct cairn_bundle_reader *out_reader)
{
    cairn_message_fixed_take(reader, out_reader->bundle_key.bytes,
                             sizeof(out_reader->bundle_key.bytes));
    out_reader->sealed_key = cairn_cbor_read_bytes_of(reader, SEALED_KEY_BYTES);
}

bool cairn_bundle_reader_next(struct cairn_list *readers, struct cairn_bundle_reader *out_reader)
{
    if (readers->left == 0)
        return false;
    readers->left--;
    bundle_reader_take(&readers->reader, out_reader);
    CAIRN_ASSERT(!readers->reader.failed);
    return true;
}

void cairn_bundle_reader_write(struct cairn_writer *writer,
                               const struct cairn_bundle_reader *reader)
{
    CAIRN_ASSERT(reader->sealed_key.size == SEALED_KEY_BYTES);

    cairn_cbor_write_bytes(writer, reader->bundle_key.bytes, sizeof(reader->bundle_key.bytes));
    cairn_message_bytes_write(writer, reader->sealed_key);
}

/* A full bundle is open to everybody; a sealed one without readers to nobody. */
static bool reader_count_fits(enum cairn_bundle_kind kind, size_t reader_count)
{
    return (kind == CAIRN_BUNDLE_SEALED) == (reader_count > 0);
}

enum cairn_status cairn_bundle_header_read(struct cairn_bytes file,
                                           struct cairn_bundle_header *out_header)
{
    struct cairn_bundle_header header = {0};
    struct cairn_bundle_reader bundle_reader;
    struct cairn_reader reader;
    size_t item_count;
    size_t reader_count;

    cairn_reader_init(&reader, file);
    item_count = cairn_cbor_read_array(&reader);
    if (item_count < HEADER_ITEMS || (item_count - HEADER_ITEMS) % 2 != 0)
        return CAIRN_MALFORMED;
    reader_count = (item_count - HEADER_ITEMS) / 2;
    cairn_cbor_expect_text(&reader, bundle_label);
    header.root_statement = statement_take(&reader);
    header.kind = (enum cairn_bundle_kind)cairn_cbor_read_uint_max(&reader, CAIRN_BUNDLE_FULL);
    if (!reader_count_fits(header.kind, reader_count))
        cairn_reader_fail(&reader);
    header.readers = (struct cairn_list){reader, reader_count};
    for (size_t i = 0; i < reader_count && !reader.failed; i++)
        bundle_reader_take(&reader, &bundle_reader);

    /* Not at the end: the parts follow. */
    if (reader.failed)
        return CAIRN_MALFORMED;
    header.header_bytes = reader.pos;
    *out_header = header;
    return CAIRN_OK;
}

void cairn_bundle_header_write(struct cairn_writer *writer, struct cairn_bytes root_statement,
                               enum cairn_bundle_kind kind, struct cairn_bytes readers,
                               size_t reader_count)
{
    CAIRN_ASSERT(root_statement.size >= 1 && root_statement.size <= CAIRN_STATEMENT_MAX);
    CAIRN_ASSERT(reader_count_fits(kind, reader_count));

    cairn_cbor_write_array(writer, HEADER_ITEMS + 2 * reader_count);
    cairn_cbor_write_text(writer, bundle_label, sizeof(bundle_label) - 1);
    cairn_message_bytes_write(writer, root_statement);
    cairn_cbor_write_uint(writer, kind);
    cairn_write_bytes(writer, readers.data, readers.size);
}

/* ---- Bundle part ---- */

enum cairn_status cairn_bundle_part_read(struct cairn_bytes bytes,
                                         struct cairn_bundle_part *out_part)
{
    struct cairn_bundle_part part = {0};
    struct cairn_reader reader;
    enum cairn_status status;

    cairn_message_reader_init(&reader, bytes);
    cairn_cbor_expect_array(&reader, PART_ITEMS);
    part.links = cairn_message_links_check(&reader);
    part.groups = cairn_message_groups_check(&reader, CAIRN_GROUPS_OF_ANSWER);

    status = cairn_reader_end(&reader);
    if (status == CAIRN_OK)
        *out_part = part;
    return status;
}

void cairn_bundle_part_write(struct cairn_writer *writer, struct cairn_bytes links,
                             size_t link_count, struct cairn_bytes groups, size_t group_count)
{
    CAIRN_ASSERT(link_count <= CAIRN_LINKS_MAX);
    CAIRN_ASSERT(group_count <= CAIRN_MESSAGE_ITEMS_MAX);

    cairn_cbor_write_array(writer, PART_ITEMS);
    cairn_message_array_write(writer, links, link_count);
    cairn_message_array_write(writer, groups, group_count);
}
