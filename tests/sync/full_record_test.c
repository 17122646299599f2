/* A run that a server finds half way that it cannot take, because a record is full: nothing of it
 * stays, and neither the rest of its commit nor what comes after suffers. */

#include "cmocka_all.h"
#include "forge.h"
#include "judge.h"
#include "pen.h"
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "serve_internal.h"

#define FIELD_MEMBERS 3
#define FIELD_INCOME 6
#define EACH 13 /* entries of a run: they fit a message */
/* The last of them names more versions than a record holds; a household of its own comes before, so
 * that a half of it is written by then. */
#define RUNS 5

static struct net net;
static struct net_node a7, a8;
static struct pieces pieces;

/* An entry that names versions of a log that nobody has seen: all of them are remembered. */
static void names_write(struct cairn_writer *writer, struct pen *pen, uint32_t from)
{
    struct cairn_local_dot named[CAIRN_NAMED_MAX];
    struct draft draft;

    for (uint32_t i = 0; i < CAIRN_NAMED_MAX; i++)
        named[i] = (struct cairn_local_dot){1, from + i};
    draft_change(&draft, pen, 1);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, FIELD_INCOME, from, named,
               CAIRN_NAMED_MAX);
    assert_false(draft.writer.overflowed);
    cairn_write_bytes(writer, draft.bytes, draft.writer.size);
}

static void household_write(struct cairn_writer *writer, struct pen *pen)
{
    struct draft draft;

    draft_change(&draft, pen, 1);
    draft_create(&draft, TYPE_HOUSEHOLD, 2, FIELD_MEMBERS, 4);
    cairn_write_bytes(writer, draft.bytes, draft.writer.size);
}

/* Basis, a record, an announcement of the unseen log; then the runs. */
static void runs_write(void)
{
    static uint8_t bytes[EACH * 8192];
    struct cairn_head unseen = {.log = {{7}}, .size = 1u << 20};
    struct pen pen;
    struct draft draft;

    pen_begin(&pen, &a7.replica->keys, &a7.replica->ctx.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &a7.replica->under, 1, 5, &pieces);
    pen_create(&pen, 1, FIELD_MEMBERS, 4);
    draft_change(&draft, &pen, 2);
    draft_announce_first(&draft, &unseen);
    draft_item(&draft, CAIRN_ITEM_SET, (struct cairn_local_dot){0, 1}, FIELD_MEMBERS, 5, NULL, 0);
    draft_write(&draft, &pen);
    for (uint32_t run = 0; run < RUNS; run++) {
        struct cairn_writer writer;
        bool is_last = run + 1 == RUNS;
        cairn_writer_init(&writer, bytes, sizeof bytes);
        if (is_last)
            household_write(&writer, &pen);
        for (uint32_t i = 0; i < EACH; i++)
            names_write(&writer, &pen, (run * EACH + i) * CAIRN_NAMED_MAX);
        assert_false(writer.overflowed);
        pen_write(&pen, cairn_writer_bytes(&writer), EACH + is_last);
    }
}

static int setup(void **state)
{
    (void)state;
    net_open(&net, 6);
    net_join(&net, &a7, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &a8, &net.office, "station", NET_VILLAGE, "A8");
    net_sync(&net.office, &net.server);
    net_sync(&a7, &net.server);
    net_sync(&a8, &net.server);
    runs_write();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pieces_free(&pieces);
    net_node_close(&a7);
    net_node_close(&a8);
    net_close(&net);
    return 0;
}

/* A7's piece in a commit with a new household of A8, which is received. */
static struct cairn_serve_commit commit_piece(size_t which)
{
    static struct forged_log log;
    const struct forged_log *logs[] = {&log};
    struct cairn_serve *serves[2] = {NULL, NULL};
    struct cairn_serve_commit commit;

    log.scope = pieces.list[which].scope;
    log.channel = pieces.list[which].channel;
    log.run = pieces.list[which].run;
    net_put(&a8, NET_VILLAGE, "卓玛", NULL);
    net_must(cairn_sync_begin(a8.replica, &net_err));
    struct net_bytes messages[] = {forge_request(&a7, &net.server, logs, 1, false),
                                   net_request(&a8)};
    for (size_t i = 0; i < 2; i++)
        net_must(
            cairn_serve_open(net.server.replica, net_bytes(messages[i]), &serves[i], &net_err));
    net_must(cairn_serve_commit(net.server.replica, serves, 2, &commit, &net_err));
    for (size_t i = 0; i < 2; i++) {
        cairn_serve_free(serves[i]);
        free(messages[i].data);
    }
    return commit;
}

/* Both of A8 and the server hold the same, and have it from the logs. */
static void expect_unspoilt(uint64_t records)
{
    net_sync(&a8, &net.server);
    net_agree(&a8, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    assert_int_equal(net_status(&net.server).record_count, records);
    assert_int_equal(net_status(&net.server).parked_count, 0);
    net_put(&a8, NET_VILLAGE, "达娃", NULL);
    net_sync(&a8, &net.server);
    net_sync(&a7, &net.server);
    net_agree(&a7, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 3);
}

static void a_run_that_a_full_record_stops_half_way_leaves_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i + 1 < pieces.count; i++)
        assert_int_equal(commit_piece(i).refused_count, 0);
    struct cairn_serve_commit commit = commit_piece(pieces.count - 1);
    assert_int_equal(commit.refused_count, 1);
    assert_int_equal(commit.entry_count, 1); /* the honest one's */
    expect_unspoilt(pieces.count + 1);
}

/* The last run came too early and waits; what it waits for comes in whatever becomes of it. */
static void a_parked_run_that_a_full_record_stops_is_dropped(void **state)
{
    (void)state;
    for (size_t i = 0; i + 2 < pieces.count; i++)
        commit_piece(i);
    commit_piece(pieces.count - 1);
    assert_int_equal(net_status(&net.server).parked_count, 1);
    struct cairn_serve_commit commit = commit_piece(pieces.count - 2);
    assert_int_equal(commit.refused_count, 0);
    assert_int_equal(commit.entry_count, EACH + 1);
    expect_unspoilt(pieces.count + 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_run_that_a_full_record_stops_half_way_leaves_nothing),
        TEST(a_parked_run_that_a_full_record_stops_is_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
