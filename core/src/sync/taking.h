/*
 * taking.h: units of work that take in what others wrote.
 */

#ifndef CAIRN_TAKING_H
#define CAIRN_TAKING_H

#include "replica_internal.h"

/*
 * As cairn_replica_write, for work that tries parked runs again. One that fails when a half of it
 * is written, as where a record is full, is dropped for good, and the work is done anew.
 */
CAIRN_NODISCARD
enum cairn_status cairn_taking_write(struct cairn_replica *replica, cairn_work_fn *work,
                                     void *context, struct cairn_err *err);

#endif
