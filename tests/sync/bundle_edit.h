/*
 * bundle_edit.h: a full bundle written again with something changed: what a dishonest holder could
 * hand to an auditor. Every function may be NULL.
 *
 * Memory: the result is freed with free(). Threads: one at a time.
 */

#ifndef CAIRN_TESTS_BUNDLE_EDIT_H
#define CAIRN_TESTS_BUNDLE_EDIT_H

#include "cairn/message.h"
#include "net.h"

struct bundle_edit {
    void *context;
    /* Each returns false to leave the thing out. run->entries may be written through. */
    bool (*run)(void *context, const struct cairn_group *group, struct cairn_run *run);
    bool (*group)(void *context, struct cairn_group *group);
    bool (*link)(void *context, struct cairn_link *link);
};

struct net_bytes bundle_edited(struct net_bytes bundle, const struct bundle_edit *edit);

#endif
