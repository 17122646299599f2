/*
 * forge.h: requests that no honest client writes, and replies that no honest server does. What a
 * hostile device has is its keys and what it holds; with these it may say anything.
 *
 * Memory: messages are freed with free(). Threads: one at a time.
 */

#ifndef CAIRN_TESTS_FORGE_H
#define CAIRN_TESTS_FORGE_H

#include "cairn/keys.h"
#include "cairn/message.h"
#include "cairn/noise.h"
#include "net.h"

/* A log of `node`'s device that nobody else has seen, with entries still to be written. */
struct forged_log {
    struct cairn_scope scope;
    enum cairn_channel channel;
    struct cairn_hash id;
    struct cairn_run run; /* of all entries; the seal is good until a test spoils it */
    uint8_t entries[CAIRN_NOISE_MESSAGE_MAX];
};

/* Basis under the node's own grant and `count` households; `secret_kind` as it travels. */
void forge_log(struct net_node *node, struct cairn_scope scope, uint32_t count,
               enum cairn_run_secret secret_kind, struct forged_log *out_log);

/* The same, of changes that do nothing: they have no effect. */
void forge_idle_log(struct net_node *node, struct cairn_scope scope, uint32_t count,
                    struct forged_log *out_log);

/* The same, of households whose texts come to about `bytes` and cannot be packed. */
void forge_noise_log(struct net_node *node, struct cairn_scope scope, size_t bytes, uint64_t seed,
                     struct forged_log *out_log);

/* A request of `node` to `server` with these runs, those of one scope behind one another, and the
 * chain if `has_chain`. */
struct net_bytes forge_request(struct net_node *node, struct net_node *server,
                               const struct forged_log *const *logs, size_t count, bool has_chain);
/* A request with these parts. */
struct net_bytes forge_request_parts(struct net_node *node, struct net_node *server,
                                     const struct cairn_request_parts *parts);
/* What `server` answers to the request when it says `payload`, byte for byte; and when it says
 * these parts of a reply. */
struct net_bytes forge_answer(struct net_node *server, struct net_bytes request,
                              struct cairn_bytes payload);
struct net_bytes forge_reply(struct net_node *server, struct net_bytes request,
                             const struct cairn_reply_parts *parts);
/* A message around `payload`, byte for byte, encrypted with `keys`; and around `plain` CBOR. */
struct net_bytes forge_payload(struct net_node *node, const struct cairn_keys *keys,
                               struct net_node *server, struct cairn_bytes payload);
struct net_bytes forge_message(struct net_node *node, const struct cairn_keys *keys,
                               struct net_node *server, struct cairn_bytes plain);

#endif
