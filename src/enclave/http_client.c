/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/http_client.h"

#include <string.h>

#include "codec/http1.h"

/* A reply while it is read: bytes [0, received) of space are there. */
struct reading {
	struct ady_tls *t;
	struct ady_http_reply *reply;
	int64_t deadline_ms;
	struct ady_fault *f;
};

static enum ady_err bad(const struct reading *r, const char *why)
{
	return ady_fail(r->f, ADY_E_KMS_REPLY, "", "the HTTP reply of KMS %s", why);
}

/* Read some more bytes. */
static enum ady_err more(const struct reading *r)
{
	struct ady_http_reply *p = r->reply;
	size_t n;
	enum ady_err err;

	if (p->received == sizeof p->space)
		return bad(r, "exceeds 32 KiB");
	err = ady_tls_read(r->t, p->space + p->received, sizeof p->space - p->received, &n,
	                   r->deadline_ms);
	if (err == ADY_OK && n == 0)
		err = ADY_E_IO;
	if (err != ADY_OK)
		return ady_fail(r->f, err, "",
		                err == ADY_E_IO ? "the connection to KMS ended within a reply"
		                                : "KMS did not answer in time");
	p->received += n;
	return ADY_OK;
}

/* Read until at least n bytes are there. */
static enum ady_err until(const struct reading *r, size_t n)
{
	enum ady_err err = ADY_OK;

	if (n > sizeof r->reply->space)
		return bad(r, "exceeds 32 KiB");
	while (err == ADY_OK && r->reply->received < n)
		err = more(r);
	return err;
}

static enum ady_err read_head(const struct reading *r, struct ady_http_head *head)
{
	for (;;) {
		struct ady_bytes in = ady_bytes(r->reply->space, r->reply->received);
		enum ady_err err = in.n ? ady_http_parse_reply(head, in, NULL) : ADY_E_AGAIN;

		if (err == ADY_OK)
			return head->status >= 200 ? ADY_OK
			                           : bad(r, "is a 1xx, which was not asked");
		if (err != ADY_E_AGAIN)
			return bad(r, "has a malformed head");
		if ((err = more(r)) != ADY_OK)
			return err;
	}
}

/* Read one chunk's head at *at, which is moved behind it. */
static enum ady_err read_chunk_head(const struct reading *r, size_t *at, size_t *size)
{
	for (;;) {
		size_t used, n = r->reply->received - *at;
		enum ady_err err = ADY_E_AGAIN;

		if (n)
			err = ady_http_chunk(size, &used, ady_bytes(r->reply->space + *at, n));
		if (err == ADY_OK) {
			*at += used;
			return ADY_OK;
		}
		if (err != ADY_E_AGAIN)
			return bad(r, "has a malformed chunk");
		if ((err = more(r)) != ADY_OK)
			return err;
	}
}

/* Decode chunks in place, from behind the head; *end is where the reply ends in space. Trailers are
 * not accepted. */
static enum ady_err read_chunks(const struct reading *r, size_t at, size_t *end)
{
	struct ady_http_reply *p = r->reply;
	size_t body = at, filled = at, size;

	do {
		enum ady_err err = read_chunk_head(r, &at, &size);

		if (err != ADY_OK)
			return err;
		if (size > sizeof p->space)
			return bad(r, "exceeds 32 KiB");
		if ((err = until(r, at + size + 2)) != ADY_OK)
			return err;
		if (memcmp(p->space + at + size, "\r\n", 2) != 0)
			return bad(r, "has a malformed chunk");
		memmove(p->space + filled, p->space + at, size);
		filled += size;
		at += size + 2;
	} while (size > 0);
	p->body = ady_bytes(p->space + body, filled - body);
	*end = at;
	return ADY_OK;
}

static enum ady_err read_body(const struct reading *r, const struct ady_http_head *head)
{
	struct ady_http_reply *p = r->reply;
	size_t end = head->size;
	enum ady_err err;

	if (head->chunked) {
		err = read_chunks(r, head->size, &end);
	} else {
		if (!head->has_length)
			return bad(r, "does not say how long it is");
		if (head->length > sizeof p->space)
			return bad(r, "exceeds 32 KiB");
		end += (size_t)head->length;
		err = until(r, end);
		p->body = ady_bytes(p->space + head->size, (size_t)head->length);
	}
	if (err != ADY_OK)
		return err;
	return p->received == end ? ADY_OK : bad(r, "has bytes behind its end");
}

enum ady_err ady_http_exchange(struct ady_tls *t, struct ady_bytes request,
                               struct ady_http_reply *reply, int64_t deadline_ms,
                               struct ady_fault *f)
{
	struct reading r = {.t = t, .reply = reply, .deadline_ms = deadline_ms, .f = f};
	struct ady_http_head head;
	enum ady_err err;

	reply->received = 0;
	reply->status = 0;
	reply->keep_alive = false;
	if ((err = ady_tls_write(t, request, deadline_ms)) != ADY_OK)
		return ady_fail(f, err, "", "the request to KMS could not be sent");
	if ((err = read_head(&r, &head)) != ADY_OK || (err = read_body(&r, &head)) != ADY_OK)
		return err;
	reply->status = head.status;
	reply->keep_alive = head.keep_alive;
	return ADY_OK;
}
