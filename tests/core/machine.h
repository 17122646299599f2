/*
 * machine.h: whole replicas in one process, each on a memory store that can fail and on ports in
 * memory; and how they meet.
 *
 * Memory:  the caller's; machine_free() closes replica and store.
 * Effects: fails the running cmocka test.
 */

#ifndef CAIRN_TESTS_MACHINE_H
#define CAIRN_TESTS_MACHINE_H

#include "cairn/replica.h"
#include "fake_ports.h"
#include "pen.h"
#include "store_fault.h"

struct machine {
    struct store_fault store;
    struct fake_ports ports;
    struct cairn_replica *replica; /* NULL while it is off */
    struct cairn_err err;
};
struct block {
    uint8_t *data;
    size_t size;
};

#define machine_must(machine, call)                                                          \
    do {                                                                                     \
        enum cairn_status must_ = (call);                                                    \
        if (must_ != CAIRN_OK)                                                               \
            fail_msg("%s: %s \"%s\"", #call, cairn_status_name(must_), (machine)->err.text); \
    } while (0)

/* The call was refused so, with that sentence, and wrote nothing. */
#define machine_expect_refused(machine, call, expected, sentence)               \
    do {                                                                        \
        struct cairn_hash before_ = machine_disk_hash(machine);                 \
        (machine)->err.text[0] = '\0';                                          \
        assert_int_equal((call), (expected));                                   \
        assert_string_equal((machine)->err.text, (sentence));                   \
        struct cairn_hash after_ = machine_disk_hash(machine);                  \
        assert_memory_equal(before_.bytes, after_.bytes, sizeof before_.bytes); \
    } while (0)

void machine_init(struct machine *machine, uint64_t seed, const char *name, const char *root_scope);
/* The same under a schema table of the test's; empty: the default one. */
void machine_init_with(struct machine *machine, uint64_t seed, const char *name,
                       const char *root_scope, struct cairn_bytes schema);
void machine_free(struct machine *machine);
/* Off and on again. */
void machine_off(struct machine *machine);
enum cairn_status machine_on(struct machine *machine);
/* A copy of the disk in memory; and a disk put in the place of another (machine must be off). */
struct cairn_store *machine_disk_copy(struct machine *machine);
/* SHA-256 over all keys and values. */
struct cairn_hash machine_disk_hash(struct machine *machine);
void machine_disk_put(struct machine *machine, struct cairn_store *disk);

struct block machine_request(struct machine *machine);
/* An invitation that `above` writes for `machine`. */
enum cairn_status machine_invite(struct machine *machine, struct machine *above, const char *role,
                                 const char *scope, const char *tag, struct block *out_invitation);
void machine_join(struct machine *machine, struct machine *above, const char *role,
                  const char *scope, const char *tag);

enum cairn_status machine_create(struct machine *machine, const char *head, char out_id[static 32]);
enum cairn_status machine_set(struct machine *machine, const char *id, const char *field,
                              const char *value);
struct block machine_bundle(struct machine *machine);
/* A writer of bundles; its context is a block, begun as {NULL, 0}. */
bool machine_block_add(void *context, struct cairn_bytes bytes);
enum cairn_status machine_read(struct machine *machine, struct block bundle);
/* One exchange after the other until nothing waits. */
void machine_sync(struct machine *machine, struct machine *server);
struct block machine_answer(struct machine *server, struct cairn_bytes request);
struct cairn_status_report machine_status(struct machine *machine);
/* Take in what pens wrote, from piece `first` on, past the facade. */
void machine_take(struct machine *machine, const struct pieces *pieces, size_t first);

#endif
