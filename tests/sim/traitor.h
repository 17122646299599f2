/*
 * traitor.h: the last act of a run: an office that turns. It holds keys, a grant and a program of
 * its own making, and may write in its own log whatever it likes.
 */

#ifndef CAIRN_SIM_TRAITOR_H
#define CAIRN_SIM_TRAITOR_H

#include "world.h"

/* What it revokes of its own cuts nobody else; and once it is shut out, whom it grants then writes
 * in vain. */
void traitor_turns(struct world *world);

#endif
