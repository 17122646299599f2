/* audit_internal.h: an audit under way, shared by the files of this folder. */

#ifndef CAIRN_AUDIT_INTERNAL_H
#define CAIRN_AUDIT_INTERNAL_H

#include "replica_internal.h"

struct cairn_auditor {
    const struct cairn_audit_visitor *visitor;
    struct cairn_audit_report report;
    struct cairn_store *store;
    struct cairn_verifier verifier;
    struct cairn_context ctx;
    struct cairn_err err;                 /* of the step under way */
    struct cairn_err *outer;              /* the caller's: its language */
    uint64_t entries_done, entries_total; /* the total is a guess by the files' sizes */
    struct cairn_buffer rests;            /* struct cairn_audit_rest, in any order */
};

/* What a server signed that a checkpoint of it rests on: so many entries of an authority log. */
struct cairn_audit_rest {
    struct cairn_hash log;
    uint32_t size;
    struct cairn_scope scope; /* of the checkpoint, and its size */
    uint64_t scope_size;
};

/* Count a finding and hand it to the visitor; `affects` may be NULL. */
void cairn_audit_finding(struct cairn_auditor *audit, const char *text, const char *affects);

/* A finding whose sentence has arguments: made through an error text, so that it is translated. */
#define FINDING(audit, affects, ...)                                    \
    do {                                                                \
        struct cairn_err text_ = {.translate = (audit)->err.translate}; \
        cairn_fail(&text_, CAIRN_BAD_SIGNATURE, __VA_ARGS__);           \
        cairn_audit_finding((audit), text_.text, (affects));            \
    } while (0)

/* Remember what a checkpoint rests on whose signature holds. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status cairn_audit_rests_add(struct cairn_auditor *audit, struct cairn_scope scope,
                                        uint64_t scope_size, const struct cairn_held *held,
                                        size_t held_count);
/*
 * A finding for each authority log that was remembered so and is not here as far: what a
 * checkpoint rests on was left out, and may be a revocation. What lies behind a cut or a fork is
 * not missed, as it counts for nothing. Within a unit of work.
 */
CAIRN_NODISCARD enum cairn_status cairn_audit_rests_report(struct cairn_auditor *audit);

/* The tag of who writes the authority log `id`, held here or known by what came alone of it, else
 * how its id begins. Within a unit of work that writes. */
CAIRN_NODISCARD
enum cairn_status cairn_audit_log_name(struct cairn_context *ctx, const struct cairn_hash *id,
                                       char out_name[static 20]);

/*
 * A finding for each history that a device signed beside another, and for each authority log of
 * which two entries of one place are evidence here: as links they come without their logs. Within a
 * unit of work that writes.
 */
CAIRN_NODISCARD enum cairn_status cairn_audit_forks_report(struct cairn_auditor *audit);

/*
 * Are the files that were kept earlier what they should be, as far as they tell by themselves?
 * BAD_INPUT, MALFORMED, REFUSED (another network): the caller's err names the file.
 */
CAIRN_NODISCARD
enum cairn_status cairn_audit_earlier_check(struct cairn_auditor *audit,
                                            const struct cairn_audit_earlier *earlier);
/*
 * When everything was taken in: compare each earlier checkpoint with the history at hand; a finding
 * where they do not fit. What it rests on is remembered. MALFORMED, BAD_SIGNATURE: the file is not
 * what it was; the caller's err names it.
 */
CAIRN_NODISCARD
enum cairn_status cairn_audit_earlier_report(struct cairn_auditor *audit,
                                             const struct cairn_audit_earlier *earlier);

/*
 * The checkpoint key, among those of all servers that ever had `scope` or one above it in that
 * epoch, which `fits`; what was cut or taken over since makes no difference to what was signed.
 * Within a unit of work. NOT_FOUND: there is none here.
 */
typedef bool cairn_audit_key_fn(const void *context, const struct cairn_sign_public *key);
CAIRN_NODISCARD
enum cairn_status cairn_audit_server_key(struct cairn_context *ctx, struct cairn_scope scope,
                                         uint64_t epoch, cairn_audit_key_fn *fits,
                                         const void *context, struct cairn_sign_public *out_key);

/*
 * Look through the store that everything was taken into: fills audit->report, tells the visitor,
 * and appends a note of every newest checkpoint to `notes`.
 */
CAIRN_NODISCARD
enum cairn_status cairn_audit_report_gather(struct cairn_auditor *audit,
                                            struct cairn_buffer *notes);

#endif
