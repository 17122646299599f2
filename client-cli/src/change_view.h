/*
 * change_view.h: one change of a record in words, as JSON, and as the command that makes it again;
 * shared by history and by the list of refused entries.
 *
 * Memory: texts are malloc'd, NULL when out of memory.
 */

#ifndef CLI_CHANGE_VIEW_H
#define CLI_CHANGE_VIEW_H

#include "cli.h"

/* "changed", "step taken" */
const char *change_operation(const struct cairn_history_item *item);
/* "income 4,150 → 4,300", "measures + 因病", "listing registered → exited (exit: ...)" */
char *change_text(const struct cairn_history_item *item);
/* {"operation","field","old","new","step"} */
json_t *change_json(const struct cairn_history_item *item);
/* The command that says the same again on record `id`; NULL too where there is none. */
char *change_command(const struct cairn_refused_item *item);

#endif
