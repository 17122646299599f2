/* Scenarios of Automerge (tests/vectors/crdt): an actor is a log, a key of the map is a record.
 * Those that records have must end as stated; where they differ on purpose, or have no such thing,
 * the row is counted as that. tests/vectors/crdt/README.md says which and why. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds_table.h"
#include "shown.h"
#include "vectors.h"

#define ACTORS_MAX 3
#define KEYS_MAX 8
#define VALUES_MAX 64
#define SIZE_MAX_OF_A_LOG 64

struct actor {
    char name;
    const char *id; /* hex */
    struct pen *pen;
    struct holder holder;
    uint32_t seen[ACTORS_MAX]; /* of each actor's log */
    unsigned number[ACTORS_MAX];
    unsigned announced_count;
    uint64_t counter; /* the greatest that it has seen */
};
struct scenario {
    const json_t *row;
    size_t actor_count, key_count;
    struct actor actors[ACTORS_MAX];
    struct pen pens[ACTORS_MAX];
    struct cairn_head heads[ACTORS_MAX][SIZE_MAX_OF_A_LOG];
    char keys[KEYS_MAX][64];
    uint64_t fields[KEYS_MAX];
    json_t *values[VALUES_MAX]; /* what a number in a field stands for */
    size_t value_count;
};
static struct scenario am;

static const json_t *key_of(const json_t *op, char out[64])
{
    const json_t *path = vectors_array(op, "path");

    snprintf(out, 64, "%s", json_string_value(json_array_get(path, 0)));
    if (json_array_size(path) == 2)
        snprintf(out + strlen(out), 64 - strlen(out), "/%s",
                 json_string_value(json_array_get(path, 1)));
    return path;
}

static unsigned key_number(const char *key)
{
    for (unsigned i = 0; i < am.key_count; i++)
        if (strcmp(am.keys[i], key) == 0)
            return i;
    assert_true(am.key_count < KEYS_MAX);
    snprintf(am.keys[am.key_count], sizeof am.keys[0], "%s", key);
    am.fields[am.key_count] = KIND_INCOME;
    return (unsigned)am.key_count++;
}

typedef void op_fn(struct actor *actor, const json_t *op);

static struct actor *actor_named(const char *name)
{
    for (size_t i = 0; i < am.actor_count; i++)
        if (am.actors[i].name == name[0])
            return &am.actors[i];
    fail_msg("no actor %s", name);
    return NULL;
}

static void ops_visit(const json_t *row, op_fn *visit)
{
    const json_t *steps = vectors_array(row, "steps");

    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        for (size_t k = 0;
             vectors_has(step, "ops") && k < json_array_size(vectors_array(step, "ops")); k++)
            visit(actor_named(vectors_text(step, "at")),
                  json_array_get(vectors_array(step, "ops"), k));
    }
}

static bool has_list, has_deep, has_deep_removal;
static unsigned map_count;

static void op_look(struct actor *actor, const json_t *op)
{
    const json_t *path = vectors_array(op, "path");
    const char *name = vectors_text(op, "op");
    bool is_deep = json_array_size(path) > 1;

    (void)actor;
    has_deep = has_deep || is_deep;
    has_deep_removal = has_deep_removal || (is_deep && strcmp(name, "set") != 0);
    map_count += !is_deep;
    for (size_t i = 1; i < json_array_size(path); i++)
        has_list = has_list || json_is_integer(json_array_get(path, i)) || i > 1;
}

/* Lists, and maps inside a map of which two were written or something was removed: records are
 * flat. One map that is made once is a flat record. */
static bool is_applicable(const json_t *row)
{
    has_list = has_deep = has_deep_removal = false;
    map_count = 0;
    ops_visit(row, op_look);
    return !has_list && !has_deep_removal && (!has_deep || map_count == 1);
}

/* A key that is removed somewhere is a set of what was written: registers are never empty. */
static void op_plan(struct actor *actor, const json_t *op)
{
    const char *name = vectors_text(op, "op");
    char key[64];

    (void)actor;
    key_of(op, key);
    if (has_deep && strchr(key, '/') == NULL)
        return;
    unsigned number = key_number(key);
    if (strcmp(name, "counter") == 0 || strcmp(name, "inc") == 0)
        am.fields[number] = KIND_POINTS;
    else if (strcmp(name, "del") == 0 && am.fields[number] != KIND_POINTS)
        am.fields[number] = KIND_NEEDS;
}

static void actor_take(struct actor *actor, size_t other, uint32_t size)
{
    for (; actor->seen[other] < size; actor->seen[other]++)
        holder_take(&actor->holder,
                    piece_at(&shown_land.pieces, &am.actors[other].pen->id, actor->seen[other], 0));
}

/* One entry by the actor: what is live of the key is named, unless it adds or counts. */
static void actor_write(struct actor *actor, unsigned key, uint64_t number, int64_t value)
{
    size_t self = (size_t)(actor - am.actors), named_count = 0, announcements = 1;
    static struct shown shown;
    struct cairn_local_dot named[SHOWN_MAX];
    struct cairn_head head = pen_head(&shown_creator);
    struct draft draft, notes;
    bool names = number != CAIRN_ITEM_ADD && number != CAIRN_ITEM_COUNT;

    shown = shown_get(&actor->holder, key + 1, am.fields[key]);
    if (number == CAIRN_ITEM_REMOVE && shown.count == 0)
        return; /* nothing to take away */
    cairn_writer_init(&notes.writer, notes.bytes, sizeof notes.bytes);
    draft_announce_first(&notes, &head);
    if (actor->announced_count > 0) {
        cairn_writer_init(&notes.writer, notes.bytes, sizeof notes.bytes);
        draft_announce(&notes, 1, &head);
    } else {
        actor->announced_count = 1;
    }
    for (size_t i = 0; i < am.actor_count; i++) {
        if (i == self || actor->seen[i] == 0)
            continue;
        announcements++;
        if (actor->number[i] == 0) {
            actor->number[i] = ++actor->announced_count;
            draft_announce_first(&notes, &am.heads[i][actor->seen[i]]);
        } else {
            draft_announce(&notes, actor->number[i], &am.heads[i][actor->seen[i]]);
        }
    }
    for (size_t v = 0; names && v < shown.count; v++)
        for (size_t i = 0; i < am.actor_count; i++)
            if (cairn_hash_equal(&am.actors[i].pen->id, &shown.logs[v]))
                named[named_count++] =
                    (struct cairn_local_dot){i == self ? 0 : actor->number[i], shown.indices[v]};
    actor->pen->time_s = PEN_TIME + actor->counter;
    draft_change(&draft, actor->pen, announcements + 1);
    struct cairn_bytes before = cairn_writer_bytes(&notes.writer);
    cairn_write_bytes(&draft.writer, before.data, before.size);
    draft_item(&draft, number, (struct cairn_local_dot){1, key + 1}, am.fields[key], value, named,
               named_count);
    draft_write(&draft, actor->pen);
    am.heads[self][pen_size(actor->pen)] = pen_head(actor->pen);
    actor_take(actor, self, pen_size(actor->pen));
}

static int64_t value_number(json_t *value)
{
    assert_true(am.value_count < VALUES_MAX);
    am.values[am.value_count] = value;
    return (int64_t)am.value_count++;
}

static void value_write(struct actor *actor, const char *key_text, json_t *value)
{
    unsigned key = key_number(key_text);

    actor->counter++;
    if (am.fields[key] == KIND_NEEDS)
        actor_write(actor, key, CAIRN_ITEM_REMOVE, 0);
    actor_write(actor, key, am.fields[key] == KIND_NEEDS ? CAIRN_ITEM_ADD : CAIRN_ITEM_SET,
                value_number(value));
    if (json_is_object(value) || json_is_array(value))
        actor->counter += json_is_object(value) ? json_object_size(value) : json_array_size(value);
}

static void op_write(struct actor *actor, const json_t *op)
{
    const char *name = vectors_text(op, "op");
    char key[64], inner[128];
    const char *member;
    json_t *value = json_object_get(op, "value"), *part;

    const json_t *path = key_of(op, key);
    if (strcmp(name, "set") == 0 && has_deep && json_array_size(path) == 1) {
        actor->counter++;
        json_object_foreach(value, member, part)
        {
            snprintf(inner, sizeof inner, "%s/%s", key, member);
            value_write(actor, inner, part);
        }
    } else if (strcmp(name, "set") == 0) {
        value_write(actor, key, value);
    } else if (strcmp(name, "del") == 0) {
        actor->counter++;
        actor_write(actor, key_number(key), CAIRN_ITEM_REMOVE, 0);
    } else {
        actor->counter++;
        if (strcmp(name, "counter") == 0)
            actor_write(actor, key_number(key), CAIRN_ITEM_REMOVE, 0);
        actor_write(actor, key_number(key), CAIRN_ITEM_COUNT,
                    vectors_int(op, strcmp(name, "counter") == 0 ? "value" : "by"));
    }
}

static int actor_compare(const void *a, const void *b)
{
    const struct actor *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

static void actors_read(const json_t *row)
{
    const char *name;
    json_t *id;

    am = (struct scenario){.row = row};
    json_object_foreach(json_object_get(row, "actors"), name, id)
    {
        assert_true(am.actor_count < ACTORS_MAX);
        am.actors[am.actor_count++] = (struct actor){.name = name[0], .id = json_string_value(id)};
    }
}

/* The ids of logs stand in the order of the ids of actors. */
static void actors_begin(void)
{
    struct actor *order[ACTORS_MAX];

    shown_begin(KEYS_MAX);
    shown_pens_begin(am.pens, am.actor_count);
    for (size_t i = 0; i < am.actor_count; i++)
        order[i] = &am.actors[i];
    qsort(order, am.actor_count, sizeof order[0], actor_compare);
    for (size_t i = 0; i < am.actor_count; i++)
        order[i]->pen = &am.pens[i];
    for (size_t i = 0; i < am.actor_count; i++) {
        struct actor *actor = &am.actors[i];
        holder_open(&actor->holder, shown_land.statement);
        for (size_t k = 0; k < shown_land.pieces.count; k++)
            if (shown_land.pieces.list[k].channel == CAIRN_CHANNEL_AUTHORITY ||
                cairn_hash_equal(&shown_land.pieces.list[k].log, &shown_creator.id))
                holder_take(&actor->holder, &shown_land.pieces.list[k]);
        am.heads[i][1] = pen_head(actor->pen);
    }
    for (size_t i = 0; i < am.actor_count; i++)
        actor_take(&am.actors[i], i, 1);
}

static void steps_run(const json_t *row)
{
    const json_t *steps = vectors_array(row, "steps");

    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *step = json_array_get(steps, i);
        struct actor *actor = actor_named(vectors_text(step, "at"));
        for (size_t k = 0;
             vectors_has(step, "ops") && k < json_array_size(vectors_array(step, "ops")); k++)
            op_write(actor, json_array_get(vectors_array(step, "ops"), k));
        if (!vectors_has(step, "merge"))
            continue;
        const struct actor *other = actor_named(vectors_text(step, "merge"));
        for (size_t k = 0; k < am.actor_count; k++)
            actor_take(actor, k, other->seen[k]);
        actor->counter = actor->counter > other->counter ? actor->counter : other->counter;
    }
}

/* What the row says of a key: the value shown and all that are live. NULL: none. */
static json_t *expected_value(const json_t *expect, const char *which, const char *key)
{
    char outer[64];
    json_t *found = json_object_get(expect, which);

    snprintf(outer, sizeof outer, "%.*s", (int)strcspn(key, "/"), key);
    found = json_object_get(found, outer);
    return key[strlen(outer)] == '/' ? json_object_get(found, key + strlen(outer) + 1) : found;
}

static void expect_key(const json_t *expect, unsigned key)
{
    struct actor *actor = actor_named(vectors_text(expect, "at"));
    json_t *value = expected_value(expect, "state", am.keys[key]);
    json_t *conflicts = expected_value(expect, "conflicts", am.keys[key]), *one;
    static struct shown shown;
    const char *op;
    size_t count = conflicts != NULL ? json_object_size(conflicts) : value != NULL;

    shown = shown_get(&actor->holder, key + 1, am.fields[key]);
    if (shown.count != count)
        fail_msg("%s at %c: %s has %zu values, not %zu", vectors_id(am.row), actor->name,
                 am.keys[key], shown.count, count);
    if (value != NULL && !json_equal(am.values[shown.values[0]], value))
        fail_msg("%s at %c: %s shows another value", vectors_id(am.row), actor->name, am.keys[key]);
    json_object_foreach(conflicts, op, one)
    {
        bool is_there = false;
        for (size_t i = 0; i < shown.count; i++)
            is_there = is_there || json_equal(am.values[shown.values[i]], one);
        if (!is_there)
            fail_msg("%s at %c: %s has lost %s", vectors_id(am.row), actor->name, am.keys[key], op);
    }
}

/* Rows where a counter means another thing on purpose: all differences that nobody who saw them
 * took back add up. */
static bool counts_otherwise(const json_t *row)
{
    static const struct {
        const char *id;
        int64_t sum;
    } rows[] = {{"am031", 104}, {"am032", 104}, {"am035", 5}, {"am036", 5}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].id, vectors_id(row)) != 0)
            continue;
        for (size_t a = 0; a < am.actor_count; a++) {
            struct shown shown = shown_get(&am.actors[a].holder, 1, KIND_POINTS);
            int64_t sum = 0;
            for (size_t v = 0; v < shown.count; v++)
                sum += shown.values[v];
            assert_int_equal(sum, rows[i].sum);
            assert_false(shown.has_conflict);
        }
        return true;
    }
    return false;
}

static void maps_of_automerge_end_as_stated(void **state)
{
    static const struct shown_tally want = {.same = 25, .on_purpose = 4, .not_applicable = 12};
    json_t *table = vectors_load("/crdt/automerge_ops.json");
    struct shown_tally got = {0};

    (void)state;
    VECTORS_EACH(table, i, row)
    {
        actors_read(row);
        if (!is_applicable(row)) {
            got.not_applicable++;
            continue;
        }
        ops_visit(row, op_plan);
        actors_begin();
        steps_run(row);
        bool is_other = counts_otherwise(row);
        const json_t *expects = vectors_array(row, "expect");
        for (size_t e = 0; !is_other && e < json_array_size(expects); e++)
            for (unsigned key = 0; key < am.key_count; key++)
                expect_key(json_array_get(expects, e), key);
        got.on_purpose += is_other;
        got.same += !is_other;
        for (size_t a = 0; a < am.actor_count; a++)
            holder_close(&am.actors[a].holder);
        land_free(&shown_land);
    }
    vectors_free(table);
    shown_expect_tally("automerge_ops", &got, &want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_of_automerge_end_as_stated),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
