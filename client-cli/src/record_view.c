#include "record_view.h"

#include <stdlib.h>
#include <string.h>

json_t *time_json(uint64_t time_s)
{
    return time_s == 0 ? json_null() : json_string(text_iso(time_s).text);
}

json_t *count_json(uint64_t count)
{
    return json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count);
}

const char *field_label(const char *name, const char *label_zh, const char *label_en)
{
    const char *label = i18n_is_chinese() ? label_zh : label_en;

    return label == NULL || label[0] == '\0' ? name : label;
}

/* Append to a malloc'd list, `mark` between; both NULL and false once memory was short. */
static bool list_add(char **list, const char *mark, const char *text)
{
    char *grown = NULL;
    bool is_first = *list == NULL;

    if (asprintf(&grown, "%s%s%s", is_first ? "" : *list, is_first ? "" : mark, text) < 0)
        grown = NULL;
    free(*list);
    *list = grown;
    return grown != NULL;
}

const char *version_value(const struct cairn_field_state *field, size_t index,
                          char buffer[static I18N_NUMBER_BYTES])
{
    const struct cairn_version *version = &field->versions[index];
    const char *label = i18n_is_chinese() ? version->label_zh : version->label_en;

    return label != NULL && label[0] != '\0' ? label
                                             : cli_value(version->value, field->is_integer, buffer);
}

static const char *value_as(const struct cairn_field_state *field, size_t index,
                            enum value_form form, char buffer[static I18N_NUMBER_BYTES])
{
    const struct cairn_version *version = &field->versions[index];

    switch (form) {
    case VALUE_AS_PUT:
        return version->value;
    case VALUE_AS_LABEL:
        return version->value == NULL
                   ? NULL
                   : field_label(version->value, version->label_zh, version->label_en);
    case VALUE_AS_SHOWN:
        return version_value(field, index, buffer);
    }
    return NULL;
}

char *field_text(const struct cairn_field_state *field, enum value_form form)
{
    size_t count = field->kind == CAIRN_FIELD_SET ? field->version_count : 1;
    char *text = NULL;

    for (size_t i = 0; i < count; i++) {
        char buffer[I18N_NUMBER_BYTES];
        const char *value = value_as(field, i, form, buffer);
        if (!list_add(&text, "|", value == NULL ? "" : value))
            return NULL;
    }
    return text;
}

char *under_way_text(const struct cairn_under_way *under_way)
{
    const char *move = field_label(under_way->move, under_way->label_zh, under_way->label_en);
    char *text = NULL;
    int size;

    if (under_way->role == NULL)
        size = asprintf(&text, _("%s: step %u of %u taken"), move, under_way->done_count,
                        under_way->step_count);
    else
        /* TRANSLATORS: a move, steps done and in all, and the role whose step is next */
        size = asprintf(&text, _("%s: step %u of %u taken, next the %s"), move,
                        under_way->done_count, under_way->step_count, cli_role(under_way->role));
    return size < 0 ? NULL : text;
}

bool is_merged_field(const struct cairn_field_state *field)
{
    return field->is_parallel && !field->has_conflict && field->version_count > 0;
}

/* Was `tag` the writer of a field before field `end` that was written side by side? */
static bool is_tag_named(const struct cairn_record *record, size_t end, const char *tag)
{
    for (size_t i = 0; i < end; i++)
        if (is_merged_field(&record->fields[i]) &&
            strcmp(record->fields[i].versions[0].tag, tag) == 0)
            return true;
    return false;
}

char *parallel_tags(const struct cairn_record *record)
{
    char *tags = NULL;
    size_t tag_count = 0;

    for (size_t i = 0; i < record->field_count; i++) {
        const struct cairn_field_state *field = &record->fields[i];
        if (!is_merged_field(field) || is_tag_named(record, i, field->versions[0].tag))
            continue;
        if (!list_add(&tags, ", ", field->versions[0].tag))
            return NULL;
        tag_count++;
    }
    if (tag_count > 1)
        return tags;
    free(tags);
    return strdup("");
}

/* ---- as JSON ---- */

static json_t *under_way_json(const struct cairn_under_way *under_way)
{
    return under_way->move == NULL
               ? json_null()
               : json_pack("{s:s, s:i, s:i, s:o}", "move", under_way->move, "done",
                           (int)under_way->done_count, "steps", (int)under_way->step_count, "next",
                           output_json_text(under_way->role));
}

json_t *version_json(const struct cairn_version *version)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b, s:b, s:o}", "value",
                     output_json_text(version->value), "label_zh",
                     output_json_text(version->label_zh), "label_en",
                     output_json_text(version->label_en), "tag", version->tag, "time",
                     time_json(version->time_s), "shown", version->is_shown, "received",
                     version->is_received, "under_way", under_way_json(&version->under_way));
}

static json_t *versions_json(const struct cairn_field_state *field)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < field->version_count; i++)
        json_array_append_new(list, version_json(&field->versions[i]));
    return list;
}

static json_t *parallel_json(const struct cairn_record *record)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < record->field_count; i++) {
        const struct cairn_field_state *field = &record->fields[i];
        if (is_merged_field(field))
            json_array_append_new(
                list, json_pack("{s:s, s:s}", "field", field->name, "tag", field->versions[0].tag));
    }
    return list;
}

enum finding { FINDING_MET, FINDING_NOT_MET, FINDING_NOT_RECORDED };

static enum finding finding_of(const struct cairn_met *indicator)
{
    if (!indicator->has_value)
        return FINDING_NOT_RECORDED;
    return indicator->is_met ? FINDING_MET : FINDING_NOT_MET;
}

static json_t *indicators_json(const struct cairn_record *record, enum finding finding)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < record->indicator_count; i++)
        if (finding_of(&record->indicators[i]) == finding)
            json_array_append_new(list, output_json_text(record->indicators[i].name));
    return list;
}

static json_t *same_json(const struct cairn_record *record)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < record->same_count; i++)
        json_array_append_new(list, output_json_text(record->same[i]));
    return list;
}

json_t *record_json(struct cli *cli, const struct cairn_record *record, bool all)
{
    const char *place = regions_find(cli->regions, record->scope);
    json_t *fields = json_object();
    json_t *versions = json_object();

    for (size_t i = 0; i < record->field_count; i++) {
        const struct cairn_field_state *field = &record->fields[i];
        if (field->version_count == 0)
            continue;
        char *text = field->kind == CAIRN_FIELD_SET ? field_text(field, VALUE_AS_PUT) : NULL;
        json_object_set_new(fields, field->name,
                            output_json_text(text != NULL ? text : field->versions[0].value));
        free(text);
        if (all || field->version_count > 1)
            json_object_set_new(versions, field->name, versions_json(field));
    }
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "id", record->id, "type",
        record->type, "scope", record->scope, "place", output_json_text(place), "deleted",
        record->is_deleted, "conflict", record->has_conflict, "parallel", parallel_json(record),
        "unreceived", count_json(record->unreceived_count), "fields", fields, "versions", versions);
    if (all && object != NULL) {
        json_object_set_new(object, "met", indicators_json(record, FINDING_MET));
        json_object_set_new(object, "not_met", indicators_json(record, FINDING_NOT_MET));
        json_object_set_new(object, "not_recorded", indicators_json(record, FINDING_NOT_RECORDED));
        json_object_set_new(object, "same", same_json(record));
    }
    return object;
}

json_t *device_json(struct cli *cli, const struct cairn_device *device)
{
    static const struct {
        unsigned bit;
        const char *name;
    } channels[] = {{1, "authority"}, {2, "records"}, {4, "funds"}};
    json_t *names = json_array();

    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++)
        if ((device->channels & channels[i].bit) != 0)
            json_array_append_new(names, json_string(channels[i].name));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "tag",
                     output_json_text(device->tag), "name", output_json_text(device->name),
                     "fingerprint", output_json_text(device->fingerprint), "role",
                     output_json_text(device->role), "scope", output_json_text(device->scope),
                     "place", output_json_text(regions_find(cli->regions, device->scope)),
                     "channels", names, "delegates", device->may_delegate);
}

bool is_deletion_field(const char *field)
{
    return strcmp(field, "deleted") == 0;
}

/* A numbered one of several; two states may be the same, and only their moves differ. */
static int numbered_text(const struct cairn_version *version, size_t number, const char *value,
                         const char *minute, char **out_text)
{
    char *way = version->under_way.move == NULL ? strdup("") : under_way_text(&version->under_way);
    const char *mark = way == NULL || way[0] == '\0' ? "" : "  ";
    char *whole = NULL;
    int size = -1;

    if (way != NULL && asprintf(&whole, "%s%s%s", value, mark, way) >= 0)
        size =
            asprintf(out_text, version->is_shown ? _("%zu) %s  %s %s (shown)") : "%zu) %s  %s %s",
                     number, whole, version->tag, minute);
    free(whole);
    free(way);
    return size;
}

char *version_text(const struct cairn_field_state *field, size_t index)
{
    const struct cairn_version *version = &field->versions[index];
    char buffer[I18N_NUMBER_BYTES];
    const char *value = version_value(field, index, buffer);
    const char *minute = text_minute(version->time_s).text;
    char *text = NULL;
    int size;

    if (is_deletion_field(field->name))
        value = version->value == NULL ? _("deleted") : _("edited");
    if (version->tag[0] == '\0')
        size = asprintf(&text, "%s", value); /* nobody wrote it: a new record's state */
    else if (!field->has_conflict)
        size = asprintf(&text, "%s  %s %s", value, version->tag, minute);
    else
        size = numbered_text(version, index + 1, value, minute, &text);
    return size < 0 ? NULL : text;
}

char *place_text(struct cli *cli, const struct cairn_device *device)
{
    char *text = NULL;

    /* TRANSLATORS: a role and a place, "county, 513332" */
    if (asprintf(&text, _("%s, %s"), cli_role(device->role), CLI_SCOPE(cli, device->scope)) < 0)
        return NULL;
    return text;
}
