#include "vectors.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *read_whole(const char *path, size_t *out_size)
{
    FILE *file = fopen(path, "rb");
    char *text;
    long size;

    if (file == NULL)
        fail_msg("%s: cannot be opened", path);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    text = malloc((size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    text[size] = '\0';
    fclose(file);
    *out_size = (size_t)size;
    return text;
}

/* Is the number at `text` whole and outside int64? */
static bool is_too_big(const char *text)
{
    char *end;

    errno = 0;
    strtoll(text, &end, 10);
    return errno == ERANGE && *end != '.' && *end != 'e' && *end != 'E';
}

/*
 * jansson keeps integers in an int64 and refuses a file with a larger one, while tables of limits
 * go up to 2^64 - 1. Such numbers get quotes here, and vectors_u64() reads them. Gives a fresh
 * block; a number takes 19 bytes at least, so that two more fit into twice the size.
 */
static char *quote_big_integers(const char *text, size_t size, size_t *out_size)
{
    char *out = malloc(2 * size + 1);
    bool is_in_string = false;
    size_t used = 0;

    assert_non_null(out);
    for (size_t i = 0; i < size; i++) {
        bool is_number = !is_in_string && (text[i] == '-' || (text[i] >= '0' && text[i] <= '9'));
        size_t run = is_number ? strspn(text + i, "-+.eE0123456789") : 1;
        bool is_quoted = is_number && is_too_big(text + i);

        if (text[i] == '"')
            is_in_string = !is_in_string;
        else if (text[i] == '\\' && i + 1 < size)
            run = 2; /* an escaped quote does not end the string */
        if (is_quoted)
            out[used++] = '"';
        memcpy(out + used, text + i, run);
        used += run;
        if (is_quoted)
            out[used++] = '"';
        i += run - 1;
    }
    *out_size = used;
    return out;
}

json_t *vectors_load_file(const char *path)
{
    json_error_t error;
    size_t size = 0;
    char *text = read_whole(path, &size);
    char *quoted = quote_big_integers(text, size, &size);
    json_t *table = json_loadb(quoted, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    free(quoted);
    free(text);
    if (table == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return table;
}

json_t *vectors_load(const char *path_below_vectors)
{
    char path[4096];
    int size = snprintf(path, sizeof(path), "%s%s", CAIRN_VECTORS, path_below_vectors);

    assert_true(size > 0 && (size_t)size < sizeof(path));
    return vectors_load_file(path);
}

void vectors_free(json_t *table)
{
    json_decref(table);
}

json_t *vectors_cases(const json_t *table)
{
    json_t *cases = json_object_get(table, "cases");

    if (!json_is_array(cases) || json_array_size(cases) == 0)
        fail_msg("the table has no cases");
    return cases;
}

const char *vectors_id(const json_t *row)
{
    const char *id = json_string_value(json_object_get(row, "id"));

    return id != NULL ? id : "?";
}

bool vectors_has(const json_t *row, const char *key)
{
    return json_object_get(row, key) != NULL;
}

static json_t *get_column(const json_t *row, const char *key, bool is_right(const json_t *value))
{
    json_t *value = json_object_get(row, key);

    if (value == NULL || !is_right(value))
        fail_msg("row %s: column \"%s\" is missing or of the wrong kind", vectors_id(row), key);
    return value;
}

/* jansson's tests are macros, some of which use their argument twice. */
static bool is_text(const json_t *value)
{
    return json_is_string(value);
}

static bool is_int(const json_t *value)
{
    return json_is_integer(value);
}

static bool is_bool(const json_t *value)
{
    return json_is_boolean(value);
}

static bool is_array(const json_t *value)
{
    return json_is_array(value);
}

const char *vectors_text(const json_t *row, const char *key)
{
    return json_string_value(get_column(row, key, is_text));
}

int64_t vectors_int(const json_t *row, const char *key)
{
    return json_integer_value(get_column(row, key, is_int));
}

uint64_t vectors_u64(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    char *end = NULL;
    uint64_t value;
    int64_t small;

    if (text == NULL) {
        small = vectors_int(row, key);
        if (small < 0)
            fail_msg("row %s: column \"%s\" is negative", vectors_id(row), key);
        return (uint64_t)small;
    }
    errno = 0;
    value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-')
        fail_msg("row %s: column \"%s\" is no unsigned 64-bit number", vectors_id(row), key);
    return value;
}

bool vectors_bool(const json_t *row, const char *key)
{
    return json_is_true(get_column(row, key, is_bool));
}

bool vectors_flag(const json_t *row, const char *key)
{
    return vectors_has(row, key) && vectors_bool(row, key);
}

json_t *vectors_array(const json_t *row, const char *key)
{
    return get_column(row, key, is_array);
}

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

static void unhex(const char *hex, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int high = hex_digit(hex[2 * i]);
        int low = hex_digit(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            fail_msg("not hex: \"%s\"", hex);
        out[i] = (uint8_t)(high << 4 | low);
    }
}

struct cairn_bytes vectors_unhex(const char *hex)
{
    size_t digits = strlen(hex);
    uint8_t *data;

    if (digits == 0)
        return (struct cairn_bytes){NULL, 0};
    if (digits % 2 != 0)
        fail_msg("an odd number of hex digits: \"%s\"", hex);
    /* Exactly as large as the bytes, so that the address sanitizer sees one byte too far. */
    data = malloc(digits / 2);
    assert_non_null(data);
    unhex(hex, data, digits / 2);
    return (struct cairn_bytes){data, digits / 2};
}

struct cairn_bytes vectors_hex(const json_t *row, const char *key)
{
    return vectors_unhex(vectors_text(row, key));
}

void vectors_bytes_free(struct cairn_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

bool vectors_unhex_into(const char *hex, void *out, size_t size)
{
    if (strlen(hex) != 2 * size)
        return false;
    unhex(hex, out, size);
    return true;
}

bool vectors_hex_into(const json_t *row, const char *key, void *out, size_t size)
{
    return vectors_unhex_into(vectors_text(row, key), out, size);
}

static void print_hex(const char *title, struct cairn_bytes bytes)
{
    print_error("%s (%zu bytes) ", title, bytes.size);
    for (size_t i = 0; i < bytes.size; i++)
        print_error("%02x", bytes.data[i]);
    print_error("\n");
}

void vectors_expect_bytes(const json_t *row, struct cairn_bytes got, struct cairn_bytes want)
{
    if (got.size == want.size && (got.size == 0 || memcmp(got.data, want.data, got.size) == 0))
        return;
    print_hex("got ", got);
    print_hex("want", want);
    fail_msg("row %s: the bytes differ", vectors_id(row));
}
