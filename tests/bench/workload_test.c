/* The workload is the same everywhere: what this program makes is what the files hold. */

#include "workload.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_generator_repeats_the_first_file(void **state)
{
    struct operation *made = calloc(VILLAGE_HOUSEHOLDS, sizeof *made);
    struct cairn_err err = {.translate = NULL};
    struct workload w1;

    (void)state;
    assert_non_null(made);
    assert_int_equal(workload_load(CAIRN_BENCH_WORKLOAD, "W1.jsonl", &w1, &err), CAIRN_OK);
    assert_int_equal(w1.count, VILLAGE_HOUSEHOLDS);
    workload_village(0, made, VILLAGE_HOUSEHOLDS);
    for (size_t i = 0; i < w1.count; i++) {
        assert_true(w1.operations[i].is_new);
        assert_string_equal(made[i].household, w1.operations[i].household);
        assert_int_equal(made[i].field_count, w1.operations[i].field_count);
        for (size_t f = 0; f < made[i].field_count; f++) {
            assert_string_equal(made[i].fields[f].name, w1.operations[i].fields[f].name);
            assert_string_equal(made[i].fields[f].value, w1.operations[i].fields[f].value);
        }
    }
    workload_release(&w1);
    free(made);
}

/* As the original generator gives them: the last edit of the last village stands for all before. */
static void the_edits_of_w6_are_those_of_the_original(void **state)
{
    struct workload_edits edits;
    struct operation edit;

    (void)state;
    workload_edits_init(&edits, 99);
    for (int i = 0; i < 1000; i++)
        workload_edits_next(&edits, &edit);
    assert_string_equal(edit.household, "4228011000990001");
    assert_string_equal(edit.fields[0].name, "members");
    assert_string_equal(edit.fields[0].value, "2");
    assert_int_equal(edit.time_s, 1591979940);
}

static void a_line_that_is_no_operation_is_named(void **state)
{
    char folder[] = "workload_test-XXXXXX";
    char path[64];
    struct cairn_err err = {.translate = NULL};
    struct workload workload;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/W2.jsonl", folder);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("{\"op\":\"set\",\"st\":0,\"hh\":\"4228011000000183\",\"f\":\"nonsense\",\"v\":1}\n",
          file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(workload_load(folder, "W2.jsonl", &workload, &err), CAIRN_BAD_INPUT);
    assert_non_null(strstr(err.text, "W2.jsonl:1: this is no operation"));
    remove(path);
    remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_repeats_the_first_file),
        cmocka_unit_test(the_edits_of_w6_are_those_of_the_original),
        cmocka_unit_test(a_line_that_is_no_operation_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
