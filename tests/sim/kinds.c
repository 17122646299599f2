/* What people do with fields that are no registers: elements of a set, a counter, the steps of a
 * workflow, records that are one household; and with a number: upserts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "invariants.h"
#include "people_internal.h"

#define TYPE "household"
#define ALIASES 60 /* so few that two stations give the same one */
#define STEPS_OF_A_MOVE 3

/* A record of the node's that is not deleted and has no namesake; MODEL_NONE. */
static uint32_t plain_record(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = book_pick(world, node, dice), found;
    struct book_sight sight;

    if (record == MODEL_NONE || model_is_vague(&world->model, record) ||
        book_labelled(world, node, world->model.records[record].label, &found) != 1)
        return MODEL_NONE;
    book_look(world, node, record, &sight);
    return sight.is_deleted || sight.count == 0 ? MODEL_NONE : record;
}

static unsigned village_of(const struct world *world, uint32_t record)
{
    return book_village_of(world->model.records[record].scope);
}

/* One write on one record was acknowledged. */
static void written(struct world *world, struct node *node, struct book_write write)
{
    struct book_entry entry = {.writes = {write}, .count = 1};
    char label[32];

    memcpy(label, world->model.records[write.record].label, sizeof label);
    people_written(world, node);
    book_take(world, node, village_of(world, write.record), &entry, 1);
    if (world_is_well(world))
        invariant_shown(world, node, label);
}

static bool is_element(struct world *world, struct node *node, uint32_t record, uint32_t field,
                       uint32_t token)
{
    struct book_sight sight;

    book_look(world, node, record, &sight);
    for (uint32_t i = 0; i < sight.count; i++) {
        const struct model_version *version = &world->model.versions[sight.live[i]];
        if (version->field == field && version->token == token)
            return true;
    }
    return false;
}

static enum cairn_status put_one(struct world *world, struct node *node, uint32_t record,
                                 const struct cairn_field_value *field,
                                 enum cairn_put_operation operation,
                                 struct cairn_put_result *out_result)
{
    const struct cairn_put put = {.type = TYPE,
                                  .id = world->model.records[record].label,
                                  .fields = field,
                                  .field_count = 1,
                                  .operations = &operation};
    enum cairn_status status =
        cairn_put_many(node->replica, &put, 1, out_result, NULL, &world->err);

    trace_line(&world->trace, "  %s puts %s %s%s of %s: %s", node->tag, field->name,
               operation == CAIRN_PUT_REMOVE ? "without " : "with ", field->value, put.id,
               cairn_status_name(status));
    return status;
}

void kinds_element(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = plain_record(world, node, dice);
    uint32_t token = 1 + dice_below(dice, BOOK_MEASURE_COUNT);
    bool removes = dice_one_in(dice, 3);
    const struct cairn_field_value field = {"measures", book_measure(token)};
    struct cairn_put_result result;

    if (record == MODEL_NONE)
        return;
    bool is_there = is_element(world, node, record, BOOK_MEASURES, token);
    enum cairn_status status =
        put_one(world, node, record, &field, removes ? CAIRN_PUT_REMOVE : CAIRN_PUT_ADD, &result);
    if (status == CAIRN_BAD_INPUT && removes && !is_there)
        world_saw(world, SEEN_ELEMENT_ABSENT);
    else if (status != CAIRN_OK)
        people_refused(world, node, record, status, "an element");
    else if ((result.change_count > 0) != (is_there == removes))
        world_fail(world, "element", "%s: %s of %s is there: %d, removed: %d, changes: %zu",
                   node->tag, field.value, result.id, is_there, removes, result.change_count);
    else if (result.change_count > 0)
        written(world, node,
                (struct book_write){.record = record,
                                    .field = BOOK_MEASURES,
                                    .token = token,
                                    .kind = removes ? MODEL_REMOVE : MODEL_ADD});
}

void kinds_count(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = plain_record(world, node, dice);
    uint32_t amount = 1 + dice_below(dice, 9);
    bool lowers = dice_one_in(dice, 3);
    char text[24];
    const struct cairn_field_value field = {"points", text};
    struct cairn_put_result result;

    if (record == MODEL_NONE)
        return;
    snprintf(text, sizeof text, "%s%u", lowers ? "-" : "", amount);
    enum cairn_status status = put_one(world, node, record, &field, CAIRN_PUT_ADD, &result);
    if (status != CAIRN_OK) {
        people_refused(world, node, record, status, "a count");
        return;
    }
    world_saw(world, SEEN_COUNTED);
    written(world, node,
            (struct book_write){.record = record,
                                .field = BOOK_POINTS,
                                .token = lowers ? 0 - amount : amount,
                                .kind = MODEL_COUNT});
}

/* ---- steps --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t from; /* bits of states */
    uint32_t to;
} moves[] = {
    {NULL, 0, 0},          {"register", 1 << 1, 2},       {"exit", 1 << 2 | 1 << 4, 3},
    {"return", 1 << 3, 4}, {"watch", 1 << 1 | 1 << 3, 5}, {"relist", 1 << 5, 2},
    {"clear", 1 << 5, 3},
};
#define MOVES (sizeof moves / sizeof moves[0])

struct position {
    uint32_t state, move, stage;
};

/* Where the node shows the record. */
static struct position position_of(struct world *world, struct node *node, uint32_t record)
{
    struct book_sight sight;

    book_look(world, node, record, &sight);
    uint32_t shown = model_shown(&world->model, sight.live, sight.count, BOOK_LISTING);
    if (shown == MODEL_NONE)
        return (struct position){1, 0, 0};
    uint32_t token = world->model.versions[shown].token;
    return (struct position){token & 0xff, token >> 8 & 0xff, token >> 16};
}

static bool is_under_way(struct position at)
{
    return at.move != 0 && at.stage + 1 < STEPS_OF_A_MOVE;
}

static uint32_t step_of(const struct node *node)
{
    return node->kind == NODE_STATION ? 0 : node->kind == NODE_TOWNSHIP ? 1 : 2;
}

/* What must come of going on with `move` (0: giving up) where the record stands. */
static enum cairn_status step_due(const struct node *node, struct position at, uint32_t move,
                                  struct position *out)
{
    bool begins = !is_under_way(at);
    uint32_t stage = begins ? 0 : at.stage + 1;

    *out = (struct position){at.state, 0, 0};
    if (move == 0)
        return begins ? CAIRN_BAD_INPUT : CAIRN_OK; /* all three have a part in each move */
    if (begins ? (moves[move].from >> at.state & 1) == 0 : move != at.move)
        return CAIRN_BAD_INPUT;
    *out = (struct position){at.state, move, stage};
    if (stage + 1 == STEPS_OF_A_MOVE)
        out->state = moves[move].to;
    return stage == step_of(node) ? CAIRN_OK : CAIRN_NO_RIGHT;
}

/* A move: mostly the one that is due. */
static uint32_t move_draw(struct position at, struct dice *dice)
{
    uint32_t first = dice_below(dice, MOVES - 1), draw = dice_below(dice, 16);

    if (is_under_way(at))
        return draw == 0 ? 0 : draw == 1 ? first + 1 : at.move;
    for (uint32_t i = 0; i < MOVES - 1 && draw > 1; i++)
        if (moves[(first + i) % (MOVES - 1) + 1].from >> at.state & 1)
            return (first + i) % (MOVES - 1) + 1;
    return draw == 0 ? 0 : first + 1;
}

/* A record on which it is this node's turn, if there is one; now and then any. */
static uint32_t step_record(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = MODEL_NONE;

    for (unsigned tries = dice_one_in(dice, 8) ? 1 : 12; tries > 0; tries--) {
        uint32_t next = plain_record(world, node, dice);
        if (next == MODEL_NONE)
            continue;
        struct position at = position_of(world, node, next);
        record = next;
        if ((is_under_way(at) ? at.stage + 1 : 0) == step_of(node))
            break;
    }
    return record;
}

static void step_taken(struct world *world, struct node *node, uint32_t record, struct position to)
{
    world_saw(world, to.move == 0                      ? SEEN_STEP_GIVEN_UP
                     : to.stage + 1 == STEPS_OF_A_MOVE ? SEEN_STEP_DONE
                                                       : SEEN_STEP_TAKEN);
    written(world, node,
            (struct book_write){.record = record,
                                .field = BOOK_LISTING,
                                .token = BOOK_POSITION(to.state, to.move, to.stage),
                                .kind = MODEL_STEP});
}

void kinds_step(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t record = step_record(world, node, dice);
    struct position at, to;
    const struct cairn_version *standing;

    if (record == MODEL_NONE)
        return;
    at = position_of(world, node, record);
    uint32_t move = move_draw(at, dice);
    const struct cairn_step step = {.id = world->model.records[record].label,
                                    .move = moves[move].name};
    enum cairn_status due = step_due(node, at, move, &to);
    enum cairn_status status = cairn_step(node->replica, &step, &standing, &world->err);
    trace_line(&world->trace, "  %s goes on with %s of %s: %s", node->tag,
               step.move == NULL ? "nothing" : step.move, step.id, cairn_status_name(status));
    if (status == CAIRN_OK && due == CAIRN_OK)
        step_taken(world, node, record, to);
    else if (status == due)
        world_saw(world, due == CAIRN_NO_RIGHT ? SEEN_STEP_NOT_OWN : SEEN_STEP_NOT_NEXT);
    else if (status == CAIRN_OK)
        world_fail(world, "step", "%s may go on with %s of %s at state %u, move %u, stage %u",
                   node->tag, step.move == NULL ? "nothing" : step.move, step.id, at.state, at.move,
                   at.stage);
    else
        people_refused(world, node, record, status, "a step");
}

/* ---- one household ------------------------------------------------------------------------- */

/* What is written on one of the two; a withdrawal may be written on both. */
static void same_written(struct world *world, struct node *node, uint32_t on, uint32_t to,
                         bool takes_back)
{
    const struct book_entry entry = {.writes = {{.record = on,
                                                 .field = BOOK_SAME,
                                                 .token = BOOK_RECORD(to),
                                                 .kind = takes_back ? MODEL_REMOVE : MODEL_ADD}},
                                     .count = 1};

    book_take(world, node, village_of(world, on), &entry, 1);
}

static void same_play(struct world *world, struct node *node, uint32_t one, uint32_t two,
                      bool takes_back)
{
    bool is_said = is_element(world, node, one, BOOK_SAME, BOOK_RECORD(two));
    bool is_said_back = is_element(world, node, two, BOOK_SAME, BOOK_RECORD(one));
    char a[32], b[32];

    memcpy(a, world->model.records[one].label, sizeof a);
    memcpy(b, world->model.records[two].label, sizeof b);
    enum cairn_status status =
        (takes_back ? cairn_apart : cairn_same)(node->replica, a, b, "seen there", &world->err);
    trace_line(&world->trace, "  %s says that %s and %s are %s: %s", node->tag, a, b,
               takes_back ? "two" : "one", cairn_status_name(status));
    bool is_needless = takes_back ? !is_said && !is_said_back : is_said;
    if (status == CAIRN_BAD_INPUT && is_needless) {
        world_saw(world, SEEN_SAME_REFUSED);
        return;
    }
    if (status != CAIRN_OK || is_needless) {
        people_refused(world, node, one, status, takes_back ? "apart" : "same");
        return;
    }
    people_written(world, node);
    world_saw(world, SEEN_SAME_SAID);
    const struct book_entry entries[2] = {
        {.writes = {{one, BOOK_SAME, BOOK_RECORD(two), MODEL_REMOVE, false}}, .count = 1},
        {.writes = {{two, BOOK_SAME, BOOK_RECORD(one), MODEL_REMOVE, false}}, .count = 1}};
    if (!takes_back)
        same_written(world, node, one, two, false);
    else
        book_take(world, node, village_of(world, one), &entries[is_said ? 0 : 1],
                  is_said && is_said_back ? 2 : 1);
    if (world_is_well(world))
        invariant_shown(world, node, a);
}

void kinds_same(struct world *world, struct node *node, struct dice *dice)
{
    uint32_t one = plain_record(world, node, dice), two = plain_record(world, node, dice);
    bool takes_back = dice_one_in(dice, 2);
    struct book_sight sight;

    if (one == MODEL_NONE || two == MODEL_NONE || one == two ||
        village_of(world, one) != village_of(world, two))
        return;
    book_look(world, node, one, &sight);
    for (uint32_t i = 0; i < sight.count && takes_back; i++) /* one that there is to take back */
        if (world->model.versions[sight.live[i]].field == BOOK_SAME)
            two = world->model.versions[sight.live[i]].token - 1;
    uint32_t found;
    if (book_labelled(world, node, world->model.records[two].label, &found) == 1 && found == two &&
        !model_is_vague(&world->model, two))
        same_play(world, node, one, two, takes_back);
}

/* ---- upserts ------------------------------------------------------------------------------- */

/* How many records of a village show this number; one of them. */
static unsigned aliased(struct world *world, struct node *node, unsigned village, uint32_t alias,
                        uint32_t *out_record)
{
    const struct model *model = &world->model;
    struct book_sight sight;
    unsigned count = 0;

    for (uint32_t r = 0; r < model->record_count; r++) {
        if (village_of(world, r) != village)
            continue;
        bool is_given = false;
        for (uint32_t i = 0; i < model->records[r].count && !is_given; i++)
            is_given = model->versions[model->records[r].versions[i]].field == BOOK_ALIAS;
        if (!is_given)
            continue;
        book_look(world, node, r, &sight);
        uint32_t shown = model_shown(model, sight.live, sight.count, BOOK_ALIAS);
        if (shown == MODEL_NONE || sight.is_deleted || model->versions[shown].token != alias)
            continue;
        *out_record = r;
        count++;
    }
    return count;
}

static unsigned live_count(struct world *world, struct node *node, uint32_t record, uint32_t field)
{
    struct book_sight sight;
    unsigned count = 0;

    book_look(world, node, record, &sight);
    for (uint32_t i = 0; i < sight.count; i++)
        count += world->model.versions[sight.live[i]].field == field;
    return count;
}

static void upserted(struct world *world, struct node *node, unsigned village, uint32_t record,
                     const uint32_t tokens[static 3], const struct cairn_put_result *result)
{
    struct book_entry entry = {.count = 0, .label = result->id};
    char label[32];
    bool creates = record == MODEL_NONE;

    memcpy(label, result->id, sizeof label);
    people_written(world, node);
    world_saw(world, creates ? SEEN_UPSERT_CREATED : SEEN_UPSERT_FOUND);
    if (result->is_created != creates) {
        world_fail(world, "upsert", "an upsert of %s on %u: %s is new: %d", node->tag, tokens[0],
                   label, result->is_created);
        return;
    }
    if (creates)
        entry.writes[entry.count++] = (struct book_write){.record = record};
    /* A number that several wrote unseen is disputed, though it is the same: it is written too. */
    if (creates || live_count(world, node, record, BOOK_ALIAS) != 1)
        entry.writes[entry.count++] =
            (struct book_write){.record = record, .field = BOOK_ALIAS, .token = tokens[0]};
    entry.writes[entry.count++] =
        (struct book_write){.record = record, .field = BOOK_INCOME, .token = tokens[1]};
    entry.writes[entry.count++] =
        (struct book_write){.record = record, .field = 2, .token = tokens[2]};
    book_take(world, node, village, &entry, 1);
    if (world_is_well(world))
        invariant_shown(world, node, label);
}

void kinds_upsert(struct world *world, struct node *node, struct dice *dice)
{
    unsigned village = people_village(world, node, dice), count;
    uint32_t record = MODEL_NONE, tokens[3] = {1000 + dice_below(dice, ALIASES)};
    char alias[24], income[24], head[24];
    const struct cairn_field_value fields[] = {{"id", alias}, {"income", income}, {"head", head}};
    const struct cairn_put put = {.type = TYPE,
                                  .scope = world_village(village),
                                  .fields = fields,
                                  .field_count = 3,
                                  .upserts = true};
    struct cairn_put_result result;

    snprintf(alias, sizeof alias, "%u", tokens[0]);
    tokens[1] = book_value(world, book_field_named("income"), income);
    tokens[2] = book_value(world, book_field_named("head"), head);
    count = aliased(world, node, village, tokens[0], &record);
    if (count == 1 && model_is_vague(&world->model, record))
        return;
    enum cairn_status status = cairn_put_many(node->replica, &put, 1, &result, NULL, &world->err);
    trace_line(&world->trace, "  %s upserts %s: %s, %s", node->tag, alias,
               cairn_status_name(status), status == CAIRN_OK ? result.id : "");
    if (status == CAIRN_AMBIGUOUS && count > 1)
        world_saw(world, SEEN_UPSERT_AMBIGUOUS);
    else if (status != CAIRN_OK)
        people_refused(world, node, MODEL_NONE, status, "an upsert");
    else if (count > 1)
        world_fail(world, "upsert", "an upsert of %s on %s takes one of %u", node->tag, alias,
                   count);
    else
        upserted(world, node, village, record, tokens, &result);
}
