/*
 * decrees.h: what the office decides about devices: revocations with their cuts, adoptions. The
 * facade has no calls for them, so they are written with core's own pen.
 */

#ifndef CAIRN_SIM_DECREES_H
#define CAIRN_SIM_DECREES_H

#include "world.h"

bool decrees_revoke(struct world *world, struct dice *dice);
bool decrees_adopt(struct world *world, struct dice *dice);

#endif
