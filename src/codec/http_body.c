/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/http_body.h"

void ady_http_body_begin(struct ady_http_body *b, const struct ady_http_head *head)
{
	*b = (struct ady_http_body){.stage = ADY_BODY_TO_END};
	if (head->status < 200 || head->status == 204 || head->status == 304)
		b->stage = ADY_BODY_DONE;
	else if (head->chunked)
		b->stage = ADY_BODY_CHUNK_HEAD;
	else if (head->has_length)
		*b = (struct ady_http_body){.stage = head->length ? ADY_BODY_LENGTH : ADY_BODY_DONE,
		                            .left = head->length};
}

static void take_content(struct ady_http_body *b, struct ady_bytes *piece, size_t *used,
                         struct ady_bytes in)
{
	*used = b->stage == ADY_BODY_TO_END || b->left > in.n ? in.n : (size_t)b->left;
	*piece = ady_bytes_sub(in, 0, *used);
	if (b->stage == ADY_BODY_TO_END)
		return;
	b->left -= *used;
	if (b->left == 0)
		b->stage = b->stage == ADY_BODY_LENGTH ? ADY_BODY_DONE : ADY_BODY_CHUNK_END;
}

static enum ady_err take_chunk_head(struct ady_http_body *b, size_t *used, struct ady_bytes in)
{
	size_t size;
	enum ady_err err = ady_http_chunk(&size, used, in);

	if (err != ADY_OK)
		return err;
	b->left = size;
	b->stage = size ? ADY_BODY_CHUNK : ADY_BODY_LAST;
	return ADY_OK;
}

static enum ady_err take_line_end(struct ady_http_body *b, size_t *used, struct ady_bytes in)
{
	if (in.p[0] != '\r' || (in.n > 1 && in.p[1] != '\n'))
		return ADY_E_HTTP;
	if (in.n < 2)
		return ADY_E_AGAIN;
	*used = 2;
	b->stage = b->stage == ADY_BODY_LAST ? ADY_BODY_DONE : ADY_BODY_CHUNK_HEAD;
	return ADY_OK;
}

enum ady_err ady_http_body_next(struct ady_http_body *b, struct ady_bytes *piece, size_t *used,
                                struct ady_bytes in)
{
	*piece = (struct ady_bytes){0};
	*used = 0;
	if (b->stage == ADY_BODY_DONE)
		return ADY_OK;
	if (in.n == 0)
		return ADY_E_AGAIN;
	switch (b->stage) {
	case ADY_BODY_CHUNK_HEAD:
		return take_chunk_head(b, used, in);
	case ADY_BODY_CHUNK_END:
	case ADY_BODY_LAST:
		return take_line_end(b, used, in);
	case ADY_BODY_LENGTH:
	case ADY_BODY_TO_END:
	case ADY_BODY_CHUNK:
	case ADY_BODY_DONE:
		break;
	}
	take_content(b, piece, used, in);
	return ADY_OK;
}
