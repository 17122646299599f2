/*
 * files.h: whole files in, whole files out. A written file appears under its name only when all of
 * it is on disk: FILE.XXXXXX with six letters that no other file has, fsync, rename.
 *
 * Effects: files. Nothing is printed; err names the file.
 */

#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>

#include "cairn/base.h"
#include "cairn/bytes.h"

/* Limits, so that a wrong file name does not fill the memory. */
#define FILES_SMALL_MAX ((size_t)1 << 20)   /* requests, invitations, root keys: under 100 KB */
#define FILES_NOTES_MAX ((size_t)16 << 20)  /* checkpoints that audits saved: 8 MiB at most */
#define FILES_TABLE_MAX ((size_t)256 << 20) /* CSV: a million rows of 256 bytes */
#define FILES_BUNDLE_MAX ((size_t)2 << 30)  /* larger than any stick that a rider carries needs */

/*
 * Read all of `path` into a malloc'd buffer with one spare zero byte behind it. BAD_INPUT: it is
 * not there, cannot be read or is larger than `limit_bytes`; NO_MEMORY.
 */
CAIRN_NODISCARD
enum cairn_status files_read(const char *path, size_t limit_bytes, char **out_text,
                             size_t *out_size, struct cairn_err *err);

/* BAD_INPUT: what is there is no regular file, and a rename would put one in its place. For those
 * who have much to do before they open. */
CAIRN_NODISCARD
enum cairn_status files_check_target(const char *path, struct cairn_err *err);

#define FILE_WRITER_BUFFER_BYTES 8192

struct file_writer {
    bool is_open;
    int fd;
    int error; /* the errno of the first refusal; 0: none */
    char *path, *temporary;
    size_t pending_bytes; /* in the buffer, not yet written */
    uint8_t buffer[FILE_WRITER_BUFFER_BYTES];
};
/* Open a temporary file beside PATH. BAD_INPUT when it cannot be made, or for what
 * files_check_target() refuses. End with _commit or _abort. */
CAIRN_NODISCARD
enum cairn_status file_writer_open(struct file_writer *writer, const char *path,
                                   struct cairn_err *err);
/* False when the disk refuses; commit says so again. */
bool file_writer_add(struct file_writer *writer, struct cairn_bytes bytes);
/* Give it its name, durably. NO_SPACE, IO: it is gone. */
CAIRN_NODISCARD
enum cairn_status file_writer_commit(struct file_writer *writer, struct cairn_err *err);
void file_writer_abort(struct file_writer *writer);

/* The three steps at once. */
CAIRN_NODISCARD
enum cairn_status files_write(const char *path, struct cairn_bytes bytes, struct cairn_err *err);

#endif
