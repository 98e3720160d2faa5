/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t ady_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t ady_mono_ms(void)
{
	return ady_mono_us() / 1000;
}

int64_t ady_wall_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct tm broken_down(int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		ADY_BUG("time out of range");
	return tm;
}

void ady_time_basic(char out[static 17], int64_t unix_s)
{
	struct tm tm = broken_down(unix_s);

	(void)strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

void ady_time_rfc3339(char out[static 21], int64_t unix_s)
{
	struct tm tm = broken_down(unix_s);

	(void)strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* Match text against shape, where 'd' is a digit; the digits go to out in order. */
static bool take(char *out, struct ady_bytes text, const char *shape)
{
	size_t i = 0;

	for (; shape[i]; i++) {
		bool digit = i < text.n && text.p[i] >= '0' && text.p[i] <= '9';

		if (i >= text.n || (shape[i] == 'd' ? !digit : (char)text.p[i] != shape[i]))
			return false;
		if (digit)
			*out++ = (char)text.p[i];
	}
	*out = '\0';
	return true;
}

/* What follows the seconds of RFC 3339 here: an optional fraction, then Z. */
static bool ends_well(struct ady_bytes rest)
{
	size_t i = 0;

	if (i < rest.n && rest.p[i] == '.')
		for (i++; i < rest.n && rest.p[i] >= '0' && rest.p[i] <= '9'; i++)
			;
	return i + 1 == rest.n && rest.p[i] == 'Z' && i != 1;
}

static int number(const char *digits, int n)
{
	int v = 0;

	for (int i = 0; i < n; i++)
		v = v * 10 + (digits[i] - '0');
	return v;
}

enum ady_err ady_time_parse(int64_t *unix_s, struct ady_bytes text)
{
	char d[32], back[21];
	struct tm tm = {0};

	*unix_s = 0;
	if (!(text.n == 16 && take(d, text, "ddddddddTddddddZ")) &&
	    !(text.n >= 20 && take(d, text, "dddd-dd-ddTdd:dd:dd") &&
	      ends_well(ady_bytes_sub(text, 19, text.n - 19))))
		return ADY_E_FIELD_INVALID;
	tm.tm_year = number(d, 4) - 1900;
	tm.tm_mon = number(d + 4, 2) - 1;
	tm.tm_mday = number(d + 6, 2);
	tm.tm_hour = number(d + 8, 2);
	tm.tm_min = number(d + 10, 2);
	tm.tm_sec = number(d + 12, 2);
	/* Far outside, timegm would leave the years that can be written. */
	if (tm.tm_mon < 0 || tm.tm_mon > 11 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
	    tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 59)
		return ADY_E_FIELD_INVALID;
	*unix_s = (int64_t)timegm(&tm);
	/* timegm folds the 31st of a shorter month into the next: such a text names no time. */
	ady_time_basic(back, *unix_s);
	if (number(back, 8) == number(d, 8) && number(back + 9, 6) == number(d + 8, 6))
		return ADY_OK;
	*unix_s = 0;
	return ADY_E_FIELD_INVALID;
}
