/*
 * rebuild.h: state from history. A record's entries hang in a chain (each blob holds, beside an
 * entry, the dot of the one before it in the same record); when what is in force moves, the record
 * is merged anew.
 */

#ifndef CAIRN_REBUILD_H
#define CAIRN_REBUILD_H

#include "judge.h"

/* Merge one judged, in-force change into `state`. */
CAIRN_NODISCARD
enum cairn_status cairn_change_merge(struct cairn_context *ctx, struct cairn_record_state *state,
                                     struct cairn_dot dot, uint64_t time_s,
                                     const struct cairn_judged_change *change);
/* The entries of a record, by (log, index); in the arena. */
CAIRN_NODISCARD
enum cairn_status cairn_record_chain(struct cairn_context *ctx,
                                     const struct cairn_record_state *state,
                                     struct cairn_dot **out_dots, size_t *out_count);
/* Merge the record anew from its chain, and save it. */
CAIRN_NODISCARD enum cairn_status cairn_record_rebuild(struct cairn_context *ctx,
                                                       struct cairn_dot record);
/*
 * The record as it would be had nobody deleted it: its entries in force merged without deletions.
 * For whoever restores it; not saved.
 */
CAIRN_NODISCARD
enum cairn_status cairn_record_undeleted(struct cairn_context *ctx,
                                         const struct cairn_record_state *state,
                                         struct cairn_record_state *out_state);
/* Rebuild every record that entries [from, to) of `log` touch; `to` may lie beyond its end. */
CAIRN_NODISCARD
enum cairn_status cairn_rebuild_touched(struct cairn_context *ctx, const struct cairn_log *log,
                                        uint32_t from, uint32_t to);
/* Entries `from` and later of `log` are here, or were found valid: those of other logs that repeat
 * one of them no longer count. Rebuild their records. */
CAIRN_NODISCARD
enum cairn_status cairn_repeats_rebuild(struct cairn_context *ctx, const struct cairn_log *log,
                                        uint32_t from);
/* Remember that a valid entry repeats another, so that the other's arrival is noticed; nothing
 * where it repeats none. */
CAIRN_NODISCARD
enum cairn_status cairn_repeat_keep(struct cairn_context *ctx, struct cairn_dot dot,
                                    const struct cairn_judged_change *change);
/* Hang a valid entry, judged late, into its record's chain and rebuild the record. */
CAIRN_NODISCARD
enum cairn_status cairn_record_adopt_entry(struct cairn_context *ctx, const struct cairn_log *log,
                                           uint32_t index,
                                           const struct cairn_judged_change *change);
/* What entries [from, to) of `log` announced turned out to be another history: steps of theirs that
 * follow an entry of that one wait for it. */
CAIRN_NODISCARD
enum cairn_status cairn_followers_wait(struct cairn_context *ctx, const struct cairn_log *log,
                                       uint32_t from, uint32_t to);
/*
 * Take the entries from `from` on out of a log: they leave their records' chains, the blobs go, the
 * head goes back. The caller has kept what must be kept, and saves the log.
 */
CAIRN_NODISCARD
enum cairn_status cairn_log_cut_back(struct cairn_context *ctx, struct cairn_log *log,
                                     uint32_t from);

/* A stored entry read, with the commitments of its slots in the arena. */
CAIRN_NODISCARD
enum cairn_status cairn_entry_load(struct cairn_context *ctx, const struct cairn_log *log,
                                   uint32_t index, struct cairn_entry *out_entry,
                                   struct cairn_hash **out_commitments,
                                   struct cairn_hash *out_leaf);

#endif
