/* SPDX-License-Identifier: Apache-2.0 */
#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const struct scheme {
	const char *text;
	bool tls, ws;
	uint16_t port;
} schemes[] = {
    {"http://", false, false, 80},
    {"https://", true, false, 443},
    {"ws://", false, true, 80},
    {"wss://", true, true, 443},
};

static enum ady_err refuse(struct ady_fault *f, const char *why)
{
	return ady_fail(f, ADY_E_CONFIG, "url", "%s", why);
}

static bool is_name(const char *s)
{
	return *s &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")] ==
	           '\0';
}

static bool is_six(const char *s)
{
	struct in6_addr six;

	return inet_pton(AF_INET6, s, &six) == 1;
}

/* Take the host from text; NULL when it is none, else what follows it. */
static const char *take_host(struct ady_url *url, const char *text)
{
	bool brackets = *text == '[';
	const char *end = brackets ? strchr(text, ']') : text + strcspn(text, ":/?");

	if (!end)
		return NULL;
	text += brackets;
	if (!ady_bytes_to_str(url->host, sizeof url->host, ady_bytes(text, (size_t)(end - text))))
		return NULL;
	if (brackets ? !is_six(url->host) : !is_name(url->host))
		return NULL;
	return end + brackets;
}

static const char *take_port(struct ady_url *url, const char *text)
{
	unsigned port = 0;

	if (*text != ':')
		return text;
	for (text++; *text >= '0' && *text <= '9' && port <= UINT16_MAX; text++)
		port = port * 10 + (unsigned)(*text - '0');
	url->port = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX ? text : NULL;
}

static enum ady_err take_target(struct ady_url *url, const char *text, struct ady_fault *f)
{
	int n;

	if (*text && *text != '/' && *text != '?')
		return refuse(f, "has something other than a path behind its host");
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}#", *c))
			return refuse(f, "has a character in its path that no URL has");
	n = snprintf(url->target, sizeof url->target, "%s%s", *text == '/' ? "" : "/", text);
	if ((size_t)n >= sizeof url->target)
		return refuse(f, "has a path of over 1024 bytes");
	return ADY_OK;
}

enum ady_err ady_url_parse(struct ady_url *url, const char *text, struct ady_fault *f)
{
	*url = (struct ady_url){0};
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		size_t n = strlen(schemes[i].text);

		if (strncmp(text, schemes[i].text, n) != 0)
			continue;
		*url = (struct ady_url){
		    .tls = schemes[i].tls, .ws = schemes[i].ws, .port = schemes[i].port};
		text += n;
		if (memchr(text, '@', strcspn(text, "/?")))
			return refuse(f, "has user information, which belongs elsewhere");
		text = take_host(url, text);
		if (!text)
			return refuse(f, "has no host, or one that is no name or address");
		text = take_port(url, text);
		return text ? take_target(url, text, f) : refuse(f, "has a port that is none");
	}
	return refuse(f, "does not begin with http://, https://, ws:// or wss://");
}

static uint16_t usual_port(const struct ady_url *url)
{
	return url->tls ? 443 : 80;
}

void ady_url_authority(char *out, size_t cap, const struct ady_url *url)
{
	bool six = strchr(url->host, ':') != NULL;
	int n = snprintf(out, cap, "%s%s%s", six ? "[" : "", url->host, six ? "]" : "");

	if (url->port != usual_port(url) && n > 0 && (size_t)n < cap)
		snprintf(out + n, cap - (size_t)n, ":%u", url->port);
}

void ady_url_origin(char *out, size_t cap, const struct ady_url *url)
{
	const char *scheme = url->ws ? "ws" : "http";
	int n = snprintf(out, cap, "%s%s://", scheme, url->tls ? "s" : "");

	if (n > 0 && (size_t)n < cap)
		ady_url_authority(out + n, cap - (size_t)n, url);
}
