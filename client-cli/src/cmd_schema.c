/* cairn schema: what records consist of; shown, checked, published, given back as a file. */

#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "files.h"
#include "record_view.h"
#include "schema_view.h"

/* ---- show ---- */

/* Several with ", " between; nothing where nothing is marked. */
static void marks_text(const struct cairn_field_info *field, char *out, size_t size)
{
    const struct {
        bool is_set;
        const char *word;
    } marks[] = {
        {field->is_required, "required"}, {field->is_personal, "personal"},
        {field->is_indexed, "indexed"},   {field->is_alias, "alias"},
        {field->is_open, "open"},         {field->is_retired, "retired"},
    };
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && used < size; i++)
        if (marks[i].is_set)
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     schema_word(marks[i].word));
}

/* "integer 0 - 99 yuan", "reference household", "choices". */
static void type_text(const struct cairn_field_info *field, char *out, size_t size)
{
    bool has_bounds = field->lowest != NULL || field->highest != NULL;

    bool is_counter = strcmp(field->merge, "counter") == 0;

    snprintf(out, size, "%s%s%s%s%s%s%s%s%s%s%s", schema_word(field->type), is_counter ? " " : "",
             is_counter ? schema_word("counter") : "", field->target[0] == '\0' ? "" : " ",
             field->target, has_bounds ? " " : "", field->lowest == NULL ? "" : field->lowest,
             has_bounds ? ".." : "", field->highest == NULL ? "" : field->highest,
             field->unit[0] == '\0' ? "" : " ", schema_word(field->unit));
}

static void choices_text(const struct cairn_field_info *field, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < field->choice_count && used < size; i++) {
        const char *text = schema_choice_label(field, field->choices[i].text);
        used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "", text);
    }
}

static json_t *field_json(const struct cairn_field_info *field)
{
    json_t *choices = json_array();

    for (size_t i = 0; i < field->choice_count; i++)
        json_array_append_new(choices, json_pack("{s:o, s:o}", "text",
                                                 output_json_text(field->choices[i].text), "en",
                                                 output_json_text(field->choices[i].label_en)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:o}",
                     "name", output_json_text(field->name), "zh", output_json_text(field->label_zh),
                     "en", output_json_text(field->label_en), "type", output_json_text(field->type),
                     "merge", output_json_text(field->merge), "unit", output_json_text(field->unit),
                     "min", output_json_text(field->lowest), "max",
                     output_json_text(field->highest), "required", field->is_required, "personal",
                     field->is_personal, "indexed", field->is_indexed, "alias", field->is_alias,
                     "retired", field->is_retired, "choices", choices);
}

/* In a table of their own, where they have room. */
static void show_choices(struct cli *cli, const struct cairn_field_info *fields, size_t count)
{
    struct table table;

    table_init(&table);
    table_add(&table, (const char *const[]){_("field"), _("choices")}, 2);
    for (size_t i = 0; i < count; i++) {
        char choices[1024];
        choices_text(&fields[i], choices, sizeof choices);
        if (choices[0] != '\0')
            table_add(&table, (const char *const[]){fields[i].name, choices}, 2);
    }
    if (table.row_count > 1) {
        output_line(&cli->output, "%s", "");
        output_table_filled(&cli->output, &table);
    }
    table_release(&table);
}

static enum cli_exit show_fields(struct cli *cli, const char *type)
{
    const struct cairn_field_info *fields;
    struct table table;
    size_t count;

    enum cairn_status status = cairn_schema_fields(cli->replica, type, &fields, &count, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    table_init(&table);
    const char *const header[] = {_("field"), _("label"), _("type"), _("marks")};
    table_add(&table, header, 4);
    for (size_t i = 0; i < count; i++) {
        char marks[96], text[160];
        marks_text(&fields[i], marks, sizeof marks);
        type_text(&fields[i], text, sizeof text);
        const char *const cells[] = {
            fields[i].name, field_label(fields[i].name, fields[i].label_zh, fields[i].label_en),
            text, marks};
        if (cli->output.is_json)
            output_json(&cli->output, field_json(&fields[i]));
        else
            table_add(&table, cells, 4);
    }
    if (!cli->output.is_json) {
        output_table(&cli->output, &table, true);
        show_choices(cli, fields, count);
    }
    table_release(&table);
    return CLI_DONE;
}

/* How its records move. */
static void show_moves(struct cli *cli, const struct cairn_type_info *type)
{
    const char *const header[] = {_("move"), _("label"), _("from"), _("to"), _("steps")};
    struct table table;

    if (type->move_count == 0)
        return;
    table_init(&table);
    table_add(&table, header, 5);
    for (size_t i = 0; i < type->move_count; i++) {
        const struct cairn_move_info *move = &type->moves[i];
        char *from = schema_states_text(type, move->from), *steps = schema_roles_text(move->steps);
        const char *const cells[] = {move->name,
                                     field_label(move->name, move->label_zh, move->label_en), from,
                                     schema_state_label(type, move->to), steps};
        table_add(&table, cells, 5);
        free(from);
        free(steps);
    }
    output_line(&cli->output, "%s", "");
    output_table(&cli->output, &table, true);
    table_release(&table);
}

/* What its records must meet. */
static void show_indicators(struct cli *cli, const struct cairn_type_info *type)
{
    const char *const header[] = {_("indicator"), _("label"), _("field"), _("test")};
    struct table table;

    if (type->indicator_count == 0)
        return;
    table_init(&table);
    table_add(&table, header, 4);
    for (size_t i = 0; i < type->indicator_count; i++) {
        const struct cairn_indicator_info *one = &type->indicators[i];
        char test[64];
        schema_test_text(one, test, sizeof test);
        const char *const cells[] = {
            one->name, field_label(one->name, one->label_zh, one->label_en), one->field, test};
        table_add(&table, cells, 4);
    }
    output_line(&cli->output, "%s", "");
    output_table(&cli->output, &table, true);
    table_release(&table);
}

static void show_types(struct cli *cli, uint64_t version, const struct cairn_type_info *types,
                       size_t count)
{
    struct table table;

    table_init(&table);
    const char *const header[] = {_("type"), _("label"), _("fields"), _("moves"), _("indicators")};
    table_add(&table, header, 5);
    for (size_t i = 0; i < count; i++) {
        const struct cairn_type_info *type = &types[i];
        const struct i18n_number fields = i18n_number(type->field_count),
                                 moves = i18n_number(type->move_count),
                                 indicators = i18n_number(type->indicator_count);
        const char *const cells[] = {type->name,
                                     field_label(type->name, type->label_zh, type->label_en),
                                     fields.text, type->move_count > 0 ? moves.text : NULL,
                                     type->indicator_count > 0 ? indicators.text : NULL};
        if (cli->output.is_json)
            output_json(&cli->output, json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "type",
                                                output_json_text(type->name), "zh",
                                                output_json_text(type->label_zh), "en",
                                                output_json_text(type->label_en), "fields",
                                                count_json(type->field_count), "version",
                                                count_json(version), "retired", type->is_retired));
        else
            table_add(&table, cells, 5);
    }
    if (!cli->output.is_json) {
        output_table(&cli->output, &table, true);
        output_line(&cli->output, _("Version %s. One of them in full: cairn schema show TYPE"),
                    i18n_number(version).text);
    }
    table_release(&table);
}

static enum cli_exit show(struct cli *cli, const char *name)
{
    const struct cairn_type_info *types;
    uint64_t version;
    size_t count;

    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code == CLI_DONE && name != NULL)
        exit_code = show_fields(cli, name);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status =
        cairn_schema_types(cli->replica, &version, &types, &count, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    if (version == 0)
        return CLI_FAIL(cli, CAIRN_NO_RIGHT,
                        N_("This device has no grant yet, so it knows no record types. Send its "
                           "request to the office above, then join."));
    if (name == NULL)
        show_types(cli, version, types, count);
    for (size_t i = 0; name != NULL && !cli->output.is_json && i < count; i++) {
        if (strcmp(types[i].name, name) != 0)
            continue;
        show_moves(cli, &types[i]);
        show_indicators(cli, &types[i]);
    }
    return CLI_DONE;
}

/* ---- check and publish ---- */

struct problems {
    struct cli *cli;
    const char *file;
};

static void tell_problem(void *context, size_t line, const char *text)
{
    const struct problems *problems = context;
    struct output *output = &problems->cli->output;

    if (output->is_json)
        output_json(output, json_pack("{s:o, s:o, s:o}", "file", output_json_text(problems->file),
                                      "line", count_json(line), "problem", output_json_text(text)));
    else
        output_line(output, "%s:%zu: %s", problems->file, line, text);
}

static void print_summary(struct cli *cli, const struct cairn_schema_summary *summary,
                          bool is_published)
{
    if (cli->output.is_json)
        output_json(&cli->output,
                    json_pack("{s:o, s:o, s:o, s:o, s:b}", "version", count_json(summary->version),
                              "types", count_json(summary->type_count), "fields",
                              count_json(summary->field_count), "bytes",
                              count_json(summary->table_bytes), "published", is_published));
    else
        output_line(&cli->output,
                    is_published
                        ? _("Published version %s: %s types, %s fields, %s of %s bytes; "
                            "goes out with the next sync or bundle")
                        : _("No mistakes. Version %s: %s types, %s fields, %s of %s bytes"),
                    i18n_number(summary->version).text, i18n_number(summary->type_count).text,
                    i18n_number(summary->field_count).text, i18n_number(summary->table_bytes).text,
                    i18n_number(summary->table_bytes_max).text);
}

static enum cli_exit take_file(struct cli *cli, const char *file, bool publishes)
{
    struct problems problems = {cli, file};
    struct cairn_schema_summary summary;
    char *text = NULL;
    size_t size = 0;

    enum cairn_status status = files_read(file, FILES_SMALL_MAX, &text, &size, &cli->err);
    if (status != CAIRN_OK)
        return cli_report(cli, status);
    const struct cairn_bytes yaml = {(const uint8_t *)text, size};
    enum cli_exit exit_code = cli_open(cli, publishes ? CLI_WRITES : CLI_READS);
    if (exit_code == CLI_DONE) {
        status = publishes ? cairn_schema_publish(cli->replica, yaml, tell_problem, &problems,
                                                  &summary, &cli->err)
                           : cairn_schema_check(cli->replica, yaml, tell_problem, &problems,
                                                &summary, &cli->err);
        if (status != CAIRN_OK)
            exit_code = cli_report(cli, status);
        else
            print_summary(cli, &summary, publishes);
    }
    free(text);
    return exit_code;
}

/* ---- export ---- */

static enum cli_exit export_file(struct cli *cli)
{
    const char *version = options_value(&cli->options, OPTION_OF_VERSION);
    struct cairn_bytes yaml;
    uint64_t number = 0;

    if (version != NULL) {
        char *end;
        number = strtoull(version, &end, 10);
        if (number == 0 || *end != '\0' || version[0] == '-')
            return CLI_FAIL(cli, CAIRN_BAD_INPUT, N_("--version needs a number from 1, not \"%s\""),
                            version);
    }
    enum cli_exit exit_code = cli_open(cli, CLI_READS);
    if (exit_code != CLI_DONE)
        return exit_code;
    enum cairn_status status = cairn_schema_text(cli->replica, number, &yaml, &cli->err);
    if (status != CAIRN_OK)
        return cli_report_given(cli, status);
    if (cli->output.is_json)
        output_json(&cli->output,
                    json_pack("{s:o}", "yaml", output_json_text((const char *)yaml.data)));
    else
        output_line(&cli->output, "%.*s", (int)yaml.size - 1, (const char *)yaml.data);
    return CLI_DONE;
}

static enum cli_exit run(struct cli *cli)
{
    const char *what = cli->options.arguments[0];
    const char *argument = cli->options.argument_count > 1 ? cli->options.arguments[1] : NULL;
    bool takes_file = strcmp(what, "check") == 0 || strcmp(what, "publish") == 0;

    if (options_has(&cli->options, OPTION_OF_VERSION) && strcmp(what, "export") != 0)
        return CLI_FAIL(cli, CAIRN_BAD_INPUT, N_("--version goes with cairn schema export only"));
    if (takes_file && argument == NULL)
        return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                        N_("cairn schema %s needs a file: cairn schema %s FILE"), what, what);
    if (takes_file)
        return take_file(cli, argument, strcmp(what, "publish") == 0);
    if (strcmp(what, "show") == 0)
        return show(cli, argument);
    if (strcmp(what, "export") == 0 && argument == NULL)
        return export_file(cli);
    return CLI_FAIL(cli, CAIRN_BAD_INPUT,
                    N_("\"%s\" is none of: cairn schema show [TYPE], check FILE, publish FILE, "
                       "export"),
                    what);
}

static const struct option_spec options[] = {
    {OPTION_OF_VERSION, "version", "N", N_("with export: that version, not the newest")},
    {OPTION_COUNT, NULL, NULL, NULL},
};

const struct command command_schema = {
    .name = "schema",
    .group = GROUP_CHECK,
    .arguments = "show [TYPE] | check FILE | publish FILE | export [--version N]",
    .summary = N_("Show, check or publish what records consist of"),
    .about =
        N_("`show` lists the record types, or the fields, moves and indicators of one. `export`\n"
           "prints the whole as a YAML file to start from; raise its version and edit it. `check`\n"
           "names every mistake of such a file with its line, also what would change the meaning\n"
           "of entries that are there: a version may add and retire, never renumber or rename.\n"
           "`publish` signs the file as the next version; only the root authority can. The others\n"
           "receive it by sync or bundle."),
    .examples = "  cairn schema show household\n"
                "  cairn schema export >registry.yaml\n"
                "  cairn schema check registry.yaml\n"
                "  cairn schema publish registry.yaml",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 2,
    .run = run,
};
