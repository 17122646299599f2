/* cairn init: a new device: its key, its store, and the request that somebody above grants. */

#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "files.h"
#include "passphrase.h"

/* How the key is to be sealed. Without --no-passphrase it never lies open. */
static enum cairn_status choose_passphrase(struct cli *cli, struct passphrase *passphrase)
{
    struct passphrase again = {.size = 0};
    const char *file = passphrase_file(options_value(&cli->options, OPTION_PASSPHRASE_FILE));
    bool is_open = options_has(&cli->options, OPTION_NO_PASSPHRASE);

    if (is_open && options_has(&cli->options, OPTION_PASSPHRASE_FILE))
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("--passphrase-file and --no-passphrase exclude each other. Nothing was made."));
    if (is_open)
        return CAIRN_OK;
    if (file != NULL)
        return passphrase_read(passphrase, file, &cli->err);
    if (!output_can_ask())
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("nobody can be asked for a passphrase here: give --passphrase-file FILE, or "
               "--no-passphrase to leave the key unsealed. Nothing was made."));

    enum cairn_status status =
        passphrase_ask(passphrase, _("Passphrase for this device's key:"), &cli->err);
    if (status == CAIRN_OK)
        status = passphrase_ask(&again, _("Again:"), &cli->err);
    if (status == CAIRN_OK && !passphrase_equal(passphrase, &again))
        status = cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                            N_("the two passphrases differ. Nothing was made."));
    passphrase_release(&again);
    return status;
}

/* The request of another device must not be overwritten: its file is all that this one has to hand
 * in. */
static enum cairn_status check_request_name(struct cli *cli, const char *file)
{
    if (access(file, F_OK) != 0)
        return files_check_target(file, &cli->err); /* a link into nothing */
    return cairn_fail(&cli->err, CAIRN_EXISTS,
                      N_("%s is in this folder already: move it away, or work in another folder. "
                         "Nothing was made."),
                      file);
}

static enum cairn_status fail_exists(struct cli *cli)
{
    return cairn_fail(
        &cli->err, CAIRN_EXISTS,
        N_("there is a store in %s already: `cairn status` shows whose; for another one "
           "give --store DIR. Nothing was made."),
        cli->store);
}

/* Is this the store that an init with the same words made, killed before it wrote `file` there, the
 * root's key or the device's request? Then that one is left to be finished. */
static bool is_unfinished(const struct cli *cli, const struct cairn_init *init, const char *file,
                          const struct cairn_status_report *report)
{
    char path[PATHS_MAX];
    bool has_file = !paths_join(cli->store, file, path) || access(path, F_OK) == 0;

    return !has_file && report->is_root == (init->root_scope != NULL) &&
           (report->is_root || !report->is_joined);
}

/* A root key was handed out of here: another would be another network's. */
static enum cairn_status check_no_root(struct cli *cli, const char *file)
{
    char path[PATHS_MAX];

    if (!paths_join(cli->store, file, path) || access(path, F_OK) != 0)
        return CAIRN_OK;
    return cairn_fail(
        &cli->err, CAIRN_EXISTS,
        N_("%s holds the key of a root authority, and no records. Nothing was made; restore "
           "data.mdb from a backup, or choose another folder with --store."),
        cli->store);
}

/* Told before a passphrase is asked for; what else stands in the way cairn_replica_init tells. A
 * key with no store beside it is what an init left that was killed: that may be done again. */
static enum cairn_status check_no_store(struct cli *cli, const struct cairn_init *init,
                                        const char *file, bool *out_is_unfinished)
{
    const struct cairn_replica_config config = {.path = cli->store};
    struct cairn_replica *replica = NULL;
    struct cairn_status_report report;
    bool is_sealed;

    if (cairn_key_is_sealed(cli->store, &is_sealed, NULL) != CAIRN_OK)
        return CAIRN_OK;
    enum cairn_status status = cairn_replica_open(&config, &replica, NULL);
    if (status == CAIRN_NOT_FOUND)
        return init->root_scope == NULL ? CAIRN_OK : check_no_root(cli, file);
    if (status == CAIRN_OK) {
        status = cairn_status_get(replica, &report, NULL);
        cairn_replica_close(replica);
    }
    *out_is_unfinished = status == CAIRN_OK && is_unfinished(cli, init, file, &report);
    return *out_is_unfinished ? CAIRN_OK : fail_exists(cli);
}

static enum cairn_status export_file(struct cli *cli, const char *path, bool is_root)
{
    uint8_t bytes[CLI_EXPORT_BYTES];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    enum cairn_status status = is_root ? cairn_root_export(cli->replica, &writer, &cli->err)
                                       : cairn_request_export(cli->replica, &writer, &cli->err);
    if (status != CAIRN_OK)
        return status;
    return files_write(path, cairn_writer_bytes(&writer), &cli->err);
}

static void say_key_is_open(struct cli *cli)
{
    if (options_has(&cli->options, OPTION_NO_PASSPHRASE))
        output_note(&cli->output,
                    _("The key lies unsealed in %s/key, mode 0600: whoever reads that file is this "
                      "device."),
                    cli->store);
}

static void print_json(struct cli *cli, const struct cairn_status_report *report, const char *file)
{
    output_json(&cli->output,
                json_pack("{s:o, s:o, s:o, s:b, s:o}", "store", output_json_text(cli->store),
                          "name", output_json_text(report->self.name), "fingerprint",
                          output_json_text(report->is_root ? report->root_fingerprint
                                                           : report->self.fingerprint),
                          "root", report->is_root, "file", output_json_text(file)));
}

static enum cli_exit finish_root(struct cli *cli, const struct cairn_status_report *report)
{
    char path[PATHS_MAX];

    if (!paths_join(cli->store, "root.pub", path))
        return CLI_FAIL(cli, CAIRN_IO, N_("the path of root.pub in %s is too long"), cli->store);
    enum cairn_status status = export_file(cli, path, true);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (cli->output.is_json) {
        print_json(cli, report, path);
        return CLI_DONE;
    }
    output_line(&cli->output, _("Root authority for %s is in %s"), report->self.scope, cli->store);
    output_line(&cli->output, _("  fingerprint  %s      root key for auditors  %s"),
                report->root_fingerprint, path);
    output_line(
        &cli->output, "%s",
        _("Keep this machine off the network. Do not copy the folder: two live copies of one "
          "key are a fork."));
    output_line(&cli->output, "%s",
                _("Next: cairn grant REQUEST --role county --scope CODE --tag TAG --out FILE"));
    return CLI_DONE;
}

/* The request goes into the store as well: the copy here may be lost, and the device exists by now.
 */
static enum cli_exit finish_device(struct cli *cli, const struct cairn_status_report *report,
                                   const char *file)
{
    char kept[PATHS_MAX];

    if (!paths_join(cli->store, file, kept))
        return CLI_FAIL(cli, CAIRN_IO, N_("the path of %s in %s is too long"), file, cli->store);
    enum cairn_status status = export_file(cli, kept, false);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (export_file(cli, file, false) != CAIRN_OK) {
        output_note(&cli->output, "cairn: %s", cli->err.text);
        file = kept;
    }
    if (cli->output.is_json) {
        print_json(cli, report, file);
        return CLI_DONE;
    }
    output_line(&cli->output,
                _("Request written: %s       fingerprint %s  (read it to whoever grants)"), file,
                report->self.fingerprint);
    return CLI_DONE;
}

static enum cairn_status make(struct cli *cli, const struct cairn_init *init)
{
    struct passphrase passphrase = {.size = 0};
    struct cairn_replica_config config = {.path = cli->store, .is_writer = true};
    bool made = false;

    enum cairn_status status = choose_passphrase(cli, &passphrase);
    if (status == CAIRN_OK)
        status = paths_make_store_folder(cli->store, &made, &cli->err);
    if (status == CAIRN_OK) {
        config.passphrase = passphrase_bytes(&passphrase);
        status = cairn_replica_init(&config, init, &cli->replica, &cli->err);
        if (status != CAIRN_OK && made)
            rmdir(cli->store);
    }
    passphrase_release(&passphrase);
    return status;
}

static enum cli_exit finish(struct cli *cli, const struct cairn_status_report *report,
                            const char *file)
{
    say_key_is_open(cli);
    return report->is_root ? finish_root(cli, report) : finish_device(cli, report, file);
}

/* The store stands; only what is handed out of it is missing. */
static enum cli_exit finish_earlier(struct cli *cli, const struct cairn_init *init,
                                    const char *file)
{
    struct cairn_status_report report;

    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = cairn_status_get(cli->replica, &report, &cli->err);
    if (status == CAIRN_OK && strcmp(report.self.name, init->name) != 0)
        status = fail_exists(cli);
    return status == CAIRN_OK ? finish(cli, &report, file) : cli_report(cli, status);
}

static enum cli_exit run(struct cli *cli)
{
    const struct cairn_init init = {
        .name = cli->options.arguments[0],
        .root_scope = options_value(&cli->options, OPTION_ROOT),
        .root_tag = options_value(&cli->options, OPTION_TAG),
    };
    struct cairn_status_report report;
    char file[TEXT_SLUG_BYTES + 16];
    bool unfinished = false;

    if ((init.root_scope == NULL) != (init.root_tag == NULL))
        return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                        N_("--root SCOPE and --tag TAG belong together. Nothing was made."));
    cli_request_name(init.name, file);
    enum cairn_status status =
        paths_store(options_value(&cli->options, OPTION_STORE), cli->store, &cli->err);
    if (status == CAIRN_OK)
        status =
            check_no_store(cli, &init, init.root_scope == NULL ? file : "root.pub", &unfinished);
    if (status == CAIRN_OK && init.root_scope == NULL)
        status = check_request_name(cli, file);
    if (status == CAIRN_OK && unfinished)
        return finish_earlier(cli, &init, file);
    if (status == CAIRN_OK)
        status = make(cli, &init);
    if (status == CAIRN_OK)
        status = cairn_status_get(cli->replica, &report, &cli->err);
    return status == CAIRN_OK ? finish(cli, &report, file) : cli_report(cli, status);
}

static const struct option_spec options[] = {
    {OPTION_ROOT, "root", "SCOPE",
     N_("make the root authority for this code, not an ordinary device")},
    {OPTION_TAG, "tag", "TAG",
     N_("with --root: 1 to 4 letters or digits that stand for this device")},
    {OPTION_NO_PASSPHRASE, "no-passphrase", NULL,
     N_("leave the key unsealed in a file of mode 0600")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_init = {
    .name = "init",
    .group = GROUP_SETUP,
    .arguments = "[--root SCOPE --tag TAG] [--passphrase-file FILE | --no-passphrase] NAME",
    .summary = N_("Make a key and an empty store for this device"),
    .about =
        N_("Makes the store's folder with mode 0700 and in it a key, sealed with a passphrase.\n"
           "Writes the request, NAME.request with NAME in lower case and '-' between words,\n"
           "into the current folder, and keeps a copy in the store. Hand the file to the\n"
           "office above and read the fingerprint to them; they answer with an invitation,\n"
           "which `cairn join` takes.\n\n"
           "An init that was interrupted is finished by the same command.\n\n"
           "With --root the device is the root of a network of its own. Auditors need its\n"
           "root.pub, from you and by another road than the data.\n\n"
           "Whoever copies the folder and goes on with both makes a fork. To move to another\n"
           "machine, make a new device and have it granted."),
    .examples = "  cairn init \"Shama village 1\"\n"
                "  cairn --store /var/lib/cairn init \\\n"
                "      --passphrase-file /etc/cairn/passphrase \"Shiqu server\"\n"
                "  cairn init --root 51 --tag R \"Sichuan root authority\"",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
