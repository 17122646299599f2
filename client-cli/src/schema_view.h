/*
 * schema_view.h: what a schema holds in the reader's language: the words of its notation, and the
 * names of fields, choices and states. Shared by the commands that head columns and groups.
 *
 * Memory: texts are malloc'd where it is said; all else is borrowed from the schema, which the next
 * call on the replica takes away.
 */

#ifndef CLI_SCHEMA_VIEW_H
#define CLI_SCHEMA_VIEW_H

#include "cli.h"

/* A word of a schema file ("integer", "required", "yuan"): as it stands there, or in Chinese. What
 * is no such word stays as it is. */
const char *schema_word(const char *word);
/* "at-least 4200", "flag 3" */
void schema_test_text(const struct cairn_indicator_info *indicator, char *out, size_t size);

/* What a choice is called; `text` itself where the field has no such choice. */
const char *schema_choice_label(const struct cairn_field_info *field, const char *text);
/* What a state is called; `name` itself where the type has no such state. */
const char *schema_state_label(const struct cairn_type_info *type, const char *name);
/* "registered, returned" and "station, township" by the names that the reader knows; malloc'd, NULL
 * when out of memory. */
char *schema_states_text(const struct cairn_type_info *type, const char *states);
char *schema_roles_text(const char *roles);

/* The field that has this name, else the first with this label in either language, as core finds
 * it; or NULL. */
const struct cairn_field_info *schema_field_find(const struct cairn_field_info *fields,
                                                 size_t count, const char *name);
/* The type called `name`. BAD_INPUT: there is none. */
CAIRN_NODISCARD
enum cairn_status schema_type_find(struct cli *cli, const char *name,
                                   const struct cairn_type_info **out_type);

#endif
