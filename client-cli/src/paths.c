#include "paths.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "i18n.h"

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

bool paths_join(const char *folder, const char *name, char out_path[static PATHS_MAX])
{
    int length = snprintf(out_path, PATHS_MAX, "%s/%s", folder, name);
    return length > 0 && length < PATHS_MAX;
}

enum cairn_status paths_store(const char *option, char out_path[static PATHS_MAX],
                              struct cairn_err *err)
{
    const char *folder = option != NULL ? option : environment("CAIRN_STORE");
    const char *below = NULL;

    if (option != NULL && option[0] == '\0')
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("--store names no folder: give --store DIR, or leave it out"));
    if (folder == NULL && (folder = environment("XDG_DATA_HOME")) != NULL)
        below = "cairn";
    if (folder == NULL && (folder = environment("HOME")) != NULL)
        below = ".local/share/cairn";
    if (folder == NULL)
        return cairn_fail(err, CAIRN_BAD_INPUT,
                          N_("no folder for the store: HOME is not set; give --store DIR"));

    if (below != NULL ? paths_join(folder, below, out_path)
                      : snprintf(out_path, PATHS_MAX, "%s", folder) < PATHS_MAX)
        return CAIRN_OK;
    return cairn_fail(
        err, CAIRN_BAD_INPUT,
        N_("the path of the store is longer than %d bytes; give a shorter --store DIR"),
        PATHS_MAX - 1);
}

enum cairn_status paths_make_store_folder(const char *path, bool *out_made, struct cairn_err *err)
{
    char part[PATHS_MAX];
    size_t size = strlen(path);
    bool made = false;

    for (size_t i = 1; i <= size; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        memcpy(part, path, i);
        part[i] = '\0';
        made = mkdir(part, S_IRWXU) == 0;
        if (!made && errno != EEXIST)
            return cairn_fail(err, CAIRN_IO, N_("cannot make the folder %s: %s. Nothing was made."),
                              part, strerror(errno));
    }
    *out_made = made;
    return CAIRN_OK;
}

/* The folder of this program's file; false where /proc is not there. */
static bool program_folder(char out_folder[static PATHS_MAX])
{
    ssize_t size = readlink("/proc/self/exe", out_folder, PATHS_MAX - 1);
    char *slash;

    if (size <= 0)
        return false;
    out_folder[size] = '\0';
    slash = strrchr(out_folder, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return true;
}

/* Of the source while this program runs from its build tree, else beside an installed one. */
static bool shipped_folder(char out_path[static PATHS_MAX])
{
    char folder[PATHS_MAX];

    if (!program_folder(folder))
        return false;
    if (strncmp(folder, CAIRN_BUILD_DIR "/", sizeof CAIRN_BUILD_DIR) == 0)
        return snprintf(out_path, PATHS_MAX, "%s", CAIRN_SOURCE_DATADIR) < PATHS_MAX;
    return paths_join(folder, "../share/cairn", out_path);
}

bool paths_data_file(const char *name, char out_path[static PATHS_MAX])
{
    const char *given = environment("CAIRN_DATADIR");
    char folder[PATHS_MAX];

    if (given != NULL)
        return paths_join(given, name, out_path) && access(out_path, R_OK) == 0;
    if (shipped_folder(folder) && paths_join(folder, name, out_path) && access(out_path, R_OK) == 0)
        return true;
    return paths_join(CAIRN_INSTALLED_DATADIR, name, out_path) && access(out_path, R_OK) == 0;
}
