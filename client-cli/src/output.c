#include "output.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cairn/utf8.h"
#include "i18n.h"
#include "text.h"

#define PROGRESS_INTERVAL_NS 100000000L
#define COLUMN_GAP 3
#define BROKEN_INDENT 4
#define COLUMNS_WITHOUT_WINDOW 80
#define FILLED_MIN 20 /* a window narrower than this cuts lines itself */

void output_init(struct output *output)
{
    *output = (struct output){.shows_progress = isatty(STDERR_FILENO) == 1};
}

static void clear_progress(struct output *output)
{
    if (output->has_progress)
        fputs("\r\033[K", stderr);
    output->has_progress = false;
}

bool output_end(struct output *output)
{
    clear_progress(output);
    return fflush(stdout) == 0 && ferror(stdout) == 0 && !output->has_failed;
}

/* Clean a formatted text and write it; `ending` follows it. */
__attribute__((format(printf, 2, 0))) static void write_clean(FILE *stream, const char *format,
                                                              va_list args, const char *ending)
{
    char *text = NULL;

    if (vasprintf(&text, format, args) < 0)
        return;
    char *clean = text_clean(text, true);
    fputs(clean == NULL ? "" : clean, stream);
    fputs(ending, stream);
    free(clean);
    free(text);
}

void output_line(struct output *output, const char *format, ...)
{
    va_list args;

    clear_progress(output);
    va_start(args, format);
    write_clean(stdout, format, args, "\n");
    va_end(args);
}

static size_t terminal_columns(void)
{
    struct winsize size;

    if (isatty(STDOUT_FILENO) != 1 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
        size.ws_col == 0)
        return SIZE_MAX;
    return size.ws_col;
}

/* For text that is filled: the window, else what COLUMNS says of less than 80. */
static size_t text_columns(void)
{
    const char *wanted = getenv("COLUMNS");
    size_t columns = terminal_columns();

    if (columns != SIZE_MAX)
        return columns;
    columns = wanted == NULL ? 0 : strtoul(wanted, NULL, 10);
    return columns == 0 || columns > COLUMNS_WITHOUT_WINDOW ? COLUMNS_WITHOUT_WINDOW : columns;
}

/* `text` from column `column` on, further lines at `indent`, to the end of the paragraph; returns
 * where that is. */
static const char *print_filled(const char *text, size_t column, size_t indent)
{
    size_t columns = text_columns();
    size_t next;

    for (;;) {
        size_t room = columns > column + FILLED_MIN ? columns - column : FILLED_MIN;
        size_t bytes = text_line(text, room, &next);
        printf("%.*s\n", (int)bytes, text);
        text += next;
        if (text[0] == '\0' || text[0] == '\n')
            return text;
        printf("%*s", (int)indent, "");
        column = indent;
    }
}

void output_text(struct output *output, const char *text, size_t indent)
{
    char *clean = text_clean(text, true);
    char *whole = clean == NULL ? NULL : text_paragraphs(clean);

    clear_progress(output);
    output->has_failed = output->has_failed || whole == NULL;
    for (const char *at = whole; at != NULL && at[0] != '\0';) {
        at = print_filled(at, 0, indent);
        at += at[0] == '\n';
    }
    free(whole);
    free(clean);
}

void output_note(struct output *output, const char *format, ...)
{
    va_list args;

    clear_progress(output);
    fflush(stdout);
    va_start(args, format);
    write_clean(stderr, format, args, "\n");
    va_end(args);
}

void output_error(struct output *output, enum cairn_status status, const char *text, int exit_code)
{
    clear_progress(output);
    fflush(stdout);
    if (!output->is_json) {
        output_note(output, "cairn: %s", text);
        return;
    }
    json_t *error = json_pack("{s:{s:s, s:o, s:i}}", "error", "code", cairn_status_name(status),
                              "message", output_json_text(text), "exit", exit_code);
    if (error != NULL)
        json_dumpf(error, stderr, JSON_COMPACT);
    fputc('\n', stderr);
    json_decref(error);
}

void output_json(struct output *output, json_t *object)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT);

    clear_progress(output);
    json_decref(object);
    if (text != NULL)
        puts(text);
    else
        output->has_failed = true;
    free(text);
}

/* Each byte that is not UTF-8 becomes '?', and the rest can be read. */
static json_t *mended_json(const char *text)
{
    char *copy = strdup(text);
    size_t size = copy == NULL ? 0 : strlen(copy);
    size_t good = 0, bad;

    while (
        good < size &&
        !cairn_utf8_check((struct cairn_bytes){(const uint8_t *)copy + good, size - good}, &bad)) {
        copy[good + bad] = '?';
        good += bad + 1;
    }
    json_t *value = copy == NULL ? NULL : json_string(copy);
    free(copy);
    return value == NULL ? json_string("?") : value;
}

json_t *output_json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    /* jansson refuses what is not UTF-8; a file name may be such. */
    json_t *value = json_string(text);
    return value == NULL ? mended_json(text) : value;
}

void output_progress(struct output *output, const char *format, ...)
{
    struct timespec now;
    va_list args;

    if (!output->shows_progress || clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return;
    if (output->has_progress && now.tv_sec == output->progressed.tv_sec &&
        now.tv_nsec - output->progressed.tv_nsec < PROGRESS_INTERVAL_NS)
        return;
    clear_progress(output);
    va_start(args, format);
    write_clean(stderr, format, args, "");
    va_end(args);
    fflush(stderr);
    output->has_progress = true;
    output->progressed = now;
}

bool output_can_ask(void)
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

bool output_ask(struct output *output, const char *format, ...)
{
    char answer[64] = "";
    va_list args;

    clear_progress(output);
    fflush(stdout);
    va_start(args, format);
    write_clean(stderr, format, args, " ");
    va_end(args);
    fputs(_("[y/N]"), stderr);
    fputc(' ', stderr);
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "Y") == 0 || strcmp(answer, _("yes")) == 0;
}

/* ---- tables ---- */

void table_init(struct table *table)
{
    *table = (struct table){.column_count = 0};
}

static void free_row(char **row)
{
    for (size_t i = 0; row != NULL && row[i] != NULL; i++)
        free(row[i]);
    free(row);
}

void table_release(struct table *table)
{
    for (size_t i = 0; i < table->row_count; i++)
        free_row(table->rows[i]);
    free(table->rows);
    table_init(table);
}

static bool make_room(struct table *table)
{
    size_t capacity = table->row_capacity == 0 ? 64 : table->row_capacity * 2;

    if (table->row_count < table->row_capacity)
        return true;
    char ***rows = realloc(table->rows, capacity * sizeof *rows);
    if (rows == NULL)
        return false;
    table->rows = rows;
    table->row_capacity = capacity;
    return true;
}

void table_add(struct table *table, const char *const *cells, size_t count)
{
    CAIRN_ASSERT(count <= TABLE_COLUMNS_MAX);
    char **row = calloc(count + 1, sizeof *row);

    if (row == NULL || !make_room(table)) {
        free(row);
        table->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        row[i] = text_clean(cells[i] == NULL ? "" : cells[i], false);
        if (row[i] == NULL) {
            free_row(row);
            table->failed = true;
            return;
        }
    }
    table->rows[table->row_count++] = row;
    if (count > table->column_count)
        table->column_count = count;
}

void table_replace(struct table *table, size_t row, size_t column, const char *text)
{
    CAIRN_ASSERT(row < table->row_count && column < table->column_count);
    char *clean = text_clean(text, false);

    if (clean == NULL) {
        table->failed = true;
        return;
    }
    free(table->rows[row][column]);
    table->rows[row][column] = clean;
}

void table_drop_unused(struct table *table)
{
    for (size_t c = 0; c < table->column_count; c++) {
        bool is_used = false;
        for (size_t r = 1; r < table->row_count && !is_used; r++) {
            char *const *row = table->rows[r];
            size_t count = 0;
            while (count <= c && row[count] != NULL)
                count++;
            is_used = count > c && row[c][0] != '\0';
        }
        if (!is_used && table->row_count > 0 && table->rows[0][c] != NULL)
            table->rows[0][c][0] = '\0';
    }
}

void table_drop(struct table *table, size_t column)
{
    for (size_t r = 0; r < table->row_count; r++)
        table_replace(table, r, column, "");
}

/* The widest cell of each column that any row fills. */
static void measure(const struct table *table, size_t widths[static TABLE_COLUMNS_MAX])
{
    memset(widths, 0, TABLE_COLUMNS_MAX * sizeof *widths);
    for (size_t r = 0; r < table->row_count; r++)
        for (size_t c = 0; table->rows[r][c] != NULL; c++) {
            size_t width = text_width(table->rows[r][c]);
            if (width > widths[c])
                widths[c] = width;
        }
}

/* Columns that fit into `room`, from the left; at least one. */
static size_t count_fitting(const size_t *widths, size_t count, size_t room)
{
    size_t used = widths[0];
    size_t fitting = 1;

    for (; fitting < count && used <= room; fitting++) {
        size_t width = widths[fitting] == 0 ? 0 : widths[fitting] + COLUMN_GAP;
        if (width > room - used)
            break;
        used += width;
    }
    return fitting;
}

/* A cell that a window of `columns` has no room for begins a line of its own. Returns the blanks
 * owed: those at a line's end are not written. */
static size_t print_cells(char *const *row, const size_t *widths, size_t column_count,
                          size_t columns)
{
    size_t used = 0, pending = 0;
    bool is_broken = false; /* what follows stands below no heading any more */

    for (size_t c = 0; c < column_count && row[c] != NULL; c++) {
        size_t width = text_width(row[c]);
        if (row[c][0] != '\0') {
            if (used > 0 && used + pending + width > columns) {
                putchar('\n');
                used = 0;
                pending = BROKEN_INDENT;
                is_broken = true;
            }
            printf("%*s%s", (int)pending, "", row[c]);
            used += pending + width;
            pending = is_broken ? COLUMN_GAP : 0;
        }
        if (!is_broken)
            pending += widths[c] - width + (widths[c] > 0 ? COLUMN_GAP : 0);
    }
    return pending;
}

void output_table(struct output *output, const struct table *table, bool is_whole)
{
    size_t widths[TABLE_COLUMNS_MAX];

    clear_progress(output);
    if (table->failed)
        output->has_failed = true;
    if (table->row_count == 0)
        return;
    measure(table, widths);
    size_t shown = is_whole ? table->column_count
                            : count_fitting(widths, table->column_count, terminal_columns());
    for (size_t r = 0; r < table->row_count; r++) {
        print_cells(table->rows[r], widths, shown, is_whole ? terminal_columns() : SIZE_MAX);
        putchar('\n');
    }
    size_t hidden = 0;
    for (size_t c = shown; c < table->column_count; c++)
        hidden += widths[c] > 0;
    if (hidden > 0) {
        output_note(output,
                    ngettext("%zu column does not fit: choose with --fields; "
                             "cairn get ID or --json shows all",
                             "%zu columns do not fit: choose with --fields; "
                             "cairn get ID or --json shows all",
                             hidden),
                    hidden);
    }
}

void output_table_filled(struct output *output, const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX];
    size_t last = table->column_count - 1;
    size_t indent = 0;

    clear_progress(output);
    output->has_failed = output->has_failed || table->failed;
    if (table->row_count == 0)
        return;
    measure(table, widths);
    for (size_t c = 0; c < last; c++)
        indent += widths[c] > 0 ? widths[c] + COLUMN_GAP : 0;
    for (size_t r = 0; r < table->row_count; r++) {
        char *const *row = table->rows[r];
        size_t pending = print_cells(row, widths, last, SIZE_MAX);
        size_t count = 0;
        while (row[count] != NULL)
            count++;
        if (count <= last || row[last][0] == '\0') {
            putchar('\n');
            continue;
        }
        printf("%*s", (int)pending, "");
        print_filled(row[last], indent, indent);
    }
}
