/* cairn join: open the invitation made for this device and become part of its network. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "record_view.h"

/* Whoever made the invitation names the root; only a second source can tell that it is the right
 * one. */
static enum cairn_status confirm(struct cli *cli, const struct cairn_join_report *report)
{
    const char *given = options_value(&cli->options, OPTION_ROOT_FINGERPRINT);

    if (given != NULL && cairn_fingerprint_is(report->root_fingerprint, given))
        return CAIRN_OK;
    if (given != NULL)
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("the invitation is from the root \"%s\" %s, not %s. Nothing was changed."),
            report->root_name, report->root_fingerprint, given);
    if (!output_can_ask())
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("the invitation is from the root \"%s\" %s. Compare that with a source other than "
               "this file and give it with --root-fingerprint. Nothing was changed."),
            report->root_name, report->root_fingerprint);
    if (output_ask(&cli->output,
                   _("Root \"%s\" %s. Compare with a source other than this file. The same?"),
                   report->root_name, report->root_fingerprint))
        return CAIRN_OK;
    return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                      N_("the fingerprints were not the same. Nothing was changed."));
}

static void print(struct cli *cli, const struct cairn_join_report *report)
{
    const struct cairn_device *self = &report->self;
    bool has_server = report->server_tag[0] != '\0';
    char *place = place_text(cli, self);

    if (cli->output.is_json)
        output_json(&cli->output,
                    json_pack("{s:o, s:o, s:o, s:o, s:o}", "joined", device_json(cli, self),
                              "root_name", output_json_text(report->root_name), "root_fingerprint",
                              output_json_text(report->root_fingerprint), "server",
                              output_json_text(has_server ? report->server_tag : NULL), "address",
                              output_json_text(has_server ? report->server_address : NULL)));
    else if (place == NULL)
        ;
    else if (strcmp(self->role, "server") == 0)
        output_line(&cli->output, _("Joined as %s: %s, %s"), self->tag, place,
                    report->server_address);
    else if (has_server)
        output_line(&cli->output,
                    _("Joined as %s: %s. Server %s %s. Works without network from now on."),
                    self->tag, place, report->server_tag, report->server_address);
    else if (self->may_delegate)
        output_line(&cli->output,
                    _("Joined as %s: %s. No server yet: grant one with --role server."), self->tag,
                    place);
    else
        output_line(
            &cli->output,
            _("Joined as %s: %s. No server yet: the office above grants one. Works without network "
              "from now on."),
            self->tag, place);
    free(place);
}

static enum cli_exit join(struct cli *cli, struct cairn_bytes invitation)
{
    struct cairn_join_report report;

    enum cairn_status status = cairn_join_inspect(cli->replica, invitation, &report, &cli->err);
    if (status != CAIRN_OK)
        return cli_report_file(cli, status);
    status = confirm(cli, &report);
    if (status == CAIRN_OK)
        status = cairn_join(cli->replica, invitation, &report, &cli->err);
    if (status != CAIRN_OK)
        return cli_report_file(cli, status);
    print(cli, &report);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    char *text = NULL;
    size_t size = 0;

    enum cairn_status status =
        files_read(cli->options.arguments[0], FILES_SMALL_MAX, &text, &size, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code == CLI_DONE)
        exit_code = join(cli, (struct cairn_bytes){(const uint8_t *)text, size});
    free(text);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_ROOT_FINGERPRINT, "root-fingerprint", "F",
     N_("the root's fingerprint, from a source other than the invitation")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_join = {
    .name = "join",
    .group = GROUP_SETUP,
    .arguments = "INVITATION [--root-fingerprint F]",
    .summary = N_("Open the invitation that answers this device's request"),
    .about =
        N_("Shows the root's name and fingerprint; compare it with a notice, a letter or a call,\n"
           "not with the file itself. The invitation brings this device's grant, the form of the\n"
           "records and the server's address; nothing else needs to be set up."),
    .examples = "  cairn join /media/usb/shama.invite\n"
                "  cairn join server.invite --root-fingerprint 7QKD-2MXA-PT4R-9C0E",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
