/* cairn settle: decide a conflict. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"

/* More values than this in one field no screen shows. */
#define KEEP_DIGITS_MAX 4

/* The number of --keep, or 0 when it is none. */
static unsigned read_keep(const char *text)
{
    size_t size = strspn(text, "0123456789");

    if (size == 0 || size > KEEP_DIGITS_MAX || text[size] != '\0')
        return 0;
    return (unsigned)strtoul(text, NULL, 10);
}

static enum cairn_status check_options(struct cli *cli, unsigned *out_keep)
{
    const char *keep = options_value(&cli->options, OPTION_KEEP);
    bool has_value = options_has(&cli->options, OPTION_VALUE);

    if ((keep != NULL) == has_value)
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("say which value is right: either --keep N, the number that `cairn conflicts` "
               "shows, or --value V. Nothing was changed."));
    if (!options_has(&cli->options, OPTION_REASON))
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                          N_("say why with --reason TEXT: auditors see it. Nothing was changed."));
    *out_keep = keep == NULL ? 0 : read_keep(keep);
    if (keep != NULL && *out_keep == 0)
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("--keep wants the number of a value, 1 or more, not \"%s\". Nothing was changed."),
            keep);
    if (is_deletion_field(cli->options.arguments[1]) && *out_keep != 1 && *out_keep != 2)
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("a deletion against edits is settled with --keep 1 (it stays deleted) or "
               "--keep 2 (the record comes back as edited). Nothing was changed."));
    return CAIRN_OK;
}

/* Asked before the decision, whose result does not say it. */
static bool is_integer_field(struct cli *cli, const char *id, const char *field)
{
    const struct cairn_record *record;

    if (cairn_get(cli->replica, id, &record, NULL) != CAIRN_OK)
        return false;
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, field) == 0)
            return record->fields[i].is_integer;
    return false;
}

static void print(struct cli *cli, const char *value, unsigned keep, bool is_integer)
{
    const char *id = cli->options.arguments[0];
    const char *field = cli->options.arguments[1];

    if (cli->output.is_json)
        output_json(&cli->output,
                    json_pack("{s:o, s:o, s:o}", "settled", output_json_text(id), "field",
                              output_json_text(field), "value", output_json_text(value)));
    else if (is_deletion_field(field))
        output_line(&cli->output,
                    keep == 1
                        ? _("Settled %s: it stays deleted; goes out with the next sync")
                        : _("Settled %s: it is no longer deleted; goes out with the next sync"),
                    id);
    else
        output_line(&cli->output, _("Settled %s %s = %s; goes out with the next sync"), id, field,
                    CLI_VALUE(value, is_integer));
}

static enum cli_exit run(struct cli *cli)
{
    const char *id = cli->options.arguments[0];
    const char *field = cli->options.arguments[1];
    const char *value = NULL;
    unsigned keep = 0;

    enum cairn_status status = check_options(cli, &keep);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code != CLI_DONE)
        return exit_code;
    bool is_integer = is_integer_field(cli, id, field);
    status = cairn_settle(cli->replica, id, field, keep, options_value(&cli->options, OPTION_VALUE),
                          options_value(&cli->options, OPTION_REASON), &value, &cli->err);
    if (status != CAIRN_OK)
        return cli_report_write(cli, status);
    print(cli, value, keep, is_integer);
    return CLI_DONE;
}

static const struct option_spec options[] = {
    {OPTION_KEEP, "keep", "N", N_("keep the value with this number")},
    {OPTION_VALUE, "value", "V", N_("none of them: this is right")},
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with the decision for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_settle = {
    .name = "settle",
    .group = GROUP_CHECK,
    .arguments = "ID FIELD (--keep N | --value V) --reason TEXT",
    .summary = N_("Decide a conflict"),
    .about = N_(
        "Takes the values that `cairn conflicts` shows and makes one of them, or another, the\n"
        "value of the field. The others stay in the history. The field \"deleted\" settles a\n"
        "deletion against edits: with --keep 1 the record stays deleted, with --keep 2 it comes\n"
        "back as it was edited."),
    .examples = "  cairn settle C-0007-2 income --keep 2 --reason \"receipt seen\"\n"
                "  cairn settle C-0007-2 income --value 4400 --reason \"counted again\"",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
