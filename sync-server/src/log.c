#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "i18n.h"

enum { LINE_BYTES_MAX = 1000, QUIET_S = 60 };

static const struct {
    enum log_priority priority;
    const char *text;
} kinds[] = {
    [LOG_UNKNOWN_KEY] = {LOG_WARNING, N_("refused handshake from an unknown key: "
                                         "no grant chain to this root")},
    [LOG_BAD_BYTES] = {LOG_WARNING, N_("refused bytes that are no request of this protocol")},
    [LOG_BAD_SIGNATURE] = {LOG_WARNING, N_("refused a request whose signature does not verify")},
    [LOG_OVER_LIMIT] = {LOG_WARNING, N_("refused a request over a limit")},
    [LOG_REFUSED_RUNS] = {LOG_WARNING, N_("refused entries; the reply told the device why")},
    [LOG_TURNED_AWAY] = {LOG_WARNING, N_("turned away connections: too many are open "
                                         "(--max-connections, --max-per-address)")},
    [LOG_UNANSWERED] = {LOG_WARNING, N_("left requests without an answer; devices ask again")},
    [LOG_NO_SPACE] = {LOG_ERROR, N_("the disk is full: nothing is accepted until there is room; "
                                    "devices keep their edits")},
};

struct window {
    int64_t begun_s; /* 0: quiet so far */
    uint64_t count;  /* not said yet */
};

struct log {
    pthread_mutex_t mutex;
    bool is_journal;
    struct window windows[LOG_KIND_COUNT];
};

/* JOURNAL_STREAM names the device and inode of the stream that goes to the journal. It is
 * inherited, so it counts only while stderr still is that stream. */
static bool is_stderr_journal(void)
{
    const char *value = getenv("JOURNAL_STREAM");
    struct stat stream;
    unsigned long long device, inode;

    return value != NULL && sscanf(value, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &stream) == 0 && stream.st_dev == device && stream.st_ino == inode;
}

struct log *log_new(void)
{
    struct log *log = calloc(1, sizeof *log);

    if (log == NULL)
        return NULL;
    pthread_mutex_init(&log->mutex, NULL);
    log->is_journal = is_stderr_journal();
    return log;
}

void log_free(struct log *log)
{
    if (log == NULL)
        return;
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

/* One write(2) a line, so that lines of several threads do not mix. */
static void emit(const struct log *log, enum log_priority priority, const char *text)
{
    char line[LINE_BYTES_MAX + 32];
    int size;

    if (log->is_journal)
        size = snprintf(line, sizeof line, "<%d>%s\n", (int)priority, text);
    else
        size = snprintf(line, sizeof line, "cairn-server: %s\n", text);
    for (int i = 0; i < size - 1; i++) {
        unsigned char byte = (unsigned char)line[i];
        if (byte < 0x20 || byte == 0x7f)
            line[i] = '?'; /* nobody writes lines or colours of his own into the journal */
    }
    ssize_t written = write(STDERR_FILENO, line, (size_t)size);
    (void)written; /* with stderr gone there is nobody to tell */
}

void log_line(struct log *log, enum log_priority priority, const char *fmt, ...)
{
    char text[LINE_BYTES_MAX];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    emit(log, priority, text);
}

static int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec + 1; /* never 0 */
}

static void say(const struct log *log, enum log_kind kind, uint64_t count, const char *detail)
{
    char text[LINE_BYTES_MAX];
    const char *what = gettext(kinds[kind].text);

    if (detail == NULL || detail[0] == '\0')
        snprintf(text, sizeof text, _("%s (%llu in the last minute)"), what,
                 (unsigned long long)count);
    else
        snprintf(text, sizeof text, _("%s: %s (%llu in the last minute)"), what, detail,
                 (unsigned long long)count);
    emit(log, kinds[kind].priority, text);
}

void log_event(struct log *log, enum log_kind kind, uint64_t count, const char *detail)
{
    struct window *window = &log->windows[kind];

    CAIRN_ASSERT(kind < LOG_KIND_COUNT);
    pthread_mutex_lock(&log->mutex);
    if (window->begun_s == 0) {
        window->begun_s = now_s();
        say(log, kind, count, detail);
    } else {
        window->count += count;
    }
    pthread_mutex_unlock(&log->mutex);
}

void log_tick(struct log *log)
{
    int64_t now = now_s();

    pthread_mutex_lock(&log->mutex);
    for (int kind = 0; kind < LOG_KIND_COUNT; kind++) {
        struct window *window = &log->windows[kind];
        if (window->begun_s == 0 || now - window->begun_s < QUIET_S)
            continue;
        if (window->count > 0)
            say(log, (enum log_kind)kind, window->count, NULL);
        window->begun_s = window->count > 0 ? now : 0;
        window->count = 0;
    }
    pthread_mutex_unlock(&log->mutex);
}
