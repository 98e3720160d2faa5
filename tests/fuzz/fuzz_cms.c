/* SPDX-License-Identifier: Apache-2.0
 *
 * CMS from a lying KMS or parent: what parses lies within its bounds, and written again in the form
 * of KMS it parses to the same. */
#include <stdlib.h>
#include <string.h>

#include "codec/cms.h"

/* The entry point of libFuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_lie_within(struct ady_bytes part, const uint8_t *data, size_t size)
{
	must(part.p >= data && part.n <= size && (size_t)(part.p - data) <= size - part.n);
}

static struct ady_bytes join(struct ady_buf *b, const struct ady_cms *cms)
{
	for (size_t i = 0; i < cms->chunks_n; i++)
		ady_buf_view(b, cms->chunks[i]);
	must(!b->full && b->n == cms->content_n && b->n % 16 == 0);
	return ady_buf_bytes(b);
}

static void must_round_trip(const struct ady_cms *cms)
{
	static const uint8_t ski[32];
	uint8_t joined[6144], again[8192];
	struct ady_buf content = ady_buf(joined, sizeof joined);
	struct ady_buf out = ady_buf(again, sizeof again);
	struct ady_cms second;

	ady_cms_put(&out, ski, cms->encrypted_key, cms->iv.p, join(&content, cms));
	must(!out.full && ady_cms_parse(&second, ady_buf_bytes(&out), NULL) == ADY_OK);
	must(ady_bytes_eq(second.encrypted_key, cms->encrypted_key));
	must(ady_bytes_eq(second.iv, cms->iv));
	must(second.chunks_n == 1 && ady_bytes_eq(second.chunks[0], ady_buf_bytes(&content)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_fault f = {0};
	struct ady_cms cms;

	if (ady_cms_parse(&cms, ady_bytes(data, size), &f) != ADY_OK) {
		must(f.err == ADY_E_KMS_REPLY && f.detail[0] != 0 && cms.chunks_n == 0);
		return 0;
	}
	must_lie_within(cms.encrypted_key, data, size);
	must_lie_within(cms.iv, data, size);
	for (size_t i = 0; i < cms.chunks_n; i++)
		must_lie_within(cms.chunks[i], data, size);
	must_round_trip(&cms);
	return 0;
}
