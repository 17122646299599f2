/*
 * restore.h: has this store been restored from a copy, or copied? Then somebody may hold a longer
 * log of ours, and going on in it would be a fork. A new incarnation is opened instead, and what
 * was not synced is written again in it.
 */

#ifndef CAIRN_RESTORE_H
#define CAIRN_RESTORE_H

#include "replica_internal.h"

/* Save the high-water mark: how many commits this store has made, and which store it is. */
CAIRN_NODISCARD enum cairn_status cairn_mark_save(struct cairn_replica *replica, bool sync);
/* Compare place and mark; on disagreement begin a new generation. Sets replica->was_restored. */
CAIRN_NODISCARD
enum cairn_status cairn_restore_check(struct cairn_replica *replica, struct cairn_err *err);
/*
 * What nobody has from us yet leaves its old logs and comes again in logs of this generation, each
 * edit naming the one that it repeats (repeat.c). Inside a write unit.
 */
CAIRN_NODISCARD enum cairn_status cairn_unsynced_repeat(struct cairn_replica *replica);

#endif
