/* The generated part of workload W. Every draw stands in the order of the original, since each
 * moves the generator on. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "workload.h"

enum {
    HOUSEHOLD_STEP = 7919, /* seeds of villages and of W6's edits, as the original has them */
    EDITS_STEP = 104729,
    EDITS_OFFSET = 600,
    EDIT_INTERVAL_S = 60,
    CHARACTER_BYTES = 3, /* every character of the lists below, in UTF-8 */
    INDICATORS = 12,
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char surnames[] = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗";
static const char given_names[] =
    "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉红玉华建国志梅春";
static const char visits[] = "一二三四";
static const char *const towns[] = {"龙凤镇", "白杨坪乡", "沐抚办事处",
                                    "板桥镇", "屯堡乡",   "太阳河乡"};
static const char *const villages[] = {"双堰塘村", "马者村",   "营上村",
                                       "大木村",   "洞下槽村", "高台村"};
static const char *const causes[] = {"因病", "因残",   "因学",   "因灾",   "缺土地",
                                     "缺水", "缺技术", "缺劳力", "缺资金", "交通落后"};
static const char *const statuses[] = {"贫困户", "已脱贫", "边缘户", "脱贫不稳定户", "返贫户"};
static const char *const plans[] = {"发展茶叶种植三亩", "养殖生猪五头", "外出务工一人",
                                    "危房改造",         "公益性岗位",   "小额信贷五万元",
                                    "易地搬迁"};
static const char *const phone_starts[] = {"35", "38", "50", "87", "59"};
static const char *const editable[] = {"members", "income", "cause",  "ind",
                                       "cadre",   "phone",  "status", "plan"};

/* mulberry32 (T. Ettinger): 32 bits of state, one multiplication pair a number. */
static uint32_t draw(uint32_t *random)
{
    *random += 0x6D2B79F5u;
    uint32_t t = *random;
    t = (t ^ (t >> 15)) * (t | 1);
    t ^= t + (t ^ (t >> 7)) * (t | 61);
    return t ^ (t >> 14);
}

static unsigned below(uint32_t *random, unsigned bound)
{
    return draw(random) % bound;
}

/* ---- values -------------------------------------------------------------------------------- */

struct text {
    char *bytes; /* of WORKLOAD_VALUE_BYTES, NUL-terminated */
    size_t size;
};

static void text_add(struct text *text, const char *bytes, size_t size)
{
    CAIRN_ASSERT(text->size + size < WORKLOAD_VALUE_BYTES);
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

static void text_add_all(struct text *text, const char *bytes)
{
    text_add(text, bytes, strlen(bytes));
}

static void text_add_number(struct text *text, unsigned number)
{
    char digits[16];

    snprintf(digits, sizeof digits, "%u", number);
    text_add_all(text, digits);
}

static void text_add_character(struct text *text, uint32_t *random, const char *list)
{
    unsigned count = (unsigned)(strlen(list) / CHARACTER_BYTES);

    text_add(text, list + CHARACTER_BYTES * below(random, count), CHARACTER_BYTES);
}

static void text_add_one_of(struct text *text, uint32_t *random, const char *const *list,
                            size_t count)
{
    text_add_all(text, list[below(random, (unsigned)count)]);
}

static void person_make(struct text *text, uint32_t *random)
{
    text_add_character(text, random, surnames);
    text_add_character(text, random, given_names);
    if (below(random, 3) != 0)
        text_add_character(text, random, given_names);
}

static void plan_make(struct text *text, uint32_t *random)
{
    text_add_one_of(text, random, plans, COUNT(plans));
    text_add_all(text, "，每月走访");
    text_add_character(text, random, visits);
    text_add_all(text, "次");
}

static void address_make(struct text *text, uint32_t *random, unsigned village)
{
    text_add_all(text, "恩施市");
    text_add_all(text, towns[village % COUNT(towns)]);
    text_add_number(text, 1 + below(random, 12));
    text_add_all(text, "组");
    text_add_number(text, 1 + below(random, 90));
    text_add_all(text, "号");
}

static void date_make(struct text *text, uint32_t *random)
{
    char date[40];
    unsigned month = 1 + below(random, 12);
    unsigned day = 1 + below(random, 28);

    snprintf(date, sizeof date, "2020-%02u-%02u", month, day);
    text_add_all(text, date);
}

/* The fields that an edit may set. */
static void value_make(struct text *text, uint32_t *random, const char *field)
{
    if (strcmp(field, "members") == 0) {
        text_add_number(text, 1 + below(random, 8));
    } else if (strcmp(field, "income") == 0) {
        text_add_number(text, 1500 + below(random, 9000));
    } else if (strcmp(field, "cause") == 0) {
        text_add_one_of(text, random, causes, COUNT(causes));
    } else if (strcmp(field, "ind") == 0) {
        for (unsigned i = 0; i < INDICATORS; i++)
            text_add(text, below(random, 2) != 0 ? "1" : "0", 1);
    } else if (strcmp(field, "cadre") == 0) {
        person_make(text, random);
    } else if (strcmp(field, "phone") == 0) {
        text_add_all(text, "1");
        text_add_one_of(text, random, phone_starts, COUNT(phone_starts));
        text_add_number(text, 10000000 + below(random, 89999999));
    } else if (strcmp(field, "status") == 0) {
        text_add_one_of(text, random, statuses, COUNT(statuses));
    } else {
        plan_make(text, random);
    }
}

/* ---- households ---------------------------------------------------------------------------- */

void workload_scope(unsigned number, char out_scope[static WORKLOAD_SCOPE_BYTES])
{
    snprintf(out_scope, WORKLOAD_SCOPE_BYTES, "%" PRIu64, UINT64_C(422801100000) + number);
}

static void household_name(unsigned village, unsigned number, struct operation *operation)
{
    char scope[WORKLOAD_SCOPE_BYTES];

    workload_scope(village, scope);
    snprintf(operation->household, sizeof operation->household, "%.12s%04u", scope,
             (number + 1) % 10000);
}

/* The next field of `operation`, empty. */
static struct text field_add(struct operation *operation, const char *name)
{
    CAIRN_ASSERT(operation->field_count < WORKLOAD_FIELDS_MAX);
    struct operation_field *field = &operation->fields[operation->field_count++];

    field->name = name;
    field->value[0] = '\0';
    return (struct text){field->value, 0};
}

static void field_make(struct operation *operation, uint32_t *random, const char *name)
{
    struct text text = field_add(operation, name);

    value_make(&text, random, name);
}

static void household_make(uint32_t *random, unsigned village, unsigned number,
                           struct operation *out_operation)
{
    struct text text;

    *out_operation = (struct operation){.station = village, .is_new = true};
    household_name(village, number, out_operation);
    text = field_add(out_operation, "id");
    text_add_all(&text, out_operation->household);
    text = field_add(out_operation, "head");
    person_make(&text, random);
    field_make(out_operation, random, "members");
    text = field_add(out_operation, "town_name");
    text_add_all(&text, towns[village % COUNT(towns)]);
    text = field_add(out_operation, "village_name");
    text_add_all(&text, villages[village % COUNT(villages)]);
    field_make(out_operation, random, "income");
    field_make(out_operation, random, "cause");
    field_make(out_operation, random, "ind");
    field_make(out_operation, random, "cadre");
    field_make(out_operation, random, "phone");
    field_make(out_operation, random, "status");
    text = field_add(out_operation, "addr");
    address_make(&text, random, village);
    field_make(out_operation, random, "plan");
    text = field_add(out_operation, "updated");
    date_make(&text, random);
}

void workload_village(unsigned number, struct operation *out_operations, size_t count)
{
    uint32_t random = (uint32_t)WORKLOAD_SEED * HOUSEHOLD_STEP + number;

    for (size_t i = 0; i < count; i++)
        household_make(&random, number, (unsigned)i, &out_operations[i]);
}

/* ---- edits --------------------------------------------------------------------------------- */

static void order_shuffle(struct workload_edits *edits)
{
    for (unsigned i = 0; i < VILLAGE_HOUSEHOLDS; i++)
        edits->order[i] = i;
    for (unsigned i = VILLAGE_HOUSEHOLDS - 1; i > 0; i--) {
        unsigned j = below(&edits->random, i + 1);
        unsigned moved = edits->order[i];
        edits->order[i] = edits->order[j];
        edits->order[j] = moved;
    }
}

void workload_edits_init(struct workload_edits *edits, unsigned village)
{
    *edits = (struct workload_edits){
        .village = village,
        .random = (uint32_t)WORKLOAD_SEED * EDITS_STEP + EDITS_OFFSET + village,
    };
}

void workload_edits_next(struct workload_edits *edits, struct operation *out_operation)
{
    unsigned place = (unsigned)(edits->count % VILLAGE_HOUSEHOLDS);

    if (place == 0)
        order_shuffle(edits);
    *out_operation = (struct operation){
        .station = edits->village,
        .time_s = WORKLOAD_START_S + edits->count * EDIT_INTERVAL_S,
    };
    household_name(edits->village, edits->order[place], out_operation);
    field_make(out_operation, &edits->random, editable[below(&edits->random, COUNT(editable))]);
    edits->count++;
}
