/*
 * holder.h: a bare store that takes pieces in, as a replica that follows a network does, and says
 * what it then holds in words that do not depend on the order of arrival.
 *
 * Memory:  texts given out are the caller's to free.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_HOLDER_H
#define CAIRN_TESTS_HOLDER_H

#include "apply.h"
#include "context.h"
#include "pen.h"
#include "verdict.h"

struct holder {
    struct cairn_store *store;
    struct cairn_verifier verifier;
    struct cairn_context ctx;
    struct cairn_err err;
};
void holder_open(struct holder *holder, struct cairn_bytes root_statement);
void holder_close(struct holder *holder);

/* Apply, try again what is parked, commit; on a failure nothing is kept. */
enum cairn_status holder_try(struct holder *holder, const struct piece *piece, bool is_sequenced,
                             enum cairn_outcome *out_outcome);
/* The same, which must succeed. */
enum cairn_outcome holder_take(struct holder *holder, const struct piece *piece);
/* As holder_take, from a sequencer that covered it. */
enum cairn_outcome holder_take_sequenced(struct holder *holder, const struct piece *piece);
/* What is held of the log is covered now. */
void holder_cover(struct holder *holder, const struct cairn_hash *log);
/* Merge every record anew from its history. */
void holder_rebuild(struct holder *holder);
void holder_take_all(struct holder *holder, const struct pieces *pieces);
/* Open with all that was written taken in; another that takes it backwards says the same. */
void holder_open_either_way(struct holder *holder, const struct land *land);

struct cairn_hash holder_digest(struct holder *holder, uint64_t scope, enum cairn_channel channel);
struct cairn_verdict holder_verdict(struct holder *holder, const struct cairn_hash *log,
                                    uint32_t index);
/* The entry `index` of what `pen` wrote has this verdict; `what` says which it is. */
void holder_expect(struct holder *holder, const struct pen *pen, uint32_t index,
                   enum cairn_validity validity, enum cairn_reason reason, const char *what);
/* The log as held; its size is 0 when it is not. */
struct cairn_log holder_log(struct holder *holder, const struct cairn_hash *log);
/* Live versions of (record, field), and whether the record has a conflict. */
size_t holder_live(struct holder *holder, const struct cairn_hash *log, uint32_t index,
                   uint64_t field);
bool holder_has_conflict(struct holder *holder, const struct cairn_hash *log, uint32_t index);
/* Digests, verdicts of what is not cut off, and every live version. */
char *holder_describe(struct holder *holder);
/* The indexes that saves kept are those that a build over all records makes; how many bytes they
 * are. context_describe checks it too. */
size_t context_index_check(struct cairn_context *ctx);
/* The indexes are not there until the next commit: all is answered by looking at every record. */
void context_indexes_lose(struct cairn_context *ctx);
/* What holder_describe says, over a context of somebody else's, in a transaction begun here. */
char *context_describe(struct cairn_context *ctx);
void expect_same_text(const char *got, const char *want, const char *what);

#endif
