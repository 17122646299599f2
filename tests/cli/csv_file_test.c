/* A CSV file read in pieces: the same rows wherever a piece ends, in both encodings, and a place in
 * the file that can be come back to. */

#include "csv_file.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "temp_folder.h"

static char *folder;
static char path[PATH_MAX];

static int setup(void **state)
{
    (void)state;
    folder = temp_folder_new();
    snprintf(path, sizeof path, "%s/rows.csv", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_folder_remove(folder);
    return 0;
}

static void write_file(const char *bytes, size_t size)
{
    FILE *stream = fopen(path, "wb");

    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
}

/* Open as csv_file_open() does, with pieces of another size from the first byte on. */
static void open_pieces(struct csv_file *file, enum csv_encoding encoding, size_t piece_bytes)
{
    struct cairn_err err = {.translate = NULL};

    assert_int_equal(csv_file_open(file, path, encoding, &err), CAIRN_OK);
    size_t mark = (size_t)file->offset;
    assert_int_equal(fseek(file->stream, (long)mark, SEEK_SET), 0);
    file->start = file->end = mark;
    file->is_ended = false;
    file->piece_bytes = piece_bytes;
}

/* All that a file says: rows as "line|field|field;" and bad ones as "line!". */
static void read_all(struct csv_file *file, char *out, size_t capacity)
{
    struct csv_row row;
    char *text;
    enum cairn_status status;
    size_t size = 0;

    out[0] = '\0';
    while ((status = csv_file_next(file, &text, &row, NULL)) != CAIRN_NOT_FOUND) {
        size += (size_t)snprintf(out + size, capacity - size, "%zu", row.line);
        if (status != CAIRN_OK)
            size += (size_t)snprintf(out + size, capacity - size, "!");
        for (size_t i = 0; i < row.field_count && status == CAIRN_OK; i++)
            size += (size_t)snprintf(out + size, capacity - size, "|%s", row.fields[i]);
        size += (size_t)snprintf(out + size, capacity - size, ";");
        assert_true(size < capacity);
        free(text);
    }
}

static const char sample[] = "\xef\xbb\xbf\"a,b\",\"say \"\"yes\"\"\"\r\n"
                             "\r\n"
                             "\"two\r\nlines\",石\n"
                             "in\"side,1\n"
                             "\"closed\"x,2\r\n"
                             "\xb0\xa1,3\n"
                             ",\n"
                             "last,";
static const char sample_rows[] = "1|a,b|say \"yes\";3|two\r\nlines|石;5!;6!;7!;8||;9|last|;";

static void rows_are_the_same_wherever_a_piece_ends(void **state)
{
    char rows[1024];

    (void)state;
    write_file(sample, sizeof sample - 1);
    for (size_t piece = 1; piece <= sizeof sample; piece++) {
        struct csv_file file;
        open_pieces(&file, CSV_UTF_8, piece);
        read_all(&file, rows, sizeof rows);
        assert_string_equal(rows, sample_rows);
        assert_int_equal(file.offset, sizeof sample - 1);
        csv_file_close(&file);
    }
}

static void gb18030_is_read_as_utf_8_wherever_a_piece_ends(void **state)
{
    /* A mark, 户主, a character of four bytes (㐀) whose bytes hold digits, and half a character.
     */
    static const char bytes[] =
        "\x84\x31\x95\x33\xbb\xa7\xd6\xf7,\"\x81\x39\xee\x39\"\n\x81\nb,c\n";
    char rows[256];

    (void)state;
    write_file(bytes, sizeof bytes - 1);
    for (size_t piece = 1; piece <= sizeof bytes; piece++) {
        struct csv_file file;
        open_pieces(&file, CSV_GB18030, piece);
        read_all(&file, rows, sizeof rows);
        assert_string_equal(rows, "1|户主|㐀;2!;3|b|c;");
        csv_file_close(&file);
    }
}

static void a_place_is_found_again_with_its_digest(void **state)
{
    struct csv_file file, again;
    struct csv_row row;
    char *text;
    uint8_t digest[CSV_DIGEST_BYTES], other[CSV_DIGEST_BYTES];

    (void)state;
    write_file(sample, sizeof sample - 1);
    assert_int_equal(csv_file_open(&file, path, CSV_UTF_8, NULL), CAIRN_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(csv_file_next(&file, &text, &row, NULL), CAIRN_OK);
        free(text);
    }
    csv_file_digest(&file, digest);
    assert_int_equal(csv_file_open(&again, path, CSV_UTF_8, NULL), CAIRN_OK);
    assert_int_equal(csv_file_skip_to(&again, file.offset, NULL), CAIRN_OK);
    csv_file_digest(&again, other);
    assert_memory_equal(digest, other, sizeof digest);
    assert_int_equal(again.line, file.line);
    assert_int_equal(csv_file_skip_to(&again, file.offset + 1, NULL), CAIRN_NOT_FOUND);
    csv_file_close(&again);
    csv_file_close(&file);
}

static void a_row_without_end_is_refused_not_kept_in_memory(void **state)
{
    size_t size = 3 * CSV_ROW_BYTES_MAX;
    char *bytes = malloc(size);
    char rows[64];
    struct csv_file file;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'x', size);
    memcpy(bytes, "ok\n\"", 4);
    write_file(bytes, size);
    free(bytes);
    open_pieces(&file, CSV_UTF_8, 65536);
    read_all(&file, rows, sizeof rows);
    assert_string_equal(rows, "1|ok;2!;");
    csv_file_close(&file);
}

static void what_is_no_file_is_refused(void **state)
{
    struct csv_file file;

    (void)state;
    assert_int_equal(csv_file_open(&file, "/nonexistent", CSV_UTF_8, NULL), CAIRN_BAD_INPUT);
    assert_int_equal(csv_file_open(&file, "/dev/null", CSV_UTF_8, NULL), CAIRN_BAD_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_the_same_wherever_a_piece_ends),
        cmocka_unit_test(gb18030_is_read_as_utf_8_wherever_a_piece_ends),
        cmocka_unit_test(a_place_is_found_again_with_its_digest),
        cmocka_unit_test(a_row_without_end_is_refused_not_kept_in_memory),
        cmocka_unit_test(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
