#include "proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GREETING_BYTES = 8, RELAY_BYTES = 65536, BACKLOG = 16 };

enum direction { NEITHER, UP, DOWN };

struct proxy {
    uint16_t server_port;
    int listening;
    int stop; /* an eventfd: readable once the thread shall end */
    char address[40];
    pthread_t thread;
    atomic_uint_fast64_t up_bytes, down_bytes, turns;
};

/* One connection through the proxy. */
struct relay {
    int client, server;
    uint64_t seen[3]; /* by direction, greeting included */
    enum direction last;
};

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
}

/* ---- the thread ---------------------------------------------------------------------------- */

static void count(struct proxy *proxy, struct relay *relay, enum direction direction, size_t size)
{
    uint64_t before = relay->seen[direction];
    uint64_t greeting = before < GREETING_BYTES ? GREETING_BYTES - before : 0;
    uint64_t counted = size > greeting ? size - greeting : 0;

    relay->seen[direction] += size;
    if (counted == 0)
        return;
    if (direction == DOWN && relay->last == UP)
        atomic_fetch_add(&proxy->turns, 1);
    relay->last = direction;
    atomic_fetch_add(direction == UP ? &proxy->up_bytes : &proxy->down_bytes, counted);
}

static bool send_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

/* Pass on what has come. False: that side is done. */
static bool relay_pass(struct proxy *proxy, struct relay *relay, enum direction direction)
{
    uint8_t bytes[RELAY_BYTES];
    int from = direction == UP ? relay->client : relay->server;
    int to = direction == UP ? relay->server : relay->client;
    ssize_t size = recv(from, bytes, sizeof bytes, 0);

    if (size < 0 && errno == EINTR)
        return true;
    if (size <= 0)
        return false;
    count(proxy, relay, direction, (size_t)size);
    return send_all(to, bytes, (size_t)size);
}

/* Until one side closes, or the proxy shall end (then false). */
static bool relay_run(struct proxy *proxy, struct relay *relay)
{
    struct pollfd polls[] = {
        {.fd = relay->client, .events = POLLIN},
        {.fd = relay->server, .events = POLLIN},
        {.fd = proxy->stop, .events = POLLIN},
    };

    for (;;) {
        if (poll(polls, 3, -1) < 0 && errno != EINTR)
            return true;
        if (polls[2].revents != 0)
            return false;
        if (polls[0].revents != 0 && !relay_pass(proxy, relay, UP))
            return true;
        if (polls[1].revents != 0 && !relay_pass(proxy, relay, DOWN))
            return true;
    }
}

/* Takes the client's socket over. */
static bool connection_run(struct proxy *proxy, int client)
{
    const struct sockaddr_in address = loopback(proxy->server_port);
    const int on = 1;
    struct relay relay = {.client = client,
                          .server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    bool goes_on = true;

    if (relay.server >= 0 &&
        connect(relay.server, (const struct sockaddr *)&address, sizeof address) == 0) {
        setsockopt(relay.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(relay.server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        goes_on = relay_run(proxy, &relay);
    }
    if (relay.server >= 0)
        close(relay.server);
    close(relay.client);
    return goes_on;
}

static void *proxy_run(void *context)
{
    struct proxy *proxy = context;
    struct pollfd polls[] = {
        {.fd = proxy->listening, .events = POLLIN},
        {.fd = proxy->stop, .events = POLLIN},
    };
    bool goes_on = true;

    while (goes_on) {
        if (poll(polls, 2, -1) < 0)
            continue;
        if (polls[1].revents != 0)
            break;
        int client = accept4(proxy->listening, NULL, NULL, SOCK_CLOEXEC);
        if (client >= 0)
            goes_on = connection_run(proxy, client);
    }
    return NULL;
}

/* ---- life cycle ---------------------------------------------------------------------------- */

static bool listening_open(struct proxy *proxy)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;

    proxy->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (proxy->listening < 0 ||
        bind(proxy->listening, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(proxy->listening, BACKLOG) != 0 ||
        getsockname(proxy->listening, (struct sockaddr *)&address, &size) != 0)
        return false;
    snprintf(proxy->address, sizeof proxy->address, "tcp://127.0.0.1:%u",
             (unsigned)ntohs(address.sin_port));
    return true;
}

static void proxy_free(struct proxy *proxy)
{
    if (proxy->listening >= 0)
        close(proxy->listening);
    if (proxy->stop >= 0)
        close(proxy->stop);
    free(proxy);
}

enum cairn_status proxy_start(uint16_t server_port, struct proxy **out_proxy, struct cairn_err *err)
{
    struct proxy *proxy = calloc(1, sizeof *proxy);

    if (proxy == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    proxy->server_port = server_port;
    proxy->stop = eventfd(0, EFD_CLOEXEC);
    if (!listening_open(proxy) || proxy->stop < 0 ||
        pthread_create(&proxy->thread, NULL, proxy_run, proxy) != 0) {
        enum cairn_status status = cairn_fail(err, CAIRN_IO, "no proxy: %s", strerror(errno));
        proxy_free(proxy);
        return status;
    }
    *out_proxy = proxy;
    return CAIRN_OK;
}

const char *proxy_address(const struct proxy *proxy)
{
    return proxy->address;
}

struct proxy_count proxy_count(const struct proxy *proxy)
{
    return (struct proxy_count){
        .up_bytes = atomic_load(&proxy->up_bytes),
        .down_bytes = atomic_load(&proxy->down_bytes),
        .turns = atomic_load(&proxy->turns),
    };
}

void proxy_stop(struct proxy *proxy)
{
    const uint64_t one = 1;

    if (proxy == NULL)
        return;
    while (write(proxy->stop, &one, sizeof one) < 0 && errno == EINTR)
        ;
    pthread_join(proxy->thread, NULL);
    proxy_free(proxy);
}
