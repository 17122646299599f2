#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema_edit.h"

char *schema_edit(struct cairn_bytes yaml, unsigned version, const char *line)
{
    static const char first_line[] = "version: 1\n";
    size_t size = yaml.size + strlen(line) + 64;
    char *text = calloc(1, yaml.size + 1), *file = malloc(size);

    assert_non_null(text);
    assert_non_null(file);
    memcpy(text, yaml.data, yaml.size);
    assert_memory_equal(text, first_line, strlen(first_line));
    /* The first type is the household; its states follow its last field, so numbers ascend. */
    const char *rest = text + strlen(first_line), *end = strstr(rest, "    states:\n");
    assert_non_null(end);
    snprintf(file, size, "version: %u\n%.*s%s%s", version, (int)(end - rest), rest, line, end);
    free(text);
    return file;
}
