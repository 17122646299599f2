#include "shell.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* What no shell reads as anything but itself; bytes of other scripts are such too. */
static bool is_plain(const char *word)
{
    for (const unsigned char *at = (const unsigned char *)word; *at != '\0'; at++)
        if (*at < 0x80 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "_-+=.,:/@%",
                                 *at) == NULL)
            return false;
    return word[0] != '\0';
}

/* In single quotes, which only end before a single quote: that one stands alone, escaped. */
static char *quote(char *out, const char *word)
{
    *out++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'') {
            memcpy(out, "'\\''", 4);
            out += 4;
        } else {
            *out++ = *word;
        }
    }
    *out++ = '\'';
    return out;
}

char *shell_add(char *line, const char *prefix, const char *word)
{
    size_t used = line == NULL ? 0 : strlen(line);
    char *grown = realloc(line, used + strlen(prefix) + 4 * strlen(word) + 4);

    if (grown == NULL) {
        free(line);
        return NULL;
    }
    char *at = grown + used;
    if (used > 0)
        *at++ = ' ';
    memcpy(at, prefix, strlen(prefix));
    at += strlen(prefix);
    if (is_plain(word)) {
        memcpy(at, word, strlen(word));
        at += strlen(word);
    } else {
        at = quote(at, word);
    }
    *at = '\0';
    return grown;
}
