/*
 * formula.h: spreadsheets run a cell that begins with = + - @ (or a tab or return before one) as a
 * formula, and a value that somebody typed in a village must not run on an office's machine. In CSV
 * such a text gets an apostrophe in front, which spreadsheets take as "this is text"; reading takes
 * it off again, so that every text comes back as it was.
 *
 * Memory: borrowed. Pure.
 */

#ifndef CLI_FORMULA_H
#define CLI_FORMULA_H

#include <stdbool.h>

/* Must an apostrophe be put before this text? */
bool formula_needs_guard(const char *text);
/* The text without the apostrophe that was put before it; itself where there is none. */
const char *formula_unguarded(const char *text);

#endif
