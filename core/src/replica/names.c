/* Names that people see: labels of records, tags of devices, roles. Declared in
 * replica_internal.h. */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index.h"
#include "replica_internal.h"
#include "seen.h"

static const struct {
    uint64_t number;
    const char *name;
} roles[] = {
    {CAIRN_ROLE_PREFECTURE, "prefecture"}, {CAIRN_ROLE_COUNTY, "county"},
    {CAIRN_ROLE_TOWNSHIP, "township"},     {CAIRN_ROLE_STATION, "station"},
    {CAIRN_ROLE_SERVER, "server"},         {CAIRN_ROLE_AUDITOR, "auditor"},
    {CAIRN_ROLE_APPROVER, "approver"},
};

const char *cairn_role_name(uint64_t role)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (roles[i].number == role)
            return roles[i].name;
    return role == 0 ? "root" : "newer";
}

uint64_t cairn_role_number(const char *name)
{
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (strcmp(roles[i].name, name) == 0)
            return roles[i].number;
    return 0;
}

const char *cairn_channel_name(enum cairn_channel channel)
{
    static const char *const names[] = {"authority", "records", "funds"};

    return names[channel];
}

void cairn_text_copy(char *out, size_t capacity, struct cairn_bytes text)
{
    size_t size = text.size < capacity ? text.size : capacity - 1;

    if (size > 0)
        memcpy(out, text.data, size);
    out[size] = '\0';
}

void cairn_device_describe(const struct cairn_standing *standing, struct cairn_device *out_device)
{
    cairn_text_copy(out_device->tag, sizeof out_device->tag, cairn_bytes_of_text(standing->tag));
    if (!standing->is_root)
        cairn_text_copy(out_device->name, sizeof out_device->name, standing->grant.name);
    cairn_scope_text(standing->scope, out_device->scope);
    cairn_text_copy(out_device->role, sizeof out_device->role,
                    cairn_bytes_of_text(cairn_role_name(standing->role)));
    out_device->may_delegate = (standing->rights & CAIRN_RIGHT_DELEGATE) != 0;
    out_device->channels = (unsigned)standing->channels;
}

enum cairn_status cairn_log_tag(struct cairn_context *ctx, const struct cairn_log *log,
                                char out_tag[static 8])
{
    const struct cairn_seen_log *seen;
    struct cairn_standing standing;

    /* While reading, a log is what it was a moment ago in the same snapshot; one that is being
     * begun is not in the store yet. */
    if (!ctx->is_writing) {
        CAIRN_TRY(cairn_seen_log(ctx, log->no, &seen));
        memcpy(out_tag, seen->tag, sizeof seen->tag);
        return CAIRN_OK;
    }
    enum cairn_status status = cairn_standing_get(ctx, &log->under, &standing);
    if (status == CAIRN_NOT_FOUND)
        cairn_text_copy(out_tag, 8, cairn_bytes_of_text("?"));
    else if (status == CAIRN_OK)
        cairn_text_copy(out_tag, 8, cairn_bytes_of_text(standing.tag));
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static char check_character(uint8_t bucket)
{
    return crockford[cairn_bucket_check(bucket)];
}

void cairn_label_write(const char *tag, uint32_t counter, uint8_t bucket, char out_label[static 32])
{
    char digits[10];
    size_t size = strlen(tag), count = 0;

    memcpy(out_label, tag, size);
    out_label[size++] = '-';
    for (; counter > 0 || count < 4; counter /= 10)
        digits[count++] = (char)('0' + counter % 10);
    while (count > 0)
        out_label[size++] = digits[--count];
    out_label[size++] = '-';
    out_label[size++] = check_character(bucket);
    out_label[size] = '\0';
}

enum cairn_status cairn_label_format(struct cairn_context *ctx, const struct cairn_log *log,
                                     const struct cairn_record_state *state,
                                     char out_label[static 32])
{
    char tag[8];
    uint8_t bucket =
        state->has_bucket ? state->bucket : cairn_record_id_hash(log, state->id.index).bytes[0];

    CAIRN_TRY(cairn_log_tag(ctx, log, tag));
    cairn_label_write(tag, state->counter, bucket, out_label);
    return CAIRN_OK;
}

/* TAG-COUNTER-CHECK; the check, which finds slips of the hand, may be in lower case. */
static bool label_parse(const char *label, char out_tag[static 8], uint32_t *out_counter,
                        char *out_check)
{
    const char *dash = strchr(label, '-');
    char *end;

    if (dash == NULL || dash == label || (size_t)(dash - label) > CAIRN_TAG_MAX)
        return false;
    memcpy(out_tag, label, (size_t)(dash - label));
    out_tag[dash - label] = '\0';
    if (dash[1] < '0' || dash[1] > '9')
        return false;
    unsigned long long counter = strtoull(dash + 1, &end, 10);
    if (counter > UINT32_MAX)
        return false;
    *out_counter = (uint32_t)counter;
    if (end[0] != '-' || end[1] == '\0' || end[2] != '\0')
        return false;
    *out_check = (char)toupper((unsigned char)end[1]);
    return true;
}

bool cairn_label_is(const char *text)
{
    char tag[8], check;
    uint32_t counter;

    return label_parse(text, tag, &counter, &check);
}

#define ROW_DOT_BYTES 8

struct label_search {
    size_t count;
    struct cairn_index_row row;
    char candidates[256];
};

/* Villages are named only where there are two of them to choose from. */
static void candidate_name(struct label_search *search, struct cairn_scope scope)
{
    char text[CAIRN_SCOPE_TEXT_BYTES];
    size_t used = strlen(search->candidates);

    cairn_scope_text(scope, text);
    snprintf(search->candidates + used, sizeof search->candidates - used, "%s%s",
             used == 0 ? "" : ", ", text);
}

/* The bucket stands in the row, unless an earlier version wrote it. */
static enum cairn_status candidate_bucket(struct cairn_context *ctx, struct cairn_dot id,
                                          struct cairn_bytes value, uint8_t *out_bucket)
{
    struct cairn_log log;

    if (value.size > 0) {
        *out_bucket = value.data[0];
        return CAIRN_OK;
    }
    CAIRN_TRY(cairn_log_load(ctx, id.log, &log));
    *out_bucket = cairn_record_id_hash(&log, id.index).bytes[0];
    return CAIRN_OK;
}

static enum cairn_status label_candidate(struct cairn_context *ctx, struct cairn_dot id,
                                         struct cairn_bytes value, const char *tag, char check,
                                         struct label_search *search)
{
    const struct cairn_seen_log *log;
    uint8_t bucket;

    CAIRN_TRY(candidate_bucket(ctx, id, value, &bucket));
    if (check != check_character(bucket))
        return CAIRN_OK;
    CAIRN_TRY(cairn_seen_log(ctx, id.log, &log));
    if (strcmp(log->tag, tag) != 0)
        return CAIRN_OK;
    if (search->count == 1)
        candidate_name(search, search->row.scope);
    if (search->count > 0)
        candidate_name(search, log->scope);
    search->count++;
    search->row = (struct cairn_index_row){.scope = log->scope, .id = id, .bucket = bucket};
    return CAIRN_OK;
}

/* Once the rows are all of this version, only those with the check character are looked at: about
 * one in 32 of the villages that have a record of that number. */
static enum cairn_status label_search(struct cairn_context *ctx, uint32_t counter, const char *tag,
                                      char check, struct label_search *search)
{
    const char *character = strchr(crockford, check);
    struct cairn_key prefix = cairn_key(CAIRN_TABLE_COUNTER);
    struct cairn_walk walk;
    enum cairn_status status;
    bool is_ready;

    if (character == NULL)
        return CAIRN_OK;
    CAIRN_TRY(cairn_index_is_ready(ctx, &is_ready));
    cairn_key_u32(&prefix, counter);
    if (is_ready)
        cairn_key_u8(&prefix, (uint8_t)(character - crockford));
    CAIRN_TRY(cairn_walk_open(ctx, &prefix, (struct cairn_bytes){NULL, 0}, CAIRN_ASCENDING, &walk));
    while ((status = cairn_walk_next(&walk)) == CAIRN_OK) {
        struct cairn_dot dot;
        if (cairn_reader_left(&walk.key) > ROW_DOT_BYTES)
            cairn_read_u8(&walk.key); /* the check character */
        dot.log = cairn_read_u32be(&walk.key);
        dot.index = cairn_read_u32be(&walk.key);
        status = label_candidate(ctx, dot, walk.value, tag, check, search);
        if (status != CAIRN_OK)
            break;
    }
    cairn_walk_close(&walk);
    return status == CAIRN_NOT_FOUND ? CAIRN_OK : status;
}

enum cairn_status cairn_label_locate(struct cairn_context *ctx, const char *label,
                                     struct cairn_index_row *out_row)
{
    struct label_search search;
    char tag[8], check;
    uint32_t counter;

    if (!label_parse(label, tag, &counter, &check))
        return cairn_alias_locate(ctx, label, out_row);
    search.count = 0;
    search.candidates[0] = '\0';
    CAIRN_TRY(label_search(ctx, counter, tag, check, &search));
    if (search.count == 0)
        return cairn_fail(ctx->err, CAIRN_NOT_FOUND, "There is no record %s here.", label);
    if (search.count > 1)
        return cairn_fail(
            ctx->err, CAIRN_AMBIGUOUS,
            "%s names %zu records, in villages %s. Nothing was changed; find the one you mean with "
            "cairn list village=CODE.",
            label, search.count, search.candidates);
    *out_row = search.row;
    return CAIRN_OK;
}

enum cairn_status cairn_label_find(struct cairn_context *ctx, const char *label,
                                   struct cairn_log *out_log, struct cairn_record_state *out_state)
{
    struct cairn_index_row row;

    CAIRN_TRY(cairn_label_locate(ctx, label, &row));
    CAIRN_TRY(cairn_log_load(ctx, row.id.log, out_log));
    return cairn_record_load(ctx, out_log, row.id.index, out_state);
}
