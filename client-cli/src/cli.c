#include "cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "passphrase.h"

/* The names in regions.csv are a convenience: any failure only means digits. */
static void load_regions(struct cli *cli)
{
    char path[PATHS_MAX];
    char *text = NULL;
    size_t size = 0;

    if (!paths_data_file("regions.csv", path) ||
        files_read(path, FILES_TABLE_MAX, &text, &size, NULL) != CAIRN_OK)
        return;
    if (regions_new(text, size, &cli->regions, &cli->err) != CAIRN_OK)
        output_note(&cli->output, "cairn: %s: %s", path, cli->err.text);
}

void cli_init(struct cli *cli)
{
    memset(cli, 0, sizeof *cli);
    options_init(&cli->options);
    output_init(&cli->output);
    cli->err.translate = i18n_translate;
    load_regions(cli);
}

void cli_release(struct cli *cli)
{
    cairn_replica_close(cli->replica);
    regions_free(cli->regions);
    cli->replica = NULL;
    cli->regions = NULL;
}

/* ---- errors and exit codes ---- */

static enum cli_exit exit_of(enum cairn_status status)
{
    switch (status) {
    case CAIRN_OK:
        return CLI_DONE;
    case CAIRN_NOT_FOUND:
        return CLI_LOOK;
    case CAIRN_BAD_INPUT:
    case CAIRN_AMBIGUOUS:
    case CAIRN_EXISTS:
        return CLI_WRONG;
    case CAIRN_MALFORMED:
    case CAIRN_BAD_SIGNATURE:
    case CAIRN_FORKED:
    case CAIRN_REFUSED:
    case CAIRN_LIMIT:
    case CAIRN_GAP:
    case CAIRN_CONFLICT:
    case CAIRN_NO_ANSWER:
    case CAIRN_NO_SPACE:
    case CAIRN_IO:
    case CAIRN_CORRUPT:
    case CAIRN_LOCKED:
    case CAIRN_NO_MEMORY:
    case CAIRN_NO_RIGHT:
    case CAIRN_NO_KEY:
    case CAIRN_STATUS_COUNT:
        break;
    }
    return CLI_COULD_NOT;
}

static enum cli_exit report_as(struct cli *cli, enum cairn_status status, enum cli_exit exit_code)
{
    const char *text =
        cli->err.text[0] != '\0' ? cli->err.text : i18n_translate(cairn_status_text(status));

    output_error(&cli->output, status, text, (int)exit_code);
    return exit_code;
}

enum cli_exit cli_report(struct cli *cli, enum cairn_status status)
{
    return report_as(cli, status, exit_of(status));
}

enum cli_exit cli_report_file(struct cli *cli, enum cairn_status status)
{
    bool is_of_file = status == CAIRN_MALFORMED || status == CAIRN_BAD_SIGNATURE ||
                      status == CAIRN_REFUSED || status == CAIRN_LIMIT;
    return report_as(cli, status, is_of_file ? CLI_WRONG : exit_of(status));
}

enum cli_exit cli_report_given(struct cli *cli, enum cairn_status status)
{
    return report_as(cli, status, status == CAIRN_NOT_FOUND ? CLI_WRONG : exit_of(status));
}

static enum cli_exit fail_not_joined(struct cli *cli, const char *name)
{
    char file[TEXT_SLUG_BYTES + 16];

    cli_request_name(name, file);
    return CLI_FAIL(
        cli, CAIRN_NO_RIGHT,
        N_("this device may not write yet: it has no grant. Send %s to the office above, "
           "then: cairn join FILE"),
        file);
}

enum cli_exit cli_report_write(struct cli *cli, enum cairn_status status)
{
    struct cairn_status_report report;

    if (status == CAIRN_NO_RIGHT && cairn_status_get(cli->replica, &report, NULL) == CAIRN_OK &&
        !report.is_joined)
        return fail_not_joined(cli, report.self.name);
    return cli_report(cli, status);
}

enum cli_exit cli_check_joined(struct cli *cli)
{
    struct cairn_status_report report;
    enum cairn_status status = cairn_status_get(cli->replica, &report, &cli->err);

    if (status != CAIRN_OK)
        return cli_report(cli, status);
    return report.is_joined ? CLI_DONE : fail_not_joined(cli, report.self.name);
}

/* ---- the store ---- */

/* Find the passphrase of a sealed key: file, else keyboard. Reading can do without. */
static enum cairn_status unlock(struct cli *cli, enum cli_mode mode, struct passphrase *passphrase)
{
    const char *file = passphrase_file(options_value(&cli->options, OPTION_PASSPHRASE_FILE));
    bool is_sealed = false;
    enum cairn_status status = cairn_key_is_sealed(cli->store, &is_sealed, &cli->err);

    if (status == CAIRN_NOT_FOUND)
        return CAIRN_OK; /* cairn_replica_open says what is missing */
    if (status != CAIRN_OK || !is_sealed)
        return status;
    if (file != NULL)
        return passphrase_read(passphrase, file, &cli->err);
    if (mode == CLI_READS)
        return CAIRN_OK;
    if (!output_can_ask())
        return cairn_fail(&cli->err, CAIRN_NO_KEY,
                          N_("the key in %s is sealed: give --passphrase-file FILE or set "
                             "CAIRN_PASSPHRASE_FILE. Nothing was changed."),
                          cli->store);
    return passphrase_ask(passphrase, _("Passphrase for this device's key:"), &cli->err);
}

/* A person must know that this store does not go on where it was, and that a copy may be about. */
static void warn_restored(struct cli *cli)
{
    if (!cairn_replica_was_restored(cli->replica))
        return;
    output_note(
        &cli->output,
        _("cairn: this store was restored from a backup, or copied. A new incarnation of this "
          "device was begun; edits that no server has received go out under it.\n"
          "  Saved after the backup: what the server received comes back with cairn sync; the rest "
          "must be entered again. Records that no server had received have new ids now: look with "
          "cairn list first.\n"
          "  If another copy of this folder is in use: stop using it, and ask the office above to "
          "grant that machine as a device of its own (cairn init there)."));
}

/* Where not even the folder is, as in a home that is new, the same is said as of an empty one. */
static enum cairn_status check_folder(struct cli *cli)
{
    if (access(cli->store, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
        return CAIRN_OK;
    return cairn_fail(&cli->err, CAIRN_NOT_FOUND,
                      N_("There is no store in %s. Make one with: cairn init NAME; or name another "
                         "folder with --store DIR"),
                      cli->store);
}

enum cli_exit cli_open(struct cli *cli, enum cli_mode mode)
{
    struct passphrase passphrase = {.size = 0};
    struct cairn_replica_config config = {.path = cli->store, .is_writer = mode == CLI_WRITES};
    enum cairn_status status =
        paths_store(options_value(&cli->options, OPTION_STORE), cli->store, &cli->err);

    if (status == CAIRN_OK && (status = check_folder(cli)) != CAIRN_OK)
        return report_as(cli, status, CLI_COULD_NOT);
    if (status == CAIRN_OK)
        status = unlock(cli, mode, &passphrase);
    if (status != CAIRN_OK)
        return cli_report(cli, status);

    config.passphrase = passphrase_bytes(&passphrase);
    status = cairn_replica_open(&config, &cli->replica, &cli->err);
    passphrase_release(&passphrase);
    if (status == CAIRN_NOT_FOUND) /* of the store, not of something in it */
        return report_as(cli, status, CLI_COULD_NOT);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (mode == CLI_WRITES)
        warn_restored(cli);
    return CLI_DONE;
}

/* ---- words ---- */

const char *cli_scope(struct cli *cli, const char *scope, char buffer[static REGIONS_NAME_BYTES])
{
    if (strcmp(scope, "0") != 0)
        return regions_label(cli->regions, scope, buffer);
    snprintf(buffer, REGIONS_NAME_BYTES, "%s", _("everything"));
    return buffer;
}

const char *cli_place(struct cli *cli, const char *scope, char buffer[static REGIONS_NAME_BYTES])
{
    const char *name = regions_find(cli->regions, scope);

    return name == NULL ? cli_scope(cli, scope, buffer) : regions_short(name, buffer);
}

const char *cli_value(const char *value, bool is_integer, char buffer[static I18N_NUMBER_BYTES])
{
    if (value == NULL)
        return _("(deleted)");
    return is_integer ? text_integer(value, buffer) : value;
}

const char *cli_role(const char *role)
{
    static const char *const roles[] = {N_("root"),     N_("prefecture"), N_("county"),
                                        N_("township"), N_("station"),    N_("server"),
                                        N_("auditor"),  N_("approver")};

    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(role, roles[i]) == 0)
            return gettext(roles[i]);
    return role;
}

const char *cli_channel(const char *channel)
{
    static const char *const channels[] = {N_("records"), N_("funds"), N_("authority")};

    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
        if (strcmp(channel, channels[i]) == 0)
            return gettext(channels[i]);
    return channel;
}

void cli_request_name(const char *name, char out_file[static TEXT_SLUG_BYTES + 16])
{
    char slug[TEXT_SLUG_BYTES];

    text_slug(name, slug);
    snprintf(out_file, TEXT_SLUG_BYTES + 16, "%s.request", slug);
}

/* ---- fields ---- */

static bool sets_field(const struct cli_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (strcmp(fields->names[i], name) == 0 && fields->operations[i] == CAIRN_PUT_SET)
            return true;
    return false;
}

/* What stands before the '='. */
static enum cairn_put_operation operation_of(const char *equals)
{
    return equals[-1] == '+' ? CAIRN_PUT_ADD : equals[-1] == '-' ? CAIRN_PUT_REMOVE : CAIRN_PUT_SET;
}

static enum cairn_status add_field(struct cli_fields *fields, const char *argument,
                                   struct cairn_err *err)
{
    const char *equals = strchr(argument, '=');
    bool is_field = equals != NULL && equals != argument;
    enum cairn_put_operation operation = is_field ? operation_of(equals) : CAIRN_PUT_SET;
    size_t name_size = is_field ? (size_t)(equals - argument) - (operation != CAIRN_PUT_SET) : 0;

    CAIRN_ASSERT(fields->count < OPTIONS_ARGUMENTS_MAX);
    if (name_size == 0)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("\"%s\" is not of the form FIELD=VALUE. Nothing was done."), argument);
    char *name = strndup(argument, name_size);
    if (name == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory. Nothing was done."));
    if (sets_field(fields, name)) {
        free(name);
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("\"%s\": this field is given twice. Nothing was done."), argument);
    }
    fields->names[fields->count] = name;
    fields->operations[fields->count] = operation;
    fields->items[fields->count++] = (struct cairn_field_value){name, equals + 1};
    return CAIRN_OK;
}

enum cairn_status cli_fields_read(struct cli_fields *fields, const char *const *arguments,
                                  size_t count, struct cairn_err *err)
{
    fields->count = 0;
    for (size_t i = 0; i < count; i++) {
        enum cairn_status status = add_field(fields, arguments[i], err);
        if (status != CAIRN_OK) {
            cli_fields_release(fields);
            return status;
        }
    }
    return CAIRN_OK;
}

const char *cli_fields_take(struct cli_fields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->names[i], name) != 0 || fields->operations[i] != CAIRN_PUT_SET)
            continue;
        const char *value = fields->items[i].value;
        free(fields->names[i]);
        fields->count--;
        for (size_t k = i; k < fields->count; k++) {
            fields->names[k] = fields->names[k + 1];
            fields->items[k] = fields->items[k + 1];
            fields->operations[k] = fields->operations[k + 1];
        }
        return value;
    }
    return NULL;
}

void cli_fields_release(struct cli_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        free(fields->names[i]);
    fields->count = 0;
}
