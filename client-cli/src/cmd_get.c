/* cairn get: one record in full. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"

/* A row of a field; without `is_first` its name stands above. Takes `text`. */
static void add_row(struct table *table, const struct cairn_field_state *field, bool is_first,
                    char *text)
{
    const char *label = field_label(field->name, field->label_zh, field->label_en);

    table_add(table,
              (const char *const[]){is_first ? field->name : NULL,
                                    is_first && strcmp(label, field->name) != 0 ? label : NULL,
                                    text},
              3);
    if (text == NULL)
        table->failed = true;
    free(text);
}

/* All elements, and who wrote last. */
static char *set_text(const struct cairn_field_state *field)
{
    char *elements = field_text(field, VALUE_AS_SHOWN);
    char *text = NULL;

    if (elements == NULL || asprintf(&text, "%s  %s %s", elements, field->versions[0].tag,
                                     text_minute(field->versions[0].time_s).text) < 0)
        text = NULL;
    free(elements);
    return text;
}

/* One row a version, of a set one in all; below a state what is under way. */
static void add_field(struct table *table, const struct cairn_field_state *field)
{
    if (field->kind == CAIRN_FIELD_SET) {
        add_row(table, field, true, set_text(field));
        return;
    }
    for (size_t i = 0; i < field->version_count; i++) {
        add_row(table, field, i == 0, version_text(field, i));
        if (field->versions[i].under_way.move != NULL && !field->has_conflict)
            add_row(table, field, false, under_way_text(&field->versions[i].under_way));
    }
}

/* "schooling, housing": those that were found not to be met. */
static char *failed_text(const struct cairn_record *record)
{
    char *failed = strdup("");

    for (size_t i = 0; failed != NULL && i < record->indicator_count; i++) {
        const struct cairn_met *met = &record->indicators[i];
        char *grown = NULL;
        if (met->is_met || !met->has_value)
            continue;
        if (asprintf(&grown, "%s%s%s", failed, failed[0] == '\0' ? "" : ", ",
                     field_label(met->name, met->label_zh, met->label_en)) < 0)
            grown = NULL;
        free(failed);
        failed = grown;
    }
    return failed;
}

static void print_indicators(struct cli *cli, const struct cairn_record *record)
{
    size_t met_count = 0, unknown_count = 0;
    char *failed = failed_text(record);

    for (size_t i = 0; i < record->indicator_count; i++) {
        met_count += record->indicators[i].is_met;
        unknown_count += !record->indicators[i].has_value;
    }
    if (failed != NULL && record->indicator_count > unknown_count) {
        output_line(&cli->output, _("indicators: %zu of %zu met, %zu not recorded"), met_count,
                    record->indicator_count, unknown_count);
        if (failed[0] != '\0')
            output_line(&cli->output, _("not met: %s"), failed);
    }
    free(failed);
}

static void print_group(struct cli *cli, const struct cairn_record *record)
{
    for (size_t i = 0; i < record->same_count; i++)
        output_line(&cli->output, _("same household as %s"), record->same[i]);
}

/* A deletion stands against the edits of somebody who did not know of it: two versions, in this
 * order. */
static void print_deletion(struct cli *cli, const struct cairn_record *record,
                           const struct cairn_field_state *field)
{
    output_line(
        &cli->output,
        _("deleted by %s, edited by %s: cairn settle %s deleted --keep 1 (stays deleted) or "
          "--keep 2 (all fields come back) --reason TEXT"),
        field->versions[0].tag, field->versions[1].tag, record->id);
}

/* Two steps are settled by the next one, all else by a decision. */
static void print_conflicts(struct cli *cli, const struct cairn_record *record)
{
    bool has_steps = false, has_values = false;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct cairn_field_state *field = &record->fields[i];
        if (!field->has_conflict)
            continue;
        if (is_deletion_field(field->name) && field->version_count == 2)
            print_deletion(cli, record, field);
        else if (field->kind == CAIRN_FIELD_WORKFLOW)
            has_steps = true;
        else
            has_values = true;
    }
    if (has_values)
        output_line(&cli->output, _("in conflict: cairn settle %s FIELD --keep N --reason TEXT"),
                    record->id);
    if (has_steps)
        output_line(&cli->output, _("in conflict: cairn step %s MOVE --keep N --reason TEXT"),
                    record->id);
}

static void print_parallel(struct cli *cli, const struct cairn_record *record)
{
    char *tags = record->is_parallel ? parallel_tags(record) : NULL;

    if (tags != NULL && tags[0] != '\0')
        output_line(&cli->output, _("merged: written by %s without seeing each other"), tags);
    free(tags);
}

/* What a person should know of the whole record. */
static void print_state(struct cli *cli, const struct cairn_record *record)
{
    if (record->unreceived_count > 0)
        output_line(&cli->output,
                    ngettext("%s value is not yet received by a server",
                             "%s values are not yet received by a server",
                             (unsigned long)record->unreceived_count),
                    i18n_number(record->unreceived_count).text);
    print_parallel(cli, record);
    print_conflicts(cli, record);
}

static void print(struct cli *cli, const struct cairn_record *record)
{
    struct table table;

    output_line(&cli->output, "%s   %s   %s", record->id, record->type,
                CLI_SCOPE(cli, record->scope));
    if (record->is_deleted)
        output_line(&cli->output, _("deleted; cairn history %s shows by whom"), record->id);
    print_group(cli, record);
    table_init(&table);
    for (size_t i = 0; i < record->field_count; i++)
        add_field(&table, &record->fields[i]);
    output_table(&cli->output, &table, true);
    table_release(&table);
    print_indicators(cli, record);
    print_state(cli, record);
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
    .about = N_(
        "Shows every field that has a value, who wrote it and when. A field in conflict shows\n"
        "all its values, numbered as `cairn settle` wants them; a set shows all its elements, a\n"
        "counter its sum, a status the move that is under way. Also: records that were found to\n"
        "be the same household, indicators not met, and \"merged\" where two devices wrote\n"
        "different fields without seeing each other. Ends with 1 when there is no such record."),
    .examples = "  cairn get A7-0001-K\n"
                "  cairn get A7-0001-K --json",
    .options = NULL,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
