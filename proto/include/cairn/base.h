/*
 * cairn/base.h: result codes, error context and assertions used by every module.
 *
 * Memory:  nothing here allocates.
 * Threads: every function may be called from any thread.
 * Effects: cairn_assert_failed() writes to stderr and aborts; nothing else has any.
 */

#ifndef CAIRN_BASE_H
#define CAIRN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAIRN_NODISCARD __attribute__((warn_unused_result))
#define CAIRN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Every code, who has to act on it, and its text. The numeric values are local to a build;
 * the names are stable: programs print them in JSON and man pages list them.
 */
#define CAIRN_STATUS_MAP(X)                                \
    X(OK, NOBODY, "success")                               \
    X(MALFORMED, PEER, "bytes do not follow the format")   \
    X(BAD_SIGNATURE, PEER, "signature does not verify")    \
    X(FORKED, PEER, "two different histories were signed") \
    X(REFUSED, PEER, "the other side refused")             \
    X(LIMIT, PEER, "over a limit")                         \
    X(GAP, RETRY, "something earlier has not arrived yet") \
    X(CONFLICT, RETRY, "another writer committed first")   \
    X(NO_ANSWER, RETRY, "no answer")                       \
    X(NO_SPACE, OPERATOR, "storage is full")               \
    X(IO, OPERATOR, "storage failed")                      \
    X(CORRUPT, OPERATOR, "stored bytes do not check")      \
    X(LOCKED, OPERATOR, "another process holds the store") \
    X(NO_MEMORY, OPERATOR, "out of memory")                \
    X(NO_RIGHT, USER, "no grant covers this")              \
    X(NO_KEY, USER, "the key does not open")               \
    X(NOT_FOUND, USER, "not found")                        \
    X(AMBIGUOUS, USER, "more than one fits")               \
    X(EXISTS, USER, "already there")                       \
    X(BAD_INPUT, USER, "input is wrong")

#define CAIRN_STATUS_ENUM(name, actor, text) CAIRN_##name,
enum cairn_status { CAIRN_STATUS_MAP(CAIRN_STATUS_ENUM) CAIRN_STATUS_COUNT };

/* Who can make the failure go away. */
enum cairn_actor {
    CAIRN_ACTOR_NOBODY,   /* nothing failed */
    CAIRN_ACTOR_PEER,     /* blame the sender, keep the evidence, do not retry */
    CAIRN_ACTOR_RETRY,    /* the same call may succeed later */
    CAIRN_ACTOR_OPERATOR, /* this machine is unwell: stop accepting work */
    CAIRN_ACTOR_USER      /* what was asked for cannot be done as asked */
};

/* The code's text in English (a msgid), its stable name ("BAD_SIGNATURE"), and who must act. */
const char *cairn_status_text(enum cairn_status status);
const char *cairn_status_name(enum cairn_status status);
enum cairn_actor cairn_status_actor(enum cairn_status status);

#define CAIRN_ERR_TEXT_BYTES 768

/* Gives the sentence in the reader's language; returns its argument where there is none. */
typedef const char *cairn_translate_fn(const char *msgid);

/* What was not done, where and why, in whole sentences for the person who reads them. */
struct cairn_err {
    cairn_translate_fn *translate;   /* set by the program; NULL: English */
    char text[CAIRN_ERR_TEXT_BYTES]; /* NUL-terminated, cut between characters when too long */
};

/*
 * Say what failed and return `status`. `fmt` is a msgid: it is translated before the arguments
 * go in. `err` may be NULL when nobody will read it. An error already written is replaced.
 * CAIRN_OK as `status` is our own mistake (asserted).
 *
 * Not CAIRN_NODISCARD: the status given back is the caller's own argument, so nothing is lost with
 * it, and a caller that returns nothing or returns later may call this as a statement.
 */
enum cairn_status cairn_fail(struct cairn_err *err, enum cairn_status status, const char *fmt, ...)
    CAIRN_PRINTF(3, 4);

/*
 * For mistakes of our own, never for bytes that came from a peer, a disk or a user.
 * Stays on in release builds: a wrong ledger is worse than a stopped one.
 */
#define CAIRN_ASSERT(cond) ((cond) ? (void)0 : cairn_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void cairn_assert_failed(const char *cond, const char *file, int line);

#endif
