/* Every file and message that travels, cut at every byte and with every byte damaged: refused, with
 * a reason, and the store is as before. Through cairn/replica.h, as the programs do it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cairn/replica.h"
#include "temp_folder.h"

#define VILLAGE "513332100201"

struct buffer {
    uint8_t *data;
    size_t size;
};

struct network {
    char *folder;
    struct cairn_replica *root, *office, *server, *station;
    struct buffer root_statement;
    struct cairn_err err;
};

static struct network net;

#define must(status)                                                          \
    do {                                                                      \
        enum cairn_status must_status = (status);                             \
        if (must_status != CAIRN_OK)                                          \
            fail_msg("%s: %s", cairn_status_name(must_status), net.err.text); \
    } while (0)

static struct cairn_bytes bytes_of(struct buffer buffer)
{
    return (struct cairn_bytes){buffer.data, buffer.size};
}

static struct buffer copy_of(struct cairn_bytes bytes)
{
    struct buffer copy = {malloc(bytes.size + 1), bytes.size};

    memcpy(copy.data, bytes.data, bytes.size);
    return copy;
}

/* ---- the network --------------------------------------------------------------------------- */

static struct cairn_replica *make(const char *name, const char *root_scope)
{
    char path[PATH_MAX];
    const struct cairn_replica_config config = {.path = path, .is_writer = true};
    const struct cairn_init init = {
        .name = name, .root_scope = root_scope, .root_tag = root_scope == NULL ? NULL : "R"};
    struct cairn_replica *replica = NULL;

    snprintf(path, sizeof path, "%s/%s", net.folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    must(cairn_replica_init(&config, &init, &replica, &net.err));
    return replica;
}

static struct buffer request_of(struct cairn_replica *replica)
{
    uint8_t bytes[1100];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    must(cairn_request_export(replica, &writer, &net.err));
    return copy_of(cairn_writer_bytes(&writer));
}

static struct buffer invitation_for(struct cairn_replica *device, struct cairn_replica *above,
                                    const char *role, const char *scope, const char *tag)
{
    struct buffer request = request_of(device);
    const struct cairn_grant_input input = {
        .request = bytes_of(request),
        .role = role,
        .scope = scope,
        .tag = tag,
        .address = strcmp(role, "server") == 0 ? "tcp://127.0.0.1:7340" : NULL,
    };
    struct cairn_bytes invitation;
    struct cairn_device granted;

    must(cairn_grant_device(above, &input, &invitation, &granted, &net.err));
    struct buffer copy = copy_of(invitation);
    cairn_bytes_free(invitation);
    free(request.data);
    return copy;
}

static void join(struct cairn_replica *device, struct cairn_replica *above, const char *role,
                 const char *scope, const char *tag)
{
    struct buffer invitation = invitation_for(device, above, role, scope, tag);
    struct cairn_join_report report;

    must(cairn_join(device, bytes_of(invitation), &report, &net.err));
    free(invitation.data);
}

static void put(struct cairn_replica *replica, const char *head)
{
    const struct cairn_field_value fields[] = {{"head", head}, {"income", "4150"}};
    const struct cairn_put one = {
        .type = "household", .scope = VILLAGE, .fields = fields, .field_count = 2};
    struct cairn_put_result result;

    must(cairn_put_many(replica, &one, 1, &result, NULL, &net.err));
}

static int setup(void **state)
{
    uint8_t bytes[1100];
    struct cairn_writer writer;

    (void)state;
    net.folder = temp_folder_new();
    setenv("XDG_STATE_HOME", net.folder, 1);
    net.root = make("root", "51");
    net.office = make("office", NULL);
    net.server = make("server", NULL);
    net.station = make("station", NULL);
    join(net.office, net.root, "county", "513332", "C");
    join(net.server, net.office, "server", "513332", "S");
    join(net.station, net.office, "station", VILLAGE, "A7");
    cairn_writer_init(&writer, bytes, sizeof bytes);
    must(cairn_root_export(net.root, &writer, &net.err));
    net.root_statement = copy_of(cairn_writer_bytes(&writer));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cairn_replica_close(net.station);
    cairn_replica_close(net.server);
    cairn_replica_close(net.office);
    cairn_replica_close(net.root);
    free(net.root_statement.data);
    temp_folder_remove(net.folder);
    return 0;
}

/* ---- damage ---- */

/* True when the bytes were refused. */
typedef bool try_fn(struct cairn_bytes bytes);

static void refuse_every_damage(struct buffer good, try_fn *is_refused)
{
    for (size_t size = 0; size < good.size; size++) {
        net.err.text[0] = '\0';
        if (!is_refused((struct cairn_bytes){good.data, size}))
            fail_msg("cut at byte %zu of %zu it is taken", size, good.size);
        if (net.err.text[0] == '\0')
            fail_msg("cut at byte %zu it is refused without a word", size);
    }
    for (size_t at = 0; at < good.size; at++) {
        uint8_t bit = (uint8_t)(1u << (at * 5 % 8));
        good.data[at] ^= bit;
        net.err.text[0] = '\0';
        bool was_refused = is_refused(bytes_of(good));
        good.data[at] ^= bit;
        if (!was_refused)
            fail_msg("with bit %u of byte %zu of %zu flipped it is taken", bit, at, good.size);
        if (net.err.text[0] == '\0')
            fail_msg("with byte %zu flipped it is refused without a word", at);
    }
}

static bool request_is_refused(struct cairn_bytes bytes)
{
    struct cairn_device device;

    return cairn_request_inspect(bytes, &device, &net.err) != CAIRN_OK;
}

static void a_damaged_request_is_refused(void **state)
{
    struct buffer request = request_of(net.station);

    (void)state;
    refuse_every_damage(request, request_is_refused);
    free(request.data);
}

static bool invitation_is_refused(struct cairn_bytes bytes)
{
    struct cairn_join_report report;

    return cairn_join_inspect(net.station, bytes, &report, &net.err) != CAIRN_OK;
}

static void a_damaged_invitation_is_refused(void **state)
{
    struct buffer invitation = invitation_for(net.station, net.office, "station", VILLAGE, "A9");
    struct cairn_join_report report;

    (void)state;
    must(cairn_join_inspect(net.station, bytes_of(invitation), &report, &net.err));
    refuse_every_damage(invitation, invitation_is_refused);
    free(invitation.data);
}

/* ---- the exchange
 * -------------------------------------------------------------------------------- */

static bool message_is_refused(struct cairn_bytes bytes)
{
    struct cairn_serve *serve = NULL;

    if (cairn_serve_open(net.server, bytes, &serve, &net.err) != CAIRN_OK)
        return true;
    cairn_serve_free(serve);
    return false;
}

static struct buffer answer(struct buffer request)
{
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;

    must(cairn_serve_open(net.server, bytes_of(request), &serve, &net.err));
    must(cairn_serve_commit(net.server, &serve, 1, &commit, &net.err));
    must(cairn_serve_reply(net.server, serve, &reply, &net.err));
    struct buffer copy = copy_of(reply);
    cairn_serve_free(serve);
    return copy;
}

static struct buffer next_request(struct cairn_replica *replica)
{
    struct cairn_bytes message;

    must(cairn_sync_request(replica, &message, &net.err));
    return copy_of(message);
}

static void exchange_all(struct cairn_replica *replica)
{
    bool again = true;

    must(cairn_sync_begin(replica, &net.err));
    for (unsigned round = 0; again; round++) {
        assert_true(round < 50);
        struct buffer request = next_request(replica);
        struct buffer reply = answer(request);
        must(cairn_sync_reply(replica, bytes_of(reply), &again, &net.err));
        free(request.data);
        free(reply.data);
    }
}

static struct cairn_status_report status_of(struct cairn_replica *replica)
{
    struct cairn_status_report report;

    must(cairn_status_get(replica, &report, &net.err));
    return report;
}

static void a_damaged_request_message_is_not_answered(void **state)
{
    (void)state;
    put(net.station, "扎西");
    must(cairn_sync_begin(net.station, &net.err));
    struct buffer request = next_request(net.station);
    refuse_every_damage(request, message_is_refused);
    assert_int_equal(status_of(net.server).record_count, 0);
    struct buffer reply = answer(request);
    bool again;
    must(cairn_sync_reply(net.station, bytes_of(reply), &again, &net.err));
    assert_int_equal(status_of(net.server).record_count, 1);
    free(request.data);
    free(reply.data);
}

static void a_damaged_reply_changes_nothing(void **state)
{
    (void)state;
    exchange_all(net.office);
    put(net.office, "卓玛");
    put(net.station, "次仁");
    exchange_all(net.office);
    const struct cairn_status_report before = status_of(net.station);

    must(cairn_sync_begin(net.station, &net.err));
    struct buffer request = next_request(net.station);
    struct buffer reply = answer(request);
    for (size_t at = 0; at < 2 * reply.size; at++) {
        bool again = false;
        struct cairn_bytes damaged = bytes_of(reply);
        if (at < reply.size)
            reply.data[at] ^= 0x10;
        else
            damaged.size = at - reply.size;
        net.err.text[0] = '\0';
        enum cairn_status status = cairn_sync_reply(net.station, damaged, &again, &net.err);
        if (at < reply.size)
            reply.data[at] ^= 0x10;
        if (status == CAIRN_OK || net.err.text[0] == '\0')
            fail_msg("damage %zu of a reply of %zu bytes: %s \"%s\"", at, reply.size,
                     cairn_status_name(status), net.err.text);
    }
    const struct cairn_status_report after = status_of(net.station);
    assert_int_equal(after.record_count, before.record_count);
    assert_int_equal(after.unreceived_count, before.unreceived_count);
    assert_int_equal(after.last_contact_s, before.last_contact_s);

    exchange_all(net.station);
    assert_int_equal(status_of(net.station).record_count, 3);
    assert_int_equal(status_of(net.station).unreceived_count, 0);
    free(request.data);
    free(reply.data);
}

/* ---- bundles
 * ------------------------------------------------------------------------------------- */

static bool add_piece(void *context, struct cairn_bytes bytes)
{
    struct buffer *buffer = context;

    buffer->data = realloc(buffer->data, buffer->size + bytes.size + 1);
    assert_non_null(buffer->data);
    memcpy(buffer->data + buffer->size, bytes.data, bytes.size);
    buffer->size += bytes.size;
    return true;
}

static struct buffer bundle_of(struct cairn_replica *replica, bool is_full)
{
    struct buffer bundle = {NULL, 0};
    struct cairn_bundle_report report;

    must(cairn_bundle_write(replica, is_full, add_piece, &bundle, &report, &net.err));
    return bundle;
}

static bool bundle_is_refused(struct cairn_bytes bytes)
{
    struct cairn_bundle_report report;

    return cairn_bundle_read(net.office, bytes, &report, &net.err) != CAIRN_OK;
}

static void a_damaged_bundle_changes_nothing(void **state)
{
    (void)state;
    exchange_all(net.office);
    put(net.station, "达娃");
    struct buffer bundle = bundle_of(net.station, false);
    const struct cairn_status_report before = status_of(net.office);
    refuse_every_damage(bundle, bundle_is_refused);
    assert_int_equal(status_of(net.office).record_count, before.record_count);
    assert_false(bundle_is_refused(bytes_of(bundle)));
    assert_int_equal(status_of(net.office).record_count, before.record_count + 1);
    free(bundle.data);
}

/* ---- audit
 * --------------------------------------------------------------------------------------- */

static char good_digest[68];

static void on_finding(void *context, uint64_t number, const char *text, const char *affects)
{
    (void)context;
    (void)number;
    (void)affects;
    snprintf(net.err.text, sizeof net.err.text, "%s", text);
}

static enum cairn_status audit(struct cairn_bytes root, struct cairn_bytes bundle,
                               struct cairn_audit_report *out_report)
{
    const struct cairn_audit_visitor visitor = {.finding = on_finding};
    const char *name = "bundle";

    const struct cairn_audit_given given = {
        .root_statement = root, .files = &bundle, .file_names = &name, .file_count = 1};

    return cairn_audit_files(&given, &visitor, out_report, NULL, &net.err);
}

static struct buffer full_bundle;
static unsigned same_count; /* flips that changed nothing */

/* Some bits of a packed part say nothing (zstd, RFC 8878, 3.1.1.1.1.3): then all is as it was. */
static bool full_bundle_is_refused(struct cairn_bytes bytes)
{
    struct cairn_audit_report report;

    if (audit(bytes_of(net.root_statement), bytes, &report) != CAIRN_OK || report.finding_count > 0)
        return true;
    snprintf(net.err.text, sizeof net.err.text, "it says the same");
    same_count++;
    return bytes.size == full_bundle.size && strcmp(report.digest, good_digest) == 0;
}

static bool root_is_refused(struct cairn_bytes bytes)
{
    struct cairn_audit_report report;

    return audit(bytes, bytes_of(full_bundle), &report) != CAIRN_OK;
}

static void an_audit_finds_every_damage(void **state)
{
    struct cairn_audit_report report;

    (void)state;
    exchange_all(net.office);
    full_bundle = bundle_of(net.office, true);
    must(audit(bytes_of(net.root_statement), bytes_of(full_bundle), &report));
    assert_int_equal(report.finding_count, 0);
    assert_true(report.covered_count > 0);
    memcpy(good_digest, report.digest, sizeof good_digest);
    refuse_every_damage(full_bundle, full_bundle_is_refused);
    print_message("%u flips of the bundle change nothing that it says\n", same_count);
    assert_true(same_count < 32); /* a signature that nobody checks would be 64 */
    refuse_every_damage(net.root_statement, root_is_refused);
    free(full_bundle.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_damaged_request_is_refused),
        cmocka_unit_test(a_damaged_invitation_is_refused),
        cmocka_unit_test(a_damaged_request_message_is_not_answered),
        cmocka_unit_test(a_damaged_reply_changes_nothing),
        cmocka_unit_test(a_damaged_bundle_changes_nothing),
        cmocka_unit_test(an_audit_finds_every_damage),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
