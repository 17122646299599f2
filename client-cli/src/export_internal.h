/* export_internal.h: the forms behind export_writer.h. */

#ifndef CLI_EXPORT_INTERNAL_H
#define CLI_EXPORT_INTERNAL_H

#include "export_writer.h"
#include "files.h"

struct lxw_workbook;
struct lxw_worksheet;
struct lxw_format;

struct export_writer {
    struct export_config config;
    struct file_writer file;
    bool is_printed; /* to standard output; `file` is not open */
    uint64_t row_count;
    struct lxw_workbook *workbook;
    struct lxw_worksheet *sheet;
    struct lxw_format *whole, *money, *date;
    bool has_failed;
};

void export_csv_header(struct export_writer *writer);
void export_csv_row(struct export_writer *writer, const char *const *values);
CAIRN_NODISCARD
enum cairn_status export_jsonl_row(struct export_writer *writer, const char *const *values,
                                   struct cairn_err *err);
/* NO_MEMORY. The workbook stands in writer->file's temporary file. */
CAIRN_NODISCARD
enum cairn_status export_xlsx_open(struct export_writer *writer, struct cairn_err *err);
CAIRN_NODISCARD
enum cairn_status export_xlsx_row(struct export_writer *writer, const char *const *values,
                                  struct cairn_err *err);
/* Write what waits. False: the disk refused. */
bool export_xlsx_close(struct export_writer *writer);

#endif
