#include "change_view.h"

#include <stdlib.h>
#include <string.h>

#include "record_view.h"
#include "shell.h"

const char *change_operation(const struct cairn_history_item *item)
{
    static const struct {
        const char *name, *text;
    } operations[] = {
        {"create", N_("created")},
        {"set", N_("changed")},
        {"delete", N_("deleted")},
        {"restore", N_("restored")},
        {"settle", N_("settled")},
        {"add", N_("added")},
        {"remove", N_("taken away")},
        {"count", N_("counted")},
        {"step", N_("step taken")},
        {"authority", N_("a grant or another entry of authority")},
        {"newer", N_("from a newer version of this program")},
    };

    if (strcmp(item->operation, "step") == 0 && item->step.move == NULL)
        return _("move given up");
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        if (strcmp(item->operation, operations[i].name) == 0)
            return _(operations[i].text);
    return item->operation;
}

/* A value by its name in the reader's language, where it has one. */
static const char *value_word(const char *value, const struct cairn_label *label, bool is_integer,
                              char buffer[static I18N_NUMBER_BYTES])
{
    const char *word = i18n_is_chinese() ? label->zh : label->en;

    return word != NULL && word[0] != '\0' ? word : cli_value(value, is_integer, buffer);
}

#define OLD_WORD(item) \
    value_word((item)->old_value, &(item)->old_label, (item)->is_integer, (char[32]){0})
#define NEW_WORD(item) \
    value_word((item)->new_value, &(item)->new_label, (item)->is_integer, (char[32]){0})

static int step_text(const struct cairn_history_item *item, char **out_text)
{
    char *way = item->step.move == NULL ? strdup("") : under_way_text(&item->step);
    const char *mark = item->step.move == NULL ? "" : "   ";
    int size = -1;

    if (way != NULL && (item->old_value == NULL || strcmp(item->old_value, item->new_value) == 0))
        size = asprintf(out_text, "%s %s%s%s", item->field, NEW_WORD(item), mark, way);
    else if (way != NULL)
        size = asprintf(out_text, "%s %s → %s%s%s", item->field, OLD_WORD(item), NEW_WORD(item),
                        mark, way);
    free(way);
    return size;
}

/* Written again as it was: a decision for what was shown, or a record that came back. */
static bool is_same_value(const struct cairn_history_item *item)
{
    return item->old_value != NULL && item->new_value != NULL &&
           strcmp(item->old_value, item->new_value) == 0;
}

char *change_text(const struct cairn_history_item *item)
{
    char *text = NULL;
    int size;

    if (item->field == NULL)
        size = asprintf(&text, "%s", "");
    else if (strcmp(item->operation, "step") == 0 && item->new_value != NULL)
        size = step_text(item, &text);
    else if (strcmp(item->operation, "add") == 0)
        size = asprintf(&text, "%s + %s", item->field, NEW_WORD(item));
    else if (strcmp(item->operation, "remove") == 0)
        size =
            asprintf(&text, "%s − %s", item->field, item->old_value == NULL ? "?" : OLD_WORD(item));
    else if (strcmp(item->operation, "count") == 0)
        size = asprintf(&text, "%s %s%s", item->field,
                        item->new_value == NULL || item->new_value[0] == '-' ? "" : "+",
                        NEW_WORD(item));
    else if (item->old_value == NULL || is_same_value(item))
        size = asprintf(&text, "%s = %s", item->field, NEW_WORD(item));
    else
        size = asprintf(&text, "%s %s → %s", item->field, OLD_WORD(item), NEW_WORD(item));
    return size < 0 ? NULL : text;
}

json_t *change_json(const struct cairn_history_item *item)
{
    json_t *step = json_null();

    if (item->step.move != NULL)
        step = json_pack("{s:s, s:i, s:i, s:o}", "move", item->step.move, "done",
                         (int)item->step.done_count, "steps", (int)item->step.step_count, "next",
                         output_json_text(item->step.role));
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "operation", item->operation, "field",
                     output_json_text(item->field), "old", output_json_text(item->old_value), "new",
                     output_json_text(item->new_value), "step", step);
}

/* ---- the command that says it again ---- */

static char *put_field(char *line, const struct cairn_history_item *change)
{
    bool removes = strcmp(change->operation, "remove") == 0;
    bool adds = strcmp(change->operation, "add") == 0 || strcmp(change->operation, "count") == 0;
    const char *value = removes ? change->old_value : change->new_value;
    char *prefix = NULL;

    if (change->field == NULL || value == NULL)
        return line;
    if (asprintf(&prefix, "%s%s=", change->field, removes ? "-" : adds ? "+" : "") < 0) {
        free(line);
        return NULL;
    }
    line = shell_add(line, prefix, value);
    free(prefix);
    return line;
}

static char *put_command(const struct cairn_refused_item *item)
{
    char *line = shell_add(NULL, "cairn put ", item->type);

    if (line != NULL && item->id[0] != '\0')
        line = shell_add(line, "", item->id);
    for (size_t i = 0; line != NULL && i < item->change_count; i++)
        line = put_field(line, &item->changes[i]);
    return line;
}

/* Why it was written; NULL: nobody said, or it is closed here. */
static const char *known_reason(const struct cairn_refused_item *item)
{
    return item->reason != NULL && strcmp(item->reason, "(closed)") != 0 ? item->reason : NULL;
}

char *change_command(const struct cairn_refused_item *item)
{
    const struct cairn_history_item *first = &item->changes[0];
    const char *reason = known_reason(item);
    char *line = NULL;

    if (strcmp(first->operation, "step") == 0 && item->id[0] != '\0') {
        line = shell_add(NULL, "cairn step ", item->id);
        if (line != NULL && first->step.move != NULL)
            line = shell_add(line, "", first->step.move);
        else if (line != NULL)
            line = shell_add(line, "--give-up --reason ", reason == NULL ? "TEXT" : reason);
        if (first->step.move == NULL)
            reason = NULL; /* it stands there */
    } else if (strcmp(first->operation, "delete") == 0 && item->id[0] != '\0') {
        line = shell_add(NULL, "cairn delete ", item->type == NULL ? "TYPE" : item->type);
        if (line != NULL)
            line = shell_add(line, "", item->id);
    } else if (item->type != NULL && first->field != NULL) {
        line = put_command(item);
    }
    if (line != NULL && reason != NULL)
        line = shell_add(line, "--reason ", reason);
    return line;
}
