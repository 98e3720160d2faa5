/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/side_by_side.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN = 58 };

struct lines {
	const char **at;
	int *n;
	size_t count;
};

static struct lines split(const char *text)
{
	struct lines l = {0};

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		l.at = realloc(l.at, (l.count + 1) * sizeof *l.at);
		l.n = realloc(l.n, (l.count + 1) * sizeof *l.n);
		if (!l.at || !l.n)
			ADY_BUG("out of memory");
		l.at[l.count] = p;
		l.n[l.count++] = (int)n;
		p += n + (p[n] == '\n');
	}
	return l;
}

static bool same(const struct lines *a, size_t i, const struct lines *b, size_t k)
{
	return a->n[i] == b->n[k] && memcmp(a->at[i], b->at[k], (size_t)a->n[i]) == 0;
}

/* What differs is shown whole. */
static void put(struct ady_dyn *out, const struct lines *a, size_t i, const struct lines *b,
                size_t k)
{
	int cut = a && a->n[i] < COLUMN ? a->n[i] : COLUMN;

	if (a && b)
		ady_dyn_printf(out, "%-*.*s   %.*s\n", COLUMN, cut, a->at[i], cut, b->at[k]);
	else if (a)
		ady_dyn_printf(out, "%-*.*s <\n", COLUMN, a->n[i], a->at[i]);
	else if (b)
		ady_dyn_printf(out, "%-*s > %.*s\n", COLUMN, "", b->n[k], b->at[k]);
}

/* longest[i][k]: of the common subsequences of what is behind line i and line k. */
static uint32_t *measure(const struct lines *a, const struct lines *b)
{
	size_t width = b->count + 1;
	uint32_t *longest = calloc((a->count + 1) * width, sizeof *longest);

	if (!longest)
		ADY_BUG("out of memory");
	for (size_t i = a->count; i-- > 0;)
		for (size_t k = b->count; k-- > 0;) {
			uint32_t down = longest[(i + 1) * width + k];
			uint32_t right = longest[i * width + k + 1];

			longest[i * width + k] = same(a, i, b, k)
			                             ? longest[(i + 1) * width + k + 1] + 1
			                         : down > right ? down
			                                        : right;
		}
	return longest;
}

void ady_side_by_side(struct ady_dyn *out, const char *left, const char *right)
{
	struct lines a = split(left), b = split(right);
	uint32_t *longest = measure(&a, &b);
	size_t width = b.count + 1, i = 0, k = 0;

	while (i < a.count || k < b.count) {
		if (i < a.count && k < b.count && same(&a, i, &b, k))
			put(out, &a, i++, &b, k++);
		else if (k == b.count || (i < a.count && longest[(i + 1) * width + k] >=
		                                             longest[i * width + k + 1]))
			put(out, &a, i++, NULL, 0);
		else
			put(out, NULL, 0, &b, k++);
	}
	free(longest);
	free(a.at);
	free(a.n);
	free(b.at);
	free(b.n);
}
