/*
 * transport.h: one open connection to a server, one request and its answer at a time, over nanomsg.
 * All nn_* calls of the `cairn` command are in transport.c.
 *
 * Not for what the bytes mean (cairn_sync_*), nor for sentences about edits that wait: the caller
 * knows those. Requests are idempotent, so the transport may send one more than once.
 *
 * Memory:  one object a connection; an answer is borrowed until the next call on it.
 * Threads: one thread at a time.
 * Effects: sockets, the monotonic clock, randomness; nothing is printed.
 */

#ifndef CAIRN_CLI_TRANSPORT_H
#define CAIRN_CLI_TRANSPORT_H

#include "cairn/base.h"
#include "cairn/bytes.h"

struct transport;

/* Is this an address that clients can be sent to? A grant states it for good. BAD_INPUT. */
CAIRN_NODISCARD
enum cairn_status transport_check_address(const char *address, struct cairn_err *err);
/*
 * Prepare a connection to `address`, tcp://IP:PORT with an IP literal (IPv6 in brackets). Nothing
 * is sent yet: an absent server shows in transport_exchange. BAD_INPUT: err says what the address
 * should look like. NO_MEMORY; IO: this machine gives no more sockets.
 */
CAIRN_NODISCARD
enum cairn_status transport_open(const char *address, struct transport **out_transport,
                                 struct cairn_err *err);

/*
 * Called about once a second while an answer is awaited: seconds since the last byte moved, and
 * bytes moved over this connection so far, both ways. Return false to give up.
 */
typedef bool transport_progress_fn(void *context, unsigned idle_s, uint64_t moved_bytes);
/* NULL: none, as at first. */
void transport_set_progress(struct transport *transport, transport_progress_fn *progress,
                            void *context);

/*
 * Send `message` (1 to 65,535 bytes) and wait for its answer. A request that was lost with its
 * connection, or that saw no byte for a third of the time, is sent again.
 *   NO_ANSWER  idle_timeout_s passed without a byte in either direction, or progress said stop; the
 *              connection stays usable. err: "no answer from ADDRESS in N s without a byte"
 *   LIMIT      the message has a size that no server takes
 *   NO_MEMORY, IO
 */
CAIRN_NODISCARD
enum cairn_status transport_exchange(struct transport *transport, struct cairn_bytes message,
                                     unsigned idle_timeout_s, struct cairn_bytes *out_reply,
                                     struct cairn_err *err);

/* Does a connection to the server stand now? */
bool transport_is_connected(const struct transport *transport);

/* Answers that are still on their way are dropped. NULL is allowed. */
void transport_close(struct transport *transport);

#endif
