/* cairn grant: give a device that asked a role, a scope and a tag, and write its invitation. */

#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "files.h"
#include "record_view.h"
#include "transport.h"

static enum cairn_status check_options(struct cli *cli)
{
    static const struct {
        enum option_id id;
        const char *name;
    } needed[] = {{OPTION_ROLE, "--role ROLE"},
                  {OPTION_SCOPE, "--scope CODE"},
                  {OPTION_TAG, "--tag TAG"},
                  {OPTION_OUT, "--out FILE"}};
    const char *out = options_value(&cli->options, OPTION_OUT);
    const char *address = options_value(&cli->options, OPTION_ADDRESS);

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!options_has(&cli->options, needed[i].id))
            return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                              N_("a grant needs %s. Nothing was written."), needed[i].name);
    /* An invitation is made once: the file of another device must not be lost. */
    if (access(out, F_OK) == 0)
        return cairn_fail(
            &cli->err, CAIRN_EXISTS,
            N_("%s is there already: choose another --out FILE. Nothing was written."), out);
    enum cairn_status status = files_check_target(out, &cli->err); /* a link into nothing */
    return status == CAIRN_OK && address != NULL ? transport_check_address(address, &cli->err)
                                                 : status;
}

/* The one step of a grant that no program can do: is this the device that it says it is? */
static enum cairn_status confirm(struct cli *cli, const struct cairn_device *device)
{
    const char *given = options_value(&cli->options, OPTION_FINGERPRINT);

    if (given != NULL && cairn_fingerprint_is(device->fingerprint, given))
        return CAIRN_OK;
    if (given != NULL)
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("the request of \"%s\" has the fingerprint %s, not %s. Nothing was written."),
            device->name, device->fingerprint, given);
    if (options_has(&cli->options, OPTION_YES))
        return CAIRN_OK;
    if (!output_can_ask())
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("the request of \"%s\" has the fingerprint %s. Have them read theirs to you and "
               "give it with --fingerprint, or --yes if you compared. Nothing was written."),
            device->name, device->fingerprint);
    if (output_ask(&cli->output,
                   _("Request: \"%s\", fingerprint %s. Have them read theirs to you. The same?"),
                   device->name, device->fingerprint))
        return CAIRN_OK;
    return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                      N_("the fingerprints were not the same. Nothing was written."));
}

/* The grant stands in the log by now: when the stick refuses, the invitation must land somewhere.
 */
static enum cairn_status save(struct cli *cli, struct file_writer *writer,
                              struct cairn_bytes invitation, const char *tag,
                              char out_path[static PATHS_MAX])
{
    char name[32];

    (void)file_writer_add(writer, invitation);
    if (file_writer_commit(writer, &cli->err) == CAIRN_OK) {
        snprintf(out_path, PATHS_MAX, "%s", options_value(&cli->options, OPTION_OUT));
        return CAIRN_OK;
    }
    output_note(&cli->output, "cairn: %s", cli->err.text);
    snprintf(name, sizeof name, "%s.invite", tag);
    if (!paths_join(cli->store, name, out_path))
        return CAIRN_IO;
    return files_write(out_path, invitation, &cli->err);
}

/* What the device may do is said where it may do something: a server and an auditor only read. */
static void print_granted(struct cli *cli, const struct cairn_device *device, const char *place)
{
    static const struct {
        unsigned bit;
        const char *name;
    } channels[] = {{2, "records"}, {4, "funds"}, {1, "authority"}};
    char writes[96] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
        if ((device->channels & channels[i].bit) != 0)
            used += (size_t)snprintf(writes + used, sizeof writes - used, "%s%s",
                                     used > 0 ? " " : "", cli_channel(channels[i].name));
    if (used == 0)
        output_line(&cli->output, _("Granted %s \"%s\": %s"), device->tag, device->name, place);
    else
        output_line(&cli->output,
                    device->may_delegate ? _("Granted %s \"%s\": %s, %s, may delegate")
                                         : _("Granted %s \"%s\": %s, %s"),
                    device->tag, device->name, place, writes);
}

static void print(struct cli *cli, const struct cairn_device *device, const char *path, size_t size)
{
    char *place = place_text(cli, device);

    if (cli->output.is_json) {
        output_json(&cli->output,
                    json_pack("{s:o, s:o, s:o}", "granted", device_json(cli, device), "invitation",
                              output_json_text(path), "bytes", count_json(size)));
    } else if (place != NULL) {
        print_granted(cli, device, place);
        output_line(&cli->output, _("Invitation: %s, %s bytes, opens on that device only."), path,
                    i18n_number(size).text);
    }
    free(place);
}

static enum cli_exit grant(struct cli *cli, struct cairn_bytes request)
{
    const struct cairn_grant_input input = {
        .request = request,
        .role = options_value(&cli->options, OPTION_ROLE),
        .scope = options_value(&cli->options, OPTION_SCOPE),
        .tag = options_value(&cli->options, OPTION_TAG),
        .address = options_value(&cli->options, OPTION_ADDRESS),
    };
    struct cairn_bytes invitation = {NULL, 0};
    struct cairn_device device;
    struct file_writer writer;
    char path[PATHS_MAX];

    /* The file first: a grant without an invitation would be of no use to anybody. */
    enum cairn_status status =
        file_writer_open(&writer, options_value(&cli->options, OPTION_OUT), &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    status = cairn_grant_device(cli->replica, &input, &invitation, &device, &cli->err);
    if (status != CAIRN_OK) {
        file_writer_abort(&writer);
        return cli_report_write(cli, status);
    }
    status = save(cli, &writer, invitation, device.tag, path);
    size_t size = invitation.size;
    cairn_bytes_free(invitation);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    print(cli, &device, path, size);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct cairn_device device;
    char *text = NULL;
    size_t size = 0;

    enum cairn_status status = check_options(cli);
    if (status == CAIRN_OK)
        status = files_read(cli->options.arguments[0], FILES_SMALL_MAX, &text, &size, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);

    const struct cairn_bytes request = {(const uint8_t *)text, size};
    enum cli_exit exit_code = CLI_DONE;
    status = cairn_request_inspect(request, &device, &cli->err);
    if (status != CAIRN_OK)
        exit_code = cli_report_file(cli, status);
    if (exit_code == CLI_DONE)
        exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code == CLI_DONE && (status = confirm(cli, &device)) != CAIRN_OK)
        exit_code = cli_report(cli, status);
    if (exit_code == CLI_DONE)
        exit_code = grant(cli, request);
    free(text);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_ROLE, "role", "ROLE",
     N_("prefecture, county, township, station, server, auditor or approver")},
    {OPTION_SCOPE, "scope", "CODE", N_("the administrative code, inside your own")},
    {OPTION_TAG, "tag", "TAG",
     N_("1 to 4 letters or digits that stand for the device on every screen")},
    {OPTION_ADDRESS, "address", "ADDRESS", N_("for a server: where it listens, tcp://IP:PORT")},
    {OPTION_OUT, "out", "FILE", N_("the invitation to write")},
    {OPTION_FINGERPRINT, "fingerprint", "F",
     N_("what they read to you; it must be that of the request")},
    {OPTION_YES, "yes", NULL, N_("you compared the fingerprints already")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_grant = {
    .name = "grant",
    .group = GROUP_SETUP,
    .arguments = "REQUEST --role ROLE --scope CODE --tag TAG [--address ADDRESS] --out FILE",
    .summary = N_("Let a device in that sent its request"),
    .about =
        N_("Shows the fingerprint of the request; compare it with what the people at that device\n"
           "read to you, by telephone or in person. Then writes the grant into the log of this\n"
           "authority and an invitation that only that device can open.\n\n"
           "A grant never reaches beyond your own scope."),
    .examples = "  cairn grant shama.request --role station --scope 513332100201 --tag A7 \\\n"
                "      --out shama.invite\n"
                "  cairn grant server.request --role server --scope 513332 --tag S \\\n"
                "      --address tcp://10.20.0.5:7340 --out server.invite",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
