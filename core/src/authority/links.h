/*
 * links.h: authority entries on their way between replicas, each with its proof: checked from the
 * root key and admitted when they come in, gathered with what they rest on when they go out. What
 * they mean is for authority.h to say.
 */

#ifndef CAIRN_LINKS_H
#define CAIRN_LINKS_H

#include "authority.h"

/*
 * Check a link from the root key and admit it; it may be known already. NOT_FOUND: what it rests on
 * is not held; BAD_SIGNATURE, MALFORMED; REFUSED: judged invalid.
 */
CAIRN_NODISCARD
enum cairn_status cairn_link_admit(struct cairn_context *ctx, const struct cairn_link *link);
/* Admit a list in order. Fails at the first that does not hold. */
CAIRN_NODISCARD
enum cairn_status cairn_links_admit(struct cairn_context *ctx, struct cairn_list links);

/* Links being gathered for a message: each once, what it rests on before it. */
struct cairn_link_set {
    struct cairn_buffer bytes;
    size_t count;
    size_t ref_count;
    struct cairn_ref refs[CAIRN_LINKS_MAX];
};
void cairn_link_set_init(struct cairn_link_set *set);
void cairn_link_set_release(struct cairn_link_set *set);
/* Add the chain that ends in `under` (nothing for the root). NOT_FOUND, LIMIT, NO_MEMORY. */
CAIRN_NODISCARD
enum cairn_status cairn_link_set_chain(struct cairn_context *ctx, struct cairn_link_set *set,
                                       const struct cairn_under *under);
/* Add one authority entry with the chain of its author. */
CAIRN_NODISCARD
enum cairn_status cairn_link_set_entry(struct cairn_context *ctx, struct cairn_link_set *set,
                                       const struct cairn_ref *ref);

#endif
