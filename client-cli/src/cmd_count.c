/* cairn count: how many records fit, in groups, with sums. */

#include <string.h>

#include "commands.h"
#include "conditions.h"
#include "record_view.h"
#include "schema_view.h"

struct counting {
    struct cli *cli;
    struct table table;
    const char *by; /* NULL: all in one */
    const struct name_list *sums;
};

static const char *const levels[] = {N_("village"), N_("township"), N_("county"), N_("prefecture"),
                                     N_("province")};

static bool is_place(const char *by)
{
    for (size_t i = 0; by != NULL && i < sizeof levels / sizeof levels[0]; i++)
        if (strcmp(by, levels[i]) == 0)
            return true;
    return false;
}

static json_t *count_object(struct counting *counting, const struct cairn_count *count)
{
    json_t *sums = json_object();

    for (size_t i = 0; i < counting->sums->count; i++)
        json_object_set_new(sums, counting->sums->items[i], output_json_text(count->sums[i]));
    json_t *object = json_pack("{s:o, s:o, s:o}", "group", output_json_text(count->group), "count",
                               count_json(count->count), "sums", sums);
    if (object != NULL && is_place(counting->by))
        json_object_set_new(object, "place",
                            output_json_text(regions_find(counting->cli->regions, count->group)));
    return object;
}

static void add_row(struct counting *counting, const struct cairn_count *count)
{
    char numbers[CAIRN_SUMS_MAX][I18N_NUMBER_BYTES];
    const char *cells[TABLE_COLUMNS_MAX];
    char place[REGIONS_NAME_BYTES];
    size_t column = 0;

    if (is_place(counting->by))
        cells[column++] = cli_scope(counting->cli, count->group, place);
    else if (counting->by != NULL)
        cells[column++] = count->group == NULL ? _("(none)") : count->group;
    struct i18n_number total = i18n_number(count->count);
    cells[column++] = total.text;
    for (size_t i = 0; i < counting->sums->count; i++)
        cells[column++] =
            cli_value(count->sums[i], strchr(count->sums[i], '.') == NULL, numbers[i]);
    table_add(&counting->table, cells, column);
}

static bool visit(void *context, const struct cairn_count *count)
{
    struct counting *counting = context;

    if (counting->cli->output.is_json)
        output_json(&counting->cli->output, count_object(counting, count));
    else
        add_row(counting, count);
    return true;
}

/* Names as they were given; names_translate() puts the reader's words in their place. */
static void add_header(struct counting *counting)
{
    const char *cells[TABLE_COLUMNS_MAX];
    size_t column = 0;

    if (counting->by != NULL)
        cells[column++] = counting->by;
    cells[column++] = _("records");
    for (size_t i = 0; i < counting->sums->count; i++)
        cells[column++] = counting->sums->items[i];
    table_add(&counting->table, cells, column);
}

/* Heads the groups. */
static const char *by_label(const char *by, const struct cairn_field_info *field)
{
    if (is_place(by))
        return _(by);
    if (field != NULL)
        return field_label(field->name, field->label_zh, field->label_en);
    return strcmp(by, "band") == 0 ? _("band") : by;
}

/* The field that the groups are of: a workflow is also called "state". */
static const struct cairn_field_info *by_field(const struct counting *counting,
                                               const struct cairn_field_info *fields, size_t count)
{
    const struct cairn_field_info *field = schema_field_find(fields, count, counting->by);

    for (size_t i = 0; field == NULL && strcmp(counting->by, "state") == 0 && i < count; i++)
        if (strcmp(fields[i].merge, "workflow") == 0)
            field = &fields[i];
    return is_place(counting->by) ? NULL : field;
}

/* Groups of a choice or of a state, by what these are called. */
static enum cairn_status groups_translate(struct counting *counting,
                                          const struct cairn_field_info *field, const char *name)
{
    bool is_state = strcmp(field->merge, "workflow") == 0;
    const struct cairn_type_info *type = NULL;
    struct table *table = &counting->table;

    enum cairn_status status = is_state ? schema_type_find(counting->cli, name, &type) : CAIRN_OK;
    for (size_t row = 1; status == CAIRN_OK && row < table->row_count; row++) {
        const char *group = table->rows[row][0];
        table_replace(table, row, 0,
                      is_state ? schema_state_label(type, group)
                               : schema_choice_label(field, group));
    }
    return status;
}

/* Once all is counted: what the schema calls things is borrowed from call to call. */
static enum cairn_status names_translate(struct counting *counting, const char *type)
{
    const struct cairn_field_info *fields, *field;
    struct cli *cli = counting->cli;
    size_t column = counting->by != NULL ? 2 : 1;
    size_t count;

    enum cairn_status status = cairn_schema_fields(cli->replica, type, &fields, &count, &cli->err);
    for (size_t i = 0; status == CAIRN_OK && i < counting->sums->count; i++) {
        field = schema_field_find(fields, count, counting->sums->items[i]);
        if (field != NULL)
            table_replace(&counting->table, 0, column + i,
                          field_label(field->name, field->label_zh, field->label_en));
    }
    if (status != CAIRN_OK || counting->by == NULL)
        return status;
    field = by_field(counting, fields, count);
    table_replace(&counting->table, 0, 0, by_label(counting->by, field));
    return field == NULL ? CAIRN_OK : groups_translate(counting, field, type);
}

/* A record with several elements would stand in several groups, and the groups would not add up. */
static enum cairn_status refuse_set(struct counting *counting, const char *type)
{
    const struct cairn_field_info *fields;
    struct cli *cli = counting->cli;
    size_t count = 0;

    enum cairn_status status = cairn_schema_fields(cli->replica, type, &fields, &count, &cli->err);
    if (status != CAIRN_OK || counting->by == NULL || is_place(counting->by))
        return status;
    const struct cairn_field_info *field = schema_field_find(fields, count, counting->by);
    if (field == NULL || strcmp(field->merge, "set") != 0)
        return CAIRN_OK;
    return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                      N_("%s holds several values a record, which are no groups. Count those "
                         "that have one of them: cairn count %s %s=VALUE"),
                      counting->by, type, counting->by);
}

static enum cli_exit count(struct counting *counting, const struct conditions *conditions)
{
    struct cli *cli = counting->cli;
    const struct cairn_query query = {.type = cli->options.arguments[0],
                                      .conditions = conditions->items,
                                      .condition_count = conditions->count};

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = refuse_set(counting, query.type);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    bool has_header = counting->by != NULL || counting->sums->count > 0;
    if (has_header)
        add_header(counting);
    status = cairn_query_count(cli->replica, &query, counting->by, counting->sums->items,
                               counting->sums->count, visit, counting, &cli->err);
    if (status == CAIRN_OK && has_header && !cli->output.is_json)
        status = names_translate(counting, query.type);
    if (status != CAIRN_OK)
        return cli_report_given(cli, status);
    if (!cli->output.is_json && counting->table.row_count > has_header)
        output_table(&cli->output, &counting->table, true);
    else if (!cli->output.is_json)
        output_note(&cli->output, _("no records of type %s fit"), query.type);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct counting counting = {.cli = cli, .by = options_value(&cli->options, OPTION_BY)};
    struct conditions conditions;
    struct name_list sums;

    enum cairn_status status = conditions_read(&conditions, cli->options.arguments + 1,
                                               cli->options.argument_count - 1, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    status = name_list_read(&sums, options_value(&cli->options, OPTION_SUM), &cli->err);
    if (status != CAIRN_OK) {
        conditions_release(&conditions);
        return cli_report(cli, status);
    }
    counting.sums = &sums;
    table_init(&counting.table);
    enum cli_exit exit_code = count(&counting, &conditions);
    table_release(&counting.table);
    name_list_release(&sums);
    conditions_release(&conditions);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_BY, "by", "WHAT",
     N_("a line for each village, township, county, prefecture, province, FIELD, state or band")},
    {OPTION_SUM, "sum", "FIELD,FIELD", N_("also the sums of these fields")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_count_records = {
    .name = "count",
    .group = GROUP_RECORDS,
    .arguments = "TYPE [CONDITION...]",
    .summary = N_("Count records, in groups and with sums"),
    .about = N_("The conditions are those of `cairn list`; without --by all that fits is one "
                "group. Bands\n"
                "are those of the first field that has any. Records without a value stand under "
                "(none)."),
    .examples = "  cairn count household --by township\n"
                "  cairn count household village=513332 --by band\n"
                "  cairn count household 'income<4200' --by village --sum members",
    .options = options,
    .arguments_min = 1,
    .arguments_max = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
