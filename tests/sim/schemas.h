/*
 * schemas.h: the root publishes the next version of the schema: one more field of a household. It
 * goes round with the office's authority log, so that stations write under different versions.
 */

#ifndef CAIRN_SIM_SCHEMAS_H
#define CAIRN_SIM_SCHEMAS_H

#include "world.h"

/* The next version, which a rider takes to the office now or later. False: there are enough. */
bool schemas_publish(struct world *world, struct dice *dice);

#endif
