/* people_internal.h: what the operations of people share; see people.h. */

#ifndef CAIRN_SIM_PEOPLE_INTERNAL_H
#define CAIRN_SIM_PEOPLE_INTERNAL_H

#include "people.h"

/* May the disk of this node be why a call failed? */
bool people_disk_is_bad(const struct node *node);
/* Was it? Then it is counted. */
bool people_failed_with_disk(struct world *world, struct node *node, enum cairn_status status);
/* A write on `record` (MODEL_NONE: none yet) was refused with `status`: is that right? */
void people_refused(struct world *world, struct node *node, uint32_t record,
                    enum cairn_status status, const char *what);
/* A write was acknowledged. */
void people_written(struct world *world, struct node *node);

/* settling.c */
void people_settle(struct world *world, struct node *node, struct dice *dice);

#endif
