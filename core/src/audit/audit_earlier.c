/* Does the history at hand go on from the checkpoints that the auditor kept? Declared in
 * audit_internal.h. */

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "audit_internal.h"
#include "cairn/checkpoint.h"

/* ---- notes in a file ----------------------------------------------------------------------- */

/* U+2014 and a space: they begin the line of the signature (c2sp.org/signed-note). */
static const char signature_mark[] = "\xe2\x80\x94 ";
#define ORIGIN_MAX 128
#define KEY_ID_BYTES 4

/* A note, and what must be known of it before the key that reads it is found. */
struct note {
    const char *file_name;
    struct cairn_bytes bytes;
    struct cairn_bytes origin; /* its first line, without the newline */
    struct cairn_hash network;
    struct cairn_scope scope;
    uint64_t epoch;
    uint8_t key_id[KEY_ID_BYTES];
};

/* The line that begins at `at`, without its newline; false where none ends. */
static bool line_at(struct cairn_bytes bytes, size_t at, struct cairn_bytes *out_line)
{
    const uint8_t *end = at < bytes.size ? memchr(bytes.data + at, '\n', bytes.size - at) : NULL;

    if (end == NULL)
        return false;
    *out_line = (struct cairn_bytes){bytes.data + at, (size_t)(end - bytes.data) - at};
    return true;
}

/* The origin says of which network, scope and epoch; the rest of its form is cairn_note_read's. */
static bool origin_read(struct cairn_bytes origin, struct note *note)
{
    char text[ORIGIN_MAX + 1], network[65];
    unsigned channel;
    size_t size = 0;

    if (origin.size > ORIGIN_MAX)
        return false;
    memcpy(text, origin.data, origin.size);
    text[origin.size] = '\0';
    return sscanf(text, "cairn/%64[0-9a-f]/%12" SCNu64 "/%1u/%19" SCNu64, network,
                  &note->scope.code, &channel, &note->epoch) == 4 &&
           sodium_hex2bin(note->network.bytes, sizeof note->network.bytes, network, strlen(network),
                          NULL, &size, NULL) == 0 &&
           size == sizeof note->network.bytes;
}

/* Mark, name, and base64 of key id and signature. */
static bool signature_line_read(struct cairn_bytes line, struct note *note)
{
    size_t before = sizeof signature_mark - 1 + note->origin.size + 1;
    uint8_t key_id_and_signature[KEY_ID_BYTES + 64];
    size_t size = 0;

    if (line.size <= before ||
        sodium_base642bin(key_id_and_signature, sizeof key_id_and_signature,
                          (const char *)line.data + before, line.size - before, NULL, &size, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0 ||
        size != sizeof key_id_and_signature)
        return false;
    memcpy(note->key_id, key_id_and_signature, sizeof note->key_id);
    return true;
}

/* The note that begins at *at, which moves behind it; NOT_FOUND at the end, MALFORMED. */
static enum cairn_status note_next(struct cairn_bytes file, size_t *at, struct note *out_note)
{
    struct note note = {.file_name = out_note->file_name};
    const size_t mark_size = sizeof signature_mark - 1;
    struct cairn_bytes line;
    size_t begin = *at, end;

    while (begin < file.size && file.data[begin] == '\n')
        begin++;
    if (begin == file.size)
        return CAIRN_NOT_FOUND;
    if (!line_at(file, begin, &note.origin) || !origin_read(note.origin, &note))
        return CAIRN_MALFORMED;
    for (end = begin; line_at(file, end, &line); end += line.size + 1) {
        if (line.size < mark_size || memcmp(line.data, signature_mark, mark_size) != 0)
            continue;
        if (!signature_line_read(line, &note))
            return CAIRN_MALFORMED;
        *at = end + line.size + 1;
        note.bytes = (struct cairn_bytes){file.data + begin, *at - begin};
        *out_note = note;
        return CAIRN_OK;
    }
    return CAIRN_MALFORMED;
}

typedef enum cairn_status note_fn(struct cairn_auditor *audit, const struct note *note);

static enum cairn_status not_a_note(struct cairn_auditor *audit, const char *file_name)
{
    return cairn_fail(audit->outer, CAIRN_MALFORMED,
                      "%s is not a file of checkpoints that an audit saved, or it is damaged.",
                      file_name);
}

static enum cairn_status file_visit(struct cairn_auditor *audit, struct cairn_bytes file,
                                    const char *file_name, note_fn *visit)
{
    struct note note = {.file_name = file_name};
    enum cairn_status status;
    size_t at = 0;

    while ((status = note_next(file, &at, &note)) == CAIRN_OK)
        CAIRN_TRY(visit(audit, &note));
    if (status == CAIRN_MALFORMED)
        return not_a_note(audit, file_name);
    if (at == 0)
        return cairn_fail(audit->outer, CAIRN_BAD_INPUT, "%s holds no checkpoint.", file_name);
    return CAIRN_OK;
}

static enum cairn_status notes_visit(struct cairn_auditor *audit,
                                     const struct cairn_audit_earlier *earlier, note_fn *visit)
{
    for (size_t i = 0; i < earlier->count; i++)
        CAIRN_TRY(file_visit(audit, earlier->files[i], earlier->names[i], visit));
    return CAIRN_OK;
}

static enum cairn_status network_check(struct cairn_auditor *audit, const struct note *note)
{
    if (cairn_hash_equal(&note->network, &audit->ctx.network))
        return CAIRN_OK;
    return cairn_fail(audit->outer, CAIRN_REFUSED,
                      "%s holds a checkpoint of another network than that of the root key.",
                      note->file_name);
}

enum cairn_status cairn_audit_earlier_check(struct cairn_auditor *audit,
                                            const struct cairn_audit_earlier *earlier)
{
    return notes_visit(audit, earlier, network_check);
}

/* ---- who signed it ------------------------------------------------------------------------- */

/* Is that the key id of `key` (SPEC.md section 6)? */
static bool is_key_of(const void *context, const struct cairn_sign_public *key)
{
    static const uint8_t newline_and_algorithm[] = {0x0a, 0x01};
    const struct note *note = context;
    crypto_hash_sha256_state state;
    struct cairn_hash hash;

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, note->origin.data, note->origin.size);
    crypto_hash_sha256_update(&state, newline_and_algorithm, sizeof newline_and_algorithm);
    crypto_hash_sha256_update(&state, key->bytes, sizeof key->bytes);
    crypto_hash_sha256_final(&state, hash.bytes);
    return memcmp(hash.bytes, note->key_id, sizeof note->key_id) == 0;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void unknown_finding(struct cairn_auditor *audit, const struct note *note)
{
    struct cairn_err affects = {.translate = audit->err.translate};
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(note->scope, scope);
    cairn_fail(&affects, CAIRN_GAP,
               "The server's grant was left out here, or the file was altered since it was saved. "
               "Ask for a full bundle from somebody who holds more.");
    FINDING(audit, affects.text,
            "%s: a checkpoint of %s could not be compared: nothing here says that who signed it "
            "was its server.",
            note->file_name, scope);
}

static void shorter_finding(struct cairn_auditor *audit, const struct note *note,
                            const struct cairn_checkpoint *kept, uint64_t size_here)
{
    struct cairn_err affects = {.translate = audit->err.translate};
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(kept->scope, scope);
    cairn_fail(
        &affects, CAIRN_GAP,
        "What came after that was left out here, or cut. Ask for a full bundle from somebody "
        "who holds more; where nobody has it any more, the server has cut its history, and "
        "%s is the proof.",
        note->file_name);
    FINDING(audit, affects.text,
            "%s: the server signed %s/%s at size %llu; here it ends at size %llu.", note->file_name,
            scope, cairn_channel_name(kept->channel), (unsigned long long)kept->size,
            (unsigned long long)size_here);
}

#define ROOT_TEXT_BYTES sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)

static void other_history_finding(struct cairn_auditor *audit, const struct note *note,
                                  const struct cairn_checkpoint *kept,
                                  const struct cairn_scope_log *here,
                                  const struct cairn_hash *root_here)
{
    struct cairn_err affects = {.translate = audit->err.translate};
    char scope[CAIRN_SCOPE_TEXT_BYTES], roots[2][ROOT_TEXT_BYTES];

    cairn_scope_text(kept->scope, scope);
    sodium_bin2base64(roots[0], sizeof roots[0], kept->root.bytes, sizeof kept->root.bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(roots[1], sizeof roots[1], root_here->bytes, sizeof root_here->bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    cairn_fail(&affects, CAIRN_FORKED,
               "Keep %s and what was audited: the server signed both, and together they prove it. "
               "Rely on neither before the office above has looked.",
               note->file_name);
    FINDING(audit, affects.text,
            "%s: the server signed two histories of %s/%s: at size %llu its root is %s in the "
            "checkpoint that was kept, and %s in what it signed here at size %llu.",
            note->file_name, scope, cairn_channel_name(kept->channel),
            (unsigned long long)kept->size, roots[0], roots[1],
            (unsigned long long)here->tree.size);
}

static enum cairn_status history_compare(struct cairn_auditor *audit, const struct note *note,
                                         const struct cairn_checkpoint *kept)
{
    struct cairn_scope_log here;
    struct cairn_hash root;

    CAIRN_TRY(cairn_scope_log_load(&audit->ctx, kept->scope, kept->channel, &here));
    enum cairn_status status = cairn_scope_root_at(&audit->ctx, &here, kept->size, &root);
    if (status == CAIRN_NOT_FOUND) {
        shorter_finding(audit, note, kept, here.tree.size);
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    if (cairn_hash_equal(&root, &kept->root))
        audit->report.earlier_count++;
    else
        other_history_finding(audit, note, kept, &here, &root);
    return CAIRN_OK;
}

static enum cairn_status note_compare(struct cairn_auditor *audit, const struct note *note)
{
    struct cairn_checkpoint kept;
    struct cairn_signature signature;
    struct cairn_sign_public key;
    enum cairn_status status =
        cairn_audit_server_key(&audit->ctx, note->scope, note->epoch, is_key_of, note, &key);

    if (status == CAIRN_NOT_FOUND) {
        unknown_finding(audit, note);
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    if (cairn_note_read(note->bytes, &key, &kept, &signature) != CAIRN_OK)
        return not_a_note(audit, note->file_name);
    if (!cairn_checkpoint_verify(audit->ctx.verifier, &key, &kept, &signature))
        return cairn_fail(
            audit->outer, CAIRN_BAD_SIGNATURE,
            "%s: the signature under a checkpoint does not hold: the file was altered "
            "or damaged since it was saved.",
            note->file_name);
    CAIRN_TRY(cairn_audit_rests_add(audit, kept.scope, kept.size, kept.held, kept.held_count));
    return history_compare(audit, note, &kept);
}

enum cairn_status cairn_audit_earlier_report(struct cairn_auditor *audit,
                                             const struct cairn_audit_earlier *earlier)
{
    if (earlier->count == 0)
        return CAIRN_OK;
    CAIRN_TRY(cairn_context_begin(&audit->ctx, CAIRN_TXN_READ));
    enum cairn_status status = notes_visit(audit, earlier, note_compare);
    cairn_context_abort(&audit->ctx);
    return status;
}
