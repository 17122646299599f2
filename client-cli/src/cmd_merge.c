/* cairn merge, cairn unmerge: two records are one household, and that taken back. */

#include "commands.h"
#include "record_view.h"

typedef enum cairn_status relate_fn(struct cairn_replica *replica, const char *id,
                                    const char *other, const char *reason, struct cairn_err *err);

static enum cli_exit relate(struct cli *cli, relate_fn *write)
{
    const char *reason = options_value(&cli->options, OPTION_REASON);

    if (reason == NULL || reason[0] == '\0')
        return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                        N_("say why with --reason TEXT: auditors see it. Nothing was changed."));
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = write(cli->replica, cli->options.arguments[0],
                                     cli->options.arguments[1], reason, &cli->err);
    return status == CAIRN_OK ? CLI_DONE : cli_report_write(cli, status);
}

static void print_json(struct cli *cli, const char *key)
{
    output_json(&cli->output,
                json_pack("{s:o, s:o}", key, output_json_text(cli->options.arguments[0]), "other",
                          output_json_text(cli->options.arguments[1])));
}

static enum cli_exit run_merge(struct cli *cli)
{
    enum cli_exit exit_code = relate(cli, cairn_same);

    if (exit_code == CLI_DONE && cli->output.is_json)
        print_json(cli, "merged");
    else if (exit_code == CLI_DONE)
        output_line(&cli->output, _("%s and %s are one household from now on; both records stay"),
                    cli->options.arguments[0], cli->options.arguments[1]);
    return exit_code;
}

static enum cli_exit run_unmerge(struct cli *cli)
{
    enum cli_exit exit_code = relate(cli, cairn_apart);

    if (exit_code == CLI_DONE && cli->output.is_json)
        print_json(cli, "unmerged");
    else if (exit_code == CLI_DONE)
        output_line(&cli->output, _("%s and %s are two households again"),
                    cli->options.arguments[0], cli->options.arguments[1]);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with the change for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_merge = {
    .name = "merge",
    .group = GROUP_RECORDS,
    .arguments = "ID OTHER --reason TEXT",
    .summary = N_("Say that two records are one household"),
    .about =
        N_("For a household that was written down twice. Both records stay with all they hold\n"
           "and with their history; each names the other from now on, also where the merge is\n"
           "said on both sides at once. `cairn unmerge` takes it back."),
    .examples = "  cairn merge A7-0001-K A8-0003-T --reason \"one house, registered twice\"",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run_merge,
};

const struct command command_unmerge = {
    .name = "unmerge",
    .group = GROUP_RECORDS,
    .arguments = "ID OTHER --reason TEXT",
    .summary = N_("Take back that two records are one household"),
    .about =
        N_("Takes back what `cairn merge` said of these two. Who merged them, who took it back\n"
           "and why stays in the history of both."),
    .examples = "  cairn unmerge A7-0001-K A8-0003-T --reason \"brothers, two houses\"",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run_unmerge,
};
