/* serve_internal.h: one request being served, shared by serve.c and serve_reply.c. */

#ifndef CAIRN_SERVE_INTERNAL_H
#define CAIRN_SERVE_INTERNAL_H

#include "replica_internal.h"

/* What an author is told early; the rest it learns as everybody does. */
#define CAIRN_SERVE_REFUSALS_MAX 64

struct cairn_serve {
    struct cairn_replica *replica;
    struct cairn_noise noise;
    struct cairn_arena memory; /* the request, for as long as the serve lives */
    struct cairn_request request;
    bool has_device;
    bool is_not_ours; /* what it wanted to give back is not what this server signed */
    /* Bit set over the runs: left out of the commit, as they fail when a half is written. So are
     * those from runs_max on. */
    uint8_t left_out[CAIRN_MESSAGE_ITEMS_MAX / 8];
    size_t left_out_count, runs_max;
    struct cairn_noise_key device;
    char tag[8];
    uint64_t entry_count, refused_count;
    size_t refusal_count;
    struct cairn_refusal refusals[CAIRN_SERVE_REFUSALS_MAX];
    struct cairn_buffer message;
};

/* A context of this thread's own over the replica's store; NULL when memory is short. */
struct cairn_context *cairn_serve_context_take(struct cairn_replica *replica);
/* Ends its transaction, if one is open. */
void cairn_serve_context_give(struct cairn_replica *replica, struct cairn_context *ctx);
/* The standing of the asking device. NOT_FOUND while it is unknown. */
CAIRN_NODISCARD
enum cairn_status cairn_serve_standing(struct cairn_context *ctx, const struct cairn_noise_key *key,
                                       struct cairn_standing *out_standing);

#endif
