#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "i18n.h"

#define READ_STEP_BYTES 65536

static enum cairn_status fail_read(const char *path, int number, struct cairn_err *err)
{
    return cairn_fail(err, CAIRN_BAD_INPUT, N_("cannot read %s: %s"), path, strerror(number));
}

/* Read to the end; the size that fstat tells would be wrong for pipes. */
static enum cairn_status read_stream(FILE *stream, const char *path, size_t limit_bytes,
                                     char **text, size_t *out_size, struct cairn_err *err)
{
    size_t capacity = 0;
    size_t size = 0;

    do {
        if (size + 1 >= capacity) {
            capacity = capacity == 0 ? READ_STEP_BYTES : capacity * 2;
            char *larger = realloc(*text, capacity);
            if (larger == NULL)
                return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for %s"), path);
            *text = larger;
        }
        size += fread(*text + size, 1, capacity - size - 1, stream);
        if (size > limit_bytes)
            return cairn_fail(err, CAIRN_BAD_INPUT, N_("%s is larger than %zu bytes"), path,
                              limit_bytes);
    } while (feof(stream) == 0 && ferror(stream) == 0);
    if (ferror(stream) != 0)
        return fail_read(path, errno, err);
    (*text)[size] = '\0';
    *out_size = size;
    return CAIRN_OK;
}

enum cairn_status files_read(const char *path, size_t limit_bytes, char **out_text,
                             size_t *out_size, struct cairn_err *err)
{
    FILE *stream = fopen(path, "rbe");
    char *text = NULL;

    if (stream == NULL)
        return fail_read(path, errno, err);
    enum cairn_status status = read_stream(stream, path, limit_bytes, &text, out_size, err);
    fclose(stream);
    if (status != CAIRN_OK) {
        free(text);
        return status;
    }
    *out_text = text;
    return CAIRN_OK;
}

static enum cairn_status fail_write(const char *path, int number, struct cairn_err *err)
{
    return cairn_fail(err, number == ENOSPC || number == EDQUOT ? CAIRN_NO_SPACE : CAIRN_IO,
                      N_("cannot write %s: %s"), path, strerror(number));
}

/* The disk's fault, or a name where nobody may write. */
static enum cairn_status fail_create(const char *path, int number, struct cairn_err *err)
{
    if (number == ENOSPC || number == EDQUOT || number == EROFS || number == EIO)
        return fail_write(path, number, err);
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      N_("cannot write %s: %s. Nothing was written; name another file or folder."),
                      path, strerror(number));
}

enum cairn_status files_check_target(const char *path, struct cairn_err *err)
{
    struct stat info;

    if (lstat(path, &info) != 0 || S_ISREG(info.st_mode))
        return CAIRN_OK;
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      N_("%s is no regular file but a folder, a link, a pipe or a device: name "
                         "another file. Nothing was written."),
                      path);
}

/* mkostemp() lets the owner alone read; a file has the mode that open() would give it. Sticks
 * whose file system has no modes refuse, which does no harm. */
static void give_mode(int fd)
{
    mode_t mask = umask(0);

    umask(mask);
    (void)!fchmod(fd, 0666 & ~mask);
}

/* Beside the target, under a name that no file of the user has. */
static int open_temporary(struct file_writer *writer)
{
    int fd = mkostemp(writer->temporary, O_CLOEXEC);

    if (fd >= 0)
        give_mode(fd);
    return fd;
}

enum cairn_status file_writer_open(struct file_writer *writer, const char *path,
                                   struct cairn_err *err)
{
    enum cairn_status status = files_check_target(path, err);

    *writer = (struct file_writer){.fd = -1};
    if (status != CAIRN_OK)
        return status;
    writer->path = strdup(path);
    if (writer->path == NULL || asprintf(&writer->temporary, "%s.XXXXXX", path) < 0) {
        writer->temporary = NULL;
        file_writer_abort(writer);
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for %s"), path);
    }
    writer->fd = open_temporary(writer);
    if (writer->fd < 0) {
        int number = errno;
        file_writer_abort(writer);
        return fail_create(path, number, err);
    }
    writer->is_open = true;
    return CAIRN_OK;
}

static void write_out(struct file_writer *writer, const uint8_t *bytes, size_t size)
{
    while (size > 0 && writer->error == 0) {
        ssize_t written = write(writer->fd, bytes, size);
        if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            writer->error = written == 0 ? EIO : errno;
        }
    }
}

static void flush(struct file_writer *writer)
{
    write_out(writer, writer->buffer, writer->pending_bytes);
    writer->pending_bytes = 0;
}

bool file_writer_add(struct file_writer *writer, struct cairn_bytes bytes)
{
    if (bytes.size > sizeof writer->buffer - writer->pending_bytes)
        flush(writer);
    if (bytes.size > sizeof writer->buffer) {
        write_out(writer, bytes.data, bytes.size);
    } else if (bytes.size > 0) {
        memcpy(writer->buffer + writer->pending_bytes, bytes.data, bytes.size);
        writer->pending_bytes += bytes.size;
    }
    return writer->error == 0;
}

/* The name is durable only when the folder is: sticks are pulled out early. */
static bool sync_folder_of(char *path)
{
    int folder = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return false;
    /* Some file systems of sticks cannot sync a folder; they say EINVAL. */
    bool synced = fsync(folder) == 0 || errno == EINVAL;
    close(folder);
    return synced;
}

/* On disk, closed and named; the errno of what refused, or 0. */
static int finish(struct file_writer *writer)
{
    flush(writer);
    if (writer->error == 0 && fsync(writer->fd) != 0)
        writer->error = errno;
    if (close(writer->fd) != 0 && writer->error == 0)
        writer->error = errno;
    writer->is_open = false;
    if (writer->error == 0 && rename(writer->temporary, writer->path) != 0)
        writer->error = errno;
    return writer->error;
}

enum cairn_status file_writer_commit(struct file_writer *writer, struct cairn_err *err)
{
    enum cairn_status status = CAIRN_OK;
    int number = finish(writer);

    if (number != 0) {
        unlink(writer->temporary);
        status = fail_write(writer->path, number, err);
    } else if (!sync_folder_of(writer->temporary))
        status = fail_write(writer->path, errno, err);
    file_writer_abort(writer);
    return status;
}

void file_writer_abort(struct file_writer *writer)
{
    if (writer->is_open) {
        close(writer->fd);
        unlink(writer->temporary);
    }
    free(writer->path);
    free(writer->temporary);
    writer->is_open = false;
    writer->path = NULL;
    writer->temporary = NULL;
}

enum cairn_status files_write(const char *path, struct cairn_bytes bytes, struct cairn_err *err)
{
    struct file_writer writer;
    enum cairn_status status = file_writer_open(&writer, path, err);

    if (status != CAIRN_OK)
        return status;
    (void)file_writer_add(&writer, bytes); /* the writer remembers; commit asks it */
    return file_writer_commit(&writer, err);
}
