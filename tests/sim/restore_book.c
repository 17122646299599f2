#include "restore_book.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "cairn/cbor.h"

/* The last character of a record's label (SPEC.md section 5.3). */
static char label_check(const struct cairn_hash *log, uint32_t index)
{
    static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t bytes[48], hash[crypto_hash_sha256_BYTES];
    struct cairn_writer writer;

    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_cbor_write_array(&writer, 2);
    cairn_cbor_write_hash(&writer, log);
    cairn_cbor_write_uint(&writer, index);
    crypto_hash_sha256(hash, bytes, writer.size);
    return crockford[hash[0] >> 3];
}

/* Tails being written again; one at a time. */
struct repeating {
    struct world *world;
    const struct node *node;
    uint32_t from, to;    /* logs of the model; `to` MODEL_NONE: no entry was written again */
    uint32_t next;        /* index in the new log */
    uint32_t *new_of_old; /* versions, of all tails */
    uint32_t old_count;
};

/* What a record of the tails became; `number` is its own, and that of any other record's. */
static uint32_t record_became(const struct repeating *r, const struct model_record *record,
                              uint32_t number)
{
    const struct model *model = &r->world->model;
    uint32_t created = model_version_of(model, record->log, record->index, MODEL_EXISTENCE);

    if (created == MODEL_NONE || created >= r->old_count || r->new_of_old[created] == MODEL_NONE)
        return number;
    return model->versions[r->new_of_old[created]].record;
}

/* The record that a repeated edit belongs to: one created in the same tail is a new one. */
static uint32_t record_again(struct repeating *r, const struct model_version *old)
{
    struct model *model = &r->world->model;
    struct model_record record = model->records[old->record];
    char label[32];

    if (record.log == r->from && record.index == old->index) {
        size_t size = strlen(record.label);
        memcpy(label, record.label, sizeof label);
        if (size > 0)
            label[size - 1] = label_check(&model->logs[r->to].id, r->next);
        return model_record_add(model, r->to, r->next, label);
    }
    return record_became(r, &record, old->record);
}

static void version_again(struct repeating *r, uint32_t number, uint32_t record)
{
    struct model *model = &r->world->model;
    struct model_version version = model->versions[number];
    uint32_t replaces[MODEL_LIVE_MAX], count = 0;

    for (uint32_t i = 0; i < version.replaces_count && count < MODEL_LIVE_MAX; i++) {
        uint32_t old = model->replaced[version.replaces_first + i];
        bool is_again = old < r->old_count && r->new_of_old[old] != MODEL_NONE;
        replaces[count++] = is_again ? r->new_of_old[old] : old;
    }
    version.log = r->to;
    version.index = r->next;
    version.record = record;
    version.repeats = number;
    version.is_lost = version.came_back = false;
    if (version.follows < r->old_count && r->new_of_old[version.follows] != MODEL_NONE)
        version.follows = r->new_of_old[version.follows];
    if (version.field == BOOK_SAME)
        version.token =
            BOOK_RECORD(record_became(r, &model->records[version.token - 1], version.token - 1));
    r->new_of_old[number] = model_version_add(model, &version, replaces, count);
}

/* What rests on the versions of this entry rests on those that they repeat. */
static void entry_came_back(struct repeating *r, uint32_t first)
{
    const struct model *model = &r->world->model;

    for (uint32_t v = first; v < r->old_count && model->versions[v].log == r->from &&
                             model->versions[v].index == model->versions[first].index;
         v++) {
        uint32_t original = model->versions[v].repeats, again = r->new_of_old[original];
        r->new_of_old[v] = again == MODEL_NONE ? original : again;
    }
}

static void entry_again(struct repeating *r, uint32_t index)
{
    struct model *model = &r->world->model;
    struct model_log *log = &model->logs[r->from];
    uint32_t first = index < log->entry_count ? log->first_versions[index] : MODEL_NONE;

    if (first == MODEL_NONE)
        return; /* a basis */
    if (model->versions[first].came_back) {
        entry_came_back(r, first);
        return;
    }
    if (r->to == MODEL_NONE) {
        world_fail(r->world, "unsynced-again", "%s did not write its unsynced edits again",
                   r->node->tag);
        return;
    }
    uint32_t record = record_again(r, &model->versions[first]);
    for (uint32_t v = first;
         v < r->old_count && model->versions[v].log == r->from && model->versions[v].index == index;
         v++)
        version_again(r, v, record);
    r->next++;
    world_saw(r->world, SEEN_REPEATED);
}

/* The log that a tail goes to now, in the book. */
static uint32_t new_log(struct world *world, struct node *node, unsigned village)
{
    struct cairn_hash id;
    uint32_t size;

    if (!inspect_own_log(world, node, village, &id, &size))
        return MODEL_NONE;
    uint32_t log = model_log_find(&world->model, &id);
    if (log != MODEL_NONE)
        return log;
    struct model_log fresh = {.id = id, .grant = node->grant, .channel = CAIRN_CHANNEL_RECORDS};
    fresh.scope.code = strtoull(world_village(village), NULL, 10);
    return model_log_add(&world->model, &fresh);
}

static void tail_again(struct repeating *r, struct node *node, const struct own_log *old)
{
    struct world *world = r->world;
    unsigned village = book_village_of(world->model.logs[old->log].scope);

    r->from = old->log;
    r->to = new_log(world, node, village);
    r->next = r->to == MODEL_NONE ? 0 : book_place(world, node, r->to);
    for (uint32_t i = old->covered; i < old->size && world_is_well(world); i++)
        entry_again(r, i);
}

void restore_book_before(struct world *world, struct node *node, const struct own_log *logs,
                         unsigned count)
{
    struct model *model = &world->model;

    inspect_holdings(world, node);
    for (unsigned i = 0; i < count; i++)
        for (uint32_t v = 0; v < model->version_count; v++) {
            struct model_version *version = &model->versions[v];
            bool is_of_tail = version->log == logs[i].log && version->index >= logs[i].covered &&
                              version->index < logs[i].size && version->repeats != MODEL_NONE;
            if (!is_of_tail)
                continue;
            const struct model_version *first = &model->versions[version->repeats];
            /* Of a log that was written twice nothing is foretold. */
            version->came_back =
                model->logs[first->log].is_forked
                    ? inspect_is_repeated(world, node, &model->logs[version->log].id,
                                          version->index)
                    : !first->is_gone &&
                          model_is_inside(model, &node->held, first->log, first->index);
        }
}

void restore_book(struct world *world, struct node *node, const struct own_log *logs,
                  unsigned count)
{
    struct repeating r = {.world = world, .node = node, .old_count = world->model.version_count};
    struct cairn_hash id;
    uint32_t size, log;

    size_t room = (r.old_count + 1u) * sizeof *r.new_of_old;
    r.new_of_old = malloc(room);
    CAIRN_ASSERT(r.new_of_old != NULL);
    memset(r.new_of_old, 0xff, room);
    for (unsigned i = 0; i < count && world_is_well(world); i++)
        if (logs[i].covered < logs[i].size && logs[i].size > 1)
            tail_again(&r, node, &logs[i]);
    free(r.new_of_old);
    for (unsigned village = 0; village < WORLD_VILLAGES_MAX && world_is_well(world); village++) {
        if (!inspect_own_log(world, node, village, &id, &size))
            continue;
        log = model_log_find(&world->model, &id);
        if (log == MODEL_NONE || world->model.logs[log].entry_count != size)
            world_fail(world, "unsynced-again", "%s wrote %u entries again, %u were due", node->tag,
                       size, log == MODEL_NONE ? 0 : world->model.logs[log].entry_count);
    }
}
