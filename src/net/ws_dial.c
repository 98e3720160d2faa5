/* SPDX-License-Identifier: Apache-2.0
 *
 * The client's side of the opening handshake (contract in net/ws_handshake.h). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/rng.h"
#include "net/ws_handshake.h"

enum { READ_AT_ONCE = 4096 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_ws_dial {
	struct ady_ws_dial_config config;
	struct ady_connect *connecting; /* NULL: connected */
	struct ady_stream stream;
	struct ady_io io;
	struct ady_timer deadline;
	struct ady_dyn out, in;
	size_t out_at;
	bool watched;
	char key[ADY_WS_KEY_SIZE];
};

void ady_ws_dial_drop(struct ady_ws_dial *d)
{
	if (!d)
		return;
	ady_timer_cancel(d->config.loop, &d->deadline);
	ady_connect_drop(d->connecting);
	if (d->watched)
		ady_loop_del(d->config.loop, &d->io);
	ady_stream_close(&d->stream);
	ady_dyn_free(&d->in);
	ady_dyn_free(&d->out);
	free(d);
}

static void fail(struct ady_ws_dial *d, enum ady_err err, const char *detail)
{
	const struct ady_ws_dial_config config = d->config;
	struct ady_fault f;

	(void)ady_fail(&f, err, NULL, "%s", detail);
	ady_ws_dial_drop(d);
	config.done(config.ctx, NULL, (struct ady_bytes){0}, &f);
}

static void on_deadline(struct ady_timer *timer)
{
	fail(OWNER(timer, struct ady_ws_dial, deadline), ADY_E_DEADLINE, "no WebSocket in time");
}

static void succeed(struct ady_ws_dial *d, size_t head_size)
{
	const struct ady_ws_dial_config config = d->config;
	struct ady_stream stream = d->stream;
	struct ady_dyn in = d->in;

	ady_loop_del(config.loop, &d->io);
	d->watched = false;
	d->stream = (struct ady_stream){.fd = -1};
	d->in = (struct ady_dyn){0};
	ady_dyn_drop(&in, head_size);
	ady_ws_dial_drop(d);
	config.done(config.ctx, &stream, ady_dyn_bytes(&in), NULL);
	ady_dyn_free(&in);
}

/* RFC 6455 4.1: what a client must see. Extensions and subprotocols were not asked for. */
static bool acceptable(const struct ady_ws_dial *d, const struct ady_http_head *head)
{
	struct ady_bytes upgrade = ady_http_field(head, "upgrade");
	struct ady_bytes connection = ady_http_field(head, "connection");
	char accept[ADY_WS_ACCEPT_SIZE];

	ady_ws_accept(accept, ady_bytes_str(d->key));
	return head->status == 101 && upgrade.n == 9 &&
	       strncasecmp((const char *)upgrade.p, "websocket", 9) == 0 && connection.n == 7 &&
	       strncasecmp((const char *)connection.p, "upgrade", 7) == 0 &&
	       ady_bytes_is(ady_http_field(head, "sec-websocket-accept"), accept) &&
	       !ady_http_field(head, "sec-websocket-extensions").p &&
	       !ady_http_field(head, "sec-websocket-protocol").p;
}

static void take_reply(struct ady_ws_dial *d)
{
	struct ady_http_head head;
	struct ady_fault f;
	enum ady_err err = ady_http_parse_reply(&head, ady_dyn_bytes(&d->in), &f);

	if (err == ADY_E_AGAIN)
		return;
	if (err != ADY_OK)
		fail(d, ADY_E_HTTP, "the reply to the upgrade is malformed");
	else if (!acceptable(d, &head))
		fail(d, ADY_E_HTTP, "the server refused the upgrade");
	else
		succeed(d, head.size);
}

/* False: the dial has failed and is gone. */
static bool flush(struct ady_ws_dial *d)
{
	struct iovec iov = {.iov_base = d->out.p + d->out_at, .iov_len = d->out.n - d->out_at};
	ssize_t n = iov.iov_len ? ady_stream_write(&d->stream, &iov, 1) : 0;

	if (n == ADY_STREAM_BROKEN) {
		fail(d, ADY_E_IO, "the server ended the connection");
		return false;
	}
	d->out_at += (size_t)n;
	ady_loop_set(d->config.loop, &d->io, EPOLLIN | (d->out_at < d->out.n ? EPOLLOUT : 0U));
	return true;
}

static void on_ready(struct ady_io *io, uint32_t ready)
{
	struct ady_ws_dial *d = OWNER(io, struct ady_ws_dial, io);
	ssize_t n;
	bool more;

	(void)ready;
	if (!flush(d))
		return;
	n = ady_stream_read(&d->stream, ady_dyn_room(&d->in, READ_AT_ONCE), READ_AT_ONCE, &more);
	if (n == ADY_STREAM_AGAIN)
		return;
	if (n <= 0) {
		fail(d, ADY_E_IO, "the server ended the connection");
		return;
	}
	d->in.n += (size_t)n;
	take_reply(d);
}

static void on_connected(void *ctx, struct ady_stream *stream, const struct ady_fault *f)
{
	struct ady_ws_dial *d = ctx;

	d->connecting = NULL;
	if (f) {
		fail(d, f->err, f->detail);
		return;
	}
	d->stream = *stream;
	d->io.fd = stream->fd;
	d->watched = ady_loop_add(d->config.loop, &d->io, EPOLLIN) == ADY_OK;
	if (d->watched)
		(void)flush(d);
	else
		fail(d, ADY_E_IO, "epoll_ctl failed");
}

static void put_request(struct ady_ws_dial *d)
{
	char host[ADY_URL_HOST_MAX + 16];
	uint8_t nonce[16];

	ady_random(nonce, sizeof nonce);
	(void)ady_base64_encode(d->key, ady_bytes(nonce, sizeof nonce));
	ady_url_authority(host, sizeof host, d->config.url);
	ady_dyn_printf(&d->out,
	               "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: adyton/" ADY_VERSION "\r\n"
	               "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n",
	               d->config.url->target, host, d->key,
	               d->config.fields ? d->config.fields : "");
}

struct ady_ws_dial *ady_ws_dial_start(const struct ady_ws_dial_config *config, int64_t due_ms)
{
	struct ady_ws_dial *d = calloc(1, sizeof *d);
	const struct ady_connect_config how = {.loop = config->loop,
	                                       .pool = config->pool,
	                                       .url = config->url,
	                                       .tls = config->tls,
	                                       .done = on_connected,
	                                       .ctx = d};

	if (!d)
		ADY_BUG("out of memory");
	d->config = *config;
	d->stream.fd = -1;
	d->io = (struct ady_io){.fd = -1, .fn = on_ready};
	d->deadline.fn = on_deadline;
	put_request(d);
	ady_timer_set(config->loop, &d->deadline, due_ms - ady_mono_ms());
	d->connecting = ady_connect_start(&how, due_ms);
	return d;
}
