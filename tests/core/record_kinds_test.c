/* Every merge kind at once: registers, elements, differences and steps of several offices, deleted,
 * restored, cut off and forked. Whatever the order, the cuts between runs and the repetitions in
 * which logs arrive, the state is the same, it is what a model that knows only the set of entries
 * says, and merging it anew changes nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holder.h"
#include "kinds_table.h"
#include "verdict.h"

#define SCENARIOS 24
#define ORDERS 5
#define WRITERS 4 /* two stations, a township, a county */
#define VERSIONS_MAX 400
#define RECORDS_MAX 16
#define NAMED_MAX 24
#define NEVER UINT32_MAX

/* The entry `index` of a writer's log. */
struct at {
    unsigned writer;
    uint32_t index;
};

enum what { VALUE, ELEMENT, DIFFERENCE, STEP, TAKES_AWAY, DELETION };

/* One write of an entry. */
struct version {
    struct at at;
    unsigned record;
    uint64_t field, time_s;
    enum what what;
    int reason; /* why it is invalid; 0: it is valid */
    int64_t integer;
    bool is_record; /* the value is a record, written so: */
    struct cairn_local_dot dot;
    struct cairn_position position;
    size_t named_count;
    struct at named[NAMED_MAX];
};

struct scenario {
    struct land land;
    struct cairn_keys township_keys;
    struct cairn_under township;
    uint64_t state; /* of the random numbers */
    struct pen pen[WRITERS];
    uint64_t role[WRITERS];
    uint32_t cut[WRITERS];             /* what counts of the log */
    uint32_t seen[WRITERS][WRITERS];   /* how much of a log a writer holds */
    unsigned number[WRITERS][WRITERS]; /* announced under this; 0: not yet */
    uint32_t announced[WRITERS][WRITERS];
    unsigned announced_count[WRITERS];
    struct cairn_head heads[WRITERS][VERSIONS_MAX]; /* by size */
    struct pen fork[WRITERS][VERSIONS_MAX];         /* as it was at that size */
    struct version versions[VERSIONS_MAX];
    size_t version_count;
    struct at records[RECORDS_MAX];
    unsigned record_count;
};

static struct scenario s;

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t next_random(void)
{
    uint64_t z = (s.state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned below(size_t bound)
{
    return (unsigned)(next_random() % bound);
}

static bool at_equal(struct at a, struct at b)
{
    return a.writer == b.writer && a.index == b.index;
}

/* ---- the model ----------------------------------------------------------------------------- */

/* Does it count for `viewer`, who holds only what it has seen? -1: everything is held. */
static bool counts(const struct version *version, int viewer)
{
    if (version->reason != 0)
        return false;
    return viewer < 0 ? version->at.index < s.cut[version->at.writer]
                      : version->at.index < s.seen[viewer][version->at.writer];
}

static bool replaces(const struct version *by, const struct version *old)
{
    if (by->record != old->record || (by->what != DELETION && by->field != old->field) ||
        (by->what == DELETION && old->what == STEP))
        return false;
    for (size_t i = 0; i < by->named_count; i++)
        if (at_equal(by->named[i], old->at))
            return true;
    return (by->what == VALUE || by->what == DELETION) && by->at.writer == old->at.writer &&
           by->at.index > old->at.index;
}

static bool is_live(const struct version *version, int viewer)
{
    if (!counts(version, viewer) || version->what == TAKES_AWAY)
        return false;
    for (size_t i = 0; i < s.version_count; i++)
        if (counts(&s.versions[i], viewer) && replaces(&s.versions[i], version))
            return false;
    return true;
}

/* Two values, or two steps, of one field; or a deletion beside something that it would take away.
 */
static bool model_has_conflict(unsigned record)
{
    bool has_deletion = false, has_other = false, has_two = false;

    for (size_t i = 0; i < s.version_count; i++) {
        const struct version *one = &s.versions[i];
        if (one->record != record || !is_live(one, -1))
            continue;
        has_deletion = has_deletion || one->what == DELETION;
        has_other = has_other || (one->what != DELETION && one->what != STEP);
        for (size_t j = 0; j < i; j++)
            has_two = has_two ||
                      (s.versions[j].record == record && one->what == s.versions[j].what &&
                       s.versions[j].field == one->field &&
                       (one->what == VALUE || one->what == STEP) && is_live(&s.versions[j], -1));
    }
    return has_deletion ? has_other : has_two;
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void id_text(unsigned writer, char out[static 17])
{
    sodium_bin2hex(out, 17, s.pen[writer].id.bytes, 8);
}

static void value_text(const struct version *version, char out[static 65])
{
    uint8_t bytes[32];
    struct cairn_writer writer;
    struct cairn_value value = {.integer = version->what == DELETION ? 0 : version->integer,
                                .dot = version->dot,
                                .position = version->position};

    value.kind = version->is_record      ? CAIRN_VALUE_DOT
                 : version->what == STEP ? CAIRN_VALUE_POSITION
                                         : CAIRN_VALUE_INTEGER;
    cairn_writer_init(&writer, bytes, sizeof bytes);
    cairn_value_write(&writer, &value);
    sodium_bin2hex(out, 65, bytes, writer.size);
}

#define LINE_BYTES 200

/* The lines "conflict", "live", "value" and "verdict", as holder_describe writes them. */
static char *model_describe(void)
{
    static char lines[3 * VERSIONS_MAX][LINE_BYTES];
    char *text = calloc(3 * VERSIONS_MAX, LINE_BYTES);
    char id[17], writer[17], value[65];
    size_t count = 0, size = 0;

    assert_non_null(text);
    for (unsigned r = 0; r < s.record_count; r++) {
        id_text(s.records[r].writer, id);
        if (model_has_conflict(r))
            snprintf(lines[count++], LINE_BYTES, "conflict %s %u\n", id, s.records[r].index);
    }
    for (size_t i = 0; i < s.version_count; i++) {
        const struct version *one = &s.versions[i];
        id_text(s.records[one->record].writer, id);
        id_text(one->at.writer, writer);
        if (one->reason != 0 && one->at.index < s.cut[one->at.writer] &&
            (i == 0 || !at_equal(one[-1].at, one->at)))
            snprintf(lines[count++], LINE_BYTES, "verdict %s %u: %d, %d\n", writer, one->at.index,
                     (int)CAIRN_INVALID, one->reason);
        if (!is_live(one, -1))
            continue;
        value_text(one, value);
        snprintf(lines[count++], LINE_BYTES,
                 "live %s %u field %" PRIu64 " by %s %u at %" PRIu64 "\n", id,
                 s.records[one->record].index, one->field, writer, one->at.index, one->time_s);
        snprintf(lines[count++], LINE_BYTES, "value %s %u field %" PRIu64 " by %s %u: %s\n", id,
                 s.records[one->record].index, one->field, writer, one->at.index, value);
    }
    qsort(lines, count, sizeof lines[0], line_compare);
    for (size_t i = 0; i < count; i++)
        size += (size_t)sprintf(text + size, "%s", lines[i]);
    return text;
}

/* What of a description the model speaks of. */
static char *of_the_model(const char *description)
{
    static const char *const starts[] = {"conflict ", "live ", "value ", "verdict "};
    char *text = calloc(1, strlen(description) + 1);
    size_t size = 0;

    assert_non_null(text);
    for (; *description != '\0'; description += strcspn(description, "\n") + 1) {
        size_t line = strcspn(description, "\n") + 1;
        bool is_meant = false;
        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
            is_meant = is_meant || strncmp(description, starts[i], strlen(starts[i])) == 0;
        if (is_meant)
            memcpy(text + size, description, line);
        size += is_meant ? line : 0;
    }
    return text;
}

/* ---- making a scenario --------------------------------------------------------------------- */

/* One entry being made: items, and what must be announced before them. */
struct making {
    unsigned writer, record;
    struct draft items, announcements;
    size_t item_count, announcement_count;
    bool has_settlement;
    size_t first_version;
};

static void wrote(unsigned writer)
{
    uint32_t size = pen_size(&s.pen[writer]);

    s.seen[writer][writer] = size;
    s.heads[writer][size] = pen_head(&s.pen[writer]);
    s.fork[writer][size] = s.pen[writer];
    s.pen[writer].time_s = PEN_TIME + below(1000); /* clocks mean nothing */
}

static struct version *version_add(unsigned writer, unsigned record, uint64_t field, enum what what)
{
    struct version *version = &s.versions[s.version_count++];

    assert_true(s.version_count <= VERSIONS_MAX);
    *version = (struct version){.at = {writer, pen_size(&s.pen[writer])},
                                .record = record,
                                .field = field,
                                .what = what,
                                .time_s = s.pen[writer].time_s};
    return version;
}

/* The number under which the writer may name an entry; announces its log when it has not. */
static struct cairn_local_dot name(struct making *m, struct at at)
{
    unsigned writer = m->writer, other = at.writer;
    uint32_t size = s.seen[writer][other];

    if (other == writer)
        return (struct cairn_local_dot){0, at.index};
    assert_true(at.index < size);
    if (s.number[writer][other] == 0) {
        s.number[writer][other] = ++s.announced_count[writer];
        draft_announce_first(&m->announcements, &s.heads[other][size]);
    } else if (s.announced[writer][other] <= at.index) {
        draft_announce(&m->announcements, s.number[writer][other], &s.heads[other][size]);
    } else {
        return (struct cairn_local_dot){s.number[writer][other], at.index};
    }
    s.announced[writer][other] = size;
    m->announcement_count++;
    return (struct cairn_local_dot){s.number[writer][other], at.index};
}

static void making_begin(struct making *m, unsigned writer, unsigned record)
{
    *m = (struct making){.writer = writer, .record = record, .first_version = s.version_count};
    cairn_writer_init(&m->items.writer, m->items.bytes, sizeof m->items.bytes);
    cairn_writer_init(&m->announcements.writer, m->announcements.bytes,
                      sizeof m->announcements.bytes);
}

/* An entry is valid as a whole or not at all, for the first reason met. */
static void making_end(struct making *m)
{
    struct draft draft;
    int reason = 0;

    if (m->item_count == 0)
        return;
    for (size_t i = m->first_version; i < s.version_count; i++)
        reason = reason == 0 ? s.versions[i].reason : reason;
    for (size_t i = m->first_version; i < s.version_count; i++)
        s.versions[i].reason = reason;
    draft_change(&draft, &s.pen[m->writer],
                 m->announcement_count + m->item_count + m->has_settlement);
    struct cairn_bytes before = cairn_writer_bytes(&m->announcements.writer);
    struct cairn_bytes items = cairn_writer_bytes(&m->items.writer);
    cairn_write_bytes(&draft.writer, before.data, before.size);
    cairn_write_bytes(&draft.writer, items.data, items.size);
    if (m->has_settlement)
        draft_reason(&draft);
    draft_write(&draft, &s.pen[m->writer]);
    wrote(m->writer);
}

/* Write the item of `version`, whose value and names stand in it. */
static void item_write(struct making *m, struct version *version, uint64_t number)
{
    struct cairn_operation op = {
        .number = number,
        .record = name(m, s.records[m->record]),
        .field = number == CAIRN_ITEM_DELETE ? 0 : version->field,
        .value = {.kind = CAIRN_VALUE_INTEGER, .integer = version->integer}};

    if (version->is_record)
        op.value = (struct cairn_value){.kind = CAIRN_VALUE_DOT, .dot = version->dot};
    if (version->what == STEP)
        op.value =
            (struct cairn_value){.kind = CAIRN_VALUE_POSITION, .position = version->position};
    struct cairn_local_dot named[NAMED_MAX];
    for (size_t i = 0; i < version->named_count; i++)
        named[i] = name(m, version->named[i]);
    cairn_write_begin(&m->items.writer, &op, version->named_count);
    for (size_t i = 0; i < version->named_count; i++)
        cairn_local_dot_write(&m->items.writer, named[i]);
    m->item_count++;
}

/* Name live versions of the field that the writer sees: all, its own or the others'; some not. */
static void names_choose(struct version *version, bool names_own, bool names_others)
{
    for (size_t i = 0; i + 1 < s.version_count && version->named_count < NAMED_MAX; i++) {
        const struct version *old = &s.versions[i];
        bool is_own = old->at.writer == version->at.writer;
        if (old->record != version->record || !is_live(old, (int)version->at.writer) ||
            old->at.index == version->at.index ||
            (version->what != DELETION && old->field != version->field) ||
            !(is_own ? names_own : names_others) || below(8) == 0)
            continue;
        bool is_known = false;
        for (size_t k = 0; k < version->named_count; k++)
            is_known = is_known || at_equal(version->named[k], old->at);
        if (!is_known)
            version->named[version->named_count++] = old->at;
    }
}

static void act_create(unsigned writer)
{
    struct draft draft;

    if (s.record_count == RECORDS_MAX)
        return;
    s.records[s.record_count] = (struct at){writer, pen_size(&s.pen[writer])};
    struct version *alive = version_add(writer, s.record_count, 0, VALUE);
    alive->integer = 1;
    struct version *members = version_add(writer, s.record_count, KIND_MEMBERS, VALUE);
    members->integer = below(10);
    s.record_count++;
    draft_change(&draft, &s.pen[writer], 1);
    draft_create(&draft, KIND_HOUSEHOLD, s.record_count, KIND_MEMBERS, members->integer);
    draft_write(&draft, &s.pen[writer]);
    wrote(writer);
}

static void write_value(struct making *m, bool settles)
{
    bool restores = settles && below(3) == 0;
    uint64_t field = restores ? 0 : below(2) == 0 ? KIND_INCOME : KIND_MEMBERS;
    struct version *version = version_add(m->writer, m->record, field, VALUE);

    version->integer = restores ? 1 : (int64_t)below(100);
    names_choose(version, below(4) == 0, true);
    m->has_settlement = m->has_settlement || settles;
    item_write(m, version, settles ? CAIRN_ITEM_SETTLE : CAIRN_ITEM_SET);
}

static void write_element(struct making *m)
{
    unsigned other = below(s.record_count);
    bool is_same =
        below(3) == 0 && s.records[other].index < s.seen[m->writer][s.records[other].writer];
    struct version *version =
        version_add(m->writer, m->record, is_same ? KIND_SAME : KIND_NEEDS, ELEMENT);

    version->is_record = is_same;
    if (is_same)
        version->dot = name(m, s.records[other]);
    else
        version->integer = below(4);
    item_write(m, version, CAIRN_ITEM_ADD);
}

static void write_removal(struct making *m)
{
    static const uint64_t fields[] = {KIND_NEEDS, KIND_SAME, KIND_POINTS};
    struct version *version = version_add(m->writer, m->record, fields[below(3)], TAKES_AWAY);

    names_choose(version, true, true);
    if (version->named_count == 0)
        version->reason = CAIRN_WHY_SHAPE; /* it must say what */
    item_write(m, version, CAIRN_ITEM_REMOVE);
}

static void write_difference(struct making *m)
{
    struct version *version = version_add(m->writer, m->record, KIND_POINTS, DIFFERENCE);

    version->integer = (int64_t)below(21) - 10;
    if (below(3) == 0)
        names_choose(version, true, false);
    for (size_t n = 0; n < version->named_count; n++)
        for (size_t i = 0; i + 1 < s.version_count; i++)
            if (s.versions[i].what == DIFFERENCE && at_equal(s.versions[i].at, version->named[n]) &&
                s.versions[i].record == m->record)
                version->integer += s.versions[i].integer;
    item_write(m, version, CAIRN_ITEM_COUNT);
}

/* What a step from there leads to when all is right; false when this writer can take none. */
static bool step_right(unsigned writer, const struct cairn_position *from,
                       struct cairn_position *out)
{
    static const uint64_t steps[] = {0, 3, 3, 1}; /* of each move */
    static const uint64_t to[] = {0, KIND_REGISTERED, KIND_EXITED, KIND_REGISTERED};
    static const uint64_t roles[] = {CAIRN_ROLE_STATION, CAIRN_ROLE_TOWNSHIP, CAIRN_ROLE_COUNTY};
    bool is_still = from->move == 0 || from->stage + 1 == steps[from->move];

    if (!is_still && below(5) == 0) {
        *out = (struct cairn_position){from->state, 0, 0};
        return true; /* all three have a part in both long moves */
    }
    out->move = !is_still                        ? from->move
                : from->state == KIND_IDENTIFIED ? KIND_REGISTER
                : from->state == KIND_EXITED     ? KIND_RETURN
                                                 : KIND_EXIT;
    out->stage = is_still ? 0 : from->stage + 1;
    out->state = out->stage + 1 == steps[out->move] ? to[out->move] : from->state;
    return roles[out->stage] == s.role[writer];
}

static void write_step(struct making *m)
{
    struct version *version = version_add(m->writer, m->record, KIND_STATUS, STEP);
    struct cairn_position from = {KIND_IDENTIFIED, 0, 0};
    int before = 0;

    names_choose(version, true, true);
    for (size_t i = 0; version->named_count > 0 && i + 1 < s.version_count; i++)
        if (s.versions[i].what == STEP && at_equal(s.versions[i].at, version->named[0]))
            from = s.versions[i].position;
    /* Now and then after a step that has no effect. */
    for (size_t i = 0; version->named_count == 0 && i + 1 < s.version_count; i++) {
        const struct version *old = &s.versions[i];
        if (old->what == STEP && old->record == m->record && old->reason != 0 &&
            old->at.index < s.seen[m->writer][old->at.writer] &&
            old->at.index != version->at.index && below(2) == 0) {
            version->named[version->named_count++] = old->at;
            from = old->position;
            before = CAIRN_WHY_STEP_BEFORE;
        }
    }
    bool is_right = step_right(m->writer, &from, &version->position);
    if (is_right && below(10) == 0 && version->position.move != 0) {
        version->position.stage++; /* skips one */
        version->reason = CAIRN_WHY_STEP_ORDER;
    } else if (!is_right) {
        version->reason = CAIRN_WHY_STEP_ROLE;
    }
    if (before != 0)
        version->reason = before;
    if (!is_right && below(3) > 0) {
        s.version_count--; /* mostly an honest program: it does not write it */
        return;
    }
    item_write(m, version, CAIRN_ITEM_STEP);
}

static void write_deletion(struct making *m)
{
    struct version *version = version_add(m->writer, m->record, 0, DELETION);

    names_choose(version, false, true);
    item_write(m, version, CAIRN_ITEM_DELETE);
}

/* One entry with one or two writes of different fields. */
static void act_write(unsigned writer, unsigned record)
{
    struct making m;

    making_begin(&m, writer, record);
    switch (below(12)) {
    case 0:
    case 1:
        write_value(&m, false);
        break;
    case 2:
        write_value(&m, true);
        break;
    case 3:
        if (below(2) == 0)
            write_deletion(&m);
        break;
    case 4:
    case 5:
        write_element(&m);
        break;
    case 6:
        write_removal(&m);
        break;
    case 7:
        write_value(&m, false);
        write_difference(&m);
        break;
    case 8:
        write_element(&m);
        write_step(&m);
        break;
    case 9:
        write_difference(&m);
        break;
    default:
        write_step(&m);
    }
    making_end(&m);
}

/* What another wrote comes here, with all that it had seen itself: so do real replicas. */
static void act_meet(unsigned writer, unsigned other)
{
    for (unsigned i = 0; i < WRITERS; i++)
        if (s.seen[other][i] > s.seen[writer][i])
            s.seen[writer][i] = s.seen[other][i];
}

static bool knows(unsigned writer, unsigned record)
{
    return record < s.record_count &&
           s.records[record].index < s.seen[writer][s.records[record].writer];
}

static void act(void)
{
    unsigned writer = below(WRITERS);
    unsigned record = s.record_count == 0 ? 0 : below(s.record_count);

    if (below(12) == 0)
        act_create(writer);
    else if (below(4) == 0)
        act_meet(writer, below(WRITERS));
    else if (knows(writer, record))
        act_write(writer, record);
}

static void writers_begin(void)
{
    land_keys(&s.township_keys, "T", 20);
    s.township = land_grant(&s.land.office_pen, &s.township_keys, VILLAGE / 1000,
                            CAIRN_ROLE_TOWNSHIP, CAIRN_BIT_RECORDS, 0, "T");
    land_station_pen(&s.land, &s.pen[0], 0);
    land_station_pen(&s.land, &s.pen[1], 1);
    pen_begin(&s.pen[2], &s.township_keys, &s.land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &s.township, 1, 120, &s.land.pieces);
    pen_begin(&s.pen[3], &s.land.office_keys, &s.land.network, VILLAGE, CAIRN_CHANNEL_RECORDS,
              &s.land.office, 1, 121, &s.land.pieces);
    s.role[0] = s.role[1] = CAIRN_ROLE_STATION;
    s.role[2] = CAIRN_ROLE_TOWNSHIP;
    s.role[3] = CAIRN_ROLE_COUNTY;
    for (unsigned i = 0; i < WRITERS; i++) {
        s.cut[i] = NEVER;
        wrote(i);
    }
}

static void scenario_make(uint64_t seed, unsigned acts)
{
    memset(&s, 0, sizeof s);
    s.state = seed;
    land_init_with(&s.land, kinds_table_write);
    writers_begin();
    act_create(0);
    for (unsigned i = 1; i < WRITERS; i++)
        act_meet(i, 0);
    for (unsigned i = 0; i < acts; i++)
        act();
}

/* ---- delivering ---------------------------------------------------------------------------- */

/* Pieces [from, to] of one log as one run: only the last seal of a batch travels. */
static void join_pieces(const struct piece *const *own, size_t from, size_t to, struct pieces *out)
{
    static uint8_t bytes[1 << 18];
    struct piece joined = *own[from];
    size_t size = 0;
    uint32_t count = 0;

    for (size_t i = from; i <= to; i++) {
        memcpy(bytes + size, own[i]->run.entries.data, own[i]->run.entries.size);
        size += own[i]->run.entries.size;
        count += own[i]->run.entry_count;
    }
    joined.run.entries = (struct cairn_bytes){bytes, size};
    joined.run.entry_count = count;
    joined.run.seal = own[to]->run.seal;
    pieces_add(out, &joined);
}

/* A log in runs of random length, and some of it once more, cut otherwise. */
static void log_pieces(const struct cairn_hash *log, struct pieces *out)
{
    const struct piece *own[VERSIONS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < s.land.pieces.count; i++)
        if (cairn_hash_equal(&s.land.pieces.list[i].log, log))
            own[count++] = &s.land.pieces.list[i];
    for (size_t from = 0; from < count;) {
        size_t to = from + below(count - from < 4 ? count - from : 4);
        join_pieces(own, from, to, out);
        from = to + 1;
    }
    for (unsigned i = 0; i < 3; i++) {
        size_t from = below(count);
        join_pieces(own, from, from + below(count - from), out);
    }
}

static void shuffle(struct pieces *pieces)
{
    for (size_t i = pieces->count; i > 1; i--) {
        size_t j = below(i);
        struct piece swap = pieces->list[i - 1];
        pieces->list[i - 1] = pieces->list[j];
        pieces->list[j] = swap;
    }
}

static void shuffled(struct pieces *out)
{
    *out = (struct pieces){0};
    for (size_t i = 0; i < s.land.pieces.count; i++)
        if (s.land.pieces.list[i].channel == CAIRN_CHANNEL_AUTHORITY)
            pieces_add(out, &s.land.pieces.list[i]);
    for (unsigned i = 0; i < WRITERS; i++)
        log_pieces(&s.pen[i].id, out);
    shuffle(out);
}

static char *describe_and_close(struct holder *holder)
{
    char *text = holder_describe(holder);

    holder_rebuild(holder);
    char *again = holder_describe(holder);
    expect_same_text(again, text, "merged anew, another state");
    free(again);
    holder_close(holder);
    return text;
}

/* What a holder says after these, taken from a sequencer or from a peer. */
static char *deliver(const struct pieces *pieces, bool is_sequenced)
{
    struct holder holder;

    holder_open(&holder, s.land.statement);
    for (size_t i = 0; i < pieces->count; i++)
        if (is_sequenced)
            holder_take_sequenced(&holder, &pieces->list[i]);
        else
            holder_take(&holder, &pieces->list[i]);
    /* What had to wait was kept as from a peer: a sequencer goes on offering it. */
    for (size_t i = 0; is_sequenced && i < s.land.pieces.count; i++)
        holder_take_sequenced(&holder, &s.land.pieces.list[i]);
    return describe_and_close(&holder);
}

static void expect_model(const char *text)
{
    char *got = of_the_model(text);
    char *want = model_describe();

    expect_same_text(got, want, "the store does not hold what the model says");
    free(got);
    free(want);
}

static void expect_in_every_order(bool is_sequenced)
{
    char *want = deliver(&s.land.pieces, is_sequenced);

    expect_model(want);
    for (unsigned order = 0; order < ORDERS; order++) {
        struct pieces pieces;
        shuffled(&pieces);
        char *got = deliver(&pieces, is_sequenced);
        expect_same_text(got, want, "another order, another state");
        free(got);
        pieces_free(&pieces);
    }
    free(want);
}

/* Run `test` over seeds, or over the one that CAIRN_SEED gives. */
static void over_seeds(uint64_t first, void (*test)(void))
{
    const char *given = getenv("CAIRN_SEED");
    uint64_t seed = given == NULL ? first : strtoull(given, NULL, 10);

    for (unsigned i = 0; i < (given == NULL ? SCENARIOS : 1); i++, seed++) {
        print_message("CAIRN_SEED=%" PRIu64 "\n", seed);
        scenario_make(seed, 20 + (unsigned)(seed % 60));
        test();
        land_free(&s.land);
    }
}

static void whole(void)
{
    expect_in_every_order(false);
}

static void all_kinds_merge_to_one_state_in_every_order(void **state)
{
    (void)state;
    over_seeds(1, whole);
}

/* One log is shut out from some entry on: what it wrote before stays, the rest is as never written
 * to whoever reads the state. */
static void cut_off(void)
{
    unsigned writer = below(3);
    uint32_t size = 1 + below(pen_size(&s.pen[writer]));
    const struct cairn_under *grant = writer < 2 ? &s.land.station[writer] : &s.township;
    struct pen *pen = &s.land.office_pen;
    struct draft draft;

    s.cut[writer] = size;
    cairn_writer_init(&draft.writer, draft.bytes, sizeof draft.bytes);
    cairn_revocation_write(&draft.writer, pen->time_s++, &pen->under, &grant->grant,
                           &s.heads[writer][size], 1);
    draft_write(&draft, pen);
    expect_in_every_order(true);
}

static void what_is_cut_off_replaces_nothing_in_any_order(void **state)
{
    (void)state;
    over_seeds(1001, cut_off);
}

/* The pieces in random order, those of `log` from `size` on only when `takes_tail`. */
static void deliver_until(struct holder *holder, const struct cairn_hash *log, uint32_t size,
                          bool takes_tail)
{
    struct pieces pieces;

    pieces = (struct pieces){0};
    for (size_t i = 0; i < s.land.pieces.count; i++) {
        const struct piece *piece = &s.land.pieces.list[i];
        if (takes_tail || !cairn_hash_equal(&piece->log, log) || piece->run.first < size)
            pieces_add(&pieces, piece);
    }
    shuffle(&pieces);
    holder_open(holder, s.land.statement);
    holder_take_all(holder, &pieces);
    pieces_free(&pieces);
}

/* A log has two histories, and the sequencer covered the one that came second: whoever held the
 * first goes back and ends like whoever never saw it. */
static void forked(void)
{
    unsigned writer = below(WRITERS);
    struct pieces branch = {0};
    struct holder first, second;
    struct draft draft;

    if (pen_size(&s.pen[writer]) < 2)
        return; /* nothing to fork */
    uint32_t size = 1 + below(pen_size(&s.pen[writer]) - 1);
    struct pen pen = s.fork[writer][size];
    pen.out = &branch;
    for (unsigned i = 0; i < 3; i++) {
        draft_change(&draft, &pen, 1);
        draft_create(&draft, KIND_HOUSEHOLD, 500 + i, KIND_MEMBERS, 7);
        draft_write(&draft, &pen);
    }
    deliver_until(&first, &pen.id, size, true);
    deliver_until(&second, &pen.id, size, false);
    for (size_t i = 0; i < branch.count; i++) {
        holder_take_sequenced(&first, &branch.list[i]);
        holder_cover(&first, &pen.id);
        holder_take_sequenced(&second, &branch.list[i]);
        holder_cover(&second, &pen.id);
    }
    char *got = describe_and_close(&first);
    char *want = describe_and_close(&second);
    expect_same_text(got, want, "who held the other history ends otherwise");
    free(got);
    free(want);
    pieces_free(&branch);
}

static void whoever_held_the_other_history_ends_in_the_same_state(void **state)
{
    (void)state;
    over_seeds(2001, forked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_merge_to_one_state_in_every_order),
        cmocka_unit_test(what_is_cut_off_replaces_nothing_in_any_order),
        cmocka_unit_test(whoever_held_the_other_history_ends_in_the_same_state),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
