#include "machines.h"

#include <sodium.h>
#include <string.h>

static const struct machine *machine_of(const struct cairn_ports *ports)
{
    return (const struct machine *)(const void *)ports; /* `base` stands first */
}

static struct machine *own_machine(struct cairn_ports *ports)
{
    return (struct machine *)(void *)ports;
}

uint64_t machine_now_s(const struct machine *machine)
{
    int64_t now = (int64_t)*machine->true_s + machine->wrong_by_s;

    return now < 0 ? 0 : (uint64_t)now;
}

static uint64_t port_now_s(struct cairn_ports *ports)
{
    return machine_now_s(machine_of(ports));
}

static void stream_fill(const uint8_t seed[static 32], uint64_t number, void *out, size_t size)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};

    memcpy(nonce, &number, sizeof number);
    if (size > 0)
        crypto_stream_chacha20(out, size, nonce, seed);
}

static void port_random(struct cairn_ports *ports, void *out, size_t size)
{
    struct machine *machine = own_machine(ports);

    stream_fill(machine->seed, machine->random_calls++, out, size);
}

static enum cairn_status file_load(const struct machine_file *file, struct cairn_writer *out)
{
    if (!file->is_there)
        return CAIRN_NOT_FOUND;
    cairn_write_bytes(out, file->data, file->size);
    return CAIRN_OK;
}

static enum cairn_status file_save(struct machine_file *file, struct cairn_bytes bytes)
{
    if (bytes.size > sizeof file->data)
        return CAIRN_LIMIT;
    if (bytes.size > 0)
        memcpy(file->data, bytes.data, bytes.size);
    file->size = bytes.size;
    file->is_there = true;
    return CAIRN_OK;
}

static enum cairn_status port_key_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    return file_load(&machine_of(ports)->key, out);
}

static enum cairn_status port_key_save(struct cairn_ports *ports, struct cairn_bytes bytes)
{
    struct machine *machine = own_machine(ports);

    return machine->key.is_there ? CAIRN_EXISTS : file_save(&machine->key, bytes);
}

static enum cairn_status port_mark_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    return file_load(&machine_of(ports)->mark, out);
}

static enum cairn_status port_mark_save(struct cairn_ports *ports, struct cairn_bytes bytes,
                                        bool sync)
{
    struct machine *machine = own_machine(ports);

    if (machine->mark_fails) {
        machine->mark_fails = false;
        machine->has_failed = true;
        return CAIRN_IO;
    }
    enum cairn_status status = file_save(&machine->mark, bytes);
    if (status == CAIRN_OK && sync)
        machine->synced_mark = machine->mark;
    return status;
}

static enum cairn_status port_place(struct cairn_ports *ports, struct cairn_writer *out)
{
    cairn_write_u64be(out, machine_of(ports)->place);
    return CAIRN_OK;
}

static void port_free(struct cairn_ports *ports)
{
    (void)ports;
}

static const struct cairn_ports_ops machine_ops = {
    .now_s = port_now_s,
    .random = port_random,
    .key_load = port_key_load,
    .key_save = port_key_save,
    .mark_load = port_mark_load,
    .mark_save = port_mark_save,
    .place = port_place,
    .free = port_free,
};

void machine_init(struct machine *machine, const uint64_t *true_s, uint64_t seed)
{
    *machine = (struct machine){.base = {&machine_ops}, .true_s = true_s, .place = seed};
    memcpy(machine->seed, &seed, sizeof seed);
}

void machine_move(struct machine *machine, uint64_t place)
{
    machine->place = place;
}

void machine_set_clock(struct machine *machine, uint64_t now_s)
{
    machine->wrong_by_s = (int64_t)now_s - (int64_t)*machine->true_s;
}

void machine_power_cut(struct machine *machine, bool loses_unsynced)
{
    if (loses_unsynced)
        machine->mark = machine->synced_mark;
}

/* ---- libsodium ----------------------------------------------------------------------------- */

static struct {
    uint8_t seed[32];
    uint64_t calls;
} sodium_stream;

static const char *sodium_name(void)
{
    return "simulated";
}

static void sodium_fill(void *const out, const size_t size)
{
    stream_fill(sodium_stream.seed, sodium_stream.calls++, out, size);
}

static uint32_t sodium_word(void)
{
    uint32_t word;

    sodium_fill(&word, sizeof word);
    return word;
}

void machines_seed_libsodium(uint64_t seed)
{
    static struct randombytes_implementation implementation = {
        .implementation_name = sodium_name, .random = sodium_word, .buf = sodium_fill};

    memset(&sodium_stream, 0, sizeof sodium_stream);
    memcpy(sodium_stream.seed, &seed, sizeof seed);
    randombytes_set_implementation(&implementation);
}
