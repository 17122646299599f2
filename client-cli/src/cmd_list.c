/* cairn list: the records of a type, one a line. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "conditions.h"
#include "record_view.h"
#include "schema_view.h"

/* Before the fields of the schema stand id and village. */
#define FIXED_COLUMNS 2
#define FIELDS_MAX (TABLE_COLUMNS_MAX - FIXED_COLUMNS)

struct listing {
    struct cli *cli;
    struct table table;
    char *names[FIELDS_MAX]; /* of the fields, in schema order; copies, as the schema is borrowed */
    bool repeat_place[FIELDS_MAX]; /* all that it shows is the village again */
    size_t field_count;
    const struct name_list *wanted; /* empty: all fields */
    uint64_t record_count;
};

/* What a field shows, as `get` says it: of a set all elements; malloc'd. NULL: nothing, or no
 * memory. */
static char *shown_text(struct listing *listing, const struct cairn_record *record,
                        const char *name)
{
    char *text = NULL;

    for (size_t i = 0; i < record->field_count; i++) {
        if (strcmp(record->fields[i].name, name) != 0 || record->fields[i].version_count == 0)
            continue;
        text = field_text(&record->fields[i], VALUE_AS_SHOWN);
        listing->table.failed = listing->table.failed || text == NULL;
    }
    return text;
}

static void add_row(struct listing *listing, const struct cairn_record *record)
{
    char *texts[FIELDS_MAX];
    const char *cells[TABLE_COLUMNS_MAX];
    char id[40];

    snprintf(id, sizeof id, "%s%s", record->id, record->has_conflict ? " !" : "");
    cells[0] = id;
    cells[1] = CLI_PLACE(listing->cli, record->scope);
    for (size_t i = 0; i < listing->field_count; i++) {
        texts[i] = shown_text(listing, record, listing->names[i]);
        cells[FIXED_COLUMNS + i] = texts[i];
        if (texts[i] != NULL && texts[i][0] != '\0' && strcmp(texts[i], cells[1]) != 0)
            listing->repeat_place[i] = false;
    }
    table_add(&listing->table, cells, FIXED_COLUMNS + listing->field_count);
    for (size_t i = 0; i < listing->field_count; i++)
        free(texts[i]);
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

/* A field may be asked for by its label. */
static bool is_wanted(const struct listing *listing, const struct cairn_field_info *fields,
                      size_t count, size_t at)
{
    for (size_t i = 0; i < listing->wanted->count; i++)
        if (schema_field_find(fields, count, listing->wanted->items[i]) == &fields[at])
            return true;
    return listing->wanted->count == 0;
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
    if (status != CAIRN_OK)
        return status;
    for (size_t i = 0; i < count && listing->field_count < FIELDS_MAX; i++) {
        size_t at = listing->field_count;
        if (!is_wanted(listing, fields, count, i))
            continue;
        listing->names[at] = strdup(fields[i].name);
        if (listing->names[at] == NULL)
            return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
        listing->repeat_place[at] = listing->wanted->count == 0;
        listing->field_count++;
        cells[FIXED_COLUMNS + at] =
            field_label(fields[i].name, fields[i].label_zh, fields[i].label_en);
    }
    table_add(&listing->table, cells, FIXED_COLUMNS + listing->field_count);
    return CAIRN_OK;
}

/* Columns that tell nothing leave their room to the others, unless somebody asked for them. */
static void drop_columns(struct listing *listing)
{
    if (listing->wanted->count > 0)
        return;
    for (size_t i = 0; i < listing->field_count; i++)
        if (listing->repeat_place[i])
            table_drop(&listing->table, FIXED_COLUMNS + i);
    table_drop_unused(&listing->table);
}

static enum cli_exit list(struct listing *listing, const struct cairn_query *query)
{
    struct cli *cli = listing->cli;

    enum cairn_status status = add_header(listing, query->type);
    if (status == CAIRN_OK)
        status = cairn_query_run(cli->replica, query, visit, listing, &cli->err);
    if (status != CAIRN_OK)
        return cli_report_given(cli, status);
    if (cli->output.is_json)
        return CLI_DONE;
    if (listing->record_count == 0)
        output_note(&cli->output, _("no records of type %s fit"), query->type);
    else {
        drop_columns(listing);
        output_table(&cli->output, &listing->table, false);
    }
    return CLI_DONE;
}

/* The number of an option, at least `least`; 0 where it is not given. */
static enum cairn_status number_read(struct cli *cli, enum option_id id, const char *name,
                                     uint64_t least, uint64_t *out_number)
{
    const char *text = options_value(&cli->options, id);

    *out_number = 0;
    if (text == NULL)
        return CAIRN_OK;
    if (text[0] == '\0' || strlen(text) > 18 || strspn(text, "0123456789") != strlen(text))
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT, N_("--%s: \"%s\" is no whole number."), name,
                          text);
    *out_number = strtoull(text, NULL, 10);
    if (*out_number < least)
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT, N_("--%s: 1 is the least, not %s."), name,
                          text);
    return CAIRN_OK;
}

/* "FIELD" or "FIELD:desc"; the name is cut off in `text`, a copy. */
static void sort_read(char *text, struct cairn_query *query)
{
    char *colon = strrchr(text, ':');

    query->sort_field = text;
    query->sorts_down = colon != NULL && strcmp(colon, ":desc") == 0;
    if (colon != NULL && (query->sorts_down || strcmp(colon, ":asc") == 0))
        *colon = '\0';
}

/* What is asked for; what it borrows goes with `release`. */
struct asked {
    struct conditions conditions;
    struct name_list fields;
    char *sort;
    struct cairn_query query;
};

static enum cairn_status asked_read(struct cli *cli, struct asked *asked)
{
    const char *sort = options_value(&cli->options, OPTION_SORT);

    asked->query.type = cli->options.arguments[0];
    enum cairn_status status =
        name_list_read(&asked->fields, options_value(&cli->options, OPTION_FIELDS), &cli->err);
    if (status == CAIRN_OK)
        status = conditions_read(&asked->conditions, cli->options.arguments + 1,
                                 cli->options.argument_count - 1, &cli->err);
    if (status == CAIRN_OK)
        status = number_read(cli, OPTION_LIMIT, "limit", 1, &asked->query.limit);
    if (status == CAIRN_OK)
        status = number_read(cli, OPTION_OFFSET, "offset", 0, &asked->query.offset);
    if (status == CAIRN_OK && sort != NULL) {
        asked->sort = strdup(sort);
        if (asked->sort == NULL)
            return cairn_fail(&cli->err, CAIRN_NO_MEMORY, N_("out of memory"));
        sort_read(asked->sort, &asked->query);
    }
    asked->query.conditions = asked->conditions.items;
    asked->query.condition_count = asked->conditions.count;
    asked->query.fields = asked->fields.count > 0 ? asked->fields.items : NULL;
    asked->query.field_count = asked->fields.count;
    return status;
}

static void asked_release(struct asked *asked)
{
    conditions_release(&asked->conditions);
    name_list_release(&asked->fields);
    free(asked->sort);
}

static enum cli_exit run(struct cli *cli)
{
    struct asked asked = {.sort = NULL};
    struct listing listing = {.cli = cli, .wanted = &asked.fields};

    enum cairn_status status = asked_read(cli, &asked);
    if (status != CAIRN_OK) {
        asked_release(&asked);
        return cli_report(cli, status);
    }
    table_init(&listing.table);
    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code == CLI_DONE)
        exit_code = list(&listing, &asked.query);
    for (size_t i = 0; i < listing.field_count; i++)
        free(listing.names[i]);
    table_release(&listing.table);
    asked_release(&asked);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_SORT, "sort", "FIELD[:desc]",
     N_("order by this field, or by it downwards; else by village and ID")},
    {OPTION_LIMIT, "limit", "N", N_("at most so many records")},
    {OPTION_OFFSET, "offset", "N", N_("pass over so many first")},
    {OPTION_FIELDS, "fields", "A,B,C", N_("show these fields only")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_list = {
    .name = "list",
    .group = GROUP_RECORDS,
    .arguments = "TYPE [CONDITION...]",
    .summary = N_("List the records of a type"),
    .about = N_(
        "One record a line, by village and ID, deleted ones left out; '!' marks a conflict. Only\n"
        "records that meet all conditions: FIELD=VALUE, FIELD!=VALUE, 'FIELD<VALUE',\n"
        "'FIELD>=VALUE', FIELD=LOW..HIGH for numbers, amounts and dates; of the values shown.\n"
        "village=CODE takes every place whose code begins with CODE. Further: id=ID,\n"
        "state=STATE, failed=INDICATOR (not met, or not known), band=BAND, conflict=yes,\n"
        "parallel=yes, refused=yes.\n"
        "Columns that no record fills are left out, and one that only says the village again,\n"
        "unless --fields names it. An empty list is not an error."),
    .examples = "  cairn list household village=513332100 status=贫困户\n"
                "  cairn list household 'income<4200' --sort income --limit 20\n"
                "  cairn list household band=4200..4500 --fields head,income\n"
                "  cairn list household --json | jq -r .id",
    .options = options,
    .arguments_min = 1,
    .arguments_max = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
