/* cairn sync: exchange with the server until nothing more waits on either side. */

#include <time.h>

#include "commands.h"
#include "record_view.h"
#include "transport.h"

/* A satellite link may be slow for ever; it is only given up when no byte moves for this long. */
#define IDLE_TIMEOUT_S 30
#define SILENT_TIMEOUT_S 10 /* for a server that was silent already */

struct sync_run {
    struct cli *cli;
    char address[160];
    char server[16];
    struct timespec started;
    bool is_silent; /* the last exchange ended without an answer */
};

static double seconds_since(struct timespec started)
{
    struct timespec now;

    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (double)(now.tv_sec - started.tv_sec) + (double)(now.tv_nsec - started.tv_nsec) / 1e9;
}

static bool show_progress(void *context, unsigned idle_s, uint64_t moved_bytes)
{
    struct sync_run *run = context;

    if (idle_s < 2)
        output_progress(&run->cli->output, _("%s %s   %s bytes moved"), run->server, run->address,
                        i18n_number(moved_bytes).text);
    else
        output_progress(&run->cli->output, _("%s %s   %s bytes moved, silent for %u s"),
                        run->server, run->address, i18n_number(moved_bytes).text, idle_s);
    return true;
}

/* ---- what is said at the end ---- */

static void print_json(struct sync_run *run, const struct cairn_sync_report *report)
{
    json_t *object = json_pack("{s:o, s:o, s:o, s:o}", "server", output_json_text(run->server),
                               "address", output_json_text(run->address), "scope",
                               output_json_text(report->scope[0] == '\0' ? NULL : report->scope),
                               "channel", output_json_text(report->channel));
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {
        {"sent", report->sent_count},
        {"got", report->got_count},
        {"received", report->received_count},
        {"waiting", report->waiting_count},
        {"checkpoints", report->checkpoint_count},
        {"conflicts", report->conflict_count},
        {"refused", report->refused_count},
        {"round_trips", report->round_trips},
        {"up_bytes", report->up_bytes},
        {"down_bytes", report->down_bytes},
        {"scope_size", report->scope_size},
    };

    for (size_t i = 0; object != NULL && i < sizeof counts / sizeof counts[0]; i++)
        json_object_set_new(object, counts[i].name, count_json(counts[i].count));
    output_json(&run->cli->output, object);
}

static void receipt_text(const struct sync_run *run, const struct cairn_sync_report *report,
                         char *out_text, size_t size)
{
    uint64_t all = report->received_count + report->waiting_count;

    if (all == 0)
        snprintf(out_text, size, _("nothing waited to be received by %s"), run->server);
    else
        snprintf(out_text, size, _("received by %s: %s of %s"), run->server,
                 i18n_number(report->received_count).text, i18n_number(all).text);
}

static void checkpoint_text(const struct cairn_sync_report *report, char *out_text, size_t size)
{
    if (report->checkpoint_count == 1)
        snprintf(out_text, size, _("checkpoint %s/%s size %s"), report->scope,
                 report->channel == NULL ? "" : cli_channel(report->channel),
                 i18n_number(report->scope_size).text);
    else
        snprintf(
            out_text, size,
            ngettext("%s checkpoint", "%s checkpoints", (unsigned long)report->checkpoint_count),
            i18n_number(report->checkpoint_count).text);
}

/* One line of four parts, each a phrase of its own. */
static void print_summary(struct sync_run *run, const struct cairn_sync_report *report)
{
    char moved[160], receipt[160], checkpoints[160], cost[200];

    snprintf(moved, sizeof moved,
             ngettext("%s  sent %s entry, got %s", "%s  sent %s entries, got %s",
                      (unsigned long)report->sent_count),
             run->server, i18n_number(report->sent_count).text,
             i18n_number(report->got_count).text);
    receipt_text(run, report, receipt, sizeof receipt);
    checkpoint_text(report, checkpoints, sizeof checkpoints);
    snprintf(cost, sizeof cost,
             ngettext("%s B up, %s B down, %s round trip, %.1f s",
                      "%s B up, %s B down, %s round trips, %.1f s",
                      (unsigned long)report->round_trips),
             i18n_number(report->up_bytes).text, i18n_number(report->down_bytes).text,
             i18n_number(report->round_trips).text, seconds_since(run->started));
    output_line(&run->cli->output, "%s   %s   %s   %s", moved, receipt, checkpoints, cost);
    if (report->conflict_count > 0)
        output_line(&run->cli->output,
                    ngettext("%s conflict came in: cairn conflicts",
                             "%s conflicts came in: cairn conflicts",
                             (unsigned long)report->conflict_count),
                    i18n_number(report->conflict_count).text);
}

/* The word "received" is only said of what a checkpoint covers; the rest is named with its reason.
 */
static enum cli_exit conclude(struct sync_run *run, const struct cairn_sync_report *report)
{
    struct cli *cli = run->cli;

    if (report->waiting_count == 0 && report->refused_count == 0)
        return CLI_DONE;
    if (report->waiting_count == 0) {
        if (!cli->output.is_json)
            output_line(&cli->output,
                        ngettext("%s entry has no effect (%s): cairn refused lists it",
                                 "%s entries have no effect (%s): cairn refused lists them",
                                 (unsigned long)report->refused_count),
                        i18n_number(report->refused_count).text,
                        report->refused_why == NULL ? "" : _(report->refused_why));
        return CLI_LOOK;
    }
    if (report->refused_count > 0)
        return CLI_FAIL(
            cli, CAIRN_REFUSED,
            ngettext("%s edit waits: %s refused entries, see cairn refused. Nothing is lost.",
                     "%s edits wait: %s refused entries, see cairn refused. Nothing is lost.",
                     (unsigned long)report->waiting_count),
            i18n_number(report->waiting_count).text, run->server);
    return CLI_FAIL(
        cli, CAIRN_GAP,
        ngettext("%s edit waits: no checkpoint of %s covers it yet. Nothing is lost. Try again: "
                 "cairn sync",
                 "%s edits wait: no checkpoint of %s covers them yet. Nothing is lost. Try again: "
                 "cairn sync",
                 (unsigned long)report->waiting_count),
        i18n_number(report->waiting_count).text, run->server);
}

static enum cli_exit fail_no_answer(struct sync_run *run)
{
    struct cairn_status_report report;
    uint64_t waiting = 0;

    if (cairn_status_get(run->cli->replica, &report, NULL) == CAIRN_OK)
        waiting = report.unreceived_count;
    if (waiting == 0)
        return CLI_FAIL(
            run->cli, CAIRN_NO_ANSWER,
            N_("no answer from %s %s in %d s without a byte. No edit waits here, nothing is "
               "lost. Try again: cairn sync"),
            run->server, run->address, IDLE_TIMEOUT_S);
    return CLI_FAIL(
        run->cli, CAIRN_NO_ANSWER,
        ngettext("no answer from %s %s in %d s without a byte. %s edit waits, nothing is "
                 "lost. Try again: cairn sync; or carry: cairn bundle write FILE",
                 "no answer from %s %s in %d s without a byte. %s edits wait, nothing is "
                 "lost. Try again: cairn sync; or carry: cairn bundle write FILE",
                 (unsigned long)waiting),
        run->server, run->address, IDLE_TIMEOUT_S, i18n_number(waiting).text);
}

/* ---- the exchange ---- */

static enum cairn_status exchange_once(struct sync_run *run, struct transport *transport,
                                       unsigned idle_timeout_s, bool *out_again)
{
    struct cairn_replica *replica = run->cli->replica;
    struct cairn_err *err = &run->cli->err;
    struct cairn_bytes request, reply;

    enum cairn_status status = cairn_sync_request(replica, &request, err);
    run->is_silent = false;
    if (status == CAIRN_OK) {
        status = transport_exchange(transport, request, idle_timeout_s, &reply, err);
        run->is_silent = status == CAIRN_NO_ANSWER;
    }
    if (status == CAIRN_OK)
        status = cairn_sync_reply(replica, reply, out_again, err);
    return status;
}

static enum cairn_status exchanges(struct sync_run *run, struct transport *transport,
                                   unsigned first_timeout_s)
{
    bool again = true;

    enum cairn_status status = exchange_once(run, transport, first_timeout_s, &again);
    while (status == CAIRN_OK && again)
        status = exchange_once(run, transport, IDLE_TIMEOUT_S, &again);
    return status;
}

static enum cairn_status exchange_all(struct sync_run *run)
{
    struct transport *transport = NULL;

    enum cairn_status status = cairn_sync_begin(run->cli->replica, &run->cli->err);
    if (status == CAIRN_OK)
        status = transport_open(run->address, &transport, &run->cli->err);
    if (status != CAIRN_OK)
        return status;
    transport_set_progress(transport, show_progress, run);
    status = exchanges(run, transport, IDLE_TIMEOUT_S);
    /* A server that takes the request and is silent may have been restored from a copy older than
     * our grant, which the next request shows. */
    if (run->is_silent && transport_is_connected(transport)) {
        output_note(&run->cli->output,
                    _("%s is silent. Asking once more, with the grant of this device"),
                    run->server);
        status = exchanges(run, transport, SILENT_TIMEOUT_S);
    }
    transport_close(transport);
    return status;
}

/* Where to: --server, else what the invitation or a later sync told. */
static enum cli_exit choose_server(struct sync_run *run)
{
    const char *given = options_value(&run->cli->options, OPTION_SERVER);
    struct cairn_status_report report;

    enum cairn_status status = cairn_status_get(run->cli->replica, &report, &run->cli->err);
    if (status != CAIRN_OK)
        return cli_report(run->cli, status);
    if (given == NULL && report.server_address[0] == '\0')
        return CLI_FAIL(
            run->cli, CAIRN_NO_RIGHT,
            N_("no server is known here yet: the office above grants one with --role server. Until "
               "then carry: cairn bundle write FILE"));
    snprintf(run->address, sizeof run->address, "%s",
             given != NULL ? given : report.server_address);
    snprintf(run->server, sizeof run->server, "%s", report.server_tag);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    struct sync_run sync = {.cli = cli};

    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code == CLI_DONE)
        exit_code = cli_check_joined(cli);
    if (exit_code == CLI_DONE)
        exit_code = choose_server(&sync);
    if (exit_code != CLI_DONE)
        return exit_code;

    clock_gettime(CLOCK_MONOTONIC, &sync.started);
    enum cairn_status status = exchange_all(&sync);
    if (sync.is_silent)
        return fail_no_answer(&sync);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    const struct cairn_sync_report *report = cairn_sync_report(cli->replica);
    if (cli->output.is_json)
        print_json(&sync, report);
    else
        print_summary(&sync, report);
    return conclude(&sync, report);
}

static const struct option_spec options[] = {
    {OPTION_SERVER, "server", "ADDRESS",
     N_("reach the server here, tcp://IP:PORT, this time only")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_sync = {
    .name = "sync",
    .group = GROUP_EXCHANGE,
    .arguments = "[--server ADDRESS]",
    .summary = N_("Exchange with the server"),
    .about = N_(
        "Sends what was saved here and takes what others saved. \"Received by S: 3 of 3\" means\n"
        "that a signed checkpoint which is held here now covers all three; while some wait, the\n"
        "command says how many and why and ends with 3. It ends with 1 when all is received and\n"
        "something of it has no effect, which `cairn refused` lists. It may be cut off at any\n"
        "moment and started again; nothing is sent twice in effect. It gives up after 30 seconds\n"
        "without a byte; a server that took the request and is silent is asked once more."),
    .examples = "  cairn sync\n"
                "  cairn sync --server tcp://10.20.0.5:7340",
    .options = options,
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
