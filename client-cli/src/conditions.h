/*
 * conditions.h: what `list`, `count` and `export` are asked for: FIELD=VALUE, FIELD!=VALUE,
 * FIELD<VALUE, FIELD<=VALUE, FIELD>VALUE, FIELD>=VALUE, FIELD=LOW..HIGH.
 *
 * Memory: values are borrowed from the arguments; names are copies until released.
 */

#ifndef CLI_CONDITIONS_H
#define CLI_CONDITIONS_H

#include "cairn/query.h"
#include "options.h"

struct conditions {
    struct cairn_condition items[OPTIONS_ARGUMENTS_MAX];
    char *names[OPTIONS_ARGUMENTS_MAX]; /* what the names in items point to */
    size_t count;
};
/* BAD_INPUT: err says which is not of that form; then nothing needs to be released. */
CAIRN_NODISCARD
enum cairn_status conditions_read(struct conditions *conditions, const char *const *arguments,
                                  size_t count, struct cairn_err *err);
void conditions_release(struct conditions *conditions);

/* "a,b,c" cut into its parts. */
struct name_list {
    char *text; /* a copy, cut */
    const char *items[OPTIONS_ARGUMENTS_MAX];
    size_t count;
};
/* NULL is an empty list. BAD_INPUT: an empty part, or too many. */
CAIRN_NODISCARD
enum cairn_status name_list_read(struct name_list *list, const char *text, struct cairn_err *err);
void name_list_release(struct name_list *list);

#endif
