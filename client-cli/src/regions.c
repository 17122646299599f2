#include "regions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "i18n.h"

/* All of China's villages are about 620,000. */
#define REGIONS_MAX 1000000

struct region {
    const char *code;
    const char *name;
};

struct regions {
    char *text;
    struct region *items;
    size_t count;
};

static enum cairn_status add(struct regions *regions, size_t *capacity, const struct csv_row *row,
                             struct cairn_err *err)
{
    if (row->field_count != 2 || regions->count == REGIONS_MAX ||
        (regions->count > 0 &&
         strcmp(regions->items[regions->count - 1].code, row->fields[0]) >= 0))
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            N_("the list of regions wants \"code,name\", sorted by code, on line %zu"), row->line);
    if (regions->count == *capacity) {
        size_t wanted = *capacity == 0 ? 256 : *capacity * 2;
        struct region *items = realloc(regions->items, wanted * sizeof *items);
        if (items == NULL)
            return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for the list of regions"));
        regions->items = items;
        *capacity = wanted;
    }
    regions->items[regions->count++] = (struct region){row->fields[0], row->fields[1]};
    return CAIRN_OK;
}

enum cairn_status regions_new(char *text, size_t size, struct regions **out_regions,
                              struct cairn_err *err)
{
    struct regions *regions = calloc(1, sizeof *regions);
    struct csv_reader reader;
    struct csv_row row;
    size_t capacity = 0;

    if (regions == NULL) {
        free(text);
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory for the list of regions"));
    }
    regions->text = text;
    csv_init(&reader, text, size);
    enum cairn_status status = csv_next(&reader, &row, err); /* the header */
    while (status == CAIRN_OK) {
        status = csv_next(&reader, &row, err);
        if (status == CAIRN_OK)
            status = add(regions, &capacity, &row, err);
    }
    if (status != CAIRN_NOT_FOUND) {
        regions_free(regions);
        return status;
    }
    *out_regions = regions;
    return CAIRN_OK;
}

void regions_free(struct regions *regions)
{
    if (regions == NULL)
        return;
    free(regions->items);
    free(regions->text);
    free(regions);
}

static int compare_code(const void *code, const void *item)
{
    return strcmp(code, ((const struct region *)item)->code);
}

const char *regions_find(const struct regions *regions, const char *code)
{
    if (regions == NULL || regions->count == 0)
        return NULL;
    const struct region *found =
        bsearch(code, regions->items, regions->count, sizeof *regions->items, compare_code);
    return found == NULL ? NULL : found->name;
}

static bool ends_with(const char *text, size_t size, const char *end)
{
    size_t end_size = strlen(end);
    return size >= end_size && memcmp(text + size - end_size, end, end_size) == 0;
}

const char *regions_short(const char *name, char buffer[static REGIONS_NAME_BYTES])
{
    size_t size = strlen(name);

    if (ends_with(name, size, "村民委员会"))
        size -= strlen("民委员会");
    else if (ends_with(name, size, "社区居民委员会"))
        size -= strlen("居民委员会");
    if (size >= REGIONS_NAME_BYTES)
        size = 0;
    memcpy(buffer, name, size);
    buffer[size] = '\0';
    return buffer;
}

const char *regions_label(const struct regions *regions, const char *code,
                          char buffer[static REGIONS_NAME_BYTES])
{
    char name[REGIONS_NAME_BYTES] = "";
    const char *found = regions_find(regions, code);

    if (found != NULL)
        regions_short(found, name);
    int length =
        snprintf(buffer, REGIONS_NAME_BYTES, "%s%s%s", code, name[0] != '\0' ? " " : "", name);
    if (length >= REGIONS_NAME_BYTES)
        snprintf(buffer, REGIONS_NAME_BYTES, "%.*s", REGIONS_NAME_BYTES - 1, code);
    return buffer;
}
