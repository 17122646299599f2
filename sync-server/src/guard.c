/* With _GNU_SOURCE <sys/socket.h> declares accept4 with a transparent union, which ISO C cannot
 * define. */
#undef _GNU_SOURCE
#define _DEFAULT_SOURCE

#include "guard.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* Descriptors for all else: store, log, nanomsg's own, the ready file. */
    RESERVED_FDS = 64,
    /* A peer whose machine or link is gone is noticed after about a minute. Satellite links lose
     * several probes in a row, hence no less. */
    KEEP_ALIVE_IDLE_S = 30,
    KEEP_ALIVE_INTERVAL_S = 10,
    KEEP_ALIVE_PROBES = 4,
    UNACKNOWLEDGED_MAX_MS = 60000,
};

struct peer {
    uint8_t subscriber[16];
    bool is_open;
};

/* The one global of the server: accept4() and close() are given no context. */
static struct {
    pthread_mutex_t mutex;
    struct guard_limits limits;
    struct peer *peers; /* by descriptor; NULL: not guarding */
    unsigned peers_max;
    struct guard_counts counts;
} guard = {.mutex = PTHREAD_MUTEX_INITIALIZER};

enum cairn_status guard_start(const struct guard_limits *limits, unsigned *out_connections_max,
                              struct cairn_err *err)
{
    struct rlimit files;
    rlim_t wanted = (rlim_t)limits->connections_max + RESERVED_FDS;

    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return cairn_fail(err, CAIRN_IO, "cannot read the limit of open files: %s",
                          strerror(errno));
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) != 0)
            return cairn_fail(err, CAIRN_IO, "cannot raise the limit of open files: %s",
                              strerror(errno));
    }
    rlim_t usable = files.rlim_cur < wanted ? files.rlim_cur : wanted;
    if (usable <= RESERVED_FDS)
        return cairn_fail(err, CAIRN_IO,
                          "only %u files may be open, too few to serve anyone: "
                          "raise LimitNOFILE or ulimit -n to %u",
                          (unsigned)usable, (unsigned)wanted);

    struct peer *peers = calloc(usable, sizeof *peers);
    if (peers == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "out of memory");
    pthread_mutex_lock(&guard.mutex);
    CAIRN_ASSERT(guard.peers == NULL);
    guard.limits = *limits;
    guard.limits.connections_max = (unsigned)usable - RESERVED_FDS;
    guard.peers = peers;
    guard.peers_max = (unsigned)usable;
    guard.counts = (struct guard_counts){0};
    *out_connections_max = guard.limits.connections_max;
    pthread_mutex_unlock(&guard.mutex);
    return CAIRN_OK;
}

void guard_stop(void)
{
    pthread_mutex_lock(&guard.mutex);
    free(guard.peers);
    guard.peers = NULL;
    guard.peers_max = 0;
    pthread_mutex_unlock(&guard.mutex);
}

void guard_count(struct guard_counts *out_counts)
{
    pthread_mutex_lock(&guard.mutex);
    *out_counts = guard.counts;
    pthread_mutex_unlock(&guard.mutex);
}

/* Seconds since `fd` brought a byte; 0 where the kernel does not say. */
static unsigned idle_s(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    return info.tcpi_last_data_recv / 1000;
}

void guard_sweep(void)
{
    /* The lock is held throughout: close() must not free a number that is about to be shut down. */
    pthread_mutex_lock(&guard.mutex);
    unsigned left = guard.limits.idle_max_s == 0 ? 0 : guard.counts.connections;
    for (unsigned fd = 0; fd < guard.peers_max && left > 0; fd++) {
        if (!guard.peers[fd].is_open)
            continue;
        left--;
        if (idle_s((int)fd) < guard.limits.idle_max_s)
            continue;
        shutdown((int)fd, SHUT_RDWR);
        guard.counts.swept++;
    }
    pthread_mutex_unlock(&guard.mutex);
}

void guard_subscriber(const struct sockaddr_storage *peer, uint8_t out_subscriber[static 16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (peer->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, peer, sizeof v6);
        memcpy(out_subscriber, &v6.sin6_addr, 16);
        if (memcmp(out_subscriber, mapped, sizeof mapped) != 0)
            memset(out_subscriber + 8, 0, 8);
        return;
    }
    struct sockaddr_in v4;
    memcpy(&v4, peer, sizeof v4);
    memcpy(out_subscriber, mapped, sizeof mapped);
    memcpy(out_subscriber + sizeof mapped, &v4.sin_addr, 4);
}

static bool is_subscriber_full(const uint8_t subscriber[static 16])
{
    unsigned count = 0;

    if (guard.limits.per_address_max == 0)
        return false;
    for (unsigned fd = 0; fd < guard.peers_max; fd++)
        count += guard.peers[fd].is_open && memcmp(guard.peers[fd].subscriber, subscriber, 16) == 0;
    return count >= guard.limits.per_address_max;
}

/* Take the connection into the table, or say no. */
static bool admit(int fd, const uint8_t subscriber[static 16])
{
    bool is_admitted = false;

    pthread_mutex_lock(&guard.mutex);
    if (guard.peers == NULL) {
        is_admitted = true;
    } else if ((unsigned)fd >= guard.peers_max ||
               guard.counts.connections >= guard.limits.connections_max) {
        guard.counts.refused_total++;
    } else if (is_subscriber_full(subscriber)) {
        guard.counts.refused_address++;
    } else {
        memcpy(guard.peers[fd].subscriber, subscriber, 16);
        guard.peers[fd].is_open = true;
        guard.counts.connections++;
        is_admitted = true;
    }
    pthread_mutex_unlock(&guard.mutex);
    return is_admitted;
}

/* Failures are of no account: the connection then only lives without that comfort. */
static void notice_dead_peers(int fd)
{
    const int on = 1, idle = KEEP_ALIVE_IDLE_S, interval = KEEP_ALIVE_INTERVAL_S;
    const int probes = KEEP_ALIVE_PROBES;
    const unsigned unacknowledged_ms = UNACKNOWLEDGED_MAX_MS;

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
                     sizeof unacknowledged_ms);
}

/* Reset rather than close: no TIME_WAIT is left behind for each stranger. */
static void turn_away(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    syscall(SYS_close, fd);
}

/* libnanomsg aborts on what it does not expect. Linux also hands the errors of a connection that
 * died in the queue to accept (accept(2): EPROTO, EHOSTUNREACH, EPERM of a firewall and more), and
 * one of those must not end the server. */
static int accept_error(int error)
{
    switch (error) {
    case EAGAIN:
    case ECONNABORTED:
    case ENFILE:
    case EMFILE:
    case ENOBUFS:
    case ENOMEM:
        return error;
    default:
        return ECONNABORTED; /* it waits for the next one */
    }
}

/* Kept out of <sys/socket.h> above. */
int accept4(int listener, struct sockaddr *out_peer, socklen_t *inout_size, int flags);

int accept4(int listener, struct sockaddr *out_peer, socklen_t *inout_size, int flags)
{
    struct sockaddr_storage peer = {0};
    socklen_t size = sizeof peer;
    uint8_t subscriber[16];

    int fd = (int)syscall(SYS_accept4, listener, &peer, &size, flags);
    if (fd < 0) {
        errno = accept_error(errno);
        return fd;
    }
    if (out_peer != NULL && inout_size != NULL) {
        memcpy(out_peer, &peer, *inout_size < size ? *inout_size : size);
        *inout_size = size;
    }
    if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6)
        return fd;

    guard_subscriber(&peer, subscriber);
    if (!admit(fd, subscriber)) {
        turn_away(fd);
        errno = ECONNABORTED;
        return -1;
    }
    notice_dead_peers(fd);
    return fd;
}

int close(int fd)
{
    pthread_mutex_lock(&guard.mutex);
    if (fd >= 0 && (unsigned)fd < guard.peers_max && guard.peers[fd].is_open) {
        guard.peers[fd].is_open = false;
        guard.counts.connections--;
    }
    pthread_mutex_unlock(&guard.mutex);
    return (int)syscall(SYS_close, fd);
}
