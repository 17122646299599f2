/*
 * cairn/checkpoint.h: the signed head of a scope log, a C2SP signed note over a tlog-checkpoint
 * (SPEC.md section 6, c2sp.org/tlog-checkpoint, c2sp.org/signed-note).
 *
 * Memory: borrowed. Threads: pure functions.
 */

#ifndef CAIRN_CHECKPOINT_H
#define CAIRN_CHECKPOINT_H

#include "cairn/identity.h"

#define CAIRN_HELD_MAX 64 /* authority logs above one scope; more is malformed */
#define CAIRN_KEY_ID_BYTES 4
#define CAIRN_NOTE_MAX (512 + CAIRN_HELD_MAX * 80)

struct cairn_held {
    struct cairn_hash log;
    uint32_t size;
};

struct cairn_checkpoint {
    struct cairn_hash network;
    struct cairn_scope scope;
    enum cairn_channel channel;
    uint64_t epoch;
    uint64_t size;
    struct cairn_hash root;
    uint64_t time_s;
    struct cairn_hash digest;
    size_t held_count;
    struct cairn_held held[CAIRN_HELD_MAX]; /* strictly ascending by log id */
};

/* The text that is signed, final newline included (everything before the blank line). A checkpoint
 * has none when its scope, channel or held list is not as above: asserted, here and by the others
 * that write or sign. */
void cairn_checkpoint_body_write(struct cairn_writer *writer,
                                 const struct cairn_checkpoint *checkpoint);
void cairn_checkpoint_sign(const struct cairn_sign_secret *secret,
                           const struct cairn_checkpoint *checkpoint,
                           struct cairn_signature *out_signature);
/* Did the holder of `key` sign it? False too for a checkpoint that has no text. Only for keys that
 * passed cairn_sign_key_check(), as cairn_verify(). */
bool cairn_checkpoint_verify(const struct cairn_verifier *verifier,
                             const struct cairn_sign_public *key,
                             const struct cairn_checkpoint *checkpoint,
                             const struct cairn_signature *signature);

/* The whole note: body, blank line, one signature line; at most CAIRN_NOTE_MAX bytes. Text, not
 * NUL-terminated. */
void cairn_note_write(struct cairn_writer *writer, const struct cairn_checkpoint *checkpoint,
                      const struct cairn_sign_public *key, const struct cairn_signature *signature);

/* A note as it was read: whose it is only the key id says. */
struct cairn_note {
    struct cairn_checkpoint checkpoint;
    uint8_t key_id[CAIRN_KEY_ID_BYTES];
    struct cairn_signature signature;
};
/* The note that stands next, of exactly our form; the signature is NOT checked. MALFORMED: none
 * does, and the reader fails. */
CAIRN_NODISCARD
enum cairn_status cairn_note_read(struct cairn_reader *notes, struct cairn_note *out_note);
/* Is its key id that of `key`? */
bool cairn_note_is_of(const struct cairn_note *note, const struct cairn_sign_public *key);

#endif
