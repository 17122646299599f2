/*
 * schema_edit.h: the next version of a schema file, made from the text of the one that is held.
 *
 * Memory:  the text is the caller's to free.
 * Effects: fails the running cmocka test when the file is not the registry's.
 */

#ifndef CAIRN_TESTS_SCHEMA_EDIT_H
#define CAIRN_TESTS_SCHEMA_EDIT_H

#include "cairn/bytes.h"

/* Version 1 of the registry as `version`, with `line` put behind the last field of a household. */
char *schema_edit(struct cairn_bytes yaml, unsigned version, const char *line);

#endif
