#include "schema_view.h"

#include <stdlib.h>
#include <string.h>

#include "record_view.h"

/* The English of a schema file is what is typed into one; the other column is for translators. */
static const struct {
    const char *word, *meaning;
} words[] = {
    {"text", N_("text")},
    {"integer", N_("whole number")},
    {"money", N_("amount of money")},
    {"date", N_("day")},
    {"yes-no", N_("yes or no")},
    {"choice", N_("one of the choices")},
    {"choices", N_("several of the choices")},
    {"digits", N_("digits")},
    {"flags", N_("yes or no, several times")},
    {"reference", N_("another record")},
    {"references", N_("other records")},
    {"id-number", N_("identity number")},
    {"phone", N_("telephone number")},
    {"village-code", N_("code of a village")},
    {"workflow", N_("moved step by step")},
    {"counter", N_("counted up")},
    {"required", N_("must be given")},
    {"personal", N_("personal")},
    {"indexed", N_("quickly found")},
    {"alias", N_("names the record")},
    {"open", N_("takes other texts too")},
    {"retired", N_("no longer written")},
    {"yuan", N_("yuan")},
    {"mu", N_("mu of land")},
    {"at-least", N_("at least")},
    {"at-most", N_("at most")},
    {"is", N_("is")},
};

const char *schema_word(const char *word)
{
    for (size_t i = 0; i18n_is_chinese() && i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word) == 0)
            return _(words[i].meaning);
    return word;
}

void schema_test_text(const struct cairn_indicator_info *indicator, char *out, size_t size)
{
    if (strcmp(indicator->test, "flag") == 0)
        snprintf(out, size, _("flag %s"), indicator->threshold);
    else
        snprintf(out, size, "%s %s", schema_word(indicator->test), indicator->threshold);
}

const char *schema_choice_label(const struct cairn_field_info *field, const char *text)
{
    for (size_t i = 0; i < field->choice_count; i++)
        if (strcmp(field->choices[i].text, text) == 0)
            return field_label(text, text, field->choices[i].label_en);
    return text;
}

const char *schema_state_label(const struct cairn_type_info *type, const char *name)
{
    for (size_t i = 0; i < type->state_count; i++)
        if (strcmp(type->states[i].name, name) == 0)
            return field_label(name, type->states[i].label_zh, type->states[i].label_en);
    return name;
}

/* Each item of "a, b" in other words: of a state of `type`, else of a role. */
static char *list_text(const struct cairn_type_info *type, const char *list)
{
    char *copy = strdup(list);
    char *text = NULL, *rest = NULL;

    if (copy == NULL)
        return NULL;
    for (char *item = strtok_r(copy, ", ", &rest); item != NULL;
         item = strtok_r(NULL, ", ", &rest)) {
        const char *word = type != NULL ? schema_state_label(type, item) : cli_role(item);
        char *grown = NULL;
        if (asprintf(&grown, "%s%s%s", text == NULL ? "" : text, text == NULL ? "" : ", ", word) <
            0)
            grown = NULL;
        free(text);
        text = grown;
        if (text == NULL)
            break;
    }
    free(copy);
    return text;
}

char *schema_states_text(const struct cairn_type_info *type, const char *states)
{
    return list_text(type, states);
}

char *schema_roles_text(const char *roles)
{
    return list_text(NULL, roles);
}

static bool is_label(const char *label, const char *text)
{
    return label != NULL && text[0] != '\0' && strcmp(label, text) == 0;
}

const struct cairn_field_info *schema_field_find(const struct cairn_field_info *fields,
                                                 size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    for (size_t i = 0; i < count; i++)
        if (is_label(fields[i].label_zh, name) || is_label(fields[i].label_en, name))
            return &fields[i];
    return NULL;
}

enum cairn_status schema_type_find(struct cli *cli, const char *name,
                                   const struct cairn_type_info **out_type)
{
    const struct cairn_type_info *types;
    uint64_t version;
    size_t count;

    enum cairn_status status =
        cairn_schema_types(cli->replica, &version, &types, &count, &cli->err);
    if (status != CAIRN_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].name, name) == 0) {
            *out_type = &types[i];
            return CAIRN_OK;
        }
    return cairn_fail(&cli->err, CAIRN_BAD_INPUT, N_("There is no record type %s."), name);
}
