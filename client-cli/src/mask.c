#include "mask.h"

#include <stdio.h>
#include <string.h>

#define ID_NUMBER_CHARACTERS 18
#define MOBILE_CHARACTERS 11

/* A name is a text that the schema calls one: it has no mark for this. */
static bool is_name(const struct cairn_field_info *field)
{
    static const char *const names[] = {"head", "name"};
    static const char *const labels[] = {"姓名", "户主"};
    const char *last = strrchr(field->name, '_');

    if (cell_kind(field) != CELL_TEXT)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(last == NULL ? field->name : last + 1, names[i]) == 0)
            return true;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
        if (field->label_zh != NULL && strstr(field->label_zh, labels[i]) != NULL)
            return true;
    return false;
}

/* By its shape too: a number typed into a plain field is as personal as in its own. */
static bool is_id_number(const char *value)
{
    size_t digits = strspn(value, "0123456789");

    return strlen(value) == ID_NUMBER_CHARACTERS &&
           (digits == ID_NUMBER_CHARACTERS ||
            (digits == ID_NUMBER_CHARACTERS - 1 && (value[digits] == 'X' || value[digits] == 'x')));
}

static bool is_mobile(const char *value)
{
    return strlen(value) == MOBILE_CHARACTERS && value[0] == '1' &&
           strspn(value, "0123456789") == MOBILE_CHARACTERS;
}

/* The bytes of the first character, none when nothing stands behind it. */
static size_t first_character(const char *value)
{
    struct cairn_bytes text = cairn_bytes_of_text(value);
    size_t size = 1;

    while (size < text.size && (text.data[size] & 0xc0) == 0x80)
        size++;
    return size < text.size ? size : 0;
}

const char *mask_value(const struct cairn_field_info *field, const char *value,
                       char buffer[static MASK_BYTES])
{
    if (value[0] == '\0')
        buffer[0] = '\0';
    else if (is_id_number(value))
        snprintf(buffer, MASK_BYTES, "%.6s********%s", value, value + ID_NUMBER_CHARACTERS - 4);
    else if (is_mobile(value))
        snprintf(buffer, MASK_BYTES, "%.3s****%s", value, value + MOBILE_CHARACTERS - 4);
    else if (is_name(field))
        snprintf(buffer, MASK_BYTES, "%.*s*", (int)first_character(value), value);
    else
        snprintf(buffer, MASK_BYTES, "***");
    return buffer;
}
