/* Does the history at hand go on from the checkpoints that the auditor kept? Declared in
 * audit_internal.h. */

#include <sodium.h>

#include "audit_internal.h"
#include "cairn/checkpoint.h"

/* ---- notes in a file ----------------------------------------------------------------------- */

struct kept {
    const char *file_name;
    struct cairn_note note;
};

typedef enum cairn_status note_fn(struct cairn_auditor *audit, const struct kept *kept);

static enum cairn_status file_visit(struct cairn_auditor *audit, struct cairn_bytes file,
                                    const char *file_name, note_fn *visit)
{
    struct kept kept = {.file_name = file_name};
    struct cairn_reader reader;
    size_t count = 0;

    for (cairn_reader_init(&reader, file); cairn_reader_left(&reader) > 0;) {
        if (reader.data[reader.pos] == '\n') { /* between two of them */
            cairn_read_u8(&reader);
            continue;
        }
        if (cairn_note_read(&reader, &kept.note) != CAIRN_OK)
            return cairn_fail(
                audit->outer, CAIRN_MALFORMED,
                "%s is not a file of checkpoints that an audit saved, or it is damaged.",
                file_name);
        count++;
        CAIRN_TRY(visit(audit, &kept));
    }
    if (count == 0)
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

static enum cairn_status network_check(struct cairn_auditor *audit, const struct kept *kept)
{
    if (cairn_hash_equal(&kept->note.checkpoint.network, &audit->ctx.network))
        return CAIRN_OK;
    return cairn_fail(audit->outer, CAIRN_REFUSED,
                      "%s holds a checkpoint of another network than that of the root key.",
                      kept->file_name);
}

enum cairn_status cairn_audit_earlier_check(struct cairn_auditor *audit,
                                            const struct cairn_audit_earlier *earlier)
{
    return notes_visit(audit, earlier, network_check);
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void unknown_finding(struct cairn_auditor *audit, const struct kept *kept)
{
    struct cairn_err affects = {.translate = audit->err.translate};
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(kept->note.checkpoint.scope, scope);
    cairn_fail(&affects, CAIRN_GAP,
               "The server's grant was left out here, or the file was altered since it was saved. "
               "Ask for a full bundle from somebody who holds more.");
    FINDING(audit, affects.text,
            "%s: a checkpoint of %s could not be compared: nothing here says that who signed it "
            "was its server.",
            kept->file_name, scope);
}

static void shorter_finding(struct cairn_auditor *audit, const struct kept *kept,
                            uint64_t size_here)
{
    const struct cairn_checkpoint *checkpoint = &kept->note.checkpoint;
    struct cairn_err affects = {.translate = audit->err.translate};
    char scope[CAIRN_SCOPE_TEXT_BYTES];

    cairn_scope_text(checkpoint->scope, scope);
    cairn_fail(
        &affects, CAIRN_GAP,
        "What came after that was left out here, or cut. Ask for a full bundle from somebody "
        "who holds more; where nobody has it any more, the server has cut its history, and "
        "%s is the proof.",
        kept->file_name);
    FINDING(audit, affects.text,
            "%s: the server signed %s/%s at size %llu; here it ends at size %llu.", kept->file_name,
            scope, cairn_channel_name(checkpoint->channel), (unsigned long long)checkpoint->size,
            (unsigned long long)size_here);
}

#define ROOT_TEXT_BYTES sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL)

static void other_history_finding(struct cairn_auditor *audit, const struct kept *kept,
                                  const struct cairn_scope_log *here,
                                  const struct cairn_hash *root_here)
{
    const struct cairn_checkpoint *checkpoint = &kept->note.checkpoint;
    struct cairn_err affects = {.translate = audit->err.translate};
    char scope[CAIRN_SCOPE_TEXT_BYTES], roots[2][ROOT_TEXT_BYTES];

    cairn_scope_text(checkpoint->scope, scope);
    sodium_bin2base64(roots[0], sizeof roots[0], checkpoint->root.bytes,
                      sizeof checkpoint->root.bytes, sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2base64(roots[1], sizeof roots[1], root_here->bytes, sizeof root_here->bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    cairn_fail(&affects, CAIRN_FORKED,
               "Keep %s and what was audited: the server signed both, and together they prove it. "
               "Rely on neither before the office above has looked.",
               kept->file_name);
    FINDING(audit, affects.text,
            "%s: the server signed two histories of %s/%s: at size %llu its root is %s in the "
            "checkpoint that was kept, and %s in what it signed here at size %llu.",
            kept->file_name, scope, cairn_channel_name(checkpoint->channel),
            (unsigned long long)checkpoint->size, roots[0], roots[1],
            (unsigned long long)here->tree.size);
}

static enum cairn_status history_compare(struct cairn_auditor *audit, const struct kept *kept)
{
    const struct cairn_checkpoint *checkpoint = &kept->note.checkpoint;
    struct cairn_scope_log here;
    struct cairn_hash root;

    CAIRN_TRY(cairn_scope_log_load(&audit->ctx, checkpoint->scope, checkpoint->channel, &here));
    enum cairn_status status = cairn_scope_root_at(&audit->ctx, &here, checkpoint->size, &root);
    if (status == CAIRN_NOT_FOUND) {
        shorter_finding(audit, kept, here.tree.size);
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    if (cairn_hash_equal(&root, &checkpoint->root))
        audit->report.earlier_count++;
    else
        other_history_finding(audit, kept, &here, &root);
    return CAIRN_OK;
}

static bool is_key_of(const void *context, const struct cairn_sign_public *key)
{
    return cairn_note_is_of(context, key);
}

static enum cairn_status note_compare(struct cairn_auditor *audit, const struct kept *kept)
{
    const struct cairn_checkpoint *checkpoint = &kept->note.checkpoint;
    struct cairn_sign_public key;
    enum cairn_status status = cairn_audit_server_key(
        &audit->ctx, checkpoint->scope, checkpoint->epoch, is_key_of, &kept->note, &key);

    if (status == CAIRN_NOT_FOUND) {
        unknown_finding(audit, kept);
        return CAIRN_OK;
    }
    CAIRN_TRY(status);
    if (!cairn_checkpoint_verify(audit->ctx.verifier, &key, checkpoint, &kept->note.signature))
        return cairn_fail(
            audit->outer, CAIRN_BAD_SIGNATURE,
            "%s: the signature under a checkpoint does not hold: the file was altered "
            "or damaged since it was saved.",
            kept->file_name);
    CAIRN_TRY(cairn_audit_rests_add(audit, checkpoint->scope, checkpoint->size, checkpoint->held,
                                    checkpoint->held_count));
    return history_compare(audit, kept);
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
