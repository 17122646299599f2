#include "transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
    MESSAGE_BYTES_MAX = 65535, /* a Noise message */
    REQUEST_ID_BYTES = 4,
    RECONNECT_MS = 200,
    RECONNECT_MS_MAX = 10000,
    TICK_MS = 1000,
    SEND_AGAIN_MAX = 8, /* a server that takes requests and answers none must not be fed for ever */
    FD_SCAN_MAX = 256,  /* this program holds a dozen descriptors */
    /* What a greeting and a SYN move in each direction on every connection: no sign of an answer.
     */
    GREETING_BYTES = 10,
    IP_TEXT_BYTES = 48,
};

/* A raw REQ socket takes the request id as an SP_HDR control message; nanomsg reads this layout. */
struct request_control {
    struct nn_cmsghdr header;
    size_t id_bytes;
    uint8_t id[REQUEST_ID_BYTES];
    uint8_t padding[4];
};

struct transport {
    int socket;
    struct sockaddr_storage peer;
    char address[IP_TEXT_BYTES + 16];
    void *reply; /* nanomsg's own buffer, or NULL */
    uint8_t request_id[REQUEST_ID_BYTES];
    transport_progress_fn *progress;
    void *progress_context;
};

/* Bytes that the kernel has seen acknowledged and received on a connection, greetings left out. */
struct moved {
    uint64_t sent_bytes, received_bytes;
};

/* One exchange under way. Times are of the monotonic clock. */
struct exchange {
    struct cairn_bytes message;
    int64_t idle_max_ms;
    int64_t last_byte_ms;
    int64_t sent_ms;
    struct moved moved;       /* on this connection, as last seen */
    uint64_t moved_bytes_all; /* over all connections of this exchange */
    uint64_t broken_count;    /* connections lost before the request went out */
    unsigned send_count;
    bool is_sent;
    bool is_repeated; /* sent again into silence: that these bytes move says nothing */
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- addresses ----------------------------------------------------------------------------- */

static enum cairn_status address_fail(const char *address, struct cairn_err *err)
{
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      "a server address needs an IP address and a port, not %s: "
                      "try tcp://127.0.0.1:7340",
                      address);
}

/* "7340" alone: digits, 1 to 65,535. */
static bool port_parse(const char *text, uint16_t *out_port)
{
    unsigned port = 0;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    if (port == 0 || port > 65535)
        return false;
    *out_port = (uint16_t)port;
    return true;
}

static bool peer_set(struct sockaddr_storage *peer, const char *host, bool is_ipv6, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(peer, 0, sizeof *peer);
    if (is_ipv6) {
        if (inet_pton(AF_INET6, host, &v6.sin6_addr) != 1)
            return false;
        memcpy(peer, &v6, sizeof v6);
        return true;
    }
    if (inet_pton(AF_INET, host, &v4.sin_addr) != 1)
        return false;
    memcpy(peer, &v4, sizeof v4);
    return true;
}

static enum cairn_status address_parse(struct transport *transport, const char *address,
                                       struct cairn_err *err)
{
    static const char scheme[] = "tcp://";
    char host[IP_TEXT_BYTES];
    uint16_t port;

    if (strncmp(address, scheme, sizeof scheme - 1) != 0)
        return address_fail(address, err);
    const char *begin = address + sizeof scheme - 1;
    const char *colon = strrchr(begin, ':');
    if (colon == NULL || !port_parse(colon + 1, &port))
        return address_fail(address, err);

    size_t host_bytes = (size_t)(colon - begin);
    bool is_ipv6 = host_bytes > 2 && begin[0] == '[' && colon[-1] == ']';
    if (is_ipv6) {
        begin++;
        host_bytes -= 2;
    }
    if (host_bytes >= sizeof host)
        return address_fail(address, err);
    memcpy(host, begin, host_bytes);
    host[host_bytes] = '\0';
    if (!peer_set(&transport->peer, host, is_ipv6, port))
        return address_fail(address, err);
    snprintf(transport->address, sizeof transport->address,
             is_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u", host, (unsigned)port);
    return CAIRN_OK;
}

enum cairn_status transport_check_address(const char *address, struct cairn_err *err)
{
    static const char *const any[] = {"tcp://0.0.0.0:", "tcp://[::]:"};
    struct transport parsed = {.socket = -1};

    enum cairn_status status = address_parse(&parsed, address, err);
    if (status != CAIRN_OK)
        return status;
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        if (strncmp(parsed.address, any[i], strlen(any[i])) == 0)
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              "%s stands for every address of a machine: give the one at which "
                              "devices reach the server",
                              address);
    return CAIRN_OK;
}

/* ---- open and close ------------------------------------------------------------------------ */

static bool option_set(int socket, int option, int value)
{
    return nn_setsockopt(socket, NN_SOL_SOCKET, option, &value, sizeof value) == 0;
}

static enum cairn_status socket_open(struct transport *transport, struct cairn_err *err)
{
    transport->socket = nn_socket(AF_SP_RAW, NN_REQ);
    if (transport->socket < 0)
        return cairn_fail(err, CAIRN_IO, "no socket to reach %s: %s", transport->address,
                          nn_strerror(nn_errno()));
    if (!option_set(transport->socket, NN_RCVMAXSIZE, MESSAGE_BYTES_MAX + REQUEST_ID_BYTES) ||
        !option_set(transport->socket, NN_RECONNECT_IVL, RECONNECT_MS) ||
        !option_set(transport->socket, NN_RECONNECT_IVL_MAX, RECONNECT_MS_MAX) ||
        !option_set(transport->socket, NN_IPV4ONLY, transport->peer.ss_family == AF_INET) ||
        nn_connect(transport->socket, transport->address) < 0)
        return cairn_fail(err, CAIRN_IO, "cannot connect to %s: %s", transport->address,
                          nn_strerror(nn_errno()));
    return CAIRN_OK;
}

enum cairn_status transport_open(const char *address, struct transport **out_transport,
                                 struct cairn_err *err)
{
    if (sodium_init() < 0)
        return cairn_fail(err, CAIRN_IO, "libsodium does not start");
    struct transport *transport = calloc(1, sizeof *transport);
    if (transport == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    transport->socket = -1;

    enum cairn_status status = address_parse(transport, address, err);
    if (status == CAIRN_OK)
        status = socket_open(transport, err);
    if (status != CAIRN_OK) {
        transport_close(transport);
        return status;
    }
    *out_transport = transport;
    return CAIRN_OK;
}

void transport_set_progress(struct transport *transport, transport_progress_fn *progress,
                            void *context)
{
    transport->progress = progress;
    transport->progress_context = context;
}

static void reply_release(struct transport *transport)
{
    if (transport->reply != NULL)
        nn_freemsg(transport->reply);
    transport->reply = NULL;
}

bool transport_is_connected(const struct transport *transport)
{
    return nn_get_statistic(transport->socket, NN_STAT_CURRENT_CONNECTIONS) > 0;
}

void transport_close(struct transport *transport)
{
    if (transport == NULL)
        return;
    reply_release(transport);
    if (transport->socket >= 0)
        nn_close(transport->socket);
    free(transport);
}

/* ---- what moves on the wire ---------------------------------------------------------------- */

static bool is_peer(const struct transport *transport, int fd)
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 ||
        peer.ss_family != transport->peer.ss_family)
        return false;
    if (peer.ss_family == AF_INET)
        return memcmp(&peer, &transport->peer, offsetof(struct sockaddr_in, sin_zero)) == 0;
    return memcmp(&peer, &transport->peer, offsetof(struct sockaddr_in6, sin6_scope_id)) == 0;
}

static uint64_t beyond_greeting(uint64_t bytes)
{
    return bytes > GREETING_BYTES ? bytes - GREETING_BYTES : 0;
}

/*
 * What has moved on the connection to the server; zeros when there is none. nanomsg tells only of
 * whole messages, and a whole message takes longer than the idle limit on a slow link; so the
 * descriptors of this process are asked which of them leads to the server.
 */
static struct moved connection_moved(const struct transport *transport)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    for (int fd = 0; fd < FD_SCAN_MAX; fd++) {
        if (!is_peer(transport, fd) || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
            continue;
        return (struct moved){
            .sent_bytes = beyond_greeting(info.tcpi_bytes_acked),
            .received_bytes = beyond_greeting(info.tcpi_bytes_received),
        };
    }
    return (struct moved){0};
}

static void exchange_look(const struct transport *transport, struct exchange *exchange, int64_t now)
{
    const struct moved before = exchange->moved;
    const struct moved after = connection_moved(transport);
    uint64_t sent = after.sent_bytes > before.sent_bytes ? after.sent_bytes - before.sent_bytes : 0;
    uint64_t received = after.received_bytes > before.received_bytes
                            ? after.received_bytes - before.received_bytes
                            : 0;

    if (received > 0 || (sent > 0 && !exchange->is_repeated))
        exchange->last_byte_ms = now;
    exchange->moved_bytes_all += sent + received;
    exchange->moved = after;
}

/* ---- one exchange -------------------------------------------------------------------------- */

static uint64_t broken_count(const struct transport *transport)
{
    return nn_get_statistic(transport->socket, NN_STAT_BROKEN_CONNECTIONS);
}

/* Hand the request to nanomsg if a connection can take it now; else nothing happened yet. */
static enum cairn_status request_send(struct transport *transport, struct exchange *exchange,
                                      int64_t now, struct cairn_err *err)
{
    struct request_control control = {
        .header = {.cmsg_len = offsetof(struct request_control, padding),
                   .cmsg_level = PROTO_SP,
                   .cmsg_type = SP_HDR},
        .id_bytes = REQUEST_ID_BYTES,
    };
    struct nn_iovec part;
    struct nn_msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    void *body = nn_allocmsg(exchange->message.size, 0);

    if (body == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    memcpy(body, exchange->message.data, exchange->message.size);
    memcpy(control.id, transport->request_id, sizeof control.id);
    part = (struct nn_iovec){.iov_base = &body, .iov_len = NN_MSG};

    exchange->broken_count = broken_count(transport);
    if (nn_sendmsg(transport->socket, &header, NN_DONTWAIT) >= 0) {
        exchange->is_sent = true;
        exchange->sent_ms = now;
        exchange->send_count++;
        return CAIRN_OK;
    }
    int error = nn_errno();
    nn_freemsg(body);
    if (error == EAGAIN || error == EINTR)
        return CAIRN_OK;
    return cairn_fail(err, CAIRN_IO, "cannot send to %s: %s", transport->address,
                      nn_strerror(error));
}

/* Take what has arrived. An answer to an earlier request is dropped. */
static enum cairn_status reply_take(struct transport *transport, struct cairn_bytes *out_reply,
                                    bool *out_is_done, struct cairn_err *err)
{
    struct request_control control = {0};
    void *body = NULL;
    struct nn_iovec part = {.iov_base = &body, .iov_len = NN_MSG};
    struct nn_msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    int size = nn_recvmsg(transport->socket, &header, NN_DONTWAIT);

    if (size < 0) {
        if (nn_errno() == EAGAIN || nn_errno() == EINTR)
            return CAIRN_OK;
        return cairn_fail(err, CAIRN_IO, "cannot receive from %s: %s", transport->address,
                          nn_strerror(nn_errno()));
    }
    if (control.header.cmsg_type != SP_HDR || control.id_bytes != REQUEST_ID_BYTES ||
        memcmp(control.id, transport->request_id, REQUEST_ID_BYTES) != 0) {
        nn_freemsg(body);
        return CAIRN_OK;
    }
    transport->reply = body;
    *out_reply = (struct cairn_bytes){.data = body, .size = (size_t)size};
    *out_is_done = true;
    return CAIRN_OK;
}

/* The request goes out again when its connection broke, or when the server may have dropped it
 * unread. */
static void send_again_if_lost(const struct transport *transport, struct exchange *exchange,
                               int64_t now)
{
    int64_t quiet_since =
        exchange->last_byte_ms > exchange->sent_ms ? exchange->last_byte_ms : exchange->sent_ms;

    if (!exchange->is_sent || exchange->send_count >= SEND_AGAIN_MAX)
        return;
    if (broken_count(transport) != exchange->broken_count) {
        exchange->is_sent = false;
        exchange->is_repeated = false;
    } else if (now - quiet_since >= exchange->idle_max_ms / 3 + 1) {
        exchange->is_sent = false;
        exchange->is_repeated = true;
    }
}

/* Wait until something can be done, at most a tick. */
static void exchange_wait(const struct transport *transport, const struct exchange *exchange,
                          int64_t now)
{
    int64_t left_ms = exchange->last_byte_ms + exchange->idle_max_ms - now;
    struct nn_pollfd poll = {
        .fd = transport->socket,
        .events = (short)(exchange->is_sent ? NN_POLLIN : NN_POLLIN | NN_POLLOUT),
    };
    int wait_ms = left_ms < TICK_MS ? (int)left_ms : TICK_MS;

    nn_poll(&poll, 1, wait_ms > 0 ? wait_ms : 0);
}

static bool is_given_up(const struct transport *transport, const struct exchange *exchange,
                        int64_t now)
{
    int64_t idle_ms = now - exchange->last_byte_ms;

    if (idle_ms >= exchange->idle_max_ms)
        return true;
    return transport->progress != NULL &&
           !transport->progress(transport->progress_context, (unsigned)(idle_ms / 1000),
                                exchange->moved_bytes_all);
}

static enum cairn_status exchange_run(struct transport *transport, struct exchange *exchange,
                                      struct cairn_bytes *out_reply, struct cairn_err *err)
{
    int64_t looked_ms = now_ms();

    for (;;) {
        enum cairn_status status = CAIRN_OK;
        bool is_done = false;
        int64_t now = now_ms();

        if (!exchange->is_sent)
            status = request_send(transport, exchange, now, err);
        if (status == CAIRN_OK)
            status = reply_take(transport, out_reply, &is_done, err);
        if (status != CAIRN_OK || is_done)
            return status;
        exchange_wait(transport, exchange, now);

        now = now_ms();
        if (now - looked_ms < TICK_MS && now - exchange->last_byte_ms < exchange->idle_max_ms)
            continue;
        looked_ms = now;
        exchange_look(transport, exchange, now);
        if (is_given_up(transport, exchange, now))
            return cairn_fail(err, CAIRN_NO_ANSWER, "no answer from %s in %u s without a byte",
                              transport->address, (unsigned)(exchange->idle_max_ms / 1000));
        send_again_if_lost(transport, exchange, now);
    }
}

enum cairn_status transport_exchange(struct transport *transport, struct cairn_bytes message,
                                     unsigned idle_timeout_s, struct cairn_bytes *out_reply,
                                     struct cairn_err *err)
{
    int64_t now = now_ms();
    struct exchange exchange = {
        .message = message,
        .idle_max_ms = (int64_t)idle_timeout_s * 1000,
        .last_byte_ms = now,
        .moved = connection_moved(transport),
    };

    reply_release(transport);
    if (message.size == 0 || message.size > MESSAGE_BYTES_MAX)
        return cairn_fail(err, CAIRN_LIMIT, "a request has 1 to %d bytes, this one %zu",
                          MESSAGE_BYTES_MAX, message.size);
    /* A random id: an answer that was meant for an earlier run on this address cannot fit. */
    randombytes_buf(transport->request_id, sizeof transport->request_id);
    transport->request_id[0] |= 0x80; /* the bottom of the SP routing stack */
    return exchange_run(transport, &exchange, out_reply, err);
}
