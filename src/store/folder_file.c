/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folder_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "codec/json.h"
#include "crypto/rng.h"

enum { FILE_MAX = ADY_ENTRY_TEXT_MAX * 2 + 4096 };

enum ady_err ady_folder_name(char out[static ADY_FOLDER_NAME_MAX], const char *id,
                             struct ady_fault *f)
{
	struct ady_buf b = ady_buf(out, ADY_FOLDER_NAME_MAX - 1);

	for (const char *p = id; *p; p++) {
		if (*p == '/')
			ady_buf_str(&b, "%2F");
		else if (*p == '.' && p == id)
			ady_buf_str(&b, "%2E");
		else
			ady_buf_u8(&b, (uint8_t)*p);
	}
	ady_buf_str(&b, ".json");
	out[b.n] = '\0';
	if (b.full || !ady_entry_is_name(id, ADY_KEY_ID_MAX))
		return ady_fail(f, ADY_E_TOO_LARGE, "id", "cannot be the name of a file");
	return ADY_OK;
}

/* --- reading --- */

static enum ady_err malformed(const char *name, struct ady_fault *f)
{
	return ady_fail(f, ADY_E_RECORD, NULL, "the file %.100s is not as Adyton writes it", name);
}

/* A text member; false: it is not there or too long. */
static bool text_of(const struct ady_json *doc, const char *member, char *out, size_t cap)
{
	uint32_t i = ady_json_get(doc, 0, member);
	size_t n;

	return i && ady_json_string(doc, i, out, cap, &n) == ADY_OK && strlen(out) == n;
}

static bool number_of(const struct ady_json *doc, const char *member, int64_t *out)
{
	uint32_t i = ady_json_get(doc, 0, member);
	char text[24], *end = text;

	*out = 0;
	if (i && ady_json_kind(doc, i) == ADY_JSON_NUMBER &&
	    ady_bytes_to_str(text, sizeof text, ady_json_raw(doc, i)))
		*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && *out >= 0;
}

/* The record's bytes: an object as it stands, or what a string says. */
static enum ady_err read_record(const struct ady_json *doc, const char *id, struct ady_entry *out,
                                struct ady_fault *f)
{
	uint32_t i = ady_json_get(doc, 0, "record");
	struct ady_bytes raw = ady_json_raw(doc, i);
	char *text;
	size_t n;
	enum ady_err err;

	if (ady_json_kind(doc, i) != ADY_JSON_STRING)
		return ady_entry_read(out, id, raw, f);
	text = malloc(raw.n + 1);
	if (!text)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	err = ady_json_string(doc, i, text, raw.n + 1, &n);
	if (err == ADY_OK)
		err = ady_entry_read(out, id, ady_bytes(text, n), f);
	free(text);
	return err;
}

static enum ady_err read_members(const struct ady_json *doc, const char *name,
                                 struct ady_entry *out, struct ady_fault *f)
{
	char id[ADY_KEY_ID_MAX + 1], label[ADY_LABEL_MAX + 1], revision[sizeof out->revision];
	char expected[ADY_FOLDER_NAME_MAX];
	uint32_t disabled = ady_json_get(doc, 0, "disabled");
	int64_t version, deletion;
	enum ady_err err;

	if (!number_of(doc, "adyton_key", &version) || version != 1 ||
	    !text_of(doc, "id", id, sizeof id) || !text_of(doc, "label", label, sizeof label) ||
	    !text_of(doc, "revision", revision, sizeof revision) || !disabled ||
	    !number_of(doc, "deletion", &deletion) || !ady_json_get(doc, 0, "record"))
		return malformed(name, f);
	/* Who copies a file to another name makes no other key of it. */
	err = ady_folder_name(expected, id, f);
	if (err != ADY_OK || strcmp(expected, name) != 0)
		return ady_fail(f, ADY_E_RECORD_MISMATCH, NULL, "the file %.100s is of another key",
		                name);
	err = read_record(doc, id, out, f);
	if (err != ADY_OK)
		return err;
	memcpy(out->label, label, sizeof label);
	memcpy(out->revision, revision, sizeof revision);
	out->disabled = ady_json_kind(doc, disabled) == ADY_JSON_TRUE;
	out->deletion_s = deletion;
	return ADY_OK;
}

static enum ady_err parse(struct ady_bytes text, const char *name, struct ady_entry *out,
                          struct ady_fault *f)
{
	const size_t cap = text.n / 2 + 8;
	struct ady_json_tok *toks = calloc(cap, sizeof *toks);
	struct ady_json doc;
	enum ady_err err;

	if (!toks)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	if (ady_json_parse(&doc, toks, cap, text, NULL) == ADY_OK)
		err = read_members(&doc, name, out, f);
	else
		err = malformed(name, f);
	free(toks);
	return err;
}

enum ady_err ady_folder_take(int dir, const char *name, size_t max, struct ady_dyn *out,
                             struct ady_fault *f)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum ady_err err = ADY_OK;
	ssize_t n = 0;

	if (fd < 0 && errno == ENOENT)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
	if (fd < 0)
		return ady_fail(f, ADY_E_STORE, NULL, "%.100s cannot be opened: %m", name);
	do {
		out->n += (size_t)n;
		n = read(fd, ady_dyn_room(out, 4096), 4096);
	} while (n > 0 && out->n <= max);
	if (n < 0)
		err = ady_fail(f, ADY_E_STORE, NULL, "%.100s cannot be read: %m", name);
	close(fd);
	return err;
}

enum ady_err ady_folder_read(int dir, const char *name, struct ady_entry *out, struct ady_fault *f)
{
	struct ady_dyn text = {0};
	enum ady_err err = ady_folder_take(dir, name, FILE_MAX, &text, f);

	if (err == ADY_OK)
		err = text.n > FILE_MAX ? malformed(name, f)
		                        : parse(ady_dyn_bytes(&text), name, out, f);
	ady_dyn_free(&text);
	return err;
}

/* --- writing --- */

static void put_text(struct ady_dyn *d, struct ady_bytes text)
{
	struct ady_buf b = ady_buf(ady_dyn_room(d, text.n * 6 + 2), text.n * 6 + 2);

	ady_json_put_string(&b, text);
	d->n += b.n;
}

static void compose(struct ady_dyn *d, const struct ady_entry *e)
{
	size_t at = 0;

	ady_dyn_printf(d, "{\"adyton_key\":1,\"id\":\"%s\",\"revision\":\"%s\",\"label\":", e->id,
	               e->revision);
	put_text(d, ady_bytes_str(e->label));
	ady_dyn_printf(d, ",\"disabled\":%s,\"deletion\":%lld,\n\"record\":",
	               e->disabled ? "true" : "false", (long long)e->deletion_s);
	while (at < e->text.n && e->text.p[at] <= ' ')
		at++;
	if (at < e->text.n && e->text.p[at] == '{')
		ady_dyn_put(d, e->text.p, e->text.n);
	else
		put_text(d, ady_dyn_bytes(&e->text));
	ady_dyn_str(d, "}\n");
}

static bool write_all(int fd, struct ady_bytes b)
{
	while (b.n > 0) {
		ssize_t n = write(fd, b.p, b.n);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			b = ady_bytes(b.p + n, b.n - (size_t)n);
	}
	return fsync(fd) == 0;
}

/* Into place: a new file must not be there yet. */
static bool place(int dir, const char *temporary, const char *name, bool fresh)
{
	if (!fresh)
		return renameat(dir, temporary, dir, name) == 0;
	if (linkat(dir, temporary, dir, name, 0) != 0)
		return false;
	return unlinkat(dir, temporary, 0) == 0;
}

enum ady_err ady_folder_put(int dir, const char *name, struct ady_bytes text, bool fresh,
                            struct ady_fault *f)
{
	char temporary[40], hex[17];
	uint8_t random[8];
	enum ady_err err = ADY_OK;
	int fd;

	ady_random(random, sizeof random);
	ady_hex_encode(hex, ady_bytes(random, sizeof random));
	snprintf(temporary, sizeof temporary, ".new-%s", hex);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return ady_fail(f, ADY_E_STORE, NULL, "a file cannot be made: %m");
	if (!write_all(fd, text))
		err = ady_fail(f, ADY_E_STORE, NULL, "a file cannot be written: %m");
	close(fd);
	if (err == ADY_OK && !place(dir, temporary, name, fresh))
		err = errno == EEXIST
		          ? ady_fail(f, ADY_E_EXISTS, "id", "the store has a key of this id")
		          : ady_fail(f, ADY_E_STORE, NULL, "a file cannot be renamed: %m");
	if (err != ADY_OK)
		(void)unlinkat(dir, temporary, 0);
	else if (fsync(dir) != 0)
		err = ady_fail(f, ADY_E_STORE, NULL, "the folder cannot be synchronised: %m");
	return err;
}

enum ady_err ady_folder_write(int dir, const struct ady_entry *e, bool fresh, struct ady_fault *f)
{
	char name[ADY_FOLDER_NAME_MAX];
	struct ady_dyn text = {0};
	enum ady_err err = ady_folder_name(name, e->id, f);

	if (err != ADY_OK)
		return err;
	compose(&text, e);
	err = ady_folder_put(dir, name, ady_dyn_bytes(&text), fresh, f);
	ady_dyn_free(&text);
	return err;
}
