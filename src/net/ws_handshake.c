/* SPDX-License-Identifier: Apache-2.0 */
#include "net/ws_handshake.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

static bool is_any_case(struct ady_bytes b, const char *s)
{
	return b.n == strlen(s) && strncasecmp((const char *)b.p, s, b.n) == 0;
}

/* Whether a list of tokens (RFC 9110 5.6.1) has one, in any case. */
static bool lists(struct ady_bytes v, const char *token)
{
	while (v.n > 0) {
		const uint8_t *comma = memchr(v.p, ',', v.n);
		size_t n = comma ? (size_t)(comma - v.p) : v.n;
		struct ady_bytes item = ady_bytes(v.p, n);

		while (item.n > 0 && (item.p[0] == ' ' || item.p[0] == '\t'))
			item = ady_bytes(item.p + 1, item.n - 1);
		while (item.n > 0 && (item.p[item.n - 1] == ' ' || item.p[item.n - 1] == '\t'))
			item.n--;
		if (is_any_case(item, token))
			return true;
		v = ady_bytes_sub(v, comma ? n + 1 : n, v.n - n - (comma ? 1 : 0));
	}
	return false;
}

/* RFC 6455 4.2.2, step 5.4. SHA-1 is no defence here: it shows that the server speaks WebSocket. */
void ady_ws_accept(char out[static ADY_WS_ACCEPT_SIZE], struct ady_bytes key)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t text[ADY_WS_KEY_SIZE - 1 + sizeof guid - 1], sha1[20];
	struct ady_buf b = ady_buf(text, sizeof text);

	ady_buf_view(&b, key);
	ady_buf_str(&b, guid);
	if (b.full || EVP_Digest(text, b.n, sha1, NULL, EVP_sha1(), NULL) != 1)
		ADY_BUG("SHA-1 of a key that is no key");
	(void)ady_base64_encode(out, ady_bytes(sha1, sizeof sha1));
}

bool ady_ws_is_upgrade(const struct ady_http_head *head)
{
	return ady_bytes_is(head->method, "GET") &&
	       lists(ady_http_field(head, "upgrade"), "websocket");
}

static size_t count(const struct ady_http_head *head, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < head->fields_n; i++)
		n += is_any_case(head->fields[i].name, name);
	return n;
}

static bool is_key(struct ady_bytes key)
{
	uint8_t nonce[18];
	size_t n;

	return key.n == ADY_WS_KEY_SIZE - 1 &&
	       ady_base64_decode(nonce, sizeof nonce, &n, key) == ADY_OK && n == 16;
}

enum ady_err ady_ws_accept_upgrade(struct ady_dyn *out, const struct ady_http_head *head,
                                   struct ady_fault *f)
{
	struct ady_bytes key = ady_http_field(head, "sec-websocket-key");
	char accept[ADY_WS_ACCEPT_SIZE];

	if (head->minor < 1)
		return ady_fail(f, ADY_E_HTTP, "upgrade", "stands in HTTP/1.0");
	if (!lists(ady_http_field(head, "connection"), "upgrade"))
		return ady_fail(f, ADY_E_HTTP, "connection", "does not say upgrade");
	if (!ady_bytes_is(ady_http_field(head, "sec-websocket-version"), "13"))
		return ady_fail(f, ADY_E_HTTP, "sec-websocket-version", "is not 13");
	if (count(head, "sec-websocket-key") != 1 || !is_key(key))
		return ady_fail(f, ADY_E_HTTP, "sec-websocket-key",
		                "is not there once, with 16 bytes in base64");
	if (head->length > 0)
		return ady_fail(f, ADY_E_HTTP, "content-length", "stands with an upgrade");
	ady_ws_accept(accept, key);
	ady_dyn_printf(out,
	               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	               "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	               accept);
	return ADY_OK;
}
