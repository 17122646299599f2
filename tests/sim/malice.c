#include "malice.h"
#define STUB(name) bool name(struct world *world, struct dice *dice) { (void)world; (void)dice; return false; }
STUB(malice_grants) STUB(malice_random_request) STUB(malice_stranger) STUB(malice_random_reply) STUB(malice_forges) STUB(malice_forks)
