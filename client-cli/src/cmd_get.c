/* cairn get: one record in full. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"

/* One row a version; only the first names its field. */
static void add_field(struct table *table, const struct cairn_field_state *field)
{
    for (size_t i = 0; i < field->version_count; i++) {
        char *text = version_text(field, i);
        const char *label = field_label(field->name, field->label_zh, field->label_en);
        bool is_first = i == 0;
        table_add(table,
                  (const char *const[]){is_first ? field->name : NULL,
                                        is_first && strcmp(label, field->name) != 0 ? label : NULL,
                                        text},
                  3);
        if (text == NULL)
            table->failed = true;
        free(text);
    }
}

static void print(struct cli *cli, const struct cairn_record *record)
{
    struct table table;

    output_line(&cli->output, "%s   %s   %s", record->id, record->type,
                CLI_SCOPE(cli, record->scope));
    if (record->is_deleted)
        output_line(&cli->output, _("deleted; cairn history %s shows by whom"), record->id);
    table_init(&table);
    for (size_t i = 0; i < record->field_count; i++)
        add_field(&table, &record->fields[i]);
    output_table(&cli->output, &table, true);
    table_release(&table);
    if (record->unreceived_count > 0)
        output_line(&cli->output,
                    ngettext("%s value is not yet received by a server",
                             "%s values are not yet received by a server",
                             (unsigned long)record->unreceived_count),
                    text_count(record->unreceived_count).text);
    if (record->has_conflict)
        output_line(&cli->output, _("in conflict: cairn settle %s FIELD --keep N --reason TEXT"),
                    record->id);
}

static enum cli_exit run(struct cli *cli)
{
    const struct cairn_record *record;

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status =
        cairn_get(cli->replica, cli->options.arguments[0], &record, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (cli->output.is_json)
        output_json(&cli->output, record_json(cli, record, true));
    else
        print(cli, record);
    return CLI_DONE;
}

const struct command command_get = {
    .name = "get",
    .group = GROUP_RECORDS,
    .arguments = "ID",
    .summary = N_("Show one record in full"),
    .about =
        N_("Shows every field that has a value, who wrote it and when. A field in conflict shows\n"
           "all its values, numbered as `cairn settle` wants them. Ends with 1 when there is no\n"
           "such record."),
    .examples = "  cairn get A7-0001-K\n"
                "  cairn get A7-0001-K --json",
    .options = NULL,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
