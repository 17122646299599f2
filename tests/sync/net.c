#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "digest.h"
#include "net.h"
#include "own_log.h"
#include "replica_internal.h"

#define ROUNDS_MAX 2000

struct cairn_err net_err;

void net_must_at(enum cairn_status status, const char *file, int line)
{
    net_expect_at(status, CAIRN_OK, file, line);
}

void net_expect_at(enum cairn_status status, enum cairn_status expected, const char *file, int line)
{
    if (status != expected) {
        print_error("%s instead of %s: %s\n", cairn_status_name(status),
                    cairn_status_name(expected), net_err.text);
        _fail(file, line);
    }
}

/* ---- nodes ---- */

static void node_init(struct net *net, struct net_node *node, const char *name,
                      const char *root_scope)
{
    const struct cairn_init init = {.name = name,
                                    .root_scope = root_scope,
                                    .root_tag = root_scope == NULL ? NULL : "R",
                                    .schema = net->schema};

    snprintf(node->name, sizeof node->name, "%s", name);
    fake_ports_init(&node->ports, net->seeds++);
    net_must(cairn_store_memory_new(&node->store));
    const struct cairn_replica_config config = {
        .is_writer = true, .store = node->store, .ports = &node->ports.base};
    net_must(cairn_replica_init(&config, &init, &node->replica, &net_err));
}

void net_begin_root(struct net *net, struct net_node *node, const char *name)
{
    node_init(net, node, name, "51");
}

void net_begin_unjoined(struct net *net, struct net_node *node, const char *name)
{
    node_init(net, node, name, NULL);
}

void net_join(struct net *net, struct net_node *node, struct net_node *above, const char *role,
              const char *scope, const char *tag)
{
    uint8_t bytes[1100];
    struct cairn_writer request;
    struct cairn_bytes invitation;
    struct cairn_device device;
    struct cairn_join_report report;

    node_init(net, node, tag, NULL);
    cairn_writer_init(&request, bytes, sizeof bytes);
    net_must(cairn_request_export(node->replica, &request, &net_err));
    const struct cairn_grant_input input = {
        .request = cairn_writer_bytes(&request),
        .role = role,
        .scope = scope,
        .tag = tag,
        .address = strcmp(role, "server") == 0 ? "tcp://127.0.0.1:7340" : NULL};
    net_must(cairn_grant_device(above->replica, &input, &invitation, &device, &net_err));
    net_must(cairn_join(node->replica, invitation, &report, &net_err));
    cairn_bytes_free(invitation);
}

void net_open(struct net *net, uint64_t seed)
{
    net_open_with(net, seed, (struct cairn_bytes){NULL, 0});
}

void net_open_with(struct net *net, uint64_t seed, struct cairn_bytes schema)
{
    *net = (struct net){.seeds = seed * 1000, .schema = schema};
    node_init(net, &net->root, "R", "51");
    net_join(net, &net->office, &net->root, "county", NET_COUNTY, "C");
    net_join(net, &net->server, &net->office, "server", NET_COUNTY, "S");
}

static enum cairn_status revocation_apply(struct cairn_replica *office, void *context)
{
    const struct net_node *revoked = context;
    struct cairn_author author = cairn_replica_author(office);
    struct cairn_standing standing;
    struct cairn_ref grant;
    struct cairn_log log;
    struct cairn_writer entry;
    uint8_t bytes[1024];

    CAIRN_TRY(cairn_standing_get(&office->ctx, &office->under, &standing));
    CAIRN_TRY(cairn_grant_of_seal_key(&office->ctx, &revoked->replica->keys.open.seal, &grant));
    cairn_writer_init(&entry, bytes, sizeof bytes);
    cairn_revocation_write(&entry, office->ports->ops->now_s(office->ports), &office->under, &grant,
                           NULL, 0);
    CAIRN_TRY(cairn_own_log(&office->ctx, &author, standing.scope, CAIRN_CHANNEL_AUTHORITY, &log));
    return cairn_apply_own(&office->ctx, &author, &log, cairn_writer_bytes(&entry), 1);
}

void net_revoke(struct net_node *office, struct net_node *node)
{
    net_must(cairn_replica_write(office->replica, revocation_apply, node, &net_err));
}

void net_node_close(struct net_node *node)
{
    cairn_replica_close(node->replica);
    if (node->store != NULL)
        node->store->ops->close(node->store);
    node->replica = NULL;
    node->store = NULL;
}

void net_close(struct net *net)
{
    net_node_close(&net->root);
    net_node_close(&net->office);
    net_node_close(&net->server);
}

void net_node_reopen(struct net_node *node)
{
    const struct cairn_replica_config config = {
        .is_writer = true, .store = node->store, .ports = &node->ports.base};

    cairn_replica_close(node->replica);
    net_must(cairn_replica_open(&config, &node->replica, &net_err));
}

void net_flip(struct net_node *node, const struct cairn_key *key, size_t at)
{
    struct cairn_store *store = node->store;
    struct cairn_bytes value;
    struct cairn_txn *txn;
    uint8_t copy[16384];

    net_must(store->ops->begin(store, CAIRN_TXN_WRITE, &txn));
    net_must(store->ops->get(txn, cairn_key_bytes(key), &value));
    size_t size = value.size;
    assert_in_range(size, at + 1, sizeof copy);
    memcpy(copy, value.data, size);
    copy[at] ^= 1;
    net_must(store->ops->put(txn, cairn_key_bytes(key), (struct cairn_bytes){copy, size}));
    net_must(store->ops->commit(txn));
}

void net_node_restore(struct net_node *node, struct cairn_store *store)
{
    cairn_replica_close(node->replica);
    node->store->ops->close(node->store);
    node->replica = NULL;
    node->store = store;
    net_node_reopen(node);
}

/* ---- bytes ---- */

struct cairn_bytes net_bytes(struct net_bytes bytes)
{
    return (struct cairn_bytes){bytes.data, bytes.size};
}

struct net_bytes net_copy(struct cairn_bytes bytes)
{
    struct net_bytes copy = {malloc(bytes.size + 1), bytes.size};

    assert_non_null(copy.data);
    if (bytes.size > 0)
        memcpy(copy.data, bytes.data, bytes.size);
    return copy;
}

/* ---- records ---- */

void net_put(struct net_node *node, const char *village, const char *head, char out_id[32])
{
    const struct cairn_field_value fields[] = {{"head", head}, {"income", "4150"}};
    const struct cairn_put put = {
        .type = "household", .scope = village, .fields = fields, .field_count = 2};
    struct cairn_put_result result;

    net_must(cairn_put_many(node->replica, &put, 1, &result, NULL, &net_err));
    if (out_id != NULL)
        memcpy(out_id, result.id, 32);
}

void net_put_many(struct net_node *node, const char *village, size_t count)
{
    const struct cairn_field_value fields[] = {{"head", "卓玛"}, {"income", "4150"}};
    struct cairn_put *puts = calloc(count, sizeof *puts);
    struct cairn_put_result *results = calloc(count, sizeof *results);

    assert_non_null(puts);
    assert_non_null(results);
    for (size_t i = 0; i < count; i++)
        puts[i] = (struct cairn_put){
            .type = "household", .scope = village, .fields = fields, .field_count = 2};
    net_must(cairn_put_many(node->replica, puts, count, results, NULL, &net_err));
    free(puts);
    free(results);
}

void net_set(struct net_node *node, const char *id, const char *field, const char *value)
{
    const struct cairn_field_value fields[] = {{field, value}};
    const struct cairn_put put = {
        .type = "household", .id = id, .fields = fields, .field_count = 1};
    struct cairn_put_result result;

    net_must(cairn_put_many(node->replica, &put, 1, &result, NULL, &net_err));
}

const char *net_value(struct net_node *node, const char *id, const char *field,
                      size_t *out_versions)
{
    const struct cairn_record *record;

    net_must(cairn_get(node->replica, id, &record, &net_err));
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, field) == 0) {
            if (out_versions != NULL)
                *out_versions = record->fields[i].version_count;
            return record->fields[i].versions[0].value;
        }
    return "";
}

struct cairn_status_report net_status(struct net_node *node)
{
    struct cairn_status_report report;

    net_must(cairn_status_get(node->replica, &report, &net_err));
    return report;
}

static bool record_count(void *context, const struct cairn_record *record)
{
    (void)record;
    ++*(uint64_t *)context;
    return true;
}

uint64_t net_conflict_count(struct net_node *node)
{
    uint64_t count = 0;

    net_must(cairn_conflicts(node->replica, record_count, &count, &net_err));
    return count;
}

/* ---- exchange ---- */

struct net_bytes net_request(struct net_node *node)
{
    struct cairn_bytes message;

    net_must(cairn_sync_request(node->replica, &message, &net_err));
    return net_copy(message);
}

struct net_bytes net_answer(struct net_node *server, struct net_bytes request)
{
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;

    net_must(cairn_serve_open(server->replica, net_bytes(request), &serve, &net_err));
    if (!cairn_serve_is_read_only(serve))
        net_must(cairn_serve_commit(server->replica, &serve, 1, &commit, &net_err));
    net_must(cairn_serve_reply(server->replica, serve, &reply, &net_err));
    struct net_bytes copy = net_copy(reply);
    cairn_serve_free(serve);
    return copy;
}

bool net_take(struct net_node *node, struct net_bytes reply)
{
    bool again = false;

    net_must(cairn_sync_reply(node->replica, net_bytes(reply), &again, &net_err));
    return again;
}

static enum cairn_status sync_run(struct net_node *node, struct net_node *server,
                                  unsigned *out_rounds)
{
    bool again = true;
    enum cairn_status status = CAIRN_OK;

    *out_rounds = 0;
    net_must(cairn_sync_begin(node->replica, &net_err));
    while (again && status == CAIRN_OK) {
        assert_in_range(++*out_rounds, 1, ROUNDS_MAX);
        struct net_bytes request = net_request(node);
        struct net_bytes reply = net_answer(server, request);
        status = cairn_sync_reply(node->replica, net_bytes(reply), &again, &net_err);
        free(request.data);
        free(reply.data);
    }
    return status;
}

unsigned net_sync(struct net_node *node, struct net_node *server)
{
    unsigned rounds;

    net_must(sync_run(node, server, &rounds));
    return rounds;
}

void net_sync_ends(struct net_node *node, struct net_node *server, enum cairn_status expected)
{
    unsigned rounds;

    net_expect(sync_run(node, server, &rounds), expected);
}

/* ---- state ---- */

static struct cairn_scope scope_of(const char *digits)
{
    return (struct cairn_scope){strtoull(digits, NULL, 10)};
}

static struct cairn_hash digest_of(struct net_node *node, const char *scope,
                                   enum cairn_channel channel, struct cairn_scope_log *out_log)
{
    struct cairn_context *ctx = &node->replica->ctx;
    struct cairn_hash digest;
    bool is_comparable;

    net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
    net_must(cairn_scope_log_load(ctx, scope_of(scope), channel, out_log));
    net_must(cairn_digest(ctx, scope_of(scope), channel, &digest, &is_comparable));
    cairn_context_abort(ctx);
    return digest;
}

void net_agree(struct net_node *a, struct net_node *b, const char *scope,
               enum cairn_channel channel, uint64_t size_min)
{
    struct cairn_scope_log log_a, log_b;
    struct cairn_hash a_digest = digest_of(a, scope, channel, &log_a);
    struct cairn_hash b_digest = digest_of(b, scope, channel, &log_b);
    struct cairn_hash a_root = cairn_tree_root(&log_a.tree), b_root = cairn_tree_root(&log_b.tree);

    if (log_a.tree.size != log_b.tree.size || log_a.tree.size < size_min)
        fail_msg("%s has %llu leaves of %s, %s has %llu, at least %llu are due", a->name,
                 (unsigned long long)log_a.tree.size, scope, b->name,
                 (unsigned long long)log_b.tree.size, (unsigned long long)size_min);
    assert_memory_equal(a_root.bytes, b_root.bytes, sizeof a_root.bytes);
    if (memcmp(a_digest.bytes, b_digest.bytes, sizeof a_digest.bytes) != 0)
        fail_msg("%s and %s hold the same log of %s and another state", a->name, b->name, scope);
}

uint64_t net_scope_size(struct net_node *node, const char *scope, enum cairn_channel channel)
{
    struct cairn_scope_log log;

    (void)digest_of(node, scope, channel, &log);
    return log.tree.size;
}

bool net_ends_at_checkpoint(struct net_node *node, const char *scope, enum cairn_channel channel)
{
    struct cairn_context *ctx = &node->replica->ctx;
    struct cairn_checkpoint checkpoint;
    struct cairn_signature signature;
    uint64_t size = net_scope_size(node, scope, channel);

    if (size == 0)
        return true;
    net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
    enum cairn_status status =
        cairn_checkpoint_get(ctx, scope_of(scope), channel, 0, UINT32_MAX, &checkpoint, &signature);
    cairn_context_abort(ctx);
    return status == CAIRN_OK && checkpoint.size == size;
}

/* ---- bundles ---- */

static bool piece_add(void *context, struct cairn_bytes piece)
{
    struct net_bytes *bytes = context;

    assert_true(piece.size > 0);
    bytes->data = realloc(bytes->data, bytes->size + piece.size + 1);
    assert_non_null(bytes->data);
    memcpy(bytes->data + bytes->size, piece.data, piece.size);
    bytes->size += piece.size;
    return true;
}

struct net_bytes net_bundle(struct net_node *node, bool is_full)
{
    struct net_bytes bundle = {NULL, 0};
    struct cairn_bundle_report report;

    net_must(cairn_bundle_write(node->replica, is_full, piece_add, &bundle, &report, &net_err));
    assert_int_equal(report.byte_count, bundle.size);
    return bundle;
}

struct cairn_bundle_report net_bundle_read(struct net_node *node, struct net_bytes bundle)
{
    struct cairn_bundle_report report;

    net_must(cairn_bundle_read(node->replica, net_bytes(bundle), &report, &net_err));
    return report;
}

struct net_bytes net_root_statement(struct net *net)
{
    uint8_t bytes[1100];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    net_must(cairn_root_export(net->root.replica, &writer, &net_err));
    return net_copy(cairn_writer_bytes(&writer));
}
