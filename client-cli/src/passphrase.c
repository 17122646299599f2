#include "passphrase.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "files.h"
#include "i18n.h"

#define KEY_INTERRUPT 0x03
#define KEY_END 0x04
#define KEY_BACKSPACE 0x08
#define KEY_KILL 0x15
#define KEY_DELETE 0x7f

void passphrase_release(struct passphrase *passphrase)
{
    explicit_bzero(passphrase, sizeof *passphrase);
}

struct cairn_bytes passphrase_bytes(const struct passphrase *passphrase)
{
    if (passphrase->size == 0)
        return (struct cairn_bytes){NULL, 0};
    return (struct cairn_bytes){(const uint8_t *)passphrase->text, passphrase->size};
}

bool passphrase_equal(const struct passphrase *a, const struct passphrase *b)
{
    /* Both were typed by the same person a moment ago: time tells nobody anything. */
    return a->size == b->size && memcmp(a->text, b->text, a->size) == 0;
}

const char *passphrase_file(const char *option)
{
    const char *path = option != NULL ? option : getenv("CAIRN_PASSPHRASE_FILE");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

enum cairn_status passphrase_read(struct passphrase *passphrase, const char *path,
                                  struct cairn_err *err)
{
    char *text = NULL;
    size_t size = 0;
    enum cairn_status status = files_read(path, FILES_SMALL_MAX, &text, &size, err);

    if (status != CAIRN_OK)
        return status;
    size_t line_size = strcspn(text, "\r\n");
    if (line_size == 0 || line_size > PASSPHRASE_MAX) {
        status = cairn_fail(err, CAIRN_BAD_INPUT,
                            N_("the first line of %s must hold the passphrase, 1 to %d bytes"),
                            path, PASSPHRASE_MAX);
    } else {
        memcpy(passphrase->text, text, line_size);
        passphrase->text[line_size] = '\0';
        passphrase->size = line_size;
    }
    explicit_bzero(text, size);
    free(text);
    return status;
}

/* Take off the last character, all bytes of it. */
static void drop_last(struct passphrase *passphrase)
{
    while (passphrase->size > 0) {
        unsigned char byte = (unsigned char)passphrase->text[--passphrase->size];
        if ((byte & 0xc0) != 0x80)
            return;
    }
}

/* Read keys until Enter; false when the person gave up. The terminal hands out single keys, signals
 * off: so no handler is needed to bring the echo back. */
static bool read_keys(struct passphrase *passphrase)
{
    for (;;) {
        unsigned char key;
        ssize_t count = read(STDIN_FILENO, &key, 1);

        if (count < 0 && errno == EINTR)
            continue;
        if (count != 1 || key == KEY_INTERRUPT || (key == KEY_END && passphrase->size == 0))
            return false;
        if (key == '\n' || key == '\r')
            return true;
        if (key == KEY_BACKSPACE || key == KEY_DELETE)
            drop_last(passphrase);
        else if (key == KEY_KILL)
            passphrase->size = 0;
        else if (key >= 0x20 && passphrase->size < PASSPHRASE_MAX)
            passphrase->text[passphrase->size++] = (char)key;
    }
}

static void show(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored; /* the answer does not depend on whether the question was seen */
}

enum cairn_status passphrase_ask(struct passphrase *passphrase, const char *question,
                                 struct cairn_err *err)
{
    struct termios before, silent;

    passphrase->size = 0;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return cairn_fail(err, CAIRN_IO, N_("cannot turn off the echo of this terminal: %s"),
                          strerror(errno));
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG);
    silent.c_cc[VMIN] = 1;
    silent.c_cc[VTIME] = 0;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0)
        return cairn_fail(err, CAIRN_IO, N_("cannot turn off the echo of this terminal: %s"),
                          strerror(errno));
    /* Only now: flushing drops what was typed before, and nothing may be typed that is seen. */
    show(question);
    show(" ");
    bool done = read_keys(passphrase);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    show("\n");
    passphrase->text[passphrase->size] = '\0';
    if (!done || passphrase->size == 0)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("no passphrase was given. Nothing was changed."));
    return CAIRN_OK;
}
