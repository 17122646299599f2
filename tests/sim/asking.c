/* What people ask: queries, sorted or not, and counts with sums, against a full look at the list.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"
#include "people_internal.h"

#define TYPE "household"
#define INCOMES_MAX 512 /* of one answer, looked at in order */

struct question {
    struct cairn_condition conditions[2];
    size_t count;
    char number[24];
};

static void question_draw(struct world *world, struct dice *dice, struct question *out)
{
    static const char *const states[] = {"identified", "registered", "exited", "marginal"};
    const char *answer = dice_one_in(dice, 2) ? "yes" : "no";
    const struct cairn_condition conditions[] = {
        {"income", CAIRN_AT_LEAST, out->number},
        {"income", CAIRN_LESS, out->number},
        {"sheep", CAIRN_AT_LEAST, out->number},
        {"state", CAIRN_EQUAL, states[dice_below(dice, 4)]},
        {"conflict", CAIRN_EQUAL, answer},
        {"parallel", CAIRN_EQUAL, answer},
    };

    snprintf(out->number, sizeof out->number, "%u", dice_below(dice, world->model.token_count + 1));
    out->conditions[0] = conditions[dice_below(dice, 6)];
    out->conditions[1] = (struct cairn_condition){
        "village", CAIRN_EQUAL, world_village(dice_below(dice, world->village_count))};
    out->count = dice_one_in(dice, 3) ? 2 : 1;
}

/* ---- judged by what a record shows --------------------------------------------------------- */

static const char *shown_value(const struct cairn_record *record, const char *field)
{
    for (size_t f = 0; f < record->field_count; f++)
        if (strcmp(record->fields[f].name, field) == 0)
            return record->fields[f].versions[0].label_en != NULL
                       ? record->fields[f].versions[0].label_en
                       : record->fields[f].versions[0].value;
    return NULL;
}

static bool condition_holds(const struct cairn_condition *condition,
                            const struct cairn_record *record)
{
    if (strcmp(condition->field, "conflict") == 0)
        return record->has_conflict == (condition->value[0] == 'y');
    if (strcmp(condition->field, "parallel") == 0)
        return record->is_parallel == (condition->value[0] == 'y');
    if (strcmp(condition->field, "village") == 0)
        return strcmp(record->scope, condition->value) == 0;
    const char *value =
        shown_value(record, strcmp(condition->field, "state") == 0 ? "listing" : condition->field);
    if (value == NULL)
        return false;
    if (condition->compare == CAIRN_EQUAL)
        return strcmp(value, condition->value) == 0;
    long a = strtol(value, NULL, 10), b = strtol(condition->value, NULL, 10);
    return condition->compare == CAIRN_LESS ? a < b : a >= b;
}

static bool question_fits(const struct question *question, const struct cairn_record *record)
{
    for (size_t i = 0; i < question->count; i++)
        if (!condition_holds(&question->conditions[i], record))
            return false;
    return true;
}

/* ---- queries ------------------------------------------------------------------------------- */

/* What a query finds, or should: how many, and which; the incomes in order. */
struct query_look {
    const struct question *question; /* NULL: the query has judged */
    uint64_t count, mix;
    long incomes[INCOMES_MAX];
};

static bool query_found(void *context, const struct cairn_record *record)
{
    struct query_look *look = context;
    uint64_t hash = 1469598103934665603u;

    if (look->question != NULL && !question_fits(look->question, record))
        return true;
    for (const char *at = record->id; *at != '\0'; at++)
        hash = (hash ^ (uint8_t)*at) * 1099511628211u;
    look->mix += hash;
    const char *income = shown_value(record, "income");
    if (look->count < INCOMES_MAX)
        look->incomes[look->count] = income == NULL ? LONG_MAX : strtol(income, NULL, 10);
    look->count++;
    return true;
}

static int income_up(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return (x > y) - (x < y);
}

/* Records without an income, LONG_MAX, come last both ways. */
static int income_down(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;

    return x == LONG_MAX || y == LONG_MAX ? (x > y) - (x < y) : (x < y) - (x > y);
}

/* Does the answer begin with what comes first of all that fits? */
static bool is_in_order(const struct cairn_query *query, const struct query_look *found,
                        struct query_look *due)
{
    uint64_t count = due->count < query->limit ? due->count : query->limit;

    if (found->count != count || due->count > INCOMES_MAX)
        return found->count == count;
    qsort(due->incomes, due->count, sizeof due->incomes[0],
          query->sorts_down ? income_down : income_up);
    return memcmp(found->incomes, due->incomes, count * sizeof due->incomes[0]) == 0;
}

void people_query(struct world *world, struct node *node, struct dice *dice)
{
    struct question question;
    struct query_look found = {.question = NULL}, due = {.question = &question};

    question_draw(world, dice, &question);
    struct cairn_query query = {
        .type = TYPE, .conditions = question.conditions, .condition_count = question.count};
    if (dice_one_in(dice, 3)) {
        query.sort_field = "income";
        query.sorts_down = dice_one_in(dice, 2);
        query.limit = 1 + dice_below(dice, 9);
    }
    enum cairn_status status =
        cairn_query_run(node->replica, &query, query_found, &found, &world->err);
    if (status == CAIRN_OK)
        status = cairn_list(node->replica, TYPE, NULL, 0, query_found, &due, &world->err);
    bool is_right = query.limit > 0 ? is_in_order(&query, &found, &due)
                                    : found.count == due.count && found.mix == due.mix;
    if (status != CAIRN_OK)
        people_refused(world, node, MODEL_NONE, status, "a query");
    else if (!is_right)
        world_fail(world, "query", "a query of %s for %s finds %llu records, a full look %llu",
                   node->tag, question.conditions[0].field, (unsigned long long)found.count,
                   (unsigned long long)due.count);
    else if (found.count > 0)
        world_saw(world, query.limit > 0 ? SEEN_QUERY_SORTED : SEEN_QUERY_FOUND);
}

/* ---- counts -------------------------------------------------------------------------------- */

#define SUMS 2
static const char *const summed[SUMS] = {"income", "points"};

struct group {
    uint64_t visits, count;
    int64_t sums[SUMS];
};

struct count_look {
    const struct question *question;
    bool by_village;                             /* or all in one group */
    struct group groups[WORLD_VILLAGES_MAX + 1]; /* the last: of a place that is no village */
};

static struct group *group_of(struct count_look *look, const char *village)
{
    unsigned i = 0;

    while (look->by_village && i < WORLD_VILLAGES_MAX &&
           (village == NULL || strcmp(world_village(i), village) != 0))
        i++;
    return &look->groups[i];
}

static bool counted(void *context, const struct cairn_count *count)
{
    struct group *group = group_of(context, count->group);

    group->visits++;
    group->count += count->count;
    for (unsigned i = 0; i < SUMS; i++)
        group->sums[i] += strtoll(count->sums[i], NULL, 10);
    return true;
}

static bool count_add(void *context, const struct cairn_record *record)
{
    struct count_look *look = context;
    struct group *group = group_of(look, record->scope);

    if (!question_fits(look->question, record))
        return true;
    group->visits = 1;
    group->count++;
    for (unsigned i = 0; i < SUMS; i++) {
        const char *value = shown_value(record, summed[i]);
        group->sums[i] += value == NULL ? 0 : strtoll(value, NULL, 10);
    }
    return true;
}

void people_total(struct world *world, struct node *node, struct dice *dice)
{
    struct question question;

    question_draw(world, dice, &question);
    bool by_village = dice_one_in(dice, 2);
    struct count_look got = {.by_village = by_village},
                      due = {.question = &question, .by_village = by_village};
    const struct cairn_query query = {
        .type = TYPE, .conditions = question.conditions, .condition_count = question.count};
    enum cairn_status status =
        cairn_query_count(node->replica, &query, by_village ? "village" : NULL, summed, SUMS,
                          counted, &got, &world->err);
    if (status == CAIRN_OK)
        status = cairn_list(node->replica, TYPE, NULL, 0, count_add, &due, &world->err);
    if (!by_village)
        due.groups[0].visits = 1;
    if (status != CAIRN_OK)
        people_refused(world, node, MODEL_NONE, status, "a count");
    else if (memcmp(got.groups, due.groups, sizeof due.groups) != 0)
        world_fail(world, "query", "a count of %s for %s%s is not what a full look says", node->tag,
                   question.conditions[0].field, by_village ? " by village" : "");
    else
        for (unsigned i = 0; i <= WORLD_VILLAGES_MAX; i++)
            if (due.groups[i].count > 0)
                world_saw(world, SEEN_TOTAL_SUMMED);
}
