/*
 * What "received" means: two stations, one server that is the sequencer of their scope, messages
 * that are lost, repeated and overtaken, a server that dies between commit and answer, and that is
 * once restored from an older copy of its disk.
 *
 * A scope log is a row of leaves (station, size). Its head is the row itself, here a number: one
 * digit a leaf. The server commits before it answers; a station checks that what it is given extends
 * what it holds, leaf by leaf, and keeps it before it says "received".
 *
 * Properties:
 *   received     as long as the server was not restored, it holds every entry that a station was
 *                told was received; and what a station was told never shrinks
 *   one history  a station's row is only ever extended; without a restore both stations hold
 *                beginnings of the server's row
 *   seen         a restored server never covers anything for a station that holds more than it; and a
 *                station that holds another row than the server's gets nothing from it
 */
#define STATIONS 2
#define ENTRIES 2 /* that each station writes */
#define LEAVES 4
#define DIGITS 5 /* 1 to 4: station and size; 0: none */

/* With -DBUG the answer leaves first and the commit may be lost: then "received" is not true. */
#ifdef BUG
#define LOSE_COMMIT(s) \
    if \
    :: server.count > 0 && server.leaf[server.count - 1] == LEAF(s, held[s]) -> server.count--; held[s]-- \
    :: skip \
    fi
#else
#define LOSE_COMMIT(s) skip
#endif

/* -DRESTORES=1: the server may once go back to an older copy of its disk. */
#ifndef RESTORES
#define RESTORES 0
#endif

#define LEAF(station, size) (1 + (station) * ENTRIES + (size) - 1)

typedef row {
    byte count;
    byte leaf[LEAVES];
};

/* On disk. */
row server, backup;
byte held[STATIONS], backup_held[STATIONS]; /* entries of each station at the server */
row station[STATIONS];
byte written[STATIONS], received[STATIONS];
bool has_backup, was_restored;

/* A request: who, how many entries it brings, and how long its row is (its hash: the row itself). */
typedef request {
    bool is_there;
    byte entries;
    row known;
};
request asked[STATIONS];
/* The answer: the server's row when it was written. It says more than the leaves behind the known
 * ones, which is all that travels; a station compares the rest by its root. */
typedef answer {
    bool is_there;
    row all;
};
answer told[STATIONS];

inline row_copy(from, to)
{
    to.count = from.count;
    to.leaf[0] = from.leaf[0];
    to.leaf[1] = from.leaf[1];
    to.leaf[2] = from.leaf[2];
    to.leaf[3] = from.leaf[3]
}

/* Is `short` the beginning of `long`? */
#define SAME(a, b, i) ((i) >= a.count || a.leaf[i] == b.leaf[i])
#define BEGINS(a, b) (a.count <= b.count && SAME(a, b, 0) && SAME(a, b, 1) && SAME(a, b, 2) && SAME(a, b, 3))

/* The newest size of station s that a row covers. */
inline covered_in(r, s, out)
{
    out = 0;
    for (k : 0 .. LEAVES - 1) {
        if
        :: k < r.count && r.leaf[k] == LEAF(s, 1) && out < 1 -> out = 1
        :: k < r.count && r.leaf[k] == LEAF(s, 2) -> out = 2
        :: else
        fi
    }
}

/* The server takes a request, which stays under way: it may come again. */
inline serve(s)
{
    if
    :: !BEGINS(asked[s].known, server) -> skip /* it says more than we have, or something else */
    :: else ->
        if
        :: asked[s].entries > held[s] ->
            assert(server.count < LEAVES);
            held[s] = asked[s].entries;
            server.leaf[server.count] = LEAF(s, held[s]);
            server.count++
        :: else
        fi;
        assert(asked[s].known.count <= server.count); /* seen */
        /* committed; the answer may never be written */
        if
        :: told[s].is_there = true; row_copy(server, told[s].all)
        :: skip
        fi;
        LOSE_COMMIT(s)
    fi
}

inline accept(s)
{
    if
    :: BEGINS(station[s], told[s].all) ->
        row_copy(told[s].all, station[s]);
        covered_in(station[s], s, got);
        assert(got >= received[s]); /* what was told never shrinks */
        received[s] = got
    :: else -> skip /* older than what is held, or another history: nothing is kept */
    fi
}

proctype works(byte s)
{
    byte k, got;

end:
    do
    :: atomic { written[s] < ENTRIES -> written[s]++ }
    :: atomic { /* ask: an earlier request is given up, though it may still arrive */
        asked[s].is_there = true;
        asked[s].entries = written[s];
        row_copy(station[s], asked[s].known)
    }
    :: atomic { told[s].is_there -> accept(s); if :: told[s].is_there = false :: skip fi } /* or again */
    :: atomic { told[s].is_there -> told[s].is_there = false } /* lost */
    od
}

proctype serves()
{
end:
    do
    :: atomic { asked[0].is_there -> serve(0); if :: asked[0].is_there = false :: skip fi }
    :: atomic { asked[1].is_there -> serve(1); if :: asked[1].is_there = false :: skip fi }
    :: atomic { RESTORES && !has_backup -> has_backup = true; row_copy(server, backup); backup_held[0] = held[0]; backup_held[1] = held[1] }
    :: atomic {
        RESTORES && has_backup && !was_restored ->
        was_restored = true;
        row_copy(backup, server);
        held[0] = backup_held[0];
        held[1] = backup_held[1]
    }
    od
}

/* Looks at every state. */
proctype watches()
{
    atomic {
        (!was_restored && (received[0] > held[0] || received[1] > held[1])) -> assert(false)
    }
}
proctype watches_rows()
{
    atomic {
        (!was_restored && (!BEGINS(station[0], server) || !BEGINS(station[1], server))) -> assert(false)
    }
}
proctype watches_own()
{
    atomic {
        (received[0] > written[0] || received[1] > written[1]) -> assert(false)
    }
}

init {
    atomic {
        run works(0);
        run works(1);
        run serves();
        run watches();
        run watches_rows();
        run watches_own()
    }
}
