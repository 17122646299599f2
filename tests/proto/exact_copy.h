/* exact_copy.h: a block of its own size, so that the address sanitizer sees one byte too far.
 * Include after <cmocka.h>. */

#ifndef CAIRN_TESTS_EXACT_COPY_H
#define CAIRN_TESTS_EXACT_COPY_H

#include <stdlib.h>
#include <string.h>

#include "cairn/bytes.h"

/* Exactly as large as the bytes, as vectors_unhex() does; for vectors_bytes_free(). */
static inline struct cairn_bytes exact_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    assert_non_null(copy);
    memcpy(copy, data, size);
    return (struct cairn_bytes){copy, size};
}

#endif
