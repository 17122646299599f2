/*
 * echo_server.h: the server's listener and guard with an echo behind them, in a child process, so
 * that a test can see it die, count its descriptors and stop it.
 *
 * Bodies that begin with "mute" get no answer; "once" gets none the first time (a lost request);
 * "late" is answered only when the next request comes in.
 */

#ifndef CAIRN_TESTS_ECHO_SERVER_H
#define CAIRN_TESTS_ECHO_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard.h"

struct echo_server {
    pid_t pid;
    uint16_t port;
    char address[96];
    int idle_descriptors; /* before the first connection */
};

/* Fork while the test has one thread. Aborts when it cannot. */
void echo_server_start(struct echo_server *server, const struct guard_limits *limits);
bool echo_server_is_alive(const struct echo_server *server);
int echo_server_descriptors(const struct echo_server *server);
/* True when it ended by itself, with exit code 0, after SIGTERM. */
bool echo_server_stop(struct echo_server *server);

#endif
