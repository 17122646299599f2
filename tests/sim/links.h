/*
 * links.h: what lies between station and server: letters that get lost, come twice, late, cut short
 * or with other bytes in them, and the server that answers those that reach it.
 *
 * The program at each end is the one that a station or a server would be: it asks again, gives up
 * when there is no answer, and hands every answer that it waits for to core.
 */

#ifndef CAIRN_SIM_LINKS_H
#define CAIRN_SIM_LINKS_H

#include "world.h"

enum link_end {
    LINK_DONE,      /* core says that nothing more waits */
    LINK_NO_ANSWER, /* lost, damaged, late, or the server could not */
    LINK_DISK,      /* the station's disk failed */
    LINK_NO_SERVER,
    LINK_REFUSED, /* the server, or what it signed, is not as it should be: world->err says how */
    LINK_FORKED,  /* the server signed another history than the one here */
};

/* Exchanges until nothing more waits. `is_good`: the link and the server do nothing wrong. */
enum link_end links_sync(struct world *world, struct node *node, struct dice *dice, bool is_good);
/* The same over a good link, with a server that may not know the device: then there is no answer.
 */
enum link_end links_sync_stranger(struct world *world, struct node *node, struct dice *dice);
/* One request into the mail: it and its answer come in later steps. */
void links_ask(struct world *world, struct node *node, struct dice *dice);
/* Bring what is due by now; several requests in one step share a commit. */
void links_deliver(struct world *world, struct dice *dice);
/* Throw away everything that is on its way. */
void links_drop_all(struct world *world);

/* Bytes of a caller: freed with free(). data NULL: no answer. */
struct link_bytes {
    uint8_t *data;
    size_t size;
};
struct link_bytes link_copy(struct cairn_bytes bytes);
struct cairn_bytes link_bytes(struct link_bytes bytes);
/* What the server answers to one request; it counts and judges what the server said. */
struct link_bytes links_answer(struct world *world, struct cairn_bytes request, bool is_honest);
/* Damage it as a bad link does. */
void links_damage(struct world *world, struct link_bytes *bytes, struct dice *dice);

#endif
