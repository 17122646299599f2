/*
 * world.h: the simulated county: a root, an office, its server, stations in villages, an auditor,
 * each a whole replica of core on a machine and a disk of its own; and what lies between them:
 * letters on their way, bundles in couriers' bags.
 *
 * A world is made from a seed and from nothing else. The first thing that is not as it should be
 * is kept (world_fail) and ends the run.
 *
 * Memory:  world_open() to world_close(). It is large: keep it on the heap.
 * Threads: one.
 */

#ifndef CAIRN_SIM_WORLD_H
#define CAIRN_SIM_WORLD_H

#include "cairn/replica.h"
#include "dice.h"
#include "disks.h"
#include "machines.h"
#include "model.h"
#include "tally.h"
#include "trace.h"

#define WORLD_NODES_MAX 40
#define WORLD_VILLAGES_MAX 5
#define WORLD_LETTERS_MAX 24
#define WORLD_BUNDLES_MAX 12
#define WORLD_FIRST_SCHEMA 1
#define WORLD_SCHEMAS_MAX 3 /* later versions, each with a field more */
#define WORLD_COUNTY "513332"
#define WORLD_TOWNSHIP "513332100"
#define WORLD_TOWNSHIP_VILLAGES 2 /* the first so many */

enum node_kind { NODE_ROOT, NODE_OFFICE, NODE_SERVER, NODE_AUDITOR, NODE_TOWNSHIP, NODE_STATION };

struct node {
    enum node_kind kind;
    char tag[8];
    unsigned village; /* of a station */
    unsigned grant;   /* clones share their original's */
    struct machine machine;
    struct disk disk;
    struct cairn_replica *replica; /* NULL while it is closed */
    bool is_joined;
    bool is_hostile;   /* somebody else's hands: its edits are not foretold */
    bool is_revoked;   /* by a decree that somebody may not have heard of yet */
    bool awaits_reply; /* an exchange is under way */
    struct holdings held;
    bool held_is_stale;
    struct disk_copy backup; /* somewhere in a drawer */
    unsigned day_actions;
    uint32_t memo; /* how far its imports say that they have come; 0: nothing is kept */
    bool memo_is_unknown;
};

struct letter {
    bool is_there, is_reply;
    unsigned node; /* who asks */
    uint64_t due_step;
    uint8_t *data;
    size_t size;
};

struct bundle {
    bool is_there, is_full;
    uint8_t *data;
    size_t size;
    struct holdings held; /* what its writer held */
};

/* What a run is like, drawn from its seed. */
struct traits {
    bool has_link_faults, has_disk_faults, has_restores, has_clones, has_decrees, has_malice;
    bool has_server_fork; /* and it ends with a server that lies */
    bool has_traitor;     /* or with an office that turns */
    bool has_twin_office; /* or with one whose folder is used twice */
    bool has_clock_faults;
    unsigned link_quality; /* one message in so many meets with something */
};

struct world_config {
    uint64_t seed;
    unsigned days, stations;
    /* So many settlements count as a failure, for the test of the shrinker; 0: none do. */
    unsigned planted_settlements;
};

struct failure {
    char invariant[48]; /* "": none */
    char text[400];
    uint64_t step;
};

struct world {
    struct world_config config;
    struct traits traits;
    uint64_t now_s;
    uint64_t step;
    struct node nodes[WORLD_NODES_MAX];
    unsigned node_count, village_count;
    unsigned root, office, server, auditor, township;
    unsigned grant_count, schema_count; /* so many later versions were published */
    uint64_t places;                    /* given out */
    struct letter letters[WORLD_LETTERS_MAX];
    struct bundle bundles[WORLD_BUNDLES_MAX];
    struct model model;
    struct tally tally;
    struct trace trace;
    struct failure failure;
    struct cairn_err err;
    uint8_t root_statement[1100];
    size_t root_statement_size;
};

/* Make the county. Look at world->failure. */
void world_open(struct world *world, const struct world_config *config, FILE *trace_out);
void world_close(struct world *world);

/* Keep the first failure. */
void world_fail(struct world *world, const char *invariant, const char *format, ...)
    CAIRN_PRINTF(3, 4);
bool world_is_well(const struct world *world);
/* The call must answer OK here. */
#define WORLD_MUST(world, call) world_must((world), (call), #call)
bool world_must(struct world *world, enum cairn_status status, const char *call);
void world_saw(struct world *world, enum tally_seen seen);

/* The village's code, 12 digits. */
const char *world_village(unsigned village);
struct node *world_pick_station(struct world *world, struct dice *dice);
/* One of which, and of whose server, nothing fails; NULL: not now. */
struct node *world_pick_ready(struct world *world, struct dice *dice);
unsigned node_number(const struct world *world, const struct node *node);

/* A device of this kind, granted by `above` and joined; NULL when there is no room or it failed. */
struct node *world_join(struct world *world, enum node_kind kind, unsigned village,
                        struct node *above);
/* A node that takes over what it is given: machine and disk are the caller's to fill. */
struct node *world_node_add(struct world *world, enum node_kind kind, unsigned village,
                            const char *tag);
/* Open a closed one; what a restore changed is taken into the book. */
enum cairn_status node_open(struct world *world, struct node *node);
void node_close(struct node *node);
/* Does what was done to this device's disk or mark explain that a call ended with `status`? */
bool node_has_failed(const struct node *node, enum cairn_status status);
/* May a call of this device fail, now or at its next step, for what was done to its disk or mark?
 */
bool node_may_fail(const struct node *node);
/* The power comes back: close, everything works, open. */
void node_power_on(struct world *world, struct node *node, bool loses_unsynced_mark);
/* Put an older disk in, or only carry the device to another place, and open. */
void node_go_back(struct world *world, struct node *node, struct disk_copy *backup);
/* A copy of the disk as it is now; the one before is dropped. */
void node_backup(struct world *world, struct node *node);

/* Everything that no replica and no bundle holds any more is lost, and may be. */
void world_mark_lost(struct world *world);

#endif
