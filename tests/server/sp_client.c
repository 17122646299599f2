#include "sp_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 30 /* a machine may stand still for seconds */

const uint8_t sp_greeting[8] = {0, 'S', 'P', 0, 0, 0x30, 0, 0};

int64_t sp_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void sp_pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* A signal that comes while it connects leaves it connecting. */
static bool is_connected_yet(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    int error = errno, polled;
    socklen_t size = sizeof error;

    if (error != EINTR)
        return false;
    while ((polled = poll(&ready, 1, PATIENCE_S * 1000)) < 0 && errno == EINTR)
        ;
    return polled == 1 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

int sp_connect(uint16_t port, int receive_buffer)
{
    const struct sockaddr_in peer = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (connect(fd, (const struct sockaddr *)&peer, sizeof peer) != 0 && !is_connected_yet(fd)) {
        close(fd);
        return -1;
    }
    return fd;
}

int sp_open(uint16_t port, int receive_buffer)
{
    uint8_t theirs[sizeof sp_greeting];
    int fd = sp_connect(port, receive_buffer);

    if (fd >= 0 && sp_send(fd, sp_greeting, sizeof sp_greeting) &&
        sp_receive(fd, theirs, sizeof theirs))
        return fd;
    sp_close(fd);
    return -1;
}

void sp_close(int fd)
{
    if (fd >= 0)
        close(fd);
}

void sp_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    sp_close(fd);
}

bool sp_send(int fd, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t done = 0; done < size;) {
        ssize_t sent = send(fd, bytes + done, size - done, MSG_NOSIGNAL);
        if (sent <= 0 && errno != EINTR)
            return false;
        done += sent > 0 ? (size_t)sent : 0;
    }
    return true;
}

bool sp_receive(int fd, void *out_data, size_t size)
{
    uint8_t *bytes = out_data;

    for (size_t done = 0; done < size;) {
        ssize_t got = recv(fd, bytes + done, size - done, 0);
        if (got == 0 || (got < 0 && errno != EINTR))
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool sp_send_message(int fd, uint64_t announced, const void *data, size_t size)
{
    uint8_t length[8];

    for (int i = 0; i < 8; i++)
        length[i] = (uint8_t)(announced >> (56 - 8 * i));
    return sp_send(fd, length, sizeof length) && sp_send(fd, data, size);
}

bool sp_echo(int fd, size_t size)
{
    uint8_t length[8];
    uint8_t *request = malloc(size + 4), *reply = malloc(size + 4);
    uint64_t announced = 0;
    bool is_echoed = false;

    if (request == NULL || reply == NULL)
        abort();
    memset(request, 'e', size + 4);
    memcpy(request, "\x80\0\0\7", 4);
    if (sp_send_message(fd, size + 4, request, size + 4) && sp_receive(fd, length, sizeof length)) {
        for (int i = 0; i < 8; i++)
            announced = announced << 8 | length[i];
        is_echoed = announced == size + 4 && sp_receive(fd, reply, size + 4) &&
                    memcmp(request, reply, size + 4) == 0;
    }
    free(request);
    free(reply);
    return is_echoed;
}

bool sp_is_cut_off(int fd, int timeout_ms)
{
    int64_t until = sp_now_ms() + timeout_ms;
    uint8_t waste[4096];

    for (;;) {
        int64_t left = until - sp_now_ms();
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int polled = left < 0 ? 0 : poll(&ready, 1, (int)left);
        if (polled < 0 && errno == EINTR)
            continue;
        if (polled <= 0)
            return false;
        ssize_t got = recv(fd, waste, sizeof waste, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return true;
    }
}
