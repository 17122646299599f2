/*
 * kinds_table.h: a small table with every merge kind, for tests: households with registers, sets, a
 * counter, a workflow and the relation "same", and cadres that they refer to.
 *
 * Memory: the table is written into the caller's writer.
 */

#ifndef CAIRN_TESTS_KINDS_TABLE_H
#define CAIRN_TESTS_KINDS_TABLE_H

#include "cairn/bytes.h"

#define KIND_HOUSEHOLD 1u
#define KIND_CADRE 2u

/* Fields of a household by number; their names in the comments. */
enum kind_field {
    KIND_HEAD = 1,     /* head: text */
    KIND_INCOME = 2,   /* income: integer */
    KIND_MEMBERS = 3,  /* members: integer */
    KIND_NEEDS = 4,    /* needs: set of integers */
    KIND_POINTS = 5,   /* points: counter */
    KIND_STATUS = 6,   /* status: workflow */
    KIND_SAME = 7,     /* same: set of households, the relation */
    KIND_CAUSES = 8,   /* causes: set of texts */
    KIND_PHONE = 9,    /* phone: text, personal */
    KIND_CADRE_OF = 10 /* cadre: reference to a cadre */
};
/* States: identified, registered, exited. */
enum kind_state { KIND_IDENTIFIED = 1, KIND_REGISTERED = 2, KIND_EXITED = 3 };
/* Moves: register (identified -> registered) and exit (registered -> exited) by village, township
 * and county in that order; return (exited -> registered) by the village alone. */
enum kind_move { KIND_REGISTER = 1, KIND_EXIT = 2, KIND_RETURN = 3 };

void kinds_table_write(struct cairn_writer *writer);

#endif
