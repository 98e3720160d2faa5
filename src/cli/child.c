/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	LINE_MAX_BYTES = 1 << 20,
	READ_BYTES = 4096,
	BACKOFF_MIN_MS = 200,
	BACKOFF_MAX_MS = 5000,
	SETTLED_MS = 30000,
};

void ady_child_init(struct ady_child *c, const char *name, const char *program, const char *log)
{
	*c = (struct ady_child){.name = name, .out = -1};
	snprintf(c->log, sizeof c->log, "%s", log);
	(void)ady_child_arg(c, program);
}

enum ady_err ady_child_arg(struct ady_child *c, const char *arg)
{
	if (c->argc == ADY_CHILD_ARGS)
		return ADY_E_TOO_LARGE;
	c->argv[c->argc] = strdup(arg);
	if (!c->argv[c->argc])
		return ADY_E_MEMORY;
	c->argc++;
	return ADY_OK;
}

/* After fork: only async-signal-safe calls. */
static void become(const struct ady_child *c, pid_t parent, int log, int out)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* died before the line above */
		_exit(127);
	(void)setpgid(0, 0);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(open("/dev/null", O_RDONLY), STDIN_FILENO) < 0 ||
	    dup2(out >= 0 ? out : log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(127);
	execv(c->argv[0], c->argv);
	dprintf(STDERR_FILENO, "%s: %s\n", c->argv[0], strerror(errno));
	_exit(127);
}

enum ady_err ady_child_start(struct ady_child *c, bool want_out, struct ady_fault *f)
{
	int log = open(c->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	int out[2] = {-1, -1};
	const pid_t parent = getpid();

	if (log < 0 || (want_out && pipe2(out, O_CLOEXEC) != 0)) {
		if (log >= 0)
			close(log);
		return ady_fail(f, ADY_E_IO, c->name, "%s: %s", c->log, strerror(errno));
	}
	if (c->out >= 0)
		close(c->out);
	c->out = out[0];
	c->log_at = lseek(log, 0, SEEK_END);
	c->pid = fork();
	if (c->pid == 0)
		become(c, parent, log, out[1]);
	close(log);
	if (out[1] >= 0)
		close(out[1]);
	c->started_ms = ady_mono_ms();
	c->restart_ms = 0;
	if (c->pid > 0)
		return ADY_OK;
	c->pid = 0;
	return ady_fail(f, ADY_E_IO, c->name, "cannot be started: %s", strerror(errno));
}

enum ady_err ady_child_line(struct ady_child *c, struct ady_dyn *line, int timeout_ms)
{
	const int64_t end_ms = ady_mono_ms() + timeout_ms;

	while (!line->n || line->p[line->n - 1] != '\n') {
		struct pollfd p = {.fd = c->out, .events = POLLIN};
		const int64_t left = end_ms - ady_mono_ms();
		char byte;

		if (left <= 0)
			return ADY_E_DEADLINE;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		if (read(c->out, &byte, 1) != 1 || line->n > LINE_MAX_BYTES)
			return ADY_E_IO;
		ady_dyn_put(line, &byte, 1);
	}
	return ADY_OK;
}

enum ady_err ady_child_output(struct ady_child *c, struct ady_dyn *out, int timeout_ms)
{
	const int64_t end_ms = ady_mono_ms() + timeout_ms;

	while (out->n <= LINE_MAX_BYTES) {
		struct pollfd p = {.fd = c->out, .events = POLLIN};
		const int64_t left = end_ms - ady_mono_ms();
		ssize_t n;

		if (left <= 0)
			return ADY_E_DEADLINE;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(c->out, ady_dyn_room(out, READ_BYTES), READ_BYTES);
		if (n == 0)
			return ADY_OK;
		if (n < 0)
			return ADY_E_IO;
		out->n += (size_t)n;
	}
	return ADY_E_IO;
}

bool ady_child_ended(struct ady_child *c)
{
	if (c->pid && waitpid(c->pid, NULL, WNOHANG) != 0)
		c->pid = 0;
	return c->pid == 0;
}

void ady_child_stop(struct ady_child *c, int ms, bool hurry)
{
	const int64_t end_ms = ady_mono_ms() + ms;

	c->restart_ms = 0;
	if (ady_child_ended(c))
		return;
	if (!hurry) {
		kill(c->pid, SIGTERM);
		kill(c->pid, SIGCONT); /* a stopped one would not see it */
	}
	while (!hurry && !ady_child_ended(c) && ady_mono_ms() < end_ms)
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	if (c->pid == 0)
		return;
	kill(c->pid, SIGKILL);
	(void)waitpid(c->pid, NULL, 0);
	c->pid = 0;
}

void ady_child_last_words(const struct ady_child *c, struct ady_dyn *out, size_t n)
{
	int fd = open(c->log, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t got = -1;
	uint8_t *room;

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0) {
		const off_t last = st.st_size - (off_t)n;

		room = ady_dyn_room(out, n);
		got = pread(fd, room, n, last > c->log_at ? last : c->log_at);
	}
	if (got > 0)
		out->n += (size_t)got;
	close(fd);
}

void ady_child_clear(struct ady_child *c)
{
	for (size_t i = 0; i < c->argc; i++)
		free(c->argv[i]);
	c->argc = 0;
	if (c->out >= 0)
		close(c->out);
	c->out = -1;
}

int ady_backoff_ms(int *backoff_ms, int64_t lived_ms)
{
	int ms;

	if (lived_ms > SETTLED_MS || *backoff_ms == 0)
		*backoff_ms = BACKOFF_MIN_MS;
	ms = *backoff_ms;
	*backoff_ms = ms * 2 < BACKOFF_MAX_MS ? ms * 2 : BACKOFF_MAX_MS;
	return ms;
}
