/* cairn delete: take a record out of the lists; its history stays. */

#include "commands.h"

static enum cli_exit run(struct cli *cli)
{
    const char *type = cli->options.arguments[0];
    const char *id = cli->options.arguments[1];

    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = cairn_delete(cli->replica, type, id,
                                            options_value(&cli->options, OPTION_REASON), &cli->err);
    if (status != CAIRN_OK)
        return cli_report_write(cli, status);
    if (cli->output.is_json)
        output_json(&cli->output, json_pack("{s:o}", "deleted", output_json_text(id)));
    else
        output_line(&cli->output, _("Deleted %s; goes out with the next sync"), id);
    return CLI_DONE;
}

static const struct option_spec options[] = {
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with the deletion for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_delete = {
    .name = "delete",
    .group = GROUP_RECORDS,
    .arguments = "TYPE ID [--reason TEXT]",
    .summary = N_("Delete a record; its history stays"),
    .about =
        N_("The record leaves the lists; `cairn history ID` still shows all that happened. When\n"
           "somebody else changed it without knowing of the deletion, that is a conflict, and\n"
           "`cairn conflicts` lists it."),
    .examples = "  cairn delete household A7-0001-K --reason \"entered twice\"",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
