/*
 * passphrase.h: the passphrase of the device's key, from a file or from the keyboard without echo.
 *
 * Memory:  in the caller's struct; passphrase_release() wipes it. Effects: terminal, files.
 */

#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "cairn/base.h"
#include "cairn/bytes.h"

#define PASSPHRASE_MAX 1024

struct passphrase {
    char text[PASSPHRASE_MAX + 1];
    size_t size; /* 0: none */
};

void passphrase_release(struct passphrase *passphrase);
struct cairn_bytes passphrase_bytes(const struct passphrase *passphrase);
/* The file that --passphrase-file (`option`, may be NULL) or CAIRN_PASSPHRASE_FILE names; NULL for
 * none. */
const char *passphrase_file(const char *option);
/* The first line of `path`. BAD_INPUT: unreadable, empty or too long. */
CAIRN_NODISCARD
enum cairn_status passphrase_read(struct passphrase *passphrase, const char *path,
                                  struct cairn_err *err);
/* Ask at the terminal. BAD_INPUT: nothing typed, Ctrl-C or the end of input; IO. */
CAIRN_NODISCARD
enum cairn_status passphrase_ask(struct passphrase *passphrase, const char *question,
                                 struct cairn_err *err);
bool passphrase_equal(const struct passphrase *a, const struct passphrase *b);

#endif
