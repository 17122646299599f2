/*
 * machines.h: the machine that a device runs on: its clock, its randomness, and the three things
 * that lie outside the store (key file, high-water mark, place). The mark lives twice, as the
 * program sees it and as it is on disk: a power cut may bring the second back.
 *
 * Memory:  the struct is the caller's and holds no other; ops->free does nothing.
 * Threads: one at a time.
 */

#ifndef CAIRN_SIM_MACHINES_H
#define CAIRN_SIM_MACHINES_H

#include "cairn/ports.h"

#define MACHINE_FILE_MAX 1024

struct machine_file {
    uint8_t data[MACHINE_FILE_MAX];
    size_t size;
    bool is_there;
};

struct machine {
    struct cairn_ports base; /* first: the ports point here */
    const uint64_t *true_s;  /* the world's clock */
    int64_t wrong_by_s;      /* this clock less the world's */
    uint8_t seed[32];        /* random bytes: the stream of (seed, count of calls) */
    uint64_t random_calls;
    struct machine_file key, mark, synced_mark;
    uint64_t place;
    bool mark_fails; /* the next save of a mark fails, once */
    bool has_failed; /* it did, in this step */
};

void machine_init(struct machine *machine, const uint64_t *true_s, uint64_t seed);
/* Another folder, or another machine. */
void machine_move(struct machine *machine, uint64_t place);
uint64_t machine_now_s(const struct machine *machine);
/* Set the clock to `now_s`, from where it goes on. */
void machine_set_clock(struct machine *machine, uint64_t now_s);
/* The power goes: what was not synced may be gone. */
void machine_power_cut(struct machine *machine, bool loses_unsynced);

/*
 * Randomness that libsodium asks for by itself (sealed boxes, streams) comes from the seed too.
 * Its port takes no context, so its state is the one thing in the simulator that stands outside a
 * world; call this at the start of every run.
 */
void machines_seed_libsodium(uint64_t seed);

#endif
