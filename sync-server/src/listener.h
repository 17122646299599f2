/*
 * listener.h: the listening socket. All nn_* calls of the server are in listener.c.
 *
 * The socket is a raw REP: a message is a body and the route back to its sender, and may be
 * answered from any thread, in any order, or not at all. The routing hides nothing from the peer
 * and proves nothing about it; who asks is found inside the body.
 *
 * Only tcp. nanomsg's WebSocket listener can be killed by one packet from a stranger.
 *
 * Memory:  a listener holds at most one message that found no room; nanomsg holds one a connection.
 * Threads: listener_run in one thread; listener_reply, listener_resume and listener_stop in any.
 * Effects: sockets.
 */

#ifndef CAIRN_SERVER_LISTENER_H
#define CAIRN_SERVER_LISTENER_H

#include <stdint.h>

#include "cairn/base.h"
#include "cairn/bytes.h"

enum { LISTENER_MESSAGE_BYTES_MAX = 65535 }; /* a Noise message */

struct listener;

/* A request that came in. Whoever holds it answers or drops it, once. */
struct listener_message {
    struct cairn_bytes body;
    void *route; /* nanomsg's own */
};

/*
 * Takes the message and returns true; or has no room for it and returns false: the listener then
 * keeps it and reads nothing more until listener_resume. Senders wait meanwhile, and as nanomsg
 * takes from each connection in turn, one that floods does not crowd out the others.
 */
typedef bool listener_handle_fn(void *context, const struct listener_message *message);

struct listener_events {
    listener_handle_fn *handle;
    /* watch_fd became readable. */
    void (*watch)(void *context);
    int watch_fd;
    /* At least once every tick_ms. */
    void (*tick)(void *context);
    int tick_ms;
    void *context;
};

/* BAD_INPUT as listener_open would say it, touching nothing. */
CAIRN_NODISCARD
enum cairn_status listener_check_address(const char *address, struct cairn_err *err);
/*
 * Listen on tcp://HOST:PORT: HOST an IP literal (IPv6 in brackets), an interface name or "*"; port
 * 0 picks a free one. BAD_INPUT: err says what the address should look like. IO: the address is
 * taken or not of this machine. NO_MEMORY.
 */
CAIRN_NODISCARD
enum cairn_status listener_open(const char *address, struct listener **out_listener,
                                struct cairn_err *err);
/* The address with its real port; borrowed as long as the listener. */
const char *listener_address(const struct listener *listener);
/* Run until listener_stop. IO: the socket or poll(2) failed. */
CAIRN_NODISCARD
enum cairn_status listener_run(struct listener *listener, const struct listener_events *events,
                               struct cairn_err *err);
void listener_resume(struct listener *listener);
void listener_stop(struct listener *listener);

/* Answer and release the message. A peer that has left gets nothing and will ask again; so it is
 * when memory is short: false, for the counters. */
bool listener_reply(struct listener *listener, const struct listener_message *message,
                    struct cairn_bytes reply);
/* Release without an answer. */
void listener_drop(const struct listener_message *message);

/* No message may be held by others any more. NULL is allowed. */
void listener_close(struct listener *listener);

#endif
