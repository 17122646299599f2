#define _XOPEN_SOURCE 700 /* realpath(3) */

#include "cairn/ports.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KEY_FILE "key"
#define MACHINE_ID_FILE "/etc/machine-id"
#define MACHINE_ID_MAX 64
#define NEW_SUFFIX ".new"
#define MARK_NAME_DIGITS 16
#define NAME_BYTES 264 /* a file name and NEW_SUFFIX */

struct posix_ports {
    struct cairn_ports base;
    char *folder;      /* the store's real path */
    char *mark_folder; /* made when the first mark is saved */
    char mark_name[NAME_BYTES];
};

static struct posix_ports *posix_of(struct cairn_ports *ports)
{
    return (struct posix_ports *)(void *)ports; /* `base` stands first */
}

static enum cairn_status status_of_errno(int error)
{
    if (error == ENOSPC || error == EDQUOT)
        return CAIRN_NO_SPACE;
    return error == ENOENT ? CAIRN_NOT_FOUND : CAIRN_IO;
}

/* ---- small files ---- */

/* At most `size` bytes into `out`; less only at the end of the file. */
static enum cairn_status read_some(int fd, uint8_t *out, size_t size, size_t *out_size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = read(fd, out + done, size - done);
        if (got == 0)
            break;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return CAIRN_IO;
        done += (size_t)got;
    }
    *out_size = done;
    return CAIRN_OK;
}

/* Append the file to `out`. LIMIT when it has more than `size_max` bytes. */
static enum cairn_status file_load(const char *folder, const char *name, size_t size_max,
                                   struct cairn_writer *out)
{
    uint8_t buffer[CAIRN_MARK_MAX + 1];
    size_t size;

    CAIRN_ASSERT(size_max < sizeof(buffer));
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return status_of_errno(errno);
    int fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC);
    int error = errno;
    close(folder_fd);
    if (fd < 0)
        return status_of_errno(error);

    enum cairn_status status = read_some(fd, buffer, size_max + 1, &size);
    close(fd);
    if (status == CAIRN_OK && size > size_max)
        status = CAIRN_LIMIT;
    if (status == CAIRN_OK)
        cairn_write_bytes(out, buffer, size);
    sodium_memzero(buffer, sizeof(buffer)); /* it may have been a key */
    return status;
}

static enum cairn_status write_all(int fd, struct cairn_bytes bytes)
{
    size_t done = 0;

    while (done < bytes.size) {
        ssize_t put = write(fd, bytes.data + done, bytes.size - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return status_of_errno(errno);
        done += (size_t)put;
    }
    return CAIRN_OK;
}

/*
 * A new file of that name. One that stands there is what a crash left, since only the holder of the
 * store's write lock saves; one fixed name, so that no heap of leftovers with old keys can grow.
 */
static int new_open(int folder_fd, const char *name)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    int fd = openat(folder_fd, name, flags, 0600);

    if (fd < 0 && errno == EEXIST && unlinkat(folder_fd, name, 0) == 0)
        fd = openat(folder_fd, name, flags, 0600);
    return fd;
}

static enum cairn_status new_write(int folder_fd, const char *name, struct cairn_bytes bytes,
                                   bool sync)
{
    int fd = new_open(folder_fd, name);
    if (fd < 0)
        return status_of_errno(errno);
    enum cairn_status status = write_all(fd, bytes);
    if (status == CAIRN_OK && sync && fsync(fd) != 0)
        status = status_of_errno(errno);
    /* Some file systems report a full disk no earlier than here. */
    if (close(fd) != 0 && status == CAIRN_OK)
        status = status_of_errno(errno);
    return status;
}

/*
 * Replace the file in one step: a crash leaves the old bytes or the new ones. Without `sync` a
 * power cut may also leave an empty file; the caller then takes what it finds as it takes no file.
 */
static enum cairn_status file_save_in(int folder_fd, const char *name, struct cairn_bytes bytes,
                                      bool sync)
{
    char new_name[NAME_BYTES];
    int wanted = snprintf(new_name, sizeof(new_name), "%s" NEW_SUFFIX, name);

    if (wanted < 0 || (size_t)wanted >= sizeof(new_name))
        return CAIRN_IO;
    enum cairn_status status = new_write(folder_fd, new_name, bytes, sync);
    /*
     * ext4 writes a file out at once when it is renamed over another, at the price of a whole
     * commit. Without `sync` that is not asked for: the old name goes first, and a reader who finds
     * no file looks for the new one under its first name.
     */
    if (status == CAIRN_OK && !sync)
        (void)unlinkat(folder_fd, name, 0);
    if (status == CAIRN_OK && renameat(folder_fd, new_name, folder_fd, name) != 0)
        status = status_of_errno(errno);
    if (status != CAIRN_OK)
        (void)unlinkat(folder_fd, new_name, 0);
    else if (sync && fsync(folder_fd) != 0)
        status = status_of_errno(errno);
    return status;
}

static enum cairn_status file_save(const char *folder, const char *name, struct cairn_bytes bytes,
                                   bool sync)
{
    int folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder_fd < 0)
        return CAIRN_IO;
    enum cairn_status status = file_save_in(folder_fd, name, bytes, sync);
    close(folder_fd);
    return status == CAIRN_NOT_FOUND ? CAIRN_IO : status;
}

static bool is_folder(const char *path)
{
    struct stat stat_buf;

    return stat(path, &stat_buf) == 0 && S_ISDIR(stat_buf.st_mode);
}

/* Make one folder, mode 0700. A name is durable once the folder that holds it was synced. */
static enum cairn_status folder_make_one(const char *path)
{
    if (mkdir(path, 0700) != 0) {
        enum cairn_status status = status_of_errno(errno);
        if (is_folder(path))
            return CAIRN_OK;
        return status == CAIRN_NO_SPACE ? status : CAIRN_IO;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int parent = fd < 0 ? -1 : openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = parent >= 0 && fsync(parent) == 0;
    if (parent >= 0)
        close(parent);
    if (fd >= 0)
        close(fd);
    return is_synced ? CAIRN_OK : CAIRN_IO;
}

/* Make `path` and every folder above it that is missing. */
static enum cairn_status folder_make(const char *path)
{
    char prefix[PATH_MAX];
    size_t size = strlen(path);

    if (size >= sizeof(prefix))
        return CAIRN_IO;
    memcpy(prefix, path, size + 1);
    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        prefix[i] = '\0';
        enum cairn_status status = folder_make_one(prefix);
        if (status != CAIRN_OK)
            return status;
        prefix[i] = path[i];
    }
    return CAIRN_OK;
}

/* ---- the entries of the port ---- */

static uint64_t posix_now_s(struct cairn_ports *ports)
{
    struct timespec now;

    (void)ports;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0 || now.tv_sec < 0)
        return 0; /* a clock before 1970; time orders nothing, so any answer does */
    return (uint64_t)now.tv_sec;
}

static void posix_random(struct cairn_ports *ports, void *out, size_t size)
{
    (void)ports;
    randombytes_buf(out, size);
}

static enum cairn_status posix_key_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    return file_load(posix_of(ports)->folder, KEY_FILE, CAIRN_KEY_FILE_MAX, out);
}

static enum cairn_status posix_key_save(struct cairn_ports *ports, struct cairn_bytes bytes)
{
    const struct posix_ports *posix = posix_of(ports);
    char path[PATH_MAX];
    struct stat stat_buf;
    int wanted = snprintf(path, sizeof(path), "%s/" KEY_FILE, posix->folder);

    if (wanted < 0 || (size_t)wanted >= sizeof(path))
        return CAIRN_IO;
    /* Two who save at once are kept apart by the store's write lock. */
    if (lstat(path, &stat_buf) == 0)
        return CAIRN_EXISTS;
    if (errno != ENOENT)
        return CAIRN_IO;
    return file_save(posix->folder, KEY_FILE, bytes, true);
}

static enum cairn_status posix_mark_load(struct cairn_ports *ports, struct cairn_writer *out)
{
    const struct posix_ports *posix = posix_of(ports);
    char new_name[NAME_BYTES + sizeof(NEW_SUFFIX)];

    enum cairn_status status = file_load(posix->mark_folder, posix->mark_name, CAIRN_MARK_MAX, out);
    if (status != CAIRN_NOT_FOUND)
        return status;
    snprintf(new_name, sizeof(new_name), "%s" NEW_SUFFIX, posix->mark_name);
    return file_load(posix->mark_folder, new_name, CAIRN_MARK_MAX, out);
}

static enum cairn_status posix_mark_save(struct cairn_ports *ports, struct cairn_bytes bytes,
                                         bool sync)
{
    const struct posix_ports *posix = posix_of(ports);

    enum cairn_status status =
        is_folder(posix->mark_folder) ? CAIRN_OK : folder_make(posix->mark_folder);
    return status == CAIRN_OK ? file_save(posix->mark_folder, posix->mark_name, bytes, sync)
                              : status;
}

/* The machine's id as text, without the line's end; empty where the machine has none. */
static size_t machine_id(uint8_t out_id[static MACHINE_ID_MAX])
{
    size_t size = 0;
    int fd = open(MACHINE_ID_FILE, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    if (read_some(fd, out_id, MACHINE_ID_MAX, &size) != CAIRN_OK)
        size = 0;
    close(fd);
    while (size > 0 && (out_id[size - 1] == '\n' || out_id[size - 1] == ' '))
        size--;
    return size;
}

/*
 * The machine's id and the number of the folder's inode. A copy of the folder, on this machine or
 * on another, has another place, even under the old name; the folder itself keeps its place when it
 * is renamed or mounted elsewhere. Left out on purpose: the path (it changes when nothing was
 * copied), the device number (the kernel gives another one at the next start, to USB disks and
 * volumes), the inode's change time (every chmod moves it). What this cannot see, files copied back
 * into the same folder, the high-water mark sees.
 */
static enum cairn_status posix_place(struct cairn_ports *ports, struct cairn_writer *out)
{
    uint8_t id[MACHINE_ID_MAX];
    struct stat stat_buf;

    if (stat(posix_of(ports)->folder, &stat_buf) != 0)
        return CAIRN_IO;
    cairn_write_bytes(out, id, machine_id(id));
    cairn_write_u64be(out, stat_buf.st_ino);
    return CAIRN_OK;
}

static void posix_free(struct cairn_ports *ports)
{
    struct posix_ports *posix = posix_of(ports);

    free(posix->folder);
    free(posix->mark_folder);
    free(posix);
}

static const struct cairn_ports_ops posix_ops = {
    .now_s = posix_now_s,
    .random = posix_random,
    .key_load = posix_key_load,
    .key_save = posix_key_save,
    .mark_load = posix_mark_load,
    .mark_save = posix_mark_save,
    .place = posix_place,
    .free = posix_free,
};

/* ---- making it ---- */

/* `head` and `tail` as one text; NULL: no memory. */
static char *text_join(const char *head, const char *tail)
{
    size_t head_bytes = strlen(head), tail_bytes = strlen(tail);
    char *text = malloc(head_bytes + tail_bytes + 1);

    if (text != NULL) {
        memcpy(text, head, head_bytes);
        memcpy(text + head_bytes, tail, tail_bytes + 1);
    }
    return text;
}

/*
 * The real path of a folder that may not have been made yet; then its parent must be there.
 * NULL: see errno.
 */
static char *real_path(const char *path)
{
    char *real = realpath(path, NULL);
    char *copy, *parent, *slash;

    if (real != NULL || errno != ENOENT || (copy = text_join("", path)) == NULL)
        return real;
    size_t size = strlen(copy);
    while (size > 1 && copy[size - 1] == '/')
        copy[--size] = '\0';
    slash = strrchr(copy, '/');
    const char *name = slash == NULL ? copy : slash + 1;
    if (slash == copy) {
        parent = text_join("", "");
    } else {
        if (slash != NULL)
            *slash = '\0';
        parent = realpath(slash == NULL ? "." : copy, NULL);
    }
    char *folder = parent == NULL ? NULL : text_join(parent, "/");
    real = folder == NULL ? NULL : text_join(folder, name);
    free(folder);
    free(parent);
    free(copy);
    return real;
}

/* The first 16 hex digits of H(the store's real path): short, and another one for every store. */
static void mark_name_of(const char *folder, char out_name[static MARK_NAME_DIGITS + 1])
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    crypto_hash_sha256(hash, (const uint8_t *)folder, strlen(folder));
    sodium_bin2hex(out_name, MARK_NAME_DIGITS + 1, hash, MARK_NAME_DIGITS / 2);
}

/*
 * Where the mark lies: the user's state folder (XDG Base Directory Specification, which has a
 * relative path ignored), or beside the store for a user who has no home, as many services.
 */
static enum cairn_status mark_place(struct posix_ports *posix)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    mark_name_of(posix->folder, posix->mark_name);
    if (state != NULL && state[0] == '/') {
        posix->mark_folder = text_join(state, "/cairn");
    } else if (home != NULL && home[0] == '/' && is_folder(home)) {
        posix->mark_folder = text_join(home, "/.local/state/cairn");
    } else {
        const char *slash = strrchr(posix->folder, '/'); /* a real path has one */
        int wanted = snprintf(posix->mark_name, sizeof(posix->mark_name), "%s.mark", slash + 1);
        if (wanted < 0 || (size_t)wanted >= sizeof(posix->mark_name))
            return CAIRN_IO;
        posix->mark_folder = text_join("", posix->folder);
        if (posix->mark_folder !=
            NULL) /* up to the last slash; of "/name" the slash itself stays */
            posix->mark_folder[slash == posix->folder ? 1 : slash - posix->folder] = '\0';
    }
    return posix->mark_folder == NULL ? CAIRN_NO_MEMORY : CAIRN_OK;
}

enum cairn_status cairn_ports_posix_new(const char *path, struct cairn_ports **out_ports,
                                        struct cairn_err *err)
{
    if (sodium_init() < 0)
        return cairn_fail(err, CAIRN_IO, "This machine gives no random numbers.");
    struct posix_ports *posix = calloc(1, sizeof(*posix));
    if (posix == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, "There is no memory to open %s.", path);
    posix->base.ops = &posix_ops;
    posix->folder = real_path(path);
    if (posix->folder == NULL) {
        int error = errno;
        posix_free(&posix->base);
        return cairn_fail(err, error == ENOMEM ? CAIRN_NO_MEMORY : CAIRN_IO,
                          "The folder %s cannot be found: %s.", path, strerror(error));
    }
    enum cairn_status status = mark_place(posix);
    if (status != CAIRN_OK) {
        posix_free(&posix->base);
        return cairn_fail(err, status, "There is no place to keep the mark of %s.", path);
    }
    *out_ports = &posix->base;
    return CAIRN_OK;
}
