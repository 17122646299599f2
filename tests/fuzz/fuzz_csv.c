/*
 * Any bytes as CSV. What is read, written again with every field in quotes, is read as the same
 * fields; and reading ends.
 */

#include <stdlib.h>
#include <string.h>

#include "csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
    char *bytes;
    size_t size;
};

static void text_add(struct text *text, char byte)
{
    text->bytes[text->size++] = byte;
}

/* At most 2 bytes for each of a field's, its quotes and a comma. */
static struct text quoted(const struct csv_row *row)
{
    size_t size = 3;

    for (size_t i = 0; i < row->field_count; i++)
        size += 2 * strlen(row->fields[i]) + 3;
    struct text text = {malloc(size), 0};
    CAIRN_ASSERT(text.bytes != NULL);
    for (size_t i = 0; i < row->field_count; i++) {
        if (i > 0)
            text_add(&text, ',');
        text_add(&text, '"');
        for (const char *c = row->fields[i]; *c != '\0'; c++) {
            text_add(&text, *c);
            if (*c == '"')
                text_add(&text, '"');
        }
        text_add(&text, '"');
    }
    text_add(&text, '\n');
    return text;
}

static void row_again(const struct csv_row *row)
{
    struct text text = quoted(row);
    struct csv_reader reader;
    struct csv_row again;

    text.bytes[text.size] = '\0';
    csv_init(&reader, text.bytes, text.size);
    CAIRN_ASSERT(csv_next(&reader, &again, NULL) == CAIRN_OK);
    CAIRN_ASSERT(again.field_count == row->field_count);
    for (size_t i = 0; i < row->field_count; i++)
        CAIRN_ASSERT(strcmp(again.fields[i], row->fields[i]) == 0);
    CAIRN_ASSERT(csv_next(&reader, &again, NULL) == CAIRN_NOT_FOUND);
    free(text.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size + 1);
    struct csv_reader reader;
    struct csv_row row;
    struct cairn_err err = {0};
    enum cairn_status status;
    size_t rows = 0;

    CAIRN_ASSERT(bytes != NULL);
    if (size > 0)
        memcpy(bytes, data, size);
    csv_init(&reader, bytes, size);
    while ((status = csv_next(&reader, &row, &err)) == CAIRN_OK) {
        CAIRN_ASSERT(row.field_count >= 1 && row.field_count <= CSV_FIELDS_MAX);
        CAIRN_ASSERT(++rows <= size);
        row_again(&row);
    }
    CAIRN_ASSERT(status == CAIRN_NOT_FOUND || (status == CAIRN_BAD_INPUT && err.text[0] != '\0'));
    free(bytes);
    return 0;
}
