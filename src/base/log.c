/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static const char *program = "adyton";
static enum ady_log_level lowest = ADY_LOG_INFO;

void ady_log_open(const char *name, enum ady_log_level level)
{
	program = name;
	lowest = level;
}

/* A line never holds a control character but its end: a peer's words cannot forge a second one. */
static size_t seal(char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n] = '\n';
	return n + 1;
}

void ady_log(enum ady_log_level level, const char *event, const char *fmt, ...)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	char line[1024], when[21];
	size_t n, room;
	va_list ap;
	int more;

	if (level < lowest)
		return;
	ady_time_rfc3339(when, ady_wall_ms() / 1000);
	n = (size_t)snprintf(line, sizeof line, "%s %-5s %s: %.200s ", when, names[level], program,
	                     event);
	room = sizeof line - n - 1;
	va_start(ap, fmt);
	more = vsnprintf(line + n, room, fmt, ap);
	va_end(ap);
	if (more > 0)
		n += (size_t)more < room ? (size_t)more : room - 1;
	while (n > 0 && line[n - 1] == ' ')
		n--;
	n = seal(line, n);
	if (write(STDERR_FILENO, line, n) < 0)
		return; /* nowhere left to say so */
}
