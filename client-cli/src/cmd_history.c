/* cairn history: all that happened to one record, oldest first. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"

struct history {
    struct cli *cli;
    struct table table;
};

static json_t *item_json(const struct cairn_history_item *item)
{
    const char *why_not = item->is_in_force || item->why_not == NULL ? NULL : _(item->why_not);

    return json_pack(
        "{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:o}", "time",
        time_json(item->time_s), "received", time_json(item->received_s), "tag", item->tag, "role",
        output_json_text(item->role), "operation", output_json_text(item->operation), "field",
        output_json_text(item->field), "old", output_json_text(item->old_value), "new",
        output_json_text(item->new_value), "reason", output_json_text(item->reason), "local",
        item->is_local, "in_force", item->is_in_force, "why_not", output_json_text(why_not));
}

static const char *operation_text(const char *operation)
{
    static const struct {
        const char *name, *text;
    } operations[] = {
        {"create", N_("created")},
        {"set", N_("changed")},
        {"delete", N_("deleted")},
        {"settle", N_("settled")},
        {"newer", N_("from a newer version of this program")},
    };

    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(operation, operations[i].name) == 0)
            return _(operations[i].text);
    return operation;
}

/* Written again as it was: a decision for what was shown, or a record that came back. */
static bool is_same_value(const struct cairn_history_item *item)
{
    return item->old_value != NULL && item->new_value != NULL &&
           strcmp(item->old_value, item->new_value) == 0;
}

/* "income 4,150 → 4,300"; malloc'd. */
static char *change_text(const struct cairn_history_item *item)
{
    char *text = NULL;
    int size;

    if (item->field == NULL)
        size = asprintf(&text, "%s", "");
    else if (item->old_value == NULL || is_same_value(item))
        size =
            asprintf(&text, "%s = %s", item->field, CLI_VALUE(item->new_value, item->is_integer));
    else
        size =
            asprintf(&text, "%s %s → %s", item->field, CLI_VALUE(item->old_value, item->is_integer),
                     CLI_VALUE(item->new_value, item->is_integer));
    return size < 0 ? NULL : text;
}

/* Where the edit stands: without effect, received when, or only here. */
static char *standing_text(const struct cairn_history_item *item)
{
    char *text = NULL;
    int size;

    if (!item->is_in_force)
        size =
            asprintf(&text, _("without effect: %s"), item->why_not == NULL ? "" : _(item->why_not));
    else if (item->received_s > 0)
        size = asprintf(&text, _("received %s"), text_minute(item->received_s).text);
    else
        size = asprintf(&text, "%s", _("not yet received"));
    return size < 0 ? NULL : text;
}

static bool visit(void *context, const struct cairn_history_item *item)
{
    struct history *history = context;

    if (history->cli->output.is_json) {
        output_json(&history->cli->output, item_json(item));
        return true;
    }
    char *change = change_text(item);
    char *standing = standing_text(item);
    char *reason = NULL;
    if (item->reason != NULL && asprintf(&reason, _("\"%s\""), item->reason) < 0)
        reason = NULL;
    if (change == NULL || standing == NULL)
        history->table.failed = true;
    table_add(&history->table,
              (const char *const[]){text_minute(item->time_s).text, item->tag, cli_role(item->role),
                                    operation_text(item->operation), change, standing, reason},
              7);
    free(change);
    free(standing);
    free(reason);
    return true;
}

static enum cli_exit run(struct cli *cli)
{
    struct history history = {.cli = cli};

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    table_init(&history.table);
    enum cairn_status status =
        cairn_history(cli->replica, cli->options.arguments[0], visit, &history, &cli->err);
    if (status == CAIRN_OK)
        output_table(&cli->output, &history.table, true);
    table_release(&history.table);
    return status == CAIRN_OK ? CLI_DONE : cli_report(cli, status);
}

const struct command command_history = {
    .name = "history",
    .group = GROUP_RECORDS,
    .arguments = "ID",
    .summary = N_("Show who changed a record, when and why"),
    .about =
        N_("Every change of the record, oldest first, with the device that made it and whether a\n"
           "server has confirmed it. Times are those of the devices' clocks, which may be wrong;\n"
           "the order within one device never is."),
    .examples = "  cairn history A7-0001-K",
    .options = NULL,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
