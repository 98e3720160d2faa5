/* SPDX-License-Identifier: Apache-2.0 */
#include "published.h"

#include <stdlib.h>

struct ady_bytes test_published(const char *name)
{
	char path[128];
	struct ady_bytes file;

	snprintf(path, sizeof path, "build/vectors/%s", name);
	file = test_read_file(path);
	if (!file.p)
		test_skip("%s is not there: script/fetch-vectors", path);
	return file;
}

void test_published_free(struct ady_bytes file)
{
	free((void *)(uintptr_t)file.p);
}

/* A number of blobby: seven bits a byte, the highest first; each byte that follows adds one. */
static size_t number(struct ady_bytes *in)
{
	size_t v = 0;

	for (;;) {
		uint8_t b;

		if (!CHECK(in->n > 0))
			return 0;
		b = in->p[0];
		*in = ady_bytes(in->p + 1, in->n - 1);
		v += b & 0x7f;
		if (!(b & 0x80))
			return v;
		v = (v + 1) << 7;
	}
}

static struct ady_bytes take(struct ady_bytes *in, size_t n)
{
	struct ady_bytes b = {0};

	if (CHECK(n <= in->n)) {
		b = ady_bytes(in->p, n);
		*in = ady_bytes(in->p + n, in->n - n);
	}
	return b;
}

/* Blobs that occur more than once stand in front, and are referred to by their number. */
size_t test_published_blobs(const char *name, size_t n, test_blobs_fn *fn)
{
	struct ady_bytes file = test_published(name), in = file, shared[256], blob[8];
	size_t count = 0, known;

	if (!file.p)
		return 0;
	known = number(&in);
	if (!CHECK(known <= 256 && n <= 8))
		return 0;
	for (size_t i = 0; i < known; i++)
		shared[i] = take(&in, number(&in));
	for (; in.n > 0; count++) {
		for (size_t i = 0; i < n; i++) {
			size_t v = number(&in);

			if (!CHECK(!(v & 1) || v / 2 < known))
				return count;
			blob[i] = v & 1 ? shared[v / 2] : take(&in, v / 2);
		}
		fn(blob);
	}
	CHECK(count > 0);
	test_published_free(file);
	return count;
}

static struct ady_bytes trimmed(struct ady_bytes b)
{
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\r'))
		b.n--;
	while (b.n > 0 && b.p[0] == ' ')
		b = ady_bytes(b.p + 1, b.n - 1);
	return b;
}

size_t test_published_records(const char *name, test_record_fn *fn)
{
	struct ady_bytes file = test_published(name), text = file;
	struct test_record record = {0};
	size_t count = 0;

	while (text.p) {
		struct ady_bytes line = trimmed(ady_bytes_cut(&text, '\n'));
		bool ends = line.n == 0 || !text.p;

		if (line.n > 0 && line.p[0] != '#' && line.p[0] != '[' && CHECK(record.n < 16)) {
			record.line[record.n].name = trimmed(ady_bytes_cut(&line, '='));
			record.line[record.n++].value = trimmed(line);
		}
		if (ends && record.n > 0) {
			fn(&record);
			record.n = 0;
			count++;
		}
	}
	CHECK(!file.p || count > 0);
	test_published_free(file);
	return count;
}

struct ady_bytes test_record_text(const struct test_record *record, const char *name)
{
	for (size_t i = 0; i < record->n; i++)
		if (ady_bytes_is(record->line[i].name, name))
			return record->line[i].value;
	return (struct ady_bytes){0};
}

struct ady_bytes test_record_bytes(const struct test_record *record, const char *name)
{
	struct ady_bytes text = test_record_text(record, name);

	if (text.n >= 2 && text.p[0] == '"')
		return ady_bytes(text.p + 1, text.n - 2);
	return test_hex_bytes(text);
}
