#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "i18n.h"
#include "workers.h"

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_NUMBER };

/* Where an option's value goes; one of the three by kind. */
struct option_row {
    const char *name;
    enum option_kind kind;
    bool *flag;
    const char **text;
    unsigned *number;
    unsigned min, max;
    bool is_given;
};

const char *options_help(void)
{
    return _("Usage: cairn-server --listen tcp://IP:PORT [--store DIR] [options]\n"
             "\n"
             "Serve one Cairn store to its devices. The store is made by cairn init and\n"
             "cairn join.\n"
             "\n"
             "  --listen tcp://IP:PORT   where to listen; IPv6 in brackets, * for every\n"
             "                           address, an interface name, port 0 for any free port\n"
             "  --store DIR              default CAIRN_STORE, $XDG_DATA_HOME/cairn,\n"
             "                           ~/.local/share/cairn\n"
             "  --passphrase-file FILE   unlocks the key; default CAIRN_PASSPHRASE_FILE\n"
             "  --workers N              threads that decrypt, 1 to 64; default one a\n"
             "                           processor\n"
             "  --max-connections N      in all, default 4000\n"
             "  --max-per-address N      from one IPv4 address or IPv6 /64, default 1000;\n"
             "                           0 for no limit\n"
             "  --ready-file FILE        gets the address once the server listens\n"
             "  --version, --help, -h\n"
             "\n"
             "Signals: TERM, INT and HUP stop after the commit under way; USR1 prints the\n"
             "counters.\n"
             "Exit codes: 0 stopped as asked; 2 what you gave is wrong; 3 could not.\n");
}

static bool number_parse(const char *text, unsigned min, unsigned max, unsigned *out_number)
{
    unsigned number = 0;
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || digits > 8 || text[digits] != '\0')
        return false;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (unsigned)(text[i] - '0');
    if (number < min || number > max)
        return false;
    *out_number = number;
    return true;
}

static enum cairn_status value_set(const struct option_row *row, const char *value,
                                   struct cairn_err *err)
{
    if (row->kind == OPTION_NUMBER && !number_parse(value, row->min, row->max, row->number))
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s needs a number from %u to %u, not %s",
                          row->name, row->min, row->max, value);
    if (row->kind == OPTION_TEXT && value[0] == '\0')
        return cairn_fail(err, CAIRN_BAD_INPUT, "%s needs a value", row->name);
    if (row->kind == OPTION_TEXT)
        *row->text = value;
    return CAIRN_OK;
}

/* Take argv[*inout_index], and the next one where the value stands apart. */
static enum cairn_status argument_take(struct option_row *rows, size_t row_count, int argc,
                                       char *const *argv, int *inout_index, struct cairn_err *err)
{
    const char *argument = argv[*inout_index];
    size_t name_bytes = strcspn(argument, "=");
    const char *value = argument[name_bytes] == '=' ? argument + name_bytes + 1 : NULL;

    for (size_t i = 0; i < row_count; i++) {
        struct option_row *row = &rows[i];
        if (strlen(row->name) != name_bytes || strncmp(row->name, argument, name_bytes) != 0)
            continue;
        if (row->kind == OPTION_FLAG) {
            if (value != NULL)
                return cairn_fail(err, CAIRN_BAD_INPUT, "%s takes no value", row->name);
            *row->flag = true;
            return CAIRN_OK;
        }
        if (row->is_given)
            return cairn_fail(err, CAIRN_BAD_INPUT, "%s is given twice", row->name);
        row->is_given = true;
        if (value == NULL && *inout_index + 1 < argc)
            value = argv[++*inout_index];
        if (value == NULL)
            return cairn_fail(err, CAIRN_BAD_INPUT, "%s needs a value", row->name);
        return value_set(row, value, err);
    }
    return cairn_fail(err, CAIRN_BAD_INPUT, "unknown option %s: see cairn-server --help", argument);
}

/* --store > CAIRN_STORE > $XDG_DATA_HOME/cairn > ~/.local/share/cairn, as for the cairn command. */
static enum cairn_status store_choose(struct options *options, const char *given,
                                      struct cairn_err *err)
{
    const char *store = given != NULL ? given : getenv("CAIRN_STORE");
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    int size;

    if (store != NULL && store[0] != '\0')
        size = snprintf(options->store, sizeof options->store, "%s", store);
    else if (data != NULL && data[0] != '\0')
        size = snprintf(options->store, sizeof options->store, "%s/cairn", data);
    else if (home != NULL && home[0] != '\0')
        size = snprintf(options->store, sizeof options->store, "%s/.local/share/cairn", home);
    else
        return cairn_fail(err, CAIRN_BAD_INPUT, "no store: give --store DIR");
    if (size < 0 || (size_t)size >= sizeof options->store)
        return cairn_fail(err, CAIRN_BAD_INPUT, "the path of the store is too long");
    return CAIRN_OK;
}

static unsigned processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    if (count < 1)
        return 1;
    return count > WORKERS_MAX ? WORKERS_MAX : (unsigned)count;
}

enum cairn_status options_parse(int argc, char *const *argv, struct options *out_options,
                                struct cairn_err *err)
{
    const char *store = NULL;
    const char *passphrase_file = getenv("CAIRN_PASSPHRASE_FILE");
    struct options options = {
        .passphrase_file =
            passphrase_file != NULL && passphrase_file[0] != '\0' ? passphrase_file : NULL,
        .workers = processors(),
        .connections_max = OPTIONS_CONNECTIONS_DEFAULT,
        .per_address_max = OPTIONS_PER_ADDRESS_DEFAULT,
    };
    struct option_row rows[] = {
        {.name = "--store", .kind = OPTION_TEXT, .text = &store},
        {.name = "--listen", .kind = OPTION_TEXT, .text = &options.listen},
        {.name = "--passphrase-file", .kind = OPTION_TEXT, .text = &options.passphrase_file},
        {.name = "--ready-file", .kind = OPTION_TEXT, .text = &options.ready_file},
        {.name = "--workers",
         .kind = OPTION_NUMBER,
         .number = &options.workers,
         .min = 1,
         .max = WORKERS_MAX},
        {.name = "--max-connections",
         .kind = OPTION_NUMBER,
         .number = &options.connections_max,
         .min = 1,
         .max = OPTIONS_CONNECTIONS_MAX},
        {.name = "--max-per-address",
         .kind = OPTION_NUMBER,
         .number = &options.per_address_max,
         .min = 0,
         .max = OPTIONS_CONNECTIONS_MAX},
        {.name = "--help", .kind = OPTION_FLAG, .flag = &options.wants_help},
        {.name = "-h", .kind = OPTION_FLAG, .flag = &options.wants_help},
        {.name = "--version", .kind = OPTION_FLAG, .flag = &options.wants_version},
    };

    for (int i = 1; i < argc; i++) {
        enum cairn_status status =
            argument_take(rows, sizeof rows / sizeof rows[0], argc, argv, &i, err);
        if (status != CAIRN_OK)
            return status;
    }
    enum cairn_status status = store_choose(&options, store, err);
    if (status == CAIRN_OK || options.wants_help || options.wants_version) {
        *out_options = options;
        return CAIRN_OK;
    }
    return status;
}
