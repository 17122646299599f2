#include "cairn/utf8.h"

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/*
 * The size of the well-formed character at the start of `text`, which is not empty; 0 when there
 * is none. The second byte decides about shortest forms, surrogates and the upper end: the table
 * is that of RFC 3629 section 4.
 */
static size_t character_bytes(struct cairn_bytes text)
{
    uint8_t lead = text.data[0];
    uint8_t second_min = 0x80;
    uint8_t second_max = 0xbf;
    size_t size;

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (text.size < size)
        return 0;
    if (lead == 0xe0)
        second_min = 0xa0;
    else if (lead == 0xed)
        second_max = 0x9f;
    else if (lead == 0xf0)
        second_min = 0x90;
    else if (lead == 0xf4)
        second_max = 0x8f;
    if (text.data[1] < second_min || text.data[1] > second_max)
        return 0;
    for (size_t i = 2; i < size; i++)
        if (!is_continuation(text.data[i]))
            return 0;
    return size;
}

bool cairn_utf8_check(struct cairn_bytes text, size_t *out_bad_offset)
{
    size_t pos = 0;

    while (pos < text.size) {
        size_t size = character_bytes((struct cairn_bytes){text.data + pos, text.size - pos});

        if (size == 0) {
            if (out_bad_offset != NULL)
                *out_bad_offset = pos;
            return false;
        }
        pos += size;
    }
    return true;
}

size_t cairn_utf8_cut(struct cairn_bytes text, size_t limit_bytes)
{
    size_t cut = limit_bytes;

    if (limit_bytes >= text.size)
        return text.size;
    while (cut > 0 && is_continuation(text.data[cut]))
        cut--;
    return cut;
}
