/*
 * output.h: everything that the command prints, and the questions it asks. Results go to standard
 * output, all else to standard error. Bytes that would drive a terminal are replaced: names and
 * values come from others.
 *
 * Memory:  a table keeps copies; json_t handed in is taken over (its reference is stolen).
 * Effects: standard streams only. Lost output is remembered: output_end() tells.
 */

#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "cairn/base.h"

struct output {
    bool is_json;
    bool shows_progress;        /* standard error is a terminal */
    bool has_failed;            /* something that was to be printed was lost */
    bool has_progress;          /* a progress line stands there and must be cleared */
    struct timespec progressed; /* when it was last drawn */
};

void output_init(struct output *output);
/* Flush standard output; false when something could not be written. */
bool output_end(struct output *output);

/* A line of results / for the person at the screen. The newline is added. */
void output_line(struct output *output, const char *format, ...) CAIRN_PRINTF(2, 3);
void output_note(struct output *output, const char *format, ...) CAIRN_PRINTF(2, 3);
/* Paragraphs, filled: lines end where the window does; where there is none, at 80 columns or at
 * fewer that COLUMNS names. Lines after the first of a paragraph begin `indent` blanks in. */
void output_text(struct output *output, const char *text, size_t indent);
/* "cairn: TEXT", or with --json {"error":{"code","message","exit"}}; to standard error. */
void output_error(struct output *output, enum cairn_status status, const char *text, int exit_code);
/* One object on one line of standard output; NULL (jansson had no memory) counts as lost output. */
void output_json(struct output *output, json_t *object);
/* A JSON string, or null for NULL. */
json_t *output_json_text(const char *text);

/* Redraw the one progress line, at most ten times a second; nothing without a terminal. */
void output_progress(struct output *output, const char *format, ...) CAIRN_PRINTF(2, 3);

/* True when questions can be asked: standard input and standard error are a terminal. */
bool output_can_ask(void);
/* Ask; true for y, Y or the word for yes in the reader's language. All else is no. */
bool output_ask(struct output *output, const char *format, ...) CAIRN_PRINTF(2, 3);

/* ---- tables: cells align by what they take on the screen ---- */

#define TABLE_COLUMNS_MAX 72

struct table {
    size_t column_count; /* of the longest row */
    size_t row_count, row_capacity;
    char ***rows; /* each ends in NULL */
    bool failed;  /* out of memory */
};

void table_init(struct table *table);
void table_release(struct table *table);
/* Add a row of `count` cells; NULL stands for an empty one. */
void table_add(struct table *table, const char *const *cells, size_t count);
/* Put another text into a cell that is there. */
void table_replace(struct table *table, size_t row, size_t column, const char *text);
/* Empty the header, which is the first row, of columns that no other row fills: they take no room
 * then. */
void table_drop_unused(struct table *table);
/* Empty a column of rows that all have it: it takes no room then. */
void table_drop(struct table *table, size_t column);
/* Print it, columns three blanks apart. On a terminal, columns that do not fit are left out from
 * the right, never the first, and a note says so; `is_whole` prints all of them there too, on
 * further lines. */
void output_table(struct output *output, const struct table *table, bool is_whole);
/* Print it; the last of `column_count` columns is filled as output_text() does. */
void output_table_filled(struct output *output, const struct table *table);

#endif
