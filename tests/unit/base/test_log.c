/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char lines[8192];
static int saved, file;

/* From here on standard error goes to a file, until end() has read it to lines. */
static void begin(void)
{
	char name[] = "/tmp/adyton-test-log-XXXXXX";

	fflush(stderr);
	saved = dup(STDERR_FILENO);
	file = mkstemp(name);
	CHECK(file >= 0 && unlink(name) == 0 && dup2(file, STDERR_FILENO) >= 0);
}

static void end(void)
{
	ssize_t n;

	CHECK(dup2(saved, STDERR_FILENO) >= 0);
	n = pread(file, lines, sizeof lines - 1, 0);
	lines[n > 0 ? n : 0] = '\0';
	close(saved);
	close(file);
}

static unsigned count(char c)
{
	unsigned n = 0;

	for (const char *p = lines; *p; p++)
		n += *p == c;
	return n;
}

CASE(a_line_says_when_how_bad_who_and_what)
{
	ady_log_open("adyton-test", ADY_LOG_DEBUG);
	begin();
	ADY_WARN("credentials refused", "cause=%s attempt=%d", "ExpiredTokenException", 2);
	end();
	CHECK_INT(strlen(lines), 20 + strlen(" warn  adyton-test: credentials refused "
	                                     "cause=ExpiredTokenException attempt=2\n"));
	CHECK(lines[4] == '-' && lines[10] == 'T' && lines[19] == 'Z');
	CHECK_STR(lines + 20, " warn  adyton-test: credentials refused "
	                      "cause=ExpiredTokenException attempt=2\n");
}

CASE(an_event_without_values)
{
	begin();
	ADY_INFO("ready", "%s", "");
	end();
	CHECK_STR(lines + 20, " info  adyton-test: ready\n");
}

/* A peer's words cannot make a second line, nor drive a terminal. */
CASE(a_value_stays_on_its_line)
{
	char value[33];

	for (int i = 0; i < 31; i++)
		value[i] = (char)(i + 1);
	value[31] = 0x7f;
	value[32] = '\0';
	begin();
	ADY_ERROR("refused", "where=%s",
	          "x\n2026-11-23T00:00:00Z error adyton-test: forged \x1b[2J");
	ADY_ERROR("refused", "where=%s", value);
	end();
	CHECK_INT(count('\n'), 2);
	CHECK(strstr(lines, "where=x?2026-11-23T00:00:00Z error"));
	CHECK(strstr(lines, "where=????????????????????????????????\n"));
	for (const char *p = lines; *p; p++)
		CHECK(*p == '\n' || (*p >= 0x20 && *p != 0x7f));
}

CASE(lower_levels_are_left_out)
{
	ady_log_open("adyton-test", ADY_LOG_WARN);
	begin();
	ADY_DEBUG("a", "%s", "");
	ADY_INFO("b", "%s", "");
	ADY_WARN("c", "%s", "");
	ADY_ERROR("d", "%s", "");
	end();
	CHECK_INT(count('\n'), 2);
	CHECK(strstr(lines, "warn  adyton-test: c\n") && strstr(lines, "error adyton-test: d\n"));
}

CASE(a_long_line_is_cut_and_still_ends)
{
	static char value[5000];

	memset(value, 'v', sizeof value - 1);
	begin();
	ADY_WARN("long", "value=%s", value);
	ADY_WARN(value, "%s", "x=1");
	end();
	CHECK_INT(count('\n'), 2);
	CHECK(strlen(lines) <= 2048);
	CHECK(strstr(lines, " x=1\n"));
}

int main(void)
{
	RUN(a_line_says_when_how_bad_who_and_what);
	RUN(an_event_without_values);
	RUN(a_value_stays_on_its_line);
	RUN(lower_levels_are_left_out);
	RUN(a_long_line_is_cut_and_still_ends);
	return test_end();
}
