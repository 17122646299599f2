/*
 * Runs every file of the folders given through a fuzz target, so that what a fuzzer once found
 * stays a test where no fuzzer is at hand. Fails when there is no file at all.
 */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_BYTES_MAX ((size_t)4 << 20)

/* -1 when the file cannot be read or is too large; the folder's own entries give 0. */
static int file_replay(const char *folder, const char *name)
{
    char path[4096];
    uint8_t *data;
    size_t size;
    FILE *file;

    if (name[0] == '.')
        return 0;
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return -1;
    file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    data = malloc(INPUT_BYTES_MAX);
    size = data == NULL ? INPUT_BYTES_MAX : fread(data, 1, INPUT_BYTES_MAX, file);
    if (fclose(file) != 0 || size == INPUT_BYTES_MAX) {
        free(data);
        return -1;
    }
    /* Exactly as large as the input, so that a sanitizer sees the first byte too many. */
    uint8_t *exact = realloc(data, size + (size == 0));
    if (exact == NULL) {
        free(data);
        return -1;
    }
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 1;
}

/* The number of files that were run, or -1. */
static int folder_replay(const char *folder)
{
    DIR *dir = opendir(folder);
    int file_count = 0;

    if (dir == NULL)
        return -1;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        int result = file_replay(folder, entry->d_name);

        if (result < 0) {
            fprintf(stderr, "%s/%s: cannot be read\n", folder, entry->d_name);
            closedir(dir);
            return -1;
        }
        file_count += result;
    }
    closedir(dir);
    return file_count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int file_count = folder_replay(argv[i]);

        if (file_count <= 0) {
            fprintf(stderr, "%s: no corpus\n", argv[i]);
            return 1;
        }
        printf("%s: %d files\n", argv[i], file_count);
    }
    return argc < 2;
}
