/*
 * decrees.h: what the office decides about devices: revocations with their cuts, adoptions. The
 * facade has no calls for them, so they are written with core's own pen.
 */

#ifndef CAIRN_SIM_DECREES_H
#define CAIRN_SIM_DECREES_H

#include "log.h"
#include "world.h"

/* Within a unit of work of `author`: one entry in its authority log of `scope`, which is then as
 * *out_log says. */
CAIRN_NODISCARD
enum cairn_status decree_append(struct cairn_replica *author, const char *scope,
                                const struct cairn_writer *entry, struct cairn_log *out_log);
bool decrees_revoke(struct world *world, struct dice *dice);
bool decrees_adopt(struct world *world, struct dice *dice);

#endif
