/*
 * service.h: what whoever started the server wants to know: systemd through NOTIFY_SOCKET (the
 * protocol of sd_notify(3), a datagram; no library needed), scripts through a ready file. And the
 * passphrase file.
 *
 * Threads: the main one.
 */

#ifndef CAIRN_SERVER_SERVICE_H
#define CAIRN_SERVER_SERVICE_H

#include "cairn/base.h"
#include "cairn/bytes.h"

/* Send `state` ("READY=1"). Without NOTIFY_SOCKET nothing happens; failures change nothing. */
void service_notify(const char *state);

/* Write the address and a line feed to `path`, whole or not at all. IO. */
CAIRN_NODISCARD
enum cairn_status service_ready_file(const char *path, const char *address, struct cairn_err *err);

enum { SERVICE_PASSPHRASE_BYTES_MAX = 1024 };
struct service_passphrase {
    uint8_t bytes[SERVICE_PASSPHRASE_BYTES_MAX + 2]; /* and a line ending */
    size_t size;                                     /* 0: the file is empty, there is none */
};
/*
 * Read the passphrase: the file's first line, as the cairn command takes it. IO: cannot read;
 * BAD_INPUT: it is longer than a passphrase may be. Wipe it with service_passphrase_wipe.
 */
CAIRN_NODISCARD
enum cairn_status service_passphrase_read(const char *path,
                                          struct service_passphrase *out_passphrase,
                                          struct cairn_err *err);
void service_passphrase_wipe(struct service_passphrase *passphrase);

#endif
