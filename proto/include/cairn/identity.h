/*
 * cairn/identity.h: scopes, channels, dots, and the statements that give things their names
 * (SPEC.md sections 1 and 2).
 *
 * Memory: borrowed; nothing allocates. Threads: pure functions.
 */

#ifndef CAIRN_IDENTITY_H
#define CAIRN_IDENTITY_H

#include "cairn/bytes.h"
#include "cairn/noise.h"
#include "cairn/sign.h"

/* An administrative code of 2, 4, 6, 9 or 12 digits as a number; 0 is everything. */
struct cairn_scope {
    uint64_t code;
};

/* True for 0 and for codes of a length that exists whose first two digits are at least 11. */
bool cairn_scope_is_valid(struct cairn_scope scope);
/* True when `inner` equals `outer` or has it as a prefix. */
bool cairn_scope_contains(struct cairn_scope outer, struct cairn_scope inner);
/* The next shorter code that contains it: 12 -> 9 -> 6 -> 4 -> 2 digits -> 0; 0 of 0. */
struct cairn_scope cairn_scope_parent(struct cairn_scope scope);
/* Decimal digits, "0" for everything; NUL-terminated. */
#define CAIRN_SCOPE_TEXT_BYTES 21
void cairn_scope_text(struct cairn_scope scope, char out_text[static CAIRN_SCOPE_TEXT_BYTES]);
/* False unless `text` is exactly the digits of a valid scope. */
bool cairn_scope_parse(const char *text, struct cairn_scope *out_scope);

enum cairn_channel {
    CAIRN_CHANNEL_AUTHORITY = 0,
    CAIRN_CHANNEL_RECORDS = 1,
    CAIRN_CHANNEL_FUNDS = 2,
    CAIRN_CHANNEL_COUNT
};

/* Names an authority entry so that it can be checked alone. */
struct cairn_ref {
    struct cairn_hash log;
    uint32_t index;
    struct cairn_hash leaf;
};
bool cairn_ref_equal(const struct cairn_ref *a, const struct cairn_ref *b);

/* Size and root of a log. */
struct cairn_head {
    struct cairn_hash log;
    uint32_t size;
    struct cairn_hash root;
};

struct cairn_incarnation {
    uint8_t bytes[16];
};

void cairn_ref_write(struct cairn_writer *writer, const struct cairn_ref *ref);
struct cairn_ref cairn_ref_read(struct cairn_reader *reader);
void cairn_head_write(struct cairn_writer *writer, const struct cairn_head *head);
struct cairn_head cairn_head_read(struct cairn_reader *reader);
/* Fail the reader unless the code is valid. */
struct cairn_scope cairn_scope_read(struct cairn_reader *reader);

#define CAIRN_NAME_MAX 128
#define CAIRN_TAG_MAX 4
#define CAIRN_ROOT_KEYS_MAX 16
#define CAIRN_STATEMENT_MAX 1024 /* bytes of a root statement or a request */

struct cairn_root_statement {
    struct cairn_scope scope;
    unsigned threshold; /* k */
    unsigned key_count; /* n */
    struct cairn_sign_public keys[CAIRN_ROOT_KEYS_MAX];
    struct cairn_incarnation salt; /* the 16 random bytes */
    struct cairn_bytes name;       /* borrowed text */
    struct cairn_hash network;     /* filled by the reader: H of the bytes */
};
/* MALFORMED for another shape; REFUSED for a key that is no good point or stands there twice, or
 * when not 1 <= k <= n. */
CAIRN_NODISCARD
enum cairn_status cairn_root_statement_read(struct cairn_bytes bytes,
                                            struct cairn_root_statement *out_statement);
void cairn_root_statement_write(struct cairn_writer *writer,
                                const struct cairn_root_statement *statement);

struct cairn_device_keys {
    struct cairn_sign_public seal;
    struct cairn_noise_key noise;
    struct cairn_noise_key bundle;
    struct cairn_sign_public checkpoint;
};
struct cairn_request_statement {
    struct cairn_bytes name; /* borrowed text */
    struct cairn_device_keys keys;
    struct cairn_hash hash; /* filled by the reader: H of the statement, for the fingerprint */
};
/* A request file: the statement and its self-signature. MALFORMED for another shape, REFUSED for
 * any of the four keys that is no good point, BAD_SIGNATURE when the seal key did not sign it. */
CAIRN_NODISCARD
enum cairn_status cairn_request_file_read(const struct cairn_verifier *verifier,
                                          struct cairn_bytes bytes,
                                          struct cairn_request_statement *out_request);
/* H of the statement that a file of this request would hold: as `hash` of one that was read. */
struct cairn_hash cairn_request_hash(const struct cairn_request_statement *request);
void cairn_request_file_write(struct cairn_writer *writer,
                              const struct cairn_request_statement *request,
                              const struct cairn_sign_secret *secret);

struct cairn_hash cairn_log_id(const struct cairn_hash *network,
                               const struct cairn_sign_public *device, struct cairn_scope scope,
                               enum cairn_channel channel,
                               const struct cairn_incarnation *incarnation);

/* "7QKD-2MXA-PT4R-9C0E": the first 80 bits in Crockford base32. */
#define CAIRN_FINGERPRINT_BYTES 20
void cairn_fingerprint(const struct cairn_hash *hash,
                       char out_text[static CAIRN_FINGERPRINT_BYTES]);

#endif
