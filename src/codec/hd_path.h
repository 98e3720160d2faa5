/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths to the keys of a wallet, read strictly: one path has one spelling. "m", then 1 to 10
 * levels, each "/" and a decimal number without leading zeros, hardened with "'" behind it. One
 * level may be "*" or "*'": the number that counts. No heap, no state. */
#ifndef ADY_CODEC_HD_PATH_H
#define ADY_CODEC_HD_PATH_H

#include "base/bytes.h"

enum { ADY_HD_PATH_LEVELS = 10, ADY_HD_PATH_TEXT = 1 + ADY_HD_PATH_LEVELS * 12 };

/* Whose paths these are. */
enum ady_hd_path_kind {
	ADY_HD_PATH_BIP32,   /* numbers below 2^31, hardened or not */
	ADY_HD_PATH_SLIP10,  /* the same, all hardened */
	ADY_HD_PATH_EIP2334, /* m/12381/3600/number/0, or /0/0; below 2^32, none hardened */
};

struct ady_hd_path {
	enum ady_hd_path_kind kind;
	size_t n;                           /* levels */
	size_t star;                        /* the level that counts; n: none */
	uint32_t index[ADY_HD_PATH_LEVELS]; /* bit 31 of BIP-32 and SLIP-10: hardened */
};

/* Read a path. Returns ADY_E_FIELD_INVALID with "path" and the reason in f; *path is zero then. */
enum ady_err ady_hd_path_read(struct ady_hd_path *path, enum ady_hd_path_kind kind,
                              struct ady_bytes text, struct ady_fault *f);

/* Whether the path may count from first on, count numbers (1 or more); without a level that counts:
 * once, from 0. */
bool ady_hd_path_counts(const struct ady_hd_path *path, uint64_t first, uint64_t count);

/* The index of a level, where number stands for the one that counts. */
uint32_t ady_hd_path_index(const struct ady_hd_path *path, size_t level, uint32_t number);

/* Write the path to a number: at most ADY_HD_PATH_TEXT characters. */
void ady_hd_path_put(struct ady_buf *b, const struct ady_hd_path *path, uint32_t number);

#endif
