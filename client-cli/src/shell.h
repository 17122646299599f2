/*
 * shell.h: words as a person types them at a shell, for commands that the program shows.
 *
 * Memory: results are malloc'd. Pure.
 */

#ifndef CLI_SHELL_H
#define CLI_SHELL_H

/* Append `prefix` and `word` to a line, quoted where the shell needs it. The line is taken; NULL
 * once memory was short, and NULL begins one. */
char *shell_add(char *line, const char *prefix, const char *word);

#endif
