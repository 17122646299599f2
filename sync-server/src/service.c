#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void service_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof name.sun_path)
        return;
    memcpy(name.sun_path, path, strlen(path));
    if (path[0] == '@')
        name.sun_path[0] = '\0'; /* Linux's abstract names */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    ssize_t sent =
        sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&name, size);
    (void)sent;
    close(fd);
}

/* A line into a new file; false with errno. */
static bool write_line(const char *path, const char *line)
{
    size_t size = strlen(line);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (fd < 0)
        return false;
    ssize_t written = write(fd, line, size);
    int error = written < 0 ? errno : ENOSPC; /* cut short: there was room for so much */
    bool is_closed = close(fd) == 0;
    if (written != (ssize_t)size)
        errno = error;
    return written == (ssize_t)size && is_closed;
}

enum cairn_status service_ready_file(const char *path, const char *address, struct cairn_err *err)
{
    char temporary[4096], line[256];
    int size = snprintf(temporary, sizeof temporary, "%s.new", path);

    if (size < 0 || (size_t)size >= sizeof temporary)
        return cairn_fail(err, CAIRN_IO, "cannot write %s: %s", path, strerror(ENAMETOOLONG));
    size = snprintf(line, sizeof line, "%s\n", address);
    CAIRN_ASSERT(size > 0 && (size_t)size < sizeof line); /* of an IP address and a port */
    /* Renamed into place: a script that waits for the file never reads half of it. */
    if (write_line(temporary, line) && rename(temporary, path) == 0)
        return CAIRN_OK;
    int error = errno;
    unlink(temporary);
    return cairn_fail(err, CAIRN_IO, "cannot write %s: %s", path, strerror(error));
}

enum cairn_status service_passphrase_read(const char *path,
                                          struct service_passphrase *out_passphrase,
                                          struct cairn_err *err)
{
    struct service_passphrase passphrase = {.size = 0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = -1;

    if (fd >= 0) {
        /* read(2) rather than stdio, whose buffer would keep a copy. */
        while (passphrase.size < sizeof passphrase.bytes &&
               (got = read(fd, passphrase.bytes + passphrase.size,
                           sizeof passphrase.bytes - passphrase.size)) > 0)
            passphrase.size += (size_t)got;
        int error = errno;
        close(fd);
        errno = error;
    }
    if (got < 0) {
        service_passphrase_wipe(&passphrase);
        return cairn_fail(err, CAIRN_IO, "cannot read the passphrase in %s: %s", path,
                          strerror(errno));
    }
    size_t line_bytes = 0;
    while (line_bytes < passphrase.size && passphrase.bytes[line_bytes] != '\n' &&
           passphrase.bytes[line_bytes] != '\r')
        line_bytes++;
    passphrase.size = line_bytes;
    if (passphrase.size > SERVICE_PASSPHRASE_BYTES_MAX) {
        service_passphrase_wipe(&passphrase);
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s is no passphrase: it is longer than %d bytes",
                          path, SERVICE_PASSPHRASE_BYTES_MAX);
    }
    *out_passphrase = passphrase;
    service_passphrase_wipe(&passphrase);
    return CAIRN_OK;
}

void service_passphrase_wipe(struct service_passphrase *passphrase)
{
    sodium_memzero(passphrase, sizeof *passphrase);
}
