#include "decrees.h"
bool decrees_revoke(struct world *world, struct dice *dice) { (void)world; (void)dice; return false; }
bool decrees_adopt(struct world *world, struct dice *dice) { (void)world; (void)dice; return false; }
