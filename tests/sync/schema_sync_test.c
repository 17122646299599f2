/* A schema from the root's file to a station's form: published, carried, synced, written under. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "audited.h"
#include "net.h"
#include "schema_edit.h"

/* The file of version 1 as that `version`, with `line` behind the fields of a household. */
static char *file_make(struct net_node *node, unsigned version, const char *line)
{
    struct cairn_bytes yaml;

    net_must(cairn_schema_text(node->replica, 1, &yaml, &net_err));
    return schema_edit(yaml, version, line);
}

static void problem_count(void *context, size_t line, const char *text)
{
    (void)line;
    (void)text;
    ++*(size_t *)context;
}

static uint64_t version_of(struct net_node *node)
{
    const struct cairn_type_info *types;
    uint64_t version;
    size_t count;

    net_must(cairn_schema_types(node->replica, &version, &types, &count, &net_err));
    return version;
}

#define ROOF "      - {number: 60, name: roof, zh: 屋顶, en: roof, type: integer, max: 9}\n"

#define DOOR "      - {number: 61, name: door, zh: 门, en: door, type: integer, max: 9}\n"

#define WALL "      - {number: 62, name: wall, zh: 墙, en: wall, type: integer, max: 9}\n"

static void publish(struct net *net, unsigned version, const char *lines)
{
    struct cairn_schema_summary summary;
    size_t problems = 0;
    char *file = file_make(&net->root, version, lines);

    net_must(cairn_schema_publish(net->root.replica, cairn_bytes_of_text(file), problem_count,
                                  &problems, &summary, &net_err));
    assert_int_equal(problems, 0);
    assert_int_equal(summary.version, version);
    free(file);
}

static void root_carry(struct net *net, struct net_node *node)
{
    struct net_bytes bundle = net_bundle(&net->root, false);

    net_bundle_read(node, bundle);
    free(bundle.data);
}

static void a_published_field_reaches_the_stations_and_is_written_there(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"}, two = {.name = "two"};
    char id[32];
    size_t versions;

    (void)state;
    net_open(&net, 4711);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &two, &net.office, "station", NET_VILLAGE, "A8");
    net_put(&one, NET_VILLAGE, "扎西", id);
    publish(&net, 2, ROOF);
    root_carry(&net, &net.office);
    assert_int_equal(version_of(&net.office), 2);
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    assert_int_equal(version_of(&one), 2);
    net_set(&one, id, "roof", "3");
    assert_int_equal(net_status(&one).unreceived_count, 1);
    net_sync(&one, &net.server);
    net_sync(&two, &net.server);
    assert_string_equal(net_value(&two, id, "roof", &versions), "3");
    assert_int_equal(net_status(&two).parked_count, 0);
    net_agree(&one, &two, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    net_node_close(&one);
    net_node_close(&two);
    net_close(&net);
}

/* What the root published comes to `one` in a bundle of its neighbour, who syncs. */
static void hear_from(struct net *net, struct net_node *neighbour, struct net_node *one)
{
    root_carry(net, &net->office);
    net_sync(&net->office, &net->server);
    net_sync(neighbour, &net->server);
    struct net_bytes bundle = net_bundle(neighbour, false);
    net_bundle_read(one, bundle);
    free(bundle.data);
}

/* Bases of newer schemas are entries too, and no edits. */
static void edits_that_wait_are_counted_without_bases(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"}, two = {.name = "two"};
    char id[32];

    (void)state;
    net_open(&net, 4714);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &two, &net.office, "station", NET_VILLAGE, "A8");
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    net_put(&one, NET_VILLAGE, "扎西", id);
    publish(&net, 2, ROOF);
    hear_from(&net, &two, &one);
    net_set(&one, id, "roof", "3");
    publish(&net, 3, ROOF DOOR);
    hear_from(&net, &two, &one);
    net_set(&one, id, "door", "2");
    assert_int_equal(net_status(&one).unreceived_count, 3);
    net_sync(&one, &net.server);
    assert_int_equal(net_status(&one).unreceived_count, 0);
    net_node_close(&one);
    net_node_close(&two);
    net_close(&net);
}

/* A station joined behind a publication of which the server has not heard: its edits rest on a
 * schema that nobody there could read. */
static void a_schema_that_came_with_an_invitation_goes_on_with_the_edits(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"}, two = {.name = "two"};
    char id[32];

    net_open(&net, 4716);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    net_sync(&net.office, &net.server);
    net_put(&one, NET_VILLAGE, "次仁", NULL);
    net_sync(&one, &net.server);
    publish(&net, 2, ROOF);
    if (*state != NULL) { /* the server has heard of the second, and not of the third */
        root_carry(&net, &net.office);
        net_sync(&net.office, &net.server);
    }
    publish(&net, 3, ROOF DOOR);
    root_carry(&net, &net.office);
    net_join(&net, &two, &net.office, "station", NET_VILLAGE, "A8");
    assert_int_equal(version_of(&two), 3);
    net_put(&two, NET_VILLAGE, "扎西", id);
    net_sync(&two, &net.server);
    assert_int_equal(net_status(&two).unreceived_count, 0);
    net_sync(&one, &net.server);
    assert_int_equal(version_of(&one), 3);
    assert_int_equal(net_status(&one).record_count, 2);
    net_agree(&one, &two, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    net_node_close(&one);
    net_node_close(&two);
    net_close(&net);
}

/* What it signed rests on schemas that it lost too: whoever gives back gives those as well. */
static void a_restored_server_is_given_the_schemas_back(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"};
    char id[32];

    (void)state;
    net_open(&net, 4715);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    net_put(&one, NET_VILLAGE, "扎西", id);
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    struct cairn_store *older = store_copy(net.server.store);
    publish(&net, 2, ROOF);
    publish(&net, 3, ROOF DOOR);
    root_carry(&net, &net.office);
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    net_set(&one, id, "door", "2");
    net_sync(&one, &net.server);
    net_node_restore(&net.server, older);
    assert_int_equal(version_of(&net.server), 1);

    net_set(&one, id, "door", "3");
    net_sync(&one, &net.server);
    assert_int_equal(version_of(&net.server), 3);
    assert_int_equal(net_status(&one).unreceived_count, 0);
    net_agree(&one, &net.server, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 1);
    net_node_close(&one);
    net_close(&net);
}

/* The first request of an exchange arrives, and its answer does not. */
static void first_request_only(struct net_node *node, struct net_node *server)
{
    net_must(cairn_sync_begin(node->replica, &net_err));
    struct net_bytes request = net_request(node), reply = net_answer(server, request);
    free(request.data);
    free(reply.data);
}

/* It was covered behind the copy, and once more would be another history of the village. */
static void what_a_restored_server_had_parked_is_not_covered_again(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"}, two = {.name = "two"};

    (void)state;
    net_open(&net, 4717);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &two, &net.office, "station", NET_OTHER_VILLAGE, "B7");
    net_sync(&net.office, &net.server);
    net_put(&one, NET_VILLAGE, "扎西", NULL);
    net_put(&two, NET_OTHER_VILLAGE, "次仁", NULL);
    net_sync(&one, &net.server);
    net_sync(&two, &net.server);
    publish(&net, 2, ROOF);
    root_carry(&net, &net.office);
    net_put(&net.office, NET_OTHER_VILLAGE, "卓玛", NULL);
    first_request_only(&net.office, &net.server);
    assert_int_equal(net_status(&net.server).parked_count, 1);
    struct cairn_store *older = store_copy(net.server.store);

    net_put(&two, NET_OTHER_VILLAGE, "德吉", NULL);
    net_sync(&two, &net.server);
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    net_put(&one, NET_VILLAGE, "达娃", NULL);
    net_sync(&one, &net.server);
    net_sync(&net.office, &net.server);
    net_node_restore(&net.server, older);

    net_put(&one, NET_VILLAGE, "达瓦", NULL);
    net_sync(&one, &net.server); /* it brings the schema that was waited for */
    net_sync(&net.office, &net.server);
    net_sync(&two, &net.server);
    net_agree(&two, &net.server, NET_OTHER_VILLAGE, CAIRN_CHANNEL_RECORDS, 3);
    net_node_close(&one);
    net_node_close(&two);
    net_close(&net);
}

/* What comes of a request, which is freed: is there to be another? */
static bool round_end(struct net_node *node, struct net_node *server, struct net_bytes request)
{
    struct net_bytes reply = net_answer(server, request);
    bool again = net_take(node, reply);

    free(request.data);
    free(reply.data);
    return again;
}

/* A restored device asks a second time, for what it signed itself; meanwhile others write under a
 * schema that the server has heard of since the first time. */
static void a_schema_that_comes_between_two_rounds_ends_no_exchange(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"}, two = {.name = "two"};
    char id[32];

    (void)state;
    net_open(&net, 4720);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    net_join(&net, &two, &net.office, "station", NET_VILLAGE, "A8");
    publish(&net, 2, ROOF);
    root_carry(&net, &net.office);
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    struct cairn_store *older = store_copy(one.store);
    net_put(&one, NET_VILLAGE, "扎西", id);
    net_sync(&one, &net.server);
    net_sync(&two, &net.server);
    net_node_restore(&one, older);

    net_must(cairn_sync_begin(one.replica, &net_err));
    assert_true(round_end(&one, &net.server, net_request(&one)));
    struct net_bytes request = net_request(&one);
    publish(&net, 3, ROOF DOOR);
    root_carry(&net, &net.office);
    net_sync(&net.office, &net.server);
    net_sync(&two, &net.server);
    net_set(&two, id, "door", "3");
    net_sync(&two, &net.server);
    assert_true(round_end(&one, &net.server, request));
    assert_false(round_end(&one, &net.server, net_request(&one)));
    net_agree(&one, &two, NET_VILLAGE, CAIRN_CHANNEL_RECORDS, 2);
    net_node_close(&one);
    net_node_close(&two);
    net_close(&net);
}

/* The server signed with more of the root's log than the station holds, and less than the server
 * does by now. What it signed must not come before what it rests on, or whoever audits the station
 * then finds that something was kept back. */
static void an_exchange_that_is_cut_off_leaves_nothing_to_find(void **state)
{
    struct net net;
    struct net_node one = {.name = "one"}, two = {.name = "two"};
    struct cairn_audit_report report;

    (void)state;
    net_open(&net, 4721);
    net_join(&net, &one, &net.office, "station", NET_VILLAGE, "A7");
    publish(&net, 2, ROOF);
    root_carry(&net, &net.office);
    net_sync(&net.office, &net.server);
    net_sync(&one, &net.server);
    publish(&net, 3, ROOF DOOR);
    root_carry(&net, &net.office);
    net_sync(&net.office, &net.server);
    net_join(&net, &two, &net.office, "station", NET_VILLAGE, "A8");
    net_sync(&net.office, &net.server); /* the grant is covered, beside the third */
    publish(&net, 4, ROOF DOOR WALL);
    root_carry(&net, &net.office);
    net_sync(&net.office, &net.server);

    net_must(cairn_sync_begin(one.replica, &net_err));
    assert_true(round_end(&one, &net.server, net_request(&one)));
    net_must(cairn_audit_replica(one.replica, NULL, &audited_visitor, &report, NULL, &net_err));
    audited_clean(&report);
    net_sync(&one, &net.server);
    assert_int_equal(version_of(&one), 4);
    net_must(cairn_audit_replica(one.replica, NULL, &audited_visitor, &report, NULL, &net_err));
    audited_clean(&report);
    net_node_close(&one);
    net_node_close(&two);
    net_close(&net);
}

static void only_the_root_publishes_and_only_what_may_follow(void **state)
{
    struct net net;
    size_t problems = 0;

    (void)state;
    net_open(&net, 4712);
    char *good = file_make(&net.root, 2, ROOF), *again = file_make(&net.root, 1, ROOF),
         *same = file_make(&net.root, 2, "");
    net_expect(cairn_schema_publish(net.office.replica, cairn_bytes_of_text(good), problem_count,
                                    &problems, NULL, &net_err),
               CAIRN_NO_RIGHT);
    net_expect(cairn_schema_publish(net.root.replica, cairn_bytes_of_text(again), problem_count,
                                    &problems, NULL, &net_err),
               CAIRN_BAD_INPUT);
    assert_int_equal(problems, 1);
    net_expect(cairn_schema_publish(net.root.replica, cairn_bytes_of_text(same), problem_count,
                                    &problems, NULL, &net_err),
               CAIRN_BAD_INPUT);
    assert_int_equal(version_of(&net.root), 1);
    net_must(cairn_schema_publish(net.root.replica, cairn_bytes_of_text(good), problem_count,
                                  &problems, NULL, &net_err));
    assert_int_equal(version_of(&net.root), 2);
    free(good);
    free(again);
    free(same);
    net_close(&net);
}

static void a_field_says_what_a_form_needs(void **state)
{
    struct net net;
    const struct cairn_field_info *fields;
    size_t count;

    (void)state;
    net_open(&net, 4713);
    net_must(cairn_schema_fields(net.office.replica, "household", &fields, &count, &net_err));
    assert_string_equal(fields[5].name, "income");
    assert_string_equal(fields[5].type, "integer");
    assert_string_equal(fields[5].unit, "yuan");
    assert_string_equal(fields[5].lowest, "0");
    assert_null(fields[5].highest);
    assert_true(fields[5].is_indexed);
    assert_string_equal(fields[6].choices[0].label_en, "illness");
    assert_string_equal(fields[15].type, "references");
    assert_string_equal(fields[15].merge, "set");
    assert_string_equal(fields[15].target, "household");
    net_expect(cairn_schema_fields(net.office.replica, "house", &fields, &count, &net_err),
               CAIRN_BAD_INPUT);
    net_close(&net);
}

#define T(name) cmocka_unit_test(name)

static bool half_heard = true;

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_published_field_reaches_the_stations_and_is_written_there),
        T(edits_that_wait_are_counted_without_bases),
        T(a_schema_that_came_with_an_invitation_goes_on_with_the_edits),
        cmocka_unit_test_prestate(a_schema_that_came_with_an_invitation_goes_on_with_the_edits,
                                  &half_heard),
        T(a_restored_server_is_given_the_schemas_back),
        T(what_a_restored_server_had_parked_is_not_covered_again),
        T(a_schema_that_comes_between_two_rounds_ends_no_exchange),
        T(an_exchange_that_is_cut_off_leaves_nothing_to_find),
        T(only_the_root_publishes_and_only_what_may_follow),
        T(a_field_says_what_a_form_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
