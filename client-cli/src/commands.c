#include "commands.h"

#include <string.h>

/* More steps apart than this is another word, not a slip of the finger. */
#define COMMANDS_SLIP_MAX 2

const struct command *const commands[] = {
    &command_init,   &command_grant,   &command_join,          &command_put,       &command_step,
    &command_merge,  &command_unmerge, &command_delete,        &command_import,    &command_export,
    &command_get,    &command_list,    &command_count_records, &command_history,   &command_sync,
    &command_bundle, &command_status,  &command_refused,       &command_conflicts, &command_settle,
    &command_schema, &command_audit,   &command_help,
};
const size_t command_count = sizeof commands / sizeof commands[0];

const struct command *commands_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

const struct command *commands_nearest(const char *name)
{
    const struct command *nearest = NULL;
    unsigned best = COMMANDS_SLIP_MAX + 1;

    for (size_t i = 0; i < command_count; i++) {
        unsigned distance = text_distance(name, commands[i]->name);
        if (distance < best && distance < strlen(commands[i]->name)) {
            best = distance;
            nearest = commands[i];
        }
    }
    return nearest;
}

enum cli_exit commands_fail_unknown(struct cli *cli, const char *name)
{
    const struct command *nearest = commands_nearest(name);

    if (nearest != NULL)
        return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                        N_("there is no command \"%s\". Did you mean: cairn %s?"), name,
                        nearest->name);
    return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                    N_("there is no command \"%s\". `cairn` alone lists the commands."), name);
}
