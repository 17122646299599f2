#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "replica_internal.h"
#include "store_whole.h"

static struct cairn_replica_config config_of(struct machine *machine)
{
    return (struct cairn_replica_config){
        .is_writer = true, .store = &machine->store.base, .ports = &machine->ports.base};
}

static struct block block_of(struct cairn_bytes bytes)
{
    struct block block = {malloc(bytes.size + 1), bytes.size};

    assert_non_null(block.data);
    if (bytes.size > 0)
        memcpy(block.data, bytes.data, bytes.size);
    return block;
}

static struct cairn_bytes bytes_of(struct block block)
{
    return (struct cairn_bytes){block.data, block.size};
}

void machine_init(struct machine *machine, uint64_t seed, const char *name, const char *root_scope)
{
    machine_init_with(machine, seed, name, root_scope, (struct cairn_bytes){NULL, 0});
}

void machine_init_with(struct machine *machine, uint64_t seed, const char *name,
                       const char *root_scope, struct cairn_bytes schema)
{
    const struct cairn_init init = {.name = name,
                                    .root_scope = root_scope,
                                    .root_tag = root_scope == NULL ? NULL : "R",
                                    .schema = schema};
    struct cairn_store *disk;

    memset(machine, 0, sizeof *machine);
    machine_must(machine, cairn_store_memory_new(&disk));
    store_fault_init(&machine->store, disk);
    fake_ports_init(&machine->ports, seed);
    const struct cairn_replica_config config = config_of(machine);
    machine_must(machine, cairn_replica_init(&config, &init, &machine->replica, &machine->err));
}

void machine_off(struct machine *machine)
{
    cairn_replica_close(machine->replica);
    machine->replica = NULL;
}

void machine_free(struct machine *machine)
{
    machine_off(machine);
    machine->store.base.ops->close(&machine->store.base);
}

enum cairn_status machine_on(struct machine *machine)
{
    const struct cairn_replica_config config = config_of(machine);

    return cairn_replica_open(&config, &machine->replica, &machine->err);
}

/* ---- disks ---- */

struct cairn_store *machine_disk_copy(struct machine *machine)
{
    return store_copy(machine->store.inner);
}

struct cairn_hash machine_disk_hash(struct machine *machine)
{
    return store_hash(machine->store.inner);
}

void machine_disk_put(struct machine *machine, struct cairn_store *disk)
{
    assert_null(machine->replica);
    machine->store.inner->ops->close(machine->store.inner);
    machine->store.inner = disk;
}

/* ---- joining ---- */

struct block machine_request(struct machine *machine)
{
    uint8_t bytes[1100];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    machine_must(machine, cairn_request_export(machine->replica, &writer, &machine->err));
    return block_of(cairn_writer_bytes(&writer));
}

enum cairn_status machine_invite(struct machine *machine, struct machine *above, const char *role,
                                 const char *scope, const char *tag, struct block *out_invitation)
{
    struct block request = machine_request(machine);
    const struct cairn_grant_input input = {
        .request = bytes_of(request),
        .role = role,
        .scope = scope,
        .tag = tag,
        .address = strcmp(role, "server") == 0 ? "tcp://127.0.0.1:7340" : NULL,
    };
    struct cairn_bytes invitation;
    struct cairn_device granted;

    enum cairn_status status =
        cairn_grant_device(above->replica, &input, &invitation, &granted, &above->err);
    free(request.data);
    if (status == CAIRN_OK) {
        *out_invitation = block_of(invitation);
        cairn_bytes_free(invitation);
    }
    return status;
}

void machine_join(struct machine *machine, struct machine *above, const char *role,
                  const char *scope, const char *tag)
{
    struct block invitation;
    struct cairn_join_report report;

    machine_must(above, machine_invite(machine, above, role, scope, tag, &invitation));
    machine_must(machine,
                 cairn_join(machine->replica, bytes_of(invitation), &report, &machine->err));
    free(invitation.data);
}

/* ---- working ---- */

enum cairn_status machine_create(struct machine *machine, const char *head, char out_id[static 32])
{
    const struct cairn_field_value fields[] = {{"head", head}, {"income", "4150"}};
    const struct cairn_put put = {.type = "household", .fields = fields, .field_count = 2};
    struct cairn_put_result result;

    enum cairn_status status =
        cairn_put_many(machine->replica, &put, 1, &result, NULL, &machine->err);
    if (status == CAIRN_OK)
        memcpy(out_id, result.id, 32);
    return status;
}

enum cairn_status machine_set(struct machine *machine, const char *id, const char *field,
                              const char *value)
{
    const struct cairn_field_value one = {field, value};
    const struct cairn_put put = {.type = "household", .id = id, .fields = &one, .field_count = 1};
    struct cairn_put_result result;

    return cairn_put_many(machine->replica, &put, 1, &result, NULL, &machine->err);
}

bool machine_block_add(void *context, struct cairn_bytes bytes)
{
    struct block *block = context;

    block->data = realloc(block->data, block->size + bytes.size + 1);
    assert_non_null(block->data);
    memcpy(block->data + block->size, bytes.data, bytes.size);
    block->size += bytes.size;
    return true;
}

struct block machine_bundle(struct machine *machine)
{
    struct block bundle = {NULL, 0};
    struct cairn_bundle_report report;

    machine_must(machine, cairn_bundle_write(machine->replica, false, machine_block_add, &bundle,
                                             &report, &machine->err));
    return bundle;
}

enum cairn_status machine_read(struct machine *machine, struct block bundle)
{
    struct cairn_bundle_report report;

    return cairn_bundle_read(machine->replica, bytes_of(bundle), &report, &machine->err);
}

struct block machine_answer(struct machine *server, struct cairn_bytes request)
{
    struct cairn_serve *serve = NULL;
    struct cairn_serve_commit commit;
    struct cairn_bytes reply;

    machine_must(server, cairn_serve_open(server->replica, request, &serve, &server->err));
    machine_must(server, cairn_serve_commit(server->replica, &serve, 1, &commit, &server->err));
    machine_must(server, cairn_serve_reply(server->replica, serve, &reply, &server->err));
    struct block block = block_of(reply);
    cairn_serve_free(serve);
    return block;
}

void machine_sync(struct machine *machine, struct machine *server)
{
    bool again = true;

    machine_must(machine, cairn_sync_begin(machine->replica, &machine->err));
    for (unsigned round = 0; again; round++) {
        struct cairn_bytes message;
        assert_true(round < 50);
        machine_must(machine, cairn_sync_request(machine->replica, &message, &machine->err));
        struct block reply = machine_answer(server, message);
        machine_must(machine,
                     cairn_sync_reply(machine->replica, bytes_of(reply), &again, &machine->err));
        free(reply.data);
    }
}

struct cairn_status_report machine_status(struct machine *machine)
{
    struct cairn_status_report report;

    machine_must(machine, cairn_status_get(machine->replica, &report, &machine->err));
    return report;
}

void machine_take(struct machine *machine, const struct pieces *pieces, size_t first)
{
    struct cairn_context *ctx = &machine->replica->ctx;

    for (size_t i = first; i < pieces->count; i++) {
        const struct piece *piece = &pieces->list[i];
        const struct cairn_apply_input input = {
            .scope = piece->scope, .channel = piece->channel, .run = &piece->run};
        enum cairn_outcome outcome;
        uint32_t no;
        cairn_context_fresh(ctx);
        machine_must(machine, cairn_context_begin(ctx, CAIRN_TXN_WRITE));
        machine_must(machine, cairn_apply_run(ctx, &input, &outcome, &no));
        machine_must(machine, cairn_context_commit(ctx));
    }
}
