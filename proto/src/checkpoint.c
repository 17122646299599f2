#include "cairn/checkpoint.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* "cairn/", 64 hex digits, scope, channel and epoch in decimal, the slashes between them, NUL. */
#define ORIGIN_MAX 128

enum { BASE64 = sodium_base64_VARIANT_ORIGINAL, HASH_HEX = 64 };
#define HASH_BASE64 (sodium_base64_ENCODED_LEN(32, BASE64) - 1)

/* What stands in the base64 of a signature line (c2sp.org/signed-note, "Signatures"). */
struct note_signature {
    uint8_t key_id[CAIRN_KEY_ID_BYTES];
    uint8_t signature[64];
};
#define SIGNATURE_BASE64 (sodium_base64_ENCODED_LEN(sizeof(struct note_signature), BASE64) - 1)
_Static_assert(sizeof(struct note_signature) == 68, "no padding: it is encoded as it stands");

/* U+2014 and a space begin a signature line. */
static const char signature_mark[] = "\xe2\x80\x94 ";

/* Has `checkpoint` one text, and one that fits into CAIRN_NOTE_MAX? */
static bool is_writable(const struct cairn_checkpoint *checkpoint)
{
    if (!cairn_scope_is_valid(checkpoint->scope) || checkpoint->channel >= CAIRN_CHANNEL_COUNT ||
        checkpoint->held_count > CAIRN_HELD_MAX)
        return false;
    for (size_t i = 1; i < checkpoint->held_count; i++)
        if (cairn_hash_compare(&checkpoint->held[i - 1].log, &checkpoint->held[i].log) >= 0)
            return false;
    return true;
}

static void write_text(struct cairn_writer *writer, const char *text)
{
    cairn_write_bytes(writer, text, strlen(text));
}

static void write_number(struct cairn_writer *writer, uint64_t value)
{
    char text[21];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    write_text(writer, text);
}

static void write_hex(struct cairn_writer *writer, const struct cairn_hash *hash)
{
    char text[HASH_HEX + 1];

    write_text(writer, sodium_bin2hex(text, sizeof(text), hash->bytes, sizeof(hash->bytes)));
}

static void write_base64(struct cairn_writer *writer, const struct cairn_hash *hash)
{
    char text[HASH_BASE64 + 1];

    write_text(writer,
               sodium_bin2base64(text, sizeof(text), hash->bytes, sizeof(hash->bytes), BASE64));
}

/* The first line, without its newline. It names the log and, in the signature line, the key. */
static void write_origin(struct cairn_writer *writer, const struct cairn_checkpoint *checkpoint)
{
    write_text(writer, "cairn/");
    write_hex(writer, &checkpoint->network);
    write_text(writer, "/");
    write_number(writer, checkpoint->scope.code);
    write_text(writer, "/");
    write_number(writer, checkpoint->channel);
    write_text(writer, "/");
    write_number(writer, checkpoint->epoch);
}

void cairn_checkpoint_body_write(struct cairn_writer *writer,
                                 const struct cairn_checkpoint *checkpoint)
{
    CAIRN_ASSERT(is_writable(checkpoint));

    write_origin(writer, checkpoint);
    write_text(writer, "\n");
    write_number(writer, checkpoint->size);
    write_text(writer, "\n");
    write_base64(writer, &checkpoint->root);
    write_text(writer, "\ntime ");
    write_number(writer, checkpoint->time_s);
    write_text(writer, "\nstate ");
    write_base64(writer, &checkpoint->digest);
    write_text(writer, "\nheld");
    for (size_t i = 0; i < checkpoint->held_count; i++) {
        write_text(writer, " ");
        write_hex(writer, &checkpoint->held[i].log);
        write_text(writer, ":");
        write_number(writer, checkpoint->held[i].size);
    }
    write_text(writer, "\n");
}

static struct cairn_bytes checkpoint_body(const struct cairn_checkpoint *checkpoint,
                                          uint8_t out_body[static CAIRN_NOTE_MAX])
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, out_body, CAIRN_NOTE_MAX);
    cairn_checkpoint_body_write(&writer, checkpoint);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_writer_bytes(&writer);
}

void cairn_checkpoint_sign(const struct cairn_sign_secret *secret,
                           const struct cairn_checkpoint *checkpoint,
                           struct cairn_signature *out_signature)
{
    uint8_t buffer[CAIRN_NOTE_MAX];

    cairn_sign(secret, checkpoint_body(checkpoint, buffer), out_signature);
}

bool cairn_checkpoint_verify(const struct cairn_verifier *verifier,
                             const struct cairn_sign_public *key,
                             const struct cairn_checkpoint *checkpoint,
                             const struct cairn_signature *signature)
{
    uint8_t buffer[CAIRN_NOTE_MAX];

    /* Its parts may come from a peer: nobody can have signed what has no text. */
    if (!is_writable(checkpoint))
        return false;
    return cairn_verify(verifier, key, checkpoint_body(checkpoint, buffer), signature);
}

/* The first bytes of H(name || 0x0a || 0x01 || key); 0x01 is Ed25519 (c2sp.org/signed-note). */
static void make_key_id(const struct cairn_checkpoint *checkpoint,
                        const struct cairn_sign_public *key,
                        uint8_t out_key_id[static CAIRN_KEY_ID_BYTES])
{
    static const uint8_t newline_and_algorithm[] = {0x0a, 0x01};
    uint8_t name_buffer[ORIGIN_MAX];
    crypto_hash_sha256_state state;
    struct cairn_writer name;
    struct cairn_hash hash;

    cairn_writer_init(&name, name_buffer, sizeof(name_buffer));
    write_origin(&name, checkpoint);
    CAIRN_ASSERT(!name.overflowed);

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, name_buffer, name.size);
    crypto_hash_sha256_update(&state, newline_and_algorithm, sizeof(newline_and_algorithm));
    crypto_hash_sha256_update(&state, key->bytes, sizeof(key->bytes));
    crypto_hash_sha256_final(&state, hash.bytes);
    memcpy(out_key_id, hash.bytes, CAIRN_KEY_ID_BYTES);
}

static void note_write(struct cairn_writer *writer, const struct cairn_note *note)
{
    char base64[SIGNATURE_BASE64 + 1];
    struct note_signature line;

    memcpy(line.key_id, note->key_id, sizeof(line.key_id));
    memcpy(line.signature, note->signature.bytes, sizeof(line.signature));
    cairn_checkpoint_body_write(writer, &note->checkpoint);
    write_text(writer, "\n");
    write_text(writer, signature_mark);
    write_origin(writer, &note->checkpoint);
    write_text(writer, " ");
    write_text(writer, sodium_bin2base64(base64, sizeof(base64), (const unsigned char *)&line,
                                         sizeof(line), BASE64));
    write_text(writer, "\n");
}

void cairn_note_write(struct cairn_writer *writer, const struct cairn_checkpoint *checkpoint,
                      const struct cairn_sign_public *key, const struct cairn_signature *signature)
{
    struct cairn_note note = {.checkpoint = *checkpoint, .signature = *signature};

    make_key_id(checkpoint, key, note.key_id);
    note_write(writer, &note);
}

bool cairn_note_is_of(const struct cairn_note *note, const struct cairn_sign_public *key)
{
    uint8_t key_id[CAIRN_KEY_ID_BYTES];

    make_key_id(&note->checkpoint, key, key_id);
    return memcmp(key_id, note->key_id, sizeof(key_id)) == 0;
}

static void expect_text(struct cairn_reader *reader, const char *text)
{
    if (!cairn_bytes_equal(cairn_read_bytes(reader, strlen(text)), cairn_bytes_of_text(text)))
        cairn_reader_fail(reader);
}

/* The byte that comes next, without moving; 0 where there is none. */
static uint8_t next_byte(const struct cairn_reader *reader)
{
    struct cairn_reader ahead = *reader;

    return cairn_read_u8(&ahead);
}

/* As many decimal digits as there are; none, or leading zeros, show when written again. */
static uint64_t read_number(struct cairn_reader *reader)
{
    uint64_t value = 0;

    while (next_byte(reader) >= '0' && next_byte(reader) <= '9') {
        uint64_t digit = (uint64_t)cairn_read_u8(reader) - '0';

        if (value > (UINT64_MAX - digit) / 10) {
            cairn_reader_fail(reader);
            return 0;
        }
        value = value * 10 + digit;
    }
    return value;
}

static struct cairn_hash read_hex(struct cairn_reader *reader)
{
    struct cairn_bytes text = cairn_read_bytes(reader, HASH_HEX);
    struct cairn_hash hash = {{0}};
    size_t size = 0;

    if (sodium_hex2bin(hash.bytes, sizeof(hash.bytes), (const char *)text.data, text.size, NULL,
                       &size, NULL) != 0 ||
        size != sizeof(hash.bytes))
        cairn_reader_fail(reader);
    return hash;
}

/* Base64 of `text_bytes` characters that must stand for `size` bytes. */
static void read_base64(struct cairn_reader *reader, size_t text_bytes, void *out, size_t size)
{
    struct cairn_bytes text = cairn_read_bytes(reader, text_bytes);
    size_t found = 0;

    if (reader->failed ||
        sodium_base642bin(out, size, (const char *)text.data, text.size, NULL, &found, NULL,
                          BASE64) != 0 ||
        found != size)
        cairn_reader_fail(reader);
}

/* The rest of the line that begins with "held". */
static void read_held(struct cairn_reader *reader, struct cairn_checkpoint *checkpoint)
{
    while (next_byte(reader) == ' ') {
        struct cairn_held held;
        uint64_t size;

        expect_text(reader, " ");
        held.log = read_hex(reader);
        expect_text(reader, ":");
        size = read_number(reader);
        if (size > UINT32_MAX || checkpoint->held_count == CAIRN_HELD_MAX) {
            cairn_reader_fail(reader);
            return;
        }
        held.size = (uint32_t)size;
        checkpoint->held[checkpoint->held_count++] = held;
    }
    expect_text(reader, "\n");
}

static void read_body(struct cairn_reader *reader, struct cairn_checkpoint *checkpoint)
{
    uint64_t channel;

    expect_text(reader, "cairn/");
    checkpoint->network = read_hex(reader);
    expect_text(reader, "/");
    checkpoint->scope.code = read_number(reader);
    expect_text(reader, "/");
    channel = read_number(reader);
    if (channel >= CAIRN_CHANNEL_COUNT)
        cairn_reader_fail(reader);
    else
        checkpoint->channel = (enum cairn_channel)channel;
    expect_text(reader, "/");
    checkpoint->epoch = read_number(reader);
    expect_text(reader, "\n");
    checkpoint->size = read_number(reader);
    expect_text(reader, "\n");
    read_base64(reader, HASH_BASE64, checkpoint->root.bytes, sizeof(checkpoint->root.bytes));
    expect_text(reader, "\ntime ");
    checkpoint->time_s = read_number(reader);
    expect_text(reader, "\nstate ");
    read_base64(reader, HASH_BASE64, checkpoint->digest.bytes, sizeof(checkpoint->digest.bytes));
    expect_text(reader, "\nheld");
    read_held(reader, checkpoint);
}

/* Skips the name: writing the note again shows whether it is the one. */
static void read_signature_line(struct cairn_reader *reader, struct cairn_note *note)
{
    struct note_signature line;
    uint8_t byte;

    expect_text(reader, signature_mark);
    do {
        byte = cairn_read_u8(reader);
    } while (byte != ' ' && !reader->failed);
    read_base64(reader, SIGNATURE_BASE64, &line, sizeof(line));
    expect_text(reader, "\n");
    if (reader->failed)
        return;
    memcpy(note->key_id, line.key_id, sizeof(note->key_id));
    memcpy(note->signature.bytes, line.signature, sizeof(note->signature.bytes));
}

enum cairn_status cairn_note_read(struct cairn_reader *notes, struct cairn_note *out_note)
{
    struct cairn_note note = {.checkpoint = {.held_count = 0}};
    size_t begin = notes->pos;
    uint8_t buffer[CAIRN_NOTE_MAX];
    struct cairn_writer again;

    read_body(notes, &note.checkpoint);
    expect_text(notes, "\n");
    read_signature_line(notes, &note);
    if (notes->failed || !is_writable(&note.checkpoint)) {
        cairn_reader_fail(notes);
        return CAIRN_MALFORMED;
    }

    /* One encoding: what was read, written again, must be the note. */
    const struct cairn_bytes read = {notes->data + begin, notes->pos - begin};
    cairn_writer_init(&again, buffer, sizeof(buffer));
    note_write(&again, &note);
    CAIRN_ASSERT(!again.overflowed);
    if (!cairn_bytes_equal(read, cairn_writer_bytes(&again))) {
        cairn_reader_fail(notes);
        return CAIRN_MALFORMED;
    }
    *out_note = note;
    return CAIRN_OK;
}
