#include "echo_server.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "listener.h"

enum { TICK_MS = 100 };

struct echo {
    struct listener *listener;
    int signal_fd;
    bool has_seen_once;
    bool has_late;
    struct listener_message late;
};

static bool begins_with(const struct listener_message *message, const char *word)
{
    return message->body.size >= strlen(word) &&
           memcmp(message->body.data, word, strlen(word)) == 0;
}

static void answer(struct echo *echo, const struct listener_message *message)
{
    (void)listener_reply(echo->listener, message, message->body);
}

static bool on_message(void *context, const struct listener_message *message)
{
    struct echo *echo = context;

    if (echo->has_late)
        answer(echo, &echo->late);
    echo->has_late = false;
    if (begins_with(message, "mute")) {
        listener_drop(message);
    } else if (begins_with(message, "once") && !echo->has_seen_once) {
        echo->has_seen_once = true;
        listener_drop(message);
    } else if (begins_with(message, "late")) {
        echo->late = *message;
        echo->has_late = true;
    } else {
        answer(echo, message);
    }
    return true;
}

static void on_signal(void *context)
{
    struct echo *echo = context;

    listener_stop(echo->listener);
}

static void on_tick(void *context)
{
    (void)context;
    guard_sweep();
}

_Noreturn static void child_fail(const char *what)
{
    fprintf(stderr, "echo server: %s\n", what);
    _exit(9);
}

_Noreturn static void child_run(const struct guard_limits *limits, int ready_fd)
{
    struct cairn_err err = {0};
    struct echo echo = {0};
    struct listener_events events = {
        .handle = on_message,
        .watch = on_signal,
        .tick = on_tick,
        .tick_ms = TICK_MS,
        .context = &echo,
    };
    unsigned connections_max;
    sigset_t signals;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    echo.signal_fd = events.watch_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    if (guard_start(limits, &connections_max, &err) != CAIRN_OK ||
        listener_open("tcp://127.0.0.1:0", &echo.listener, &err) != CAIRN_OK)
        child_fail(err.text);
    const char *address = listener_address(echo.listener);
    if (write(ready_fd, address, strlen(address)) < 0)
        child_fail("no parent");
    close(ready_fd);
    if (listener_run(echo.listener, &events, &err) != CAIRN_OK)
        child_fail(err.text);
    if (echo.has_late)
        listener_drop(&echo.late);
    listener_close(echo.listener);
    guard_stop();
    exit(0); /* not _exit: a sanitizer looks for leaks now */
}

void echo_server_start(struct echo_server *server, const struct guard_limits *limits)
{
    int ready[2];

    memset(server, 0, sizeof *server);
    if (pipe(ready) != 0)
        abort();
    fflush(NULL);
    server->pid = fork();
    if (server->pid < 0)
        abort();
    if (server->pid == 0) {
        close(ready[0]);
        child_run(limits, ready[1]);
    }
    close(ready[1]);
    /* Up to the end, when the child has closed its pipe: only then are its descriptors counted. */
    ssize_t got;
    size_t used = 0;
    while ((got = read(ready[0], server->address + used, sizeof server->address - 1 - used)) > 0)
        used += (size_t)got;
    if (used == 0)
        abort();
    close(ready[0]);
    server->port = (uint16_t)strtoul(strrchr(server->address, ':') + 1, NULL, 10);
    server->idle_descriptors = echo_server_descriptors(server);
}

bool echo_server_is_alive(const struct echo_server *server)
{
    return waitpid(server->pid, NULL, WNOHANG) == 0;
}

int echo_server_descriptors(const struct echo_server *server)
{
    char path[64];
    int count = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)server->pid);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

bool echo_server_stop(struct echo_server *server)
{
    int state = 0;

    kill(server->pid, SIGTERM);
    if (waitpid(server->pid, &state, 0) != server->pid)
        return false;
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 0)
        fprintf(stderr, "echo server ended with state %d\n", state);
    return WIFEXITED(state) && WEXITSTATUS(state) == 0;
}
