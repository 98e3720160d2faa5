/* SPDX-License-Identifier: Apache-2.0
 *
 * Addresses of HTTP and WebSocket servers, as a configuration names them. */
#ifndef ADY_NET_URL_H
#define ADY_NET_URL_H

#include "base/bytes.h"

enum { ADY_URL_HOST_MAX = 253, ADY_URL_TARGET_MAX = 1024 };

struct ady_url {
	bool tls, ws;                    /* https and wss; ws and wss */
	char host[ADY_URL_HOST_MAX + 1]; /* a name or numeric address, without brackets */
	uint16_t port;
	char target[ADY_URL_TARGET_MAX + 1]; /* path and query, "/" at least */
};

/* Read an absolute URL with the scheme http, https, ws or wss. User information and fragments are
 * refused: secrets have members of their own. Returns ADY_E_CONFIG with the reason in f, which does
 * not repeat the URL: its path may hold a secret. */
enum ady_err ady_url_parse(struct ady_url *url, const char *text, struct ady_fault *f);

/* Write "host", "host:port" or "[host]:port" to out: what a Host field says (RFC 9110 7.2). */
void ady_url_authority(char *out, size_t cap, const struct ady_url *url);

/* Write "scheme://host:port", without the target: for logs and pages. */
void ady_url_origin(char *out, size_t cap, const struct ady_url *url);

#endif
