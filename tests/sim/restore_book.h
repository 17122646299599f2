/*
 * restore_book.h: what a device does with its unsynced edits when it finds that its store went
 * back (SPEC.md section 5.2, the repeats item): each is written again in a new log, naming the one
 * that it repeats. Taken into the book here.
 */

#ifndef CAIRN_SIM_RESTORE_BOOK_H
#define CAIRN_SIM_RESTORE_BOOK_H

#include "inspect.h"

/* Before the device is opened, by a look into it: which of its unsynced edits repeat one that came
 * back. Those are not written again: that one stands, or is written again itself. */
void restore_book_before(struct world *world, struct node *node, const struct own_log *logs,
                         unsigned count);
/* `logs` are the device's own as they were before it was opened. */
void restore_book(struct world *world, struct node *node, const struct own_log *logs,
                  unsigned count);

#endif
