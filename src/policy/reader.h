/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the policy reader share: rulebook.c, conditions.c. Not for others. */
#ifndef ADY_POLICY_READER_H
#define ADY_POLICY_READER_H

#include "policy/rulebook.h"

enum { ADY_LISTS_MAX = 32 };

/* A list of values under "lists". It becomes values where it is used first, of the type that is
 * needed there. */
struct ady_list {
	struct ady_bytes name;
	uint32_t token;
	bool used;
	enum ady_type_kind kind;
	uint16_t size, at, n;
};

struct ady_policy_reader {
	struct ady_rulebook *book;
	const struct ady_json *doc;
	struct ady_fault *f;
	struct ady_buf space;
	char at[64]; /* the path of what is read: "policy.rules[3]" */
	size_t lists_n;
	struct ady_list lists[ADY_LISTS_MAX];
};

/* What is said when a table is full: the same pointer everywhere, so that it is known again. */
extern const char ady_policy_too_many[];

/* Refuse the member of what is read whose key is token key (0: all of it). */
enum ady_err ady_policy_refuse(struct ady_policy_reader *r, enum ady_err err, uint32_t key,
                               const char *why);

/* ADY_E_FIELD_INVALID by ady_policy_refuse; ADY_OK when why is NULL. */
enum ady_err ady_policy_check(struct ady_policy_reader *r, uint32_t key, const char *why);

/* Read the conditions in object token i, "when", whose key is token key, to the end of the book.
 * Returns the ADY_E_FIELD_*. */
enum ady_err ady_conditions_read(struct ady_policy_reader *r, uint32_t key);

/* The term that the string of a limit names, in the rule whose conditions end the book and begin
 * with number first. Returns: NULL, or why there is none. */
const char *ady_term_read(struct ady_policy_reader *r, struct ady_term *term, uint16_t first,
                          struct ady_bytes text);

/* The values of a type in token i, an array or the name of a list: *at, *n in the book, sorted.
 * Returns: NULL, or why there are none. */
const char *ady_values_of(struct ady_policy_reader *r, uint16_t *at, uint16_t *n, uint32_t i,
                          enum ady_type_kind kind, uint16_t size);

#endif
