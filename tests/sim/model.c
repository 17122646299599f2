#include "model.h"

#include <stdlib.h>
#include <string.h>

void model_init(struct model *model)
{
    memset(model, 0, sizeof *model);
}

void model_release(struct model *model)
{
    for (uint32_t i = 0; i < model->log_count; i++)
        free(model->logs[i].first_versions);
    for (uint32_t i = 0; i < model->record_count; i++)
        free(model->records[i].versions);
    free(model->records);
    free(model->versions);
    free(model->replaced);
    memset(model, 0, sizeof *model);
}

/* Room for one more element, or for `more`. The simulator has no use without memory. */
static void *grown(void *list, uint32_t count, uint32_t more, uint32_t *capacity, size_t size)
{
    if (count + more <= *capacity)
        return list;
    *capacity = (count + more) * 2 + 16;
    list = realloc(list, *capacity * size);
    CAIRN_ASSERT(list != NULL);
    return list;
}

uint32_t model_log_find(const struct model *model, const struct cairn_hash *id)
{
    for (uint32_t i = 0; i < model->log_count; i++)
        if (memcmp(model->logs[i].id.bytes, id->bytes, sizeof id->bytes) == 0)
            return i;
    return MODEL_NONE;
}

uint32_t model_log_add(struct model *model, const struct model_log *log)
{
    if (model->log_count == MODEL_LOGS_MAX)
        return MODEL_NONE;
    model->logs[model->log_count] = *log;
    return model->log_count++;
}

uint32_t model_record_add(struct model *model, uint32_t log, uint32_t index, const char *label)
{
    model->records = grown(model->records, model->record_count, 1, &model->record_capacity,
                           sizeof *model->records);
    struct model_record *record = &model->records[model->record_count];
    *record = (struct model_record){.log = log, .index = index, .scope = model->logs[log].scope};
    strncpy(record->label, label, sizeof record->label - 1);
    return model->record_count++;
}

uint32_t model_version_of(const struct model *model, uint32_t log, uint32_t index, uint32_t field)
{
    if (log >= model->log_count || index >= model->logs[log].entry_count)
        return MODEL_NONE;
    const struct model_log *of = &model->logs[log];
    for (uint32_t v = of->first_versions[index]; v < model->version_count; v++) {
        const struct model_version *version = &model->versions[v];
        if (version->log != log || version->index != index)
            break;
        if (version->field == field)
            return v;
    }
    return MODEL_NONE;
}

uint32_t model_record_of(const struct model *model, uint32_t log, uint32_t index)
{
    uint32_t version = model_version_of(model, log, index, MODEL_EXISTENCE);

    if (version == MODEL_NONE)
        return MODEL_NONE;
    uint32_t record = model->versions[version].record;
    bool creates = model->records[record].log == log && model->records[record].index == index;
    return creates ? record : MODEL_NONE;
}

static void entry_note(struct model_log *log, uint32_t index, uint32_t version)
{
    if (index >= log->entry_count) {
        log->first_versions =
            grown(log->first_versions, log->entry_count, index + 1 - log->entry_count,
                  &log->capacity, sizeof *log->first_versions);
        for (uint32_t i = log->entry_count; i <= index; i++)
            log->first_versions[i] = MODEL_NONE;
        log->entry_count = index + 1;
    }
    if (log->first_versions[index] == MODEL_NONE)
        log->first_versions[index] = version;
}

uint32_t model_version_add(struct model *model, const struct model_version *version,
                           const uint32_t *replaces, uint32_t count)
{
    uint32_t number = model->version_count;
    struct model_record *record = &model->records[version->record];

    model->versions =
        grown(model->versions, number, 1, &model->version_capacity, sizeof *model->versions);
    model->replaced = grown(model->replaced, model->replaced_count, count,
                            &model->replaced_capacity, sizeof *model->replaced);
    record->versions =
        grown(record->versions, record->count, 1, &record->capacity, sizeof *record->versions);
    model->versions[number] = *version;
    model->versions[number].replaces_first = model->replaced_count;
    model->versions[number].replaces_count = count;
    if (count > 0)
        memcpy(model->replaced + model->replaced_count, replaces, count * sizeof *replaces);
    model->replaced_count += count;
    record->versions[record->count++] = number;
    model->version_count++;
    entry_note(&model->logs[version->log], version->index, number);
    return number;
}

void model_log_grow(struct model *model, uint32_t number, uint32_t size)
{
    if (size > model->logs[number].entry_count)
        entry_note(&model->logs[number], size - 1, MODEL_NONE);
}

void model_log_cut(struct model *model, uint32_t number, uint32_t size)
{
    struct model_log *log = &model->logs[number];

    for (uint32_t v = 0; v < model->version_count; v++) {
        struct model_version *version = &model->versions[v];
        if (version->log != number || version->index < size)
            continue;
        version->is_gone = version->is_lost = true;
        struct model_record *record = &model->records[version->record];
        if (record->log == number && record->index == version->index)
            record->index = MODEL_NONE;
    }
    if (log->entry_count > size)
        log->entry_count = size;
}

/* ---- what a replica must show -------------------------------------------------------------- */

static bool knows(const struct holdings *held, const struct model_decree *decree)
{
    return held->size[decree->by_log] > decree->by_index;
}

bool model_is_inside(const struct model *model, const struct holdings *held, uint32_t log,
                     uint32_t index)
{
    bool is_cut = false, is_adopted = false;

    if (held->size[log] <= index)
        return false;
    for (uint32_t i = 0; i < model->decree_count; i++) {
        const struct model_decree *decree = &model->decrees[i];
        if (!knows(held, decree))
            continue;
        if (!decree->adopts)
            is_cut =
                is_cut || (decree->grant == model->logs[log].grant && index >= decree->cuts[log]);
        else
            is_adopted = is_adopted || (decree->log == log && decree->from <= index &&
                                        index < decree->to && held->size[log] >= decree->to);
    }
    return !is_cut || is_adopted;
}

/* A step waits for those that it follows, whether they are in force or not. */
static bool follows_held(const struct model *model, const struct holdings *held,
                         const struct model_version *version)
{
    while (version->kind == MODEL_STEP && version->follows != MODEL_NONE) {
        version = &model->versions[version->follows];
        if (version->is_gone || held->size[version->log] <= version->index)
            return false;
    }
    return true;
}

bool model_in_force(const struct model *model, const struct holdings *held,
                    const struct model_version *version)
{
    const struct model_record *record = &model->records[version->record];

    if (version->is_gone || !model_is_inside(model, held, version->log, version->index) ||
        held->size[record->log] <= record->index || !follows_held(model, held, version))
        return false;
    if (version->repeats == MODEL_NONE)
        return true;
    const struct model_version *first = &model->versions[version->repeats];
    return first->is_gone || !model_is_inside(model, held, first->log, first->index);
}

/* Does `later`, of the same log, replace `earlier` without saying so? */
static bool replaces_own(const struct model_version *later, const struct model_version *earlier)
{
    return later->kind == MODEL_SET && later->log == earlier->log &&
           later->index > earlier->index &&
           (later->deletes ? earlier->kind != MODEL_STEP : later->field == earlier->field);
}

/* Does naming `named` name `other`? A version is named by its entry: a deletion, which replaces all
 * fields, names with one of them all that the entry wrote. */
static bool names(const struct model *model, const struct model_version *version, uint32_t named,
                  uint32_t other)
{
    const struct model_version *a = &model->versions[named], *b = &model->versions[other];

    return named == other ||
           (version->deletes && b->kind != MODEL_STEP && a->log == b->log && a->index == b->index);
}

/* What `version` replaces of the record's versions, whose flags these are. */
static void replaced_strike(const struct model *model, const struct model_record *record,
                            const struct model_version *version, uint8_t *is_live)
{
    for (uint32_t i = 0; i < record->count; i++) {
        uint32_t other = record->versions[i];
        bool is_struck = replaces_own(version, &model->versions[other]);
        for (uint32_t n = 0; n < version->replaces_count && !is_struck; n++)
            is_struck = names(model, version, model->replaced[version->replaces_first + n], other);
        if (is_struck)
            is_live[i] = 0;
    }
}

uint32_t model_live(const struct model *model, const struct holdings *held, uint32_t record_number,
                    uint32_t out_versions[static MODEL_LIVE_MAX])
{
    const struct model_record *record = &model->records[record_number];
    uint8_t *is_live = calloc(2, record->count + 1u), *counts = is_live + record->count + 1;
    uint32_t live_count = 0;

    CAIRN_ASSERT(is_live != NULL);
    for (uint32_t i = 0; i < record->count; i++) {
        const struct model_version *version = &model->versions[record->versions[i]];
        counts[i] = model_in_force(model, held, version);
        is_live[i] = counts[i] && version->kind != MODEL_REMOVE;
    }
    for (uint32_t i = 0; i < record->count; i++)
        if (counts[i])
            replaced_strike(model, record, &model->versions[record->versions[i]], is_live);
    for (uint32_t i = 0; i < record->count && live_count < MODEL_LIVE_MAX; i++)
        if (is_live[i])
            out_versions[live_count++] = record->versions[i];
    free(is_live);
    return live_count;
}

static bool is_greater(const struct model *model, const struct model_version *a,
                       const struct model_version *b)
{
    if (a->time_s != b->time_s || a->log == b->log)
        return a->time_s != b->time_s ? a->time_s > b->time_s : a->index > b->index;
    return memcmp(model->logs[a->log].id.bytes, model->logs[b->log].id.bytes,
                  sizeof model->logs[a->log].id.bytes) > 0;
}

uint32_t model_shown(const struct model *model, const uint32_t *versions, uint32_t count,
                     uint32_t field)
{
    uint32_t shown = MODEL_NONE;

    for (uint32_t i = 0; i < count; i++) {
        const struct model_version *version = &model->versions[versions[i]];
        if (version->field == field && !version->deletes &&
            (shown == MODEL_NONE || is_greater(model, version, &model->versions[shown])))
            shown = versions[i];
    }
    return shown;
}

bool model_is_vague(const struct model *model, uint32_t record_number)
{
    const struct model_record *record = &model->records[record_number];

    for (uint32_t i = 0; i < record->count; i++)
        if (model->logs[model->versions[record->versions[i]].log].is_forked)
            return true;
    return false;
}

bool model_has_forks(const struct model *model)
{
    for (uint32_t i = 0; i < model->log_count; i++)
        if (model->logs[i].is_forked)
            return true;
    return false;
}
