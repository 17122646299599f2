/* What this device wrote and what has no effect: it is numbered, said in words with its reason, and
 * no longer counted once it is answered. History shows the same entries, and which clocks jumped.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "machine.h"
#include "pen.h"
#include "replica_internal.h"
#include "verdict.h"

#define FIELD_HEAD 2
#define FIELD_MEMBERS 3
#define FIELD_INCOME 6

/* A station, and pens that write what no honest program of it would. */
static struct machine root, office, station;
static struct pieces pieces;
static struct pen own;
static char id[32];

/* Take in what pens wrote since. */
static size_t taken;
static void take(void)
{
    machine_take(&station, &pieces, taken);
    taken = pieces.count;
}

/* A record log of the station, beside the one that its program writes, with one record. */
static void own_begin(uint64_t seed)
{
    pen_begin(&own, &station.replica->keys, &station.replica->ctx.network, VILLAGE,
              CAIRN_CHANNEL_RECORDS, &station.replica->under, 1, seed, &pieces);
    pen_create(&own, 900, FIELD_INCOME, 4150);
}

static void own_set(uint64_t field, int64_t value)
{
    pen_set(&own, 1, field, value);
}

static bool keep_id(void *context, const struct cairn_record *record)
{
    (void)context;
    memcpy(id, record->id, sizeof id);
    return true;
}

static int setup(void **state)
{
    (void)state;
    memset(&pieces, 0, sizeof pieces);
    taken = 0;
    machine_init(&root, 1, "root", "51");
    machine_init(&office, 2, "office", NULL);
    machine_init(&station, 3, "station", NULL);
    machine_join(&office, &root, "county", "513332", "C");
    machine_join(&station, &office, "station", "513332100201", "A7");
    own_begin(77);
    take();
    machine_must(&station,
                 cairn_list(station.replica, "household", NULL, 0, keep_id, NULL, &station.err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    machine_free(&station);
    machine_free(&office);
    machine_free(&root);
    pieces_free(&pieces);
    return 0;
}

/* ---- as text ---- */

static char text[4096];

static void text_add(const char *part)
{
    size_t used = strlen(text);

    snprintf(text + used, sizeof text - used, "%s ", part == NULL ? "-" : part);
}

static bool refused_add(void *context, const struct cairn_refused_item *item)
{
    (void)context;
    text_add(item->number);
    text_add(strcmp(item->id, id) == 0 ? "ID" : item->id);
    for (size_t i = 0; i < item->change_count; i++) {
        text_add(item->changes[i].operation);
        text_add(item->changes[i].field);
        text_add(item->changes[i].new_value);
    }
    text_add(item->why_not);
    text_add(item->is_answered ? "answered;" : "open;");
    return true;
}

static const char *refused(bool takes_answered)
{
    text[0] = '\0';
    machine_must(&station,
                 cairn_refused(station.replica, takes_answered, refused_add, NULL, &station.err));
    return text;
}

static bool history_add(void *context, const struct cairn_history_item *item)
{
    static const char *const states[] = {"local", "received", "waiting", "refused"};

    (void)context;
    text_add(item->role);
    text_add(item->operation);
    text_add(item->field);
    text_add(item->old_value);
    text_add(item->new_value);
    text_add(states[item->state]);
    text_add(item->is_time_odd ? "odd;" : ";");
    return true;
}

static const char *history(void)
{
    text[0] = '\0';
    machine_must(&station, cairn_history(station.replica, id, history_add, NULL, &station.err));
    return text;
}

/* ---- tests ---- */

static bool count_record(void *context, const struct cairn_count *group)
{
    *(uint64_t *)context += group->count;
    return true;
}

/* How many households have an entry without effect. */
static uint64_t refused_records(const char *yes_or_no)
{
    const struct cairn_condition condition = {"refused", CAIRN_EQUAL, yes_or_no};
    const struct cairn_query query = {
        .type = "household", .conditions = &condition, .condition_count = 1};
    uint64_t count = 0;

    machine_must(&station, cairn_query_count(station.replica, &query, NULL, NULL, 0, count_record,
                                             &count, &station.err));
    return count;
}

static uint64_t refused_and_not(void)
{
    const struct cairn_condition conditions[] = {{"refused", CAIRN_EQUAL, "yes"},
                                                 {"refused", CAIRN_EQUAL, "no"}};
    const struct cairn_query query = {
        .type = "household", .conditions = conditions, .condition_count = 2};
    uint64_t count = 0;

    machine_must(&station, cairn_query_count(station.replica, &query, NULL, NULL, 0, count_record,
                                             &count, &station.err));
    return count;
}

static void an_invalid_entry_is_listed_until_the_record_is_written_again(void **state)
{
    (void)state;
    assert_string_equal(refused(true), "");
    own_set(FIELD_MEMBERS, 5);
    own_set(FIELD_HEAD, 7); /* no text, and not personal */
    take();
    assert_string_equal(refused(false),
                        "A7.3 ID set head 7 the value is not of the field's type open; ");
    assert_int_equal(machine_status(&station).refused_count, 1);
    assert_int_equal(refused_records("yes"), 1);
    assert_int_equal(refused_records("no"), 0);

    machine_must(&station, machine_set(&station, id, "head", "扎西"));
    assert_string_equal(refused(false), "");
    assert_int_equal(machine_status(&station).refused_count, 0);
    assert_string_equal(refused(true),
                        "A7.3 ID set head 7 the value is not of the field's type answered; ");
}

static void history_shows_what_has_no_effect_where_it_was_written(void **state)
{
    (void)state;
    own_set(FIELD_HEAD, 7);
    own_set(FIELD_INCOME, 4300);
    take();
    assert_string_equal(history(), "station create income - 4150 local ; "
                                   "station set head - 7 refused ; "
                                   "station set income 4150 4300 local ; ");
}

static void a_clock_that_jumps_is_marked_and_orders_nothing_in_its_log(void **state)
{
    (void)state;
    own.time_s = 1000; /* 1970: the battery was empty */
    own_set(FIELD_INCOME, 4300);
    own_set(FIELD_INCOME, 4310);
    own.time_s = PEN_TIME + 100;
    own_set(FIELD_INCOME, 4320);
    take();
    assert_string_equal(history(), "station create income - 4150 local ; "
                                   "station set income 4150 4300 local odd; "
                                   "station set income 4300 4310 local odd; "
                                   "station set income 4310 4320 local ; ");
}

static void revoke_station(void)
{
    struct pen pen;

    pen_begin(&pen, &office.replica->keys, &office.replica->ctx.network, COUNTY,
              CAIRN_CHANNEL_AUTHORITY, &office.replica->under, 1, 78, &pieces);
    pen_revoke(&pen, &station.replica->under.grant, NULL, 0);
}

static void what_a_revocation_cuts_off_is_listed(void **state)
{
    (void)state;
    own_set(FIELD_INCOME, 4300);
    revoke_station();
    take();
    assert_string_equal(refused(false),
                        "A7.1 ID create income 4150 its device was shut out before this open; "
                        "A7.2 ID set income 4300 its device was shut out before this open; ");
    assert_int_equal(machine_status(&station).refused_count, 2);
}

static void what_stands_on_a_branch_that_does_not_count_is_listed(void **state)
{
    struct pen other = own;

    (void)state;
    own_set(FIELD_INCOME, 4300);
    take();
    own = other;
    own_set(FIELD_INCOME, 4444);
    take();
    assert_string_equal(
        refused(false),
        "A7.2 ID set income 4300 its log has two histories, and this one does not count open; ");
}

static void what_an_entry_that_counts_repeats_is_answered(void **state)
{
    struct pen next, other = own;
    struct cairn_head head = pen_head(&own);
    struct draft draft;

    (void)state;
    struct cairn_ref lost = pen_set(&own, 1, FIELD_INCOME, 4300);
    pen_set(&other, 1, FIELD_INCOME, 4444);
    take();
    pen_begin(&next, own.keys, &station.replica->ctx.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &station.replica->under, 1, 79, &pieces);
    draft_change(&draft, &next, 3);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, FIELD_INCOME, 4300, NULL, 0);
    cairn_repeats_write(&draft.writer, &lost);
    draft_write(&draft, &next);
    take();
    assert_string_equal(refused(false), "");
    assert_string_equal(refused(true), "A7.2 ID set income 4300 its log has two histories, and "
                                       "this one does not count answered; ");
}

/* ---- the audit ---- */

static void settled_add(void *context, const struct cairn_audit_settled *settled)
{
    (void)context;
    text_add(settled->tag);
    text_add(settled->field);
    text_add(settled->reason);
}

static const char *settled(void)
{
    const struct cairn_audit_visitor visitor = {.settled = settled_add};
    struct cairn_audit_report report;

    text[0] = '\0';
    machine_must(&station,
                 cairn_audit_replica(station.replica, NULL, &visitor, &report, NULL, &station.err));
    return text;
}

static void own_settle(uint64_t field, uint32_t record, unsigned reasons)
{
    const struct cairn_local_dot dot = {0, record};
    struct draft draft;

    draft_change(&draft, &own, 1 + reasons);
    draft_item(&draft, CAIRN_ITEM_SETTLE, dot, field, 1, NULL, 0);
    for (unsigned i = 0; i < reasons; i++)
        draft_reason(&draft);
    draft_write(&draft, &own);
}

static void an_audit_tells_of_a_settlement_that_has_effect_and_of_no_other(void **state)
{
    (void)state;
    own_settle(FIELD_INCOME, 1, 0);
    own_settle(FIELD_INCOME, 1, 2);
    own_settle(FIELD_INCOME, 0, 1); /* no record */
    own_settle(FIELD_HEAD, 1, 1);   /* no text, and not personal */
    own_settle(900, 1, 1);          /* of a newer table */
    take();
    assert_string_equal(settled(), "");
    own_settle(FIELD_INCOME, 1, 1);
    own_settle(CAIRN_FIELD_EXISTENCE, 1, 1);
    take();
    assert_string_equal(settled(), "A7 income seen A7 deleted seen ");
    revoke_station();
    take();
    assert_string_equal(settled(), "");
}

/* One more record of the same number; what it shows is its income. */
static void own_create(int64_t income)
{
    pen_create(&own, 900, FIELD_INCOME, income);
}

static void records_with_many_entries_without_effect_are_told_from_others(void **state)
{
    struct draft draft;
    char other[32];

    (void)state;
    own_create(4200);
    for (size_t i = 0; i < 20; i++)
        own_set(FIELD_HEAD, 7);
    draft_change(&draft, &own, 1); /* on a record that nobody can find */
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){5, 1}, FIELD_INCOME, 1, NULL, 0);
    draft_write(&draft, &own);
    take();
    machine_must(&station, machine_create(&station, "卓玛", other));
    assert_int_equal(machine_status(&station).refused_count, 21);
    assert_int_equal(refused_records("yes"), 1);
    assert_int_equal(refused_records("no"), 2);
    assert_int_equal(refused_and_not(), 0);
}

static bool income_add(void *context, const struct cairn_record *record)
{
    (void)context;
    text_add(record->fields[0].versions[0].value);
    return true;
}

static void records_of_one_number_are_listed_as_they_were_written(void **state)
{
    (void)state;
    for (int64_t income = 1; income < 6; income++)
        own_create(income);
    take();
    own_begin(78); /* in a second log, which gives the same number again */
    take();
    text[0] = '\0';
    machine_must(&station,
                 cairn_list(station.replica, "household", NULL, 0, income_add, NULL, &station.err));
    assert_string_equal(text, "4150 1 2 3 4 5 4150 ");
}

static const char *in_words_of_ours(const char *msgid)
{
    bool is_frame = strcmp(msgid, "This cannot be written: %s.") == 0 || strcmp(msgid, "%s.") == 0;

    return is_frame ? "<%s>" : "why";
}

static void why_an_entry_cannot_be_written_is_said_in_the_same_language(void **state)
{
    struct cairn_context *ctx = &station.replica->ctx;
    struct cairn_author author = cairn_replica_author(station.replica);
    struct cairn_writer writer;
    struct cairn_log log;
    uint8_t idle[32];

    (void)state;
    cairn_writer_init(&writer, idle, sizeof idle);
    cairn_entry_begin(&writer, CAIRN_KIND_CHANGE, 1700000000, 0);
    station.err.translate = in_words_of_ours;
    cairn_replica_fresh(station.replica, &station.err);
    machine_must(&station, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
    machine_must(&station, cairn_own_log(ctx, &author, (struct cairn_scope){VILLAGE},
                                         CAIRN_CHANNEL_RECORDS, &log));
    assert_int_equal(cairn_apply_own(ctx, &author, &log, cairn_writer_bytes(&writer), 1),
                     CAIRN_BAD_INPUT);
    cairn_context_abort(ctx);
    assert_string_equal(station.err.text, "<why>");
}

static void a_status_without_a_sentence_is_said_in_the_same_language(void **state)
{
    struct cairn_err err = {.translate = in_words_of_ours};

    (void)state;
    assert_int_equal(cairn_explain(&err, CAIRN_LIMIT), CAIRN_LIMIT);
    assert_string_equal(err.text, "<why>");
}

/* ---- what waits ---- */

/* On a record of a log that nobody has here. */
static void unknown_set(void)
{
    struct cairn_head head = {.log = {{9}}, .size = 2};
    struct draft draft;

    draft_change(&draft, &own, 2);
    draft_announce_first(&draft, &head);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){1, 1}, FIELD_INCOME, 1, NULL, 0);
    draft_write(&draft, &own);
}

static void what_waits_for_other_entries_is_told_from_what_a_newer_program_wrote(void **state)
{
    (void)state;
    own_set(900, 1); /* of a newer table */
    unknown_set();
    take();
    const struct cairn_status_report report = machine_status(&station);
    assert_int_equal(report.newer_count, 1);
    assert_int_equal(report.awaiting_count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_invalid_entry_is_listed_until_the_record_is_written_again),
        TEST(history_shows_what_has_no_effect_where_it_was_written),
        TEST(a_clock_that_jumps_is_marked_and_orders_nothing_in_its_log),
        TEST(what_a_revocation_cuts_off_is_listed),
        TEST(what_stands_on_a_branch_that_does_not_count_is_listed),
        TEST(what_an_entry_that_counts_repeats_is_answered),
        TEST(an_audit_tells_of_a_settlement_that_has_effect_and_of_no_other),
        TEST(records_with_many_entries_without_effect_are_told_from_others),
        TEST(why_an_entry_cannot_be_written_is_said_in_the_same_language),
        TEST(a_status_without_a_sentence_is_said_in_the_same_language),
        TEST(what_waits_for_other_entries_is_told_from_what_a_newer_program_wrote),
        TEST(records_of_one_number_are_listed_as_they_were_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
