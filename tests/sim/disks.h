/*
 * disks.h: the store of a simulated device: the memory back end behind a port that can fail one
 * chosen call, stop for good in the middle of a call (the power goes), or be full for a while. What
 * a commit answered OK for is there afterwards, as the store port promises; what it had not
 * answered for is not.
 *
 * A copy of a disk (a backup, a cloned card) costs nothing until it is put back: the memory back
 * end keeps every state that somebody reads.
 *
 * Memory:  the struct is the caller's; disk_close() frees the store behind it.
 * Threads: one at a time.
 */

#ifndef CAIRN_SIM_DISKS_H
#define CAIRN_SIM_DISKS_H

#include "cairn/store.h"

struct disk {
    struct cairn_store base; /* first: the store port points here */
    struct cairn_store *inner;
    long calls_until_fault; /* negative: none is armed */
    enum cairn_status fault_with;
    bool fault_is_power_cut; /* every call after the fault fails as well */
    bool fault_waits;        /* for a transaction that writes */
    bool is_writing;
    bool dies_behind_commit; /* the next commit is the last thing that the power does */
    bool is_dead;
    bool is_full;
    bool is_quiet; /* the simulator looks: nothing fails, nothing is counted */
    uint64_t call_count, fault_count;
    long open_count; /* transactions and ranges */
};

struct disk_copy {
    struct cairn_store *store;
    struct cairn_txn *txn; /* NULL: none */
};

CAIRN_NODISCARD enum cairn_status disk_open(struct disk *disk);
void disk_close(struct disk *disk);
/* Let `calls` calls pass and fail the next with `status`, once. */
void disk_arm(struct disk *disk, long calls, enum cairn_status status);
/* The same, counting calls of writing transactions only: the transaction is asked for again. */
void disk_arm_conflict(struct disk *disk, long calls);
/* Let `calls` calls pass; then the power is gone until disk_power_on. */
void disk_arm_power_cut(struct disk *disk, long calls);
/* Did it ever fail a call, is it full, is the power gone? */
bool disk_has_failed(const struct disk *disk);
/* Everything works again. */
void disk_power_on(struct disk *disk);

/* The content as it is now. */
CAIRN_NODISCARD enum cairn_status disk_copy_take(struct disk *disk, struct disk_copy *out_copy);
void disk_copy_drop(struct disk_copy *copy);
/* Put a copy's content into an empty disk that was opened for it. */
CAIRN_NODISCARD enum cairn_status disk_copy_put(const struct disk_copy *copy, struct disk *disk);
/* Put the copy in the place of what the disk holds; the copy is used up. */
CAIRN_NODISCARD enum cairn_status disk_go_back(struct disk *disk, struct disk_copy *copy);

#endif
