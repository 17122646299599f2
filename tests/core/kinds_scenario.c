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

#include "kinds_scenario.h"
#include "kinds_table.h"
#include "shuffled.h"
#include "verdict.h"

struct kinds_scenario kinds;

unsigned kinds_below(size_t bound)
{
    return random_below(&kinds.state, bound);
}

static bool at_equal(struct kinds_at a, struct kinds_at b)
{
    return a.writer == b.writer && a.index == b.index;
}

/* ---- the model ----------------------------------------------------------------------------- */

/* Does it count for `viewer`, who holds only what it has seen? -1: everything is held. */
static bool counts(const struct kinds_version *version, int viewer)
{
    if (version->reason != 0)
        return false;
    return viewer < 0 ? version->at.index < kinds.cut[version->at.writer]
                      : version->at.index < kinds.seen[viewer][version->at.writer];
}

static bool replaces(const struct kinds_version *by, const struct kinds_version *old)
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

static bool is_live(const struct kinds_version *version, int viewer)
{
    if (!counts(version, viewer) || version->what == TAKES_AWAY)
        return false;
    for (size_t i = 0; i < kinds.version_count; i++)
        if (counts(&kinds.versions[i], viewer) && replaces(&kinds.versions[i], version))
            return false;
    return true;
}

/* Two values, or two steps, of one field; or a deletion beside something that it would take away.
 */
static bool model_has_conflict(unsigned record)
{
    bool has_deletion = false, has_other = false, has_two = false;

    for (size_t i = 0; i < kinds.version_count; i++) {
        const struct kinds_version *one = &kinds.versions[i];
        if (one->record != record || !is_live(one, -1))
            continue;
        has_deletion = has_deletion || one->what == DELETION;
        has_other = has_other || (one->what != DELETION && one->what != STEP);
        for (size_t j = 0; j < i; j++)
            has_two =
                has_two ||
                (kinds.versions[j].record == record && one->what == kinds.versions[j].what &&
                 kinds.versions[j].field == one->field &&
                 (one->what == VALUE || one->what == STEP) && is_live(&kinds.versions[j], -1));
    }
    return has_deletion ? has_other : has_two;
}

static int line_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void id_text(unsigned writer, char out[static 17])
{
    sodium_bin2hex(out, 17, kinds.pen[writer].id.bytes, 8);
}

static void value_text(const struct kinds_version *version, char out[static 65])
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
char *kinds_model(void)
{
    static char lines[3 * KINDS_VERSIONS_MAX][LINE_BYTES];
    char *text = calloc(3 * KINDS_VERSIONS_MAX, LINE_BYTES);
    char id[17], writer[17], value[65];
    size_t count = 0, size = 0;

    assert_non_null(text);
    for (unsigned r = 0; r < kinds.record_count; r++) {
        id_text(kinds.records[r].writer, id);
        if (model_has_conflict(r))
            snprintf(lines[count++], LINE_BYTES, "conflict %s %u\n", id, kinds.records[r].index);
    }
    for (size_t i = 0; i < kinds.version_count; i++) {
        const struct kinds_version *one = &kinds.versions[i];
        id_text(kinds.records[one->record].writer, id);
        id_text(one->at.writer, writer);
        if (one->reason != 0 && one->at.index < kinds.cut[one->at.writer] &&
            (i == 0 || !at_equal(one[-1].at, one->at)))
            snprintf(lines[count++], LINE_BYTES, "verdict %s %u: %d, %d\n", writer, one->at.index,
                     (int)CAIRN_INVALID, one->reason);
        if (!is_live(one, -1))
            continue;
        value_text(one, value);
        snprintf(lines[count++], LINE_BYTES,
                 "live %s %u field %" PRIu64 " by %s %u at %" PRIu64 "\n", id,
                 kinds.records[one->record].index, one->field, writer, one->at.index, one->time_s);
        snprintf(lines[count++], LINE_BYTES, "value %s %u field %" PRIu64 " by %s %u: %s\n", id,
                 kinds.records[one->record].index, one->field, writer, one->at.index, value);
    }
    qsort(lines, count, sizeof lines[0], line_compare);
    for (size_t i = 0; i < count; i++)
        size += (size_t)sprintf(text + size, "%s", lines[i]);
    return text;
}

/* What of a description the model speaks of. */
char *kinds_of_the_model(const char *description)
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
    uint32_t size = pen_size(&kinds.pen[writer]);

    kinds.seen[writer][writer] = size;
    kinds.heads[writer][size] = pen_head(&kinds.pen[writer]);
    kinds.fork[writer][size] = kinds.pen[writer];
    kinds.pen[writer].time_s = PEN_TIME + kinds_below(1000); /* clocks mean nothing */
}

static struct kinds_version *version_add(unsigned writer, unsigned record, uint64_t field,
                                         enum kinds_what what)
{
    struct kinds_version *version = &kinds.versions[kinds.version_count++];

    assert_true(kinds.version_count <= KINDS_VERSIONS_MAX);
    *version = (struct kinds_version){.at = {writer, pen_size(&kinds.pen[writer])},
                                      .record = record,
                                      .field = field,
                                      .what = what,
                                      .time_s = kinds.pen[writer].time_s};
    return version;
}

/* The number under which the writer may name an entry; announces its log when it has not. */
static struct cairn_local_dot name(struct making *m, struct kinds_at at)
{
    unsigned writer = m->writer, other = at.writer;
    uint32_t size = kinds.seen[writer][other];

    if (other == writer)
        return (struct cairn_local_dot){0, at.index};
    assert_true(at.index < size);
    if (kinds.number[writer][other] == 0) {
        kinds.number[writer][other] = ++kinds.announced_count[writer];
        draft_announce_first(&m->announcements, &kinds.heads[other][size]);
    } else if (kinds.announced[writer][other] <= at.index) {
        draft_announce(&m->announcements, kinds.number[writer][other], &kinds.heads[other][size]);
    } else {
        return (struct cairn_local_dot){kinds.number[writer][other], at.index};
    }
    kinds.announced[writer][other] = size;
    m->announcement_count++;
    return (struct cairn_local_dot){kinds.number[writer][other], at.index};
}

static void making_begin(struct making *m, unsigned writer, unsigned record)
{
    *m = (struct making){.writer = writer, .record = record, .first_version = kinds.version_count};
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
    for (size_t i = m->first_version; i < kinds.version_count; i++)
        reason = reason == 0 ? kinds.versions[i].reason : reason;
    for (size_t i = m->first_version; i < kinds.version_count; i++)
        kinds.versions[i].reason = reason;
    draft_change(&draft, &kinds.pen[m->writer],
                 m->announcement_count + m->item_count + m->has_settlement);
    struct cairn_bytes before = cairn_writer_bytes(&m->announcements.writer);
    struct cairn_bytes items = cairn_writer_bytes(&m->items.writer);
    cairn_write_bytes(&draft.writer, before.data, before.size);
    cairn_write_bytes(&draft.writer, items.data, items.size);
    if (m->has_settlement)
        draft_reason(&draft);
    draft_write(&draft, &kinds.pen[m->writer]);
    wrote(m->writer);
}

/* Write the item of `version`, whose value and names stand in it. */
static void item_write(struct making *m, struct kinds_version *version, uint64_t number)
{
    struct cairn_operation op = {
        .number = number,
        .record = name(m, kinds.records[m->record]),
        .field = number == CAIRN_ITEM_DELETE ? 0 : version->field,
        .value = {.kind = CAIRN_VALUE_INTEGER, .integer = version->integer}};

    if (version->is_record)
        op.value = (struct cairn_value){.kind = CAIRN_VALUE_DOT, .dot = version->dot};
    if (version->what == STEP)
        op.value =
            (struct cairn_value){.kind = CAIRN_VALUE_POSITION, .position = version->position};
    struct cairn_local_dot named[KINDS_NAMED_MAX];
    for (size_t i = 0; i < version->named_count; i++)
        named[i] = name(m, version->named[i]);
    cairn_write_begin(&m->items.writer, &op, version->named_count);
    for (size_t i = 0; i < version->named_count; i++)
        cairn_local_dot_write(&m->items.writer, named[i]);
    m->item_count++;
}

/* Name live versions of the field that the writer sees: all, its own or the others'; some not. */
static void names_choose(struct kinds_version *version, bool names_own, bool names_others)
{
    for (size_t i = 0; i + 1 < kinds.version_count && version->named_count < KINDS_NAMED_MAX; i++) {
        const struct kinds_version *old = &kinds.versions[i];
        bool is_own = old->at.writer == version->at.writer;
        if (old->record != version->record || !is_live(old, (int)version->at.writer) ||
            old->at.index == version->at.index ||
            (version->what != DELETION && old->field != version->field) ||
            !(is_own ? names_own : names_others) || kinds_below(8) == 0)
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
    if (kinds.record_count == KINDS_RECORDS_MAX)
        return;
    kinds.records[kinds.record_count] = (struct kinds_at){writer, pen_size(&kinds.pen[writer])};
    struct kinds_version *alive = version_add(writer, kinds.record_count, 0, VALUE);
    alive->integer = 1;
    struct kinds_version *members = version_add(writer, kinds.record_count, KIND_MEMBERS, VALUE);
    members->integer = kinds_below(10);
    kinds.record_count++;
    pen_create(&kinds.pen[writer], kinds.record_count, KIND_MEMBERS, members->integer);
    wrote(writer);
}

static void write_value(struct making *m, bool settles)
{
    bool restores = settles && kinds_below(3) == 0;
    uint64_t field = restores ? 0 : kinds_below(2) == 0 ? KIND_INCOME : KIND_MEMBERS;
    struct kinds_version *version = version_add(m->writer, m->record, field, VALUE);

    version->integer = restores ? 1 : (int64_t)kinds_below(100);
    names_choose(version, kinds_below(4) == 0, true);
    m->has_settlement = m->has_settlement || settles;
    item_write(m, version, settles ? CAIRN_ITEM_SETTLE : CAIRN_ITEM_SET);
}

static void write_element(struct making *m)
{
    unsigned other = kinds_below(kinds.record_count);
    bool is_same = kinds_below(3) == 0 &&
                   kinds.records[other].index < kinds.seen[m->writer][kinds.records[other].writer];
    struct kinds_version *version =
        version_add(m->writer, m->record, is_same ? KIND_SAME : KIND_NEEDS, ELEMENT);

    version->is_record = is_same;
    if (is_same)
        version->dot = name(m, kinds.records[other]);
    else
        version->integer = kinds_below(4);
    item_write(m, version, CAIRN_ITEM_ADD);
}

static void write_removal(struct making *m)
{
    static const uint64_t fields[] = {KIND_NEEDS, KIND_SAME, KIND_POINTS};
    struct kinds_version *version =
        version_add(m->writer, m->record, fields[kinds_below(3)], TAKES_AWAY);

    names_choose(version, true, true);
    if (version->named_count == 0)
        version->reason = CAIRN_WHY_SHAPE; /* it must say what */
    item_write(m, version, CAIRN_ITEM_REMOVE);
}

static void write_difference(struct making *m)
{
    struct kinds_version *version = version_add(m->writer, m->record, KIND_POINTS, DIFFERENCE);

    version->integer = (int64_t)kinds_below(21) - 10;
    if (kinds_below(3) == 0)
        names_choose(version, true, false);
    for (size_t n = 0; n < version->named_count; n++)
        for (size_t i = 0; i + 1 < kinds.version_count; i++)
            if (kinds.versions[i].what == DIFFERENCE &&
                at_equal(kinds.versions[i].at, version->named[n]) &&
                kinds.versions[i].record == m->record)
                version->integer += kinds.versions[i].integer;
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

    if (!is_still && kinds_below(5) == 0) {
        *out = (struct cairn_position){from->state, 0, 0};
        return true; /* all three have a part in both long moves */
    }
    out->move = !is_still                        ? from->move
                : from->state == KIND_IDENTIFIED ? KIND_REGISTER
                : from->state == KIND_EXITED     ? KIND_RETURN
                                                 : KIND_EXIT;
    out->stage = is_still ? 0 : from->stage + 1;
    out->state = out->stage + 1 == steps[out->move] ? to[out->move] : from->state;
    return roles[out->stage] == kinds.role[writer];
}

static void write_step(struct making *m)
{
    struct kinds_version *version = version_add(m->writer, m->record, KIND_STATUS, STEP);
    struct cairn_position from = {KIND_IDENTIFIED, 0, 0};
    int before = 0;

    names_choose(version, true, true);
    for (size_t i = 0; version->named_count > 0 && i + 1 < kinds.version_count; i++)
        if (kinds.versions[i].what == STEP && at_equal(kinds.versions[i].at, version->named[0]))
            from = kinds.versions[i].position;
    /* Now and then after a step that has no effect. */
    for (size_t i = 0; version->named_count == 0 && i + 1 < kinds.version_count; i++) {
        const struct kinds_version *old = &kinds.versions[i];
        if (old->what == STEP && old->record == m->record && old->reason != 0 &&
            old->at.index < kinds.seen[m->writer][old->at.writer] &&
            old->at.index != version->at.index && kinds_below(2) == 0) {
            version->named[version->named_count++] = old->at;
            from = old->position;
            before = CAIRN_WHY_STEP_BEFORE;
        }
    }
    bool is_right = step_right(m->writer, &from, &version->position);
    if (is_right && kinds_below(10) == 0 && version->position.move != 0) {
        version->position.stage++; /* skips one */
        version->reason = CAIRN_WHY_STEP_ORDER;
    } else if (!is_right) {
        version->reason = CAIRN_WHY_STEP_ROLE;
    }
    if (before != 0)
        version->reason = before;
    if (!is_right && kinds_below(3) > 0) {
        kinds.version_count--; /* mostly an honest program: it does not write it */
        return;
    }
    item_write(m, version, CAIRN_ITEM_STEP);
}

static void write_deletion(struct making *m)
{
    struct kinds_version *version = version_add(m->writer, m->record, 0, DELETION);

    names_choose(version, false, true);
    item_write(m, version, CAIRN_ITEM_DELETE);
}

/* One entry with one or two writes of different fields. */
static void act_write(unsigned writer, unsigned record)
{
    struct making m;

    making_begin(&m, writer, record);
    switch (kinds_below(12)) {
    case 0:
    case 1:
        write_value(&m, false);
        break;
    case 2:
        write_value(&m, true);
        break;
    case 3:
        if (kinds_below(2) == 0)
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
    for (unsigned i = 0; i < KINDS_WRITERS; i++)
        if (kinds.seen[other][i] > kinds.seen[writer][i])
            kinds.seen[writer][i] = kinds.seen[other][i];
}

static bool knows(unsigned writer, unsigned record)
{
    return record < kinds.record_count &&
           kinds.records[record].index < kinds.seen[writer][kinds.records[record].writer];
}

static void act(void)
{
    unsigned writer = kinds_below(KINDS_WRITERS);
    unsigned record = kinds.record_count == 0 ? 0 : kinds_below(kinds.record_count);

    if (kinds_below(12) == 0)
        act_create(writer);
    else if (kinds_below(4) == 0)
        act_meet(writer, kinds_below(KINDS_WRITERS));
    else if (knows(writer, record))
        act_write(writer, record);
}

static void writers_begin(void)
{
    land_keys(&kinds.township_keys, "T", 20);
    kinds.township = land_grant(&kinds.land.office_pen, &kinds.township_keys, VILLAGE / 1000,
                                CAIRN_ROLE_TOWNSHIP, CAIRN_BIT_RECORDS, 0, "T");
    land_station_pen(&kinds.land, &kinds.pen[0], 0);
    land_station_pen(&kinds.land, &kinds.pen[1], 1);
    pen_begin(&kinds.pen[2], &kinds.township_keys, &kinds.land.network, VILLAGE,
              CAIRN_CHANNEL_RECORDS, &kinds.township, 1, 120, &kinds.land.pieces);
    pen_begin(&kinds.pen[3], &kinds.land.office_keys, &kinds.land.network, VILLAGE,
              CAIRN_CHANNEL_RECORDS, &kinds.land.office, 1, 121, &kinds.land.pieces);
    kinds.role[0] = kinds.role[1] = CAIRN_ROLE_STATION;
    kinds.role[2] = CAIRN_ROLE_TOWNSHIP;
    kinds.role[3] = CAIRN_ROLE_COUNTY;
    for (unsigned i = 0; i < KINDS_WRITERS; i++) {
        kinds.cut[i] = KINDS_NEVER;
        wrote(i);
    }
}

void kinds_make(uint64_t seed, unsigned acts)
{
    memset(&kinds, 0, sizeof kinds);
    kinds.state = seed;
    land_init_with(&kinds.land, kinds_table_write);
    writers_begin();
    act_create(0);
    for (unsigned i = 1; i < KINDS_WRITERS; i++)
        act_meet(i, 0);
    for (unsigned i = 0; i < acts; i++)
        act();
}
