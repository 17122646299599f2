/*
 * temp_folder.h: a new folder for one test, in $TMPDIR or /tmp.
 *
 * Memory:  the name is absolute and on the heap; temp_folder_remove() frees it.
 * Effects: files. What cannot be made or removed ends the program.
 */

#ifndef CAIRN_TESTS_TEMP_FOLDER_H
#define CAIRN_TESTS_TEMP_FOLDER_H

char *temp_folder_new(void);
/* The folder and all that is in it. */
void temp_folder_remove(char *path);
/* Any folder or file with all that is in it, as far as it is there; the name stays the caller's. */
void temp_tree_remove(const char *path);

#endif
