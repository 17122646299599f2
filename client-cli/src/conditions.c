#include "conditions.h"

#include <stdlib.h>
#include <string.h>

#include "i18n.h"

static const struct {
    const char *text;
    enum cairn_compare compare;
} operators[] = {
    /* Longer ones first. */
    {"<=", CAIRN_AT_MOST}, {">=", CAIRN_AT_LEAST}, {"!=", CAIRN_NOT_EQUAL},
    {"<", CAIRN_LESS},     {">", CAIRN_GREATER},   {"=", CAIRN_EQUAL},
};

static enum cairn_status condition_read(struct conditions *conditions, const char *argument,
                                        struct cairn_err *err)
{
    size_t name_size = strcspn(argument, "<>=!");
    struct cairn_condition condition = {.value = NULL};

    for (size_t i = 0; i < sizeof operators / sizeof operators[0] && name_size > 0; i++) {
        size_t size = strlen(operators[i].text);
        if (strncmp(argument + name_size, operators[i].text, size) != 0)
            continue;
        condition.compare = operators[i].compare;
        condition.value = argument + name_size + size;
        break;
    }
    if (condition.value == NULL)
        return cairn_fail(
            err, CAIRN_BAD_INPUT,
            N_("\"%s\" is no condition: FIELD=VALUE, 'FIELD<VALUE', FIELD=LOW..HIGH."), argument);
    char *name = strndup(argument, name_size);
    if (name == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
    condition.field = name;
    conditions->names[conditions->count] = name;
    conditions->items[conditions->count++] = condition;
    return CAIRN_OK;
}

enum cairn_status conditions_read(struct conditions *conditions, const char *const *arguments,
                                  size_t count, struct cairn_err *err)
{
    conditions->count = 0;
    for (size_t i = 0; i < count; i++) {
        enum cairn_status status = condition_read(conditions, arguments[i], err);
        if (status != CAIRN_OK) {
            conditions_release(conditions);
            return status;
        }
    }
    return CAIRN_OK;
}

void conditions_release(struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++)
        free(conditions->names[i]);
    conditions->count = 0;
}

enum cairn_status name_list_read(struct name_list *list, const char *text, struct cairn_err *err)
{
    *list = (struct name_list){.count = 0};
    if (text == NULL)
        return CAIRN_OK;
    list->text = strdup(text);
    if (list->text == NULL)
        return cairn_fail(err, CAIRN_NO_MEMORY, N_("out of memory"));
    for (char *at = list->text; at != NULL;) {
        char *comma = strchr(at, ',');
        if (at[0] == '\0' || comma == at || list->count == OPTIONS_ARGUMENTS_MAX) {
            name_list_release(list);
            return cairn_fail(err, CAIRN_BAD_INPUT,
                              N_("\"%s\" is no list of names of the form a,b,c."), text);
        }
        if (comma != NULL)
            *comma = '\0';
        list->items[list->count++] = at;
        at = comma == NULL ? NULL : comma + 1;
    }
    return CAIRN_OK;
}

void name_list_release(struct name_list *list)
{
    free(list->text);
    *list = (struct name_list){.count = 0};
}
