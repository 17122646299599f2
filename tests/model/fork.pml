/*
 * A log with two histories, a server that covers one of them or none, and a revocation that cuts the
 * log: DESIGN's rules for what stays in force, on two replicas that hear of all of it in any order.
 *
 * The log: entries below COMMON are the same in both histories, A and B each go on to TOP. What can
 * arrive, once or again, early or late: the first and the second half of A's and of B's run; the
 * checkpoint that covers A's first half, with that run, as one unit; the cut. Whether there is a
 * checkpoint and which head the cut names is chosen at the start and is the same for both replicas.
 *
 * Properties, checked when both replicas have heard everything:
 *   1 agreement  both have the same entries in force
 *   2 covered    what a checkpoint covers and no cut excludes is in force
 *   3 no more    where no checkpoint covers either history, nothing behind the last common entry is in
 *                force once the other was shown
 *   4 inside     nothing is in force that the cut excludes: above its size, or of the history that it
 *                does not name
 *
 * -DBUG=N breaks a rule so that property N fails; then N alone is looked at.
 */
#ifndef BUG
#define BUG 0
#endif
#define CHECK(n, property) assert((BUG != 0 && BUG != n) || (property))

#define COMMON 2
#define HALF 3
#define TOP 4
#define ENTRIES_ALL 15 /* no cut */

#define NONE 0
#define A 1
#define B 2

#define REPLICAS 2
#define MESSAGES 6
#define RUN_A1 0
#define RUN_A2 1
#define RUN_B1 2
#define RUN_B2 3
#define COVER 4
#define CUT 5

bool has_cover; /* a checkpoint covers A to HALF */
byte cut_size;  /* ENTRIES_ALL: there is no cut */
byte cut_branch;

typedef replica {
    byte branch = NONE; /* beyond COMMON: which history is held */
    byte size = COMMON;
    byte covered = 0;
    bool fork = false; /* the other history was shown */
    bool knows_cut = false;
    bool heard[MESSAGES];
    byte end = ENTRIES_ALL; /* entries below it are in force */
};
replica r[REPLICAS];

/* The size that the cut leaves of the history held: the whole prefix it names where that is ours;
 * where it is the other one, what the two have in common, as soon as the other one was shown.
 * With BUG 1 nothing of it, as the code once had it: then the replicas do not agree. */
#if BUG == 1
#define OTHERS_CUT(i) 0
#else
#define OTHERS_CUT(i) (r[i].fork -> COMMON : 0)
#endif
inline cut_of(i, out)
{
    if
    :: !r[i].knows_cut -> out = ENTRIES_ALL
    :: r[i].knows_cut && (cut_size <= COMMON || r[i].size <= COMMON || cut_branch == r[i].branch) -> out = cut_size
    :: r[i].knows_cut && cut_size > COMMON && r[i].size > COMMON && cut_branch != r[i].branch -> out = OTHERS_CUT(i)
    fi
}

/* force = min(cut, last common entry of an undecided fork) */
inline force(i)
{
    cut_of(i, cut_);
    r[i].end = (BUG == 4 -> ENTRIES_ALL : cut_);
    if
    :: BUG != 3 && r[i].fork && r[i].covered <= COMMON && r[i].end > COMMON -> r[i].end = COMMON
    :: else
    fi
}

/* A run of history `b` from `from` to `to`; `sequenced`: it came with a checkpoint. */
inline take(i, b, from, to, sequenced)
{
    if
    :: r[i].branch != NONE && r[i].branch != b ->
        if
        :: BUG != 2 && sequenced && r[i].covered <= COMMON -> /* ours is abandoned, and kept as evidence */
            r[i].branch = b; r[i].size = to; r[i].fork = true
        :: else -> r[i].fork = true
        fi
    :: r[i].size < from -> skip /* parked: tried again */
    :: (r[i].branch == NONE || r[i].branch == b) && r[i].size >= from && r[i].size < to ->
        cut_of(i, limit_);
        if
        :: to > limit_ && !sequenced -> skip /* parked as evidence */
        :: else -> r[i].branch = b; r[i].size = to
        fi
    :: else -> skip
    fi
}

/* Whatever was heard is tried until nothing moves: at most as often as there are runs. */
inline settle(i)
{
    for (turn_ : 0 .. 3) {
        if :: r[i].heard[COVER] && r[i].covered < HALF -> take(i, A, COMMON, HALF, true); r[i].covered = HALF :: else fi;
        if :: r[i].heard[RUN_A1] -> take(i, A, COMMON, HALF, false) :: else fi;
        if :: r[i].heard[RUN_B1] -> take(i, B, COMMON, HALF, false) :: else fi;
        if :: r[i].heard[RUN_A2] -> take(i, A, HALF, TOP, false) :: else fi;
        if :: r[i].heard[RUN_B2] -> take(i, B, HALF, TOP, false) :: else fi
    }
    force(i)
}

inline hear(i, m)
{
    r[i].heard[m] = true;
    settle(i)
}

proctype hears(byte i)
{
    byte cut_, limit_, turn_;

end:
    do
    :: atomic { !r[i].heard[RUN_A1] -> hear(i, RUN_A1) }
    :: atomic { !r[i].heard[RUN_A2] -> hear(i, RUN_A2) }
    :: atomic { !r[i].heard[RUN_B1] -> hear(i, RUN_B1) }
    :: atomic { !r[i].heard[RUN_B2] -> hear(i, RUN_B2) }
    :: atomic { !r[i].heard[COVER] && has_cover -> hear(i, COVER) }
    :: atomic { !r[i].heard[CUT] && cut_size != ENTRIES_ALL -> r[i].knows_cut = true; hear(i, CUT) }
    od
}

#define HEARD(i) (r[i].heard[RUN_A1] && r[i].heard[RUN_A2] && r[i].heard[RUN_B1] && r[i].heard[RUN_B2] && \
    (r[i].heard[COVER] || !has_cover) && (r[i].heard[CUT] || cut_size == ENTRIES_ALL))

inline shown(i, out)
{
    out = (r[i].end < r[i].size -> r[i].end : r[i].size)
}

init {
    byte one, other;

    atomic {
        if :: has_cover = true :: has_cover = false fi;
        if
        :: cut_size = ENTRIES_ALL
        :: cut_size = 1; cut_branch = A
        :: cut_size = COMMON; cut_branch = A
        :: cut_size = HALF; cut_branch = A
        :: cut_size = HALF; cut_branch = B
        :: cut_size = TOP; cut_branch = A
        :: cut_size = TOP; cut_branch = B
        fi;
        run hears(0);
        run hears(1)
    }
    (HEARD(0) && HEARD(1));
    atomic {
        shown(0, one);
        shown(1, other);
        /* agreement: as many entries, and of one history where they go beyond the common ones */
        CHECK(1, one == other);
        CHECK(1, one <= COMMON || r[0].branch == r[1].branch);
        CHECK(2, !has_cover || r[0].branch == A);
        CHECK(2, !has_cover || cut_size != ENTRIES_ALL || one >= HALF);
        CHECK(2, !has_cover || cut_branch != A || cut_size == ENTRIES_ALL || one >= (cut_size < HALF -> cut_size : HALF));
        CHECK(2, !has_cover || cut_branch != B || one >= COMMON);
        CHECK(3, has_cover || one <= COMMON);
        CHECK(4, cut_size == ENTRIES_ALL || one <= cut_size);
        CHECK(4, cut_size == ENTRIES_ALL || one <= COMMON || cut_size <= COMMON || cut_branch == r[0].branch)
    }
}
