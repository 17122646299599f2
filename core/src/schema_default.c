/* The table that a new network begins with. The registry's full schema replaces it by version 2. */

#include <string.h>

#include "schema.h"

struct default_field {
    const char *name;
    enum cairn_wire_type wire;
    unsigned flags; /* PERSONAL, ... */
    const char *label_zh, *label_en;
    const char *choices; /* separated by '|' */
};

#define PERSONAL 1
#define REQUIRED 2
#define INDEXED 4
#define ALIAS 8

/* Households are counted by the line of 4,200 yuan a head, and by how near above it they live. */
static const int64_t income_bands[] = {4200, 4500, 5000};
#define INCOME_BANDS (sizeof income_bands / sizeof income_bands[0])

/* A field's number is its place here, from 1, and fixes its type and kind for ever. */
static const struct default_field household_fields[] = {
    {"id", CAIRN_WIRE_DIGITS, ALIAS, "户编号", "official number", NULL},
    {"head", CAIRN_WIRE_TEXT, PERSONAL | REQUIRED, "户主", "head of household", NULL},
    {"members", CAIRN_WIRE_INTEGER, 0, "家庭人口", "members", NULL},
    {"town_name", CAIRN_WIRE_TEXT, 0, "乡镇", "township", NULL},
    {"village_name", CAIRN_WIRE_TEXT, 0, "村", "village", NULL},
    {"income", CAIRN_WIRE_INTEGER, INDEXED, "人均纯收入（元）", "income per head (yuan)", NULL},
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

#define FIELD_COUNT (sizeof household_fields / sizeof household_fields[0])
#define CHOICES_MAX 16
#define CHOICE_BYTES_MAX 64

/* Cut "a|b|c" into choices numbered from 1, their texts in `texts`. */
static size_t choices_cut(const char *list, struct cairn_choice choices[static CHOICES_MAX],
                          char texts[static CHOICES_MAX][CHOICE_BYTES_MAX])
{
    size_t count = 0;

    while (list != NULL && list[0] != '\0') {
        size_t size = strcspn(list, "|");
        CAIRN_ASSERT(count < CHOICES_MAX && size < CHOICE_BYTES_MAX);
        memcpy(texts[count], list, size);
        texts[count][size] = '\0';
        choices[count] = (struct cairn_choice){count + 1, texts[count], ""};
        count++;
        list += size + (list[size] == '|');
    }
    return count;
}

void cairn_schema_default_write(struct cairn_writer *writer)
{
    struct cairn_field fields[FIELD_COUNT];
    struct cairn_choice choices[FIELD_COUNT][CHOICES_MAX];
    char texts[FIELD_COUNT][CHOICES_MAX][CHOICE_BYTES_MAX];
    struct cairn_type type = {.number = 1,
                              .name = "household",
                              .label_zh = "户",
                              .label_en = "household",
                              .fields = fields,
                              .field_count = FIELD_COUNT};
    struct cairn_schema schema = {.version = 1, .types = &type, .type_count = 1};

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct default_field *from = &household_fields[i];
        fields[i] = (struct cairn_field){.number = i + 1,
                                         .name = from->name,
                                         .label_zh = from->label_zh,
                                         .label_en = from->label_en,
                                         .wire = from->wire,
                                         .is_personal = (from->flags & PERSONAL) != 0,
                                         .is_required = (from->flags & REQUIRED) != 0,
                                         .is_indexed = (from->flags & INDEXED) != 0,
                                         .is_alias = (from->flags & ALIAS) != 0,
                                         .unit = "",
                                         .choices = choices[i]};
        if (fields[i].is_indexed) {
            fields[i].bands = income_bands;
            fields[i].band_count = INCOME_BANDS;
        }
        fields[i].choice_count = choices_cut(from->choices, choices[i], texts[i]);
    }
    cairn_schema_write(writer, &schema);
}
