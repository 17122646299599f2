#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fault_net.h"

/* ---- what is to be seen afterwards ---- */

static void expect_one(void)
{
    fault_expect_records(&net.station, 1);
}

static void expect_two(void)
{
    fault_expect_records(&net.station, 2);
}

static void expect_one_at_server(void)
{
    fault_expect_records(&net.server, 1);
}

static void expect_two_at_server(void)
{
    fault_expect_records(&net.server, 2);
}

/* ---- sync, the client's side ---- */

static enum cairn_status act_sync_begin(void)
{
    return cairn_sync_begin(net.station.replica, &net.station.err);
}

static void ready_begun(void)
{
    machine_must(&net.station, cairn_sync_begin(net.station.replica, &net.station.err));
}

static enum cairn_status request_give(struct machine *machine)
{
    struct cairn_bytes request = {NULL, 0};
    enum cairn_status status = cairn_sync_request(machine->replica, &request, &machine->err);

    fault_gave(request.size);
    return status;
}

static enum cairn_status act_sync_request(void)
{
    return request_give(&net.station);
}

static enum cairn_status reply_take(struct machine *machine)
{
    bool again = false;
    enum cairn_status status =
        cairn_sync_reply(machine->replica, fault_bytes(net.message), &again, &machine->err);

    if (status != CAIRN_OK)
        return status;
    const struct cairn_sync_report *report = cairn_sync_report(machine->replica);
    assert_true(report->round_trips > 0);
    fault_gave(again);
    fault_gave(report->checkpoint_count);
    fault_gave(report->conflict_count);
    fault_gave(report->refused_count);
    fault_gave(report->scope_size);
    return status;
}

static enum cairn_status act_sync_reply(void)
{
    return reply_take(&net.station);
}

/* What `machine` asks next is the message. */
static void ask_on(struct machine *machine)
{
    struct cairn_bytes request;

    machine_must(machine, cairn_sync_request(machine->replica, &request, &machine->err));
    struct block copy = {malloc(request.size), request.size};
    assert_non_null(copy.data);
    memcpy(copy.data, request.data, request.size);
    fault_message_put(copy);
}

static void ask(struct machine *machine)
{
    machine_must(machine, cairn_sync_begin(machine->replica, &machine->err));
    ask_on(machine);
}

static void ready_answered(void)
{
    ask(&net.station);
    fault_message_put(machine_answer(&net.server, fault_bytes(net.message)));
}

/* The second answer: the server had asked for more. */
static void ready_answered_again(void)
{
    ready_answered();
    machine_must(&net.station, act_sync_reply());
    ask_on(&net.station);
    fault_message_put(machine_answer(&net.server, fault_bytes(net.message)));
}

static void office_syncs(void)
{
    machine_sync(&net.office, &net.server);
}

static void once_reply_releases(void)
{
    fault_wait_for_grant(&net.station);
    office_syncs();
}

static void once_reply_schema(void)
{
    fault_wait_for_schema(&net.station);
    office_syncs();
}

static void once_reply_revocation(void)
{
    fault_peer_work();
    fault_revoke();
    office_syncs();
}

static void once_reply_adoption(void)
{
    once_reply_revocation();
    machine_sync(&net.station, &net.server);
    expect_one();
    fault_adopt();
    office_syncs();
}

/* The station holds one branch, and the other one is covered. */
static void once_reply_fork(void)
{
    fault_fork(fault_peer_to_station);
    machine_sync(&net.peer, &net.server);
}

static void once_reply_restored(void)
{
    fault_rich();
    fault_restore(true);
    machine_must(&net.station, machine_on(&net.station));
    assert_true(cairn_replica_was_restored(net.station.replica));
}

static void ready_guest_begun(void)
{
    machine_must(&net.guest, cairn_sync_begin(net.guest.replica, &net.guest.err));
}

static enum cairn_status act_first_request(void)
{
    return request_give(&net.guest);
}

static void ready_first_answered(void)
{
    ask(&net.guest);
    fault_message_put(machine_answer(&net.server, fault_bytes(net.message)));
}

static enum cairn_status act_first_reply(void)
{
    return reply_take(&net.guest);
}

/* ---- sync, the server's side ---- */

static void once_asked(void)
{
    fault_both_edit();
    ask(&net.station);
}

static enum cairn_status act_serve_open(void)
{
    fault_cases_drop();
    return cairn_serve_open(net.server.replica, fault_bytes(net.message), &net.serve,
                            &net.server.err);
}

static void ready_opened(void)
{
    machine_must(&net.server, act_serve_open());
}

static enum cairn_status act_serve_commit(void)
{
    struct cairn_serve_commit commit = {.entry_count = 0};
    enum cairn_status status =
        cairn_serve_commit(net.server.replica, &net.serve, 1, &commit, &net.server.err);

    fault_gave(commit.entry_count);
    fault_gave(commit.refused_count);
    fault_gave(commit.checkpoint_count);
    return status;
}

static void ready_committed(void)
{
    ready_opened();
    machine_must(&net.server, act_serve_commit());
}

static enum cairn_status act_serve_reply(void)
{
    struct cairn_bytes reply = {NULL, 0};
    enum cairn_status status =
        cairn_serve_reply(net.server.replica, net.serve, &reply, &net.server.err);

    fault_gave(reply.size);
    return status;
}

static void once_serve_releases(void)
{
    fault_wait_for_grant(&net.server);
    ask(&net.office);
}

static void once_serve_schema(void)
{
    bool again;

    fault_wait_for_schema(&net.server);
    ask(&net.office);
    struct block reply = machine_answer(&net.server, fault_bytes(net.message));
    machine_must(&net.office,
                 cairn_sync_reply(net.office.replica, fault_bytes(reply), &again, &net.office.err));
    free(reply.data);
    assert_true(again); /* the server asked for what the root wrote */
    ask_on(&net.office);
}

static void once_serve_revocation(void)
{
    fault_peer_work();
    fault_revoke();
    ask(&net.office);
}

static void once_serve_adoption(void)
{
    fault_peer_work();
    fault_revoke();
    office_syncs();
    expect_one_at_server();
    fault_adopt();
    ask(&net.office);
}

static void peer_to_server(void)
{
    machine_sync(&net.peer, &net.server);
}

static void once_serve_fork(void)
{
    fault_fork(peer_to_server);
    ask(&net.peer);
}

/* Situations take many calls; what brings a schema brings an index to be built. */
#define REPLY(name, once, ready, traits, expect)                                       \
    {                                                                                  \
        name, &net.station, once, ready, act_sync_reply, FAULT_ANEW | (traits), expect \
    }
#define COMMIT(name, once, traits, expect)                                      \
    {                                                                           \
        name, &net.server, once, ready_opened, act_serve_commit, traits, expect \
    }

static const struct fault_case cases[] = {
    FAULT_READ("cairn_sync_begin", station, fault_both_edit, act_sync_begin),
    {"cairn_sync_request", &net.station, fault_both_edit, ready_begun, act_sync_request, 0, NULL},
    {"cairn_sync_request, first", &net.guest, fault_first, ready_guest_begun, act_first_request, 0,
     NULL},
    REPLY("cairn_sync_reply", fault_both_edit, ready_answered, 0, NULL),
    REPLY("cairn_sync_reply, releases", once_reply_releases, ready_answered, FAULT_LONG,
          expect_two),
    REPLY("cairn_sync_reply, schema", once_reply_schema, ready_answered, FAULT_LONG | FAULT_BUILDS,
          expect_two),
    REPLY("cairn_sync_reply, revocation", once_reply_revocation, ready_answered, FAULT_LONG,
          expect_one),
    REPLY("cairn_sync_reply, adoption", once_reply_adoption, ready_answered, FAULT_LONG,
          expect_two),
    REPLY("cairn_sync_reply, fork", once_reply_fork, ready_answered, FAULT_LONG, NULL),
    REPLY("cairn_sync_reply, restored", once_reply_restored, ready_answered_again, FAULT_LONG,
          fault_expect_restored),
    {"cairn_sync_reply, first", &net.guest, fault_first, ready_first_answered, act_first_reply,
     FAULT_ANEW | FAULT_LONG, fault_expect_first},
    FAULT_READ("cairn_serve_open", server, once_asked, act_serve_open),
    COMMIT("cairn_serve_commit", once_asked, 0, NULL),
    COMMIT("cairn_serve_commit, releases", once_serve_releases, FAULT_LONG, expect_two_at_server),
    COMMIT("cairn_serve_commit, schema", once_serve_schema, FAULT_LONG | FAULT_BUILDS,
           expect_two_at_server),
    COMMIT("cairn_serve_commit, revocation", once_serve_revocation, FAULT_LONG,
           expect_one_at_server),
    COMMIT("cairn_serve_commit, adoption", once_serve_adoption, FAULT_LONG, expect_two_at_server),
    COMMIT("cairn_serve_commit, fork", once_serve_fork, 0, NULL),
    {"cairn_serve_reply", &net.server, once_asked, ready_committed, act_serve_reply, 0, NULL},
};
const struct fault_group fault_sync = FAULT_GROUP("sync", cases);
