#include "cells.h"

#include <string.h>

enum cell_kind cell_kind(const struct cairn_field_info *field)
{
    static const struct {
        const char *type; /* as in a schema file */
        enum cell_kind kind;
    } kinds[] = {{"integer", CELL_INTEGER},
                 {"money", CELL_MONEY},
                 {"date", CELL_DATE},
                 {"id-number", CELL_ID_NUMBER},
                 {"phone", CELL_PHONE}};

    for (size_t i = 0; field->type != NULL && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(field->type, kinds[i].type) == 0)
            return kinds[i].kind;
    return CELL_TEXT;
}
