/*
 * Writes the first inputs of the targets that work on whole replicas, and those of statements and
 * schemas: net_seed FOLDER, the folder corpus. Run by hand when a format is new.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bundle_in.h"
#include "cairn/cbor.h"
#include "cairn/checkpoint.h"
#include "cairn/seal.h"
#include "fuzz_net.h"
#include "pack.h"
#include "replica_internal.h"
#include "schema.h"

static const char *folder;

static void file_write(const char *target, const char *name, struct cairn_bytes head,
                       struct cairn_bytes bytes)
{
    char path[4096];

    CAIRN_ASSERT(snprintf(path, sizeof path, "%s/%s/%s", folder, target, name) < (int)sizeof path);
    FILE *file = fopen(path, "wb");
    CAIRN_ASSERT(file != NULL);
    CAIRN_ASSERT(fwrite(head.data, 1, head.size, file) == head.size);
    CAIRN_ASSERT(fwrite(bytes.data, 1, bytes.size, file) == bytes.size);
    CAIRN_ASSERT(fclose(file) == 0);
}

static const struct cairn_bytes no_head = {(const uint8_t *)"", 0};

static void statement_write(const char *name, uint8_t kind, struct cairn_bytes bytes)
{
    file_write("statement", name, (struct cairn_bytes){&kind, 1}, bytes);
}

/* ---- statements ---- */

static void statements(void)
{
    const struct fuzz_net *net = fuzz_net();
    uint8_t bytes[8192];
    struct cairn_writer writer;
    struct net_node station;
    struct cairn_sign_public key;
    const struct cairn_cose_sign1 sign1 = {.payload = cairn_bytes_of_text("payload")};
    struct cairn_checkpoint checkpoint = {.scope = {513332}, .epoch = 1, .size = 3, .time_s = 9};
    struct cairn_signature signature = {{1}};

    statement_write("root", 0, net_bytes(net->root_statement));
    fuzz_node_copy(&net->stations[0], &station);
    cairn_writer_init(&writer, bytes, sizeof bytes);
    net_must(cairn_request_export(station.replica, &writer, &net_err));
    statement_write("request", 1, cairn_writer_bytes(&writer));
    statement_write("keys", 4,
                    (struct cairn_bytes){station.ports.key.data, station.ports.key.size});
    net_node_close(&station);
    memset(&key, 0x42, sizeof key);
    checkpoint.held_count = 1;
    checkpoint.held[0].size = 5;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_note_write(&writer, &checkpoint, &key, &signature);
    statement_write("note", 2, cairn_writer_bytes(&writer));
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_cose_sign1_write(&writer, &sign1);
    statement_write("cose", 3, cairn_writer_bytes(&writer));
}

static void schemas(void)
{
    uint8_t table[CAIRN_SCHEMA_TABLE_MAX], head[2];
    static const char *const typed[] = {"4150", "扎西", "2020-12-03", "110010", "已脱贫", "-1"};
    struct cairn_writer writer;
    char name[32];

    cairn_writer_init(&writer, table, sizeof table - 64);
    cairn_schema_default_write(&writer);
    size_t size = writer.size;
    head[0] = (uint8_t)(size >> 8);
    head[1] = (uint8_t)size;
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        memcpy(table + size, typed[i], strlen(typed[i]));
        snprintf(name, sizeof name, "default_%zu", i);
        file_write("value", name, (struct cairn_bytes){head, 2},
                   (struct cairn_bytes){table, size + strlen(typed[i])});
    }
}

/* ---- payloads: plain, packed, and packed with a size that is not the real one ---- */

/* Makes the size that a packed payload states one larger (RFC 8878, section 3.1.1.1). */
static void size_spoil(uint8_t *payload)
{
    const size_t header_at = 5; /* behind the form and the magic number */
    bool is_single = (payload[header_at] & 0x20) != 0;

    payload[header_at + (is_single ? 1 : 2)]++; /* one segment has no byte for its window */
}

static void payload_write(const char *target, const char *name, struct cairn_bytes plain,
                          struct cairn_packer *packer)
{
    const uint8_t form = 0;
    struct cairn_buffer out;
    char other[64];

    file_write(target, name, (struct cairn_bytes){&form, 1}, plain);
    cairn_buffer_init(&out, 1u << 20);
    net_must(cairn_payload_pack(packer, CAIRN_PAYLOAD_TRAVELS, plain, &out));
    if (out.data[0] != form) {
        snprintf(other, sizeof other, "%s_packed", name);
        file_write(target, other, no_head, (struct cairn_bytes){out.data, out.size});
        size_spoil(out.data);
        snprintf(other, sizeof other, "%s_untrue_size", name);
        file_write(target, other, no_head, (struct cairn_bytes){out.data, out.size});
    }
    cairn_buffer_release(&out);
}

/* ---- messages: read by somebody who has the keys ---- */

static struct cairn_bytes plain_of(struct cairn_noise *noise, struct cairn_bytes message,
                                   struct cairn_packer *packer, struct cairn_arena *arena)
{
    uint8_t *payload = cairn_arena_get(arena, message.size + 1);
    struct cairn_writer writer;
    struct cairn_bytes plain;

    CAIRN_ASSERT(payload != NULL);
    cairn_writer_init(&writer, payload, message.size + 1);
    net_must(cairn_noise_read(noise, message, &writer));
    net_must(cairn_payload_unpack(packer, arena, cairn_writer_bytes(&writer), &plain));
    return plain;
}

/* The same request once more in a session of our own, whose answer we can read. */
static void exchange_write(struct net_node *server, struct net_node *station,
                           struct cairn_bytes plain, struct cairn_packer *packer,
                           struct cairn_arena *arena, const char *name)
{
    uint8_t prologue[CAIRN_PROLOGUE_BYTES];
    struct cairn_noise_key ephemeral = {{5}};
    struct cairn_noise noise;
    const struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                              .is_initiator = true,
                                              .prologue = {prologue, sizeof prologue},
                                              .static_secret = &station->replica->keys.noise,
                                              .remote_static = &server->replica->keys.open.noise,
                                              .ephemeral_secret = &ephemeral};
    uint8_t *payload = cairn_arena_get(arena, plain.size + 1);
    uint8_t *message = cairn_arena_get(arena, plain.size + 256);
    struct cairn_writer writer;

    CAIRN_ASSERT(payload != NULL && message != NULL);
    payload[0] = 0;
    memcpy(payload + 1, plain.data, plain.size);
    cairn_prologue(&station->replica->ctx.network, prologue);
    cairn_noise_init(&noise, &config);
    cairn_writer_init(&writer, message, plain.size + 256);
    net_must(cairn_noise_write(&noise, (struct cairn_bytes){payload, plain.size + 1}, &writer));
    struct net_bytes reply = net_answer(server, net_copy(cairn_writer_bytes(&writer)));
    payload_write("reply", name, plain_of(&noise, net_bytes(reply), packer, arena), packer);
    free(reply.data);
    cairn_noise_release(&noise);
}

enum { MANY = 2 }; /* behind the two stations, the first with more to say */

static void messages(void)
{
    const struct fuzz_net *net = fuzz_net();
    struct cairn_packer *packer = cairn_packer_new();
    struct cairn_arena arena;
    uint8_t prologue[CAIRN_PROLOGUE_BYTES];
    struct cairn_noise_key ephemeral = {{6}};
    struct cairn_noise noise;
    char name[32];

    cairn_arena_init(&arena);
    for (int i = 0; i <= MANY; i++) {
        struct net_node server, station;
        fuzz_node_copy(&net->net.server, &server);
        fuzz_node_copy(&net->stations[i % MANY], &station);
        if (i == MANY)
            net_put_many(&station, NET_VILLAGE, 20); /* worth packing */
        else
            net_put(&station, NET_VILLAGE, "次仁", NULL);
        const struct cairn_noise_config config = {.pattern = CAIRN_NOISE_IK,
                                                  .prologue = {prologue, sizeof prologue},
                                                  .static_secret = &server.replica->keys.noise,
                                                  .ephemeral_secret = &ephemeral};
        net_must(cairn_sync_begin(station.replica, &net_err));
        struct net_bytes request = net_request(&station);
        cairn_prologue(&server.replica->ctx.network, prologue);
        cairn_noise_init(&noise, &config);
        struct cairn_bytes plain = plain_of(&noise, net_bytes(request), packer, &arena);
        snprintf(name, sizeof name, "station_%d", i);
        payload_write("request", name, plain, packer);
        exchange_write(&server, &station, plain, packer, &arena, name);
        cairn_noise_release(&noise);
        free(request.data);
        net_node_close(&station);
        net_node_close(&server);
    }
    cairn_arena_release(&arena);
    cairn_packer_free(packer);
}

/* ---- a bundle's parts, unpacked and as they are ---- */

/* As they are, but that the first packed one states another size. */
static void parts_write(const char *name, struct cairn_reader reader, bool is_spoiled)
{
    uint8_t *input = malloc(reader.size + 65536);
    struct cairn_writer writer;
    bool is_done = !is_spoiled;

    CAIRN_ASSERT(input != NULL);
    cairn_writer_init(&writer, input, reader.size + 65536);
    for (;;) {
        struct cairn_bytes part = cairn_cbor_read_bytes(&reader);
        if (part.size == 0)
            break;
        cairn_write_u16be(&writer, (uint16_t)part.size);
        cairn_write_bytes(&writer, part.data, part.size);
        if (!is_done && part.data[0] != 0) {
            size_spoil(input + writer.size - part.size);
            is_done = true;
        }
    }
    CAIRN_ASSERT(is_done);
    file_write("bundle", name, no_head, cairn_writer_bytes(&writer));
    free(input);
}

static void bundles(void)
{
    const uint8_t whole = 255;
    struct net_node server;
    struct cairn_bundle_header header;
    struct cairn_packer *packer = cairn_packer_new();
    struct cairn_arena arena;
    struct cairn_reader reader;
    uint8_t *input;
    struct cairn_writer writer;

    fuzz_node_copy(&fuzz_net()->net.server, &server);
    struct net_bytes bundle = net_bundle(&server, true);
    net_node_close(&server);
    file_write("bundle", "whole", (struct cairn_bytes){&whole, 1}, net_bytes(bundle));
    net_must(cairn_bundle_header_read(net_bytes(bundle), &header));
    cairn_arena_init(&arena);
    input = malloc(bundle.size * 20 + 65536);
    CAIRN_ASSERT(input != NULL);
    cairn_writer_init(&writer, input, bundle.size * 20 + 65536);
    cairn_reader_init(&reader, net_bytes(bundle));
    reader.pos = header.header_bytes;
    parts_write("parts_packed", reader, false);
    parts_write("parts_untrue_size", reader, true);
    for (;;) {
        struct cairn_bytes plain, part = cairn_cbor_read_bytes(&reader);
        if (part.size == 0)
            break;
        net_must(cairn_payload_unpack(packer, &arena, part, &plain));
        cairn_write_u16be(&writer, (uint16_t)(plain.size + 1));
        cairn_write_u8(&writer, 0); /* not packed */
        cairn_write_bytes(&writer, plain.data, plain.size);
    }
    file_write("bundle", "parts", no_head, cairn_writer_bytes(&writer));
    cairn_arena_release(&arena);
    cairn_packer_free(packer);
    free(input);
    free(bundle.data);
}

/* ---- entries: all that the bundle holds ---- */

static void entries_of(struct cairn_list groups, struct cairn_group *group, unsigned *count)
{
    struct cairn_run run;

    while (cairn_group_next(&groups, group)) {
        struct cairn_list runs = group->runs;
        while (cairn_run_next(&runs, &run)) {
            struct cairn_reader reader;
            cairn_reader_init(&reader, run.entries);
            for (uint32_t i = 0; i < run.entry_count; i++) {
                char name[32];
                snprintf(name, sizeof name, "net_%02u", (*count)++);
                file_write("entry", name, no_head, cairn_cbor_skip(&reader));
            }
        }
    }
}

static void entries(void)
{
    struct net_node server;
    struct cairn_bundle_header header;
    struct cairn_bundle_part part;
    struct cairn_parts parts;
    struct cairn_packer *packer = cairn_packer_new();
    struct cairn_group *group = malloc(sizeof *group);
    unsigned count = 0;

    CAIRN_ASSERT(packer != NULL && group != NULL);
    fuzz_node_copy(&fuzz_net()->net.server, &server);
    struct net_bytes bundle = net_bundle(&server, true);
    net_node_close(&server);
    net_must(cairn_bundle_header_read(net_bytes(bundle), &header));
    cairn_parts_init(&parts, net_bytes(bundle), &header, NULL);
    while (cairn_parts_next(&parts, packer, &part) == CAIRN_OK)
        entries_of(part.groups, group, &count);
    cairn_parts_release(&parts);
    cairn_packer_free(packer);
    free(group);
    free(bundle.data);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: net_seed FOLDER\n", stderr);
        return 1;
    }
    folder = argv[1];
    statements();
    schemas();
    messages();
    bundles();
    entries();
    return 0;
}
