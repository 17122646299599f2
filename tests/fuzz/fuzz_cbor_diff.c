/*
 * The CBOR subset against libcbor (Debian's libcbor-dev), both ways: what our reader takes, libcbor
 * takes too and writes again as the same bytes; what libcbor takes, made of the subset only and in
 * its shortest form, our reader takes.
 */

#include <stdlib.h>
#include <string.h>

#include <cbor.h>

#include "cairn/cbor.h"
#include "cairn/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Integers, strings and arrays of definite length, nested as deep as we read. */
static bool is_subset(const cbor_item_t *item, size_t depth)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        return true;
    case CBOR_TYPE_NEGINT:
        return cbor_get_int(item) <= INT64_MAX;
    case CBOR_TYPE_BYTESTRING:
        return cbor_bytestring_is_definite(item);
    case CBOR_TYPE_STRING:
        return cbor_string_is_definite(item);
    case CBOR_TYPE_ARRAY:
        if (!cbor_array_is_definite(item) || depth == CAIRN_CBOR_DEPTH_MAX)
            return false;
        for (size_t i = 0; i < cbor_array_size(item); i++)
            if (!is_subset(cbor_array_handle(item)[i], depth + 1))
                return false;
        return true;
    case CBOR_TYPE_MAP:
    case CBOR_TYPE_TAG:
    case CBOR_TYPE_FLOAT_CTRL:
        break;
    }
    return false;
}

/* Write it with our writer, which knows the shortest form only. */
static bool rewrite(const cbor_item_t *item, struct cairn_writer *writer)
{
    bool is_good = true;

    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        cairn_cbor_write_uint(writer, cbor_get_int(item));
        break;
    case CBOR_TYPE_NEGINT:
        cairn_cbor_write_int(writer, -1 - (int64_t)cbor_get_int(item));
        break;
    case CBOR_TYPE_BYTESTRING:
        cairn_cbor_write_bytes(writer, cbor_bytestring_handle(item), cbor_bytestring_length(item));
        break;
    case CBOR_TYPE_STRING: {
        /* libcbor takes texts that are not UTF-8; ours asserts that what it writes is. */
        struct cairn_bytes text = {cbor_string_handle(item), cbor_string_length(item)};
        if (!cairn_utf8_check(text, NULL))
            return false;
        cairn_cbor_write_text(writer, (const char *)text.data, text.size);
        break;
    }
    default:
        cairn_cbor_write_array(writer, cbor_array_size(item));
        for (size_t i = 0; is_good && i < cbor_array_size(item); i++)
            is_good = rewrite(cbor_array_handle(item)[i], writer);
        break;
    }
    return is_good;
}

/* Whether libcbor's item is in our subset, in the form that we read. */
static bool is_ours(const cbor_item_t *item, struct cairn_bytes input)
{
    uint8_t *bytes = malloc(input.size + 16);
    struct cairn_writer writer;

    CAIRN_ASSERT(bytes != NULL);
    cairn_writer_init(&writer, bytes, input.size + 16);
    bool is_same = is_subset(item, 0) && rewrite(item, &writer) && !writer.overflowed &&
                   cairn_bytes_equal(cairn_writer_bytes(&writer), input);
    free(bytes);
    return is_same;
}

/*
 * libcbor makes room for as many items as a head promises before it looks for them. Inputs in which
 * something could be read as a promise of 4 or 8 bytes are left to fuzz_cbor.c.
 */
static bool promises_much(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned major = data[i] >> 5, info = data[i] & 0x1fu;
        size_t high = info == 26 ? 2 : info == 27 ? 6 : 0; /* bytes above the low 16 bits */
        for (size_t k = 1; major >= 2 && major <= 5 && k <= high && i + k < size; k++)
            if (data[i + k] != 0)
                return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cairn_bytes input = {data, size};
    struct cbor_load_result result;

    if (size == 0 || promises_much(data, size))
        return 0;
    bool is_taken = cairn_cbor_check(input, NULL) == CAIRN_OK;
    cbor_item_t *item = cbor_load(data, size, &result);
    if (item == NULL) {
        CAIRN_ASSERT(!is_taken);
        return 0;
    }
    CAIRN_ASSERT(is_taken == (result.read == size && is_ours(item, input)));
    cbor_decref(&item);
    return 0;
}
