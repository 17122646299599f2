/* audit_internal.h: an audit under way, shared by audit.c and audit_report.c. */

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

/*
 * Look through the store that everything was taken into: fills audit->report, tells the visitor,
 * and appends a note of every newest checkpoint to `notes`.
 */
CAIRN_NODISCARD
enum cairn_status cairn_audit_report_gather(struct cairn_auditor *audit,
                                            struct cairn_buffer *notes);

#endif
