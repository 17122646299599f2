/* cairn export: the records of a type into a file for other programs. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "commands.h"
#include "conditions.h"
#include "export_writer.h"
#include "files.h"
#include "import_map.h"
#include "mask.h"
#include "record_view.h"

/* Before the fields of the schema stand record and village; in a masked file only the village, so
 * that it cannot be imported over the records. */
#define FIXED_MAX 2

struct export
{
    struct cli *cli;
    const char *type, *path;
    enum export_format format;
    bool is_masked;
    struct cairn_field_info fields[EXPORT_COLUMNS_MAX - FIXED_MAX];
    size_t field_count;
    char *texts[3 * EXPORT_COLUMNS_MAX]; /* that fields point to: the schema is borrowed */
    size_t text_count;
    struct export_column columns[EXPORT_COLUMNS_MAX];
    size_t fixed_count;
    struct export_writer *writer;
    uint64_t record_count;
    enum cairn_status status; /* of the rows */
};

/* ---- options ---- */

static enum cairn_status find_format(struct export *export)
{
    static const struct {
        const char *name;
        enum export_format format;
    } formats[] = {{"csv", EXPORT_CSV}, {"jsonl", EXPORT_JSONL}, {"xlsx", EXPORT_XLSX}};
    const char *given = options_value(&export->cli->options, OPTION_FORMAT);
    const char *name = given;
    const char *dot = strrchr(export->path, '.');

    if (name == NULL && strcmp(export->path, "-") == 0)
        name = "csv";
    else if (name == NULL)
        name = dot == NULL ? "" : dot + 1;
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (strcasecmp(name, formats[i].name) == 0) {
            export->format = formats[i].format;
            return CAIRN_OK;
        }
    if (given != NULL)
        return cairn_fail(&export->cli->err, CAIRN_BAD_INPUT,
                          N_("--format is csv, jsonl or xlsx, not %s. Nothing was written."),
                          given);
    return cairn_fail(&export->cli->err, CAIRN_BAD_INPUT,
                      N_("the name %s does not say which format is wanted: give --format csv, "
                         "jsonl or xlsx. Nothing was written."),
                      export->path);
}

static enum cairn_status read_options(struct export *export)
{
    struct cli *cli = export->cli;

    enum cairn_status status = find_format(export);
    if (status != CAIRN_OK)
        return status;
    if (export->format == EXPORT_XLSX && strcmp(export->path, "-") == 0)
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                          N_("an XLSX file cannot go to standard output: name a file. Nothing was "
                             "written."));
    if (export->format != EXPORT_CSV && options_has(&cli->options, OPTION_BOM))
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                          N_("--bom is for CSV only. Nothing was written."));
    export->is_masked = options_has(&cli->options, OPTION_MASK);
    return strcmp(export->path, "-") == 0 ? CAIRN_OK : files_check_target(export->path, &cli->err);
}

/* ---- columns ---- */

static void add_fixed(struct export *export, const char *name, const char *label)
{
    export->columns[export->fixed_count++] = (struct export_column){name, label, CELL_TEXT};
}

static const char *keep_text(struct export *export, const char *text)
{
    char *copy = strdup(text == NULL ? "" : text);

    export->texts[export->text_count++] = copy;
    return copy;
}

static bool copy_field(struct export *export, const struct cairn_field_info *from)
{
    struct cairn_field_info *to = &export->fields[export->field_count++];

    *to = *from;
    to->name = keep_text(export, from->name);
    to->label_zh = keep_text(export, from->label_zh);
    to->label_en = keep_text(export, from->label_en);
    return to->name != NULL && to->label_zh != NULL && to->label_en != NULL;
}

static enum cairn_status find_columns(struct export *export)
{
    const struct cairn_field_info *fields;
    size_t count = 0;
    struct cairn_err *err = &export->cli->err;

    enum cairn_status status =
        cairn_schema_fields(export->cli->replica, export->type, &fields, &count, err);
    if (status != CAIRN_OK)
        return status;
    if (count > EXPORT_COLUMNS_MAX - FIXED_MAX)
        return cairn_fail(err, CAIRN_LIMIT, N_("%s has more than %d fields"), export->type,
                          EXPORT_COLUMNS_MAX - FIXED_MAX);
    if (!export->is_masked)
        add_fixed(export, IMPORT_RECORD, _("record ID"));
    add_fixed(export, IMPORT_VILLAGE, _("village code"));
    for (size_t i = 0; i < count; i++) {
        const struct cairn_field_info *field = &export->fields[i];
        if (!copy_field(export, &fields[i]))
            return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
        export->columns[export->fixed_count + i] = (struct export_column){
            field->name, field_label(field->name, field->label_zh, field->label_en),
            export->is_masked && field->is_personal ? CELL_TEXT : cell_kind(field)};
    }
    return CAIRN_OK;
}

static void release(struct export *export)
{
    for (size_t i = 0; i < export->text_count; i++)
        free(export->texts[i]);
    export_abort(export->writer);
}

/* ---- rows ---- */

/* An XLSX is for people, the others are read back. */
static enum value_form form_of(const struct export *export)
{
    return export->format == EXPORT_XLSX ? VALUE_AS_LABEL : VALUE_AS_PUT;
}

/* What a cell shows, free()d by the caller: of a set all elements. NULL: nothing, or no memory. */
static char *shown_value(const struct cairn_record *record, const char *name, enum value_form form)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0 && record->fields[i].version_count > 0)
            return field_text(&record->fields[i], form);
    return NULL;
}

static bool visit(void *context, const struct cairn_record *record)
{
    struct export *export = context;
    char masked[EXPORT_COLUMNS_MAX][MASK_BYTES];
    const char *values[EXPORT_COLUMNS_MAX];
    char *shown[EXPORT_COLUMNS_MAX];
    size_t count = 0;

    if (!export->is_masked)
        values[count++] = record->id;
    values[count++] = record->scope;
    for (size_t i = 0; i < export->field_count; i++) {
        const struct cairn_field_info *field = &export->fields[i];
        shown[i] = shown_value(record, field->name, form_of(export));
        const char *value = shown[i];
        if (value != NULL && export->is_masked && field->is_personal)
            value = mask_value(field, value, masked[i]);
        values[count++] = value;
    }
    export->record_count++;
    export->status = export_row(export->writer, values, &export->cli->err);
    for (size_t i = 0; i < export->field_count; i++)
        free(shown[i]);
    return export->status == CAIRN_OK;
}

static enum cairn_status write_file(struct export *export, const struct conditions *conditions)
{
    struct cli *cli = export->cli;
    const struct cairn_query query = {.type = export->type,
                                      .conditions = conditions->items,
                                      .condition_count = conditions->count};
    struct export_config config = {.path = export->path,
                                   .format = export->format,
                                   .has_mark = options_has(&cli->options, OPTION_BOM),
                                   .columns = export->columns,
                                   .column_count = export->fixed_count + export->field_count};

    enum cairn_status status = export_open(&config, &export->writer, &cli->err);
    if (status == CAIRN_OK)
        status = cairn_query_run(cli->replica, &query, visit, export, &cli->err);
    if (status == CAIRN_OK)
        status = export->status;
    if (status != CAIRN_OK)
        return status;
    struct export_writer *writer = export->writer;
    export->writer = NULL;
    return export_close(writer, &cli->err);
}

/* On standard output stand the records alone. */
static void print_written(struct export *export)
{
    struct output *output = &export->cli->output;
    struct i18n_number count = i18n_number(export->record_count);

    if (strcmp(export->path, "-") == 0)
        return;
    if (output->is_json)
        output_json(output,
                    json_pack("{s:o, s:o, s:b}", "file", output_json_text(export->path), "records",
                              count_json(export->record_count), "masked", export->is_masked));
    else
        output_line(output,
                    ngettext("Written %s: %s record", "Written %s: %s records",
                             (unsigned long)export->record_count),
                    export->path, count.text);
}

/* ---- the command ---- */

static enum cli_exit export_run(struct export *export, const struct conditions *conditions)
{
    struct cli *cli = export->cli;

    enum cairn_status status = read_options(export);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    status = find_columns(export);
    if (status == CAIRN_OK)
        status = write_file(export, conditions);
    if (status != CAIRN_OK)
        return cli_report_given(cli, status);
    print_written(export);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct export export = {
        .cli = cli, .type = cli->options.arguments[0], .path = cli->options.arguments[1]};
    struct conditions conditions;

    enum cairn_status status = conditions_read(&conditions, cli->options.arguments + 2,
                                               cli->options.argument_count - 2, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = export_run(&export, &conditions);
    release(&export);
    conditions_release(&conditions);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_FORMAT, "format", "NAME", N_("csv, jsonl or xlsx; else the ending of FILE says it")},
    {OPTION_MASK, "mask", NULL,
     N_("hide personal values: names 扎*, ID and mobile numbers but for their ends, else ***")},
    {OPTION_BOM, "bom", NULL, N_("begin a CSV with a byte order mark, which Excel wants")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_export = {
    .name = "export",
    .group = GROUP_RECORDS,
    .arguments = "TYPE FILE [CONDITION...] [--mask]",
    .summary = N_("Write the records of a type into a file"),
    .about = N_(
        "CSV with CR LF and field names, which cairn import reads back; JSON lines, one object a\n"
        "record; or XLSX, labels by name, numbers and dates to reckon with, for people. FILE - is\n"
        "standard output. Records are chosen as by cairn list; of a field in conflict the shown\n"
        "value is written.\n"
        "\n"
        "Texts that a spreadsheet would run as a formula, those that begin with = + - @, get an\n"
        "apostrophe in front in CSV, which cairn import takes off again. FILE appears when all of\n"
        "it is on disk: a full disk leaves no half of it. A masked file lacks the column "
        "`record`,\n"
        "so that nobody imports the masks over the records."),
    .examples = "  cairn export household shiqu.csv --bom\n"
                "  cairn export household wall.xlsx village=513332100201 --mask\n"
                "  cairn export household poor.csv 'income<4200' failed=housing\n"
                "  cairn export household - --format jsonl | jq .head",
    .options = options,
    .arguments_min = 2,
    .arguments_max = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
