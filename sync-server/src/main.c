/* cairn-server: the process that listens. Life cycle only; each part stands in its own file. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cairn/replica.h"
#include "counters.h"
#include "guard.h"
#include "i18n.h"
#include "listener.h"
#include "log.h"
#include "options.h"
#include "service.h"
#include "streams.h"
#include "workers.h"

#ifndef CAIRN_VERSION
#define CAIRN_VERSION "unknown"
#endif

enum {
    EXIT_DONE = 0,
    EXIT_GIVEN_WRONG = 2,
    EXIT_COULD_NOT = 3,
    TICK_MS = 5000,
    RETRY_MS = 1000,  /* a full disk is tried again */
    IDLE_MAX_S = 600, /* a silent connection is closed; devices open a new one by themselves */
};

struct server {
    struct options options;
    struct cairn_replica *replica;
    struct cairn_status_report report;
    struct listener *listener;
    struct workers *workers;
    struct log *log;
    struct counters counters;
    uint64_t turned_away; /* as last told to the log */
    unsigned connections_max;
    int signal_fd;
    bool is_ready_file_ours; /* written, so removed at the end */
    atomic_int exit_code;
};

static int exit_code_of(enum cairn_status status)
{
    return status == CAIRN_BAD_INPUT ? EXIT_GIVEN_WRONG : EXIT_COULD_NOT;
}

/* ---- events -------------------------------------------------------------------------------- */

static bool on_message(void *context, const struct listener_message *message)
{
    struct server *server = context;

    return workers_submit(server->workers, message);
}

static void on_signal(void *context)
{
    struct server *server = context;
    struct signalfd_siginfo info;
    char text[COUNTERS_TEXT_BYTES];

    if (read(server->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (info.ssi_signo == SIGUSR1) {
        counters_print(&server->counters, text);
        log_line(server->log, LOG_INFO, "%s", text);
        return;
    }
    listener_stop(server->listener);
}

static void on_tick(void *context)
{
    struct server *server = context;
    struct guard_counts counts;

    guard_sweep();
    guard_count(&counts);
    uint64_t turned_away = counts.refused_total + counts.refused_address;
    if (turned_away > server->turned_away)
        log_event(server->log, LOG_TURNED_AWAY, turned_away - server->turned_away, NULL);
    server->turned_away = turned_away;
    log_tick(server->log);
}

static bool on_reply(void *context, const struct listener_message *message,
                     struct cairn_bytes reply)
{
    struct server *server = context;

    return listener_reply(server->listener, message, reply);
}

static void on_drop(void *context, const struct listener_message *message)
{
    (void)context;
    listener_drop(message);
}

static void on_room(void *context)
{
    struct server *server = context;

    listener_resume(server->listener);
}

static void on_store_failed(void *context, enum cairn_status status)
{
    struct server *server = context;

    (void)status;
    atomic_store(&server->exit_code, EXIT_COULD_NOT);
    listener_stop(server->listener);
}

/* ---- starting ------------------------------------------------------------------------------ */

static bool is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Signals become readable bytes in the loop; every thread inherits the mask. */
static enum cairn_status signals_take(struct server *server, struct cairn_err *err)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (!is_ignored(SIGHUP)) /* nohup means it: blocked signals come although they are ignored */
        sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGPIPE); /* blocked for good: a closed stderr must not end the server */
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    sigdelset(&signals, SIGPIPE);
    server->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (server->signal_fd < 0)
        return cairn_fail(err, CAIRN_IO, "no signal descriptor: %s", strerror(errno));
    return CAIRN_OK;
}

static enum cairn_status store_open(struct server *server, struct cairn_err *err)
{
    const char *file = server->options.passphrase_file;
    struct service_passphrase passphrase = {.size = 0};
    struct cairn_replica_config config = {
        .path = server->options.store, .is_writer = true, .owner = "cairn-server"};
    bool is_sealed = false;
    enum cairn_status status = CAIRN_OK;

    if (file != NULL)
        status = service_passphrase_read(file, &passphrase, err);
    if (status == CAIRN_OK)
        status = cairn_key_is_sealed(config.path, &is_sealed, err);
    if (status == CAIRN_NOT_FOUND)
        status = CAIRN_OK; /* cairn_replica_open says what is missing */
    if (status == CAIRN_OK && is_sealed && passphrase.size == 0)
        status = cairn_fail(err, CAIRN_NO_KEY,
                            "the key in %s is sealed: give --passphrase-file FILE or set "
                            "CAIRN_PASSPHRASE_FILE. Nothing was changed.",
                            config.path);
    if (status == CAIRN_OK && is_sealed)
        config.passphrase = (struct cairn_bytes){passphrase.bytes, passphrase.size};
    if (status == CAIRN_OK)
        status = cairn_replica_open(&config, &server->replica, err);
    service_passphrase_wipe(&passphrase);
    return status;
}

/* Only a device that was granted the role may serve: its checkpoints are receipts. */
static enum cairn_status role_check(struct server *server, struct cairn_err *err)
{
    const char *store = server->options.store;

    enum cairn_status status = cairn_status_get(server->replica, &server->report, err);
    if (status != CAIRN_OK)
        return status;
    if (!server->report.is_joined)
        return cairn_fail(
            err, CAIRN_NO_RIGHT,
            "no grant in %s. Send the request that `cairn init` wrote there to the county "
            "office, then: "
            "cairn --store %s join FILE",
            store, store);
    if (strcmp(server->report.self.role, "server") != 0)
        return cairn_fail(err, CAIRN_NO_RIGHT,
                          "%s belongs to %s, whose role is %s, not server. Make a store of its own "
                          "for the server: cairn --store DIR init NAME, and have it granted with "
                          "--role server",
                          store, server->report.self.tag, i18n_translate(server->report.self.role));
    return CAIRN_OK;
}

static enum cairn_status workers_begin(struct server *server, struct cairn_err *err)
{
    const struct workers_config config = {
        .replica = server->replica,
        .counters = &server->counters,
        .log = server->log,
        .worker_count = server->options.workers,
        .retry_ms = RETRY_MS,
        .outlet = {on_reply, on_drop, on_room, on_store_failed, server},
    };

    return workers_start(&config, &server->workers, err);
}

/* The file of a server that was killed says an address where nobody listens. The store's lock is
 * held: no other server of this store has written it. */
static void ready_file_clear(const struct server *server)
{
    struct stat info;

    if (server->options.ready_file != NULL && lstat(server->options.ready_file, &info) == 0 &&
        S_ISREG(info.st_mode))
        unlink(server->options.ready_file);
}

static enum cairn_status ready_file_write(struct server *server, struct cairn_err *err)
{
    if (server->options.ready_file == NULL)
        return CAIRN_OK;
    enum cairn_status status =
        service_ready_file(server->options.ready_file, listener_address(server->listener), err);
    server->is_ready_file_ours = status == CAIRN_OK;
    return status;
}

static enum cairn_status server_start(struct server *server, struct cairn_err *err)
{
    const struct guard_limits limits = {
        .connections_max = server->options.connections_max,
        .per_address_max = server->options.per_address_max,
        .idle_max_s = IDLE_MAX_S,
    };

    enum cairn_status status = signals_take(server, err);
    if (status == CAIRN_OK)
        status = store_open(server, err);
    if (status == CAIRN_OK)
        ready_file_clear(server);
    if (status == CAIRN_OK)
        status = role_check(server, err);
    if (status == CAIRN_OK)
        status = guard_start(&limits, &server->connections_max, err);
    if (status == CAIRN_OK)
        status = listener_open(server->options.listen, &server->listener, err);
    if (status == CAIRN_OK)
        status = workers_begin(server, err);
    if (status == CAIRN_OK)
        status = ready_file_write(server, err);
    return status;
}

/* ---- running ------------------------------------------------------------------------------- */

static void started_line(const struct server *server)
{
    char workers[64], connections[64];

    if (server->report.was_restored)
        log_line(
            server->log, LOG_WARNING,
            _("this store was restored or copied: it has begun a new incarnation. If another copy "
              "of it still serves, stop that one"));
    if (server->connections_max < server->options.connections_max)
        log_line(server->log, LOG_WARNING,
                 _("the limit of open files allows %u connections of the %u asked for: "
                   "raise LimitNOFILE or ulimit -n"),
                 server->connections_max, server->options.connections_max);
    snprintf(workers, sizeof workers, ngettext("%u worker", "%u workers", server->options.workers),
             server->options.workers);
    snprintf(connections, sizeof connections,
             ngettext("at most %s connection", "at most %s connections", server->connections_max),
             i18n_number(server->connections_max).text);
    log_line(server->log, LOG_INFO, _("%s %s serves %s on %s, %s, %s, store %s"), CAIRN_VERSION,
             server->report.self.tag, server->report.self.scope, listener_address(server->listener),
             workers, connections, server->options.store);
}

static enum cairn_status server_run(struct server *server, struct cairn_err *err)
{
    const struct listener_events events = {
        .handle = on_message,
        .watch = on_signal,
        .watch_fd = server->signal_fd,
        .tick = on_tick,
        .tick_ms = TICK_MS,
        .context = server,
    };

    started_line(server);
    service_notify("READY=1");
    enum cairn_status status = listener_run(server->listener, &events, err);
    service_notify("STOPPING=1");
    return status;
}

/* Returns the exit code, which is known only now: the store may fail at the last commits. The order
 * matters: answers need the listener, commits need the replica, and once that is closed the next
 * server may write its ready file. */
static int server_stop(struct server *server)
{
    bool was_serving = server->workers != NULL;

    workers_stop(server->workers);
    int exit_code = atomic_load(&server->exit_code);
    listener_close(server->listener);
    guard_stop();
    if (server->is_ready_file_ours)
        unlink(server->options.ready_file);
    cairn_replica_close(server->replica);
    if (was_serving && exit_code == EXIT_DONE)
        log_line(server->log, LOG_INFO, _("stopped; everything accepted is on disk"));
    if (server->signal_fd >= 0)
        close(server->signal_fd);
    counters_release(&server->counters);
    log_free(server->log);
    free(server);
    return exit_code;
}

static int serve(const struct options *options)
{
    struct cairn_err err = {.translate = i18n_translate};
    struct server *server = calloc(1, sizeof *server);

    if (server == NULL)
        return EXIT_COULD_NOT;
    server->options = *options;
    server->signal_fd = -1;
    atomic_init(&server->exit_code, EXIT_DONE);
    counters_init(&server->counters);
    server->log = log_new();
    if (server->log == NULL) {
        (void)server_stop(server);
        return EXIT_COULD_NOT;
    }

    enum cairn_status status = server_start(server, &err);
    if (status == CAIRN_OK)
        status = server_run(server, &err);
    if (status != CAIRN_OK) {
        log_line(server->log, LOG_ERROR, "%s", err.text);
        atomic_store(&server->exit_code, exit_code_of(status));
    }
    return server_stop(server);
}

/* What is still in the buffer may be lost too. */
static int print_end(bool is_printed)
{
    return is_printed && fflush(stdout) == 0 ? EXIT_DONE : EXIT_COULD_NOT;
}

static int print_version(void)
{
    char libraries[1024] = "";

    cairn_version_text(libraries, sizeof libraries);
    return print_end(printf("cairn-server %s\n%s", CAIRN_VERSION, libraries) >= 0);
}

int main(int argc, char **argv)
{
    struct cairn_err err = {.translate = i18n_translate};
    struct options options;

    streams_hold();
    i18n_start();
    enum cairn_status status = options_parse(argc, argv, &options, &err);
    if (status == CAIRN_OK && options.wants_help)
        return print_end(fputs(options_help(), stdout) >= 0);
    if (status == CAIRN_OK && options.wants_version)
        return print_version();
    if (status == CAIRN_OK && options.listen == NULL)
        status = cairn_fail(&err, CAIRN_BAD_INPUT,
                            "where to listen? Give --listen tcp://IP:PORT, for example "
                            "tcp://0.0.0.0:7340");
    if (status == CAIRN_OK)
        status = listener_check_address(options.listen, &err);
    if (status != CAIRN_OK) {
        fprintf(stderr, "cairn-server: %s\n", err.text);
        return exit_code_of(status);
    }
    return serve(&options);
}
