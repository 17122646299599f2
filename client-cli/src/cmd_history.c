/* cairn history: all that happened to one record, oldest first. */

#include <stdlib.h>
#include <string.h>

#include "change_view.h"
#include "commands.h"
#include "record_view.h"

struct history {
    struct cli *cli;
    struct table table;
};

static const char *const state_names[] = {
    [CAIRN_HISTORY_LOCAL] = "local",
    [CAIRN_HISTORY_RECEIVED] = "received",
    [CAIRN_HISTORY_WAITING] = "waiting",
    [CAIRN_HISTORY_REFUSED] = "refused",
};

static json_t *item_json(const struct cairn_history_item *item)
{
    const char *why_not = item->is_in_force || item->why_not == NULL ? NULL : _(item->why_not);
    json_t *object = change_json(item);

    if (object != NULL)
        json_object_update_missing_new(
            object,
            json_pack("{s:o, s:b, s:o, s:s, s:o, s:o, s:s, s:b, s:b, s:o}", "time",
                      time_json(item->time_s), "time_odd", item->is_time_odd, "received",
                      time_json(item->received_s), "tag", item->tag, "role",
                      output_json_text(item->role), "reason", output_json_text(item->reason),
                      "state", state_names[item->state], "local", item->is_local, "in_force",
                      item->is_in_force, "why_not", output_json_text(why_not)));
    return object;
}

/* Where the edit stands: without effect, received when, or only here. */
static char *standing_text(const struct cairn_history_item *item)
{
    const char *why_not = item->why_not == NULL ? "" : _(item->why_not);
    char *text = NULL;
    int size = -1;

    switch (item->state) {
    case CAIRN_HISTORY_LOCAL:
        size = asprintf(&text, "%s", _("not yet received"));
        break;
    case CAIRN_HISTORY_RECEIVED:
        size = asprintf(&text, _("received %s"), text_minute(item->received_s).text);
        break;
    case CAIRN_HISTORY_WAITING:
        size = asprintf(&text, _("waits: %s"), why_not);
        break;
    case CAIRN_HISTORY_REFUSED:
        size = asprintf(&text, _("without effect: %s"), why_not);
        break;
    }
    return size < 0 ? NULL : text;
}

/* The device's clock; a time that cannot be right says so. */
static char *time_text(const struct cairn_history_item *item)
{
    char *text = NULL;
    const char *minute = text_minute(item->time_s).text;

    return asprintf(&text, item->is_time_odd ? _("%s (clock jumped)") : "%s", minute) < 0 ? NULL
                                                                                          : text;
}

static bool visit(void *context, const struct cairn_history_item *item)
{
    struct history *history = context;

    if (history->cli->output.is_json) {
        output_json(&history->cli->output, item_json(item));
        return true;
    }
    char *time = time_text(item);
    char *change = change_text(item);
    char *standing = standing_text(item);
    char *reason = NULL;
    if (item->reason != NULL && asprintf(&reason, _("\"%s\""), item->reason) < 0)
        reason = NULL;
    if (time == NULL || change == NULL || standing == NULL)
        history->table.failed = true;
    table_add(&history->table,
              (const char *const[]){time, item->tag, cli_role(item->role), change_operation(item),
                                    change, standing, reason},
              7);
    free(time);
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
    .about = N_(
        "Every change of the record, oldest first: the field with its old and new value, the\n"
        "device and its role, the reason, and whether a server has received it and when. What\n"
        "has no effect is listed too and says why. Times are those of the devices' clocks, which\n"
        "may be wrong: one that jumps is marked, and decides nothing."),
    .examples = "  cairn history A7-0001-K",
    .options = NULL,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
