#include "cairn/base.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum cairn_actor actor;
    const char *name;
    const char *text;
} status_table[] = {
#define ROW(name, actor, text) [CAIRN_##name] = {CAIRN_ACTOR_##actor, #name, text},
    CAIRN_STATUS_MAP(ROW)
#undef ROW
};

const char *cairn_status_text(enum cairn_status status)
{
    CAIRN_ASSERT(status < CAIRN_STATUS_COUNT);
    return status_table[status].text;
}

const char *cairn_status_name(enum cairn_status status)
{
    CAIRN_ASSERT(status < CAIRN_STATUS_COUNT);
    return status_table[status].name;
}

enum cairn_actor cairn_status_actor(enum cairn_status status)
{
    CAIRN_ASSERT(status < CAIRN_STATUS_COUNT);
    return status_table[status].actor;
}

/* Bytes of the UTF-8 character that `lead` begins; 1 for what begins none. */
static size_t character_bytes(uint8_t lead)
{
    if (lead >= 0xf0)
        return 4;
    if (lead >= 0xe0)
        return 3;
    if (lead >= 0xc0)
        return 2;
    return 1;
}

/*
 * How much of a text that was cut after `size` bytes ends between characters. Only the tail is
 * looked at: an argument may have brought in bytes that are not UTF-8, and they stay.
 */
static size_t whole_characters(const char *text, size_t size)
{
    size_t tail_bytes_max = size < 3 ? size : 3;

    for (size_t back = 1; back <= tail_bytes_max; back++) {
        uint8_t byte = (uint8_t)text[size - back];

        if ((byte & 0xc0) != 0x80)
            return character_bytes(byte) > back ? size - back : size;
    }
    return size;
}

/* The format is a translated msgid, so the compiler cannot see it; cairn_fail() is declared
 * CAIRN_PRINTF and has every original checked where it is written. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static int format_text(char *out, size_t capacity, const char *fmt, va_list args)
{
    return vsnprintf(out, capacity, fmt, args);
}
#pragma GCC diagnostic pop

enum cairn_status cairn_fail(struct cairn_err *err, enum cairn_status status, const char *fmt, ...)
{
    char text[CAIRN_ERR_TEXT_BYTES]; /* apart, so that an argument may be the old err->text */
    va_list args;
    int wanted;
    size_t size;

    CAIRN_ASSERT(status > CAIRN_OK && status < CAIRN_STATUS_COUNT);
    if (err == NULL)
        return status;
    if (err->translate != NULL)
        fmt = err->translate(fmt);

    va_start(args, fmt);
    wanted = format_text(text, sizeof(text), fmt, args);
    va_end(args);

    size = wanted < 0 ? 0 : (size_t)wanted;
    if (size >= sizeof(text))
        size = whole_characters(text, sizeof(text) - 1);
    memcpy(err->text, text, size);
    err->text[size] = '\0';
    return status;
}

void cairn_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}
