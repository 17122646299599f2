/*
 * cli.h: what every command of `cairn` is given and shares: its options, its output, the open
 * replica, and the way from a status to an exit code.
 *
 * Memory:  one struct cli a run, released by main.
 */

#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cairn/replica.h"
#include "i18n.h"
#include "options.h"
#include "output.h"
#include "paths.h"
#include "regions.h"
#include "text.h"

/* What scripts rely on. */
enum cli_exit {
    CLI_DONE = 0,     /* an empty list is done */
    CLI_LOOK = 1,     /* done, and a person must look */
    CLI_WRONG = 2,    /* what was given is wrong; nothing changed */
    CLI_COULD_NOT = 3 /* network, disk, lock, key, right; nothing lost */
};

struct cli {
    struct options options;
    struct output output;
    struct cairn_err err;
    struct cairn_replica *replica; /* NULL until cli_open() */
    struct regions *regions;       /* NULL: no names */
    char store[PATHS_MAX];         /* set by cli_open() */
};

/* The facade's promise for a request and for a root statement. */
#define CLI_EXPORT_BYTES 1100

enum command_group { GROUP_SETUP, GROUP_RECORDS, GROUP_EXCHANGE, GROUP_CHECK, GROUP_COUNT };

struct command {
    const char *name;
    enum command_group group;
    const char *arguments;             /* "TYPE [ID] FIELD=VALUE..." */
    const char *summary;               /* a msgid, one line without full stop */
    const char *about;                 /* a msgid; filled where it is shown */
    const char *examples;              /* lines of commands, the same in every language */
    const struct option_spec *options; /* besides the common ones; may be NULL */
    size_t arguments_min, arguments_max;
    enum cli_exit (*run)(struct cli *cli);
};

void cli_init(struct cli *cli);
void cli_release(struct cli *cli);

/* Print the error in cli->err and say how the program ends. For an id that is not there this is
 * CLI_LOOK. */
enum cli_exit cli_report(struct cli *cli, enum cairn_status status);
/* The same after reading a file that the user gave: what the file holds is what is wrong. */
enum cli_exit cli_report_file(struct cli *cli, enum cairn_status status);
/* The same where what is not there stands in a value, a condition or an option: CLI_WRONG then. */
enum cli_exit cli_report_given(struct cli *cli, enum cairn_status status);
/* The same after a write: a device without a grant is told what to do. */
enum cli_exit cli_report_write(struct cli *cli, enum cairn_status status);
/* CLI_DONE when this device has a grant; else the same is reported. */
CAIRN_NODISCARD enum cli_exit cli_check_joined(struct cli *cli);
/* Say what failed (the format is a msgid) and how the program ends. */
#define CLI_FAIL(cli, status, ...) cli_report((cli), cairn_fail(&(cli)->err, (status), __VA_ARGS__))

enum cli_mode {
    CLI_READS, /* a sealed key stays shut unless a passphrase file is named */
    CLI_WRITES /* takes the lock and unlocks the key, asking at a terminal */
};
/* Open the store into cli->replica. CLI_DONE, or the exit code of what was reported. */
CAIRN_NODISCARD enum cli_exit cli_open(struct cli *cli, enum cli_mode mode);

/* "513332 石渠县", "everything"; and the name alone where there is one, else the code. Return
 * `buffer`. */
const char *cli_scope(struct cli *cli, const char *scope, char buffer[static REGIONS_NAME_BYTES]);
const char *cli_place(struct cli *cli, const char *scope, char buffer[static REGIONS_NAME_BYTES]);
#define CLI_SCOPE(cli, scope) cli_scope((cli), (scope), (char[REGIONS_NAME_BYTES]){0})
#define CLI_PLACE(cli, scope) cli_place((cli), (scope), (char[REGIONS_NAME_BYTES]){0})
/* A value for people: digits grouped where the schema says that it is an integer; "(deleted)" for
 * NULL. */
const char *cli_value(const char *value, bool is_integer, char buffer[static I18N_NUMBER_BYTES]);
#define CLI_VALUE(value, is_integer) cli_value((value), (is_integer), (char[I18N_NUMBER_BYTES]){0})
/* A role, a channel in the reader's language. */
const char *cli_role(const char *role);
const char *cli_channel(const char *channel);
/* "NAME.request", the file that `init` writes. */
void cli_request_name(const char *name, char out_file[static TEXT_SLUG_BYTES + 16]);

/* Arguments of the form FIELD=VALUE, FIELD+=VALUE or FIELD-=VALUE. */
struct cli_fields {
    struct cairn_field_value items[OPTIONS_ARGUMENTS_MAX];
    enum cairn_put_operation operations[OPTIONS_ARGUMENTS_MAX];
    char *names[OPTIONS_ARGUMENTS_MAX]; /* what the names in items point to */
    size_t count;
};
/* Split each argument at its first '='; values are borrowed. BAD_INPUT: one is not of that form, or
 * a field is set twice; then nothing needs to be freed. */
CAIRN_NODISCARD
enum cairn_status cli_fields_read(struct cli_fields *fields, const char *const *arguments,
                                  size_t count, struct cairn_err *err);
/* Take `name` out of the list where it is set, not added to: its value, or NULL. */
const char *cli_fields_take(struct cli_fields *fields, const char *name);
void cli_fields_release(struct cli_fields *fields);

#endif
