/*
 * mask.h: what of a personal value may be seen by those who need not know it: a name's first
 * character, the region of an ID number and its last four digits, the ends of a mobile number, and
 * of all else nothing, not even how long it is.
 *
 * Memory: the caller's buffer. Pure.
 */

#ifndef CLI_MASK_H
#define CLI_MASK_H

#include "cells.h"

#define MASK_BYTES 24

/* The masked form of `value`, in `buffer`, which is returned. What is empty stays empty. */
const char *mask_value(const struct cairn_field_info *field, const char *value,
                       char buffer[static MASK_BYTES]);

#endif
