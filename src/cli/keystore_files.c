/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keystore_files.h"

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/file.h"
#include "codec/wire.h"
#include "store/seal.h"

enum { FILE_MAX = 64 * 1024 };

static void add(struct ady_keystore_files *files, const char *path)
{
	struct ady_keystore_file *longer = reallocarray(files->v, files->n + 1, sizeof *files->v);

	if (!longer)
		ADY_BUG("out of memory");
	files->v = longer;
	files->v[files->n] = (struct ady_keystore_file){.path = strdup(path)};
	if (!files->v[files->n++].path)
		ADY_BUG("out of memory");
}

void ady_keystore_files_one(struct ady_keystore_files *files, const char *path)
{
	add(files, path);
}

static bool ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && strcmp(s + n - m, end) == 0;
}

static int shown(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* deeper: look into folders, too. */
static enum ady_err walk(struct ady_keystore_files *files, const char *folder, bool deeper,
                         struct ady_fault *f)
{
	struct dirent **names;
	enum ady_err err = ADY_OK;
	int n = scandir(folder, &names, shown, alphasort);

	if (n < 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s cannot be read", folder);
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		struct stat st;

		snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
		free(names[i]);
		if (err != ADY_OK || stat(path, &st) != 0)
			continue;
		if (S_ISDIR(st.st_mode) && deeper)
			err = walk(files, path, false, f);
		else if (S_ISREG(st.st_mode) && ends_in(path, ".json"))
			add(files, path);
	}
	free(names);
	return err;
}

enum ady_err ady_keystore_files_find(struct ady_keystore_files *files, const char *folder,
                                     struct ady_fault *f)
{
	enum ady_err err = walk(files, folder, true, f);

	if (err == ADY_OK && files->n == 0)
		err = ady_fail(f, ADY_E_IO, NULL, "%s has no .json files", folder);
	return err;
}

void ady_keystore_files_free(struct ady_keystore_files *files)
{
	for (size_t i = 0; i < files->n; i++)
		free(files->v[i].path);
	free(files->v);
	*files = (struct ady_keystore_files){0};
}

/* --- one file --- */

/* The key that the file names, as the store writes it. */
static void take_name(struct ady_keystore_file *file, const json_t *root)
{
	const bool v3 = file->form == ADY_IMPORT_V3;
	const char *text = json_string_value(json_object_get(root, v3 ? "address" : "pubkey"));
	uint8_t bytes[48];
	size_t n = 0;

	file->key[0] = '\0';
	if (text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	if (!text || ady_hex_decode(bytes, sizeof bytes, &n, ady_bytes_str(text)) != ADY_OK ||
	    n != (v3 ? 20 : 48))
		return;
	file->key[0] = '0';
	file->key[1] = 'x';
	ady_hex_encode(file->key + 2, ady_bytes(bytes, n));
}

enum ady_err ady_keystore_file_read(struct ady_keystore_file *file, struct ady_dyn *text,
                                    struct ady_fault *f)
{
	enum ady_err err = ady_file_read(text, file->path, FILE_MAX, f);
	json_t *root;

	if (err != ADY_OK)
		return err;
	root = json_loadb((const char *)text->p, text->n, JSON_REJECT_DUPLICATES, NULL);
	if (root && !json_object_get(root, "crypto") && !json_object_get(root, "Crypto"))
		err = ady_fail(f, ADY_E_NOT_FOUND, NULL, "is no keystore");
	else
		err = ady_keystore_version(&file->form, ady_dyn_bytes(text), f);
	if (err == ADY_OK)
		take_name(file, root);
	json_decref(root);
	return err;
}

void ady_keystore_trim(struct ady_dyn *password)
{
	while (password->n > 0 &&
	       (password->p[password->n - 1] == '\n' || password->p[password->n - 1] == '\r'))
		password->n--;
}

static enum ady_err read_password(struct ady_dyn *password, const char *path, struct ady_fault *f)
{
	enum ady_err err = ady_file_read(password, path, ADY_PASSWORD_FILE_MAX, f);

	ady_keystore_trim(password);
	return err;
}

static bool is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

enum ady_err ady_keystore_password(struct ady_dyn *password, const struct ady_keystore_file *file,
                                   const char *folder, const char *one, struct ady_fault *f)
{
	const char *slash = strrchr(file->path, '/'), *base = slash ? slash + 1 : file->path;
	const int base_n = (int)(strlen(base) - (ends_in(base, ".json") ? 5 : 0));
	const int dir_n = slash ? (int)(slash - file->path) : 1;
	const char *dir = folder ? folder : slash ? file->path : ".";
	const char *key = file->key, *bare = key[0] ? key + 2 : "";
	char path[PATH_MAX];

	if (one)
		return read_password(password, one, f);
	for (int form = 0; form < (key[0] ? 5 : 1); form++) {
		int n =
		    snprintf(path, sizeof path, "%.*s/", folder ? (int)strlen(folder) : dir_n, dir);
		char *at = path + n;
		const size_t cap = sizeof path - (size_t)n;

		if (form == 0)
			snprintf(at, cap, "%.*s.txt", base_n, base);
		else
			snprintf(at, cap, "%s%s", form < 3 ? key : bare, form % 2 ? "" : ".txt");
		if (is_file(path))
			return read_password(password, path, f);
	}
	return ady_fail(f, ADY_E_NOT_FOUND, "password", "there is no password file for it");
}
