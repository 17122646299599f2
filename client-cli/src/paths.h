/*
 * paths.h: where things lie: the store's folder, and the data that ships with the program.
 *
 * Memory:  fills caller's buffers.
 * Effects: reads the environment, asks the file system what exists; paths_make_store_folder() makes
 * folders.
 */

#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include <stdbool.h>

#include "cairn/base.h"

#define PATHS_MAX 4096

/*
 * The store: `option` (--store, may be NULL), else CAIRN_STORE, else $XDG_DATA_HOME/cairn, else
 * ~/.local/share/cairn. BAD_INPUT when none of them is there or the path is too long.
 */
CAIRN_NODISCARD
enum cairn_status paths_store(const char *option, char out_path[static PATHS_MAX],
                              struct cairn_err *err);
/* The folder and those above it that are missing, with mode 0700. *out_made: it was not there
 * before. IO. */
CAIRN_NODISCARD
enum cairn_status paths_make_store_folder(const char *path, bool *out_made, struct cairn_err *err);
/* "FOLDER/NAME"; false when that is too long. */
bool paths_join(const char *folder, const char *name, char out_path[static PATHS_MAX]);

/* The data file `name`: in CAIRN_DATADIR, or the source tree (when run from the build tree), or the
 * installed folder. False when it is nowhere. */
bool paths_data_file(const char *name, char out_path[static PATHS_MAX]);

#endif
