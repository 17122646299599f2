#include "fake_ports.h"

#include <sodium.h>
#include <string.h>

#define START_S 1700000000u

static struct fake_ports *fake_of(struct cairn_ports *ports)
{
    return (struct fake_ports *)(void *)ports; /* `base` stands first */
}

static uint64_t fake_now_s(struct cairn_ports *ports)
{
    return fake_of(ports)->now_s;
}

static void fake_random(struct cairn_ports *ports, void *out, size_t size)
{
    struct fake_ports *fake = fake_of(ports);
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};

    memcpy(nonce, &fake->random_calls, sizeof nonce);
    fake->random_calls++;
    if (size > 0)
        crypto_stream_chacha20(out, size, nonce, fake->seed);
}

/* Every call that can fail passes here first. */
static enum cairn_status tick(struct fake_ports *fake)
{
    if (fake->calls_until_fault < 0)
        return CAIRN_OK;
    return fake->calls_until_fault-- == 0 ? fake->fault_with : CAIRN_OK;
}

static enum cairn_status load(struct fake_ports *fake, const struct fake_bytes *from,
                              struct cairn_writer *out)
{
    enum cairn_status status = tick(fake);

    if (status != CAIRN_OK)
        return status;
    if (!from->is_there)
        return CAIRN_NOT_FOUND;
    cairn_write_bytes(out, from->data, from->size);
    return CAIRN_OK;
}

static enum cairn_status save(struct fake_ports *fake, struct fake_bytes *to,
                              struct cairn_bytes bytes)
{
    enum cairn_status status = tick(fake);

    if (status != CAIRN_OK)
        return status;
    if (bytes.size > sizeof to->data)
        return CAIRN_LIMIT;
    if (bytes.size > 0)
        memcpy(to->data, bytes.data, bytes.size);
    to->size = bytes.size;
    to->is_there = true;
    return CAIRN_OK;
}

static enum cairn_status fake_key_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    return load(fake_of(ports), &fake_of(ports)->key, out);
}

static enum cairn_status fake_key_save(struct cairn_ports *ports, struct cairn_bytes bytes)
{
    struct fake_ports *fake = fake_of(ports);

    if (fake->key.is_there)
        return CAIRN_EXISTS;
    return save(fake, &fake->key, bytes);
}

static enum cairn_status fake_mark_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    return load(fake_of(ports), &fake_of(ports)->mark, out);
}

static enum cairn_status fake_mark_save(struct cairn_ports *ports, struct cairn_bytes bytes,
                                        bool sync)
{
    struct fake_ports *fake = fake_of(ports);

    if (sync)
        fake->mark_syncs++;
    return save(fake, &fake->mark, bytes);
}

static enum cairn_status fake_place(struct cairn_ports *ports, struct cairn_writer *out)
{
    return load(fake_of(ports), &fake_of(ports)->place, out);
}

static void fake_free(struct cairn_ports *ports)
{
    (void)ports;
}

static const struct cairn_ports_ops fake_ops = {
    .now_s = fake_now_s,
    .random = fake_random,
    .key_load = fake_key_load,
    .key_save = fake_key_save,
    .mark_load = fake_mark_load,
    .mark_save = fake_mark_save,
    .place = fake_place,
    .free = fake_free,
};

void fake_ports_init(struct fake_ports *ports, uint64_t seed)
{
    *ports = (struct fake_ports){.base = {&fake_ops}, .now_s = START_S, .calls_until_fault = -1};
    memcpy(ports->seed, &seed, sizeof seed);
    fake_ports_move(ports, seed);
}

void fake_ports_move(struct fake_ports *ports, uint64_t place)
{
    memcpy(ports->place.data, &place, sizeof place);
    ports->place.size = sizeof place;
    ports->place.is_there = true;
}
