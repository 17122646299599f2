/* cairn import: the rows of a CSV file become records, a thousand a commit. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "import_piece.h"
#include "import_place.h"
#include "progress.h"
#include "record_view.h"
#include "scope_count.h"

struct import {
    struct cli *cli;
    const char *path;
    enum csv_encoding encoding;
    bool is_dry, is_partial, resumes;
    struct import_how how;
    struct csv_file file;
    struct import_map map;
    struct import_piece *piece;
    struct import_memo memo;
    struct import_place begun; /* where this run begins */
    struct progress progress;
    struct scope_count villages;
    uint64_t row_count, bad_count;
    uint64_t saved_count, commit_count, created_count, changed_count;
    char first[32], last[32]; /* ids */
};

static void release(struct import *import)
{
    csv_file_close(&import->file);
    import_map_release(&import->map);
    import_piece_free(import->piece);
    scope_count_release(&import->villages);
}

static enum cairn_status fail_line(struct import *import, size_t line, const char *problem)
{
    return cairn_fail(&import->cli->err, CAIRN_BAD_INPUT, N_("%s:%zu: %s. Nothing was imported."),
                      import->path, line, problem);
}

/* ---- the file and what its columns are ---- */

static enum cairn_status read_options(struct import *import)
{
    const struct options *options = &import->cli->options;
    const char *encoding = options_value(options, OPTION_ENCODING);

    import->is_dry = options_has(options, OPTION_DRY_RUN);
    import->is_partial = options_has(options, OPTION_PARTIAL);
    import->resumes = options_has(options, OPTION_RESUME);
    import->how = (struct import_how){.type = options->arguments[0],
                                      .reason = options_value(options, OPTION_REASON),
                                      .updates = options_has(options, OPTION_UPDATE),
                                      .map = &import->map};
    if (encoding != NULL && !csv_encoding_named(encoding, &import->encoding))
        return cairn_fail(&import->cli->err, CAIRN_BAD_INPUT,
                          N_("--encoding is utf-8 or gb18030, not %s. Nothing was imported."),
                          encoding);
    return CAIRN_OK;
}

/* Open the file and read the row of names. */
static enum cairn_status open_file(struct import *import, struct csv_row *out_header,
                                   char **out_text)
{
    struct cairn_err reason = {.translate = i18n_translate};

    enum cairn_status status =
        csv_file_open(&import->file, import->path, import->encoding, &import->cli->err);
    if (status != CAIRN_OK)
        return status;
    status = csv_file_next(&import->file, out_text, out_header, &reason);
    if (status == CAIRN_NOT_FOUND)
        return fail_line(import, 1, _("the file is empty; its first line must name the fields"));
    return status == CAIRN_OK ? status : fail_line(import, out_header->line, reason.text);
}

static enum cairn_status map_columns(struct import *import, const struct csv_row *header)
{
    struct cli *cli = import->cli;
    struct cairn_err reason = {.translate = i18n_translate};
    struct import_map_input input = {.type = import->how.type,
                                     .header = header,
                                     .mapping = options_value(&cli->options, OPTION_MAP)};

    enum cairn_status status =
        cairn_schema_fields(cli->replica, input.type, &input.fields, &input.field_count, &cli->err);
    if (status != CAIRN_OK)
        return status;
    status = import_map_init(&import->map, &input, &reason);
    return status == CAIRN_OK ? status : fail_line(import, header->line, reason.text);
}

/* ---- where to begin ---- */

static enum cairn_status reopen(struct import *import)
{
    struct csv_row header;
    char *text = NULL;

    csv_file_close(&import->file);
    enum cairn_status status = open_file(import, &header, &text);
    free(text);
    return status;
}

static enum cairn_status fail_changed(struct import *import, const struct import_place *place)
{
    return cairn_fail(
        &import->cli->err, CAIRN_BAD_INPUT,
        N_("%s is not the file whose import was interrupted: it has other bytes than the %s that "
           "were imported, or another size. Nothing was imported now; put the earlier file back, "
           "or import what is missing under another file name."),
        import->path, i18n_number(place->offset).text);
}

/* Rows were added, or mended after --partial: which of them are in already nobody can tell. */
static enum cairn_status fail_edited(struct import *import, const struct import_place *place)
{
    if (!place->is_done)
        return fail_changed(import, place);
    return cairn_fail(
        &import->cli->err, CAIRN_BAD_INPUT,
        N_("%s was imported already (records saved: %s) and has changed since. Nothing was "
           "imported now; to change those records give --update and a column that names each. Put "
           "rows that are new, or were left out, into a file of another name, without the others."),
        import->path, i18n_number(place->saved).text);
}

/* Begin behind what an earlier run committed. */
static enum cairn_status go_on(struct import *import)
{
    struct cairn_err *err = &import->cli->err;
    struct import_place place;

    enum cairn_status status = import_place_get(import->cli->replica, &import->memo, &place, err);
    if (status == CAIRN_NOT_FOUND)
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            N_("no import of a file named %s was begun in this store, so there is "
               "nothing to resume. Nothing was imported; if cairn list shows none of its "
               "records, start it without --resume."),
            import->path);
    if (status == CAIRN_OK)
        status = import_place_seek(&place, &import->file, err);
    if (status == CAIRN_NOT_FOUND)
        return fail_edited(import, &place);
    import->begun = place;
    return status;
}

static enum cairn_status fail_begun(struct import *import, const struct import_place *place)
{
    struct cairn_err *err = &import->cli->err;

    if (place->is_done)
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            N_("%s was imported already (records saved: %s). Nothing was imported now; to change "
               "those records give --update and a column that names each, or, only if they are to "
               "be there twice, rename the file."),
            import->path, i18n_number(place->saved).text);
    return cairn_fail(
        err, CAIRN_BAD_INPUT,
        N_("an import of %s was interrupted behind line %zu, %s records are saved. Nothing was "
           "imported now; go on with --resume."),
        import->path, import->file.line - 1, i18n_number(place->saved).text);
}

/* Whoever starts once more an import that was interrupted, or done, would make its records twice.
 */
static enum cairn_status begin(struct import *import)
{
    struct cairn_err *err = &import->cli->err;
    struct import_place place;

    import->begun = import_place_of(&import->file, 0);
    if (import->how.updates || import->is_dry)
        return CAIRN_OK; /* doing it twice does no harm */
    enum cairn_status status = import_place_get(import->cli->replica, &import->memo, &place, NULL);
    if (status == CAIRN_NOT_FOUND || (status == CAIRN_OK && place.saved == 0))
        return CAIRN_OK;
    if (status == CAIRN_OK)
        status = import_place_seek(&place, &import->file, err);
    if (status == CAIRN_OK)
        return fail_begun(import, &place);
    return status == CAIRN_NOT_FOUND ? fail_edited(import, &place) : status;
}

/* ---- checking ---- */

static struct progress_texts measure(const struct import *import)
{
    return progress_measure(&import->progress, import->row_count, import->file.offset,
                            import->file.size_bytes);
}

static void print_bad_row(const struct import *import, const struct import_row *row)
{
    struct output *output = &import->cli->output;
    const char *header = row->column == 0 ? NULL : import->map.columns[row->column - 1].header;

    if (output->is_json)
        output_json(output,
                    json_pack("{s:o, s:o, s:o, s:o}", "line", count_json(row->line), "column",
                              header == NULL ? json_null() : count_json(row->column), "name",
                              output_json_text(header), "message", output_json_text(row->problem)));
    else if (header == NULL)
        output_line(output, _("Line %zu: %s."), row->line, row->problem);
    else
        output_line(output, _("Line %zu: %s (column %zu, %s)."), row->line, row->problem,
                    row->column, header);
}

static void print_bad_rows(const struct import *import)
{
    for (size_t i = 0; i < import->piece->row_count; i++)
        if (import->piece->rows[i].problem != NULL)
            print_bad_row(import, &import->piece->rows[i]);
}

static enum cairn_status fail_row(struct import *import, const struct import_row *row)
{
    return cairn_fail(
        &import->cli->err, CAIRN_BAD_INPUT,
        N_("%s:%zu: %s. Nothing was imported; correct the row, or run with --dry-run to "
           "see all bad rows."),
        import->path, row->line, row->problem);
}

/* Every row from where the file stands; nothing is written. A dry run tells them all, else the
 * first bad one ends it. */
static enum cairn_status check_all(struct import *import)
{
    struct import_piece *piece = import->piece;
    struct cli *cli = import->cli;

    do {
        enum cairn_status status = import_piece_read(piece, &import->file, &import->how, &cli->err);
        if (status == CAIRN_OK)
            status = import_piece_check(piece, cli->replica, &import->how, &cli->err);
        if (status != CAIRN_OK)
            return status;
        import->row_count += piece->row_count;
        import->bad_count += piece->bad_count;
        if (import->is_dry)
            print_bad_rows(import);
        else if (piece->bad_count > 0)
            return fail_row(import, import_piece_bad(piece));
        struct progress_texts now = measure(import);
        output_progress(&cli->output, _("Checked %s rows, %s a second, %s left"), now.rows.text,
                        now.rate.text, now.left.text);
    } while (piece->row_count > 0);
    return CAIRN_OK;
}

static enum cli_exit print_dry_run(const struct import *import)
{
    struct output *output = &import->cli->output;
    uint64_t good_count = import->row_count - import->bad_count;

    if (output->is_json)
        output_json(output,
                    json_pack("{s:o, s:o, s:o, s:o}", "file", output_json_text(import->path),
                              "rows", count_json(import->row_count), "good", count_json(good_count),
                              "bad", count_json(import->bad_count)));
    else
        output_line(output,
                    ngettext("%s: %s row, %s good.", "%s: %s rows, %s good.",
                             (unsigned long)import->row_count),
                    import->path, i18n_number(import->row_count).text,
                    i18n_number(good_count).text);
    return import->bad_count == 0 ? CLI_DONE : CLI_WRONG;
}

/* ---- saving ---- */

static enum cairn_status count_saved(struct import *import)
{
    struct import_piece *piece = import->piece;

    for (size_t i = 0; i < piece->put_count; i++) {
        const struct cairn_put_result *result = &piece->results[i];
        enum cairn_status status =
            scope_count_add(&import->villages, piece->puts[i].scope, &import->cli->err);
        if (status != CAIRN_OK)
            return status;
        import->created_count += result->is_created;
        import->changed_count += result->change_count > 0;
    }
    if (import->saved_count == 0)
        memcpy(import->first, piece->results[0].id, sizeof import->first);
    memcpy(import->last, piece->results[piece->put_count - 1].id, sizeof import->last);
    import->saved_count += piece->put_count;
    import->commit_count++;
    return CAIRN_OK;
}

/* Bad although it was checked: the file or the store has changed since. */
static enum cairn_status fail_rest(struct import *import, enum cairn_status status,
                                   const struct import_row *row, const char *problem)
{
    return cairn_fail(&import->cli->err, status,
                      N_("%s:%zu: %s. This row and those behind it are not imported."),
                      import->path, row->line, problem);
}

/* One commit: the rows, and with the last of them how far the import has come. */
static enum cairn_status save_piece(struct import *import)
{
    struct import_piece *piece = import->piece;
    struct cli *cli = import->cli;
    size_t failed = piece->put_count;

    if (piece->put_count == 0)
        return CAIRN_OK;
    struct import_place place = import_place_of(
        &import->file, import->begun.saved + import->saved_count + piece->put_count);
    import_memo_set(&import->memo, &place);
    piece->puts[piece->put_count - 1].memo = &import->memo.memo;
    enum cairn_status status = cairn_put_many(cli->replica, piece->puts, piece->put_count,
                                              piece->results, &failed, &cli->err);
    if (status == CAIRN_OK)
        return count_saved(import);
    if (cairn_status_actor(status) != CAIRN_ACTOR_USER || failed >= piece->put_count)
        return status;
    char *text = strndup(cli->err.text, text_length_without_stop(cli->err.text));
    status =
        fail_rest(import, status, &piece->rows[piece->put_rows[failed]], text == NULL ? "" : text);
    free(text);
    return status;
}

static enum cairn_status save_rows(struct import *import)
{
    struct import_piece *piece = import->piece;
    struct cli *cli = import->cli;
    enum cairn_status status = CAIRN_OK;

    do {
        status = import_piece_read(piece, &import->file, &import->how, &cli->err);
        if (status == CAIRN_OK && (import->is_partial || piece->bad_count > 0))
            status = import_piece_check(piece, cli->replica, &import->how, &cli->err);
        if (status == CAIRN_OK && piece->bad_count > 0 && !import->is_partial)
            status = fail_rest(import, CAIRN_BAD_INPUT, import_piece_bad(piece),
                               import_piece_bad(piece)->problem);
        if (status == CAIRN_OK)
            print_bad_rows(import);
        if (status == CAIRN_OK)
            status = save_piece(import);
        if (status != CAIRN_OK)
            return status;
        import->row_count += piece->row_count;
        import->bad_count += piece->bad_count;
        struct progress_texts now = measure(import);
        output_progress(&cli->output, _("Saved %s rows, %s a second, %s left"), now.rows.text,
                        now.rate.text, now.left.text);
    } while (piece->row_count > 0);
    return CAIRN_OK;
}

static enum cairn_status keep_place(struct import *import, const struct import_place *place)
{
    import_memo_set(&import->memo, place);
    return cairn_memo_put(import->cli->replica, &import->memo.memo, &import->cli->err);
}

/* From begun to the end of the file. The first place is kept before the first row, so that from
 * here on a run that was killed can be resumed; the last one, where bad rows ended the file. */
static enum cairn_status save_all(struct import *import)
{
    enum cairn_status status = CAIRN_OK;

    if (!import->resumes)
        status = keep_place(import, &import->begun);
    if (status == CAIRN_OK)
        status = save_rows(import);
    if (status != CAIRN_OK)
        return status;
    struct import_place end =
        import_place_of(&import->file, import->begun.saved + import->saved_count);
    struct import_place kept;
    bool is_kept = import_place_get(import->cli->replica, &import->memo, &kept, NULL) == CAIRN_OK &&
                   kept.is_done;
    end.is_done = true;
    return is_kept ? CAIRN_OK : keep_place(import, &end);
}

/* ---- what is said of it ---- */

static json_t *saved_json(const struct import *import)
{
    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "file",
                     output_json_text(import->path), "saved", count_json(import->saved_count),
                     "first", import->first, "last", import->last, "villages",
                     count_json(import->villages.count), "commits",
                     count_json(import->commit_count), "created", count_json(import->created_count),
                     "changed", count_json(import->changed_count), "bad",
                     count_json(import->bad_count), "earlier", count_json(import->begun.saved));
}

static void print_updated(const struct import *import)
{
    uint64_t same = import->saved_count - import->created_count - import->changed_count;

    output_line(&import->cli->output,
                /* TRANSLATORS: of type household: 3 new, 40 changed, 369 as they were */
                _("Records of type %s: %s new, %s changed, %s as they were; commits: %s"),
                import->how.type, i18n_number(import->created_count).text,
                i18n_number(import->changed_count).text, i18n_number(same).text,
                i18n_number(import->commit_count).text);
}

static void print_created(const struct import *import)
{
    struct output *output = &import->cli->output;
    struct i18n_number count = i18n_number(import->saved_count);
    struct i18n_number villages = i18n_number(import->villages.count);

    if (import->saved_count == 1)
        output_line(output, _("Saved 1 record of type %s (%s), 1 commit"), import->how.type,
                    import->first);
    else if (import->commit_count == 1)
        output_line(output,
                    ngettext("Saved %s records of type %s (%s to %s) in %s village, 1 commit",
                             "Saved %s records of type %s (%s to %s) in %s villages, 1 commit",
                             import->villages.count),
                    count.text, import->how.type, import->first, import->last, villages.text);
    else
        output_line(output,
                    ngettext("Saved %s records of type %s (%s to %s) in %s village, %s commits",
                             "Saved %s records of type %s (%s to %s) in %s villages, %s commits",
                             import->villages.count),
                    count.text, import->how.type, import->first, import->last, villages.text,
                    i18n_number(import->commit_count).text);
}

static enum cli_exit print_saved(const struct import *import)
{
    struct output *output = &import->cli->output;

    if (output->is_json)
        output_json(output, saved_json(import));
    else if (import->saved_count == 0)
        output_line(output, _("%s: no row was left to import"), import->path);
    else if (import->how.updates)
        print_updated(import);
    else
        print_created(import);
    if (!output->is_json && import->begun.saved > 0)
        output_line(output, _("Together with what was imported before: %s records"),
                    i18n_number(import->begun.saved + import->saved_count).text);
    if (import->bad_count == 0)
        return CLI_DONE;
    if (!output->is_json)
        output_line(output,
                    ngettext("%s row is bad and was left out", "%s rows are bad and were left out",
                             (unsigned long)import->bad_count),
                    i18n_number(import->bad_count).text);
    return CLI_LOOK;
}

/* What is saved stays, whatever ended the rest. */
static enum cli_exit report_saving(struct import *import, enum cairn_status status)
{
    enum cli_exit exit_code = cli_report_write(import->cli, status);

    if (import->saved_count > 0 && !import->cli->output.is_json)
        output_note(&import->cli->output,
                    _("Saved before that, and kept: %s records of %s. When the cause is mended, "
                      "the same command with --resume goes on behind them."),
                    i18n_number(import->saved_count).text, import->path);
    return exit_code;
}

/* ---- the command ---- */

/* Check from the place where saving will begin; the file then stands there again. */
static enum cairn_status check_before(struct import *import)
{
    enum cairn_status status = check_all(import);

    if (status == CAIRN_OK && import->row_count == 0 && !import->resumes)
        return cairn_fail(&import->cli->err, CAIRN_BAD_INPUT,
                          N_("%s holds no rows. Nothing was imported."), import->path);
    if (status == CAIRN_OK)
        status = reopen(import);
    if (status == CAIRN_OK)
        status = csv_file_skip_to(&import->file, import->begun.offset, &import->cli->err);
    import->row_count = 0;
    progress_begin(&import->progress, import->begun.offset);
    return status;
}

static enum cli_exit import_run(struct import *import)
{
    struct cli *cli = import->cli;
    enum cairn_status status = import->resumes ? go_on(import) : begin(import);

    if (status != CAIRN_OK)
        return cli_report(cli, status);
    progress_begin(&import->progress, import->begun.offset);
    if (import->is_dry) {
        status = check_all(import);
        return status == CAIRN_OK ? print_dry_run(import) : cli_report_write(cli, status);
    }
    if (!import->is_partial)
        status = check_before(import);
    if (status != CAIRN_OK)
        return cli_report_write(cli, status);
    status = save_all(import);
    return status == CAIRN_OK ? print_saved(import) : report_saving(import, status);
}

static enum cli_exit prepare(struct import *import)
{
    struct cli *cli = import->cli;
    struct csv_row header;
    char *text = NULL;

    import->piece = import_piece_new();
    enum cairn_status status = import->piece == NULL ? CAIRN_NO_MEMORY : read_options(import);
    if (status == CAIRN_OK)
        status = open_file(import, &header, &text);
    enum cli_exit exit_code = status == CAIRN_OK ? CLI_DONE : cli_report(cli, status);
    if (exit_code == CLI_DONE)
        exit_code = cli_open(cli, import->is_dry ? CLI_READS : CLI_WRITES);
    if (exit_code == CLI_DONE)
        exit_code = cli_check_joined(cli);
    if (exit_code == CLI_DONE && (status = map_columns(import, &header)) != CAIRN_OK)
        exit_code = cli_report(cli, status);
    free(text);
    return exit_code;
}

static enum cli_exit run(struct cli *cli)
{
    struct import import = {.cli = cli, .path = cli->options.arguments[1]};

    import_memo_init(&import.memo, cli->options.arguments[0], import.path);
    enum cli_exit exit_code = prepare(&import);
    if (exit_code == CLI_DONE)
        exit_code = import_run(&import);
    release(&import);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_DRY_RUN, "dry-run", NULL, N_("check every row, list the bad ones, write nothing")},
    {OPTION_ENCODING, "encoding", "NAME", N_("of the file: utf-8 (the default) or gb18030")},
    {OPTION_MAP, "map", "COLUMN=FIELD",
     N_("which field a column is; COLUMN=- leaves it out; several behind commas")},
    {OPTION_PARTIAL, "partial", NULL, N_("save the good rows and list the bad ones")},
    {OPTION_UPDATE, "update", NULL,
     N_("change the records that exist, found by the columns that name one")},
    {OPTION_RESUME, "resume", NULL, N_("go on where an interrupted import of this file ended")},
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with each record for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_import = {
    .name = "import",
    .group = GROUP_RECORDS,
    .arguments = "TYPE FILE [--dry-run] [--partial] [--update] [--resume]",
    .summary = N_("Create many records from a CSV file"),
    .about = N_(
        "The first line names the fields, by name or by label in either language; a column\n"
        "`village` holds the 12 digits of the village each record belongs to. Empty cells are\n"
        "left out. The file is UTF-8, as a spreadsheet writes it when told \"CSV UTF-8\", or with\n"
        "--encoding gb18030 what older Chinese ones write.\n"
        "\n"
        "The whole file is checked first: when a row is bad nothing is saved, and it is named\n"
        "with its line. --partial saves the good rows all the same and ends with 1. Rows are\n"
        "saved a thousand a commit; whatever interrupts that, the same command with --resume\n"
        "goes on behind the last row saved, as long as the file is the same. A file whose import\n"
        "is done is not imported once more under the same name, nor when it was changed since:\n"
        "all its rows would make records again. Rows without any value, as spreadsheets write\n"
        "them behind the last one, are passed over.\n"
        "\n"
        "With --update a row changes the record that its alias names, an official number say,\n"
        "or the one in the column `record`, as cairn export writes it; a row that names none\n"
        "makes a new one. An apostrophe before = + - @ is taken off, as spreadsheets do."),
    .examples = "  cairn import household shiqu.csv --dry-run\n"
                "  cairn import household shiqu.csv --map \"备注=-,户主姓名=head\"\n"
                "  cairn import household old.csv --encoding gb18030 --resume",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
