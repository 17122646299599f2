/*
 * message_internal.h: what message.c (links, runs, groups) lends to exchange.c and bundle_format.c.
 *
 * A `_take` function reads one thing from a reader and fails it when something is wrong. The same
 * function serves the `_read` functions, which check, and the `_next` iterators, which go over
 * bytes that were checked before and so leave out what costs time: the inside of entries.
 */

#ifndef CAIRN_MESSAGE_INTERNAL_H
#define CAIRN_MESSAGE_INTERNAL_H

#include "cairn/message.h"

enum cairn_walk { CAIRN_WALK_CHECK, CAIRN_WALK_TRUST };

/* Start on a message; the reader has failed already when the message is over the limit. */
void cairn_message_reader_init(struct cairn_reader *reader, struct cairn_bytes bytes);

/* Move over `item_count` items that were checked before. Looks at heads only. */
void cairn_message_pass(struct cairn_reader *reader, size_t item_count);

/* A byte string of exactly `size` bytes into `out`, which is left alone when it is not there. */
void cairn_message_fixed_take(struct cairn_reader *reader, void *out, size_t size);

/* The head of a flat array of things of `width` items each; gives the number of things. */
size_t cairn_message_flat_take(struct cairn_reader *reader, size_t width);

/* [log id, size ...], strictly ascending; checked whole, left counts pairs. */
struct cairn_list cairn_message_held_check(struct cairn_reader *reader);

/* [link...], every link checked. */
struct cairn_list cairn_message_links_check(struct cairn_reader *reader);

/*
 * [group...], every group, run and entry checked. The groups of a request bring runs only and
 * stand in the order of its scope list (section 9); those of a reply or a part are free of that.
 */
enum cairn_groups_of {
    CAIRN_GROUPS_OF_REQUEST,
    CAIRN_GROUPS_GIVEN_BACK, /* by a request */
    CAIRN_GROUPS_OF_ANSWER
};
struct cairn_list cairn_message_groups_check(struct cairn_reader *reader,
                                             enum cairn_groups_of whose);

/* True when (scope, channel) a stands before b. */
bool cairn_message_is_before(struct cairn_scope a_scope, enum cairn_channel a_channel,
                             struct cairn_scope b_scope, enum cairn_channel b_channel);

/* The channel's number; fails the reader above the last. */
enum cairn_channel cairn_message_channel_take(struct cairn_reader *reader);

/* An array of items written before. */
void cairn_message_array_write(struct cairn_writer *writer, struct cairn_bytes items,
                               size_t item_count);

/* Byte string from a range that may be {NULL, 0}. */
void cairn_message_bytes_write(struct cairn_writer *writer, struct cairn_bytes bytes);

#endif
