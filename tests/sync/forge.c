#include "forge.h"

#include "cmocka_all.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/cbor.h"
#include "cairn/leaf.h"
#include "cairn/seal.h"
#include "serve_internal.h"

static void household_write(struct cairn_writer *writer, uint32_t counter)
{
    const struct cairn_value head = {
        .kind = CAIRN_VALUE_TEXT, .is_slot = true, .text = cairn_bytes_of_text("扎西")};

    cairn_entry_begin(writer, CAIRN_KIND_CHANGE, 1700000000, 1);
    cairn_create_begin(writer, 1, counter, 1);
    cairn_cbor_write_uint(writer, 2); /* head */
    cairn_value_write(writer, &head);
}

#define NOISE_BYTES 4000

static uint64_t noise_seed;

static void noise_write(struct cairn_writer *writer, uint32_t counter)
{
    char text[NOISE_BYTES];
    const struct cairn_value head = {
        .kind = CAIRN_VALUE_TEXT, .is_slot = true, .text = {(const uint8_t *)text, sizeof text}};

    for (size_t i = 0; i < sizeof text; i++) {
        noise_seed = noise_seed * 6364136223846793005u + 1442695040888963407u;
        text[i] = (char)('!' + (noise_seed >> 33) % 94);
    }
    cairn_entry_begin(writer, CAIRN_KIND_CHANGE, 1700000000, 1);
    cairn_create_begin(writer, 1, counter, 1);
    cairn_cbor_write_uint(writer, 2); /* head */
    cairn_value_write(writer, &head);
}

static void idle_write(struct cairn_writer *writer, uint32_t counter)
{
    (void)counter;
    cairn_entry_begin(writer, CAIRN_KIND_CHANGE, 1700000000, 0);
}

static void log_forge(struct net_node *node, struct cairn_scope scope, uint32_t count,
                      enum cairn_run_secret secret_kind,
                      void (*entry_write)(struct cairn_writer *writer, uint32_t counter),
                      struct forged_log *out_log)
{
    struct cairn_replica *replica = node->replica;
    struct cairn_basis basis = {.under = replica->under, .schema_version = 1};
    struct forged_log *log = out_log;
    struct cairn_secret secret;
    struct cairn_blinder blinder;
    struct cairn_reader reader;
    struct cairn_writer writer;
    struct cairn_tree tree;

    *log = (struct forged_log){.scope = scope, .channel = CAIRN_CHANNEL_RECORDS};
    replica->ports->ops->random(replica->ports, &secret, sizeof secret);
    log->run.log.device = replica->keys.open.seal;
    replica->ports->ops->random(replica->ports, &log->run.log.incarnation, 16);
    log->id = cairn_log_id(&replica->ctx.network, &log->run.log.device, scope, log->channel,
                           &log->run.log.incarnation);
    basis.secret_hash = cairn_secret_hash(&secret);
    cairn_writer_init(&writer, log->entries, sizeof log->entries);
    cairn_basis_write(&writer, 1700000000, &basis);
    for (uint32_t i = 0; i < count; i++)
        entry_write(&writer, i + 1);
    assert_false(writer.overflowed);
    log->run.entries = cairn_writer_bytes(&writer);
    log->run.entry_count = count + 1;
    log->run.secret_kind = secret_kind;
    cairn_blinder_init(&blinder, &secret);
    memcpy(log->run.secret.bytes, secret.bytes, 32);
    if (secret_kind == CAIRN_RUN_BLIND_SEED)
        log->run.secret = blinder.blind_seed;
    cairn_tree_init(&tree);
    cairn_reader_init(&reader, log->run.entries);
    for (uint32_t i = 0; i <= count; i++) {
        struct cairn_entry entry;
        struct cairn_hash leaf;
        net_must(cairn_entry_read(cairn_cbor_skip(&reader), &entry));
        net_must(cairn_leaf(&blinder, i, &entry, &leaf, NULL));
        cairn_tree_append(&tree, &leaf);
    }
    cairn_blinder_release(&blinder);
    const struct cairn_head sealed = {log->id, (uint32_t)tree.size, cairn_tree_root(&tree)};
    cairn_seal_sign(&replica->keys.seal, &sealed, &log->run.seal);
}

void forge_log(struct net_node *node, struct cairn_scope scope, uint32_t count,
               enum cairn_run_secret secret_kind, struct forged_log *out_log)
{
    log_forge(node, scope, count, secret_kind, household_write, out_log);
}

void forge_idle_log(struct net_node *node, struct cairn_scope scope, uint32_t count,
                    struct forged_log *out_log)
{
    log_forge(node, scope, count, CAIRN_RUN_SECRET, idle_write, out_log);
}

void forge_noise_log(struct net_node *node, struct cairn_scope scope, size_t bytes, uint64_t seed,
                     struct forged_log *out_log)
{
    noise_seed = seed;
    log_forge(node, scope, (uint32_t)(bytes / NOISE_BYTES), CAIRN_RUN_SECRET, noise_write, out_log);
}

struct net_bytes forge_payload(struct net_node *node, const struct cairn_keys *keys,
                               struct net_node *server, struct cairn_bytes payload)
{
    uint8_t prologue[CAIRN_PROLOGUE_BYTES];
    struct cairn_noise_key ephemeral;
    struct cairn_noise noise;
    const struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                              .is_initiator = true,
                                              .prologue = {prologue, sizeof prologue},
                                              .static_secret = &keys->noise,
                                              .remote_static = &server->replica->keys.open.noise,
                                              .ephemeral_secret = &ephemeral};
    uint8_t *message = malloc(payload.size + 256);
    struct cairn_writer writer;

    assert_non_null(message);
    cairn_prologue(&node->replica->ctx.network, prologue);
    node->ports.base.ops->random(&node->ports.base, &ephemeral, sizeof ephemeral);
    cairn_noise_init(&noise, &config);
    cairn_writer_init(&writer, message, payload.size + 256);
    net_must(cairn_noise_write(&noise, payload, &writer));
    cairn_noise_release(&noise);
    return (struct net_bytes){message, writer.size};
}

struct net_bytes forge_message(struct net_node *node, const struct cairn_keys *keys,
                               struct net_node *server, struct cairn_bytes plain)
{
    uint8_t *payload = malloc(plain.size + 1);

    assert_non_null(payload);
    payload[0] = 0; /* not packed */
    memcpy(payload + 1, plain.data, plain.size);
    struct net_bytes message =
        forge_payload(node, keys, server, (struct cairn_bytes){payload, plain.size + 1});
    free(payload);
    return message;
}

struct net_bytes forge_answer(struct net_node *server, struct net_bytes request,
                              struct cairn_bytes payload)
{
    uint8_t *message = malloc(payload.size + 256);
    struct cairn_serve *serve = NULL;
    struct cairn_writer writer;

    assert_non_null(message);
    net_must(cairn_serve_open(server->replica, net_bytes(request), &serve, &net_err));
    cairn_writer_init(&writer, message, payload.size + 256);
    net_must(cairn_noise_write(&serve->noise, payload, &writer));
    cairn_serve_free(serve);
    return (struct net_bytes){message, writer.size};
}

struct net_bytes forge_reply(struct net_node *server, struct net_bytes request,
                             const struct cairn_reply_parts *parts)
{
    static uint8_t payload[CAIRN_NOISE_MESSAGE_MAX / 2];
    struct cairn_writer writer;

    cairn_writer_init(&writer, payload, sizeof payload);
    cairn_write_u8(&writer, 0); /* not packed */
    cairn_reply_write(&writer, parts);
    assert_false(writer.overflowed);
    return forge_answer(server, request, cairn_writer_bytes(&writer));
}

struct net_bytes forge_request_parts(struct net_node *node, struct net_node *server,
                                     const struct cairn_request_parts *parts)
{
    size_t capacity = parts->groups.size + parts->links.size + parts->scopes.size + 4096;
    uint8_t *plain = malloc(capacity);
    struct cairn_writer writer;

    assert_non_null(plain);
    cairn_writer_init(&writer, plain, capacity);
    cairn_request_write(&writer, parts);
    assert_false(writer.overflowed);
    struct net_bytes message =
        forge_message(node, &node->replica->keys, server, cairn_writer_bytes(&writer));
    free(plain);
    return message;
}

struct net_bytes forge_request(struct net_node *node, struct net_node *server,
                               const struct forged_log *const *logs, size_t count, bool has_chain)
{
    struct cairn_context *ctx = &node->replica->ctx;
    size_t capacity = 1024;
    for (size_t i = 0; i < count; i++)
        capacity += logs[i]->run.entries.size + 1024;
    uint8_t roots[16], *groups = malloc(capacity), *run_bytes = malloc(capacity);
    struct cairn_request_parts request = {.roots = {roots, sizeof roots}};
    struct cairn_writer writer;
    struct cairn_link_set *links = malloc(sizeof *links);

    assert_non_null(groups);
    assert_non_null(run_bytes);
    assert_non_null(links);
    cairn_roots_digest(NULL, 0, roots);
    cairn_writer_init(&writer, groups, capacity);
    for (size_t i = 0; i < count; request.group_count++) {
        struct cairn_writer run;
        const struct cairn_group group = {.scope = logs[i]->scope, .channel = logs[i]->channel};
        struct cairn_group_parts parts = {.run_count = 0};
        cairn_writer_init(&run, run_bytes, capacity);
        for (; i < count && logs[i]->scope.code == group.scope.code; parts.run_count++)
            cairn_run_write(&run, &logs[i++]->run);
        parts.runs = cairn_writer_bytes(&run);
        cairn_group_write(&writer, &group, &parts);
    }
    request.groups = cairn_writer_bytes(&writer);
    cairn_link_set_init(links);
    if (has_chain) {
        net_must(cairn_context_begin(ctx, CAIRN_TXN_READ));
        net_must(cairn_link_set_chain(ctx, links, &node->replica->under));
        cairn_context_abort(ctx);
        request.links = (struct cairn_bytes){links->bytes.data, links->bytes.size};
        request.link_count = links->count;
    }
    struct net_bytes message = forge_request_parts(node, server, &request);
    cairn_link_set_release(links);
    free(links);
    free(run_bytes);
    free(groups);
    return message;
}
