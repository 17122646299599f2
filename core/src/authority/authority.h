/*
 * authority.h: who may do what. Grants, their chains up to the root, sequencers and schemas are
 * kept as evidence (SPEC.md section 7), whether they came in a log or alone; cuts, closes and
 * adoptions as tables that force.h reads.
 */

#ifndef CAIRN_AUTHORITY_H
#define CAIRN_AUTHORITY_H

#include "cairn/grant.h"
#include "log.h"
#include "verdict.h"

#define CAIRN_CHAIN_MAX 5 /* grants below the root */

/* Who writes: the root, or the holder of a grant. */
struct cairn_standing {
    bool is_root;
    struct cairn_sign_public seal_key;
    struct cairn_scope scope;
    uint64_t role; /* 0: root */
    uint64_t channels, rights;
    unsigned depth; /* grants below the root: 0 for the root */
    char tag[CAIRN_TAG_MAX + 1];
    struct cairn_grant grant; /* when not root; texts in the arena */
};

/* NOT_FOUND: neither the root of this network nor a grant held here. */
CAIRN_NODISCARD
enum cairn_status cairn_standing_get(struct cairn_context *ctx, const struct cairn_under *under,
                                     struct cairn_standing *out_standing);
/* May who has this standing give `role`? No office makes one nearer the root than itself: it would
 * sign that one's steps too. */
bool cairn_standing_may_make(const struct cairn_standing *author, uint64_t role);
/* Does `under` stand: does no grant of its chain lie behind the end of its author's log, held here
 * or not? That a grant was revoked acts through the cuts of the logs written under it. */
CAIRN_NODISCARD
enum cairn_status cairn_under_stands(struct cairn_context *ctx, const struct cairn_under *under,
                                     bool *out_stands);
/* The same of any evidence held here, written under `under`. */
CAIRN_NODISCARD
enum cairn_status cairn_evidence_stands(struct cairn_context *ctx, const struct cairn_ref *ref,
                                        const struct cairn_under *under, bool *out_stands);
/* Does `under` stand, and is it not revoked, as far as is known here? The root always. */
CAIRN_NODISCARD
enum cairn_status cairn_standing_in_force(struct cairn_context *ctx,
                                          const struct cairn_under *under, bool *out_in_force);

/* Does the word of authority entry (log, index), admitted before, still count? Not behind a cut of
 * its own log. */
CAIRN_NODISCARD
enum cairn_status cairn_author_counts(struct cairn_context *ctx, const struct cairn_hash *log_id,
                                      uint32_t index, bool *out_counts);
/* Visit the revocations of a grant that count: return other than OK to stop. */
typedef enum cairn_status cairn_revocation_fn(void *context, struct cairn_context *ctx,
                                              const struct cairn_hash *by_log, uint32_t by_index);
CAIRN_NODISCARD
enum cairn_status cairn_revocations_visit(struct cairn_context *ctx, const struct cairn_ref *grant,
                                          cairn_revocation_fn *visit, void *context);
CAIRN_NODISCARD
enum cairn_status cairn_grant_is_revoked(struct cairn_context *ctx, const struct cairn_ref *grant,
                                         bool *out_is_revoked);

/* The root statement of this network; NOT_FOUND before joining. Texts in the arena. */
CAIRN_NODISCARD
enum cairn_status cairn_root_get(struct cairn_context *ctx, struct cairn_root_statement *out_root,
                                 struct cairn_bytes *out_bytes);
CAIRN_NODISCARD
enum cairn_status cairn_root_put(struct cairn_context *ctx, struct cairn_bytes statement);

/*
 * The verdict on an authority entry: a function of the entry and its chain alone. WAITING where the
 * chain is not held. For a valid revocation, close, adoption: only those above.
 */
CAIRN_NODISCARD
enum cairn_status cairn_authority_judge(struct cairn_context *ctx, struct cairn_scope log_scope,
                                        const struct cairn_sign_public *device,
                                        const struct cairn_entry *entry,
                                        struct cairn_verdict *out_verdict);
/*
 * Take a valid authority entry into the tables. `link` is its evidence. *out_moves_force is set
 * when grants, cuts or adoptions changed what is in force (see force.h).
 */
CAIRN_NODISCARD
enum cairn_status cairn_authority_admit(struct cairn_context *ctx, const struct cairn_ref *ref,
                                        const struct cairn_link *link,
                                        const struct cairn_entry *entry, bool *out_moves_force);

/* An entry that was admitted has left its log: what it revoked, closed or adopted is as before.
 * Grants, sequencers and schemas stay: they are evidence, and stand by themselves. */
CAIRN_NODISCARD
enum cairn_status cairn_authority_forget(struct cairn_context *ctx, const struct cairn_ref *ref,
                                         const struct cairn_entry *entry);

/* The sequencer whose word holds for `scope`: that of the nearest scope at or above. NOT_FOUND. */
struct cairn_sequencer_info {
    struct cairn_ref ref;
    struct cairn_scope scope;
    uint64_t epoch;
    struct cairn_ref server;
    struct cairn_standing standing; /* of the server */
    char address[CAIRN_ADDRESS_MAX + 1];
};
CAIRN_NODISCARD
enum cairn_status cairn_sequencer_for(struct cairn_context *ctx, struct cairn_scope scope,
                                      struct cairn_sequencer_info *out_info);
/* The ref of the schema entry of `version`. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_schema_ref(struct cairn_context *ctx, uint64_t version,
                                   struct cairn_ref *out_ref);

/* The grant of a Noise key, or of a seal key. NOT_FOUND. */
CAIRN_NODISCARD
enum cairn_status cairn_grant_of_noise_key(struct cairn_context *ctx,
                                           const struct cairn_noise_key *key,
                                           struct cairn_ref *out_ref);
CAIRN_NODISCARD
enum cairn_status cairn_grant_of_seal_key(struct cairn_context *ctx,
                                          const struct cairn_sign_public *key,
                                          struct cairn_ref *out_ref);

/* Visit every grant held: return other than OK to stop. */
typedef enum cairn_status cairn_grant_fn(void *context, struct cairn_context *ctx,
                                         const struct cairn_ref *ref,
                                         const struct cairn_grant *grant);
CAIRN_NODISCARD
enum cairn_status cairn_grants_visit(struct cairn_context *ctx, cairn_grant_fn *visit,
                                     void *context);

#endif
