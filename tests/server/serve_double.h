/*
 * serve_double.h: a stand-in for the cairn_serve_* calls, so that the workers can be tested without
 * a store. What a request does stands in its first letter, the rest is its tag:
 *
 *   R  read-only
 *   W  brings one entry
 *   X  from a stranger
 *   M  malformed
 *   P  spoils the commit it is in
 *
 * The reply is the request.
 */

#ifndef CAIRN_TESTS_SERVE_DOUBLE_H
#define CAIRN_TESTS_SERVE_DOUBLE_H

#include "cairn/replica.h"

enum { SERVE_DOUBLE_COMMITS_MAX = 512, SERVE_DOUBLE_PATIENCE_S = 30 };

/* The double's replica. */
struct cairn_replica *serve_double_new(void);
void serve_double_free(struct cairn_replica *replica);
/* Commits wait at the gate while it is shut; opening waits at its own. */
void serve_double_shut(struct cairn_replica *replica, bool is_shut);
void serve_double_shut_opening(struct cairn_replica *replica, bool is_shut);
/* The next `count` commits answer `status`. */
void serve_double_fail(struct cairn_replica *replica, enum cairn_status status, unsigned count);
/* Wait until `count` commits have begun. False: not within our patience. */
bool serve_double_wait_begun(struct cairn_replica *replica, unsigned count);
unsigned serve_double_commits(struct cairn_replica *replica); /* that succeeded */
unsigned serve_double_largest(struct cairn_replica *replica); /* requests in one commit */
int serve_double_alive(struct cairn_replica *replica);        /* serves not freed */
/* Was this request in a commit that succeeded? */
bool serve_double_has(struct cairn_replica *replica, const char *text);

#endif
