/* cairn import: many records from a CSV file in one commit, all or nothing. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "csv.h"
#include "files.h"
#include "record_view.h"

/* One commit holds them all; the largest county on record has 19,000 households. */
#define ROWS_MAX 200000

struct row {
    size_t line;
    char *problem; /* without full stop; NULL: good as far as is known */
    const char *scope;
    struct cairn_field_value *fields;
    size_t field_count;
};

struct import {
    struct cli *cli;
    const char *type, *file;
    char *text;
    struct csv_row header;
    struct row *rows;
    size_t row_count, row_capacity, bad_count;
    struct cairn_put *puts; /* of the rows without a problem */
    size_t *put_rows;       /* which row each is */
    size_t put_count;
};

static void release(struct import *import)
{
    for (size_t i = 0; i < import->row_count; i++) {
        free(import->rows[i].problem);
        free(import->rows[i].fields);
    }
    free(import->rows);
    free(import->puts);
    free(import->put_rows);
    free(import->text);
}

static enum cairn_status fail_memory(struct import *import)
{
    return cairn_fail(&import->cli->err, CAIRN_NO_MEMORY,
                      N_("out of memory for %s. Nothing was imported."), import->file);
}

static enum cairn_status mark_bad(struct import *import, struct row *row, const char *text)
{
    if (row->problem != NULL)
        return CAIRN_OK;
    row->problem = strndup(text, text_length_without_stop(text));
    if (row->problem == NULL)
        return fail_memory(import);
    import->bad_count++;
    return CAIRN_OK;
}

static enum cairn_status fail_line(struct import *import, size_t line, const char *problem)
{
    return cairn_fail(&import->cli->err, CAIRN_BAD_INPUT, N_("%s:%zu: %s. Nothing was imported."),
                      import->file, line, problem);
}

/* ---- reading the file ---- */

static enum cairn_status read_header(struct import *import, struct csv_reader *reader)
{
    struct cairn_err reason = {.translate = i18n_translate};
    enum cairn_status status = csv_next(reader, &import->header, &reason);

    if (status == CAIRN_NOT_FOUND)
        return fail_line(import, 1, _("the file is empty; its first line must name the fields"));
    if (status != CAIRN_OK)
        return fail_line(import, import->header.line, reason.text);
    for (size_t i = 0; i < import->header.field_count; i++) {
        if (import->header.fields[i][0] == '\0')
            return fail_line(import, import->header.line, _("a column has no name"));
        for (size_t k = 0; k < i; k++)
            if (strcmp(import->header.fields[i], import->header.fields[k]) == 0)
                return fail_line(import, import->header.line, _("two columns have the same name"));
    }
    return CAIRN_OK;
}

static enum cairn_status add_row(struct import *import, size_t line, struct row **out_row)
{
    if (import->row_count == ROWS_MAX)
        return cairn_fail(&import->cli->err, CAIRN_BAD_INPUT,
                          N_("%s has more than %d rows; split it. Nothing was imported."),
                          import->file, ROWS_MAX);
    if (import->row_count == import->row_capacity) {
        size_t capacity = import->row_capacity == 0 ? 256 : import->row_capacity * 2;
        struct row *rows = realloc(import->rows, capacity * sizeof *rows);
        if (rows == NULL)
            return fail_memory(import);
        import->rows = rows;
        import->row_capacity = capacity;
    }
    *out_row = &import->rows[import->row_count++];
    **out_row = (struct row){.line = line};
    return CAIRN_OK;
}

/* Empty cells say nothing: a record without that field. */
static enum cairn_status fill_row(struct import *import, struct row *row,
                                  const struct csv_row *cells)
{
    if (cells->field_count != import->header.field_count) {
        struct cairn_err text = {.translate = i18n_translate};
        (void)cairn_fail(&text, CAIRN_BAD_INPUT,
                         N_("this row has %zu fields, the first line names %zu"),
                         cells->field_count, import->header.field_count);
        return mark_bad(import, row, text.text);
    }
    row->fields = calloc(cells->field_count, sizeof *row->fields);
    if (row->fields == NULL)
        return fail_memory(import);
    for (size_t i = 0; i < cells->field_count; i++) {
        if (cells->fields[i][0] == '\0')
            continue;
        if (strcmp(import->header.fields[i], "village") == 0)
            row->scope = cells->fields[i];
        else
            row->fields[row->field_count++] =
                (struct cairn_field_value){import->header.fields[i], cells->fields[i]};
    }
    return CAIRN_OK;
}

/* A row that cannot be told from the next ends the reading; it is listed as bad. */
static enum cairn_status read_rows(struct import *import, struct csv_reader *reader)
{
    struct cairn_err reason = {.translate = i18n_translate};
    struct csv_row cells;
    enum cairn_status status;

    while ((status = csv_next(reader, &cells, &reason)) != CAIRN_NOT_FOUND) {
        struct row *row = NULL;
        enum cairn_status added = add_row(import, cells.line, &row);
        if (added == CAIRN_OK)
            added = status == CAIRN_OK ? fill_row(import, row, &cells)
                                       : mark_bad(import, row, reason.text);
        if (added != CAIRN_OK)
            return added;
        if (status != CAIRN_OK)
            return CAIRN_OK;
    }
    return CAIRN_OK;
}

static enum cairn_status read_all(struct import *import)
{
    struct csv_reader reader;
    size_t size = 0;

    enum cairn_status status =
        files_read(import->file, FILES_TABLE_MAX, &import->text, &size, &import->cli->err);
    if (status != CAIRN_OK)
        return status;
    csv_init(&reader, import->text, size);
    status = read_header(import, &reader);
    if (status == CAIRN_OK)
        status = read_rows(import, &reader);
    return status;
}

/* ---- checking and saving ---- */

static enum cairn_status make_puts(struct import *import)
{
    size_t room = import->row_count + 1; /* malloc(0) may be NULL */

    import->puts = calloc(room, sizeof *import->puts);
    import->put_rows = calloc(room, sizeof *import->put_rows);
    if (import->puts == NULL || import->put_rows == NULL)
        return fail_memory(import);
    for (size_t i = 0; i < import->row_count; i++) {
        const struct row *row = &import->rows[i];
        if (row->problem != NULL)
            continue;
        import->put_rows[import->put_count] = i;
        import->puts[import->put_count++] = (struct cairn_put){
            .type = import->type,
            .scope = row->scope,
            .fields = row->fields,
            .field_count = row->field_count,
            .reason = options_value(&import->cli->options, OPTION_REASON),
        };
    }
    return CAIRN_OK;
}

static void visit_bad(void *context, size_t put_index, enum cairn_status status, const char *text)
{
    struct import *import = context;

    (void)status; /* whatever it is, the row is what must be corrected */
    /* Without memory the row is still counted: see check(). */
    if (put_index < import->put_count)
        (void)mark_bad(import, &import->rows[import->put_rows[put_index]], text);
}

static enum cairn_status check(struct import *import)
{
    struct cli *cli = import->cli;
    size_t known_bad = import->bad_count;

    output_progress(&cli->output, _("Checking %s rows"), text_count(import->row_count).text);
    enum cairn_status status = cairn_put_check(cli->replica, import->puts, import->put_count,
                                               visit_bad, import, &cli->err);
    /* Bad rows are told row by row, whatever the call as a whole says of them. */
    return import->bad_count > known_bad ? CAIRN_OK : status;
}

static const struct row *first_bad(const struct import *import)
{
    for (size_t i = 0; i < import->row_count; i++)
        if (import->rows[i].problem != NULL)
            return &import->rows[i];
    return NULL;
}

static enum cli_exit print_dry_run(const struct import *import)
{
    struct output *output = &import->cli->output;
    size_t good_count = import->row_count - import->bad_count;
    json_t *bad = json_array();

    if (!output->is_json)
        output_line(output,
                    ngettext("%s: %s row, %s good.", "%s: %s rows, %s good.",
                             (unsigned long)import->row_count),
                    import->file, text_count(import->row_count).text, text_count(good_count).text);
    for (size_t i = 0; i < import->row_count; i++) {
        const struct row *row = &import->rows[i];
        if (row->problem == NULL)
            continue;
        if (output->is_json)
            json_array_append_new(bad, json_pack("{s:o, s:o}", "line", count_json(row->line),
                                                 "message", output_json_text(row->problem)));
        else
            output_line(output, _("Line %zu: %s."), row->line, row->problem);
    }
    if (output->is_json)
        output_json(output,
                    json_pack("{s:o, s:o, s:o, s:O}", "file", output_json_text(import->file),
                              "rows", count_json(import->row_count), "good", count_json(good_count),
                              "bad", bad));
    json_decref(bad);
    return import->bad_count == 0 ? CLI_DONE : CLI_WRONG;
}

static int compare_scope(const void *a, const void *b)
{
    const struct cairn_put *left = a;
    const struct cairn_put *right = b;

    return strcmp(left->scope == NULL ? "" : left->scope, right->scope == NULL ? "" : right->scope);
}

/* Sorts the puts, which are done with. */
static size_t count_villages(struct import *import)
{
    size_t count = import->put_count > 0;

    qsort(import->puts, import->put_count, sizeof *import->puts, compare_scope);
    for (size_t i = 1; i < import->put_count; i++)
        count += compare_scope(&import->puts[i - 1], &import->puts[i]) != 0;
    return count;
}

static void print_saved(struct import *import, const struct cairn_put_result *results)
{
    struct output *output = &import->cli->output;
    const char *first = results[0].id;
    const char *last = results[import->put_count - 1].id;
    size_t village_count = count_villages(import);

    if (output->is_json)
        output_json(output,
                    json_pack("{s:o, s:o, s:s, s:s, s:o}", "file", output_json_text(import->file),
                              "saved", count_json(import->put_count), "first", first, "last", last,
                              "villages", count_json(village_count)));
    else if (import->put_count == 1)
        output_line(output, _("Saved 1 record of type %s (%s), 1 commit"), import->type, first);
    else
        output_line(output,
                    ngettext("Saved %s records of type %s (%s to %s) in %s village, 1 commit",
                             "Saved %s records of type %s (%s to %s) in %s villages, 1 commit",
                             village_count),
                    text_count(import->put_count).text, import->type, first, last,
                    text_count(village_count).text);
}

static enum cli_exit save(struct import *import)
{
    struct cli *cli = import->cli;
    const struct row *bad = first_bad(import);
    size_t failed = 0;

    if (bad != NULL)
        return CLI_FAIL(
            cli, CAIRN_BAD_INPUT,
            N_("%s:%zu: %s. Nothing was imported; correct the row, or run with --dry-run to "
               "see all bad rows."),
            import->file, bad->line, bad->problem);
    if (import->put_count == 0)
        return CLI_FAIL(cli, CAIRN_BAD_INPUT, N_("%s holds no rows. Nothing was imported."),
                        import->file);

    struct cairn_put_result *results = calloc(import->put_count, sizeof *results);
    if (results == NULL)
        return cli_report(cli, fail_memory(import));
    output_progress(&cli->output, _("Saving %s records"), text_count(import->put_count).text);
    enum cairn_status status =
        cairn_put_many(cli->replica, import->puts, import->put_count, results, &failed, &cli->err);
    if (status == CAIRN_OK)
        print_saved(import, results);
    free(results);
    return status == CAIRN_OK ? CLI_DONE : cli_report_write(cli, status);
}

static enum cli_exit run(struct cli *cli)
{
    struct import import = {
        .cli = cli,
        .type = cli->options.arguments[0],
        .file = cli->options.arguments[1],
    };
    bool is_dry = options_has(&cli->options, OPTION_DRY_RUN);
    enum cli_exit exit_code = CLI_DONE;

    enum cairn_status status = read_all(&import);
    if (status == CAIRN_OK)
        status = make_puts(&import);
    if (status != CAIRN_OK)
        exit_code = cli_report(cli, status);
    if (exit_code == CLI_DONE)
        exit_code = cli_open(cli, is_dry ? CLI_READS : CLI_WRITES);
    if (exit_code == CLI_DONE)
        exit_code = cli_check_joined(cli);
    if (exit_code == CLI_DONE && (status = check(&import)) != CAIRN_OK)
        exit_code = cli_report_write(cli, status);
    if (exit_code == CLI_DONE)
        exit_code = is_dry ? print_dry_run(&import) : save(&import);
    release(&import);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_DRY_RUN, "dry-run", NULL, N_("check every row, list the bad ones, write nothing")},
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with each record for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_import = {
    .name = "import",
    .group = GROUP_RECORDS,
    .arguments = "TYPE FILE [--dry-run] [--reason TEXT]",
    .summary = N_("Create many records from a CSV file"),
    .about = N_(
        "The first line names the fields; a column `village` holds the 12 digits of the village\n"
        "each record belongs to. Empty cells are left out. The file is UTF-8, as a spreadsheet\n"
        "writes it when told \"CSV UTF-8\". Either every row is saved, in one commit, or none;\n"
        "a bad row is named with its line."),
    .examples = "  cairn import household shiqu.csv --dry-run\n"
                "  cairn import household shiqu.csv",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
