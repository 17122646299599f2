/*
 * log.h: lines for the operator on stderr. Under systemd each begins with its priority ("<6>") and
 * leaves the program's name to the journal; else it begins with "cairn-server: ".
 *
 * What strangers can cause is counted and said at most once a minute, so that they cannot fill a
 * disk.
 *
 * Threads: any.
 */

#ifndef CAIRN_SERVER_LOG_H
#define CAIRN_SERVER_LOG_H

#include <stdint.h>

#include "cairn/base.h"

enum log_priority { LOG_ERROR = 3, LOG_WARNING = 4, LOG_INFO = 6 };

/* What is said at most once a minute. */
enum log_kind {
    LOG_UNKNOWN_KEY,
    LOG_BAD_BYTES,
    LOG_BAD_SIGNATURE,
    LOG_OVER_LIMIT,
    LOG_REFUSED_RUNS,
    LOG_TURNED_AWAY,
    LOG_UNANSWERED,
    LOG_NO_SPACE,
    LOG_KIND_COUNT
};

struct log;

/* NULL: out of memory. */
struct log *log_new(void);
void log_free(struct log *log);

/* `fmt` is translated already. The line is cut at 1,000 bytes. */
void log_line(struct log *log, enum log_priority priority, const char *fmt, ...) CAIRN_PRINTF(3, 4);
/* One more of this kind: said now, or added up until log_tick finds its minute over. `detail` is
 * a sentence from below, in the reader's language, or NULL; control characters do not pass. */
void log_event(struct log *log, enum log_kind kind, uint64_t count, const char *detail);
/* Call every few seconds. */
void log_tick(struct log *log);

#endif
