/* cairn list: the records of a type, one a line. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"

/* Before the fields of the schema stand id and village. */
#define FIXED_COLUMNS 2
#define FIELDS_MAX (TABLE_COLUMNS_MAX - FIXED_COLUMNS)

struct listing {
    struct cli *cli;
    struct table table;
    char *names[FIELDS_MAX]; /* of the fields, in schema order; copies, as the schema is borrowed */
    bool are_integers[FIELDS_MAX];
    size_t field_count;
    uint64_t record_count;
};

static const struct cairn_version *shown_version(const struct cairn_record *record,
                                                 const char *name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0 && record->fields[i].version_count > 0)
            return &record->fields[i].versions[0];
    return NULL;
}

static void add_row(struct listing *listing, const struct cairn_record *record)
{
    char numbers[FIELDS_MAX][TEXT_NUMBER_BYTES];
    const char *cells[TABLE_COLUMNS_MAX];
    char id[40];

    snprintf(id, sizeof id, "%s%s", record->id, record->has_conflict ? " !" : "");
    cells[0] = id;
    cells[1] = CLI_PLACE(listing->cli, record->scope);
    for (size_t i = 0; i < listing->field_count; i++) {
        const struct cairn_version *version = shown_version(record, listing->names[i]);
        cells[FIXED_COLUMNS + i] =
            version == NULL ? NULL
                            : cli_value(version->value, listing->are_integers[i], numbers[i]);
    }
    table_add(&listing->table, cells, FIXED_COLUMNS + listing->field_count);
}

static bool visit(void *context, const struct cairn_record *record)
{
    struct listing *listing = context;

    listing->record_count++;
    if (listing->cli->output.is_json)
        output_json(&listing->cli->output, record_json(listing->cli, record, false));
    else
        add_row(listing, record);
    return true;
}

/* The header row; also keeps the names of the fields. */
static enum cairn_status add_header(struct listing *listing, const char *type)
{
    const struct cairn_field_info *fields;
    const char *cells[TABLE_COLUMNS_MAX] = {_("ID"), _("village")};
    size_t count = 0;
    struct cairn_err *err = &listing->cli->err;

    enum cairn_status status =
        cairn_schema_fields(listing->cli->replica, type, &fields, &count, err);
    if (status == CAIRN_NOT_FOUND)
        return CAIRN_BAD_INPUT; /* err names the type: what was given is wrong */
    if (status != CAIRN_OK)
        return status;
    for (size_t i = 0; i < count && i < FIELDS_MAX; i++) {
        listing->names[i] = strdup(fields[i].name);
        if (listing->names[i] == NULL)
            return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
        listing->are_integers[i] = fields[i].is_integer;
        listing->field_count++;
        cells[FIXED_COLUMNS + i] =
            field_label(fields[i].name, fields[i].label_zh, fields[i].label_en);
    }
    table_add(&listing->table, cells, FIXED_COLUMNS + listing->field_count);
    return CAIRN_OK;
}

static enum cli_exit list(struct listing *listing, const struct cli_fields *filter)
{
    struct cli *cli = listing->cli;
    const char *type = cli->options.arguments[0];

    enum cairn_status status = add_header(listing, type);
    if (status == CAIRN_OK)
        status =
            cairn_list(cli->replica, type, filter->items, filter->count, visit, listing, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (cli->output.is_json)
        return CLI_DONE;
    if (listing->record_count == 0)
        output_note(&cli->output, _("no records of type %s fit"), type);
    else {
        table_drop_unused(&listing->table);
        output_table(&cli->output, &listing->table, false);
    }
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct listing listing = {.cli = cli};
    struct cli_fields filter;

    enum cairn_status status = cli_fields_read(&filter, cli->options.arguments + 1,
                                               cli->options.argument_count - 1, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    table_init(&listing.table);
    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code == CLI_DONE)
        exit_code = list(&listing, &filter);
    for (size_t i = 0; i < listing.field_count; i++)
        free(listing.names[i]);
    table_release(&listing.table);
    cli_fields_release(&filter);
    return exit_code;
}

const struct command command_list = {
    .name = "list",
    .group = GROUP_RECORDS,
    .arguments = "TYPE [FIELD=VALUE...]",
    .summary = N_("List the records of a type"),
    .about = N_(
        "One record a line, by village and ID, deleted ones left out; '!' marks a conflict. Only\n"
        "records whose shown values equal all the FIELD=VALUE given; village=CODE takes every\n"
        "place whose code begins with CODE. Columns that no record fills are left out. An empty\n"
        "list is not an error."),
    .examples = "  cairn list household\n"
                "  cairn list household village=513332100 status=贫困户\n"
                "  cairn list household --json | jq -r .id",
    .options = NULL,
    .arguments_min = 1,
    .arguments_max = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
