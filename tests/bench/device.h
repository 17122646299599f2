/*
 * device.h: a replica of the bench's network with a clock that the workload sets.
 *
 * Stations whose own disk is not what a figure measures keep their store in memory; the others, and
 * every server, lie in a folder, with this machine's ports under the clock.
 *
 * Memory:  a device owns its replica, store and ports; device_close, also of a zeroed one.
 * Threads: one at a time per device.
 */

#ifndef CAIRN_BENCH_DEVICE_H
#define CAIRN_BENCH_DEVICE_H

#include "cairn/replica.h"
#include "workload.h"

struct device_ports;

struct device {
    struct device_ports *ports;
    struct cairn_store *store;
    struct cairn_replica *replica;
    uint64_t
        edit_count; /* edits that changed something: one that sets what is there writes nothing */
};

/* A new device, of a network of its own when `is_root`. `path` NULL: in memory. */
CAIRN_NODISCARD
enum cairn_status device_init(struct device *out_device, const char *path, const char *name,
                              bool is_root, struct cairn_err *err);
void device_close(struct device *device);
void device_set_clock(struct device *device, uint64_t now_s);

/* `root` grants, `device` joins. The server gets the whole scope, a station its village. */
CAIRN_NODISCARD
enum cairn_status device_join_server(struct device *root, struct device *device,
                                     struct cairn_err *err);
CAIRN_NODISCARD
enum cairn_status device_join_station(struct device *root, struct device *device, unsigned village,
                                      const char *tag, struct cairn_err *err);

/* Which label a household of the workload got. */
struct households {
    struct household {
        char household[WORKLOAD_HOUSEHOLD_BYTES];
        char id[32];
    } * items;
    size_t count;
};
const struct household *households_find(const struct households *households, const char *household);
void households_release(struct households *households);

/* Create `count` (at most VILLAGE_HOUSEHOLDS) households in one commit, as an import does. */
CAIRN_NODISCARD
enum cairn_status device_create(struct device *device, const struct operation *operations,
                                size_t count, struct households *households, struct cairn_err *err);
/* One edit, one commit, at its own time. */
CAIRN_NODISCARD
enum cairn_status device_edit(struct device *device, const struct operation *operation,
                              const struct households *households, struct cairn_err *err);

#endif
