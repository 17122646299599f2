/*
 * A process that dies in the middle of its work: preloaded into a program, this counts the system
 * calls by which files change and ends the process with SIGKILL at a chosen one.
 *
 *   CAIRN_KILL_AT=N      die instead of making the N-th such call (from 1)
 *   CAIRN_KILL_TORN=1    when that call writes, write the first half of its bytes, then die
 *   CAIRN_KILL_LOG=FILE  append the name of every counted call, to see what was tried
 *
 * Counted: write, pwrite, writev, pwritev, ftruncate, posix_fallocate, fsync, fdatasync, msync,
 * rename, renameat, unlink, unlinkat, mkdir, and open or openat that may create. What goes to
 * standard output and error, to pipes and sockets is not: nothing on disk changes by it. What the C
 * library calls inside itself cannot be counted, so what the programs keep goes by none of its
 * streams.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long calls_left = -1;
static bool tears;
static int log_fd = -1;

/* The C library's own function; ISO C has no cast from an object to a function pointer. */
static void find_next(const char *name, void *out_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(out_function, &found, sizeof found);
}

__attribute__((constructor)) static void kill_start(void)
{
    const char *at = getenv("CAIRN_KILL_AT"), *log = getenv("CAIRN_KILL_LOG");
    int (*next)(const char *, int, ...);

    tears = getenv("CAIRN_KILL_TORN") != NULL;
    find_next("open", &next);
    if (log != NULL)
        log_fd = next(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (at != NULL)
        atomic_store(&calls_left, strtol(at, NULL, 10));
}

static void die(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Is this the call to die at? */
static bool is_last(const char *name)
{
    ssize_t (*next)(int, const void *, size_t);

    find_next("write", &next);
    if (log_fd >= 0 && (next(log_fd, name, strlen(name)) < 0 || next(log_fd, "\n", 1) < 0))
        die();
    return atomic_load(&calls_left) > 0 && atomic_fetch_sub(&calls_left, 1) == 1;
}

static void count(const char *name)
{
    if (is_last(name))
        die();
}

static bool is_file(int fd)
{
    struct stat stat;

    return fd > STDERR_FILENO && fd != log_fd && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
}

/* ---- writing ---- */

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);

    find_next("write", &next);
    if (is_file(fd) && is_last("write")) {
        if (tears && next(fd, bytes, size / 2) < 0)
            die();
        die();
    }
    return next(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t (*next)(int, const void *, size_t, off_t);

    find_next("pwrite", &next);
    if (is_file(fd) && is_last("pwrite")) {
        if (tears && next(fd, bytes, size / 2, at) < 0)
            die();
        die();
    }
    return next(fd, bytes, size, at);
}

/* The pieces that make the first half of the bytes; how many they are. */
static int half_of(const struct iovec *pieces, int piece_count, struct iovec *out_half)
{
    size_t left = 0;
    int count = 0;

    for (int i = 0; i < piece_count; i++)
        left += pieces[i].iov_len;
    for (left /= 2; count < piece_count && count < IOV_MAX && left > 0; count++) {
        out_half[count] = pieces[count];
        if (out_half[count].iov_len > left)
            out_half[count].iov_len = left;
        left -= out_half[count].iov_len;
    }
    return count;
}

ssize_t writev(int fd, const struct iovec *pieces, int piece_count)
{
    ssize_t (*next)(int, const struct iovec *, int);

    find_next("writev", &next);
    if (is_file(fd) && is_last("writev")) {
        struct iovec half[IOV_MAX];
        if (tears && next(fd, half, half_of(pieces, piece_count, half)) < 0)
            die();
        die();
    }
    return next(fd, pieces, piece_count);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int piece_count, off_t at)
{
    ssize_t (*next)(int, const struct iovec *, int, off_t);

    find_next("pwritev", &next);
    if (is_file(fd) && is_last("pwritev")) {
        struct iovec half[IOV_MAX];
        if (tears && next(fd, half, half_of(pieces, piece_count, half), at) < 0)
            die();
        die();
    }
    return next(fd, pieces, piece_count, at);
}

int ftruncate(int fd, off_t size)
{
    int (*next)(int, off_t);

    count("ftruncate");
    find_next("ftruncate", &next);
    return next(fd, size);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    int (*next)(int, off_t, off_t);

    count("posix_fallocate");
    find_next("posix_fallocate", &next);
    return next(fd, at, size);
}

/* ---- making it durable ---- */

int fsync(int fd)
{
    int (*next)(int);

    count("fsync");
    find_next("fsync", &next);
    return next(fd);
}

int fdatasync(int fd)
{
    int (*next)(int);

    count("fdatasync");
    find_next("fdatasync", &next);
    return next(fd);
}

int msync(void *start, size_t size, int flags)
{
    int (*next)(void *, size_t, int);

    count("msync");
    find_next("msync", &next);
    return next(start, size, flags);
}

/* ---- names ---- */

int rename(const char *from, const char *to)
{
    int (*next)(const char *, const char *);

    count("rename");
    find_next("rename", &next);
    return next(from, to);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    int (*next)(int, const char *, int, const char *);

    count("renameat");
    find_next("renameat", &next);
    return next(from_fd, from, to_fd, to);
}

int unlink(const char *path)
{
    int (*next)(const char *);

    count("unlink");
    find_next("unlink", &next);
    return next(path);
}

int unlinkat(int fd, const char *path, int flags)
{
    int (*next)(int, const char *, int);

    count("unlinkat");
    find_next("unlinkat", &next);
    return next(fd, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    int (*next)(const char *, mode_t);

    count("mkdir");
    find_next("mkdir", &next);
    return next(path, mode);
}

int open(const char *path, int flags, ...)
{
    int (*next)(const char *, int, ...);
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if ((flags & O_CREAT) != 0)
        count("open");
    find_next("open", &next);
    return next(path, flags, mode);
}

int openat(int fd, const char *path, int flags, ...)
{
    int (*next)(int, const char *, int, ...);
    va_list arguments;
    mode_t mode;

    va_start(arguments, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if ((flags & O_CREAT) != 0)
        count("openat");
    find_next("openat", &next);
    return next(fd, path, flags, mode);
}
