/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_stream.h"

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void see_in_string(struct ady_json_stream *s, uint8_t c)
{
	if (s->escaped)
		s->escaped = false;
	else if (c == '\\')
		s->escaped = true;
	else if (c == '"')
		s->within_string = false;
}

/* True: the value has ended with c. */
static bool see(struct ady_json_stream *s, uint8_t c)
{
	if (s->within_string) {
		see_in_string(s, c);
		return false;
	}
	if (c == '"')
		s->within_string = true;
	else if (c == '{' || c == '[')
		s->depth++;
	else if (c == '}' || c == ']')
		s->depth--;
	return s->depth == 0;
}

enum ady_err ady_json_stream_next(struct ady_json_stream *s, struct ady_bytes *value, size_t *used,
                                  struct ady_bytes in)
{
	size_t begin = 0;

	*value = (struct ady_bytes){0};
	*used = 0;
	if (s->at == 0) {
		while (begin < in.n && is_blank(in.p[begin]))
			begin++;
		*used = begin;
		if (begin == in.n)
			return ADY_E_AGAIN;
		if (in.p[begin] != '{' && in.p[begin] != '[')
			return ADY_E_JSON;
	}
	for (size_t i = begin + s->at; i < in.n; i++) {
		if (!see(s, in.p[i]))
			continue;
		*value = ady_bytes_sub(in, begin, i + 1 - begin);
		*used = i + 1;
		*s = (struct ady_json_stream){0};
		return ADY_OK;
	}
	s->at = in.n - begin;
	return ADY_E_AGAIN;
}
