/*
 * heal.h: the links become good, every bundle arrives, and everybody syncs until nobody has
 * anything new. Then all that was acknowledged must be everywhere, and all must agree.
 */

#ifndef CAIRN_SIM_HEAL_H
#define CAIRN_SIM_HEAL_H

#include "world.h"

void heal(struct world *world);

#endif
