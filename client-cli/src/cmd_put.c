/* cairn put: create a record, or change fields of one. */

#include <string.h>

#include "commands.h"
#include "record_view.h"

static json_t *changes_json(const struct cairn_put_result *result)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < result->change_count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:o, s:o}", "field", result->changes[i].field, "old",
                                        output_json_text(result->changes[i].old_value), "new",
                                        output_json_text(result->changes[i].new_value)));
    return list;
}

static void print_change(struct cli *cli, const char *id, const struct cairn_change *change)
{
    if (change->new_value == NULL)
        output_line(&cli->output, _("Saved %s %s without %s"), id, change->field,
                    CLI_VALUE(change->old_value, change->is_integer));
    else if (change->is_element)
        output_line(&cli->output, _("Saved %s %s with %s"), id, change->field,
                    CLI_VALUE(change->new_value, change->is_integer));
    else if (change->old_value == NULL)
        output_line(&cli->output, _("Saved %s %s = %s"), id, change->field,
                    CLI_VALUE(change->new_value, change->is_integer));
    else
        output_line(&cli->output, _("Saved %s %s %s → %s"), id, change->field,
                    CLI_VALUE(change->old_value, change->is_integer),
                    CLI_VALUE(change->new_value, change->is_integer));
}

static void print(struct cli *cli, const struct cairn_put_result *result, bool is_new)
{
    if (cli->output.is_json) {
        output_json(&cli->output, json_pack("{s:s, s:b, s:o}", "id", result->id, "created", is_new,
                                            "changes", changes_json(result)));
        return;
    }
    if (is_new)
        output_line(&cli->output, _("Saved %s"), result->id);
    else if (result->change_count == 0)
        output_line(&cli->output, _("%s has these values already; nothing was written"),
                    result->id);
    for (size_t i = 0; !is_new && i < result->change_count; i++)
        print_change(cli, result->id, &result->changes[i]);
}

static bool is_there(struct cli *cli, const char *id)
{
    const struct cairn_record *record;

    return cairn_get(cli->replica, id, &record, NULL) == CAIRN_OK;
}

static enum cli_exit put(struct cli *cli, const char *id, struct cli_fields *fields)
{
    struct cairn_put_result result;
    const struct cairn_put change = {
        .type = cli->options.arguments[0],
        .id = id,
        .scope = cli_fields_take(fields, "village"),
        .fields = fields->items,
        .field_count = fields->count,
        .operations = fields->operations,
        .reason = options_value(&cli->options, OPTION_REASON),
    };

    if (id != NULL && fields->count == 0 && change.scope != NULL)
        return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                        N_("%s cannot be moved to another village. Nothing was changed."), id);
    if (id != NULL && fields->count == 0)
        return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                        N_("nothing to save for %s: give FIELD=VALUE. Nothing was changed."), id);
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = cairn_put_many(cli->replica, &change, 1, &result, NULL, &cli->err);
    /* Not there: the record itself, or one that a value names. */
    if (status == CAIRN_NOT_FOUND && (id == NULL || is_there(cli, id)))
        return cli_report_given(cli, status);
    if (status != CAIRN_OK)
        return cli_report_write(cli, status);
    print(cli, &result, id == NULL);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    const char *const *arguments = cli->options.arguments + 1;
    size_t count = cli->options.argument_count - 1;
    const char *id = NULL;
    struct cli_fields fields;

    if (strchr(cli->options.arguments[0], '=') != NULL)
        return CLI_FAIL(
            cli, CAIRN_BAD_INPUT,
            N_("the type comes first: cairn put TYPE [ID] FIELD=VALUE... Nothing was changed."));
    if (strchr(arguments[0], '=') == NULL) {
        id = arguments[0];
        arguments++;
        count--;
    }
    enum cairn_status status = cli_fields_read(&fields, arguments, count, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = put(cli, id, &fields);
    cli_fields_release(&fields);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with the change for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_put = {
    .name = "put",
    .group = GROUP_RECORDS,
    .arguments = "TYPE [ID] FIELD=VALUE... [--reason TEXT]",
    .summary = N_("Create a record, or change fields of one"),
    .about = N_(
        "Without ID it creates a record and prints its ID. With ID it changes the fields named\n"
        "and leaves the others alone. village=CODE is the 12 digits of the village that a new\n"
        "record belongs to; without it, this device's own. What is saved is on disk when the\n"
        "line appears, network or not.\n"
        "A field that holds a set takes one element more with FIELD+=VALUE and one less with\n"
        "FIELD-=VALUE; FIELD=A|B makes it exactly these. A counter takes FIELD+=N and FIELD-=N:\n"
        "what two devices count without seeing each other adds up, where FIELD=N would not.\n"
        "Writing on a record again is also how an entry is mended that `cairn refused` lists."),
    .examples = "  cairn put household village=513332100201 head=扎西 members=4 income=4150\n"
                "  cairn put household A7-0001-K income=4300 --reason \"yak sold\"\n"
                "  cairn put household A7-0001-K measures+=易地搬迁 points+=5",
    .options = options,
    .arguments_min = 2,
    .arguments_max = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
