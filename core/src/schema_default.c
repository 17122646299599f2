/* The table that a new network begins with. The registry's full schema replaces it by version 2. */

#include <string.h>

#include "schema.h"

struct default_field {
    const char *name;
    enum cairn_wire_type wire;
    unsigned flags; /* 1 personal, 2 required */
    const char *label_zh, *label_en;
    const char *choices; /* separated by '|' */
};

#define PERSONAL 1
#define REQUIRED 2

/* A field's number is its place here, from 1, and fixes its type and kind for ever. */
static const struct default_field household_fields[] = {
    {"id", CAIRN_WIRE_DIGITS, 0, "户编号", "official number", NULL},
    {"head", CAIRN_WIRE_TEXT, PERSONAL | REQUIRED, "户主", "head of household", NULL},
    {"members", CAIRN_WIRE_INTEGER, 0, "家庭人口", "members", NULL},
    {"town_name", CAIRN_WIRE_TEXT, 0, "乡镇", "township", NULL},
    {"village_name", CAIRN_WIRE_TEXT, 0, "村", "village", NULL},
    {"income", CAIRN_WIRE_INTEGER, 0, "人均纯收入（元）", "income per head (yuan)", NULL},
    {"cause", CAIRN_WIRE_CHOICE, PERSONAL, "致贫原因", "cause of poverty",
     "因病|因残|因学|因灾|缺土地|缺水|缺技术|缺劳力|缺资金|交通落后|自身发展动力不足"},
    {"ind", CAIRN_WIRE_FLAGS, 0, "十二项指标", "twelve indicators", NULL},
    {"cadre", CAIRN_WIRE_TEXT, 0, "帮扶责任人", "responsible cadre", NULL},
    {"phone", CAIRN_WIRE_DIGITS, PERSONAL, "电话", "phone", NULL},
    {"status", CAIRN_WIRE_CHOICE, 0, "状态", "status", "贫困户|已脱贫|边缘户|脱贫不稳定户|返贫户"},
    {"addr", CAIRN_WIRE_TEXT, PERSONAL, "住址", "address", NULL},
    {"plan", CAIRN_WIRE_TEXT, 0, "帮扶措施", "plan", NULL},
    {"updated", CAIRN_WIRE_DATE, 0, "更新日期", "updated", NULL},
};

static void text_write(struct cairn_writer *writer, const char *text)
{
    cairn_cbor_write_text(writer, text, strlen(text));
}

static size_t choice_count(const char *choices)
{
    size_t count = choices == NULL ? 0 : 1;

    for (; choices != NULL && (choices = strchr(choices, '|')) != NULL; choices++)
        count++;
    return count;
}

static void field_write(struct cairn_writer *writer, uint64_t number,
                        const struct default_field *field)
{
    size_t choices = choice_count(field->choices);
    const char *text = field->choices;

    cairn_cbor_write_array(writer, 7 + 2 * choices);
    cairn_cbor_write_uint(writer, number);
    text_write(writer, field->name);
    cairn_cbor_write_uint(writer, field->wire);
    cairn_cbor_write_uint(writer, CAIRN_MERGE_REGISTER);
    cairn_cbor_write_uint(writer, field->flags);
    text_write(writer, field->label_zh);
    text_write(writer, field->label_en);
    for (size_t i = 1; i <= choices; i++) {
        size_t size = strcspn(text, "|");
        cairn_cbor_write_uint(writer, i);
        cairn_cbor_write_text(writer, text, size);
        text += size + 1;
    }
}

void cairn_schema_default_write(struct cairn_writer *writer)
{
    const size_t count = sizeof household_fields / sizeof household_fields[0];

    cairn_cbor_write_array(writer, 2);
    cairn_cbor_write_uint(writer, 1);
    cairn_cbor_write_array(writer, 4 + count);
    cairn_cbor_write_uint(writer, 1);
    text_write(writer, "household");
    text_write(writer, "户");
    text_write(writer, "household");
    for (size_t i = 0; i < count; i++)
        field_write(writer, i + 1, &household_fields[i]);
}
