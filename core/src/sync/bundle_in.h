/* bundle_in.h: the parts of a bundle file, one after the other; shared by reading and auditing. */

#ifndef CAIRN_BUNDLE_IN_H
#define CAIRN_BUNDLE_IN_H

#include <sodium.h>

#include "arena.h"
#include "cairn/message.h"

struct cairn_packer;

/* A part as it lies in the file: what unpacks to a message is hardly longer packed. */
#define CAIRN_PART_FILE_MAX (2u * CAIRN_MESSAGE_UNPACKED_MAX)

struct cairn_parts {
    struct cairn_reader reader;
    bool is_sealed, has_stream, is_done;
    const uint8_t *content_key;    /* when sealed */
    struct cairn_hash header_hash; /* associated data of every block */
    crypto_secretstream_xchacha20poly1305_state stream;
    struct cairn_arena memory; /* of the present part */
    uint8_t *plain;
    size_t capacity;
};
/* After the header was read; content_key may be NULL for a full bundle. */
void cairn_parts_init(struct cairn_parts *parts, struct cairn_bytes file,
                      const struct cairn_bundle_header *header, const uint8_t *content_key);
void cairn_parts_release(struct cairn_parts *parts);
/*
 * The next part, borrowed until the next call. NOT_FOUND at the end. MALFORMED: the file is damaged
 * or cut short; parts->reader.pos is where.
 */
CAIRN_NODISCARD
enum cairn_status cairn_parts_next(struct cairn_parts *parts, struct cairn_packer *packer,
                                   struct cairn_bundle_part *out_part);

#endif
