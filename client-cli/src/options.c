#include "options.h"

#include <string.h>

#include "i18n.h"
#include "text.h"

/* More steps apart than this is another word, not a slip of the finger. */
#define OPTIONS_SLIP_MAX 2

const struct option_spec options_common[] = {
    {OPTION_STORE, "store", "DIR",
     N_("the store's folder (else CAIRN_STORE, $XDG_DATA_HOME/cairn, ~/.local/share/cairn)")},
    {OPTION_PASSPHRASE_FILE, "passphrase-file", "FILE",
     N_("its first line unlocks the key (else CAIRN_PASSPHRASE_FILE, else asks)")},
    {OPTION_JSON, "json", NULL, N_("print one JSON object a line; errors too, on standard error")},
    {OPTION_HELP, "help", NULL, N_("show this help (also -h)")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

void options_init(struct options *options)
{
    *options = (struct options){.argument_count = 0};
}

bool options_has(const struct options *options, enum option_id id)
{
    return options->values[id] != NULL;
}

const char *options_value(const struct options *options, enum option_id id)
{
    return options->values[id];
}

static const struct option_spec *find_in(const struct option_spec *table, const char *name,
                                         size_t size)
{
    for (; table != NULL && table->help != NULL; table++)
        if (strlen(table->name) == size && memcmp(table->name, name, size) == 0)
            return table;
    return NULL;
}

static void nearest_in(const struct option_spec *table, const char *name, unsigned *best,
                       const char **out_name)
{
    for (; table != NULL && table->help != NULL; table++) {
        unsigned distance = text_distance(name, table->name);
        if (distance < *best) {
            *best = distance;
            *out_name = table->name;
        }
    }
}

static enum cairn_status fail_unknown(const struct option_spec *own, const char *argument,
                                      struct cairn_err *err)
{
    const char *nearest = NULL;
    unsigned best = OPTIONS_SLIP_MAX + 1;

    if (argument[0] == '-' && argument[1] == '-') {
        nearest_in(own, argument + 2, &best, &nearest);
        nearest_in(options_common, argument + 2, &best, &nearest);
    }
    if (nearest != NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("unknown option %s. Did you mean --%s?"),
                          argument, nearest);
    return cairn_fail(err, CAIRN_BAD_INPUT,
                      N_("unknown option %s. Options are written in full; --help lists them."),
                      argument);
}

static bool may_repeat(const struct option_spec *spec)
{
    size_t size = spec->value == NULL ? 0 : strlen(spec->value);

    return size >= 3 && strcmp(spec->value + size - 3, "...") == 0;
}

/* Read the option at argv[0]; *out_used becomes 1, or 2 when its value is the next argument. */
static enum cairn_status read_option(struct options *options, const struct option_spec *own,
                                     char *const *argv, size_t count, size_t *out_used,
                                     struct cairn_err *err)
{
    const char *name = argv[0] + 2;
    size_t size = strcspn(name, "=");
    bool has_value = name[size] == '=';
    const struct option_spec *spec = find_in(own, name, size);

    if (spec == NULL)
        spec = find_in(options_common, name, size);
    if (spec == NULL)
        return fail_unknown(own, argv[0], err);
    if (options->values[spec->id] != NULL && !may_repeat(spec))
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("the option --%s is given twice"), spec->name);
    if (spec->value == NULL && has_value)
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("the option --%s takes no value"), spec->name);
    if (spec->value != NULL && !has_value && count < 2)
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("the option --%s needs a value: --%s %s"),
                          spec->name, spec->name, spec->value);
    if (options->repeated_count == OPTIONS_REPEATED_MAX && may_repeat(spec))
        return cairn_fail(err, CAIRN_BAD_INPUT, N_("the option --%s is given more than %d times"),
                          spec->name, OPTIONS_REPEATED_MAX);

    *out_used = spec->value != NULL && !has_value ? 2 : 1;
    if (spec->value == NULL)
        options->values[spec->id] = "";
    else
        options->values[spec->id] = has_value ? name + size + 1 : argv[1];
    if (may_repeat(spec))
        options->repeated[options->repeated_count++] = options->values[spec->id];
    return CAIRN_OK;
}

enum cairn_status options_read(struct options *options, const struct option_spec *own,
                               char *const *argv, size_t count, bool stops_at_argument,
                               size_t *out_used, struct cairn_err *err)
{
    bool is_ended = false;
    size_t at = 0;

    while (at < count) {
        const char *argument = argv[at];
        size_t used = 1;

        if (is_ended || argument[0] != '-' || argument[1] == '\0') {
            if (stops_at_argument)
                break;
            if (options->argument_count == OPTIONS_ARGUMENTS_MAX)
                return cairn_fail(err, CAIRN_BAD_INPUT, N_("more than %d arguments"),
                                  OPTIONS_ARGUMENTS_MAX);
            options->arguments[options->argument_count++] = argument;
        } else if (strcmp(argument, "--") == 0) {
            is_ended = true;
        } else if (strcmp(argument, "-h") == 0) {
            options->values[OPTION_HELP] = "";
        } else if (argument[1] != '-') {
            return fail_unknown(own, argument, err);
        } else {
            enum cairn_status status = read_option(options, own, argv + at, count - at, &used, err);
            if (status != CAIRN_OK)
                return status;
        }
        at += used;
    }
    if (out_used != NULL)
        *out_used = at;
    return CAIRN_OK;
}
