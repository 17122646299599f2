/*
 * message_sample.h: one full message of each kind, with several of everything in it. Fixed bytes:
 * hashes, keys and signatures are fillers, nothing verifies.
 */

#ifndef CAIRN_TESTS_MESSAGE_SAMPLE_H
#define CAIRN_TESTS_MESSAGE_SAMPLE_H

#include "message_rewrite.h"

#define SAMPLE_BYTES_MAX 4096

/* Every byte of it is `filler`. */
struct cairn_hash sample_hash(uint8_t filler);
/* An entry with a text and a slot; its size is the same for every value. */
void sample_entry_write(struct cairn_writer *writer, uint8_t value);
struct cairn_link sample_link(struct cairn_bytes entry, uint32_t index, size_t path_count);
/* A full message of that kind. */
void sample_write(struct cairn_writer *writer, enum message_kind kind);

#endif
