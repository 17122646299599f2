/* cairn/utf8.h: strict UTF-8 (RFC 3629). Pure functions. */

#ifndef CAIRN_UTF8_H
#define CAIRN_UTF8_H

#include "cairn/bytes.h"

/*
 * True when `text` is well-formed UTF-8: shortest forms only, no surrogates, nothing above
 * U+10FFFF. When false and `out_bad_offset` is not NULL it gets the offset of the first byte of
 * the first ill-formed sequence.
 */
bool cairn_utf8_check(struct cairn_bytes text, size_t *out_bad_offset);

/* The longest prefix of well-formed `text` that ends between code points, at most `limit_bytes`. */
size_t cairn_utf8_cut(struct cairn_bytes text, size_t limit_bytes);

#endif
