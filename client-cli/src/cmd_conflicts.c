/* cairn conflicts: fields with more than one value, until somebody settles them. */

#include <stdlib.h>

#include "commands.h"
#include "record_view.h"

struct conflicts {
    struct cli *cli;
    struct table table;
    uint64_t count;
};

static void add_row(struct table *table, const struct cairn_record *record,
                    const struct cairn_field_state *field)
{
    const char *cells[TABLE_COLUMNS_MAX] = {record->id, field->name};
    char *texts[TABLE_COLUMNS_MAX] = {NULL};
    size_t count = 2;

    for (size_t i = 0; i < field->version_count && count < TABLE_COLUMNS_MAX; i++, count++) {
        texts[count] = version_text(field, i);
        cells[count] = texts[count];
        if (texts[count] == NULL)
            table->failed = true;
    }
    table_add(table, cells, count);
    for (size_t i = 2; i < count; i++)
        free(texts[i]);
}

static bool visit(void *context, const struct cairn_record *record)
{
    struct conflicts *conflicts = context;

    conflicts->count++;
    if (conflicts->cli->output.is_json)
        output_json(&conflicts->cli->output, record_json(conflicts->cli, record, false));
    for (size_t i = 0; i < record->field_count; i++)
        if (record->fields[i].has_conflict)
            add_row(&conflicts->table, record, &record->fields[i]);
    return true;
}

/* Do fields of more than one writer stand side by side? */
static bool is_merged(struct conflicts *conflicts, const struct cairn_record *record)
{
    char *tags = parallel_tags(record);
    bool has_several = tags != NULL && tags[0] != '\0';

    if (tags == NULL)
        conflicts->table.failed = true;
    free(tags);
    return has_several;
}

/* Merged without loss: nobody has to decide, but somebody may want to know. */
static bool visit_parallel(void *context, const struct cairn_record *record)
{
    struct conflicts *conflicts = context;

    if (!is_merged(conflicts, record))
        return true;
    conflicts->count++;
    if (conflicts->cli->output.is_json)
        output_json(&conflicts->cli->output, record_json(conflicts->cli, record, false));
    for (size_t i = 0; i < record->field_count; i++) {
        const struct cairn_field_state *field = &record->fields[i];
        if (!is_merged_field(field))
            continue;
        char *text = version_text(field, 0);
        table_add(&conflicts->table,
                  (const char *const[]){record->id, field->name, text, _("merged")}, 4);
        if (text == NULL)
            conflicts->table.failed = true;
        free(text);
    }
    return true;
}

static enum cli_exit conclude(struct cli *cli, const struct conflicts *conflicts, bool is_parallel)
{
    if (conflicts->count == 0 && !cli->output.is_json)
        output_note(&cli->output, "%s", is_parallel ? _("no parallel edits") : _("no conflicts"));
    return conflicts->count > 0 && !is_parallel ? CLI_LOOK : CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct conflicts conflicts = {.cli = cli};
    bool is_parallel = options_has(&cli->options, OPTION_PARALLEL);

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    table_init(&conflicts.table);
    enum cairn_status status =
        is_parallel ? cairn_parallels(cli->replica, visit_parallel, &conflicts, &cli->err)
                    : cairn_conflicts(cli->replica, visit, &conflicts, &cli->err);
    if (status == CAIRN_OK && !cli->output.is_json)
        output_table(&cli->output, &conflicts.table, true);
    table_release(&conflicts.table);
    return status == CAIRN_OK ? conclude(cli, &conflicts, is_parallel) : cli_report(cli, status);
}

static const struct option_spec options[] = {
    {OPTION_PARALLEL, "parallel", NULL,
     N_("list what was merged instead: different fields of one record, written unseen")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_conflicts = {
    .name = "conflicts",
    .group = GROUP_CHECK,
    .arguments = "[--parallel]",
    .summary = N_("List fields that two people changed without knowing of each other"),
    .about =
        N_("Each line is one field of one record with all its values, numbered; (shown) marks "
           "the one\n"
           "that other commands show. None of them is lost until somebody decides with\n"
           "`cairn settle`. The field \"deleted\" means that somebody deleted the record and "
           "somebody\n"
           "else edited it. Ends with 1 when there are any conflicts, 0 when there are none.\n"
           "Different fields of one record, written by two who did not see each other, are merged\n"
           "and need nobody; --parallel lists them."),
    .examples = "  cairn conflicts\n"
                "  cairn settle C-0007-2 income --keep 2 --reason \"receipt seen\"",
    .options = options,
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
