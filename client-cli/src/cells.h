/* cells.h: what the text of a value stands for, for programs that write tables. */

#ifndef CLI_CELLS_H
#define CLI_CELLS_H

#include "cairn/replica.h"

enum cell_kind {
    CELL_TEXT, /* choices, flags and digits too */
    CELL_INTEGER,
    CELL_MONEY, /* "4150.00" */
    CELL_DATE,  /* "2020-12-03" */
    CELL_ID_NUMBER,
    CELL_PHONE
};
enum cell_kind cell_kind(const struct cairn_field_info *field);

#endif
