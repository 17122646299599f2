#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <nanomsg/nn.h>
#include <nanomsg/reqrep.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUTE_BYTES = 4,     /* the request id travels before the body and counts as received */
    BURST_MAX = 64,      /* messages taken before signals are looked at again */
    PROBE_ATTEMPTS = 16, /* another process may take a free port before we do */
    HOST_TEXT_BYTES = 64,
    ADDRESS_TEXT_BYTES = HOST_TEXT_BYTES + 16,
};

struct listener {
    int socket;
    int readable_fd; /* nanomsg's: a message can be taken */
    int wake_fd;
    atomic_bool is_stopping;
    bool has_held;
    struct listener_message held; /* found no room */
    char address[ADDRESS_TEXT_BYTES];
};

struct listen_address {
    char host[HOST_TEXT_BYTES]; /* without brackets */
    bool is_ipv6, is_any;
    uint16_t port;
};

/* ---- address ------------------------------------------------------------------------------- */

static bool port_parse(const char *text, uint16_t *out_port)
{
    unsigned port = 0;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 5 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        port = port * 10 + (unsigned)(text[i] - '0');
    if (port > 65535)
        return false;
    *out_port = (uint16_t)port;
    return true;
}

/* Put an address of interface `name` into `address`: the first IPv4 one, else an IPv6 one that
 * needs no scope. Debian's nanomsg is built without interface names. */
static bool interface_resolve(struct listen_address *address, const char *name)
{
    struct ifaddrs *list = NULL;
    bool has_found = false;

    if (getifaddrs(&list) != 0)
        return false;
    for (const struct ifaddrs *item = list; item != NULL; item = item->ifa_next) {
        int family = item->ifa_addr == NULL ? AF_UNSPEC : item->ifa_addr->sa_family;
        bool is_first = !has_found || (address->is_ipv6 && family == AF_INET);
        socklen_t size =
            family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        char host[HOST_TEXT_BYTES];
        if ((family != AF_INET && family != AF_INET6) || !is_first ||
            strcmp(item->ifa_name, name) != 0 ||
            getnameinfo(item->ifa_addr, size, host, sizeof host, NULL, 0, NI_NUMERICHOST) != 0 ||
            strchr(host, '%') != NULL)
            continue;
        memcpy(address->host, host, sizeof host);
        address->is_ipv6 = family == AF_INET6;
        has_found = true;
    }
    freeifaddrs(list);
    return has_found;
}

static bool host_check(struct listen_address *address, bool has_brackets)
{
    char name[HOST_TEXT_BYTES];
    struct in6_addr any_ip;

    address->is_ipv6 = has_brackets;
    if (has_brackets)
        return inet_pton(AF_INET6, address->host, &any_ip) == 1;
    address->is_any = strcmp(address->host, "*") == 0;
    if (address->is_any || inet_pton(AF_INET, address->host, &any_ip) == 1)
        return true;
    memcpy(name, address->host, sizeof name);
    return interface_resolve(address, name);
}

static enum cairn_status address_parse(const char *text, struct listen_address *out_address,
                                       struct cairn_err *err)
{
    static const char scheme[] = "tcp://";
    struct listen_address address = {0};
    const char *host = text + sizeof scheme - 1;

    if (strncmp(text, scheme, sizeof scheme - 1) != 0)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "--listen speaks tcp only, not %s: try tcp://127.0.0.1:7340", text);
    const char *colon = strrchr(host, ':');
    if (colon == NULL || !port_parse(colon + 1, &address.port))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "--listen needs a port from 0 to 65535, which %s has not: "
                          "try tcp://127.0.0.1:7340",
                          text);
    size_t size = (size_t)(colon - host);
    bool has_brackets = size > 2 && host[0] == '[' && host[size - 1] == ']';
    if (size < sizeof address.host)
        memcpy(address.host, host + has_brackets, has_brackets ? size - 2 : size);
    if (size >= sizeof address.host || !host_check(&address, has_brackets))
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          "--listen needs an IP address or an interface name, not %.*s: "
                          "try tcp://127.0.0.1:%u",
                          (int)size, host, address.port == 0 ? 7340U : address.port);
    *out_address = address;
    return CAIRN_OK;
}

static void address_print(const struct listen_address *address, uint16_t port, char *out_text,
                          size_t size)
{
    snprintf(out_text, size, address->is_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u", address->host,
             (unsigned)port);
}

/* ---- open and close ------------------------------------------------------------------------ */

/* nanomsg cannot say which port it got, so ask the kernel for a free one first; 0: it has none. */
static uint16_t free_port(const struct listen_address *address)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr *name = address->is_ipv6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t size = address->is_ipv6 ? sizeof v6 : sizeof v4;
    uint16_t port = 0;

    if (address->is_ipv6)
        inet_pton(AF_INET6, address->host, &v6.sin6_addr);
    else if (!address->is_any)
        inet_pton(AF_INET, address->host, &v4.sin_addr);
    int fd = socket(name->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    if (bind(fd, name, size) == 0 && getsockname(fd, name, &size) == 0)
        port = ntohs(address->is_ipv6 ? v6.sin6_port : v4.sin_port);
    close(fd);
    return port;
}

static bool option_set(int socket, int option, int value)
{
    return nn_setsockopt(socket, NN_SOL_SOCKET, option, &value, sizeof value) == 0;
}

static bool bind_once(struct listener *listener, const struct listen_address *address,
                      uint16_t port)
{
    address_print(address, port, listener->address, sizeof listener->address);
    if (nn_bind(listener->socket, listener->address) >= 0)
        return true;
    /* "*" means both kinds of address; a machine may have IPv4 only. */
    return address->is_any && nn_errno() != EADDRINUSE &&
           option_set(listener->socket, NN_IPV4ONLY, 1) &&
           nn_bind(listener->socket, listener->address) >= 0;
}

static enum cairn_status listener_bind(struct listener *listener,
                                       const struct listen_address *address, struct cairn_err *err)
{
    int attempts = address->port == 0 ? PROBE_ATTEMPTS : 1;
    int error = EADDRNOTAVAIL;

    while (attempts-- > 0) {
        uint16_t port = address->port == 0 ? free_port(address) : address->port;
        if (port != 0 && bind_once(listener, address, port))
            return CAIRN_OK;
        if (port != 0)
            error = nn_errno();
        if (error != EADDRINUSE)
            break;
    }
    address_print(address, address->port, listener->address, sizeof listener->address);
    if (error == EADDRINUSE)
        return cairn_fail(err, CAIRN_IO, "cannot listen on %s: another process does already",
                          listener->address);
    if (error == EADDRNOTAVAIL)
        return cairn_fail(err, CAIRN_IO, "cannot listen on %s: this machine has no such address",
                          listener->address);
    return cairn_fail(err, CAIRN_IO, "cannot listen on %s: %s", listener->address,
                      nn_strerror(error));
}

static enum cairn_status socket_open(struct listener *listener,
                                     const struct listen_address *address, struct cairn_err *err)
{
    size_t size = sizeof listener->readable_fd;

    listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->wake_fd < 0)
        return cairn_fail(err, CAIRN_IO, "no event descriptor: %s", strerror(errno));
    listener->socket = nn_socket(AF_SP_RAW, NN_REP);
    if (listener->socket < 0)
        return cairn_fail(err, CAIRN_IO, "no socket: %s", nn_strerror(nn_errno()));
    /* The size limit before bind: connections inherit it. Whoever announces more is cut off. */
    if (!option_set(listener->socket, NN_RCVMAXSIZE, LISTENER_MESSAGE_BYTES_MAX + ROUTE_BYTES) ||
        !option_set(listener->socket, NN_IPV4ONLY, !address->is_ipv6 && !address->is_any) ||
        nn_getsockopt(listener->socket, NN_SOL_SOCKET, NN_RCVFD, &listener->readable_fd, &size) !=
            0)
        return cairn_fail(err, CAIRN_IO, "cannot set up the socket: %s", nn_strerror(nn_errno()));
    return listener_bind(listener, address, err);
}

enum cairn_status listener_check_address(const char *address, struct cairn_err *err)
{
    struct listen_address parsed;

    return address_parse(address, &parsed, err);
}

enum cairn_status listener_open(const char *address, struct listener **out_listener,
                                struct cairn_err *err)
{
    struct listen_address parsed;

    enum cairn_status status = address_parse(address, &parsed, err);
    if (status != CAIRN_OK)
        return status;
    struct listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    listener->socket = -1;
    listener->wake_fd = -1;
    atomic_init(&listener->is_stopping, false);

    status = socket_open(listener, &parsed, err);
    if (status != CAIRN_OK) {
        listener_close(listener);
        return status;
    }
    *out_listener = listener;
    return CAIRN_OK;
}

const char *listener_address(const struct listener *listener)
{
    return listener->address;
}

void listener_close(struct listener *listener)
{
    if (listener == NULL)
        return;
    if (listener->has_held)
        listener_drop(&listener->held);
    if (listener->socket >= 0)
        nn_close(listener->socket);
    if (listener->wake_fd >= 0)
        close(listener->wake_fd);
    free(listener);
}

/* ---- messages ------------------------------------------------------------------------------ */

/* Take one message if there is one. IO when the socket is of no use any more. */
static enum cairn_status receive(struct listener *listener, struct listener_message *out_message,
                                 bool *out_has_message, struct cairn_err *err)
{
    void *body = NULL;
    void *route = NULL;
    struct nn_iovec part = {.iov_base = &body, .iov_len = NN_MSG};
    struct nn_msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &route,
        .msg_controllen = NN_MSG,
    };
    int size = nn_recvmsg(listener->socket, &header, NN_DONTWAIT);

    *out_has_message = size >= 0;
    if (size >= 0) {
        *out_message = (struct listener_message){
            .body = {.data = body, .size = (size_t)size},
            .route = route,
        };
        return CAIRN_OK;
    }
    if (nn_errno() == EAGAIN || nn_errno() == EINTR)
        return CAIRN_OK;
    return cairn_fail(err, CAIRN_IO, "cannot receive on %s: %s", listener->address,
                      nn_strerror(nn_errno()));
}

/* The body was nanomsg's before it was borrowed as bytes: the one place where the const
 * comes off. */
static void body_release(const struct listener_message *message)
{
    union {
        const uint8_t *borrowed;
        void *owned;
    } body = {.borrowed = message->body.data};

    nn_freemsg(body.owned);
}

void listener_drop(const struct listener_message *message)
{
    body_release(message);
    nn_freemsg(message->route);
}

bool listener_reply(struct listener *listener, const struct listener_message *message,
                    struct cairn_bytes reply)
{
    /* A fresh body: nanomsg 1.1.5 has trouble with a received one that is sent back. */
    void *body = nn_allocmsg(reply.size, 0);
    void *route = message->route;
    struct nn_iovec part = {.iov_base = &body, .iov_len = NN_MSG};
    struct nn_msghdr header = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = &route,
        .msg_controllen = NN_MSG,
    };

    if (body == NULL) {
        listener_drop(message);
        return false;
    }
    if (reply.size > 0)
        memcpy(body, reply.data, reply.size);
    body_release(message);
    /* A raw REP never waits. It takes the route whatever happens, the body only when it
     * succeeds. */
    if (nn_sendmsg(listener->socket, &header, NN_DONTWAIT) >= 0)
        return true;
    nn_freemsg(body);
    return false;
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void wake(struct listener *listener)
{
    uint64_t one = 1;

    /* A full counter is as good as one more. */
    ssize_t written = write(listener->wake_fd, &one, sizeof one);
    (void)written;
}

void listener_resume(struct listener *listener)
{
    wake(listener);
}

void listener_stop(struct listener *listener)
{
    atomic_store(&listener->is_stopping, true);
    wake(listener);
}

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum cairn_status take_burst(struct listener *listener, const struct listener_events *events,
                                    struct cairn_err *err)
{
    for (int i = 0; i < BURST_MAX && !listener->has_held; i++) {
        struct listener_message message;
        bool has_message;

        enum cairn_status status = receive(listener, &message, &has_message, err);
        if (status != CAIRN_OK || !has_message)
            return status;
        if (!events->handle(events->context, &message)) {
            listener->held = message;
            listener->has_held = true;
        }
    }
    return CAIRN_OK;
}

static void offer_held(struct listener *listener, const struct listener_events *events)
{
    uint64_t count;

    ssize_t got = read(listener->wake_fd, &count, sizeof count);
    (void)got;
    if (listener->has_held && events->handle(events->context, &listener->held))
        listener->has_held = false;
}

enum cairn_status listener_run(struct listener *listener, const struct listener_events *events,
                               struct cairn_err *err)
{
    int64_t tick_ms = now_ms();

    while (!atomic_load(&listener->is_stopping)) {
        struct pollfd fds[] = {
            {.fd = listener->wake_fd, .events = POLLIN},
            {.fd = events->watch_fd, .events = POLLIN},
            {.fd = listener->has_held ? -1 : listener->readable_fd, .events = POLLIN},
        };
        if (poll(fds, sizeof fds / sizeof fds[0], events->tick_ms) < 0 && errno != EINTR)
            return cairn_fail(err, CAIRN_IO, "cannot wait for messages: %s", strerror(errno));

        if (fds[0].revents != 0)
            offer_held(listener, events);
        if (fds[1].revents != 0)
            events->watch(events->context);
        if (fds[2].revents != 0) {
            enum cairn_status status = take_burst(listener, events, err);
            if (status != CAIRN_OK)
                return status;
        }
        if (now_ms() - tick_ms >= events->tick_ms) {
            events->tick(events->context);
            tick_ms = now_ms();
        }
    }
    return CAIRN_OK;
}
