/*
 * basis.h: what a log rests on: the grant, schema and secret that its bases state. Says whether
 * they cover the log; whether single entries are valid is for judge.h and authority.h to say.
 */

#ifndef CAIRN_BASIS_H
#define CAIRN_BASIS_H

#include "batch.h"

/*
 * Every basis in the batch; entry 0 of a log must be one, made for its secret. NOT_FOUND: chain or
 * schema not held, to be tried again; REFUSED: the grant does not cover the log; MALFORMED.
 */
CAIRN_NODISCARD
enum cairn_status cairn_bases_check(struct cairn_context *ctx, const struct cairn_log *log,
                                    const struct cairn_batch *batch);

#endif
