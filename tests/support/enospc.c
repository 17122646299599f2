/*
 * A disk that fills up, for machines where a test may not mount one. Preload it or link it in.
 *
 * Writes that make a regular file longer are charged to an allowance; the one that exceeds it is
 * cut short and the next fails with ENOSPC, as a kernel does it. Writing over what is there is
 * free. The allowance starts at CAIRN_ENOSPC_AFTER (bytes; unset: no end) and can be set while
 * running with enospc_allow(). enospc_fail() makes every write and sync fail with an errno of
 * choice. Standard input, output and error are left alone.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "enospc.h"

static atomic_llong allowance = LLONG_MAX;
static atomic_int failure;

__attribute__((constructor)) static void enospc_start(void)
{
    const char *given = getenv("CAIRN_ENOSPC_AFTER");

    if (given != NULL)
        enospc_allow(strtoll(given, NULL, 10));
}

void enospc_allow(long long bytes)
{
    atomic_store(&allowance, bytes < 0 ? LLONG_MAX : bytes);
}

void enospc_fail(int error)
{
    atomic_store(&failure, error);
}

/* The C library's own function; ISO C has no cast from an object to a function pointer. */
static void find_next(const char *name, void *out_function)
{
    void *found = dlsym(RTLD_NEXT, name);

    memcpy(out_function, &found, sizeof found);
}

/* How many of `size` bytes at `at` may be written; -1 with errno when none may. */
static ssize_t may_write(int fd, size_t size, off_t at)
{
    struct stat stat;
    int error = atomic_load(&failure);

    if (fd <= STDERR_FILENO || fstat(fd, &stat) != 0 || !S_ISREG(stat.st_mode) || at < 0)
        return (ssize_t)size;
    if (error != 0) {
        errno = error;
        return -1;
    }
    long long growth = (long long)at + (long long)size - (long long)stat.st_size;
    long long left = atomic_load(&allowance);
    if (growth <= 0 || left == LLONG_MAX)
        return (ssize_t)size;
    long long cut = growth > left ? growth - left : 0;
    if (cut >= (long long)size) {
        errno = ENOSPC;
        return -1;
    }
    atomic_fetch_sub(&allowance, growth - cut);
    return (ssize_t)((long long)size - cut);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t (*next)(int, const void *, size_t, off_t);
    ssize_t allowed = may_write(fd, size, at);

    find_next("pwrite", &next);
    return allowed < 0 ? -1 : next(fd, bytes, (size_t)allowed, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    ssize_t (*next)(int, const void *, size_t);
    ssize_t allowed = may_write(fd, size, lseek(fd, 0, SEEK_CUR));

    find_next("write", &next);
    return allowed < 0 ? -1 : next(fd, bytes, (size_t)allowed);
}

/* Piece by piece, so that a cut may fall anywhere. */
ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    ssize_t total = 0;

    for (int i = 0; i < count; i++) {
        ssize_t written = write(fd, pieces[i].iov_base, pieces[i].iov_len);
        if (written < 0)
            return total > 0 ? total : -1;
        total += written;
        if ((size_t)written < pieces[i].iov_len)
            break;
    }
    return total;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t at)
{
    ssize_t total = 0;

    for (int i = 0; i < count; i++) {
        ssize_t written = pwrite(fd, pieces[i].iov_base, pieces[i].iov_len, at + total);
        if (written < 0)
            return total > 0 ? total : -1;
        total += written;
        if ((size_t)written < pieces[i].iov_len)
            break;
    }
    return total;
}

int ftruncate(int fd, off_t size)
{
    int (*next)(int, off_t);
    struct stat stat;

    find_next("ftruncate", &next);
    if (fstat(fd, &stat) == 0 && size > stat.st_size) {
        off_t growth = size - stat.st_size;
        ssize_t allowed = may_write(fd, (size_t)growth, stat.st_size);
        if (allowed >= 0 && allowed < growth)
            errno = ENOSPC;
        if (allowed < growth)
            return -1;
    }
    return next(fd, size);
}

/* What is to become longer by it; holes inside the file are free. Its result is the errno. */
int posix_fallocate(int fd, off_t at, off_t size)
{
    int (*next)(int, off_t, off_t);
    struct stat stat;

    find_next("posix_fallocate", &next);
    if (fstat(fd, &stat) == 0 && at + size > stat.st_size) {
        off_t growth = at + size - stat.st_size;
        ssize_t allowed = may_write(fd, (size_t)growth, stat.st_size);
        if (allowed < growth)
            return allowed < 0 ? errno : ENOSPC;
    }
    return next(fd, at, size);
}

static int sync_with(const char *name, int fd)
{
    int (*next)(int);
    int error = atomic_load(&failure);

    if (error != 0) {
        errno = error;
        return -1;
    }
    find_next(name, &next);
    return next(fd);
}

int fsync(int fd)
{
    return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_with("fdatasync", fd);
}

int fstatvfs(int fd, struct statvfs *out_stat)
{
    int (*next)(int, struct statvfs *);
    long long left = atomic_load(&allowance);

    find_next("fstatvfs", &next);
    int rc = next(fd, out_stat);
    if (rc == 0 && left != LLONG_MAX && out_stat->f_frsize > 0)
        out_stat->f_bavail = (fsblkcnt_t)left / out_stat->f_frsize;
    return rc;
}
