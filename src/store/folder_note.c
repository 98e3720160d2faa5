/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/folder_file.h"

/* A leading dot keeps them out of the list of records. */
static const char NOTE[] = ".note-", TAIL[] = ".json";

enum { NOTE_MAX = 65536, NAME_MAX_NOTE = sizeof NOTE + ADY_FOLDER_NAME_MAX };

static enum ady_err file_of(char out[static NAME_MAX_NOTE], const char *name, struct ady_fault *f)
{
	char file[ADY_FOLDER_NAME_MAX];
	enum ady_err err = ady_folder_name(file, name, f);

	if (err == ADY_OK)
		snprintf(out, NAME_MAX_NOTE, "%s%s", NOTE, file);
	return err;
}

enum ady_err ady_folder_read_note(int dir, const char *name, struct ady_dyn *out,
                                  struct ady_fault *f)
{
	char file[NAME_MAX_NOTE];
	enum ady_err err = file_of(file, name, f);

	return err == ADY_OK ? ady_folder_take(dir, file, NOTE_MAX, out, f) : err;
}

enum ady_err ady_folder_write_note(int dir, const char *name, struct ady_bytes text,
                                   struct ady_fault *f)
{
	char file[NAME_MAX_NOTE];
	enum ady_err err = file_of(file, name, f);

	return err == ADY_OK ? ady_folder_put(dir, file, text, false, f) : err;
}

/* The name of the note in that file; false: it is none. */
static bool name_of(char out[static ADY_FOLDER_NAME_MAX], const char *file)
{
	const size_t head = sizeof NOTE - 1, tail = sizeof TAIL - 1, n = strlen(file);
	size_t at = 0;

	if (n <= head + tail || n >= ADY_FOLDER_NAME_MAX || strncmp(file, NOTE, head) != 0 ||
	    strcmp(file + n - tail, TAIL) != 0)
		return false;
	for (size_t i = head; i < n - tail; i++) {
		if (strncmp(file + i, "%2F", 3) == 0) {
			out[at++] = '/';
			i += 2;
		} else {
			out[at++] = file[i];
		}
	}
	out[at] = '\0';
	return true;
}

enum ady_err ady_folder_notes(int dir, ady_records_each_note each, void *ctx, struct ady_fault *f)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *file;
	char name[ADY_FOLDER_NAME_MAX];
	enum ady_err err = ADY_OK;

	if (!d)
		return ady_fail(f, ADY_E_STORE, NULL, "the folder cannot be read: %m");
	while (err == ADY_OK && (file = readdir(d))) {
		struct ady_dyn text = {0};

		if (!name_of(name, file->d_name))
			continue;
		err = ady_folder_take(dir, file->d_name, NOTE_MAX, &text, f);
		if (err == ADY_OK)
			each(ctx, name, ady_dyn_bytes(&text));
		ady_dyn_free(&text);
	}
	closedir(d);
	return err;
}
