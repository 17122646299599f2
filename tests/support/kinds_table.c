#include "kinds_table.h"

#include "cairn/grant.h"
#include "schema.h"

#define FIELD(n, text, wire_, merge_)                                                  \
    .number = (n), .name = (text), .label_zh = (text), .label_en = (text), .unit = "", \
    .wire = CAIRN_WIRE_##wire_, .merge = CAIRN_MERGE_##merge_
#define NAMED(n, text) .number = (n), .name = (text), .label_zh = (text), .label_en = (text)

static const struct cairn_field household_fields[] = {
    {FIELD(KIND_HEAD, "head", TEXT, REGISTER)},
    {FIELD(KIND_INCOME, "income", INTEGER, REGISTER)},
    {FIELD(KIND_MEMBERS, "members", INTEGER, REGISTER)},
    {FIELD(KIND_NEEDS, "needs", INTEGER, SET)},
    {FIELD(KIND_POINTS, "points", INTEGER, COUNTER)},
    {FIELD(KIND_STATUS, "status", INTEGER, WORKFLOW)},
    {FIELD(KIND_SAME, "same", REFERENCE, SET), .is_same = true, .target = KIND_HOUSEHOLD},
    {FIELD(KIND_CAUSES, "causes", TEXT, SET)},
    {FIELD(KIND_PHONE, "phone", TEXT, REGISTER), .is_personal = true},
    {FIELD(KIND_CADRE_OF, "cadre", REFERENCE, REGISTER), .target = KIND_CADRE},
};
static const struct cairn_field cadre_fields[] = {{FIELD(1, "name", TEXT, REGISTER)}};
static const struct cairn_workflow_state states[] = {
    {NAMED(KIND_IDENTIFIED, "identified")},
    {NAMED(KIND_REGISTERED, "registered")},
    {NAMED(KIND_EXITED, "exited")},
};
static const uint64_t from_identified[] = {KIND_IDENTIFIED};
static const uint64_t from_registered[] = {KIND_REGISTERED};
static const uint64_t from_exited[] = {KIND_EXITED};
static const uint64_t all_roles[] = {CAIRN_ROLE_STATION, CAIRN_ROLE_TOWNSHIP, CAIRN_ROLE_COUNTY};
static const struct cairn_move moves[] = {
    {NAMED(KIND_REGISTER, "register"), .from = from_identified, .from_count = 1,
     .to = KIND_REGISTERED, .roles = all_roles, .step_count = 3},
    {NAMED(KIND_EXIT, "exit"), .from = from_registered, .from_count = 1, .to = KIND_EXITED,
     .roles = all_roles, .step_count = 3},
    {NAMED(KIND_RETURN, "return"), .from = from_exited, .from_count = 1, .to = KIND_REGISTERED,
     .roles = all_roles, .step_count = 1},
};

void kinds_table_write(struct cairn_writer *writer)
{
    const struct cairn_type types[] = {
        {NAMED(KIND_HOUSEHOLD, "household"), .fields = household_fields,
         .field_count = sizeof household_fields / sizeof household_fields[0], .states = states,
         .state_count = sizeof states / sizeof states[0], .moves = moves,
         .move_count = sizeof moves / sizeof moves[0]},
        {NAMED(KIND_CADRE, "cadre"), .fields = cadre_fields, .field_count = 1},
    };
    const struct cairn_schema schema = {.version = 1, .types = types, .type_count = 2};

    cairn_schema_write(writer, &schema);
}
