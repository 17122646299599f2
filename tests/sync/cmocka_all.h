/* cmocka.h with what it needs before it. */

#ifndef CAIRN_TESTS_CMOCKA_ALL_H
#define CAIRN_TESTS_CMOCKA_ALL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
