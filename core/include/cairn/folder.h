/*
 * cairn/folder.h: the write lock of a store's folder. One writing process at a time; readers need
 * none. The lock file holds "PID NAME" of its owner, so that whoever is refused can be told who
 * holds it.
 */

#ifndef CAIRN_FOLDER_H
#define CAIRN_FOLDER_H

#include "cairn/base.h"

struct cairn_folder_lock {
    int fd; /* -1: not held */
};
/* Take PATH/lock with flock(2), without waiting. `owner` is the program's name. LOCKED: err says
 * which process ("cairn-server, process 4711"); NOT_FOUND: no such folder; IO. */
CAIRN_NODISCARD
enum cairn_status cairn_folder_lock(const char *path, const char *owner,
                                    struct cairn_folder_lock *out_lock, struct cairn_err *err);
void cairn_folder_unlock(struct cairn_folder_lock *lock);

#endif
