/*
 * text.h: small pure helpers for what people read: widths of CJK text, numbers with separators,
 * times, file names made from names, and bytes that must not reach a terminal.
 *
 * Memory:  caller-owned buffers, but for text_clean(), whose result is freed with free().
 * Threads: any, but text_time() reads the time zone of the process.
 */

#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "i18n.h"

#define TEXT_TIME_BYTES 32
#define TEXT_SLUG_BYTES 140

struct text_time {
    char text[TEXT_TIME_BYTES];
};

/* An integer as it is stored, with separators: "-4150" as "-4,150". What is no 64-bit integer stays
 * as it is ("(closed)"). The result is `value` or `buffer`. */
const char *text_integer(const char *value, char buffer[static I18N_NUMBER_BYTES]);
/* Minutes in local time, "2026-11-20 14:02"; "" for 0. */
struct text_time text_minute(uint64_t time_s);
/* "2026-11-20" in local time; "" for 0. */
struct text_time text_day(uint64_t time_s);
/* "2026-11-20T14:02:00Z", for JSON. */
struct text_time text_iso(uint64_t time_s);
/* Columns that `text` takes on a terminal; a byte for a column where the locale cannot read it. */
size_t text_width(const char *text);
/* Bytes of `text` that a line of `columns` takes, and in *out_next where the next line begins.
 * Lines end at a blank or beside a wide letter, not before a closing mark nor after an opening one;
 * a word that is longer than a line is not cut. */
size_t text_line(const char *text, size_t columns, size_t *out_next);
/* A copy in which lines of one paragraph are one: a newline that another follows stays, as does the
 * other; any other is a blank, and nothing between two wide letters. NULL when out of memory. */
char *text_paragraphs(const char *text);
/* A file name from a device name: letters in lower case, everything that is no letter or digit of
 * any script becomes one '-'. "device" when nothing is left. */
void text_slug(const char *name, char out_slug[static TEXT_SLUG_BYTES]);
/* A copy in which control characters (with ESC they would drive the terminal) are '?'. With
 * `keeps_lines` newlines stay. NULL when out of memory. */
char *text_clean(const char *text, bool keeps_lines);
/* Length of `text` without its full stop ("." or "。"), for a sentence that goes on. */
size_t text_length_without_stop(const char *text);
/* Steps that turn one word into the other: insert, remove, replace, swap neighbours. Words above 31
 * bytes are far from everything. */
unsigned text_distance(const char *a, const char *b);

#endif
