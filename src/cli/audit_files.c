/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

enum { CONTENT_MAX = 32 * 1024, DIGITS = 8 };

static bool is_log(const struct dirent *entry)
{
	size_t digits = strspn(entry->d_name, "0123456789");

	return digits >= DIGITS && strcmp(entry->d_name + digits, ".log") == 0;
}

static int filter(const struct dirent *entry)
{
	return is_log(entry);
}

static void add(struct ady_audit_files *files, const char *folder, const char *name)
{
	struct ady_dyn path = {0};

	if (folder)
		ady_dyn_printf(&path, "%s/", folder);
	ady_dyn_str(&path, name);
	files->names = realloc(files->names, (files->n + 1) * sizeof *files->names);
	if (!files->names)
		ADY_BUG("out of memory");
	files->names[files->n] = strdup(ady_dyn_cstr(&path));
	if (!files->names[files->n++])
		ADY_BUG("out of memory");
	ady_dyn_free(&path);
}

static enum ady_err add_folder(struct ady_audit_files *files, const char *folder,
                               struct ady_fault *f)
{
	struct dirent **found;
	int n = scandir(folder, &found, filter, versionsort);

	if (n < 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s cannot be read", folder);
	for (int i = 0; i < n; i++) {
		add(files, folder, found[i]->d_name);
		free(found[i]);
	}
	free(found);
	if (n == 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s has no files of an audit log", folder);
	return ADY_OK;
}

enum ady_err ady_audit_files_find(struct ady_audit_files *files, const struct ady_values *paths,
                                  struct ady_fault *f)
{
	enum ady_err err = ADY_OK;
	struct stat st;

	*files = (struct ady_audit_files){0};
	for (size_t i = 0; err == ADY_OK && i < paths->n; i++) {
		if (stat(paths->v[i], &st) != 0)
			err = ady_fail(f, ADY_E_IO, NULL, "%s: %s", paths->v[i],
			               strerrordesc_np(errno));
		else if (S_ISDIR(st.st_mode))
			err = add_folder(files, paths->v[i], f);
		else
			add(files, NULL, paths->v[i]);
	}
	if (err != ADY_OK)
		ady_audit_files_free(files);
	return err;
}

void ady_audit_files_free(struct ady_audit_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->names[i]);
	free(files->names);
	*files = (struct ady_audit_files){0};
}

/* The kind of a line without its end, and its content; 0: it is malformed. */
static char decode(struct ady_bytes line, struct ady_buf *content)
{
	char kind = line.n > 2 ? (char)line.p[0] : 0;

	content->n = 0;
	content->full = false;
	if ((kind != 'P' && kind != 'L' && kind != 'A') || line.p[1] != ' ' ||
	    ady_base64url_take(content, ady_bytes_sub(line, 2, line.n - 2)) != ADY_OK)
		return 0;
	return kind;
}

static enum ady_err read_one(const char *name,
                             void (*line)(void *ctx, const struct ady_audit_place *at, char kind,
                                          struct ady_bytes content),
                             void *ctx, struct ady_fault *f)
{
	static uint8_t space[CONTENT_MAX];
	struct ady_buf content = ady_buf(space, sizeof space);
	struct ady_audit_place at = {.file = name};
	FILE *file = fopen(name, "re");
	char *text = NULL;
	size_t cap = 0;
	ssize_t n;
	bool failed;

	if (!file)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", name, strerrordesc_np(errno));
	while ((n = getline(&text, &cap, file)) > 0) {
		bool whole = text[n - 1] == '\n';
		char kind = whole ? decode(ady_bytes(text, (size_t)n - 1), &content) : '-';

		at.line++;
		line(ctx, &at, kind, kind ? ady_buf_bytes(&content) : ady_bytes(NULL, 0));
	}
	failed = ferror(file) != 0;
	free(text);
	fclose(file);
	return failed ? ady_fail(f, ADY_E_IO, NULL, "%s cannot be read", name) : ADY_OK;
}

enum ady_err ady_audit_files_read(const struct ady_audit_files *files,
                                  void (*line)(void *ctx, const struct ady_audit_place *at,
                                               char kind, struct ady_bytes content),
                                  void *ctx, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < files->n; i++)
		err = read_one(files->names[i], line, ctx, f);
	return err;
}
