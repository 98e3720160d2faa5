/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"

static enum ady_err read_fd(struct ady_dyn *out, int fd, const char *path, size_t max,
                            struct ady_fault *f)
{
	/* Room for all of it from the start: a secret that moves as its storage grows would leave
	 * copies behind. */
	uint8_t *room = ady_dyn_room(out, max + 1);
	size_t got = 0;

	while (got <= max) {
		ssize_t n = read(fd, room + got, max + 1 - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
		if (n == 0)
			return ADY_OK;
		got += (size_t)n;
		out->n += (size_t)n;
	}
	return ady_fail(f, ADY_E_TOO_LARGE, NULL, "%s exceeds %zu bytes", path, max);
}

enum ady_err ady_file_read(struct ady_dyn *out, const char *path, size_t max, struct ady_fault *f)
{
	enum ady_err err;
	int fd;

	if (strcmp(path, "-") == 0)
		return read_fd(out, STDIN_FILENO, "standard input", max, f);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
	err = read_fd(out, fd, path, max, f);
	close(fd);
	return err;
}

static bool write_all(int fd, struct ady_bytes content)
{
	while (content.n) {
		ssize_t n = write(fd, content.p, content.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		content = ady_bytes_sub(content, (size_t)n, content.n - (size_t)n);
	}
	return true;
}

void ady_file_echo(bool on)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) != 0)
		return;
	t.c_lflag = on ? t.c_lflag | ECHO : t.c_lflag & ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &t);
}

/* Byte by byte: what stands behind the line is not ours. */
enum ady_err ady_file_read_hidden(struct ady_dyn *out, const char *prompt, size_t max,
                                  struct ady_fault *f)
{
	char c = 0;

	if (!isatty(STDIN_FILENO))
		return ady_file_read(out, "-", max, f);
	fputs(prompt, stderr);
	ady_file_echo(false);
	while (out->n < max && read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		ady_dyn_put(out, &c, 1);
	ady_file_echo(true);
	fputc('\n', stderr);
	return c == '\n' ? ADY_OK : ady_fail(f, ADY_E_IO, NULL, "no line was typed");
}

enum ady_err ady_file_write(const char *path, unsigned mode, struct ady_bytes content,
                            struct ady_fault *f)
{
	char temporary[PATH_MAX];
	bool ok;
	int fd;

	if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
		return ady_fail(f, ADY_E_IO, NULL, "the path is too long");
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
	if (fd < 0)
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", temporary, strerror(errno));
	ok = write_all(fd, content) && fchmod(fd, (mode_t)mode) == 0;
	if (close(fd) != 0 || !ok || rename(temporary, path) != 0) {
		unlink(temporary);
		return ady_fail(f, ADY_E_IO, NULL, "%s: %s", path, strerror(errno));
	}
	return ADY_OK;
}

void ady_file_wipe(struct ady_dyn *content)
{
	if (content->p)
		ady_zero(content->p, content->cap);
	ady_dyn_free(content);
}
