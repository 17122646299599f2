/*
 * decrees.h: what the office decides about devices: revocations with their cuts, adoptions. The
 * facade has no calls for them, so they are written with core's own pen.
 */

#ifndef CAIRN_SIM_DECREES_H
#define CAIRN_SIM_DECREES_H

#include "log.h"
#include "world.h"

/* A revocation of a device's grant, by anybody who may or may not. */
struct decree_revocation {
    const struct node *node; /* whose grant */
    const char *scope;       /* of the author */
    /* Is this log listed, and how much of it is left? */
    bool (*lists)(void *context, const struct cairn_log *log, uint32_t *out_size);
    void *context;
    struct cairn_log log; /* of the author, when it is written */
};
/* NOT_FOUND: the author does not know the grant. */
CAIRN_NODISCARD
enum cairn_status decree_revoke(struct world *world, struct node *author,
                                struct decree_revocation *revocation);
/* Is it a log of this device? */
bool decree_is_of(const struct node *node, const struct cairn_log *log);

bool decrees_revoke(struct world *world, struct dice *dice);
bool decrees_adopt(struct world *world, struct dice *dice);

#endif
