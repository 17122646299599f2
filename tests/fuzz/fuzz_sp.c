/*
 * Any bytes at the server's listening socket, as a list of connections: two bytes of size, then as
 * many bytes; the top bit of the size leaves the greeting to the input, the next two together end
 * with a FIN, which keeps a port for a minute, else with a reset. Whatever they say, an honest
 * client's request is answered after them.
 */

#include <pthread.h>
#include <stdlib.h>

#include "listener.h"
#include "sp_client.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNECTIONS_MAX 4

static struct listener *listener;
static uint16_t port;

static bool echo(void *context, const struct listener_message *message)
{
    (void)context;
    (void)listener_reply(listener, message, message->body);
    return true;
}

static void ignore(void *context)
{
    (void)context;
}

static void *run(void *context)
{
    const struct listener_events events = {
        .handle = echo, .watch = ignore, .watch_fd = -1, .tick = ignore, .tick_ms = 1000};

    (void)context;
    CAIRN_ASSERT(listener_run(listener, &events, NULL) == CAIRN_OK);
    return NULL;
}

static void start(void)
{
    pthread_t thread;
    struct cairn_err err;

    CAIRN_ASSERT(listener_open("tcp://127.0.0.1:0", &listener, &err) == CAIRN_OK);
    const char *address = listener_address(listener);
    while (*address != '\0' && *address != ':')
        address++;
    while (address[1] != '\0' && (*address != ':' || address[1] == '/'))
        address++;
    port = (uint16_t)strtoul(address + 1, NULL, 10);
    CAIRN_ASSERT(pthread_create(&thread, NULL, run, NULL) == 0);
    CAIRN_ASSERT(pthread_detach(thread) == 0);
}

static void connection(struct cairn_reader *reader)
{
    uint16_t head = cairn_read_u16be(reader);
    size_t size = head & 0x1fff, left = cairn_reader_left(reader);
    struct cairn_bytes bytes = cairn_read_bytes(reader, size < left ? size : left);
    int fd = (head & 0x8000) != 0 ? sp_connect(port, 0) : sp_open(port, 0);

    CAIRN_ASSERT(fd >= 0);
    (void)sp_send(fd, bytes.data, bytes.size);
    if ((head & 0x6000) == 0x6000)
        sp_close(fd);
    else
        sp_reset(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_reader reader;

    if (listener == NULL)
        start();
    cairn_reader_init(&reader, (struct cairn_bytes){data, size});
    for (int i = 0; i < CONNECTIONS_MAX && cairn_reader_left(&reader) >= 2; i++)
        connection(&reader);
    int honest = sp_open(port, 0);
    CAIRN_ASSERT(honest >= 0);
    CAIRN_ASSERT(sp_echo(honest, 64));
    sp_reset(honest);
    return 0;
}
