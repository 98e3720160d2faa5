/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/hd_path.h"

#include <string.h>

#define HARDENED 0x80000000u

/* EIP-2334: purpose and coin type of every path. */
enum { PURPOSE = 12381, COIN = 3600 };

static enum ady_err refuse(struct ady_hd_path *path, struct ady_fault *f, const char *why)
{
	*path = (struct ady_hd_path){0};
	return ady_fail(f, ADY_E_FIELD_INVALID, "path", "%s", why);
}

static bool skip(struct ady_bytes *text, char c)
{
	if (text->n == 0 || text->p[0] != (uint8_t)c)
		return false;
	*text = ady_bytes_sub(*text, 1, text->n - 1);
	return true;
}

/* A number of up to 32 bits without leading zeros. */
static bool take_number(uint32_t *number, struct ady_bytes *text)
{
	uint64_t v = 0;
	size_t n = 0;

	for (; n < text->n && text->p[n] >= '0' && text->p[n] <= '9'; n++) {
		v = v * 10 + (text->p[n] - '0');
		if (v > UINT32_MAX || (n > 0 && text->p[0] == '0'))
			return false;
	}
	*number = (uint32_t)v;
	*text = ady_bytes_sub(*text, n, text->n - n);
	return n > 0;
}

static bool take_level(struct ady_hd_path *path, bool *star, struct ady_bytes *text)
{
	uint32_t *index = &path->index[path->n];

	if (skip(text, '*')) {
		if (*star)
			return false;
		*star = true;
		path->star = path->n;
	} else if (!take_number(index, text)) {
		return false;
	}
	if (path->kind != ADY_HD_PATH_EIP2334) {
		if (*index & HARDENED)
			return false;
		*index |= skip(text, '\'') ? HARDENED : 0;
	}
	path->n++;
	return true;
}

static bool all_hardened(const struct ady_hd_path *path)
{
	for (size_t i = 0; i < path->n; i++)
		if (!(path->index[i] & HARDENED))
			return false;
	return true;
}

/* Withdrawal key m/12381/3600/i/0, signing key m/12381/3600/i/0/0. */
static bool is_validator(const struct ady_hd_path *path)
{
	return (path->n == 4 || path->n == 5) && path->index[0] == PURPOSE &&
	       path->index[1] == COIN && path->index[3] == 0 && path->index[4] == 0 &&
	       (path->star == 2 || path->star == path->n);
}

enum ady_err ady_hd_path_read(struct ady_hd_path *path, enum ady_hd_path_kind kind,
                              struct ady_bytes text, struct ady_fault *f)
{
	bool star = false, good = skip(&text, 'm') && text.n > 0;

	*path = (struct ady_hd_path){.kind = kind};
	while (good && text.n > 0)
		good = path->n < ADY_HD_PATH_LEVELS && skip(&text, '/') &&
		       take_level(path, &star, &text);
	if (!good)
		return refuse(
		    path, f,
		    "must be like m/44'/60'/0'/0/* : 1 to 10 numbers, one of them may be *");
	if (!star)
		path->star = path->n;
	if (kind == ADY_HD_PATH_SLIP10 && !all_hardened(path))
		return refuse(path, f, "must be hardened at each level for ed25519 (SLIP-10)");
	if (kind == ADY_HD_PATH_EIP2334 && !is_validator(path))
		return refuse(path, f,
		              "must be m/12381/3600/i/0 or m/12381/3600/i/0/0 (EIP-2334), i a "
		              "number or *");
	return ADY_OK;
}

bool ady_hd_path_counts(const struct ady_hd_path *path, uint64_t first, uint64_t count)
{
	uint64_t limit = path->kind == ADY_HD_PATH_EIP2334 ? 1ull << 32 : 1ull << 31;

	if (path->star == path->n)
		return first == 0 && count == 1;
	return count >= 1 && count <= limit && first <= limit - count;
}

uint32_t ady_hd_path_index(const struct ady_hd_path *path, size_t level, uint32_t number)
{
	return path->index[level] | (level == path->star ? number : 0);
}

void ady_hd_path_put(struct ady_buf *b, const struct ady_hd_path *path, uint32_t number)
{
	uint32_t mark = path->kind == ADY_HD_PATH_EIP2334 ? 0 : HARDENED;

	ady_buf_str(b, "m");
	for (size_t i = 0; i < path->n; i++) {
		uint32_t index = ady_hd_path_index(path, i, number);

		ady_buf_printf(b, "/%u%s", index & ~mark, index & mark ? "'" : "");
	}
}
