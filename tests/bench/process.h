/*
 * process.h: child processes, and the folder that a run leaves nothing of.
 *
 * Memory:  the caller's structs. Threads: one. Effects: starts and ends processes; a server that
 * outlives its bench for whatever reason is ended by the kernel.
 */

#ifndef CAIRN_BENCH_PROCESS_H
#define CAIRN_BENCH_PROCESS_H

#include <sys/types.h>

#include "bench.h"

/* Make the run's folder in TMPDIR, else in the current one, and find the programs. */
CAIRN_NODISCARD enum cairn_status process_begin(struct bench *bench, struct cairn_err *err);
/* Remove the folder with all that is in it. */
void process_end(const struct bench *bench);

struct server_process {
    pid_t pid; /* 0: none */
    uint16_t port;
};
/* Run cairn-server on `store` on a free port. IO: err says what it said. */
CAIRN_NODISCARD
enum cairn_status server_process_start(const struct bench *bench, const char *store,
                                       struct server_process *out_server, struct cairn_err *err);
/* Ask it to end and wait. IO unless it ended well. */
CAIRN_NODISCARD
enum cairn_status server_process_stop(struct server_process *server, struct cairn_err *err);

/* Run the program `name` of this one's folder to its end; what it says goes into a file of the run.
 * IO unless it ends well: err has its last line. */
CAIRN_NODISCARD
enum cairn_status process_run(const struct bench *bench, const char *name,
                              const char *const *arguments, struct cairn_err *err);

/* Run this program with `arguments` (NULL at the end) and read the number that it prints. */
CAIRN_NODISCARD
enum cairn_status process_ask(const struct bench *bench, const char *const *arguments,
                              uint64_t *out_number, struct cairn_err *err);

#endif
