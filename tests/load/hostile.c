#include "hostile.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sp_client.h"

#define BODY_BYTES 4000
#define FLOOD 20

struct hostile {
    pthread_t thread;
    uint16_t port;
    uint32_t random;
    atomic_bool is_stopping;
    uint64_t connections;
};

static uint32_t draw(struct hostile *hostile, uint32_t below)
{
    hostile->random = hostile->random * 1664525u + 1013904223u;
    return (hostile->random >> 8) % below;
}

static void fill(struct hostile *hostile, uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)draw(hostile, 256);
}

/* Whatever becomes of it: the server may cut it off at any byte. */
static void attack(struct hostile *hostile)
{
    static const uint64_t lies[] = {1u << 20, 1ull << 40, 1ull << 63, UINT64_MAX, 65540};
    uint8_t bytes[BODY_BYTES];
    uint32_t what = draw(hostile, 8);
    int fd = what < 2 ? sp_connect(hostile->port, 0) : sp_open(hostile->port, what == 7 ? 2048 : 0);

    if (fd < 0)
        return;
    hostile->connections++;
    fill(hostile, bytes, sizeof bytes);
    bytes[0] |= 0x80; /* the bottom of the routing */
    switch (what) {
    case 0: /* no greeting of ours */
        (void)sp_send(fd, bytes, 1 + draw(hostile, 64));
        break;
    case 1: /* the beginning of one */
        (void)sp_send(fd, sp_greeting, draw(hostile, sizeof sp_greeting));
        break;
    case 2: /* a length that lies */
        (void)sp_send_message(fd, lies[draw(hostile, 5)], bytes, 100);
        break;
    case 3: /* half a frame */
        (void)sp_send_message(fd, 2000, bytes, draw(hostile, 2000));
        break;
    case 4: /* routing without an end */
        memset(bytes, 0, sizeof bytes);
        (void)sp_send_message(fd, 400, bytes, 400);
        break;
    case 5: /* a body that is no request */
    case 6:
        (void)sp_send_message(fd, sizeof bytes, bytes, sizeof bytes);
        break;
    default: /* many, and no answer is read */
        for (int i = 0; i < FLOOD && sp_send_message(fd, sizeof bytes, bytes, sizeof bytes); i++)
            ;
        break;
    }
    sp_reset(fd); /* a FIN would keep a port for a minute */
}

static void *run(void *context)
{
    struct hostile *hostile = context;

    while (!atomic_load(&hostile->is_stopping))
        attack(hostile);
    return NULL;
}

struct hostile *hostile_start(uint16_t port, unsigned seed)
{
    struct hostile *hostile = calloc(1, sizeof *hostile);

    if (hostile == NULL)
        abort();
    hostile->port = port;
    hostile->random = seed * 2654435761u + 1;
    if (pthread_create(&hostile->thread, NULL, run, hostile) != 0)
        abort();
    return hostile;
}

uint64_t hostile_stop(struct hostile *hostile)
{
    atomic_store(&hostile->is_stopping, true);
    pthread_join(hostile->thread, NULL);
    uint64_t connections = hostile->connections;
    free(hostile);
    return connections;
}
