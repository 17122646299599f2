/*
 * Every call of cairn/replica.h while one allocation, one call of the store or one call of the
 * ports fails, the first, the second, the n-th, until it gets through. After each failure: the
 * status that the failure has, a sentence, the same bytes in the store, nothing open and nothing
 * leaked; the call again at once succeeds, and so does another process that opens the store
 * instead.
 *
 * Long calls are tried at growing steps; with CAIRN_FAULT_ALL=1 in the environment at every one.
 * An argument names the cases to run, or the group: replica_fault_test cairn_put_many
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alloc_fault.h"
#include "fault_cases.h"

#define STEADY_CALLS 120 /* the first so many are tried one by one, then at growing steps */
#define STEADY_CALLS_LONG 40
#define CALLS_MAX 1000000

enum fault_kind { FAULT_ALLOCATION, FAULT_STORE, FAULT_CONFLICT, FAULT_PORT, FAULT_KIND_COUNT };

static const char *const kind_names[] = {"allocation", "store call", "store call with CONFLICT",
                                         "port call"};
static const char *chosen = ""; /* a group, or the beginning of the names of the cases to run */

/* One case under test: how the subject's disk and ports were before the first try. */
struct trial {
    const struct fault_case *one;
    enum fault_kind kind;
    long n;
    struct cairn_store *disk;
    struct fake_ports ports;
    struct cairn_hash hash;
    struct cairn_hash whole;     /* of the disk when nothing failed, */
    uint64_t whole_random_calls; /* and how often random bytes were asked for until then, */
    uint64_t whole_given;        /* and what was given out */
    uint64_t grant_count;        /* held before the try */
    long blocks;                 /* in use before the first try */
};

static void arm(const struct trial *trial, long n)
{
    struct machine *subject = trial->one->subject;

    switch (trial->kind) {
    case FAULT_ALLOCATION:
        alloc_fault_arm(n);
        break;
    case FAULT_STORE:
        store_fault_arm(&subject->store, n, CAIRN_IO);
        break;
    case FAULT_CONFLICT:
        store_fault_arm_writing(&subject->store, n, CAIRN_CONFLICT);
        break;
    case FAULT_PORT:
        subject->ports.fault_with = CAIRN_IO;
        subject->ports.calls_until_fault = n;
        break;
    case FAULT_KIND_COUNT:
        break;
    }
}

static bool is_armed(const struct trial *trial)
{
    const struct machine *subject = trial->one->subject;

    return alloc_fault_is_armed() || store_fault_is_armed(&subject->store) ||
           subject->ports.calls_until_fault >= 0;
}

static bool has(const struct trial *trial, unsigned trait)
{
    return (trial->one->traits & trait) != 0;
}

#define trial_fail(trial, ...)                                                                  \
    do {                                                                                        \
        print_error("%s, %s %ld: ", (trial)->one->name, kind_names[(trial)->kind], (trial)->n); \
        fail_msg(__VA_ARGS__);                                                                  \
    } while (0)

static void trial_must(const struct trial *trial, enum cairn_status status, const char *what)
{
    if (status != CAIRN_OK)
        trial_fail(trial, "%s: %s \"%s\"", what, cairn_status_name(status),
                   trial->one->subject->err.text);
}

/* The subject as it was, off or on as the case has it. */
static void put_back(struct trial *trial)
{
    struct machine *subject = trial->one->subject;
    struct machine from = {.store = {.inner = trial->disk}};

    machine_off(subject);
    machine_disk_put(subject, machine_disk_copy(&from));
    subject->ports = trial->ports;
}

static void make_ready(struct trial *trial)
{
    if (!has(trial, FAULT_OFF))
        trial_must(trial, machine_on(trial->one->subject), "opening it");
    if (trial->one->ready != NULL)
        trial->one->ready();
    trial->hash = machine_disk_hash(trial->one->subject);
    if (has(trial, FAULT_KEEPS))
        trial->grant_count = machine_status(trial->one->subject).grant_count;
}

static void expect_nothing_open(const struct trial *trial)
{
    struct machine *subject = trial->one->subject;

    if (subject->store.txns_open != 0 || subject->store.ranges_open != 0)
        trial_fail(trial, "%ld transactions and %ld ranges stay open", subject->store.txns_open,
                   subject->store.ranges_open);
}

static void expect_refusal(struct trial *trial, enum cairn_status status)
{
    static const enum cairn_status wanted[] = {CAIRN_NO_MEMORY, CAIRN_IO, CAIRN_CONFLICT, CAIRN_IO};
    struct machine *subject = trial->one->subject;
    struct cairn_hash hash = machine_disk_hash(subject);

    if (status != wanted[trial->kind] || subject->err.text[0] == '\0')
        trial_fail(trial, "%s \"%s\"", cairn_status_name(status), subject->err.text);
    /* Whoever writes begins again after a conflict, as the store's contract has it. */
    if (trial->kind == FAULT_CONFLICT && !has(trial, FAULT_READS))
        trial_fail(trial, "it was not begun again");
    if (memcmp(&hash, &trial->hash, sizeof hash) != 0 && !has(trial, FAULT_KEEPS))
        trial_fail(trial, "it failed and the store is changed");
    expect_nothing_open(trial);
}

static enum cairn_status act(const struct trial *trial)
{
    fault_given_drop();
    return trial->one->act();
}

/* It did what it is for, and gave out all that it has to give. */
static void expect_success(const struct trial *trial)
{
    if (fault_given() != trial->whole_given)
        trial_fail(trial, "it did not fail, and gave out something else than when nothing fails");
    if (trial->one->expect != NULL)
        trial->one->expect();
}

/* A call that says yes has done all of it, whatever failed under it. What is begun again may have
 * other random bytes in it. */
static void expect_done(const struct trial *trial, bool was_reached)
{
    struct machine *subject = trial->one->subject;
    struct cairn_hash hash = machine_disk_hash(subject);

    if (was_reached && !has(trial, FAULT_BUILDS) &&
        subject->ports.random_calls == trial->whole_random_calls &&
        memcmp(&hash, &trial->whole, sizeof hash) != 0)
        trial_fail(trial, "it did not fail, and the store is not as when nothing fails");
    expect_success(trial);
}

enum outcome { OUTCOME_NOT_REACHED, OUTCOME_DONE, OUTCOME_REFUSED };

static enum outcome try_once(struct trial *trial)
{
    struct machine *subject = trial->one->subject;

    subject->err.text[0] = '\0';
    arm(trial, trial->n);
    enum cairn_status status = act(trial);
    bool was_reached = !is_armed(trial);
    arm(trial, -1);
    expect_nothing_open(trial);
    if (!was_reached)
        trial_must(trial, status, "nothing failed, and yet");
    if (status == CAIRN_OK) {
        expect_done(trial, was_reached);
        return was_reached ? OUTCOME_DONE : OUTCOME_NOT_REACHED;
    }
    expect_refusal(trial, status);
    return OUTCOME_REFUSED;
}

/* With the store as it was, as much memory is in use as at the first look. */
static void expect_no_blocks_left(struct trial *trial)
{
    long blocks = alloc_fault_blocks();

    if (trial->n == 0)
        trial->blocks = blocks;
    else if (blocks != trial->blocks)
        trial_fail(trial, "%ld blocks are left since the first", blocks - trial->blocks);
}

/* The call fails; then nothing of it is left but what was there, and who opens that can do it. */
static enum outcome fail_and_leave(struct trial *trial)
{
    struct machine *subject = trial->one->subject;

    put_back(trial);
    expect_no_blocks_left(trial);
    make_ready(trial);
    enum outcome outcome = try_once(trial);
    fault_cases_drop();
    machine_off(subject);
    if (outcome != OUTCOME_REFUSED)
        return outcome;
    if (!has(trial, FAULT_OFF)) {
        trial_must(trial, machine_on(subject), "opening it afterwards");
        if (cairn_replica_was_restored(subject->replica))
            trial_fail(trial, "it looks like a restored store afterwards");
        if (trial->one->ready != NULL)
            trial->one->ready();
        trial_must(trial, act(trial), "done again in another process");
        expect_success(trial);
        fault_cases_drop();
        machine_off(subject);
    }
    return outcome;
}

/* Whoever asks twice for one grant gets the one that stands. */
static void expect_one_grant(const struct trial *trial)
{
    struct cairn_status_report after;

    if (!has(trial, FAULT_KEEPS))
        return;
    trial_must(trial,
               cairn_status_get(trial->one->subject->replica, &after, &trial->one->subject->err),
               "looking");
    if (after.grant_count != trial->grant_count + 1)
        trial_fail(trial, "%" PRIu64 " grants became %" PRIu64, trial->grant_count,
                   after.grant_count);
}

/* The call fails, and succeeds when it is made again at once. */
static void fail_and_repeat(struct trial *trial)
{
    put_back(trial);
    make_ready(trial);
    if (try_once(trial) == OUTCOME_REFUSED) {
        if (has(trial, FAULT_ANEW))
            trial->one->ready();
        trial_must(trial, act(trial), "done again at once");
        expect_success(trial);
        expect_one_grant(trial);
    }
    fault_cases_drop();
}

static long next_step(const struct trial *trial)
{
    static int all = -1;
    bool is_long = has(trial, FAULT_LONG);
    long n = trial->n;

    if (all < 0)
        all = getenv("CAIRN_FAULT_ALL") != NULL;
    if (all || n < (is_long ? STEADY_CALLS_LONG : STEADY_CALLS))
        return n + 1;
    return n + n / (is_long ? 8 : 20);
}

/* How the subject is before the first try, and after one in which nothing fails. What that one
 * sends changes the server, once: it is made twice. */
static void trial_begin(struct trial *trial)
{
    struct machine *subject = trial->one->subject;

    machine_off(subject);
    if (!has(trial, FAULT_OFF)) { /* the first open of a store may write what it needs */
        trial_must(trial, machine_on(subject), "opening it the first time");
        machine_off(subject);
    }
    trial->disk = machine_disk_copy(subject);
    trial->ports = subject->ports;
    for (unsigned i = 0; i < 2; i++) {
        put_back(trial);
        make_ready(trial);
        trial_must(trial, act(trial), "nothing failing");
        trial->whole_given = fault_given();
        trial->whole = machine_disk_hash(subject);
        trial->whole_random_calls = subject->ports.random_calls;
        fault_cases_drop();
    }
}

struct reached {
    long refused, done;
};

static void run_kind(const struct fault_case *one, enum fault_kind kind, struct reached *sum)
{
    struct trial trial = {.one = one, .kind = kind};
    long refused = 0, done = 0;

    fault_cases_open();
    if (one->once != NULL)
        one->once();
    trial_begin(&trial);
    for (;; trial.n = next_step(&trial)) {
        assert_true(trial.n < CALLS_MAX);
        enum outcome outcome = fail_and_leave(&trial);
        if (outcome == OUTCOME_NOT_REACHED)
            break;
        refused += outcome == OUTCOME_REFUSED;
        done += outcome == OUTCOME_DONE;
        if (outcome == OUTCOME_REFUSED)
            fail_and_repeat(&trial);
    }
    print_message("%-30s %-24s %5ld calls, %4ld refused, %3ld done all the same\n", one->name,
                  kind_names[kind], trial.n, refused, done);
    sum->refused += refused;
    sum->done += done;
    put_back(&trial);
    expect_no_blocks_left(&trial);
    trial.disk->ops->close(trial.disk);
    fault_cases_close();
}

/* Faults that never meet a call prove nothing. Some calls have no allocation or read nothing; a
 * group has many that do. */
static void expect_reached(const struct fault_group *group, enum fault_kind kind,
                           const struct reached *sum)
{
    bool has_writers = false;

    for (size_t i = 0; i < group->case_count; i++)
        has_writers = has_writers || (group->cases[i].traits & FAULT_READS) == 0;
    bool is_met = sum->refused > 0;
    if (kind == FAULT_CONFLICT)
        is_met = !has_writers || sum->done > 0;
    else if (kind == FAULT_PORT) /* a mark that fails behind a commit is made up for later */
        is_met = !has_writers || sum->refused + sum->done > 0;
    if (!is_met)
        fail_msg("%s: no %s ever failed", group->name, kind_names[kind]);
}

static void every_call_is_whole_or_nothing(enum fault_kind kind)
{
    size_t count = 0;

    for (size_t g = 0; g < fault_group_count; g++) {
        const struct fault_group *group = fault_groups[g];
        bool is_whole = chosen[0] == '\0' || strcmp(group->name, chosen) == 0;
        struct reached sum = {0, 0};
        for (size_t i = 0; i < group->case_count; i++)
            if (is_whole || strncmp(group->cases[i].name, chosen, strlen(chosen)) == 0) {
                run_kind(&group->cases[i], kind, &sum);
                count++;
            }
        if (is_whole)
            expect_reached(group, kind, &sum);
    }
    if (count == 0)
        fail_msg("no case and no group begins with \"%s\"", chosen);
}

static void every_call_survives_an_allocation_that_fails(void **state)
{
    (void)state;
    every_call_is_whole_or_nothing(FAULT_ALLOCATION);
}

static void every_call_survives_a_store_that_fails(void **state)
{
    (void)state;
    every_call_is_whole_or_nothing(FAULT_STORE);
}

static void every_writing_call_begins_again_after_a_conflict(void **state)
{
    (void)state;
    every_call_is_whole_or_nothing(FAULT_CONFLICT);
}

static void every_call_survives_a_port_that_fails(void **state)
{
    (void)state;
    every_call_is_whole_or_nothing(FAULT_PORT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_survives_an_allocation_that_fails),
        cmocka_unit_test(every_call_survives_a_store_that_fails),
        cmocka_unit_test(every_writing_call_begins_again_after_a_conflict),
        cmocka_unit_test(every_call_survives_a_port_that_fails),
    };

    if (argc > 1)
        chosen = argv[1];
    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
