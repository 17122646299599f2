/*
 * registry_net.h: the network of the registry's tests: two stations of one village, the township
 * and the county office above them, one server; and what people do there, in a line each.
 *
 * Memory: the network is this module's; one at a time.
 */

#ifndef CAIRN_TESTS_REGISTRY_NET_H
#define CAIRN_TESTS_REGISTRY_NET_H

#include "cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net.h"

extern struct net net;
extern struct net_node station, peer, township;

/* Twice round, so that all have all. */
void registry_sync_all(void);
int registry_setup(void **state);
int registry_teardown(void **state);
void registry_create(struct net_node *node, const char *type, const char *field, const char *value,
                     char out_id[32]);
enum cairn_status registry_change(struct net_node *node, const char *id, const char *field,
                                  const char *value, enum cairn_put_operation operation);
void registry_add(struct net_node *node, const char *id, const char *field, const char *value);
/* So many points, one at a time. */
void registry_count_up(struct net_node *node, const char *id, unsigned times);
void registry_take(struct net_node *node, const char *id, const char *field, const char *value);
const struct cairn_field_state *registry_field_get(struct net_node *node, const char *id,
                                                   const char *field);
/* Borrowed until the next call on that store. */
const struct cairn_record *registry_get(struct net_node *node, const char *id);
void registry_expect_shown(struct net_node *node, const char *id, const char *field,
                           const char *expected);
/* Shown by all four, and all agree on the state. */
void registry_expect_everywhere(const char *id, const char *field, const char *expected);
/* One step; `keep` chooses among steps that were taken unseen. */
enum cairn_status registry_step(struct net_node *node, const char *id, const char *move,
                                unsigned keep, struct cairn_version *out_standing);
void registry_step_to(struct net_node *node, const char *id, const char *move, const char *state,
                      const char *next_role);
/* The status, and a sentence that says that nothing was written. */
void registry_expect_refused(enum cairn_status status, enum cairn_status expected);
/* A bundle on a stick, from one to the other. */
void registry_carry(struct net_node *from, struct net_node *to);

#define REGISTRY_TEST(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

#endif
