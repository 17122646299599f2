/*
 * things.h: a desk with five records of a type that has every kind of field, for tests of queries;
 * what each of them holds stands in things.c. By place and id they are a b c e d, of three
 * villages; one more was deleted, and one is of another type.
 */

#ifndef CAIRN_TESTS_THINGS_H
#define CAIRN_TESTS_THINGS_H

#include "desk.h"

/* Notes that begin so are alike as far as an index holds texts. */
#define THINGS_LONG "x0123456789012345678901234567890123456789012345678901234567890123456789"

int things_setup(void **state);
int things_teardown(void **state);

#define THINGS_TEST(name) cmocka_unit_test_setup_teardown(name, things_setup, things_teardown)

#endif
