/* commands.h: the list of commands. Each is one file; adding one means a line here and in
 * commands.c. */

#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli.h"

extern const struct command command_init, command_grant, command_join, command_put, command_delete,
    command_get, command_list, command_count_records, command_import, command_export, command_sync,
    command_status, command_history, command_conflicts, command_settle, command_step, command_merge,
    command_unmerge, command_refused, command_bundle, command_audit, command_schema, command_help;

/* In the order in which help shows them. */
extern const struct command *const commands[];
extern const size_t command_count;

/* By its full name, or NULL. */
const struct command *commands_find(const char *name);
/* The command that `name` is a slip of, or NULL. */
const struct command *commands_nearest(const char *name);
/* Say that there is no such command, and which was meant. */
enum cli_exit commands_fail_unknown(struct cli *cli, const char *name);

/* All commands in groups, and the page of one command. */
void help_overview(struct cli *cli);
void help_command(struct cli *cli, const struct command *command);

#endif
