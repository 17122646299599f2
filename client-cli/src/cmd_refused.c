/* cairn refused: what this device wrote and what has no effect, until it is mended. */

#include <stdlib.h>

#include "change_view.h"
#include "commands.h"
#include "record_view.h"

struct refused {
    struct cli *cli;
    uint64_t count, unanswered_count;
};

static json_t *item_json(const struct cairn_refused_item *item)
{
    json_t *changes = json_array();
    char *command = item->is_answered ? NULL : change_command(item);

    for (size_t i = 0; changes != NULL && i < item->change_count; i++)
        json_array_append_new(changes, change_json(&item->changes[i]));
    json_t *object = json_pack(
        "{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "number", item->number,
        "channel", item->channel, "id", output_json_text(item->id[0] == '\0' ? NULL : item->id),
        "type", output_json_text(item->type), "time", time_json(item->time_s), "received",
        time_json(item->received_s), "changes", changes, "reason", output_json_text(item->reason),
        "why", output_json_text(_(item->why_not)), "answered", item->is_answered, "again",
        output_json_text(command));
    free(command);
    return object;
}

/* "created   head = 扎西, members = 4" */
static char *said_text(const struct cairn_refused_item *item)
{
    char *text = NULL;

    if (asprintf(&text, "%s ", change_operation(&item->changes[0])) < 0)
        return NULL;
    for (size_t i = 0; i < item->change_count; i++) {
        char *change = change_text(&item->changes[i]);
        char *grown = NULL;
        if (change == NULL || asprintf(&grown, "%s%s%s", text, i == 0 ? " " : ", ", change) < 0)
            grown = NULL;
        free(change);
        free(text);
        if (grown == NULL)
            return NULL;
        text = grown;
    }
    return text;
}

static void print(struct cli *cli, const struct cairn_refused_item *item)
{
    char *said = said_text(item);
    char *command = change_command(item);

    output_line(&cli->output, "%s   %s   %s   %s", item->number, text_minute(item->time_s).text,
                item->id[0] != '\0'  ? item->id
                : item->type != NULL ? item->type
                                     : cli_channel(item->channel),
                said == NULL ? "" : said);
    output_line(&cli->output, _("    without effect: %s"), _(item->why_not));
    if (item->is_answered)
        output_line(&cli->output, "%s",
                    _("    answered: written again since, or it counts already"));
    else if (command != NULL)
        output_line(&cli->output, _("    to write it again: %s"), command);
    free(command);
    free(said);
}

static bool visit(void *context, const struct cairn_refused_item *item)
{
    struct refused *refused = context;

    refused->count++;
    refused->unanswered_count += !item->is_answered;
    if (refused->cli->output.is_json)
        output_json(&refused->cli->output, item_json(item));
    else
        print(refused->cli, item);
    return true;
}

static enum cli_exit run(struct cli *cli)
{
    struct refused refused = {.cli = cli};

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = cairn_refused(cli->replica, options_has(&cli->options, OPTION_ALL),
                                             visit, &refused, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (refused.count == 0 && !cli->output.is_json)
        output_note(&cli->output, "%s", _("nothing of this device is without effect"));
    return refused.unanswered_count > 0 ? CLI_LOOK : CLI_DONE;
}

static const struct option_spec options[] = {
    {OPTION_ALL, "all", NULL, N_("also those that were answered since")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_refused = {
    .name = "refused",
    .group = GROUP_CHECK,
    .arguments = "[--all]",
    .summary = N_("List what this device wrote and what has no effect, and why"),
    .about = N_(
        "An entry that breaks a rule of the registry is kept for ever and shown to auditors, but\n"
        "changes nothing: a step that belongs to another office, a value of the wrong type, what\n"
        "was written after the device was shut out. Every replica finds the same by itself; the\n"
        "server's answer only says it early. To mend one, write on the same record again with\n"
        "`cairn put` or `cairn step`; the line below each says how. From then on it is answered\n"
        "and listed with --all only. Ends with 1 while there are any."),
    .examples = "  cairn refused\n"
                "  cairn refused --all --json",
    .options = options,
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
