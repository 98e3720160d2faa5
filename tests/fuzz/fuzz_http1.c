/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads, chunk heads, targets. The first byte chooses which; the second where the input is cut, to
 * hold the parser to its promise: a prefix of an accepted head is waited for, and what is refused
 * stays refused whatever follows. */
#include <stdlib.h>
#include <string.h>

#include "codec/http1.h"

/* See replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

typedef enum ady_err parser(struct ady_http_head *head, struct ady_bytes in, struct ady_fault *f);

static void check_view(struct ady_bytes v, struct ady_bytes in)
{
	must(v.n == 0 || (v.p >= in.p && v.p + v.n <= in.p + in.n));
	for (size_t i = 0; i < v.n; i++)
		must(v.p[i] == '\t' || (v.p[i] >= 0x20 && v.p[i] != 0x7f));
}

static void check_head(const struct ady_http_head *head, struct ady_bytes in)
{
	must(head->size <= in.n && head->size <= ADY_HTTP_HEAD_MAX);
	must(memcmp(in.p + head->size - 4, "\r\n\r\n", 4) == 0);
	must(!(head->chunked && head->has_length));
	must(head->fields_n <= ADY_HTTP_FIELDS_MAX);
	check_view(head->method, in);
	check_view(head->target, in);
	check_view(head->path, in);
	check_view(head->query, in);
	for (size_t i = 0; i < head->fields_n; i++) {
		check_view(head->fields[i].name, in);
		check_view(head->fields[i].value, in);
	}
}

static void try_head(parser *parse, struct ady_bytes in, size_t cut)
{
	static struct ady_http_head head;
	struct ady_fault f = {0};
	enum ady_err err = parse(&head, in, &f), before;
	size_t size = head.size;

	must(err == ADY_OK || err == ADY_E_AGAIN || f.detail[0] != '\0');
	if (err == ADY_OK)
		check_head(&head, in);
	before = parse(&head, ady_bytes(in.p, cut), &f);
	if (err == ADY_OK)
		must(before == (cut < size ? ADY_E_AGAIN : ADY_OK));
	else
		must(before == err || before == ADY_E_AGAIN);
}

static void try_chunks(struct ady_bytes in)
{
	size_t size, used;

	while (ady_http_chunk(&size, &used, in) == ADY_OK) {
		must(used >= 3 && used <= in.n && size <= 16 * 1024 * 1024);
		if (size > in.n - used)
			return;
		in = ady_bytes(in.p + used + size, in.n - used - size);
	}
}

static void try_target(struct ady_bytes in)
{
	char out[64];

	if (ady_http_unescape(out, sizeof out, in) == ADY_OK)
		must(strlen(out) <= in.n);
	if (ady_http_query(out, sizeof out, in, "nonce") == ADY_OK)
		must(strlen(out) < sizeof out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_bytes in;

	if (size < 2)
		return 0;
	in = ady_bytes(data + 2, size - 2);
	switch (data[0] % 4) {
	case 0:
		try_head(ady_http_parse_request, in, in.n * data[1] / 256);
		break;
	case 1:
		try_head(ady_http_parse_reply, in, in.n * data[1] / 256);
		break;
	case 2:
		try_chunks(in);
		break;
	case 3:
		try_target(in);
		break;
	}
	return 0;
}
