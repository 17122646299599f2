#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "things.h"

static const char schema[] = DESK_THING
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
    "      - {number: 2, name: official, zh: 号, en: number, type: digits, alias: yes}\n"
    "      - {number: 3, name: note, zh: 记, en: note, type: text, indexed: yes}\n"
    "      - {number: 4, name: count, zh: 数, en: count, type: integer, bands: [10, 20], "
    "indexed: yes}\n"
    "      - {number: 5, name: price, zh: 价, en: price, type: money, indexed: yes}\n"
    "      - {number: 6, name: day, zh: 日, en: day, type: date, indexed: yes}\n"
    "      - {number: 7, name: flags, zh: 标, en: flags, type: flags, indexed: yes}\n"
    "      - {number: 8, name: good, zh: 好, en: good, type: yes-no, indexed: yes}\n"
    "      - {number: 9, name: kind, zh: 类, en: kind, type: choice, open: yes, indexed: yes,\n"
    "         choices: [{number: 1, text: 甲, en: first}, {number: 2, text: 乙, en: second}]}\n"
    "      - {number: 10, name: kinds, zh: 多类, en: kinds, type: choices,\n"
    "         choices: [{number: 1, text: 甲, en: first}, {number: 2, text: 乙, en: second}]}\n"
    "      - {number: 11, name: words, zh: 词, en: words, type: text, merge: set}\n"
    "      - {number: 12, name: total, zh: 计, en: total, type: integer, merge: counter}\n"
    "      - {number: 13, name: of, zh: 属, en: of, type: reference, to: thing}\n"
    "      - {number: 14, name: with, zh: 同, en: with, type: references, to: thing}\n"
    "      - {number: 15, name: secret, zh: 密, en: secret, type: text, personal: yes, "
    "indexed: yes}\n"
    "      - {number: 16, name: sex, zh: 性, en: sex, type: choice, personal: yes, indexed: yes,\n"
    "         choices: [{number: 1, text: 男, en: male}, {number: 2, text: 女, en: female}]}\n"
    "      - {number: 17, name: stand, zh: 状, en: stand, type: workflow}\n"
    "    states:\n"
    "      - {number: 1, name: new, zh: 新, en: fresh}\n"
    "      - {number: 2, name: ready, zh: 已备, en: prepared}\n"
    "    moves:\n"
    "      - {number: 1, name: make, zh: 备, en: make, from: new, to: ready, steps: [prefecture]}\n"
    "    indicators:\n"
    "      - {number: 1, name: plenty, zh: 足, en: enough, field: count, test: at-least, "
    "threshold: 10}\n"
    "      - {number: 2, name: cheap, zh: 廉, en: cheap, field: price, test: at-most, "
    "threshold: 0.50}\n"
    "      - {number: 3, name: best, zh: 优, en: best, field: kind, test: is, threshold: 甲}\n"
    "      - {number: 4, name: one, zh: 一, en: one, field: flags, test: flag, threshold: 1}\n"
    "      - {number: 5, name: three, zh: 三, en: three, field: flags, test: flag, "
    "threshold: 3}\n"
    "  - number: 2\n"
    "    name: sale\n"
    "    zh: 售\n"
    "    en: sale\n"
    "    fields:\n"
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
    "      - {number: 2, name: amount, zh: 额, en: amount, type: money, "
    "bands: [-1.50, 0, 250.50]}\n"
    "      - {number: 3, name: units, zh: 件, en: units, type: integer}\n"
    "  - number: 3\n"
    "    name: odd\n"
    "    zh: 奇\n"
    "    en: odd\n"
    "    fields:\n"
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n"
    "      - {number: 2, name: band, zh: 带, en: band, type: text}\n"
    "      - {number: 3, name: conflict, zh: 冲, en: conflict, type: text}\n"
    "      - {number: 4, name: id, zh: 号, en: number, type: text}\n"
    "      - {number: 5, name: state, zh: 态, en: state, type: text}\n"
    "      - {number: 6, name: failed, zh: 败, en: failed, type: text}\n"
    "  - number: 4\n"
    "    name: fair\n"
    "    zh: 集\n"
    "    en: fair\n"
    "    fields:\n"
    "      - {number: 1, name: name, zh: 名, en: name, type: text, required: yes}\n";

static void step(const char *name)
{
    const struct cairn_step one = {.id = desk_id(name), .move = "make"};
    const struct cairn_version *standing;

    machine_must(&desk, cairn_step(desk.replica, &one, &standing, &desk.err));
}

int things_setup(void **state)
{
    static const struct cairn_field_value a[] = {
        {"official", "100"}, {"note", "apple"},     {"count", "5"},          {"price", "0.49"},
        {"flags", "101"},    {"day", "2020-01-01"}, {"good", "yes"},         {"kind", "甲"},
        {"kinds", "甲|乙"},  {"total", "7"},        {"words", "alpha|beta"}, {"secret", "s1"},
        {"sex", "男"},       {NULL, NULL}};
    static const struct cairn_field_value b[] = {
        {"official", "B-1"}, {"note", "apple pie"}, {"count", "10"}, {"price", "0.50"},
        {"flags", "011"},    {"day", "2020-06-30"}, {"good", "no"},  {"kind", "丙"},
        {"kinds", "乙"},     {"total", "-3"},       {"of", "@a"},    {"words", "beta"},
        {"secret", "s2"},    {"sex", "女"},         {NULL, NULL}};
    static const struct cairn_field_value c[] = {{"official", "300"}, {"note", THINGS_LONG "a"},
                                                 {"count", "20"},     {"price", "100"},
                                                 {"flags", "111"},    {"day", "2021-02-28"},
                                                 {"good", "yes"},     {"kind", "乙"},
                                                 {"total", "12"},     {"of", "@a"},
                                                 {"with", "@a|@b"},   {"words", "alpha"},
                                                 {NULL, NULL}};
    static const struct cairn_field_value e[] = {{"official", "0300"}, {"note", THINGS_LONG "b"},
                                                 {"count", "-4"},      {"price", "-1.50"},
                                                 {"flags", "1"},       {"kind", "甲"},
                                                 {"with", "@b"},       {"of", "@c"},
                                                 {NULL, NULL}};

    (void)state;
    desk_open(schema);
    desk_put("thing", DESK_VILLAGE, "a", a);
    desk_put("thing", DESK_VILLAGE, "b", b);
    desk_put("thing", DESK_NEXT_VILLAGE, "c", c);
    desk_put("thing", DESK_NEXT_VILLAGE, "e", e);
    desk_put("thing", DESK_FAR_VILLAGE, "d", NULL);
    desk_put("thing", DESK_NEXT_VILLAGE, "gone", e);
    desk_put("odd", DESK_NEXT_VILLAGE, "other", NULL);
    step("e");
    step("gone");
    machine_must(&desk, cairn_delete(desk.replica, "thing", desk_id("gone"), "test", &desk.err));
    return 0;
}

int things_teardown(void **state)
{
    (void)state;
    desk_close();
    return 0;
}
