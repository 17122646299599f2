/*
 * import_map.h: what each column of a table is: a field, found by its name or by one of its labels,
 * the village, the record, or nothing.
 *
 * Memory: owns copies of names; release undoes init. Threads: one at a time.
 */

#ifndef CLI_IMPORT_MAP_H
#define CLI_IMPORT_MAP_H

#include "cairn/replica.h"
#include "csv.h"

/* The columns of a table that are no fields; an export writes them in front. */
#define IMPORT_VILLAGE "village"
#define IMPORT_RECORD "record"

enum import_role { IMPORT_IS_FIELD, IMPORT_IS_VILLAGE, IMPORT_IS_RECORD, IMPORT_IS_NOTHING };

struct import_column {
    char *header; /* as in the table */
    char *field;  /* NULL unless it is a field */
    enum import_role role;
};
struct import_map {
    struct import_column columns[CSV_FIELDS_MAX];
    size_t count;
};

struct import_map_input {
    const char *type;
    const struct csv_row *header;
    const struct cairn_field_info *fields;
    size_t field_count;
    const char *mapping; /* "COLUMN=FIELD,COLUMN=-"; NULL: none */
};
/* BAD_INPUT: err says which column and what to do, without file, line and full stop; NO_MEMORY.
 * Then nothing needs to be released. */
CAIRN_NODISCARD
enum cairn_status import_map_init(struct import_map *map, const struct import_map_input *input,
                                  struct cairn_err *err);
void import_map_release(struct import_map *map);

#endif
