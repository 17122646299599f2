/* cairn status: who this device is, what waits here, and whether a person must look. */

#include <string.h>

#include "commands.h"
#include "record_view.h"

/* What waits for other entries needs no person; these do. */
static bool must_look(const struct cairn_status_report *report)
{
    return report->conflict_count > 0 || report->refused_count > 0 || report->newer_count > 0;
}

static void print_json(struct cli *cli, const struct cairn_status_report *report)
{
    json_t *object = json_pack(
        "{s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "device", device_json(cli, &report->self),
        "root", report->is_root, "joined", report->is_joined, "store", output_json_text(cli->store),
        "root_name", output_json_text(report->root_name), "root_fingerprint",
        output_json_text(report->root_fingerprint), "server",
        output_json_text(report->server_tag[0] == '\0' ? NULL : report->server_tag), "address",
        output_json_text(report->server_address[0] == '\0' ? NULL : report->server_address),
        "last_contact", time_json(report->last_contact_s));
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"grants", report->grant_count},       {"revocations", report->revocation_count},
        {"records", report->record_count},     {"unreceived", report->unreceived_count},
        {"conflicts", report->conflict_count}, {"refused", report->refused_count},
        {"newer", report->newer_count},        {"awaiting", report->awaiting_count},
        {"parked", report->parked_count},
    };

    for (size_t i = 0; object != NULL && i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(object, counts[i].name, count_json(counts[i].count));
    output_json(&cli->output, object);
}

static void print_stranger(struct cli *cli, const struct cairn_status_report *report)
{
    char file[TEXT_SLUG_BYTES + 16];

    cli_request_name(report->self.name, file);
    output_line(&cli->output, _("\"%s\"   no grant yet   fingerprint %s"), report->self.name,
                report->self.fingerprint);
    output_line(&cli->output,
                _("Next: send %s to the office above (a copy is in %s), then: cairn join FILE"),
                file, cli->store);
}

static void print_root(struct cli *cli, const struct cairn_status_report *report)
{
    char grants[96], revocations[96];

    snprintf(grants, sizeof grants,
             ngettext("%s grant", "%s grants", (unsigned long)report->grant_count),
             i18n_number(report->grant_count).text);
    snprintf(revocations, sizeof revocations,
             ngettext("%s revocation", "%s revocations", (unsigned long)report->revocation_count),
             i18n_number(report->revocation_count).text);
    output_line(&cli->output, _("%s  root authority, %s   %s, %s   %s"), report->self.tag,
                CLI_SCOPE(cli, report->self.scope), grants, revocations,
                report->server_tag[0] == '\0'
                    ? _("no server: this store is carried by invitations and bundles")
                    : report->server_address);
}

/* A server has no edits of its own to wait for: what it is, and where it is reached. */
static void print_server(struct cli *cli, const struct cairn_status_report *report)
{
    char records[96];

    snprintf(records, sizeof records,
             ngettext("%s record", "%s records", (unsigned long)report->record_count),
             i18n_number(report->record_count).text);
    output_line(&cli->output, _("%s  server, %s   %s   %s   conflicts %s   without effect %s"),
                report->self.tag, CLI_SCOPE(cli, report->self.scope),
                report->server_address[0] == '\0' ? _("address unknown") : report->server_address,
                records, i18n_number(report->conflict_count).text,
                i18n_number(report->refused_count).text);
}

/* One line, its parts as in the manual: place, what waits, last contact, what a person must look
 * at. */
static void print_device(struct cli *cli, const struct cairn_status_report *report)
{
    char waiting[256];
    const char *server = report->server_tag[0] == '\0' ? _("a server") : report->server_tag;

    if (report->unreceived_count == 0)
        snprintf(waiting, sizeof waiting, _("no edit waits to be received by %s"), server);
    else
        snprintf(waiting, sizeof waiting,
                 ngettext("%s edit saved here, not yet received by %s",
                          "%s edits saved here, not yet received by %s",
                          (unsigned long)report->unreceived_count),
                 i18n_number(report->unreceived_count).text, server);
    output_line(&cli->output, _("%s %s   %s   last contact: %s   conflicts %s   without effect %s"),
                report->self.tag, CLI_PLACE(cli, report->self.scope), waiting,
                report->last_contact_s == 0 ? _("never") : text_minute(report->last_contact_s).text,
                i18n_number(report->conflict_count).text, i18n_number(report->refused_count).text);
}

static void print_rare(struct cli *cli, const struct cairn_status_report *report)
{
    if (report->newer_count > 0)
        output_line(
            &cli->output,
            ngettext("%s entry is from a newer version and waits: install the newer cairn",
                     "%s entries are from a newer version and wait: install the newer cairn",
                     (unsigned long)report->newer_count),
            i18n_number(report->newer_count).text);
    if (report->awaiting_count > 0)
        output_line(&cli->output,
                    ngettext("%s entry waits for another that has not arrived yet",
                             "%s entries wait for others that have not arrived yet",
                             (unsigned long)report->awaiting_count),
                    i18n_number(report->awaiting_count).text);
    if (report->parked_count > 0)
        output_line(&cli->output,
                    ngettext("%s batch waits for a grant that has not arrived yet",
                             "%s batches wait for grants that have not arrived yet",
                             (unsigned long)report->parked_count),
                    i18n_number(report->parked_count).text);
}

static enum cli_exit run(struct cli *cli)
{
    struct cairn_status_report report;

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = cairn_status_get(cli->replica, &report, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);

    if (cli->output.is_json) {
        print_json(cli, &report);
    } else {
        if (!report.is_joined)
            print_stranger(cli, &report);
        else if (report.is_root)
            print_root(cli, &report);
        else if (strcmp(report.self.role, "server") == 0)
            print_server(cli, &report);
        else
            print_device(cli, &report);
        print_rare(cli, &report);
    }
    return options_has(&cli->options, OPTION_CHECK) && must_look(&report) ? CLI_LOOK : CLI_DONE;
}

static const struct option_spec options[] = {
    {OPTION_CHECK, "check", NULL,
     N_("end with 1 when a person must look: conflicts, entries without effect or of a newer "
        "version")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_status = {
    .name = "status",
    .group = GROUP_CHECK,
    .arguments = "[--check]",
    .summary = N_("Show what waits here and when the server was last heard"),
    .about = N_(
        "\"Received\" means that a checkpoint signed by the server and held here covers the edit.\n"
        "What is not yet received is safe on this disk and goes out with the next sync or\n"
        "bundle. Needs no passphrase."),
    .examples = "  cairn status\n"
                "  cairn status --check || notify-send \"cairn: please look\"",
    .options = options,
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
