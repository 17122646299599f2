#include "device.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { REQUEST_BYTES_MAX = 1100 };

/* ---- ports --------------------------------------------------------------------------------- */

struct note {
    uint8_t bytes[CAIRN_MARK_MAX];
    size_t size;
    bool is_there;
};

struct device_ports {
    struct cairn_ports base;
    struct cairn_ports *machine; /* NULL: everything is kept in memory */
    uint64_t now_s;
    struct note key, mark;
};

static struct device_ports *ports_of(struct cairn_ports *ports)
{
    return (struct device_ports *)(void *)ports; /* `base` stands first */
}

static uint64_t ports_now_s(struct cairn_ports *ports)
{
    return ports_of(ports)->now_s;
}

static void ports_random(struct cairn_ports *ports, void *out, size_t size)
{
    (void)ports;
    randombytes_buf(out, size);
}

static enum cairn_status note_load(const struct note *note, struct cairn_writer *out)
{
    if (!note->is_there)
        return CAIRN_NOT_FOUND;
    cairn_write_bytes(out, note->bytes, note->size);
    return CAIRN_OK;
}

static enum cairn_status note_save(struct note *note, struct cairn_bytes bytes)
{
    if (bytes.size > sizeof note->bytes)
        return CAIRN_LIMIT;
    memcpy(note->bytes, bytes.data, bytes.size);
    note->size = bytes.size;
    note->is_there = true;
    return CAIRN_OK;
}

static enum cairn_status ports_key_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    struct device_ports *device = ports_of(ports);

    if (device->machine != NULL)
        return device->machine->ops->key_load(device->machine, out);
    return note_load(&device->key, out);
}

static enum cairn_status ports_key_save(struct cairn_ports *ports, struct cairn_bytes bytes)
{
    struct device_ports *device = ports_of(ports);

    if (device->machine != NULL)
        return device->machine->ops->key_save(device->machine, bytes);
    if (device->key.is_there)
        return CAIRN_EXISTS;
    return note_save(&device->key, bytes);
}

static enum cairn_status ports_mark_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    struct device_ports *device = ports_of(ports);

    if (device->machine != NULL)
        return device->machine->ops->mark_load(device->machine, out);
    return note_load(&device->mark, out);
}

static enum cairn_status ports_mark_save(struct cairn_ports *ports, struct cairn_bytes bytes,
                                         bool sync)
{
    struct device_ports *device = ports_of(ports);

    if (device->machine != NULL)
        return device->machine->ops->mark_save(device->machine, bytes, sync);
    return note_save(&device->mark, bytes);
}

static enum cairn_status ports_place(struct cairn_ports *ports, struct cairn_writer *out)
{
    struct device_ports *device = ports_of(ports);

    if (device->machine != NULL)
        return device->machine->ops->place(device->machine, out);
    cairn_write_bytes(out, "memory", 6);
    return CAIRN_OK;
}

static void ports_free(struct cairn_ports *ports)
{
    struct device_ports *device = ports_of(ports);

    if (device->machine != NULL)
        device->machine->ops->free(device->machine);
    free(device);
}

static const struct cairn_ports_ops ports_ops = {
    .now_s = ports_now_s,
    .random = ports_random,
    .key_load = ports_key_load,
    .key_save = ports_key_save,
    .mark_load = ports_mark_load,
    .mark_save = ports_mark_save,
    .place = ports_place,
    .free = ports_free,
};

static enum cairn_status ports_new(const char *path, struct device_ports **out_ports,
                                   struct cairn_err *err)
{
    struct device_ports *ports = calloc(1, sizeof *ports);

    if (ports == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    ports->base.ops = &ports_ops;
    ports->now_s = WORKLOAD_START_S - 86400;
    if (path != NULL) {
        enum cairn_status status = cairn_ports_posix_new(path, &ports->machine, err);
        if (status != CAIRN_OK) {
            free(ports);
            return status;
        }
    }
    *out_ports = ports;
    return CAIRN_OK;
}

/* ---- devices ------------------------------------------------------------------------------- */

enum cairn_status device_init(struct device *out_device, const char *path, const char *name,
                              bool is_root, struct cairn_err *err)
{
    const struct cairn_init init = {
        .name = name,
        .root_scope = is_root ? BENCH_SCOPE : NULL,
        .root_tag = is_root ? "R" : NULL,
    };
    struct device device = {.replica = NULL};

    enum cairn_status status = path == NULL ? cairn_store_memory_new(&device.store)
                                            : cairn_store_lmdb_open(path, true, &device.store, err);
    if (status == CAIRN_OK)
        status = ports_new(path, &device.ports, err);
    if (status == CAIRN_OK) {
        const struct cairn_replica_config config = {
            .is_writer = true,
            .store = device.store,
            .ports = &device.ports->base,
        };
        status = cairn_replica_init(&config, &init, &device.replica, err);
    }
    if (status != CAIRN_OK)
        device_close(&device);
    else
        *out_device = device;
    return status;
}

void device_close(struct device *device)
{
    cairn_replica_close(device->replica);
    if (device->store != NULL)
        device->store->ops->close(device->store);
    if (device->ports != NULL)
        device->ports->base.ops->free(&device->ports->base);
    *device = (struct device){.replica = NULL};
}

void device_set_clock(struct device *device, uint64_t now_s)
{
    device->ports->now_s = now_s;
}

static enum cairn_status device_join(struct device *root, struct device *device,
                                     struct cairn_grant_input *input, struct cairn_err *err)
{
    uint8_t bytes[REQUEST_BYTES_MAX];
    struct cairn_bytes invitation;
    struct cairn_device granted;
    struct cairn_join_report report;
    struct cairn_writer request;

    cairn_writer_init(&request, bytes, sizeof bytes);
    enum cairn_status status = cairn_request_export(device->replica, &request, err);
    if (status != CAIRN_OK)
        return status;
    input->request = cairn_writer_bytes(&request);
    status = cairn_grant_device(root->replica, input, &invitation, &granted, err);
    if (status != CAIRN_OK)
        return status;
    status = cairn_join(device->replica, invitation, &report, err);
    cairn_bytes_free(invitation);
    return status;
}

enum cairn_status device_join_server(struct device *root, struct device *device,
                                     struct cairn_err *err)
{
    struct cairn_grant_input input = {
        .role = "server",
        .scope = BENCH_SCOPE,
        .tag = "S",
        .address = BENCH_SERVER_ADDRESS,
    };

    return device_join(root, device, &input, err);
}

enum cairn_status device_join_station(struct device *root, struct device *device, unsigned village,
                                      const char *tag, struct cairn_err *err)
{
    char scope[WORKLOAD_SCOPE_BYTES];
    struct cairn_grant_input input = {.role = "station", .scope = scope, .tag = tag};

    workload_scope(village, scope);
    return device_join(root, device, &input, err);
}

/* ---- households ---------------------------------------------------------------------------- */

const struct household *households_find(const struct households *households, const char *household)
{
    for (size_t i = 0; i < households->count; i++)
        if (strcmp(households->items[i].household, household) == 0)
            return &households->items[i];
    return NULL;
}

void households_release(struct households *households)
{
    free(households->items);
    *households = (struct households){NULL, 0};
}

static enum cairn_status households_add(struct households *households,
                                        const struct operation *operations,
                                        const struct cairn_put_result *results, size_t count,
                                        struct cairn_err *err)
{
    struct household *items =
        realloc(households->items, (households->count + count) * sizeof *items);

    if (items == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    households->items = items;
    for (size_t i = 0; i < count; i++) {
        struct household *item = &items[households->count++];
        memcpy(item->household, operations[i].household, sizeof item->household);
        memcpy(item->id, results[i].id, sizeof item->id);
    }
    return CAIRN_OK;
}

static void fields_list(const struct operation *operation,
                        struct cairn_field_value out_fields[static WORKLOAD_FIELDS_MAX])
{
    for (size_t i = 0; i < operation->field_count; i++)
        out_fields[i] = (struct cairn_field_value){
            .name = operation->fields[i].name,
            .value = operation->fields[i].value,
        };
}

enum cairn_status device_create(struct device *device, const struct operation *operations,
                                size_t count, struct households *households, struct cairn_err *err)
{
    struct cairn_field_value fields[VILLAGE_HOUSEHOLDS][WORKLOAD_FIELDS_MAX];
    struct cairn_put puts[VILLAGE_HOUSEHOLDS];
    struct cairn_put_result results[VILLAGE_HOUSEHOLDS];

    CAIRN_ASSERT(count > 0 && count <= VILLAGE_HOUSEHOLDS);
    for (size_t i = 0; i < count; i++) {
        fields_list(&operations[i], fields[i]);
        puts[i] = (struct cairn_put){
            .type = "household",
            .fields = fields[i],
            .field_count = operations[i].field_count,
        };
    }
    enum cairn_status status = cairn_put_many(device->replica, puts, count, results, NULL, err);
    if (status == CAIRN_OK)
        status = households_add(households, operations, results, count, err);
    return status;
}

enum cairn_status device_edit(struct device *device, const struct operation *operation,
                              const struct households *households, struct cairn_err *err)
{
    const struct household *household = households_find(households, operation->household);
    struct cairn_field_value fields[WORKLOAD_FIELDS_MAX];
    struct cairn_put_result result;

    if (household == NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT, "the workload edits %s and never creates it",
                          operation->household);
    fields_list(operation, fields);
    const struct cairn_put put = {
        .type = "household",
        .id = household->id,
        .fields = fields,
        .field_count = operation->field_count,
    };
    device_set_clock(device, operation->time_s);
    enum cairn_status status = cairn_put_many(device->replica, &put, 1, &result, NULL, err);
    if (status == CAIRN_OK)
        device->edit_count += result.change_count;
    return status;
}
