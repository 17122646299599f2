/* cairn audit: verify from the root key alone that nothing was altered, cut or forked. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "record_view.h"

struct file_text {
    char *text;
    size_t size;
};

struct audit {
    struct cli *cli;
    struct file_text root;   /* --root */
    struct file_text *files; /* the bundles */
    size_t file_count;
    struct file_text kept[OPTIONS_REPEATED_MAX]; /* --checkpoint */
    struct cairn_bytes kept_bytes[OPTIONS_REPEATED_MAX];
    struct cairn_audit_earlier earlier;
    struct cairn_audit_report report;
    struct cairn_bytes checkpoints;
    /* What the visitor told, for the summary that follows it. */
    struct table settled;
    char *tags;       /* of all devices, a blank between */
    char last_tag[8]; /* the device that was heard of longest ago */
    uint64_t last_heard_s;
};

static void release(struct audit *audit)
{
    for (size_t i = 0; i < audit->file_count; i++)
        free(audit->files[i].text);
    free(audit->files);
    for (size_t i = 0; i < audit->earlier.count; i++)
        free(audit->kept[i].text);
    free(audit->root.text);
    free(audit->tags);
    table_release(&audit->settled);
    cairn_bytes_free(audit->checkpoints);
}

/* ---- what the audit tells on its way ---- */

/* Either whole sentences or the code of a place. */
static void print_affects(struct cli *cli, const char *affects)
{
    if (affects == NULL || affects[0] == '\0')
        return;
    if (affects[strspn(affects, "0123456789")] == '\0')
        output_line(&cli->output, _("  affects %s"), CLI_SCOPE(cli, affects));
    else
        output_line(&cli->output, "  %s", affects);
}

static void on_finding(void *context, uint64_t number, const char *text, const char *affects)
{
    struct output *output = &((struct audit *)context)->cli->output;

    if (output->is_json) {
        output_json(output,
                    json_pack("{s:o, s:o, s:o}", "finding", count_json(number), "text",
                              output_json_text(text), "affects", output_json_text(affects)));
        return;
    }
    output_line(output, _("FINDING %s  %s"), i18n_number(number).text, text);
    print_affects(((struct audit *)context)->cli, affects);
}

static void on_settled(void *context, const struct cairn_audit_settled *settled)
{
    struct audit *audit = context;
    char *text = NULL;

    if (audit->cli->output.is_json) {
        output_json(&audit->cli->output, json_pack("{s:{s:o, s:o, s:o, s:o}}", "settled", "id",
                                                   output_json_text(settled->id), "field",
                                                   output_json_text(settled->field), "tag",
                                                   output_json_text(settled->tag), "reason",
                                                   output_json_text(settled->reason)));
        return;
    }
    if (asprintf(&text, _("%s %s, by %s, \"%s\""), settled->id, settled->field, settled->tag,
                 settled->reason == NULL ? "" : settled->reason) < 0)
        text = NULL;
    table_add(&audit->settled, (const char *const[]){NULL, _("settled"), text}, 3);
    free(text);
}

static void on_device(void *context, const char *tag, uint64_t last_heard_s)
{
    struct audit *audit = context;
    char *longer = NULL;

    if (asprintf(&longer, "%s%s%s", audit->tags == NULL ? "" : audit->tags,
                 audit->tags == NULL ? "" : " ", tag) >= 0) {
        free(audit->tags);
        audit->tags = longer;
    }
    if (last_heard_s == 0 || (audit->last_heard_s != 0 && last_heard_s >= audit->last_heard_s))
        return;
    audit->last_heard_s = last_heard_s;
    snprintf(audit->last_tag, sizeof audit->last_tag, "%s", tag);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    struct audit *audit = context;

    output_progress(&audit->cli->output, _("Checked %s of %s"), i18n_number(done).text,
                    i18n_number(total).text);
}

/* ---- the summary ---- */

__attribute__((format(printf, 3, 4))) static void add_line(struct table *table, const char *title,
                                                           const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    table_add(table, (const char *const[]){title, text}, 2);
}

static void add_root(struct table *table, const struct audit *audit)
{
    const char *file = options_value(&audit->cli->options, OPTION_ROOT);

    if (file != NULL)
        add_line(table, _("root"), _("%s   matches %s"), audit->report.root_fingerprint, file);
    else
        add_line(table, _("root"), _("%s   as this store has it; --root FILE compares"),
                 audit->report.root_fingerprint);
}

/* Only a state that was built again and found equal is called so: where a scope was not handed over
 * whole, its digest cannot be built. What is counted are checkpoints: a large scope has several. */
static void add_checkpoints(struct table *table, const struct cairn_audit_report *report)
{
    char cover[160], state[192] = "";
    size_t digest_size = strlen(report->digest);
    const char *tail = report->digest + (digest_size < 2 ? digest_size : digest_size - 2);

    if (report->checkpoint_count == 0) {
        add_line(table, _("checkpoints"), "%s",
                 report->finding_count > 0 ? _("none that could be checked")
                                           : _("none: no server has confirmed these entries"));
        return;
    }
    snprintf(cover, sizeof cover, _("%s by %s   cover %s of %s entries"),
             i18n_number(report->checkpoint_count).text,
             report->server_tag[0] == '\0' ? "?" : report->server_tag,
             i18n_number(report->covered_count).text, i18n_number(report->entry_count).text);
    if (report->finding_count == 0 && report->compared_count >= report->checkpoint_count)
        snprintf(state, sizeof state, _("; state rebuilt and equal (digest %.4s…%s)"),
                 report->digest, tail);
    else if (report->finding_count == 0 && report->compared_count > 0)
        snprintf(state, sizeof state, _("; state equal at %s of them"),
                 i18n_number(report->compared_count).text);
    add_line(table, _("checkpoints"), "%s%s", cover, state);
}

static void add_earlier(struct table *table, const struct audit *audit)
{
    uint64_t count = audit->report.earlier_count;

    if (audit->earlier.count > 0)
        add_line(table, _("earlier"),
                 ngettext("%s checkpoint that was kept is part of this history",
                          "%s checkpoints that were kept are part of this history",
                          (unsigned long)count),
                 i18n_number(count).text);
}

/* With a finding nothing is said of the whole: the findings say what is wrong. */
static void add_counts(struct table *table, const struct audit *audit)
{
    const struct cairn_audit_report *report = &audit->report;
    bool is_clean = report->finding_count == 0;

    add_line(table, _("devices"),
             ngettext("%s: %s   %s grant leads to the root", "%s: %s   %s grants lead to the root",
                      (unsigned long)report->grant_count),
             i18n_number(report->device_count).text, audit->tags == NULL ? "-" : audit->tags,
             i18n_number(report->grant_count).text);
    add_line(table, _("logs"),
             is_clean
                 ? ngettext("%s, %s entry   every entry sealed, no gap, no fork",
                            "%s, %s entries   every entry sealed, no gap, no fork",
                            (unsigned long)report->entry_count)
                 : ngettext("%s, %s entry", "%s, %s entries", (unsigned long)report->entry_count),
             i18n_number(report->log_count).text, i18n_number(report->entry_count).text);
    add_checkpoints(table, report);
    add_earlier(table, audit);
    add_line(table, _("open"), _("%s in conflict, %s settled, %s from a newer version, %s forks"),
             i18n_number(report->conflict_count).text, i18n_number(report->settled_count).text,
             i18n_number(report->newer_count).text, i18n_number(report->fork_count).text);
}

/* What could not be checked is said as plainly as what could. */
static void print_not_compared(struct output *output, const struct cairn_audit_report *report)
{
    if (report->compared_count >= report->checkpoint_count)
        return;
    uint64_t count = report->checkpoint_count - report->compared_count;
    output_line(output,
                ngettext("State at %s checkpoint not compared: the server held more or less then.",
                         "State at %s checkpoints not compared: the server held more or less then.",
                         (unsigned long)count),
                i18n_number(count).text);
}

static void print_awaiting(struct output *output, const struct cairn_audit_report *report)
{
    if (report->awaiting_count > 0)
        output_line(output,
                    ngettext("%s entry waits for another that has not arrived yet",
                             "%s entries wait for others that have not arrived yet",
                             (unsigned long)report->awaiting_count),
                    i18n_number(report->awaiting_count).text);
}

static void print_ending(const struct audit *audit, const char *saved)
{
    const struct cairn_audit_report *report = &audit->report;
    struct output *output = &audit->cli->output;

    if (report->finding_count > 0) {
        output_line(output,
                    ngettext("%s finding in %s entries. No checkpoint was saved.",
                             "%s findings in %s entries. No checkpoint was saved.",
                             (unsigned long)report->finding_count),
                    i18n_number(report->finding_count).text, i18n_number(report->entry_count).text);
        output_line(
            output, "%s",
            _("Next: keep what was audited, it is the proof. Ask somebody else of that network "
              "for a full bundle and compare; show what stays to the office above."));
    } else {
        output_line(output, _("Nothing wrong found in %s entries."),
                    i18n_number(report->entry_count).text);
    }
    print_not_compared(output, report);
    print_awaiting(output, report);
    if (audit->last_heard_s != 0)
        output_line(output, _("Not covered: what no station has sent yet (%s last heard %s)."),
                    audit->last_tag, text_day(audit->last_heard_s).text);
    if (saved != NULL)
        output_line(output, _("Saved %s"), saved);
}

static void print_text(const struct audit *audit, const char *saved)
{
    struct table table;

    table_init(&table);
    add_root(&table, audit);
    add_counts(&table, audit);
    for (size_t i = 0; i < audit->settled.row_count; i++) {
        char **row = audit->settled.rows[i];
        add_line(&table, row[1], "%s", row[2]);
    }
    output_table(&audit->cli->output, &table, true);
    table_release(&table);
    print_ending(audit, saved);
}

static void print_json(const struct audit *audit, const char *saved)
{
    const struct cairn_audit_report *report = &audit->report;
    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o}", "root", output_json_text(report->root_fingerprint),
        "server", output_json_text(report->server_tag), "digest", output_json_text(report->digest),
        "saved", output_json_text(saved), "last_heard", time_json(audit->last_heard_s),
        "last_heard_tag", output_json_text(audit->last_heard_s == 0 ? NULL : audit->last_tag));
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"devices", report->device_count},
        {"grants", report->grant_count},
        {"logs", report->log_count},
        {"entries", report->entry_count},
        {"checkpoints", report->checkpoint_count},
        {"covered", report->covered_count},
        {"compared", report->compared_count},
        {"earlier", report->earlier_count},
        {"conflicts", report->conflict_count},
        {"settled", report->settled_count},
        {"newer", report->newer_count},
        {"awaiting", report->awaiting_count},
        {"forks", report->fork_count},
        {"findings", report->finding_count},
    };

    for (size_t i = 0; object != NULL && i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(object, counts[i].name, count_json(counts[i].count));
    output_json(&audit->cli->output, object);
}

/* ---- running it ---- */

static enum cairn_status read_file(struct audit *audit, const char *path, size_t limit_bytes,
                                   struct file_text *out_file)
{
    return files_read(path, limit_bytes, &out_file->text, &out_file->size, &audit->cli->err);
}

static struct cairn_bytes bytes_of(const struct file_text *file)
{
    return (struct cairn_bytes){(const uint8_t *)file->text, file->size};
}

static struct cairn_audit_visitor visitor_for(struct audit *audit)
{
    return (struct cairn_audit_visitor){
        .finding = on_finding,
        .settled = on_settled,
        .device = on_device,
        .progress = on_progress,
        .context = audit,
    };
}

/* What earlier audits saved. */
static enum cairn_status read_kept(struct audit *audit)
{
    const struct options *given = &audit->cli->options;

    audit->earlier.files = audit->kept_bytes;
    audit->earlier.names = given->repeated;
    for (size_t i = 0; i < given->repeated_count; i++) {
        enum cairn_status status =
            read_file(audit, given->repeated[i], FILES_NOTES_MAX, &audit->kept[i]);
        if (status != CAIRN_OK)
            return status;
        audit->kept_bytes[i] = bytes_of(&audit->kept[i]);
        audit->earlier.count++;
    }
    return CAIRN_OK;
}

static enum cli_exit audit_bundles(struct audit *audit)
{
    struct cli *cli = audit->cli;
    const struct cairn_audit_visitor visitor = visitor_for(audit);
    size_t count = cli->options.argument_count;
    struct cairn_bytes files[OPTIONS_ARGUMENTS_MAX];

    audit->files = calloc(count, sizeof *audit->files);
    if (audit->files == NULL)
        return CLI_FAIL(cli, CAIRN_NO_MEMORY, N_("out of memory"));
    for (; audit->file_count < count; audit->file_count++) {
        struct file_text *file = &audit->files[audit->file_count];
        enum cairn_status status =
            read_file(audit, cli->options.arguments[audit->file_count], FILES_BUNDLE_MAX, file);
        if (status != CAIRN_OK)
            return cli_report(cli, status);
        files[audit->file_count] = bytes_of(file);
    }
    const struct cairn_audit_given given = {.root_statement = bytes_of(&audit->root),
                                            .files = files,
                                            .file_names = cli->options.arguments,
                                            .file_count = count,
                                            .earlier = audit->earlier};
    enum cairn_status status =
        cairn_audit_files(&given, &visitor, &audit->report, &audit->checkpoints, &cli->err);
    return status == CAIRN_OK ? CLI_DONE : cli_report_file(cli, status);
}

/* The root key that somebody else gave must be the one that this store rests on. */
static enum cairn_status compare_root(struct audit *audit)
{
    struct cli *cli = audit->cli;
    uint8_t bytes[CLI_EXPORT_BYTES];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = cairn_root_export(cli->replica, &writer, &cli->err);
    if (status != CAIRN_OK ||
        cairn_bytes_equal(cairn_writer_bytes(&writer), bytes_of(&audit->root)))
        return status;
    return cairn_fail(
        &cli->err, CAIRN_BAD_INPUT,
        N_("%s is not the root key that the store in %s rests on. Nothing was checked."),
        options_value(&cli->options, OPTION_ROOT), cli->store);
}

static enum cli_exit audit_store(struct audit *audit)
{
    struct cli *cli = audit->cli;
    const struct cairn_audit_visitor visitor = visitor_for(audit);
    enum cairn_status status = CAIRN_OK;

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    if (options_has(&cli->options, OPTION_ROOT))
        status = compare_root(audit);
    if (status == CAIRN_OK)
        status = cairn_audit_replica(cli->replica, &audit->earlier, &visitor, &audit->report,
                                     &audit->checkpoints, &cli->err);
    if (status == CAIRN_OK)
        return CLI_DONE;
    return audit->earlier.count > 0 ? cli_report_file(cli, status) : cli_report(cli, status);
}

static enum cli_exit finish(struct audit *audit)
{
    struct cli *cli = audit->cli;
    const char *saved = options_value(&cli->options, OPTION_SAVE_CHECKPOINT);
    bool has_findings = audit->report.finding_count > 0;

    if (has_findings)
        saved = NULL;
    if (saved != NULL) {
        enum cairn_status status = files_write(saved, audit->checkpoints, &cli->err);
        if (status != CAIRN_OK)
            return cli_report(cli, status);
    }
    if (cli->output.is_json)
        print_json(audit, saved);
    else
        print_text(audit, saved);
    return has_findings ? CLI_LOOK : CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct audit audit = {.cli = cli};
    const char *root = options_value(&cli->options, OPTION_ROOT);
    const char *saved = options_value(&cli->options, OPTION_SAVE_CHECKPOINT);
    bool has_bundles = cli->options.argument_count > 0;

    if (has_bundles && root == NULL)
        return CLI_FAIL(
            cli, CAIRN_BAD_INPUT,
            N_("no root key: give --root FILE, from somebody other than whoever gave you the "
               "bundle"));
    table_init(&audit.settled);
    enum cairn_status status = saved == NULL ? CAIRN_OK : files_check_target(saved, &cli->err);
    if (status == CAIRN_OK && root != NULL)
        status = read_file(&audit, root, FILES_SMALL_MAX, &audit.root);
    if (status == CAIRN_OK)
        status = read_kept(&audit);
    enum cli_exit exit_code = status == CAIRN_OK ? CLI_DONE : cli_report(cli, status);
    if (exit_code == CLI_DONE)
        exit_code = has_bundles ? audit_bundles(&audit) : audit_store(&audit);
    if (exit_code == CLI_DONE)
        exit_code = finish(&audit);
    release(&audit);
    return exit_code;
}

static const struct option_spec options[] = {
    {OPTION_ROOT, "root", "FILE",
     N_("root.pub, from somebody other than whoever gave you the data")},
    {OPTION_CHECKPOINT, "checkpoint", "FILE...",
     N_("what an earlier audit saved: the history must go on from it; may be given again")},
    {OPTION_SAVE_CHECKPOINT, "save-checkpoint", "FILE",
     N_("write the signed heads that were seen into FILE, for --checkpoint later")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_audit = {
    .name = "audit",
    .group = GROUP_CHECK,
    .arguments = "[--root FILE] [--checkpoint FILE...] [--save-checkpoint FILE] [BUNDLE...]",
    .summary = N_("Verify that nothing was altered, cut or forked"),
    .about =
        N_("Checks bundles written with --full, or without BUNDLE this store, from the root key\n"
           "alone: every device's grant, every seal, every gap and fork, every checkpoint, and\n"
           "builds the state again to compare it. Each finding says what it affects.\n"
           "Ends with 1 when there is a finding, and says what to do.\n\n"
           "Bundles need --root, and the key must reach you by another road than the data.\n\n"
           "Keep what --save-checkpoint wrote and give it to the next audit with --checkpoint: a\n"
           "server that since then cut its history, or signed another one, is found by it alone.\n"
           "Each --checkpoint takes one FILE, which may hold many checkpoints."),
    .examples = "  cairn audit --root sichuan-root.pub shiqu-2026-11.cairn \\\n"
                "      --save-checkpoint shiqu-11.ckpt\n"
                "  cairn audit --root sichuan-root.pub shiqu-2026-12.cairn \\\n"
                "      --checkpoint shiqu-11.ckpt --save-checkpoint shiqu-12.ckpt\n"
                "  cairn audit",
    .options = options,
    .arguments_min = 0,
    .arguments_max = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
