/*
 * options.h: reads the arguments of one command by its table. Long options only (and -h); written
 * in full, as `--name VALUE` or `--name=VALUE`, each at most once unless its table says otherwise;
 * `--` ends them.
 *
 * Memory:  values and arguments are borrowed from argv. Pure: nothing is printed.
 */

#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "cairn/base.h"

/* Every option of every command has a place here; what it means stands in the command's table. */
enum option_id {
    OPTION_STORE,
    OPTION_PASSPHRASE_FILE,
    OPTION_JSON,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_NO_PASSPHRASE,
    OPTION_ROOT,
    OPTION_TAG,
    OPTION_ROLE,
    OPTION_SCOPE,
    OPTION_ADDRESS,
    OPTION_OUT,
    OPTION_YES,
    OPTION_FINGERPRINT,
    OPTION_ROOT_FINGERPRINT,
    OPTION_REASON,
    OPTION_DRY_RUN,
    OPTION_ENCODING,
    OPTION_PARTIAL,
    OPTION_UPDATE,
    OPTION_RESUME,
    OPTION_MAP,
    OPTION_FORMAT,
    OPTION_MASK,
    OPTION_BOM,
    OPTION_SERVER,
    OPTION_CHECK,
    OPTION_KEEP,
    OPTION_GIVE_UP,
    OPTION_ALL,
    OPTION_PARALLEL,
    OPTION_VALUE,
    OPTION_FULL,
    OPTION_CHECKPOINT,
    OPTION_SAVE_CHECKPOINT,
    OPTION_OF_VERSION, /* --version N; OPTION_VERSION is the program's */
    OPTION_SORT,
    OPTION_LIMIT,
    OPTION_OFFSET,
    OPTION_FIELDS,
    OPTION_BY,
    OPTION_SUM,
    OPTION_COUNT
};

struct option_spec {
    enum option_id id;
    const char *name; /* without the dashes */
    /* What stands for its value in help ("DIR"); NULL: it has none. One that ends in "..." may be
     * given again and again; a command has at most one such option. */
    const char *value;
    const char *help; /* a msgid; NULL ends the table */
};

#define OPTIONS_ARGUMENTS_MAX 256
#define OPTIONS_REPEATED_MAX 64

struct options {
    const char *values[OPTION_COUNT]; /* NULL: not given; "" for an option without value */
    const char *arguments[OPTIONS_ARGUMENTS_MAX];
    size_t argument_count;
    const char *repeated[OPTIONS_REPEATED_MAX]; /* all values of the option that may be repeated */
    size_t repeated_count;
};

/* The options that every command has; they may also stand before the command. */
extern const struct option_spec options_common[];

void options_init(struct options *options);
/*
 * Read argv[0..count). `own` is the command's table, may be NULL. With `stops_at_argument` reading
 * ends before the first argument that is no option: *out_used tells how many were read. BAD_INPUT:
 * err says which and why.
 */
CAIRN_NODISCARD
enum cairn_status options_read(struct options *options, const struct option_spec *own,
                               char *const *argv, size_t count, bool stops_at_argument,
                               size_t *out_used, struct cairn_err *err);
bool options_has(const struct options *options, enum option_id id);
/* The value, or NULL. */
const char *options_value(const struct options *options, enum option_id id);

#endif
