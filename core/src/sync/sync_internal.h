/* sync_internal.h: an exchange under way at the client, shared by sync_client.c (begin, reply) and
 * sync_request.c. */

#ifndef CAIRN_SYNC_INTERNAL_H
#define CAIRN_SYNC_INTERNAL_H

#include "replica_internal.h"

#define CAIRN_LOST_MAX 64 /* scope logs given back in one request; the others come after */

struct cairn_exchange {
    struct cairn_sequencer_info server;
    struct cairn_noise noise;
    bool awaits_reply;
    struct cairn_outgoing outgoing;
    struct cairn_buffer plain, packed, message;
    bool wants_explicit, sends_roots, sends_heads, sends_links;
    /* A server that was restored lost what it signed behind these sizes: the next request gives it
     * back. */
    size_t lost_count;
    struct cairn_scope_size lost[CAIRN_LOST_MAX];
    bool has_more; /* not everything that waits fitted the last request */
    /* Authority logs that go up whole: where the next request goes on (log 0: at the first). */
    struct cairn_dot heads_at, heads_behind;
    uint64_t waiting_at_begin;
};

#endif
