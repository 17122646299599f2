/*
 * noise_pair.h: both sides of a handshake in one place, for the tests of the engine.
 *
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TEST_NOISE_PAIR_H
#define CAIRN_TEST_NOISE_PAIR_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cairn/noise.h"

#define MESSAGE_MAX 1024 /* of the messages here; the published ones have at most 128 bytes */

static const unsigned message_counts[CAIRN_NOISE_PATTERN_COUNT] = {
    [CAIRN_NOISE_N] = 1,  [CAIRN_NOISE_X] = 1,  [CAIRN_NOISE_NK] = 2,
    [CAIRN_NOISE_XK] = 3, [CAIRN_NOISE_XX] = 3, [CAIRN_NOISE_IK] = 2,
};

/* Both sides of one handshake; side 0 is the initiator. */
struct pair {
    struct cairn_noise side[2];
};

struct message {
    uint8_t data[MESSAGE_MAX];
    size_t size;
};

static inline struct cairn_bytes message_bytes(const struct message *message)
{
    return (struct cairn_bytes){message->data, message->size};
}

static inline struct message write_message(struct cairn_noise *noise, struct cairn_bytes payload)
{
    struct message message;
    struct cairn_writer out;
    size_t overhead = cairn_noise_overhead(noise);

    cairn_writer_init(&out, message.data, sizeof(message.data));
    assert_true(cairn_noise_is_writer_next(noise));
    assert_int_equal(cairn_noise_write(noise, payload, &out), CAIRN_OK);
    assert_int_equal(out.size, payload.size + overhead);
    message.size = out.size;
    return message;
}

/* What reading gives; a refused message must leave no payload behind. */
static inline enum cairn_status read_message(struct cairn_noise *noise, struct cairn_bytes message,
                                             struct message *out_payload)
{
    struct cairn_writer out;
    enum cairn_status status = CAIRN_OK;

    cairn_writer_init(&out, out_payload->data, sizeof(out_payload->data));
    status = cairn_noise_read(noise, message, &out);
    if (status != CAIRN_OK)
        assert_int_equal(out.size, 0);
    out_payload->size = out.size;
    return status;
}

static inline enum cairn_status read_status(struct cairn_noise *noise, struct cairn_bytes message)
{
    struct message payload;

    return read_message(noise, message, &payload);
}

#endif
