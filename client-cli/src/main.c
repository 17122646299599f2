/* cairn: reads what stands before the command, finds the command, reads its arguments, runs it. */

#include <string.h>

#include "commands.h"
#include "streams.h"

static const struct option_spec options_of_program[] = {
    {OPTION_VERSION, "version", NULL,
     N_("show the version of this program and of its main libraries")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

static enum cli_exit print_version(struct cli *cli)
{
    char text[1024];

    cairn_version_text(text, sizeof text);
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    output_line(&cli->output, "%s\nnanomsg %s\njansson %s", text, CAIRN_NANOMSG_VERSION,
                JANSSON_VERSION);
    return CLI_DONE;
}

static enum cli_exit run_command(struct cli *cli, const struct command *command)
{
    size_t count = cli->options.argument_count;

    if (options_has(&cli->options, OPTION_HELP)) {
        help_command(cli, command);
        return CLI_DONE;
    }
    if (count >= command->arguments_min && count <= command->arguments_max)
        return command->run(cli);
    return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                    count < command->arguments_min
                        ? N_("something is missing. Usage: cairn %s %s. More: cairn help %s")
                        : N_("too many arguments. Usage: cairn %s %s. More: cairn help %s"),
                    command->name, command->arguments, command->name);
}

/* Asked before anything is read, so that a wrong option too is told in JSON. */
static bool wants_json(char *const *argv, size_t count)
{
    for (size_t i = 0; i < count && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0)
            return true;
    return false;
}

static enum cli_exit run(struct cli *cli, char *const *argv, size_t count)
{
    size_t used = 0;

    cli->output.is_json = wants_json(argv, count);
    enum cairn_status status =
        options_read(&cli->options, options_of_program, argv, count, true, &used, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (options_has(&cli->options, OPTION_VERSION))
        return print_version(cli);
    if (used == count) {
        help_overview(cli);
        return CLI_DONE;
    }

    const struct command *command = commands_find(argv[used]);
    if (command == NULL)
        return commands_fail_unknown(cli, argv[used]);
    status = options_read(&cli->options, command->options, argv + used + 1, count - used - 1, false,
                          NULL, &cli->err);
    return status == CAIRN_OK ? run_command(cli, command) : cli_report(cli, status);
}

/* Whoever sees 3 would give the command again, and what it wrote would be there twice. */
static enum cli_exit fail_print(struct cli *cli, enum cli_exit exit_code)
{
    bool is_done = exit_code == CLI_DONE || exit_code == CLI_LOOK;

    output_error(&cli->output, CAIRN_IO,
                 is_done ? _("not everything could be printed. What the command writes is written: "
                             "look before giving it again")
                         : _("not everything could be printed"),
                 CLI_COULD_NOT);
    return CLI_COULD_NOT;
}

int main(int argc, char **argv)
{
    struct cli cli;

    streams_hold();
    i18n_start();
    cli_init(&cli);
    enum cli_exit exit_code = run(&cli, argv + 1, argc > 0 ? (size_t)argc - 1 : 0);
    cli_release(&cli);
    if (!output_end(&cli.output) && exit_code != CLI_COULD_NOT)
        exit_code = fail_print(&cli, exit_code);
    return (int)exit_code;
}
