#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "temp_folder.h"

enum {
    READY_POLL_MS = 5,
    READY_TIMEOUT_MS = 30000,
    ARGUMENTS_MAX = 8,
};

enum cairn_status bench_path(const struct bench *bench, const char *name,
                             char out_path[static PATH_MAX], struct cairn_err *err)
{
    int size = snprintf(out_path, PATH_MAX, "%s/%s", bench->folder, name);

    if (size < 0 || size >= PATH_MAX)
        return cairn_fail(err, CAIRN_LIMIT, "the folder's name %.100s... is too long",
                          bench->folder);
    return CAIRN_OK;
}

/* ---- the folder ---------------------------------------------------------------------------- */

static enum cairn_status programs_find(struct bench *bench, struct cairn_err *err)
{
    static const char server[] = "cairn-server";
    ssize_t size = readlink("/proc/self/exe", bench->program, sizeof bench->program - 1);

    if (size <= 0)
        return cairn_fail(err, CAIRN_IO, "/proc/self/exe cannot be read: %s", strerror(errno));
    bench->program[size] = '\0';
    size_t folder_bytes = (size_t)(strrchr(bench->program, '/') + 1 - bench->program);
    if (folder_bytes + sizeof server > sizeof bench->server_program)
        return cairn_fail(err, CAIRN_LIMIT, "the name of this program's folder is too long");
    memcpy(bench->server_program, bench->program, folder_bytes);
    memcpy(bench->server_program + folder_bytes, server, sizeof server);
    return CAIRN_OK;
}

enum cairn_status process_begin(struct bench *bench, struct cairn_err *err)
{
    const char *parent = getenv("TMPDIR");
    char real[PATH_MAX], state[PATH_MAX];

    enum cairn_status status = programs_find(bench, err);
    if (status != CAIRN_OK)
        return status;
    if (parent == NULL || parent[0] == '\0')
        parent = ".";
    /* An absolute name, or XDG_STATE_HOME would not count. */
    if (realpath(parent, real) == NULL)
        return cairn_fail(err, CAIRN_IO, "%s: %s", parent, strerror(errno));
    int size = snprintf(bench->folder, sizeof bench->folder, "%s/cairn-bench-XXXXXX", real);
    if (size < 0 || (size_t)size >= sizeof bench->folder)
        return cairn_fail(err, CAIRN_LIMIT, "TMPDIR is too long");
    if (mkdtemp(bench->folder) == NULL)
        return cairn_fail(err, CAIRN_IO, "no folder %s: %s", bench->folder, strerror(errno));
    /* High-water marks lie outside the stores' folders; here they go with them. */
    status = bench_path(bench, "state", state, err);
    if (status == CAIRN_OK)
        setenv("XDG_STATE_HOME", state, 1);
    return status;
}

void process_end(const struct bench *bench)
{
    if (bench->folder[0] != '\0')
        temp_tree_remove(bench->folder);
}

/* ---- children ------------------------------------------------------------------------------ */

/* In the child: only calls that are safe between fork and exec. */
_Noreturn static void child_run(const char *program, char *const *arguments, int output, int error,
                                pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127);
    if (output >= 0)
        dup2(output, STDOUT_FILENO);
    if (error >= 0)
        dup2(error, STDERR_FILENO);
    execv(program, arguments);
    _exit(127);
}

static enum cairn_status child_start(const char *program, const char *const *arguments, int output,
                                     int error, pid_t *out_pid, struct cairn_err *err)
{
    char *list[ARGUMENTS_MAX + 2];
    size_t count = 0;
    pid_t self = getpid();

    /* execv takes the texts without const and leaves them as they are. */
    list[count++] = (char *)(uintptr_t)program;
    for (; *arguments != NULL; arguments++) {
        CAIRN_ASSERT(count <= ARGUMENTS_MAX);
        list[count++] = (char *)(uintptr_t)*arguments;
    }
    list[count] = NULL;
    pid_t pid = fork();
    if (pid < 0)
        return cairn_fail(err, CAIRN_IO, "no process for %s: %s", program, strerror(errno));
    if (pid == 0)
        child_run(program, list, output, error, self);
    *out_pid = pid;
    return CAIRN_OK;
}

/* True when the child has ended, well or not. */
static bool child_has_ended(pid_t pid, bool must_wait, bool *out_is_well)
{
    int state = 0;
    pid_t ended;

    do
        ended = waitpid(pid, &state, must_wait ? 0 : WNOHANG);
    while (ended < 0 && errno == EINTR);
    *out_is_well = ended == pid && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    return ended != 0;
}

/* ---- the server ---------------------------------------------------------------------------- */

/* The last line of what the server said, for the error. */
static void last_line(const char *path, char *out_line, size_t size)
{
    FILE *file = fopen(path, "re");

    snprintf(out_line, size, "it said nothing");
    while (file != NULL && fgets(out_line, (int)size, file) != NULL)
        ;
    if (file != NULL)
        fclose(file);
    out_line[strcspn(out_line, "\n")] = '\0';
}

static bool port_read(const char *path, uint16_t *out_port)
{
    char address[160] = "";
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    bool is_read = fgets(address, sizeof address, file) != NULL;
    fclose(file);
    const char *colon = strrchr(address, ':');
    if (!is_read || colon == NULL)
        return false;
    *out_port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return *out_port != 0;
}

static enum cairn_status server_wait(struct server_process *server, const char *ready,
                                     const char *output, struct cairn_err *err)
{
    const struct timespec pause = {.tv_nsec = READY_POLL_MS * 1000000L};
    char line[400];
    bool is_well;

    for (int waited_ms = 0; waited_ms < READY_TIMEOUT_MS; waited_ms += READY_POLL_MS) {
        if (port_read(ready, &server->port))
            return CAIRN_OK;
        if (child_has_ended(server->pid, false, &is_well)) {
            server->pid = 0;
            break;
        }
        nanosleep(&pause, NULL);
    }
    last_line(output, line, sizeof line);
    return cairn_fail(err, CAIRN_IO, "cairn-server did not begin: %s", line);
}

/* True when it ended well. */
static bool server_end(struct server_process *server)
{
    bool is_well = true;

    if (server->pid == 0)
        return true;
    kill(server->pid, SIGTERM);
    child_has_ended(server->pid, true, &is_well);
    server->pid = 0;
    return is_well;
}

enum cairn_status server_process_start(const struct bench *bench, const char *store,
                                       struct server_process *out_server, struct cairn_err *err)
{
    char ready[PATH_MAX], output[PATH_MAX];
    const char *arguments[] = {"--store",      store, "--listen", "tcp://127.0.0.1:0",
                               "--ready-file", ready, NULL};
    struct server_process server = {0, 0};

    enum cairn_status status = bench_path(bench, "server.ready", ready, err);
    if (status == CAIRN_OK)
        status = bench_path(bench, "server.log", output, err);
    if (status != CAIRN_OK)
        return status;
    unlink(ready);
    int fd = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    status = child_start(bench->server_program, arguments, fd, fd, &server.pid, err);
    if (fd >= 0)
        close(fd);
    if (status == CAIRN_OK)
        status = server_wait(&server, ready, output, err);
    if (status == CAIRN_OK)
        *out_server = server;
    else
        server_end(&server);
    return status;
}

enum cairn_status server_process_stop(struct server_process *server, struct cairn_err *err)
{
    if (server_end(server))
        return CAIRN_OK;
    return cairn_fail(err, CAIRN_IO, "cairn-server did not end well");
}

/* ---- programs that end by themselves ------------------------------------------------------- */

enum cairn_status process_run(const struct bench *bench, const char *name,
                              const char *const *arguments, struct cairn_err *err)
{
    char program[PATH_MAX], output[PATH_MAX], line[400];
    const char *slash = strrchr(bench->program, '/');
    bool is_well = false;
    pid_t pid;

    int size = snprintf(program, sizeof program, "%.*s/%s", (int)(slash - bench->program),
                        bench->program, name);
    if (size < 0 || (size_t)size >= sizeof program)
        return cairn_fail(err, CAIRN_LIMIT, "the name of this program's folder is too long");
    enum cairn_status status = bench_path(bench, "program.log", output, err);
    if (status != CAIRN_OK)
        return status;
    int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    status = child_start(program, arguments, fd, fd, &pid, err);
    if (fd >= 0)
        close(fd);
    if (status != CAIRN_OK)
        return status;
    child_has_ended(pid, true, &is_well);
    if (is_well)
        return CAIRN_OK;
    last_line(output, line, sizeof line);
    return cairn_fail(err, CAIRN_IO, "%s did not end well: %s", name, line);
}

/* ---- this program, asked ------------------------------------------------------------------- */

enum cairn_status process_ask(const struct bench *bench, const char *const *arguments,
                              uint64_t *out_number, struct cairn_err *err)
{
    char text[64] = "";
    int ends[2];
    pid_t pid;
    bool is_well = false;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return cairn_fail(err, CAIRN_IO, "no pipe: %s", strerror(errno));
    enum cairn_status status = child_start(bench->program, arguments, ends[1], -1, &pid, err);
    close(ends[1]);
    if (status == CAIRN_OK) {
        ssize_t size = read(ends[0], text, sizeof text - 1);
        child_has_ended(pid, true, &is_well);
        if (size <= 0 || !is_well)
            status = cairn_fail(err, CAIRN_IO, "%s could not be measured", arguments[0]);
        else
            *out_number = strtoull(text, NULL, 10);
    }
    close(ends[0]);
    return status;
}
