/* SPDX-License-Identifier: Apache-2.0 */
#include "store/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/folder_file.h"
#include "store/index.h"

enum { INDEX_WAIT_MS = 10000 };

struct folder {
	struct ady_records records;
	int dir;
	struct ady_index *index;
	struct timespec seen; /* the folder's time of change at the last scan; its thread's */
};

/* Writers of all programs follow one another. Returns a descriptor to close, or -1. */
static int lock(struct folder *s, struct ady_fault *f)
{
	int fd = openat(s->dir, ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX) == 0)
		return fd;
	(void)ady_fail(f, ADY_E_STORE, NULL, "the folder cannot be locked: %m");
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool is_due(const struct ady_entry *e, int64_t now_s)
{
	return e->deletion_s != 0 && e->deletion_s <= now_s;
}

static enum ady_err get(struct folder *s, const char *id, struct ady_entry *out,
                        struct ady_fault *f)
{
	char name[ADY_FOLDER_NAME_MAX];
	enum ady_err err;

	if (ady_folder_name(name, id, NULL) != ADY_OK)
		return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
	err = ady_folder_read(s->dir, name, out, f);
	if (err != ADY_OK || !is_due(out, ady_wall_ms() / 1000))
		return err;
	ady_entry_clear(out);
	return ady_fail(f, ADY_E_NOT_FOUND, NULL, "the store has no such key");
}

static enum ady_err folder_get(struct ady_records *r, size_t worker, const char *id,
                               struct ady_entry *out, struct ady_fault *f)
{
	(void)worker;
	return get((struct folder *)r, id, out, f);
}

/* Remove the file of id if its time has come. Locked. */
static void remove_due(struct folder *s, const char *name)
{
	struct ady_entry e = {0};

	if (ady_folder_read(s->dir, name, &e, NULL) == ADY_OK && is_due(&e, ady_wall_ms() / 1000))
		(void)unlinkat(s->dir, name, 0);
	ady_entry_clear(&e);
}

static enum ady_err create_one(struct folder *s, struct ady_entry *e, struct ady_fault *f)
{
	char name[ADY_FOLDER_NAME_MAX];
	enum ady_err err = ady_folder_name(name, e->id, f);

	if (err != ADY_OK)
		return err;
	remove_due(s, name);
	snprintf(e->revision, sizeof e->revision, "%lld", (long long)ady_wall_ms());
	err = ady_folder_write(s->dir, e, true, f);
	if (err == ADY_OK)
		ady_index_put(s->index, e);
	return err;
}

static enum ady_err folder_create(struct ady_records *r, size_t worker, struct ady_entry *const *e,
                                  size_t n, struct ady_fault *f)
{
	struct folder *s = (struct folder *)r;
	int fd = lock(s, f);
	enum ady_err err = fd < 0 ? ADY_E_STORE : ADY_OK;

	(void)worker;
	for (size_t i = 0; err == ADY_OK && i < n; i++)
		err = create_one(s, e[i], f);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Get the entry that is there and compare its revision. Locked. */
static enum ady_err get_seen(struct folder *s, const char *id, const char *revision,
                             struct ady_entry *now, struct ady_fault *f)
{
	enum ady_err err = get(s, id, now, f);

	if (err == ADY_OK && revision && strcmp(revision, now->revision) != 0)
		return ady_fail(f, ADY_E_CONFLICT, "revision", "is %s by now", now->revision);
	return err;
}

static enum ady_err write_over(struct folder *s, struct ady_entry *e, const char *old,
                               struct ady_fault *f)
{
	enum ady_err err;

	snprintf(e->revision, sizeof e->revision, "%lld", strtoll(old, NULL, 10) + 1);
	err = ady_folder_write(s->dir, e, false, f);
	if (err == ADY_OK)
		ady_index_put(s->index, e);
	return err;
}

static enum ady_err folder_replace(struct ady_records *r, size_t worker, struct ady_entry *e,
                                   const char *revision, struct ady_fault *f)
{
	struct folder *s = (struct folder *)r;
	struct ady_entry now = {0};
	int fd = lock(s, f);
	enum ady_err err = fd < 0 ? ADY_E_STORE : get_seen(s, e->id, revision, &now, f);

	(void)worker;
	if (err == ADY_OK) {
		memcpy(e->label, now.label, sizeof e->label);
		e->disabled = now.disabled;
		e->deletion_s = now.deletion_s;
		err = write_over(s, e, now.revision, f);
	}
	if (fd >= 0)
		close(fd);
	ady_entry_clear(&now);
	return err;
}

static enum ady_err folder_change(struct ady_records *r, size_t worker, const char *id,
                                  const char *revision, const struct ady_records_change *change,
                                  struct ady_entry *out, struct ady_fault *f)
{
	struct folder *s = (struct folder *)r;
	int fd = lock(s, f);
	enum ady_err err = fd < 0 ? ADY_E_STORE : get_seen(s, id, revision, out, f);

	(void)worker;
	if (err == ADY_OK) {
		char old[sizeof out->revision];

		memcpy(old, out->revision, sizeof old);
		ady_records_apply(out, change);
		err = write_over(s, out, old, f);
	}
	if (fd >= 0)
		close(fd);
	if (err != ADY_OK)
		ady_entry_clear(out);
	return err;
}

/* --- the index --- */

static bool is_record_file(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > 5 && strcmp(name + n - 5, ".json") == 0;
}

/* Files come into place by a rename, which changes the folder's time. Clocks of file systems are
 * coarse: what changed just now may change once more and not show it. */
static bool has_changed(struct folder *s)
{
	struct stat st;

	if (fstat(s->dir, &st) != 0)
		return true;
	if (st.st_mtim.tv_sec == s->seen.tv_sec && st.st_mtim.tv_nsec == s->seen.tv_nsec &&
	    ady_wall_ms() / 1000 - st.st_mtim.tv_sec > 1)
		return false;
	s->seen = st.st_mtim;
	return true;
}

static enum ady_err scan(void *ctx, struct ady_index *index, struct ady_fault *f)
{
	struct folder *s = ctx;
	int fd;
	DIR *d;
	const struct dirent *file;

	if (!has_changed(s))
		return ADY_E_AGAIN;
	fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	if (!d)
		return ady_fail(f, ADY_E_STORE, NULL, "the folder cannot be read: %m");
	while ((file = readdir(d))) {
		struct ady_entry e = {0};
		struct ady_fault why = {0};

		if (!is_record_file(file->d_name))
			continue;
		/* One that is spoilt does not keep the others out. */
		if (ady_folder_read(s->dir, file->d_name, &e, &why) == ADY_OK)
			ady_index_add(index, &e);
		else
			ADY_WARN("a record is left out", "detail=\"%s\"", why.detail);
		ady_entry_clear(&e);
	}
	closedir(d);
	return ADY_OK;
}

struct texts {
	struct folder *s;
	struct ady_entry *e;
	size_t n;
};

static void keep_each(void *ctx, const struct ady_entry *e)
{
	struct texts *t = ctx;

	ady_entry_copy(&t->e[t->n++], e);
}

/* The index has no texts. Files that went away meanwhile are left out. */
static enum ady_err list_texts(struct folder *s, const struct ady_records_query *q,
                               ady_records_each each, void *ctx, struct ady_fault *f)
{
	struct texts t = {.s = s, .e = calloc(q->limit, sizeof *t.e)};
	struct ady_records_query bare = *q;
	enum ady_err err;

	if (!t.e)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	bare.texts = false;
	err = ady_index_list(s->index, &bare, keep_each, &t, INDEX_WAIT_MS, f);
	for (size_t i = 0; i < t.n; i++) {
		struct ady_entry whole = {0};

		if (err == ADY_OK && get(s, t.e[i].id, &whole, NULL) == ADY_OK)
			each(ctx, &whole);
		ady_entry_clear(&whole);
		ady_entry_clear(&t.e[i]);
	}
	free(t.e);
	return err;
}

static enum ady_err folder_list(struct ady_records *r, size_t worker,
                                const struct ady_records_query *q, ady_records_each each, void *ctx,
                                struct ady_fault *f)
{
	struct folder *s = (struct folder *)r;

	(void)worker;
	if (q->texts)
		return list_texts(s, q, each, ctx, f);
	return ady_index_list(s->index, q, each, ctx, INDEX_WAIT_MS, f);
}

static enum ady_err folder_data_key(struct ady_records *r, size_t worker, const char *tenant,
                                    char out[static ADY_DATA_KEY_MAX + 1], struct ady_fault *f)
{
	(void)worker;
	return ady_index_data_key(((struct folder *)r)->index, tenant, out, INDEX_WAIT_MS, f);
}

static enum ady_err folder_note(struct ady_records *r, size_t worker, const char *name,
                                struct ady_dyn *out, struct ady_fault *f)
{
	(void)worker;
	return ady_folder_read_note(((struct folder *)r)->dir, name, out, f);
}

static enum ady_err folder_set_note(struct ady_records *r, size_t worker, const char *name,
                                    struct ady_bytes text, struct ady_fault *f)
{
	(void)worker;
	return ady_folder_write_note(((struct folder *)r)->dir, name, text, f);
}

static enum ady_err folder_notes(struct ady_records *r, size_t worker, ady_records_each_note each,
                                 void *ctx, struct ady_fault *f)
{
	(void)worker;
	return ady_folder_notes(((struct folder *)r)->dir, each, ctx, f);
}

static enum ady_err folder_probe(struct ady_records *r, size_t worker, struct ady_fault *f)
{
	(void)worker;
	if (faccessat(((struct folder *)r)->dir, ".", R_OK | X_OK, 0) == 0)
		return ADY_OK;
	return ady_fail(f, ADY_E_STORE, NULL, "the folder cannot be read: %m");
}

static void folder_purge(struct ady_records *r, size_t worker, int64_t now_s)
{
	struct folder *s = (struct folder *)r;
	const struct dirent *file;
	int fd = lock(s, NULL);
	DIR *d;

	(void)worker, (void)now_s;
	if (fd < 0)
		return;
	d = fdopendir(openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	while (d && (file = readdir(d)))
		if (is_record_file(file->d_name))
			remove_due(s, file->d_name);
	if (d)
		closedir(d);
	close(fd);
}

static void folder_close(struct ady_records *r)
{
	struct folder *s = (struct folder *)r;

	ady_index_close(s->index);
	if (s->dir >= 0)
		close(s->dir);
	free(s);
}

static const struct ady_records_ops ops = {
    .kind = "folder",
    .get = folder_get,
    .create = folder_create,
    .replace = folder_replace,
    .change = folder_change,
    .list = folder_list,
    .data_key = folder_data_key,
    .note = folder_note,
    .set_note = folder_set_note,
    .notes = folder_notes,
    .probe = folder_probe,
    .purge = folder_purge,
    .close = folder_close,
};

enum ady_err ady_folder_open(struct ady_records **r, const char *path, int64_t index_ms,
                             struct ady_fault *f)
{
	struct folder *s = calloc(1, sizeof *s);
	enum ady_err err = ADY_OK;

	*r = NULL;
	if (!s)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	s->records.ops = &ops;
	(void)mkdir(path, 0700);
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir < 0)
		err = ady_fail(f, ADY_E_STORE, "store.folder", "%.80s cannot be opened: %m", path);
	if (err == ADY_OK)
		err = ady_index_open(&s->index, scan, s, index_ms, f);
	if (err == ADY_OK)
		*r = &s->records;
	else
		folder_close(&s->records);
	return err;
}
