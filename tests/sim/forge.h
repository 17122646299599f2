/*
 * forge.h: the pen of hostile hands: messages and logs that no honest program writes, signed with
 * keys that they have. What to do with them is malice.h's.
 *
 * Memory: messages are freed with free().
 */

#ifndef CAIRN_SIM_FORGE_H
#define CAIRN_SIM_FORGE_H

#include "links.h"

enum forge_kind {
    FORGE_BAD_SEAL,
    FORGE_OTHER_VILLAGE,  /* a log where its grant does not reach */
    FORGE_BORROWED_GRANT, /* its own key under the office's grant */
    FORGE_INVALID,        /* entries that name what was never announced, settle without a reason */
    FORGE_AUTHORITY,      /* a grant by who may not grant */
    FORGE_OTHER_SECRET,   /* a secret that the basis did not announce */
    FORGE_KIND_COUNT
};

/* A request of `node`, whose grant is good, to the server, with one forged log. */
struct link_bytes forge_request(struct world *world, struct node *node, enum forge_kind kind,
                                struct dice *dice);
/* Any bytes as a request to the server; `stranger`: under keys that nobody granted anything. */
struct link_bytes forge_message(struct world *world, struct node *node, bool stranger,
                                struct cairn_bytes plain, struct dice *dice);
/* A record that nobody foretells, through the facade; false: it was refused, which fails the run.
 */
bool forge_create(struct world *world, struct node *node, const char *head);

#endif
