/* cairn step: a household's status moves on, one office after the other. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "record_view.h"
#include "schema_view.h"

/* More steps than this at once no screen shows. */
#define KEEP_DIGITS_MAX 4

static const char *label(const struct cairn_label *label, const char *name)
{
    return field_label(name, label->zh, label->en);
}

static const char *state_name(const struct cairn_version *version)
{
    return field_label(version->value, version->label_zh, version->label_en);
}

/* ---- what can come next ---- */

static json_t *next_json(const struct cairn_workflow *workflow)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < workflow->next_count; i++) {
        const struct cairn_next_step *next = &workflow->next[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:i, s:s, s:b}", "move", next->move,
                                              "to", next->to, "step", (int)next->number, "steps",
                                              (int)next->step_count, "role", next->role, "own",
                                              next->is_own));
    }
    return list;
}

static json_t *workflow_json(const struct cairn_workflow *workflow)
{
    json_t *versions = json_array();

    for (size_t i = 0; versions != NULL && i < workflow->version_count; i++)
        json_array_append_new(versions, version_json(&workflow->versions[i]));
    return json_pack("{s:s, s:o, s:o}", "id", workflow->id, "versions", versions, "next",
                     next_json(workflow));
}

static void print_versions(struct cli *cli, const struct cairn_workflow *workflow)
{
    for (size_t i = 0; i < workflow->version_count; i++) {
        const struct cairn_version *version = &workflow->versions[i];
        char *under_way =
            version->under_way.move == NULL ? strdup("") : under_way_text(&version->under_way);
        if (workflow->version_count == 1)
            output_line(&cli->output, "%s   %s%s%s", workflow->id, state_name(version),
                        under_way == NULL || under_way[0] == '\0' ? "" : "   ",
                        under_way == NULL ? "" : under_way);
        else
            output_line(&cli->output, "%s   %zu) %s   %s   %s %s", workflow->id, i + 1,
                        state_name(version), under_way == NULL ? "" : under_way, version->tag,
                        text_minute(version->time_s).text);
        free(under_way);
    }
    if (workflow->version_count > 1)
        output_line(&cli->output,
                    _("two offices took a step without seeing each other's; say which one is "
                      "followed: cairn step %s MOVE --keep N --reason TEXT"),
                    workflow->id);
}

static void print_next(struct cli *cli, const struct cairn_workflow *workflow)
{
    struct table table;

    table_init(&table);
    for (size_t i = 0; i < workflow->next_count; i++) {
        const struct cairn_next_step *next = &workflow->next[i];
        char turn[160], command[160], arrow[160];
        snprintf(turn, sizeof turn,
                 next->is_own ? _("step %u of %u: the %s (this device)")
                              : _("step %u of %u: the %s"),
                 next->number, next->step_count, cli_role(next->role));
        snprintf(arrow, sizeof arrow, "→ %s", label(&next->to_label, next->to));
        snprintf(command, sizeof command, "  cairn step %s %s", workflow->id, next->move);
        table_add(&table,
                  (const char *const[]){command,
                                        field_label(next->move, next->label_zh, next->label_en),
                                        arrow, turn},
                  4);
    }
    if (workflow->next_count == 0)
        output_line(&cli->output, "%s", _("no move begins here"));
    output_table(&cli->output, &table, true);
    table_release(&table);
}

/* No move begins from a record that was deleted. */
static enum cairn_status check_not_deleted(struct cli *cli, const char *id)
{
    const struct cairn_record *record;

    enum cairn_status status = cairn_get(cli->replica, id, &record, &cli->err);
    if (status != CAIRN_OK || !record->is_deleted)
        return status;
    return cairn_fail(&cli->err, CAIRN_BAD_INPUT, N_("%s was deleted: no move begins there."),
                      record->id);
}

static enum cli_exit show(struct cli *cli)
{
    struct cairn_workflow workflow;

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = check_not_deleted(cli, cli->options.arguments[0]);
    if (status == CAIRN_OK)
        status = cairn_workflow_get(cli->replica, cli->options.arguments[0], &workflow, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (cli->output.is_json) {
        output_json(&cli->output, workflow_json(&workflow));
        return CLI_DONE;
    }
    print_versions(cli, &workflow);
    print_next(cli, &workflow);
    return CLI_DONE;
}

/* ---- going on ---- */

static void print_step(struct cli *cli, const struct cairn_step *step,
                       const struct cairn_version *standing)
{
    if (cli->output.is_json) {
        output_json(&cli->output,
                    json_pack("{s:s, s:o}", "id", step->id, "standing", version_json(standing)));
    } else if (step->move == NULL) {
        output_line(&cli->output, _("%s: the move was given up; it stays %s"), step->id,
                    state_name(standing));
    } else if (standing->under_way.move == NULL) {
        /* TRANSLATORS: a record and the state that it reached */
        output_line(&cli->output, _("%s is now %s"), step->id, state_name(standing));
    } else {
        char *text = under_way_text(&standing->under_way);
        output_line(&cli->output, "%s %s", step->id, text == NULL ? "" : text);
        free(text);
    }
}

static enum cairn_status read_keep(struct cli *cli, unsigned *out_keep)
{
    const char *keep = options_value(&cli->options, OPTION_KEEP);

    *out_keep = 0;
    if (keep == NULL)
        return CAIRN_OK;
    size_t size = strspn(keep, "0123456789");
    if (size == 0 || size > KEEP_DIGITS_MAX || keep[size] != '\0' || strtoul(keep, NULL, 10) == 0)
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                          N_("--keep wants the number of a step, 1 or more, as cairn step %s lists "
                             "them, not \"%s\". Nothing was changed."),
                          cli->options.arguments[0], keep);
    *out_keep = (unsigned)strtoul(keep, NULL, 10);
    return CAIRN_OK;
}

static enum cairn_status read_step(struct cli *cli, struct cairn_step *step)
{
    bool gives_up = options_has(&cli->options, OPTION_GIVE_UP);
    bool has_move = cli->options.argument_count == 2;

    *step = (struct cairn_step){.id = cli->options.arguments[0],
                                .move = has_move ? cli->options.arguments[1] : NULL,
                                .reason = options_value(&cli->options, OPTION_REASON)};
    if (!gives_up && !has_move)
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                          N_("--keep and --reason go with a move or --give-up: cairn step %s lists "
                             "the moves. Nothing was changed."),
                          step->id);
    if (gives_up && has_move)
        return cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                          N_("give either a move or --give-up. Nothing was changed."));
    if (gives_up && (step->reason == NULL || step->reason[0] == '\0'))
        return cairn_fail(
            &cli->err, CAIRN_BAD_INPUT,
            N_("say why it is given up with --reason TEXT: auditors see it. Nothing was "
               "changed."));
    return read_keep(cli, &step->keep);
}

/* A move that the type has and that does not begin where the record stands. */
static bool is_move_elsewhere(struct cli *cli, const char *type_name, const char *move)
{
    const struct cairn_type_info *type;
    struct cairn_err err = cli->err; /* what the step was refused with stays */
    bool is_move = false;

    if (schema_type_find(cli, type_name, &type) == CAIRN_OK)
        for (size_t i = 0; i < type->move_count && !is_move; i++)
            is_move = strcmp(type->moves[i].name, move) == 0 && !type->moves[i].is_retired;
    cli->err = err;
    return is_move;
}

static bool begins_here(const struct cairn_workflow *workflow, const char *move)
{
    for (size_t i = 0; i < workflow->next_count; i++)
        if (strcmp(workflow->next[i].move, move) == 0)
            return true;
    return false;
}

/* The same sentence as core's, with the state by the name that the reader knows. */
static void name_state(struct cli *cli, const struct cairn_step *step)
{
    const struct cairn_record *record;
    struct cairn_workflow workflow;
    char type[sizeof record->type], state[128];

    if (step->move == NULL || step->keep != 0 ||
        cairn_get(cli->replica, step->id, &record, NULL) != CAIRN_OK)
        return;
    memcpy(type, record->type, sizeof type);
    if (!is_move_elsewhere(cli, type, step->move) ||
        cairn_workflow_get(cli->replica, step->id, &workflow, NULL) != CAIRN_OK ||
        workflow.version_count != 1 || workflow.versions[0].under_way.move != NULL ||
        begins_here(&workflow, step->move))
        return;
    snprintf(state, sizeof state, "%s", state_name(&workflow.versions[0]));
    (void)cairn_fail(&cli->err, CAIRN_BAD_INPUT,
                     N_("%s stands at %s: %s does not begin there. Nothing was written."), step->id,
                     state, step->move);
}

static bool only_looks(const struct cli *cli)
{
    return cli->options.argument_count == 1 && !options_has(&cli->options, OPTION_GIVE_UP) &&
           !options_has(&cli->options, OPTION_KEEP) && !options_has(&cli->options, OPTION_REASON);
}

static enum cli_exit run(struct cli *cli)
{
    const struct cairn_version *standing;
    struct cairn_step step;

    if (only_looks(cli))
        return show(cli);
    enum cairn_status status = read_step(cli, &step);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    enum cli_exit exit_code = cli_open(cli, CLI_WRITES);
    if (exit_code != CLI_DONE)
        return exit_code;
    status = cairn_step(cli->replica, &step, &standing, &cli->err);
    if (status == CAIRN_BAD_INPUT)
        name_state(cli, &step);
    if (status != CAIRN_OK)
        return cli_report_write(cli, status);
    print_step(cli, &step, standing);
    return CLI_DONE;
}

static const struct option_spec options[] = {
    {OPTION_KEEP, "keep", "N", N_("of two steps taken unseen, go on from this one")},
    {OPTION_GIVE_UP, "give-up", NULL, N_("give up the move that is under way")},
    {OPTION_REASON, "reason", "TEXT", N_("why; kept with the step for ever")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_step = {
    .name = "step",
    .group = GROUP_RECORDS,
    .arguments = "ID [MOVE [--keep N] | --give-up] [--reason TEXT]",
    .summary = N_("Move a record's status one step on"),
    .about = N_(
        "A status is not written but moved: the village proposes, the township reviews, the\n"
        "county approves, each with a signed step of its own; none can be skipped or taken for\n"
        "another. With ID alone it shows where the record stands, which moves can begin there\n"
        "and whose step is next. The first step of a move begins it, the last one completes it;\n"
        "whoever has a part in it can give it up before. Where two offices took a step without\n"
        "seeing each other's, --keep says which one this step follows."),
    .examples = "  cairn step A7-0001-K\n"
                "  cairn step A7-0001-K exit --reason \"income above the line for a year\"\n"
                "  cairn step A7-0001-K --give-up --reason \"wrong household\"",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
