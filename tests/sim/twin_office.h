/*
 * twin_office.h: the last act of a run: an office whose folder is used on two machines, so that its
 * log of grants has two histories.
 */

#ifndef CAIRN_SIM_TWIN_OFFICE_H
#define CAIRN_SIM_TWIN_OFFICE_H

#include "world.h"

/* Whom either of the two grants writes, all hold the same, and auditors are shown both; one
 * revocation takes both away, and a new office takes its place. */
void twin_office_grants(struct world *world);

#endif
