/*
 * fault_net.h: the network that every case of fault_cases.h begins with, for the files that hold
 * the cases: one a room of the facade.
 *
 * Memory: one at a time; fault_cases_close() takes it back.
 */

#ifndef CAIRN_TESTS_FAULT_NET_H
#define CAIRN_TESTS_FAULT_NET_H

#include "fault_cases.h"

#define FAULT_VILLAGE "513332100201"

struct fault_net {
    struct machine root, office, server, station, peer; /* station and peer: of one village */
    struct machine guest;                               /* not joined yet */
    struct machine newcomer;                            /* nobody has said `init` there */
    char household[32];                                 /* by the station, known to the peer */
    char rich[32], group[32];                           /* of fault_rich() */
    struct block message, other;                        /* what a call takes in */
    struct block statement;                             /* of the root */
    struct cairn_serve *serve;
};
extern struct fault_net net;

struct cairn_bytes fault_bytes(struct block block);
/* `message` is this from now on; it is freed at the end. */
void fault_message_put(struct block message);

/* An act gives this out: it must be the same whenever the call says yes. */
void fault_gave(uint64_t number);
void fault_gave_text(const char *text); /* NULL: none */

/* ---- what several cases need to have happened ---- */

/* The station and the peer wrote the household's income unseen, and have met. */
void fault_conflict(void);
/*
 * The station holds a household, `rich`, with every kind of field: a set, a counter, a reference,
 * an alias, flags; of one group with the first one; its income and its step are conflicts; an entry
 * on it has no effect, and one waits for a schema. The first household was written in two fields
 * side by side.
 */
void fault_rich(void);
enum cairn_status fault_step(struct machine *machine, const char *id, const char *move,
                             unsigned keep);

/* The root signed a second version of the schema; nobody else has it yet. */
void fault_publish(void);
/* The station and the peer wrote different fields, and only the peer has synced. */
void fault_both_edit(void);
/* A bundle on a stick. */
void fault_carry(struct machine *from, struct machine *to);
void fault_peer_to_station(void);
/* The guest is the township now, and holds nothing yet of fault_rich() and of two more villages;
 * what it holds when it does. */
void fault_first(void);
void fault_expect_first(void);
/*
 * `machine` holds a household of the guest, whose grant only the office has, and what the peer
 * wrote on it.
 */
void fault_wait_for_grant(struct machine *machine);
/* `machine` holds an entry of the peer under the second version, which only the office has. */
void fault_wait_for_schema(struct machine *machine);
/* The peer made a second household and changed the first, and all have that. */
void fault_peer_work(void);
/* After that: the office shut the peer out, from its first entry on; and took the work back in. */
void fault_revoke(void);
void fault_adopt(void);
/* The peer's card was cloned: it wrote, `between` happened, and the clone writes something else. */
void fault_fork(void (*between)(void));
/*
 * After fault_rich(): the station wrote more of every kind, and comes out of a backup from then. A
 * household that it made later has the peer, or with `syncs` the server, and so the rest. It is
 * off.
 */
void fault_restore(bool syncs);
/* The same once all of it is back. */
void fault_expect_restored(void);

/* `machine` holds so many records, and nothing waits. */
void fault_expect_records(struct machine *machine, uint64_t count);

/* ---- the rooms ---- */

extern const struct fault_group fault_devices, fault_reading, fault_records, fault_sync,
    fault_bundles;
/* The usual kinds; what each case says of itself is in fault_cases.h. */
#define FAULT_READ(name, subject, once, act)                   \
    {                                                          \
        name, &net.subject, once, NULL, act, FAULT_READS, NULL \
    }
#define FAULT_WRITE(name, subject, once, act)        \
    {                                                \
        name, &net.subject, once, NULL, act, 0, NULL \
    }
#define FAULT_GROUP(name, cases)                      \
    {                                                 \
        name, cases, sizeof(cases) / sizeof(cases)[0] \
    }

#endif
