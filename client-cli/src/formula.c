#include "formula.h"

#include <string.h>

/* Apostrophes are looked through, so that guarding can be undone whatever the text was. */
bool formula_needs_guard(const char *text)
{
    char first = text[strspn(text, "'")];

    return first != '\0' && strchr("=+-@\t\r", first) != NULL;
}

const char *formula_unguarded(const char *text)
{
    return text[0] == '\'' && formula_needs_guard(text) ? text + 1 : text;
}
