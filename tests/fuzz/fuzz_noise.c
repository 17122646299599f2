/*
 * A Noise handshake under attack. The first byte picks the pattern and the way: any bytes where a
 * message is awaited; or an honest message with the input laid over it (xor), which must be refused
 * unless nothing was changed. The first byte picks which message of the handshake, too.
 */

#include <stdlib.h>
#include <string.h>

#include "cairn/noise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAYLOAD_BYTES 40
#define MESSAGE_BYTES 256

static struct cairn_noise_key secret_of(uint8_t filler)
{
    struct cairn_noise_key key;

    memset(key.bytes, filler, sizeof key.bytes);
    return key;
}

static void side_make(struct cairn_noise *noise, enum cairn_noise_pattern pattern,
                      bool is_initiator)
{
    const struct cairn_noise_key own = secret_of(is_initiator ? 1 : 2),
                                 other = secret_of(is_initiator ? 2 : 1),
                                 ephemeral = secret_of(is_initiator ? 3 : 4);
    const struct cairn_noise_key remote = cairn_noise_public(&other);
    const bool knows_remote = is_initiator && pattern != CAIRN_NOISE_XX;
    const bool has_static =
        is_initiator ? pattern != CAIRN_NOISE_N && pattern != CAIRN_NOISE_NK : true;
    const struct cairn_noise_config config = {.pattern = pattern,
                                              .is_initiator = is_initiator,
                                              .static_secret = has_static ? &own : NULL,
                                              .remote_static = knows_remote ? &remote : NULL,
                                              .ephemeral_secret = &ephemeral};

    cairn_noise_init(noise, &config);
}

static void read_any(struct cairn_noise *reader, struct cairn_bytes message)
{
    uint8_t *payload = malloc(message.size + 1);
    struct cairn_writer writer;

    CAIRN_ASSERT(payload != NULL);
    cairn_writer_init(&writer, payload, message.size);
    if (cairn_noise_read(reader, message, &writer) != CAIRN_OK)
        CAIRN_ASSERT(writer.size == 0);
    free(payload);
}

/* The next message of `from`, changed: `to` takes it only when it is the honest one. */
static void message_pass(struct cairn_noise *from, struct cairn_noise *to,
                         struct cairn_bytes change)
{
    uint8_t message[MESSAGE_BYTES], payload[MESSAGE_BYTES];
    uint8_t plain[PAYLOAD_BYTES] = {9};
    struct cairn_writer writer;
    bool is_changed = false;

    cairn_writer_init(&writer, message, sizeof message);
    CAIRN_ASSERT(cairn_noise_write(from, (struct cairn_bytes){plain, sizeof plain}, &writer) ==
                 CAIRN_OK);
    size_t size = writer.size;
    for (size_t i = 0; i < change.size && i < size; i++) {
        message[i] ^= change.data[i];
        is_changed = is_changed || change.data[i] != 0;
    }
    cairn_writer_init(&writer, payload, sizeof payload);
    enum cairn_status status = cairn_noise_read(to, (struct cairn_bytes){message, size}, &writer);
    /* The top bit of a key is ignored by X25519, but it is hashed: changed is changed. */
    CAIRN_ASSERT((status == CAIRN_OK) == !is_changed);
    CAIRN_ASSERT(status != CAIRN_OK || memcmp(payload, plain, sizeof plain) == 0);
}

/* So many messages has a handshake. */
static const uint8_t message_counts[CAIRN_NOISE_PATTERN_COUNT] = {
    [CAIRN_NOISE_N] = 1,  [CAIRN_NOISE_X] = 1,  [CAIRN_NOISE_NK] = 2,
    [CAIRN_NOISE_XK] = 3, [CAIRN_NOISE_XX] = 3, [CAIRN_NOISE_IK] = 2};

/* Honest messages, and then a changed one. The first of XX has no key yet that would protect it. */
static void handshake_play(struct cairn_noise sides[2], enum cairn_noise_pattern pattern,
                           unsigned which, struct cairn_bytes change)
{
    unsigned changed = which % message_counts[pattern];

    if (pattern == CAIRN_NOISE_XX && changed == 0)
        changed = 1;
    for (unsigned i = 0; i < changed; i++)
        message_pass(&sides[i % 2], &sides[(i + 1) % 2], (struct cairn_bytes){NULL, 0});
    message_pass(&sides[changed % 2], &sides[(changed + 1) % 2], change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_noise sides[2]; /* initiator, responder */

    if (size < 1)
        return 0;
    const enum cairn_noise_pattern pattern =
        (enum cairn_noise_pattern)(data[0] % CAIRN_NOISE_PATTERN_COUNT);
    const struct cairn_bytes rest = {data + 1, size - 1};
    side_make(&sides[0], pattern, true);
    side_make(&sides[1], pattern, false);
    if (data[0] < 128)
        read_any(&sides[1], rest);
    else
        handshake_play(sides, pattern, data[0] / CAIRN_NOISE_PATTERN_COUNT, rest);
    cairn_noise_release(&sides[0]);
    cairn_noise_release(&sides[1]);
    return 0;
}
