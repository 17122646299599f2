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

static json_t *version_json(const struct cairn_version *version)
{
    return json_pack("{s:o, s:s, s:o, s:b, s:b}", "value", output_json_text(version->value), "tag",
                     version->tag, "time", time_json(version->time_s), "shown", version->is_shown,
                     "received", version->is_received);
}

static json_t *versions_json(const struct cairn_field_state *field)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < field->version_count; i++)
        json_array_append_new(list, version_json(&field->versions[i]));
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
        json_object_set_new(fields, field->name, output_json_text(field->versions[0].value));
        if (all || field->version_count > 1)
            json_object_set_new(versions, field->name, versions_json(field));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o}", "id", record->id, "type",
                     record->type, "scope", record->scope, "place", output_json_text(place),
                     "deleted", record->is_deleted, "conflict", record->has_conflict, "unreceived",
                     count_json(record->unreceived_count), "fields", fields, "versions", versions);
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

char *version_text(const struct cairn_field_state *field, size_t index)
{
    const struct cairn_version *version = &field->versions[index];
    const char *value = CLI_VALUE(version->value, field->is_integer);
    const char *minute = text_minute(version->time_s).text;
    char *text = NULL;
    int size;

    if (is_deletion_field(field->name))
        value = version->value == NULL ? _("deleted") : _("edited");
    if (!field->has_conflict)
        size = asprintf(&text, "%s  %s %s", value, version->tag, minute);
    else
        size = asprintf(&text, version->is_shown ? _("%zu) %s  %s %s (shown)") : "%zu) %s  %s %s",
                        index + 1, value, version->tag, minute);
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
