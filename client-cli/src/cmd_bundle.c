/* cairn bundle: carry data in a file, on a stick, where there is no network. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "record_view.h"

struct bundle_out {
    struct cli *cli;
    struct file_writer writer;
    uint64_t byte_count;
};

static bool add_piece(void *context, struct cairn_bytes bytes)
{
    struct bundle_out *out = context;

    out->byte_count += bytes.size;
    output_progress(&out->cli->output, _("Writing %s bytes"), i18n_number(out->byte_count).text);
    return file_writer_add(&out->writer, bytes);
}

static void print_json(struct cli *cli, const char *file, const struct cairn_bundle_report *report)
{
    output_json(
        &cli->output,
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "file", output_json_text(file), "entries",
                  count_json(report->entry_count), "devices", count_json(report->device_count),
                  "checkpoints", count_json(report->checkpoint_count), "bytes",
                  count_json(report->byte_count), "conflicts", count_json(report->conflict_count)));
}

/* "451 entries, 5 devices, 7 checkpoints": a list whose parts are counted each by itself. */
static void counts_text(const struct cairn_bundle_report *report, char *out_text, size_t size)
{
    char entries[64], devices[64], checkpoints[64];

    snprintf(entries, sizeof entries,
             ngettext("%s entry", "%s entries", (unsigned long)report->entry_count),
             i18n_number(report->entry_count).text);
    snprintf(devices, sizeof devices,
             ngettext("%s device", "%s devices", (unsigned long)report->device_count),
             i18n_number(report->device_count).text);
    snprintf(checkpoints, sizeof checkpoints,
             ngettext("%s checkpoint", "%s checkpoints", (unsigned long)report->checkpoint_count),
             i18n_number(report->checkpoint_count).text);
    snprintf(out_text, size, _("%s, %s, %s"), entries, devices, checkpoints);
}

static enum cli_exit write_bundle(struct cli *cli, const char *file)
{
    struct bundle_out out = {.cli = cli};
    struct cairn_bundle_report report;
    char counts[256];

    enum cairn_status status = files_check_target(file, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code == CLI_DONE)
        exit_code = cli_check_joined(cli);
    if (exit_code != CLI_DONE)
        return exit_code;
    status = file_writer_open(&out.writer, file, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    status = cairn_bundle_write(cli->replica, options_has(&cli->options, OPTION_FULL), add_piece,
                                &out, &report, &cli->err);
    if (status == CAIRN_OK || out.writer.error != 0)
        status = file_writer_commit(&out.writer, &cli->err);
    else
        file_writer_abort(&out.writer);
    if (status != CAIRN_OK)
        return cli_report_write(cli, status);

    counts_text(&report, counts, sizeof counts);
    if (cli->output.is_json)
        print_json(cli, file, &report);
    else
        output_line(&cli->output, _("Written %s: %s bytes"), counts,
                    i18n_number(report.byte_count).text);
    return CLI_DONE;
}

static enum cli_exit read_bundle(struct cli *cli, const char *file)
{
    struct cairn_bundle_report report;
    char *text = NULL;
    size_t size = 0;
    char counts[256];

    enum cairn_status status = files_read(file, FILES_BUNDLE_MAX, &text, &size, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code == CLI_DONE)
        exit_code = cli_check_joined(cli);
    if (exit_code == CLI_DONE) {
        output_progress(&cli->output, _("Reading %s bytes"), i18n_number(size).text);
        status = cairn_bundle_read(cli->replica, (struct cairn_bytes){(const uint8_t *)text, size},
                                   &report, &cli->err);
        if (status != CAIRN_OK)
            exit_code = cli_report_file(cli, status);
    }
    free(text);
    if (exit_code != CLI_DONE)
        return exit_code;

    counts_text(&report, counts, sizeof counts);
    if (cli->output.is_json) {
        print_json(cli, file, &report);
        return CLI_DONE;
    }
    output_line(&cli->output, _("Read %s: %s bytes"), counts, i18n_number(report.byte_count).text);
    if (report.conflict_count > 0)
        output_line(&cli->output,
                    ngettext("%s conflict came in: cairn conflicts",
                             "%s conflicts came in: cairn conflicts",
                             (unsigned long)report.conflict_count),
                    i18n_number(report.conflict_count).text);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    const char *what = cli->options.arguments[0];
    const char *file = cli->options.arguments[1];

    if (strcmp(what, "write") == 0)
        return write_bundle(cli, file);
    if (strcmp(what, "read") != 0)
        return CLI_FAIL(
            cli, CAIRN_BAD_INPUT,
            N_("\"%s\" is neither write nor read: cairn bundle write FILE, cairn bundle read FILE"),
            what);
    if (options_has(&cli->options, OPTION_FULL))
        return CLI_FAIL(cli, CAIRN_BAD_INPUT, N_("--full goes with cairn bundle write only"));
    return read_bundle(cli, file);
}

static const struct option_spec options[] = {
    {OPTION_FULL, "full", NULL,
     N_("for an auditor: everything, not sealed, personal values left out")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_bundle = {
    .name = "bundle",
    .group = GROUP_EXCHANGE,
    .arguments = "write FILE [--full] | read FILE",
    .summary = N_("Carry data in a file where there is no network"),
    .about = N_(
        "`write` puts what is held here into FILE, sealed so that only devices which may read\n"
        "these places can open it; the file appears under its name when all of it is on disk.\n"
        "`read` takes such a file in; twice, or out of order, is harmless.\n\n"
        "A bundle that arrived is not yet received: that word waits for the server's checkpoint,\n"
        "which a later bundle or sync brings back.\n\n"
        "With --full it is for an auditor: not sealed, and with proofs in the place of personal\n"
        "values."),
    .examples = "  cairn bundle write /media/usb/shama.cairn\n"
                "  cairn bundle read /media/usb/shama.cairn\n"
                "  cairn bundle write /media/usb/shiqu-2026-11.cairn --full",
    .options = options,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
