/*
 * Any bytes as a signed statement: the first byte picks a root statement, a request file, a
 * checkpoint's note, a COSE_Sign1 message or a key file. What is accepted is written again byte for
 * byte.
 */

#include <stdlib.h>
#include <string.h>

#include "cairn/checkpoint.h"
#include "cairn/keys.h"
#include "cairn/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM_BYTES 8192

static uint8_t room[ROOM_BYTES];

static void same(const struct cairn_writer *writer, struct cairn_bytes input)
{
    CAIRN_ASSERT(!writer->overflowed);
    CAIRN_ASSERT(cairn_bytes_equal(cairn_writer_bytes(writer), input));
}

static void root_try(struct cairn_bytes input, struct cairn_writer *writer)
{
    struct cairn_root_statement root;

    if (cairn_root_statement_read(input, &root) != CAIRN_OK)
        return;
    cairn_root_statement_write(writer, &root);
    same(writer, input);
}

/* Only the owner of its key could write it again: what is read must lie inside the file. */
static void request_try(struct cairn_bytes input)
{
    struct cairn_request_statement request;
    struct cairn_verifier verifier;

    cairn_verifier_init(&verifier);
    if (cairn_request_file_read(&verifier, input, &request) != CAIRN_OK)
        return;
    CAIRN_ASSERT(request.name.data >= input.data);
    CAIRN_ASSERT(request.name.data + request.name.size <= input.data + input.size);
    CAIRN_ASSERT(request.name.size <= CAIRN_NAME_MAX);
}

static void note_try(struct cairn_bytes input, struct cairn_writer *writer)
{
    struct cairn_sign_public key;
    struct cairn_reader reader;
    struct cairn_note note;

    memset(&key, 0x42, sizeof key);
    cairn_reader_init(&reader, input);
    if (cairn_note_read(&reader, &note) != CAIRN_OK || !cairn_note_is_of(&note, &key))
        return;
    cairn_note_write(writer, &note.checkpoint, &key, &note.signature);
    same(writer, (struct cairn_bytes){input.data, reader.pos});
}

/* The tag in front may be left out. */
static void cose_try(struct cairn_bytes input, struct cairn_writer *writer)
{
    struct cairn_cose_sign1 sign1;

    if (cairn_cose_sign1_read(input, &sign1) != CAIRN_OK || input.size > ROOM_BYTES - 8)
        return;
    cairn_cose_sign1_write(writer, &sign1);
    CAIRN_ASSERT(writer->size - input.size <= 1);
    CAIRN_ASSERT(memcmp(room + writer->size - input.size, input.data, input.size) == 0);
}

/* An open key file; a sealed one would take a second each. */
static void keys_try(struct cairn_bytes input, struct cairn_writer *writer)
{
    static const uint8_t entropy[40] = {0};
    struct cairn_keys keys;
    unsigned sealing = 9;

    enum cairn_status told = cairn_keys_sealing(input, &sealing);
    enum cairn_status status = cairn_keys_read(input, (struct cairn_bytes){NULL, 0}, &keys);
    CAIRN_ASSERT(status == CAIRN_OK || status == CAIRN_MALFORMED || status == CAIRN_NO_KEY);
    CAIRN_ASSERT(told == CAIRN_OK || status == CAIRN_MALFORMED);
    if (status != CAIRN_OK)
        return;
    CAIRN_ASSERT(sealing == 0);
    CAIRN_ASSERT(cairn_keys_write(&keys, (struct cairn_bytes){NULL, 0}, entropy, writer) ==
                 CAIRN_OK);
    same(writer, input);
    cairn_keys_release(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_writer writer;

    if (size < 1)
        return 0;
    struct cairn_bytes input = {data + 1, size - 1};
    cairn_writer_init(&writer, room, sizeof room);
    switch (data[0] % 5) {
    case 0:
        root_try(input, &writer);
        break;
    case 1:
        request_try(input);
        break;
    case 2:
        note_try(input, &writer);
        break;
    case 3:
        cose_try(input, &writer);
        break;
    default:
        keys_try(input, &writer);
        break;
    }
    return 0;
}
