/* XLSX through libxlsxwriter: rows are written as they come. Texts are always strings, never
 * formulas. */

#include <stdlib.h>
#include <string.h>
#include <xlsxwriter.h>

#include "export_internal.h"
#include "i18n.h"

/* The first row is the header. */
#define RECORDS_MAX 1048575
/* A spreadsheet counts in doubles: beyond this, digits would be lost. */
#define EXACT_MAX 9007199254740992LL
#define COLUMN_WIDTH 16
/* Its days begin there. */
#define YEAR_MIN 1900

static void write_header(struct export_writer *writer)
{
    lxw_format *bold = workbook_add_format(writer->workbook);

    format_set_bold(bold);
    worksheet_set_column(writer->sheet, 0, (lxw_col_t)(writer->config.column_count - 1),
                         COLUMN_WIDTH, NULL);
    for (size_t i = 0; i < writer->config.column_count; i++)
        worksheet_write_string(writer->sheet, 0, (lxw_col_t)i, writer->config.columns[i].label,
                               bold);
    worksheet_freeze_panes(writer->sheet, 1, 0);
}

enum cairn_status export_xlsx_open(struct export_writer *writer, struct cairn_err *err)
{
    lxw_workbook_options options = {.constant_memory = LXW_TRUE};

    writer->workbook = workbook_new_opt(writer->file.temporary, &options);
    if (writer->workbook != NULL)
        writer->sheet = workbook_add_worksheet(writer->workbook, NULL);
    if (writer->sheet == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for %s"), writer->config.path);
    writer->whole = workbook_add_format(writer->workbook);
    writer->money = workbook_add_format(writer->workbook);
    writer->date = workbook_add_format(writer->workbook);
    format_set_num_format(writer->whole, "#,##0");
    format_set_num_format(writer->money, "#,##0.00");
    format_set_num_format(writer->date, "yyyy-mm-dd");
    write_header(writer);
    return CAIRN_OK;
}

/* An integer or an amount that a double holds exactly. */
static bool number_read(const char *text, double *out_number)
{
    char *end;
    long long whole = strtoll(text, &end, 10);

    if (end == text || (*end != '\0' && *end != '.') || whole > EXACT_MAX / 100 ||
        whole < -EXACT_MAX / 100)
        return false;
    *out_number = strtod(text, &end);
    return *end == '\0';
}

static bool date_read(const char *text, lxw_datetime *out_date)
{
    int year, month, day, used = 0;

    if (sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || text[used] != '\0' ||
        year < YEAR_MIN)
        return false;
    *out_date = (lxw_datetime){.year = year, .month = month, .day = day};
    return true;
}

static lxw_error write_value(struct export_writer *writer, size_t i, const char *value)
{
    lxw_row_t row = (lxw_row_t)writer->row_count; /* the header is row 0 */
    lxw_col_t column = (lxw_col_t)i;
    enum cell_kind kind = writer->config.columns[i].kind;
    lxw_datetime date;
    double number;

    if (kind == CELL_DATE && date_read(value, &date))
        return worksheet_write_datetime(writer->sheet, row, column, &date, writer->date);
    if ((kind == CELL_INTEGER || kind == CELL_MONEY) && number_read(value, &number))
        return worksheet_write_number(writer->sheet, row, column, number,
                                      kind == CELL_MONEY ? writer->money : writer->whole);
    return worksheet_write_string(writer->sheet, row, column, value, NULL);
}

enum cairn_status export_xlsx_row(struct export_writer *writer, const char *const *values,
                                  struct cairn_err *err)
{
    if (writer->row_count > RECORDS_MAX)
        return cairn_fail(err, CAIRN_LIMIT,
                          N_("an XLSX sheet holds %d records and there are more: export to CSV, or "
                             "choose fewer with FIELD=VALUE. Nothing was written."),
                          RECORDS_MAX);
    for (size_t i = 0; i < writer->config.column_count; i++)
        if (values[i] != NULL && values[i][0] != '\0' &&
            write_value(writer, i, values[i]) != LXW_NO_ERROR)
            writer->has_failed = true;
    return CAIRN_OK;
}

/* ---- is it whole? --------------------------------------------------------------------------- */

/* The library gathers its parts in temporary files and does not ask whether they could be written:
 * on a full disk it would make a sheet that lacks rows, and say nothing. So the file's own list of
 * its parts is read back (PKWARE APPNOTE 4.3.12 and 4.3.16). */
#define END_BYTES 22
#define END_SIGNATURE 0x06054b50u
#define ENTRY_BYTES 46
#define ENTRY_SIGNATURE 0x02014b50u
#define SHEET "xl/worksheets/sheet1.xml"
#define NAME_BYTES_MAX 256

static uint32_t little_endian(const uint8_t *bytes, size_t size)
{
    uint32_t value = 0;

    while (size-- > 0)
        value = value << 8 | bytes[size];
    return value;
}

/* One entry of the list: no part is empty, and the sheet has at least the bytes of its rows. */
static bool entry_is_whole(FILE *file, uint64_t sheet_bytes, bool *is_sheet_there)
{
    uint8_t entry[ENTRY_BYTES];
    char name[NAME_BYTES_MAX] = "";

    if (fread(entry, 1, sizeof entry, file) != sizeof entry ||
        little_endian(entry, 4) != ENTRY_SIGNATURE)
        return false;
    uint32_t part_bytes = little_endian(entry + 24, 4);
    uint32_t name_bytes = little_endian(entry + 28, 2);
    uint32_t rest_bytes = little_endian(entry + 30, 2) + little_endian(entry + 32, 2);
    if (name_bytes >= sizeof name || fread(name, 1, name_bytes, file) != name_bytes ||
        fseek(file, (long)rest_bytes, SEEK_CUR) != 0)
        return false;
    if (strcmp(name, SHEET) != 0)
        return part_bytes > 0;
    *is_sheet_there = true;
    /* From 4 GiB on, the list says the greatest number there is. */
    return part_bytes >= (sheet_bytes > UINT32_MAX ? UINT32_MAX : (uint32_t)sheet_bytes);
}

static bool list_is_whole(FILE *file, uint64_t sheet_bytes)
{
    uint8_t end[END_BYTES];
    bool is_sheet_there = false, is_whole = true;

    if (fseek(file, -(long)sizeof end, SEEK_END) != 0 ||
        fread(end, 1, sizeof end, file) != sizeof end || little_endian(end, 4) != END_SIGNATURE ||
        fseek(file, (long)little_endian(end + 16, 4), SEEK_SET) != 0)
        return false;
    for (uint32_t i = little_endian(end + 10, 2); i > 0 && is_whole; i--)
        is_whole = entry_is_whole(file, sheet_bytes, &is_sheet_there);
    return is_whole && is_sheet_there;
}

static bool file_is_whole(const char *path, uint64_t sheet_bytes)
{
    FILE *file = fopen(path, "rbe");
    bool is_whole = file != NULL && list_is_whole(file, sheet_bytes);

    if (file != NULL)
        fclose(file);
    return is_whole;
}

bool export_xlsx_close(struct export_writer *writer)
{
    FILE *rows = writer->sheet == NULL ? NULL : writer->sheet->optimize_tmpfile;
    bool is_written = rows != NULL && fflush(rows) == 0 && ferror(rows) == 0;
    off_t size = is_written ? ftello(rows) : 0;
    lxw_error error = workbook_close(writer->workbook);

    writer->workbook = NULL;
    writer->sheet = NULL;
    return error == LXW_NO_ERROR && is_written && !writer->has_failed &&
           file_is_whole(writer->file.temporary, (uint64_t)size);
}
