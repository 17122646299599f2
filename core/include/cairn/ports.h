/*
 * cairn/ports.h: what core needs from the machine it runs on, besides the store: the time, random
 * bytes, and three small pieces of memory outside the store (key file, high-water mark, machine).
 *
 * Core itself opens no file and reads no clock; cairn_ports_posix_new() is the implementation for a
 * real machine, the simulator brings its own.
 */

#ifndef CAIRN_PORTS_H
#define CAIRN_PORTS_H

#include "cairn/bytes.h"

#define CAIRN_KEY_FILE_MAX 1024
#define CAIRN_MARK_MAX 4096
#define CAIRN_PLACE_MAX 256

struct cairn_ports;

/* All entries are mandatory. */
struct cairn_ports_ops {
    /* Seconds since 1970 as the device has them; may be wrong by years and jump. */
    uint64_t (*now_s)(struct cairn_ports *ports);
    /* Fill `out` with bytes that nobody can predict. Cannot fail. */
    void (*random)(struct cairn_ports *ports, void *out, size_t size);
    /* The device's key file. NOT_FOUND, IO, LIMIT. */
    enum cairn_status (*key_load)(struct cairn_ports *ports, struct cairn_writer *out);
    /* Write-new, sync, rename, sync folder; mode 0600. EXISTS when there is one already: a key is
     * never replaced. NO_SPACE, IO. */
    enum cairn_status (*key_save)(struct cairn_ports *ports, struct cairn_bytes bytes);
    /* The high-water mark, kept outside the store's folder so that a restored copy of the folder
     * does not bring it back too. NOT_FOUND is normal before the first save. */
    enum cairn_status (*mark_load)(struct cairn_ports *ports, struct cairn_writer *out);
    /* Renamed into place; on disk before it returns only when `sync`. */
    enum cairn_status (*mark_save)(struct cairn_ports *ports, struct cairn_bytes bytes, bool sync);
    /* Bytes that name this machine and this folder: another place gives other bytes. */
    enum cairn_status (*place)(struct cairn_ports *ports, struct cairn_writer *out);
    void (*free)(struct cairn_ports *ports);
};
struct cairn_ports {
    const struct cairn_ports_ops *ops;
};

/*
 * This machine's ports for the store in folder `path`: clock_gettime, getrandom, PATH/key,
 * /etc/machine-id with the folder's inode, and the mark in $XDG_STATE_HOME/cairn, else
 * $HOME/.local/state/cairn, else beside the folder as PATH.mark.
 * NO_MEMORY, IO. Freed with ops->free.
 */
CAIRN_NODISCARD
enum cairn_status cairn_ports_posix_new(const char *path, struct cairn_ports **out_ports,
                                        struct cairn_err *err);

#endif
