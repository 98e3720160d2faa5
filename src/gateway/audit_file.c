/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_MAX_ = 32, DIGITS = 8, TAIL_MAX = 16 << 20 };

static enum ady_err failed(struct ady_fault *f, const char *what, const char *name)
{
	return ady_fail(f, ADY_E_IO, "audit", "%s %s: %s", name, what, strerrordesc_np(errno));
}

static void name_of(char out[static NAME_MAX_], uint64_t number)
{
	snprintf(out, NAME_MAX_, "%08" PRIu64 ".log", number);
}

/* The number in a file's name; 0: it is none of ours. */
static uint64_t number_of(const char *name)
{
	char again[NAME_MAX_];
	uint64_t n = strtoull(name, NULL, 10);

	name_of(again, n);
	return n > 0 && strcmp(again, name) == 0 ? n : 0;
}

static uint64_t last_number(int folder)
{
	uint64_t last = 0, n;
	struct dirent *entry;
	DIR *d;
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	d = fd < 0 ? NULL : fdopendir(fd);
	while (d && (entry = readdir(d)))
		if ((n = number_of(entry->d_name)) > last)
			last = n;
	if (d)
		closedir(d);
	return last;
}

static bool read_all(int fd, uint8_t *p, size_t n, off_t at)
{
	while (n > 0) {
		ssize_t got = pread(fd, p, n, at);

		if (got <= 0)
			return false;
		p += got;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

/* Pass on the whole lines of text; the first may be cut when it begins within the file. Returns
 * where the last one ends. */
static size_t pass_lines(struct ady_bytes text, bool cut, void (*line)(void *, struct ady_bytes),
                         void *ctx)
{
	size_t at = 0;

	for (const uint8_t *end; (end = memchr(text.p + at, '\n', text.n - at));) {
		size_t n = (size_t)(end - text.p) - at;

		if (!cut)
			line(ctx, ady_bytes(text.p + at, n));
		cut = false;
		at += n + 1;
		if (at == text.n)
			break;
	}
	return at;
}

/* Read the end of a file of size bytes. *good: how many of them are whole lines. */
static enum ady_err read_tail(int fd, uint64_t size, uint64_t *good,
                              void (*line)(void *, struct ady_bytes), void *ctx)
{
	uint64_t from = size > TAIL_MAX ? size - TAIL_MAX : 0;
	size_t n = (size_t)(size - from);
	uint8_t *text = malloc(n + 1);
	bool ok = text && read_all(fd, text, n, (off_t)from);

	*good = ok && n > 0 ? from + pass_lines(ady_bytes(text, n), from > 0, line, ctx) : 0;
	free(text);
	return ok ? ADY_OK : ADY_E_IO;
}

/* The file before the last one, for its end; it is as it is. */
static void read_older(const struct ady_audit_file *file, void (*line)(void *, struct ady_bytes),
                       void *ctx)
{
	char name[NAME_MAX_];
	struct stat st;
	uint64_t good;
	int fd;

	name_of(name, file->number - 1);
	fd = openat(file->folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0)
		(void)read_tail(fd, (uint64_t)st.st_size, &good, line, ctx);
	close(fd);
}

static enum ady_err open_last(struct ady_audit_file *file, void (*line)(void *, struct ady_bytes),
                              void *ctx, struct ady_fault *f)
{
	char name[NAME_MAX_];
	struct stat st;

	file->number = last_number(file->folder);
	if (file->number == 0)
		return ADY_OK;
	read_older(file, line, ctx);
	name_of(name, file->number);
	file->fd = openat(file->folder, name, O_RDWR | O_CLOEXEC);
	if (file->fd < 0 || fstat(file->fd, &st) != 0)
		return failed(f, "cannot be opened", name);
	if (read_tail(file->fd, (uint64_t)st.st_size, &file->size, line, ctx) != ADY_OK)
		return failed(f, "cannot be read", name);
	if (file->size < (uint64_t)st.st_size && ftruncate(file->fd, (off_t)file->size) != 0)
		return failed(f, "has a torn line that cannot be cut off", name);
	return ADY_OK;
}

enum ady_err ady_audit_file_open(struct ady_audit_file *file, const char *folder, uint64_t rotate,
                                 void (*line)(void *ctx, struct ady_bytes line), void *ctx,
                                 struct ady_fault *f)
{
	*file = (struct ady_audit_file){.folder = -1, .lock = -1, .fd = -1, .rotate = rotate};
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return failed(f, "cannot be made", folder);
	file->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file->folder < 0)
		return failed(f, "cannot be opened", folder);
	file->lock = openat(file->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file->lock < 0)
		return failed(f, "cannot be locked", folder);
	if (flock(file->lock, LOCK_EX | LOCK_NB) != 0)
		return ady_fail(f, ADY_E_IO, "audit", "%s is in use by another gateway", folder);
	return open_last(file, line, ctx, f);
}

static void end_file(struct ady_audit_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
	file->size = 0;
}

void ady_audit_file_close(struct ady_audit_file *file)
{
	end_file(file);
	if (file->lock >= 0)
		close(file->lock);
	if (file->folder >= 0)
		close(file->folder);
	*file = (struct ady_audit_file){.folder = -1, .lock = -1, .fd = -1};
}

void ady_audit_file_look(struct ady_audit_file *file)
{
	char name[NAME_MAX_];
	struct stat open_one, named;

	if (file->fd < 0)
		return;
	name_of(name, file->number);
	if (fstat(file->fd, &open_one) != 0 ||
	    fstatat(file->folder, name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
	    open_one.st_ino != named.st_ino || open_one.st_dev != named.st_dev ||
	    (uint64_t)named.st_size < file->size)
		end_file(file);
}

bool ady_audit_file_is_new(const struct ady_audit_file *file)
{
	return file->fd < 0 || file->size >= file->rotate;
}

static enum ady_err begin_file(struct ady_audit_file *file, struct ady_fault *f)
{
	char name[NAME_MAX_];
	int fd;

	name_of(name, file->number + 1);
	fd = openat(file->folder, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(f, "cannot be made", name);
	if (fsync(file->folder) != 0) {
		enum ady_err err = failed(f, "cannot be made", name);

		unlinkat(file->folder, name, 0);
		close(fd);
		return err;
	}
	end_file(file);
	file->fd = fd;
	file->number++;
	return ADY_OK;
}

static bool write_all(int fd, struct ady_bytes b, uint64_t at)
{
	while (b.n > 0) {
		ssize_t n = pwrite(fd, b.p, b.n, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		b = ady_bytes(b.p + n, b.n - (size_t)n);
		at += (uint64_t)n;
	}
	return true;
}

/* After a failed sync nobody knows what of the file is on the disk: no line is added to it. */
enum ady_err ady_audit_file_append(struct ady_audit_file *file, struct ady_bytes lines,
                                   struct ady_fault *f)
{
	char name[NAME_MAX_];
	enum ady_err err;

	if (ady_audit_file_is_new(file) && (err = begin_file(file, f)) != ADY_OK)
		return err;
	name_of(name, file->number);
	if (!write_all(file->fd, lines, file->size)) {
		err = failed(f, "cannot be written", name);
		if (ftruncate(file->fd, (off_t)file->size) != 0)
			end_file(file);
		return err;
	}
	if (fdatasync(file->fd) != 0) {
		err = failed(f, "cannot be synced", name);
		end_file(file);
		return err;
	}
	file->size += lines.n;
	return ADY_OK;
}
