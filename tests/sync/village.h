/*
 * village.h: what most tests begin with: a net (net.h), and two stations of one village in it, of
 * whose grants the server has heard.
 *
 * Memory: from village_open() to village_close(), for one test at a time.
 */

#ifndef CAIRN_TESTS_VILLAGE_H
#define CAIRN_TESTS_VILLAGE_H

#include "net.h"

extern struct net net;
extern struct net_node a7, a8;
extern struct net_bytes root_statement; /* root.pub */

void village_open(uint64_t seed);
void village_close(void);

#endif
