/* The simulator itself: a seed is a run, the shrinker shrinks, and the model says what SPEC.md
 * section 5.2 says. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "model.h"
#include "shrink.h"

static struct run_result run_of(uint64_t seed, uint64_t steps_max, const uint8_t *skipped)
{
    const struct run_config config = {
        .world = {.seed = seed, .days = 3, .stations = 5},
        .steps_max = steps_max,
        .skipped = skipped,
    };
    struct run_result result;

    run_alone(&config, &result);
    if (result.failure.invariant[0] != '\0')
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, result.failure.invariant,
                 result.failure.text);
    return result;
}

static void one_seed_is_one_run_to_the_last_byte(void **state)
{
    (void)state;
    for (uint64_t seed = 7001; seed < 7004; seed++) {
        struct run_result first = run_of(seed, 0, NULL), second = run_of(seed, 0, NULL);
        assert_int_equal(first.hash, second.hash);
        assert_int_equal(first.tally.edits, second.tally.edits);
        assert_memory_equal(&first.tally, &second.tally, sizeof first.tally);
    }
}

static void another_seed_is_another_run(void **state)
{
    (void)state;
    assert_int_not_equal(run_of(7001, 100, NULL).hash, run_of(7002, 100, NULL).hash);
}

static void leaving_out_a_step_leaves_the_steps_before_it_as_they_were(void **state)
{
    uint8_t skipped[64] = {0};

    (void)state;
    skipped[90 / 8] = (uint8_t)(1u << 90 % 8);
    struct run_result whole = run_of(7001, 90, NULL), without = run_of(7001, 90, skipped);
    assert_int_equal(whole.hash, without.hash);
    assert_int_equal(run_of(7001, 91, skipped).tally.steps + 1, run_of(7001, 91, NULL).tally.steps);
}

static void a_failing_run_is_shrunk_to_the_few_steps_that_matter(void **state)
{
    struct run_config config = {
        .world = {.seed = 7105, .days = 10, .stations = 3, .planted_settlements = 1}};
    struct run_result result = {.step = 0};
    struct shrunk shrunk;

    (void)state;
    for (; result.failure.invariant[0] == '\0'; config.world.seed++)
        run_alone(&config, &result);
    config.world.seed--;
    assert_string_equal(result.failure.invariant, "planted");
    shrink(&config, &result.failure, 150, &shrunk);
    assert_string_equal(shrunk.result.failure.invariant, "planted");
    assert_in_range(shrunk.left_count, 1, 12);
    free(shrunk.skipped);
}

static void dice_are_fair_enough_and_streams_differ(void **state)
{
    struct dice one, other;
    unsigned counts[6] = {0}, same = 0;

    (void)state;
    dice_init(&one, 1, 1);
    dice_init(&other, 1, 2);
    for (int i = 0; i < 6000; i++) {
        uint32_t face = dice_below(&one, 6);
        assert_in_range(face, 0, 5);
        counts[face]++;
        same += face == dice_below(&other, 6);
    }
    for (int i = 0; i < 6; i++)
        assert_in_range(counts[i], 800, 1200);
    assert_in_range(same, 800, 1200);
}

/* ---- the model ----------------------------------------------------------------------------- */

struct book {
    struct model model;
    struct holdings held;
    uint32_t mine, yours; /* logs */
    uint32_t record;
};

static void book_open(struct book *book)
{
    struct model_log log = {.channel = CAIRN_CHANNEL_RECORDS, .grant = 1};

    memset(book, 0, sizeof *book);
    model_init(&book->model);
    log.id.bytes[0] = 1;
    book->mine = model_log_add(&book->model, &log);
    log.id.bytes[0] = 2;
    log.grant = 2;
    book->yours = model_log_add(&book->model, &log);
    book->record = model_record_add(&book->model, book->mine, 1, "A1-0001-A");
    book->held.size[book->mine] = book->held.size[book->yours] = 100;
}

static uint32_t wrote(struct book *book, uint32_t log, uint32_t index, uint32_t field,
                      uint32_t named)
{
    const struct model_version version = {.record = book->record,
                                          .field = field,
                                          .token = index,
                                          .log = log,
                                          .index = index,
                                          .repeats = MODEL_NONE};

    return model_version_add(&book->model, &version, &named, named != MODEL_NONE);
}

static uint32_t live_count(const struct book *book)
{
    uint32_t live[MODEL_LIVE_MAX];

    return model_live(&book->model, &book->held, book->record, live);
}

/* The one live version. */
static uint32_t only_live(const struct book *book)
{
    uint32_t live[MODEL_LIVE_MAX];

    assert_int_equal(model_live(&book->model, &book->held, book->record, live), 1);
    return live[0];
}

static void a_later_write_of_ones_own_replaces_the_earlier(void **state)
{
    struct book book;

    (void)state;
    book_open(&book);
    uint32_t earlier = wrote(&book, book.mine, 1, 6, MODEL_NONE);
    uint32_t later = wrote(&book, book.mine, 2, 6, MODEL_NONE);
    assert_int_equal(only_live(&book), later);
    book.held.size[book.mine] = 2; /* the second has not arrived */
    assert_int_equal(only_live(&book), earlier);
    model_release(&book.model);
}

static void what_was_not_named_stays_beside_the_other(void **state)
{
    struct book book;

    (void)state;
    book_open(&book);
    uint32_t first = wrote(&book, book.mine, 1, 6, MODEL_NONE);
    wrote(&book, book.yours, 1, 6, MODEL_NONE);
    assert_int_equal(live_count(&book), 2);
    wrote(&book, book.yours, 2, 6, first);
    assert_int_equal(live_count(&book), 1);
    model_release(&book.model);
}

static void what_lies_behind_a_cut_neither_counts_nor_replaces(void **state)
{
    struct book book;

    (void)state;
    book_open(&book);
    uint32_t first = wrote(&book, book.mine, 1, 6, MODEL_NONE);
    uint32_t second = wrote(&book, book.yours, 1, 6, first);
    assert_int_equal(only_live(&book), second);
    struct model_decree *decree = &book.model.decrees[book.model.decree_count++];
    decree->grant = 2;
    decree->by_log = book.mine;
    decree->by_index = 50;
    decree->cuts[book.yours] = 1;
    assert_int_equal(only_live(&book), first);
    assert_false(model_is_inside(&book.model, &book.held, book.yours, 1));
    book.held.size[book.mine] = 50; /* who has not heard of it goes on */
    assert_true(model_is_inside(&book.model, &book.held, book.yours, 1));
    assert_int_equal(only_live(&book), second);
    model_release(&book.model);
}

static void what_repeats_counts_only_while_the_first_is_not_here(void **state)
{
    struct book book;

    (void)state;
    book_open(&book);
    uint32_t first = wrote(&book, book.mine, 2, 6, MODEL_NONE);
    struct model_version again = book.model.versions[first];
    again.log = book.yours;
    again.repeats = first;
    uint32_t second = model_version_add(&book.model, &again, NULL, 0);
    assert_int_equal(only_live(&book), first);
    book.held.size[book.mine] = 2; /* the first is not here */
    assert_int_equal(only_live(&book), second);
    model_release(&book.model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dice_are_fair_enough_and_streams_differ),
        cmocka_unit_test(a_later_write_of_ones_own_replaces_the_earlier),
        cmocka_unit_test(what_was_not_named_stays_beside_the_other),
        cmocka_unit_test(what_lies_behind_a_cut_neither_counts_nor_replaces),
        cmocka_unit_test(what_repeats_counts_only_while_the_first_is_not_here),
        cmocka_unit_test(one_seed_is_one_run_to_the_last_byte),
        cmocka_unit_test(another_seed_is_another_run),
        cmocka_unit_test(leaving_out_a_step_leaves_the_steps_before_it_as_they_were),
        cmocka_unit_test(a_failing_run_is_shrunk_to_the_few_steps_that_matter),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
