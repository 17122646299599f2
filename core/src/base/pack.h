/* pack.h: payloads and blobs, plain or zstd (RFC 8878). One packer per thread. */

#ifndef CAIRN_PACK_H
#define CAIRN_PACK_H

#include "arena.h"
#include "cairn/message.h"

struct cairn_packer;

/* NULL when memory is short. */
struct cairn_packer *cairn_packer_new(void);
void cairn_packer_free(struct cairn_packer *packer);

/* Append the compressed form of `plain` when it is smaller; *out_is_packed says which was
 * appended. */
CAIRN_NODISCARD
enum cairn_status cairn_pack(struct cairn_packer *packer, int level, struct cairn_bytes plain,
                             struct cairn_buffer *out, bool *out_is_packed);
/* Exactly `plain_size` bytes into `out`. MALFORMED when `packed` does not give them. */
CAIRN_NODISCARD
enum cairn_status cairn_unpack(struct cairn_packer *packer, struct cairn_bytes packed, uint8_t *out,
                               size_t plain_size);
/* The content size that a zstd frame states; MALFORMED when none or above
 * CAIRN_MESSAGE_UNPACKED_MAX. */
CAIRN_NODISCARD enum cairn_status cairn_unpacked_size(struct cairn_bytes packed, size_t *out_size);

/* Over a link every byte counts; what stays in this process is only kept small meanwhile. */
enum cairn_payload_way { CAIRN_PAYLOAD_TRAVELS, CAIRN_PAYLOAD_STAYS };
/* A payload of SPEC.md section 9: one byte 0 or 1, then CBOR. */
CAIRN_NODISCARD
enum cairn_status cairn_payload_pack(struct cairn_packer *packer, enum cairn_payload_way way,
                                     struct cairn_bytes plain, struct cairn_buffer *out);
/* Into the arena, or borrowed from `payload`. MALFORMED, NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status cairn_payload_unpack(struct cairn_packer *packer, struct cairn_arena *arena,
                                       struct cairn_bytes payload, struct cairn_bytes *out_plain);

#endif
