/*
 * aborts.h: is a mistake of our own stopped by an assertion? The mistake is made in a child
 * process.
 *
 * Include after <cmocka.h>.
 */

#ifndef CAIRN_TESTS_ABORTS_H
#define CAIRN_TESTS_ABORTS_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* True when a child that runs `act` is stopped by SIGABRT, false when it lives through it; the test
 * fails when it ends in any other way. What the child says on its way out is not shown. */
static inline bool aborts(void act(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return true;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

#endif
