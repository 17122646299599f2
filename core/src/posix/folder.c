#define _DEFAULT_SOURCE /* flock(2) is BSD's, not POSIX's */

#include "cairn/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cairn/utf8.h"

#define LOCK_FILE "lock"
#define OWNER_MAX 128 /* bytes of "PID NAME" */

static enum cairn_status lock_open(const char *path, int *out_fd, struct cairn_err *err)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 && (errno == ENOENT || errno == ENOTDIR))
        return cairn_fail(err, CAIRN_NOT_FOUND, "There is no folder %s.", path);
    if (folder < 0)
        return cairn_fail(err, CAIRN_IO, "The folder %s cannot be opened: %s.", path,
                          strerror(errno));
    int fd = openat(folder, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = errno;
    close(folder);
    if (fd < 0)
        return cairn_fail(err, CAIRN_IO, "The lock file in %s cannot be opened: %s.", path,
                          strerror(error));
    *out_fd = fd;
    return CAIRN_OK;
}

static bool is_printable(struct cairn_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < ' ' || text.data[i] == 0x7f)
            return false;
    return cairn_utf8_check(text, NULL);
}

/*
 * Say who holds the lock. The note in the file is only that, a note: its writer may not have come
 * to write it yet, or it may be anything, and the refusal stands without it.
 */
static enum cairn_status refusal_tell(int fd, const char *path, struct cairn_err *err)
{
    char note[OWNER_MAX + 1] = {0};
    char *name = note;
    ssize_t size = pread(fd, note, OWNER_MAX, 0);

    if (size > 0)
        note[strcspn(note, "\n")] = '\0';
    unsigned long pid = strtoul(note, &name, 10);
    if (pid == 0 || name[0] != ' ' || name[1] == '\0' ||
        !is_printable(cairn_bytes_of_text(name + 1)))
        return cairn_fail(
            err, CAIRN_LOCKED,
            "The folder %s is in use by another process. Nothing was written; stop it "
            "first, or use another device's store.",
            path);
    return cairn_fail(
        err, CAIRN_LOCKED,
        "The folder %s is in use by %s, process %lu. Nothing was written; stop it first, "
        "or use another device's store.",
        path, name + 1, pid);
}

/* A note that cannot be written, on a full disk say, costs a name in a message, not the lock. */
static void owner_note(int fd, const char *owner)
{
    char note[OWNER_MAX + 1];
    int wanted = snprintf(note, sizeof(note), "%ld %s\n", (long)getpid(), owner);

    if (wanted < 0 || ftruncate(fd, 0) != 0)
        return;
    size_t size = (size_t)wanted < sizeof(note) ? (size_t)wanted : sizeof(note) - 1;
    if (pwrite(fd, note, size, 0) < 0)
        return;
}

enum cairn_status cairn_folder_lock(const char *path, const char *owner,
                                    struct cairn_folder_lock *out_lock, struct cairn_err *err)
{
    int fd = -1, rc;

    enum cairn_status status = lock_open(path, &fd, err);
    if (status != CAIRN_OK)
        return status;
    do
        rc = flock(fd, LOCK_EX | LOCK_NB);
    while (rc != 0 && errno == EINTR);
    if (rc != 0) {
        status = errno == EWOULDBLOCK
                     ? refusal_tell(fd, path, err)
                     : cairn_fail(err, CAIRN_IO, "The folder %s cannot be locked: %s.", path,
                                  strerror(errno));
        close(fd);
        return status;
    }
    owner_note(fd, owner);
    out_lock->fd = fd;
    return CAIRN_OK;
}

/* The file stays: were it removed, two processes could hold locks on two files of one name. */
void cairn_folder_unlock(struct cairn_folder_lock *lock)
{
    if (lock->fd < 0)
        return;
    if (ftruncate(lock->fd, 0) != 0) {
        /* The note outlives its owner, and the next owner replaces it. */
    }
    close(lock->fd);
    lock->fd = -1;
}
