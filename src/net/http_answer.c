/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an answer, and which status a refused head gets. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "net/http_conn.h"

static const struct {
	int status;
	const char *line;
} lines[] = {
    {200, "HTTP/1.1 200 OK\r\n"},
    {201, "HTTP/1.1 201 Created\r\n"},
    {202, "HTTP/1.1 202 Accepted\r\n"},
    {204, "HTTP/1.1 204 No Content\r\n"},
    {304, "HTTP/1.1 304 Not Modified\r\n"},
    {400, "HTTP/1.1 400 Bad Request\r\n"},
    {401, "HTTP/1.1 401 Unauthorized\r\n"},
    {403, "HTTP/1.1 403 Forbidden\r\n"},
    {404, "HTTP/1.1 404 Not Found\r\n"},
    {405, "HTTP/1.1 405 Method Not Allowed\r\n"},
    {406, "HTTP/1.1 406 Not Acceptable\r\n"},
    {408, "HTTP/1.1 408 Request Timeout\r\n"},
    {409, "HTTP/1.1 409 Conflict\r\n"},
    {411, "HTTP/1.1 411 Length Required\r\n"},
    {412, "HTTP/1.1 412 Precondition Failed\r\n"},
    {413, "HTTP/1.1 413 Content Too Large\r\n"},
    {414, "HTTP/1.1 414 URI Too Long\r\n"},
    {415, "HTTP/1.1 415 Unsupported Media Type\r\n"},
    {417, "HTTP/1.1 417 Expectation Failed\r\n"},
    {422, "HTTP/1.1 422 Unprocessable Content\r\n"},
    {429, "HTTP/1.1 429 Too Many Requests\r\n"},
    {431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
    {500, "HTTP/1.1 500 Internal Server Error\r\n"},
    {501, "HTTP/1.1 501 Not Implemented\r\n"},
    {502, "HTTP/1.1 502 Bad Gateway\r\n"},
    {503, "HTTP/1.1 503 Service Unavailable\r\n"},
    {504, "HTTP/1.1 504 Gateway Timeout\r\n"},
    {505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
};

static void put_status(struct ady_dyn *d, int status)
{
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		if (lines[i].status != status)
			continue;
		ady_dyn_str(d, lines[i].line);
		return;
	}
	ady_dyn_printf(d, "HTTP/1.1 %d Status\r\n", status);
}

/* RFC 9110 5.6.7, made once a second. The names are spelled out: strftime follows the locale. */
static const char *date_of(struct ady_http_server *server)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int64_t now_s = ady_wall_ms() / 1000;
	time_t t = (time_t)now_s;
	struct tm tm;

	if (now_s == server->date_s || !gmtime_r(&t, &tm))
		return server->date;
	server->date_s = now_s;
	snprintf(server->date, sizeof server->date, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
	         days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
	         (tm.tm_year + 1900) % 10000, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return server->date;
}

static void put_number(struct ady_dyn *d, size_t v)
{
	char digits[24];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	ady_dyn_put(d, digits + at, sizeof digits - at);
}

/* RFC 9110 8.6: no Content-Length in an answer that cannot have content. */
static void put_content(struct ady_dyn *d, const struct ady_http_answer_parts *a)
{
	if (a->status == 204 || a->status == 304)
		return;
	if (a->type && a->type[0]) {
		ady_dyn_str(d, "\r\nContent-Type: ");
		ady_dyn_str(d, a->type);
	}
	ady_dyn_str(d, "\r\nContent-Length: ");
	put_number(d, a->body.n + a->missing);
}

void ady_http_compose(struct ady_http_server *server, const struct ady_http_answer_parts *a)
{
	struct ady_dyn *d = &server->scratch;

	d->n = 0;
	put_status(d, a->status);
	ady_dyn_str(d, "Date: ");
	ady_dyn_str(d, date_of(server));
	put_content(d, a);
	ady_dyn_str(d, "\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
	if (a->close)
		ady_dyn_str(d, "Connection: close\r\n");
	else if (a->http10)
		ady_dyn_str(d, "Connection: keep-alive\r\n");
	if (a->fields)
		ady_dyn_str(d, a->fields);
	ady_dyn_str(d, "\r\n");
}

int ady_http_refusal_status(const struct ady_fault *f)
{
	static const struct {
		const char *where;
		enum ady_err err;
		int status;
	} rows[] = {
	    {"head", ADY_E_TOO_LARGE, 431},
	    {"target", ADY_E_TOO_LARGE, 414},
	    {"version", ADY_E_HTTP, 505},
	    {"expect", ADY_E_HTTP, 417},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].err == f->err && strcmp(rows[i].where, f->where) == 0)
			return rows[i].status;
	return ady_err_status(f->err);
}
