/* cairn help: the list of commands, and the page of each, written from the commands' tables. */

#include "commands.h"

/* Deeper than the summary, from which the manual pages tell it. */
#define USAGE_INDENT 8

static const char *const group_titles[GROUP_COUNT] = {
    [GROUP_SETUP] = N_("Begin"),
    [GROUP_RECORDS] = N_("Records"),
    [GROUP_EXCHANGE] = N_("Exchange"),
    [GROUP_CHECK] = N_("Look and check"),
};

void help_overview(struct cli *cli)
{
    struct table table;

    output_line(&cli->output, "%s", _("Usage: cairn [--store DIR] COMMAND [ARGUMENT...]"));
    for (enum command_group group = 0; group < GROUP_COUNT; group++) {
        output_line(&cli->output, "\n%s", _(group_titles[group]));
        table_init(&table);
        for (size_t i = 0; i < command_count; i++) {
            char name[32];
            if (commands[i]->group != group)
                continue;
            snprintf(name, sizeof name, "  %-9s", commands[i]->name);
            table_add(&table, (const char *const[]){name, _(commands[i]->summary)}, 2);
        }
        output_table_filled(&cli->output, &table);
        table_release(&table);
    }
    output_line(&cli->output, "%s", "");
    output_text(&cli->output,
                _("cairn help COMMAND shows one of them in full; cairn --version, the libraries."),
                0);
}

static void add_options(struct table *table, const struct option_spec *options)
{
    for (; options != NULL && options->help != NULL; options++) {
        char name[64];
        snprintf(name, sizeof name, "  --%s%s%s", options->name, options->value == NULL ? "" : " ",
                 options->value == NULL ? "" : options->value);
        table_add(table, (const char *const[]){name, _(options->help)}, 2);
    }
}

void help_command(struct cli *cli, const struct command *command)
{
    struct table table;
    char usage[256];

    snprintf(usage, sizeof usage, "cairn %s%s%s", command->name,
             command->arguments[0] == '\0' ? "" : " ", command->arguments);
    output_text(&cli->output, usage, USAGE_INDENT);
    output_line(&cli->output, "    %s\n", _(command->summary));
    output_text(&cli->output, _(command->about), 0);
    output_line(&cli->output, "\n%s", _("Options"));
    table_init(&table);
    add_options(&table, command->options);
    add_options(&table, options_common);
    output_table_filled(&cli->output, &table);
    table_release(&table);
    output_line(&cli->output, "\n%s\n%s", _("Examples"), command->examples);
}

static enum cli_exit run(struct cli *cli)
{
    if (cli->options.argument_count == 0) {
        help_overview(cli);
        return CLI_DONE;
    }
    const struct command *command = commands_find(cli->options.arguments[0]);
    if (command == NULL)
        return commands_fail_unknown(cli, cli->options.arguments[0]);
    help_command(cli, command);
    return CLI_DONE;
}

const struct command command_help = {
    .name = "help",
    .group = GROUP_CHECK,
    .arguments = "[COMMAND]",
    .summary = N_("Show how a command is used"),
    .about = N_("The same as cairn COMMAND --help. Without COMMAND it lists all of them."),
    .examples = "  cairn help put",
    .options = NULL,
    .arguments_min = 0,
    .arguments_max = 1,
    .run = run,
};
