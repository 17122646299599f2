/*
 * message_rewrite.h: read a message of any kind and write it again from what was read, through
 * every iterator. As each value has one encoding, the bytes must come out as they went in.
 */

#ifndef CAIRN_TESTS_MESSAGE_REWRITE_H
#define CAIRN_TESTS_MESSAGE_REWRITE_H

#include "cairn/message.h"

enum message_kind {
    MESSAGE_REQUEST,
    MESSAGE_REPLY,
    MESSAGE_PART,
    MESSAGE_INVITATION,
    MESSAGE_INVITATION_FILE,
    MESSAGE_HEADER, /* what follows the header is left alone */
    MESSAGE_LINK,
    MESSAGE_KIND_COUNT
};

/* Only read. */
enum cairn_status message_read(enum message_kind kind, struct cairn_bytes bytes);
/*
 * Read, and when that is OK write into `writer`; at least `bytes.size` of room is needed. For
 * MESSAGE_HEADER the result is as long as the header.
 */
enum cairn_status message_rewrite(enum message_kind kind, struct cairn_bytes bytes,
                                  struct cairn_writer *writer);

#endif
