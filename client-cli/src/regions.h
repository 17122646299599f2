/*
 * regions.h: Chinese names of administrative codes, from the data file regions.csv (code,name;
 * sorted by code). A help for people only: nothing depends on a name being there.
 *
 * Memory:  heap; names are borrowed until regions_free(). Threads: read-only after loading.
 */

#ifndef CLI_REGIONS_H
#define CLI_REGIONS_H

#include "cairn/base.h"

#define REGIONS_NAME_BYTES 128

struct regions;

/* Take `text` (size bytes and a spare one, from malloc) as the file's content; it is owned by the
 * result. BAD_INPUT: not such a file; `text` is freed all the same. NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status regions_new(char *text, size_t size, struct regions **out_regions,
                              struct cairn_err *err);
void regions_free(struct regions *regions); /* NULL is allowed */
/* The official name of a code, or NULL. `regions` may be NULL: then nothing has a name. */
const char *regions_find(const struct regions *regions, const char *code);
/* The name as people say it: 沙马村 for 沙马村民委员会. Returns `buffer`. */
const char *regions_short(const char *name, char buffer[static REGIONS_NAME_BYTES]);
/* "513332 石渠县"; the digits alone where the code has no name. Returns `buffer`. */
const char *regions_label(const struct regions *regions, const char *code,
                          char buffer[static REGIONS_NAME_BYTES]);

#endif
