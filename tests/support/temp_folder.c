#include "temp_folder.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define DESCRIPTORS_MAX 16

char *temp_folder_new(void)
{
    const char *base = getenv("TMPDIR");
    char real[PATH_MAX];
    char *path;

    if (base == NULL || base[0] == '\0')
        base = "/tmp";
    /* Absolute, or XDG_STATE_HOME would not count. */
    if (realpath(base, real) == NULL || asprintf(&path, "%s/cairn-test-XXXXXX", real) < 0 ||
        mkdtemp(path) == NULL) {
        perror(base);
        abort();
    }
    return path;
}

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *walk)
{
    (void)info;
    (void)flag;
    (void)walk;
    return remove(path);
}

void temp_tree_remove(const char *path)
{
    nftw(path, remove_one, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS);
}

void temp_folder_remove(char *path)
{
    if (nftw(path, remove_one, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(path);
        abort();
    }
    free(path);
}
