/*
 * What "received" means: two stations, one server that is the sequencer of their scope, messages
 * that are lost, repeated and overtaken, a server that dies between commit and answer, and that is
 * once restored from an older copy of its disk.
 *
 * A scope log is a row of leaves (station, size). Its head is the row itself, here a number: one
 * digit a leaf. The server commits before it answers; a station checks that what it is given extends
 * what it holds, leaf by leaf, and keeps it before it says "received".
 *
 * Properties, restored or not:
 *   1 received      the server holds every entry that a station was told was received; after a restore it
 *                   may have lost some, but then the station's row is no beginning of the server's, so that
 *                   the next request tells both
 *   2 never less    what a station was told never shrinks
 *   3 one history   a station's row is only ever extended: of two rows of one size that the server signed it
 *                   keeps the first and refuses the other
 *   4 signed        a station's row is a beginning of the server's, or of what the server had signed before
 *                   it was restored
 *   5 seen          the server covers nothing for a request whose row is no beginning of its own, and does
 *                   not answer it
 *
 * -DBUG=N breaks a rule so that property N fails; then N alone is looked at.
 */
#define STATIONS 2
#define ENTRIES 2 /* that each station writes */
#define LEAVES 4
#define DIGITS 5 /* 1 to 4: station and size; 0: none */

#ifndef BUG
#define BUG 0
#endif
#define LOOKS_AT(n) (BUG == 0 || BUG == n)
#define CHECK(n, property) assert(!LOOKS_AT(n) || (property))

/* 1: the answer leaves first, and the commit may be lost. */
#if BUG == 1
#define LOSE_COMMIT(s) \
    if \
    :: server.count > 0 && server.leaf[server.count - 1] == LEAF(s, held[s]) -> server.count--; held[s]-- \
    :: skip \
    fi
#else
#define LOSE_COMMIT(s) skip
#endif

/* 2: an older answer is taken as well. 3: only the number of leaves is looked at. 4: the leaves behind the
 * station's own are appended to it, and the root is not compared. */
#if BUG == 2
#define TAKES(s, all) (BEGINS(station[s], all) || BEGINS(all, station[s]))
#elif BUG == 3 || BUG == 4
#define TAKES(s, all) (station[s].count <= all.count)
#else
#define TAKES(s, all) BEGINS(station[s], all)
#endif
#if BUG == 4
#define OWN(s, i) ((i) < was.count)
#else
#define OWN(s, i) false
#endif

/* 5: the server looks at the number of leaves only. */
#if BUG == 5
#define SERVES(known) (known.count <= server.count)
#else
#define SERVES(known) BEGINS(known, server)
#endif

/* -DRESTORES=1: the server may once go back to an older copy of its disk: to a beginning of its row. */
#ifndef RESTORES
#define RESTORES 0
#endif

#define LEAF(station, size) (1 + (station) * ENTRIES + (size) - 1)

typedef row {
    byte count;
    byte leaf[LEAVES];
};

/* On disk. */
row server;
byte held[STATIONS]; /* entries of each station at the server */
row station[STATIONS];
byte written[STATIONS], received[STATIONS];

/* What nobody in the model knows: all that was ever signed are the beginnings of `server` and of `before`,
 * the row that a restore lost. */
row before;
bool was_restored;
hidden row was; /* a station's row, until what it takes has been looked at */

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

/* What is gone leaves nothing that would make two states of one. */
inline row_clear(r)
{
    r.count = 0;
    r.leaf[0] = 0;
    r.leaf[1] = 0;
    r.leaf[2] = 0;
    r.leaf[3] = 0
}
inline request_drop(s)
{
    asked[s].is_there = false;
    asked[s].entries = 0;
    row_clear(asked[s].known)
}
inline answer_drop(s)
{
    told[s].is_there = false;
    row_clear(told[s].all)
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

/* A station takes an answer. */
inline accept(s, given)
{
    if
    :: TAKES(s, given) ->
        row_copy(station[s], was);
        station[s].count = given.count;
        for (k : 0 .. LEAVES - 1) {
            station[s].leaf[k] = (OWN(s, k) -> was.leaf[k] : given.leaf[k])
        }
        covered_in(station[s], s, got);
        CHECK(2, got >= received[s]);
        CHECK(3, BEGINS(was, station[s]));
        received[s] = got;
        got = 0
    :: else -> skip /* older than what is held, or another history: nothing is kept */
    fi
}

/* The server takes a request, which stays under way: it may come again. */
inline serve(s)
{
    if
    :: !SERVES(asked[s].known) -> skip /* it says more than we have, or something else */
    :: else ->
        CHECK(5, BEGINS(asked[s].known, server));
        if
        :: asked[s].entries > held[s] ->
            assert(server.count < LEAVES);
            held[s] = asked[s].entries;
            server.leaf[server.count] = LEAF(s, held[s]);
            server.count++
        :: else
        fi;
        /* committed; the answer is under way, overtakes an earlier one, or is never written */
        if
        :: told[s].is_there = true; row_copy(server, told[s].all)
        :: !RESTORES -> accept(s, server) /* with a restore as well the states would be too many */
        :: skip
        fi;
        LOSE_COMMIT(s)
    fi
}

proctype works(byte s)
{
    byte k, got;

end:
    do
    :: atomic { written[s] < ENTRIES -> written[s]++ }
    :: atomic { /* ask: an earlier request is given up */
        asked[s].is_there = true;
        asked[s].entries = written[s];
        row_copy(station[s], asked[s].known)
    }
    :: atomic { told[s].is_there -> accept(s, told[s].all); if :: answer_drop(s) :: skip fi } /* or again */
    :: atomic { told[s].is_there -> answer_drop(s) } /* lost */
    od
}

proctype serves()
{
    byte k, got;

end:
    do
    :: atomic { asked[0].is_there -> serve(0); if :: request_drop(0) :: skip fi }
    :: atomic { asked[1].is_there -> serve(1); if :: request_drop(1) :: skip fi }
    :: atomic {
        RESTORES && !was_restored && server.count > 0 ->
        was_restored = true;
        row_copy(server, before);
        do
        :: server.count > 0 -> server.count--; server.leaf[server.count] = 0
        :: server.count < before.count -> break
        od;
        covered_in(server, 0, held[0]);
        covered_in(server, 1, held[1])
    }
    od
}

/* 1, of one station. */
#define UNHELD(s) (received[s] > held[s] && (!was_restored || BEGINS(station[s], server)))
/* 4, of one station. */
#define UNSIGNED(s) (!BEGINS(station[s], server) && !BEGINS(station[s], before))

/* Looks at every state. */
proctype watches()
{
    if
    :: atomic { LOOKS_AT(1) && (UNHELD(0) || UNHELD(1)) -> assert(false) }
    :: atomic { LOOKS_AT(1) && (received[0] > written[0] || received[1] > written[1]) -> assert(false) }
    :: atomic { LOOKS_AT(4) && (UNSIGNED(0) || UNSIGNED(1)) -> assert(false) }
    fi
}

init {
    atomic {
        run works(0);
        run works(1);
        run serves();
        run watches()
    }
}
