#include "forge.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cairn/leaf.h"
#include "cairn/seal.h"
#include "replica_internal.h"

#define ENTRIES_BYTES 4096
#define MESSAGE_BYTES 40000

struct forged {
    struct cairn_scope scope;
    enum cairn_channel channel;
    struct cairn_under under;
    struct cairn_secret secret;
    struct cairn_run run;
    struct cairn_hash id;
    uint8_t entries[ENTRIES_BYTES];
    struct cairn_writer writer;
};

struct link_bytes forge_message(struct world *world, struct node *node, bool stranger,
                                struct cairn_bytes plain, struct dice *dice)
{
    struct cairn_replica *server = world->nodes[world->server].replica;
    uint8_t prologue[CAIRN_PROLOGUE_BYTES];
    struct cairn_noise_key ephemeral, own = node->replica->keys.noise;
    struct cairn_noise noise;
    const struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                              .is_initiator = true,
                                              .prologue = {prologue, sizeof prologue},
                                              .static_secret = &own,
                                              .remote_static = &server->keys.open.noise,
                                              .ephemeral_secret = &ephemeral};
    uint8_t *payload = malloc(plain.size + 1), *message = malloc(plain.size + 256);
    struct cairn_writer writer;

    CAIRN_ASSERT(payload != NULL && message != NULL);
    payload[0] = 0; /* not packed */
    memcpy(payload + 1, plain.data, plain.size);
    cairn_prologue(&node->replica->ctx.network, prologue);
    dice_fill(dice, &ephemeral, sizeof ephemeral);
    if (stranger)
        dice_fill(dice, &own, sizeof own);
    cairn_noise_init(&noise, &config);
    cairn_writer_init(&writer, message, plain.size + 256);
    WORLD_MUST(world,
               cairn_noise_write(&noise, (struct cairn_bytes){payload, plain.size + 1}, &writer));
    cairn_noise_release(&noise);
    free(payload);
    return (struct link_bytes){message, writer.size};
}

/* ---- a log --------------------------------------------------------------------------------- */

static void basis_forge(struct forged *forged, enum forge_kind kind)
{
    struct cairn_basis basis = {.under = forged->under, .schema_version = 1};

    basis.secret_hash = cairn_secret_hash(&forged->secret);
    if (kind == FORGE_OTHER_SECRET)
        basis.secret_hash.bytes[5] ^= 1;
    cairn_basis_write(&forged->writer, 1600000000, &basis);
}

static void create_forge(struct forged *forged)
{
    const struct cairn_value head = {
        .kind = CAIRN_VALUE_TEXT, .is_slot = true, .text = cairn_bytes_of_text("forged")};

    cairn_entry_begin(&forged->writer, CAIRN_KIND_CHANGE, 1600000001, 1);
    cairn_create_begin(&forged->writer, 1, 7777, 1);
    cairn_cbor_write_uint(&forged->writer, 2); /* head */
    cairn_value_write(&forged->writer, &head);
}

/* Names an entry of a log that it never announced; or settles without a reason. */
static void invalid_forge(struct forged *forged, uint64_t number, uint32_t log_number)
{
    const struct cairn_operation op = {.number = number,
                                       .record = {log_number, 1},
                                       .field = 6,
                                       .value = {.kind = CAIRN_VALUE_INTEGER, .integer = 99}};

    cairn_entry_begin(&forged->writer, CAIRN_KIND_CHANGE, 1600000002, 1);
    cairn_write_begin(&forged->writer, &op, 0);
}

static void grant_forge(struct forged *forged, const struct cairn_keys *keys)
{
    const struct cairn_grant grant = {.under = forged->under,
                                      .scope = {51},
                                      .role = CAIRN_ROLE_COUNTY,
                                      .channels = CAIRN_BIT_AUTHORITY | CAIRN_BIT_RECORDS,
                                      .rights = CAIRN_RIGHT_DELEGATE,
                                      .tag = cairn_bytes_of_text("X"),
                                      .name = cairn_bytes_of_text("usurper"),
                                      .keys = keys->open};

    cairn_grant_write(&forged->writer, 1600000003, &grant);
}

static uint32_t entries_forge(struct forged *forged, enum forge_kind kind,
                              const struct cairn_keys *keys)
{
    basis_forge(forged, kind);
    if (kind == FORGE_AUTHORITY) {
        grant_forge(forged, keys);
        return 2;
    }
    if (kind != FORGE_INVALID) {
        create_forge(forged);
        return 2;
    }
    invalid_forge(forged, CAIRN_ITEM_SET, 1);
    invalid_forge(forged, CAIRN_ITEM_SETTLE, 1);
    invalid_forge(forged, CAIRN_ITEM_SET, 0);
    return 4;
}

static bool forged_seal(struct forged *forged, enum forge_kind kind, const struct cairn_keys *keys)
{
    struct cairn_blinder blinder;
    struct cairn_reader reader;
    struct cairn_tree tree;
    bool is_good = true;

    cairn_tree_init(&tree);
    cairn_blinder_init(&blinder, &forged->secret);
    cairn_reader_init(&reader, forged->run.entries);
    for (uint32_t i = 0; i < forged->run.entry_count && is_good; i++) {
        struct cairn_entry entry;
        struct cairn_hash leaf;
        is_good = cairn_entry_read(cairn_cbor_skip(&reader), &entry) == CAIRN_OK &&
                  cairn_leaf(&blinder, i, &entry, &leaf, NULL) == CAIRN_OK;
        if (is_good)
            cairn_tree_append(&tree, &leaf);
    }
    cairn_blinder_release(&blinder);
    const struct cairn_head head = {forged->id, (uint32_t)tree.size, cairn_tree_root(&tree)};
    cairn_seal_sign(&keys->seal, &head, &forged->run.seal);
    if (kind == FORGE_BAD_SEAL)
        forged->run.seal.bytes[9] ^= 4;
    return is_good;
}

static void log_forge(struct world *world, struct node *node, enum forge_kind kind,
                      struct dice *dice, struct forged *forged)
{
    const struct cairn_replica *replica = node->replica;
    unsigned village = node->village + (kind == FORGE_OTHER_VILLAGE);

    memset(forged, 0, sizeof *forged);
    forged->channel = kind == FORGE_AUTHORITY ? CAIRN_CHANNEL_AUTHORITY : CAIRN_CHANNEL_RECORDS;
    forged->scope.code = strtoull(world_village(village), NULL, 10);
    forged->under =
        kind == FORGE_BORROWED_GRANT ? world->nodes[world->office].replica->under : replica->under;
    dice_fill(dice, &forged->secret, sizeof forged->secret);
    forged->run.log.device = replica->keys.open.seal;
    dice_fill(dice, &forged->run.log.incarnation, sizeof forged->run.log.incarnation);
    forged->id = cairn_log_id(&replica->ctx.network, &forged->run.log.device, forged->scope,
                              forged->channel, &forged->run.log.incarnation);
    cairn_writer_init(&forged->writer, forged->entries, sizeof forged->entries);
    forged->run.entry_count = entries_forge(forged, kind, &replica->keys);
    forged->run.entries = cairn_writer_bytes(&forged->writer);
    forged->run.secret_kind = CAIRN_RUN_SECRET;
    memcpy(forged->run.secret.bytes, forged->secret.bytes, 32);
    if (!forged_seal(forged, kind, &replica->keys))
        world_fail(world, "forge", "a forged log could not be sealed");
}

/* ---- a request ----------------------------------------------------------------------------- */

static enum cairn_status links_write(struct cairn_replica *replica, struct cairn_link_set *set)
{
    CAIRN_TRY(cairn_context_begin(&replica->ctx, CAIRN_TXN_READ));
    enum cairn_status status = cairn_link_set_chain(&replica->ctx, set, &replica->under);
    cairn_context_abort(&replica->ctx);
    return status;
}

struct link_bytes forge_request(struct world *world, struct node *node, enum forge_kind kind,
                                struct dice *dice)
{
    struct forged *forged = malloc(sizeof *forged);
    struct cairn_link_set *links = malloc(sizeof *links);
    uint8_t roots[16], runs[6000], groups[8000], *plain = malloc(MESSAGE_BYTES);
    struct cairn_request_parts request = {.roots = {roots, sizeof roots}, .group_count = 1};
    struct cairn_writer writer;

    CAIRN_ASSERT(forged != NULL && links != NULL && plain != NULL);
    log_forge(world, node, kind, dice, forged);
    cairn_roots_digest(NULL, 0, roots);
    cairn_writer_init(&writer, runs, sizeof runs);
    cairn_run_write(&writer, &forged->run);
    const struct cairn_group group = {.scope = forged->scope, .channel = forged->channel};
    const struct cairn_group_parts parts = {.runs = cairn_writer_bytes(&writer), .run_count = 1};
    cairn_writer_init(&writer, groups, sizeof groups);
    cairn_group_write(&writer, &group, &parts);
    request.groups = cairn_writer_bytes(&writer);
    cairn_link_set_init(links);
    WORLD_MUST(world, links_write(node->replica, links));
    request.links = (struct cairn_bytes){links->bytes.data, links->bytes.size};
    request.link_count = links->count;
    cairn_writer_init(&writer, plain, MESSAGE_BYTES);
    cairn_request_write(&writer, &request);
    CAIRN_ASSERT(!writer.overflowed);
    struct link_bytes message =
        forge_message(world, node, false, cairn_writer_bytes(&writer), dice);
    cairn_link_set_release(links);
    free(links);
    free(plain);
    free(forged);
    return message;
}

bool forge_create(struct world *world, struct node *node, const char *head)
{
    const struct cairn_field_value field = {"head", head};
    const struct cairn_put put = {.type = "household",
                                  .scope = world_village(node->village),
                                  .fields = &field,
                                  .field_count = 1};
    struct cairn_put_result result;

    return WORLD_MUST(world, cairn_put_many(node->replica, &put, 1, &result, NULL, &world->err));
}
