/* Any bytes as a schema file: read or refused with a line, never more; what compiles makes a table
 * that reads, and comes back from its own YAML byte for byte. */

#include <stdlib.h>
#include <string.h>

#include "schema_yaml.h"

#define TABLE_BYTES ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void line_check(void *context, size_t line, const char *text)
{
    const size_t *lines = context;

    CAIRN_ASSERT(line >= 1 && line <= *lines + 1 && text[0] != '\0');
}

static struct cairn_bytes table_of(const struct cairn_schema *schema, uint8_t *bytes)
{
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, TABLE_BYTES);
    cairn_schema_write(&writer, schema);
    CAIRN_ASSERT(!writer.overflowed);
    return cairn_writer_bytes(&writer);
}

static void comes_back(const struct cairn_schema *schema, struct cairn_bytes table)
{
    struct cairn_schema_source again;
    struct cairn_buffer yaml;
    size_t problem_count;

    cairn_buffer_init(&yaml, CAIRN_YAML_TEXT_MAX);
    cairn_schema_yaml_write(&yaml, schema);
    /* The export of the largest files is larger than what is read: their tables are, too. */
    if (!yaml.failed && table.size <= CAIRN_SCHEMA_TABLE_MAX) {
        CAIRN_ASSERT(cairn_schema_compile(cairn_buffer_bytes(&yaml), NULL, NULL, &again,
                                          &problem_count, NULL) == CAIRN_OK);
        uint8_t *bytes = malloc(TABLE_BYTES);
        CAIRN_ASSERT(bytes != NULL && cairn_bytes_equal(table_of(again.schema, bytes), table));
        free(bytes);
        cairn_schema_free(again.schema);
    }
    cairn_buffer_release(&yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_schema_source source;
    struct cairn_schema *read;
    size_t problem_count, lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
    if (cairn_schema_compile((struct cairn_bytes){data, size}, line_check, &lines, &source,
                             &problem_count, NULL) != CAIRN_OK)
        return 0;
    uint8_t *bytes = malloc(TABLE_BYTES);
    CAIRN_ASSERT(bytes != NULL);
    source.schema->version = source.schema->version == 0 ? 1 : source.schema->version;
    struct cairn_bytes table = table_of(source.schema, bytes);
    if (table.size <= CAIRN_SCHEMA_TABLE_MAX) {
        CAIRN_ASSERT(cairn_schema_read(table, &read) == CAIRN_OK);
        cairn_schema_free(read);
    }
    comes_back(source.schema, table);
    free(bytes);
    cairn_schema_free(source.schema);
    return 0;
}
