/*
 * fault_cases.h: every call of cairn/replica.h as something that can be tried again and again, for
 * tests in which pieces of the machine fail under it.
 *
 * Memory: the network is this module's; one at a time.
 */

#ifndef CAIRN_TESTS_FAULT_CASES_H
#define CAIRN_TESTS_FAULT_CASES_H

#include "machine.h"

/* What else is to be known of a call; or-ed. */
#define FAULT_READS 1u /* changes nothing when it succeeds either */
#define FAULT_OFF 2u   /* opens the subject itself */
/* What it wrote stays when only the mark could not be written afterwards: asked again, it gives
 * what belongs to that, and writes no second one. */
#define FAULT_KEEPS 4u
#define FAULT_ANEW 8u    /* `ready` comes before the call that is made again */
#define FAULT_BUILDS 16u /* what it cannot index at once is indexed later */
#define FAULT_LONG 32u   /* many calls: the steps grow early */

struct fault_case {
    const char *name;        /* the call, and what it does where there are several */
    struct machine *subject; /* the machine that calls, whose store must stay as it was */
    void (*once)(void);      /* makes what the call needs; NULL: nothing */
    void (*ready)(void);     /* before each try, nothing failing yet; NULL: nothing */
    enum cairn_status (*act)(void);
    unsigned traits;
    void (*expect)(void); /* after each success: it did what it is for; NULL: nothing more */
};

/* The cases of one room of the facade. */
struct fault_group {
    const char *name;
    const struct fault_case *cases;
    size_t case_count;
};
extern const struct fault_group *const fault_groups[];
extern const size_t fault_group_count;

/* The network that every case begins with, and its end. */
void fault_cases_open(void);
void fault_cases_close(void);
/* What a try left behind: requests on their way through the server. */
void fault_cases_drop(void);
/* What acts gave out since this was dropped last, as a hash; not what follows from random bytes. */
uint64_t fault_given(void);
void fault_given_drop(void);

#endif
