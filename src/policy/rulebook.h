/* SPDX-License-Identifier: Apache-2.0
 *
 * A policy, read once into tables and then evaluated on each request: no heap, no pointers that
 * move. doc/policy.md describes the language, doc/policy.schema.json its form. A policy that cannot
 * be read is refused, never read in part. */
#ifndef ADY_POLICY_RULEBOOK_H
#define ADY_POLICY_RULEBOOK_H

#include "policy/counter.h"
#include "policy/field.h"
#include "policy/path.h"
#include "policy/window.h"

enum {
	ADY_POLICY_TEXT_MAX = 32768,
	ADY_RULES_MAX = 256,
	ADY_CONDS_MAX = 1024,
	ADY_VALUES_MAX = 2048,
	ADY_PATHS_MAX = 128,
	ADY_FUNCTIONS_MAX = 128,
	ADY_WINDOWS_MAX = 64,
	ADY_LIMITS_MAX = 64,
	ADY_POLICY_SPACE = 16384,
	ADY_RULE_NAME_MAX = 48,
};

/* What is compared: a field, or with ARGS and MESSAGE the end of a path. */
struct ady_term {
	enum ady_field field;
	uint16_t path;     /* of ARGS and MESSAGE */
	uint16_t function; /* whose types the path goes through */
	enum ady_type_kind kind;
	uint16_t size;
};

/* One test. at and n: its values; of TIME windows; of FUNCTION and TYPE functions. key and test are
 * its text. */
struct ady_cond {
	struct ady_term term;
	enum ady_op op;
	uint16_t at, n;
	struct ady_bytes key, test;
};

/* A signature, or the encodeType of a message. */
struct ady_function {
	bool typed; /* the second */
	uint16_t root;
	uint8_t hash[32]; /* of a signature the selector, 4 bytes */
	struct ady_bytes text;
};

/* At most `max` in a period, of a term or (counts) of requests. */
struct ady_limit {
	uint16_t counter;
	bool counts;
	struct ady_term term;
	struct ady_u256 max;
	struct ady_bytes text;
};

/* `need` of the keys in values [at, at + n); none needed when need is 0. */
struct ady_approvals {
	uint16_t need, at, n;
};

struct ady_rule {
	struct ady_bytes name;
	bool deny;
	uint16_t cond, conds;
	uint16_t limit, limits;
	struct ady_approvals approvals;
};

struct ady_rulebook {
	uint16_t rules_n, conds_n, values_n, paths_n, functions_n, windows_n, limits_n, counters_n;
	struct ady_approvals
	    change;    /* who may change the policy; need 0: the quorum is not named */
	bool each_key; /* "count": "key": of a wallet's keys each counts by itself, else together */
	struct ady_types types;
	struct ady_rule rules[ADY_RULES_MAX];
	struct ady_cond conds[ADY_CONDS_MAX];
	struct ady_value values[ADY_VALUES_MAX];
	struct ady_path paths[ADY_PATHS_MAX];
	struct ady_function functions[ADY_FUNCTIONS_MAX];
	struct ady_window windows[ADY_WINDOWS_MAX];
	struct ady_limit limits[ADY_LIMITS_MAX];
	struct ady_counter_info counters[ADY_COUNTERS_MAX];
	uint8_t space[ADY_POLICY_SPACE];
};

/* Read the policy in object token i, whose path is `at` ("policy"). doc and its text must outlive
 * book, which must not be moved.
 * Returns: the ADY_E_FIELD_* or ADY_E_TOO_LARGE, with path and reason in f; book is then not to be
 * used. Time: n log n in its size. */
enum ady_err ady_rulebook_read(struct ady_rulebook *book, const struct ady_json *doc, uint32_t i,
                               const char *at, struct ady_fault *f);

#endif
