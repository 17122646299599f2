/*
 * malice.h: hostile hands. Strangers and devices with a grant of their own, who send what no honest
 * program sends, and servers that went back or sign twice. Nothing that they may not write may ever
 * have an effect.
 */

#ifndef CAIRN_SIM_MALICE_H
#define CAIRN_SIM_MALICE_H

#include "world.h"

bool malice_grants(struct world *world, struct dice *dice);
bool malice_random_request(struct world *world, struct dice *dice);
bool malice_stranger(struct world *world, struct dice *dice);
bool malice_random_reply(struct world *world, struct dice *dice);
bool malice_forges(struct world *world, struct dice *dice);
/* The server's disk is an old copy for one exchange: whoever has seen more is told, and nothing is
 * signed anew. */
bool malice_server_is_behind(struct world *world, struct dice *dice);
/* The last act of a run: a server that shows two stations two histories. It must be found. */
void malice_server_forks(struct world *world);

#endif
