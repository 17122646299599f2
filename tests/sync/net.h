/*
 * net.h: a small network of replicas in memory, for tests of the exchange, of bundles and of
 * audits: a root (51), a county office with its server (513332), and stations in villages. Every
 * message passes through the test's hands; time stands still unless a test moves it.
 *
 * What must succeed does, or the test fails with the sentence that was left.
 *
 * Memory:  a node's address must not move while it is open. Buffers handed out are freed with
 * free().
 */

#ifndef CAIRN_TESTS_NET_H
#define CAIRN_TESTS_NET_H

#include "cairn/identity.h"
#include "cairn/replica.h"
#include "fake_ports.h"
#include "layout.h"
#include "store_whole.h"

#define NET_COUNTY "513332"
#define NET_VILLAGE "513332100201"
#define NET_OTHER_VILLAGE "513332100202"

struct net_node {
    char name[32];
    struct cairn_store *store;
    struct fake_ports ports;
    struct cairn_replica *replica;
};

struct net {
    struct net_node root, office, server;
    uint64_t seeds;            /* given out so far */
    struct cairn_bytes schema; /* that the root signs; empty: the default one */
};

extern struct cairn_err net_err;

#define net_must(status) net_must_at((status), __FILE__, __LINE__)
void net_must_at(enum cairn_status status, const char *file, int line);
/* The status is this one; the sentence that came with it is in net_err. */
#define net_expect(status, expected) net_expect_at((status), (expected), __FILE__, __LINE__)
void net_expect_at(enum cairn_status status, enum cairn_status expected, const char *file,
                   int line);

/* Root, office and server, joined; the server's grant is in the office's log, uploaded
 * by nobody. */
void net_open(struct net *net, uint64_t seed);
/* The same under a table of the test's; borrowed. */
void net_open_with(struct net *net, uint64_t seed, struct cairn_bytes schema);
void net_close(struct net *net);

/* A new device of this network, granted by `above` and joined. */
void net_join(struct net *net, struct net_node *node, struct net_node *above, const char *role,
              const char *scope, const char *tag);
/* A root of its own, and a device that has no grant yet. */
void net_begin_root(struct net *net, struct net_node *node, const char *name);
void net_begin_unjoined(struct net *net, struct net_node *node, const char *name);
/* An office revokes a device; all of its logs are cut at their beginning. */
void net_revoke(struct net_node *office, struct net_node *node);
void net_node_close(struct net_node *node);
/* Close and open again, with the store as it is. */
void net_node_reopen(struct net_node *node);
/* Flip a bit in the byte `at` of a value that the node's store holds. */
void net_flip(struct net_node *node, const struct cairn_key *key, size_t at);
/* Put `store` in the place of the node's and open it; the old one is freed. */
void net_node_restore(struct net_node *node, struct cairn_store *store);

/* ---- bytes ---- */

struct net_bytes {
    uint8_t *data;
    size_t size;
};
struct cairn_bytes net_bytes(struct net_bytes bytes);
struct net_bytes net_copy(struct cairn_bytes bytes);

/* ---- records ---- */

/* A new household; its label in out_id, which may be NULL. */
void net_put(struct net_node *node, const char *village, const char *head, char out_id[32]);
/* One commit of `count` new households. */
void net_put_many(struct net_node *node, const char *village, size_t count);
void net_set(struct net_node *node, const char *id, const char *field, const char *value);
/* The shown value of a field ("" where there is none), and how many versions live. */
const char *net_value(struct net_node *node, const char *id, const char *field,
                      size_t *out_versions);
struct cairn_status_report net_status(struct net_node *node);
uint64_t net_conflict_count(struct net_node *node);

/* ---- exchange ---- */

struct net_bytes net_request(struct net_node *node);
/* What the server answers: opened, committed alone, replied. */
struct net_bytes net_answer(struct net_node *server, struct net_bytes request);
/* Take an answer; true when another request is needed. */
bool net_take(struct net_node *node, struct net_bytes reply);
/* A whole run of exchanges; the number of round trips. */
unsigned net_sync(struct net_node *node, struct net_node *server);
/* The same, ending in `expected`. */
void net_sync_ends(struct net_node *node, struct net_node *server, enum cairn_status expected);

/* ---- state ---- */

/* Both hold the same scope log of (scope, channel), at least `size_min` long, and the
 * same state. */
void net_agree(struct net_node *a, struct net_node *b, const char *scope,
               enum cairn_channel channel, uint64_t size_min);
/* Leaves of a scope log. */
uint64_t net_scope_size(struct net_node *node, const char *scope, enum cairn_channel channel);
/* Is the newest checkpoint held the head of the scope log? */
bool net_ends_at_checkpoint(struct net_node *node, const char *scope, enum cairn_channel channel);

/* ---- bundles ---- */

struct net_bytes net_bundle(struct net_node *node, bool is_full);
struct cairn_bundle_report net_bundle_read(struct net_node *node, struct net_bytes bundle);
struct net_bytes net_root_statement(struct net *net);

#endif
