/* Every merge kind at once: registers, elements, differences and steps of several offices, deleted,
 * restored, cut off and forked. Whatever the order, the cuts between runs and the repetitions in
 * which logs arrive, the state is the same, it is what a model that knows only the set of entries
 * says, and merging it anew changes nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds_scenario.h"
#include "kinds_table.h"
#include "shuffled.h"

#define SCENARIOS 24
#define ORDERS 5

/* ---- delivering ---------------------------------------------------------------------------- */

static void shuffled(struct pieces *out)
{
    const struct cairn_hash *logs[KINDS_WRITERS];

    for (unsigned i = 0; i < KINDS_WRITERS; i++)
        logs[i] = &kinds.pen[i].id;
    *out = pieces_shuffled(&kinds.land.pieces, logs, KINDS_WRITERS, &kinds.state);
}

static char *describe_and_close(struct holder *holder)
{
    char *text = holder_describe(holder);

    holder_rebuild(holder);
    char *again = holder_describe(holder);
    expect_same_text(again, text, "merged anew, another state");
    free(again);
    holder_close(holder);
    return text;
}

/* What a holder says after these, taken from a sequencer or from a peer. */
static char *deliver(const struct pieces *pieces, bool is_sequenced)
{
    struct holder holder;

    holder_open(&holder, kinds.land.statement);
    for (size_t i = 0; i < pieces->count; i++)
        if (is_sequenced)
            holder_take_sequenced(&holder, &pieces->list[i]);
        else
            holder_take(&holder, &pieces->list[i]);
    /* What had to wait was kept as from a peer: a sequencer goes on offering it. */
    for (size_t i = 0; is_sequenced && i < kinds.land.pieces.count; i++)
        holder_take_sequenced(&holder, &kinds.land.pieces.list[i]);
    return describe_and_close(&holder);
}

static void expect_model(const char *text)
{
    char *got = kinds_of_the_model(text);
    char *want = kinds_model();

    expect_same_text(got, want, "the store does not hold what the model says");
    free(got);
    free(want);
}

static void expect_in_every_order(bool is_sequenced)
{
    char *want = deliver(&kinds.land.pieces, is_sequenced);

    expect_model(want);
    for (unsigned order = 0; order < ORDERS; order++) {
        struct pieces pieces;
        shuffled(&pieces);
        char *got = deliver(&pieces, is_sequenced);
        expect_same_text(got, want, "another order, another state");
        free(got);
        pieces_free(&pieces);
    }
    free(want);
}

/* Run `test` over seeds, or over the one that CAIRN_SEED gives. */
static void over_seeds(uint64_t first, void (*test)(void))
{
    const char *given = getenv("CAIRN_SEED");
    uint64_t seed = given == NULL ? first : strtoull(given, NULL, 10);

    for (unsigned i = 0; i < (given == NULL ? SCENARIOS : 1); i++, seed++) {
        print_message("CAIRN_SEED=%" PRIu64 "\n", seed);
        kinds_make(seed, 20 + (unsigned)(seed % 60));
        test();
        land_free(&kinds.land);
    }
}

static void whole(void)
{
    expect_in_every_order(false);
}

static void all_kinds_merge_to_one_state_in_every_order(void **state)
{
    (void)state;
    over_seeds(1, whole);
}

/* One log is shut out from some entry on: what it wrote before stays, the rest is as never written
 * to whoever reads the state. */
static void cut_off(void)
{
    unsigned writer = kinds_below(3);
    uint32_t size = 1 + kinds_below(pen_size(&kinds.pen[writer]));
    const struct cairn_under *grant = writer < 2 ? &kinds.land.station[writer] : &kinds.township;
    struct pen *pen = &kinds.land.office_pen;

    kinds.cut[writer] = size;
    pen_revoke(pen, &grant->grant, &kinds.heads[writer][size], 1);
    expect_in_every_order(true);
}

static void what_is_cut_off_replaces_nothing_in_any_order(void **state)
{
    (void)state;
    over_seeds(1001, cut_off);
}

/* The pieces in random order, those of `log` from `size` on only when `takes_tail`. */
static void deliver_until(struct holder *holder, const struct cairn_hash *log, uint32_t size,
                          bool takes_tail)
{
    struct pieces pieces;

    pieces = (struct pieces){0};
    for (size_t i = 0; i < kinds.land.pieces.count; i++) {
        const struct piece *piece = &kinds.land.pieces.list[i];
        if (takes_tail || !cairn_hash_equal(&piece->log, log) || piece->run.first < size)
            pieces_add(&pieces, piece);
    }
    pieces_shuffle(&pieces, &kinds.state);
    holder_open(holder, kinds.land.statement);
    holder_take_all(holder, &pieces);
    pieces_free(&pieces);
}

/* A log has two histories, and the sequencer covered the one that came second: whoever held the
 * first goes back and ends like whoever never saw it. */
static void forked(void)
{
    unsigned writer = kinds_below(KINDS_WRITERS);
    struct pieces branch = {0};
    struct holder first, second;

    if (pen_size(&kinds.pen[writer]) < 2)
        return; /* nothing to fork */
    uint32_t size = 1 + kinds_below(pen_size(&kinds.pen[writer]) - 1);
    struct pen pen = kinds.fork[writer][size];
    pen.out = &branch;
    for (unsigned i = 0; i < 3; i++)
        pen_create(&pen, 500 + i, KIND_MEMBERS, 7);
    deliver_until(&first, &pen.id, size, true);
    deliver_until(&second, &pen.id, size, false);
    for (size_t i = 0; i < branch.count; i++) {
        holder_take_sequenced(&first, &branch.list[i]);
        holder_cover(&first, &pen.id);
        holder_take_sequenced(&second, &branch.list[i]);
        holder_cover(&second, &pen.id);
    }
    char *got = describe_and_close(&first);
    char *want = describe_and_close(&second);
    expect_same_text(got, want, "who held the other history ends otherwise");
    free(got);
    free(want);
    pieces_free(&branch);
}

static void whoever_held_the_other_history_ends_in_the_same_state(void **state)
{
    (void)state;
    over_seeds(2001, forked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_merge_to_one_state_in_every_order),
        cmocka_unit_test(what_is_cut_off_replaces_nothing_in_any_order),
        cmocka_unit_test(whoever_held_the_other_history_ends_in_the_same_state),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
