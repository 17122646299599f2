/* A record that many have written to unseen: however much it holds, what is valid is taken, and no
 * log stands still for it; only who writes here is stopped in time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "compose.h"
#include "desk.h"
#include "holder.h"
#include "kinds_table.h"
#include "record.h"

#define EACH 600 /* elements by each of two stations */

static struct land land;

/* `record` as this pen's log names it; `announced` is where the other log stands, NULL: said. */
static void element_add(struct pen *pen, struct cairn_local_dot record, int64_t value,
                        const struct cairn_head *announced)
{
    struct draft draft;

    draft_change(&draft, pen, 1 + (announced != NULL));
    if (announced != NULL)
        draft_announce_first(&draft, announced);
    draft_item(&draft, CAIRN_ITEM_ADD, record, KIND_NEEDS, value, NULL, 0);
    draft_write(&draft, pen);
}

static void elements_of_any_number_are_taken_in_either_order(void **state)
{
    struct holder holders[2];
    struct pen a, b;

    (void)state;
    land_init_with(&land, kinds_table_write);
    land_station_pen(&land, &a, 0);
    land_station_pen(&land, &b, 1);
    pen_create(&a, 1, KIND_MEMBERS, 4);
    struct cairn_head head = pen_head(&a);
    for (int i = 0; i < EACH; i++)
        element_add(&a, (struct cairn_local_dot){0, 1}, i, NULL);
    for (int i = 0; i < EACH; i++)
        element_add(&b, (struct cairn_local_dot){1, 1}, EACH + i, i == 0 ? &head : NULL);
    for (size_t which = 0; which < 2; which++) {
        struct holder *holder = &holders[which];
        holder_open(holder, land.statement);
        for (size_t i = 0; i < land.pieces.count; i++)
            holder_take(holder, &land.pieces.list[which == 0 ? i : land.pieces.count - 1 - i]);
        assert_int_equal(holder_live(holder, &a.id, 1, KIND_NEEDS), 2 * EACH);
    }
    struct cairn_hash one = holder_digest(&holders[0], VILLAGE, CAIRN_CHANNEL_RECORDS);
    struct cairn_hash two = holder_digest(&holders[1], VILLAGE, CAIRN_CHANNEL_RECORDS);
    assert_memory_equal(one.bytes, two.bytes, sizeof one.bytes);
    holder_rebuild(&holders[0]);
    two = holder_digest(&holders[0], VILLAGE, CAIRN_CHANNEL_RECORDS);
    assert_memory_equal(one.bytes, two.bytes, sizeof one.bytes);
    holder_close(&holders[0]);
    holder_close(&holders[1]);
    land_free(&land);
}

static void what_would_make_a_record_too_long_to_store_is_over_a_limit(void **state)
{
    static const uint8_t text[3 + CAIRN_TEXT_MAX] = {0x79, CAIRN_TEXT_MAX >> 8};
    static struct cairn_live live[CAIRN_VALUE_MAX / sizeof text + 1];
    struct cairn_record_state record;
    struct holder holder;
    struct cairn_log log;
    struct pen a;

    (void)state;
    land_init_with(&land, kinds_table_write);
    land_station_pen(&land, &a, 0);
    pen_create(&a, 1, KIND_MEMBERS, 4);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_WRITE), CAIRN_OK);
    assert_int_equal(cairn_log_find(&holder.ctx, &a.id, &log), CAIRN_OK);
    assert_int_equal(cairn_record_load(&holder.ctx, &log, 1, &record), CAIRN_OK);
    record.live = live;
    record.live_count = sizeof live / sizeof live[0];
    for (size_t i = 0; i < record.live_count; i++)
        live[i] = (struct cairn_live){
            .field = KIND_CAUSES, .dot = record.id, .cbor = {text, sizeof text}};
    assert_int_equal(cairn_record_save(&holder.ctx, &log, &record), CAIRN_LIMIT);
    record.live_count /= 2;
    assert_int_equal(cairn_record_save(&holder.ctx, &log, &record), CAIRN_OK);
    cairn_context_abort(&holder.ctx);
    holder_close(&holder);
    land_free(&land);
}

static void more_new_logs_than_a_change_can_announce_are_refused_in_words(void **state)
{
    struct holder holder;
    struct cairn_composer composer;
    struct cairn_local_dot local;
    struct pen own, others[CAIRN_COMPOSE_LOGS_MAX + 1];
    struct cairn_err err = {.translate = NULL};

    (void)state;
    land_init(&land);
    land_station_pen(&land, &own, 0);
    for (size_t i = 0; i <= CAIRN_COMPOSE_LOGS_MAX; i++)
        pen_begin(&others[i], &land.station_keys[1], &land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
                  &land.station[1], 1, 200 + i, &land.pieces);
    holder_open(&holder, land.statement);
    holder_take_all(&holder, &land.pieces);
    const struct cairn_log log = holder_log(&holder, &own.id);
    assert_int_equal(cairn_context_begin(&holder.ctx, CAIRN_TXN_READ), CAIRN_OK);
    holder.ctx.err = &err;
    cairn_composer_init(&composer, &holder.ctx, &log, PEN_TIME);
    cairn_compose_begin(&composer);
    for (uint32_t round = 0; round < 2; round++) /* what is announced is so once */
        for (size_t i = 0; i <= CAIRN_COMPOSE_LOGS_MAX; i++) {
            struct cairn_log other;
            assert_int_equal(cairn_log_find(&holder.ctx, &others[i].id, &other), CAIRN_OK);
            assert_int_equal(cairn_compose_dot(&composer, (struct cairn_dot){other.no, 0}, &local),
                             i < CAIRN_COMPOSE_LOGS_MAX ? CAIRN_OK : CAIRN_LIMIT);
        }
    assert_string_equal(err.text, "One change rests on what more than 64 other devices wrote. "
                                  "Nothing was written; change fewer records at once.");
    cairn_composer_release(&composer);
    holder.ctx.err = NULL;
    cairn_context_abort(&holder.ctx);
    holder_close(&holder);
    land_free(&land);
}

/* ---- who writes here ----------------------------------------------------------------------- */

static const char yaml[] =
    DESK_THING "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
               "      - {number: 2, name: words, zh: 词, en: words, type: text, merge: set}\n";

static void who_writes_here_is_stopped_long_before_a_record_is_full(void **state)
{
    char word[16];

    (void)state;
    desk_open(yaml);
    desk_put("thing", DESK_VILLAGE, "it", NULL);
    for (unsigned i = 2; i < CAIRN_LIVE_WRITTEN_MAX; i++) { /* its existence and its name are two */
        snprintf(word, sizeof word, "w%u", i);
        machine_must(&desk, desk_change("thing", "it", "words", word, CAIRN_PUT_ADD));
    }
    machine_expect_refused(&desk, desk_change("thing", "it", "words", "more", CAIRN_PUT_ADD),
                           CAIRN_BAD_INPUT,
                           "A record holds at most 1000 values, and this one has 1000 already. "
                           "Nothing was written; take some away first.");
    machine_must(&desk, desk_change("thing", "it", "words", "w2", CAIRN_PUT_REMOVE));
    machine_must(&desk, desk_change("thing", "it", "words", "more", CAIRN_PUT_ADD));
    desk_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_any_number_are_taken_in_either_order),
        cmocka_unit_test(what_would_make_a_record_too_long_to_store_is_over_a_limit),
        cmocka_unit_test(more_new_logs_than_a_change_can_announce_are_refused_in_words),
        cmocka_unit_test(who_writes_here_is_stopped_long_before_a_record_is_full),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
