/* SPDX-License-Identifier: Apache-2.0
 *
 * Paths into typed values: ".to", "[0]", "[*]" (every item must hold), "[?]" (one must), ".length".
 * A path is checked against the types once, and then walked over calldata or over a typed message,
 * which differ only in how a child and a leaf are found. */
#ifndef ADY_POLICY_PATH_H
#define ADY_POLICY_PATH_H

#include "policy/value.h"

enum ady_step_kind { ADY_STEP_CHILD, ADY_STEP_EVERY, ADY_STEP_ANY, ADY_STEP_LENGTH };

struct ady_step {
	enum ady_step_kind kind;
	uint16_t index; /* of CHILD */
	uint16_t type;  /* where it leads: of EVERY and ANY the element's, of LENGTH the same */
};

enum { ADY_STEPS_MAX = 16 };

struct ady_path {
	uint16_t n;
	bool many; /* goes over items: there may be several values, or none */
	struct ady_step step[ADY_STEPS_MAX];
	enum ady_type_kind kind; /* of the value that it leads to */
	uint16_t size;
};

/* Read the text of a path that starts at type root.
 * Returns: NULL, or why it leads nowhere. */
const char *ady_path_read(struct ady_path *path, const struct ady_types *types, uint16_t root,
                          struct ady_bytes text);

/* Where a walk is: in calldata an offset, in a message a token. */
typedef uint32_t ady_cursor;

/* A value that is walked over. child: the component or item i of the value at `at`; false when it
 * is not there. count: items of an array. leaf: the value itself; false when it
 * cannot be read. */
struct ady_tree {
	const struct ady_types *types;
	bool (*child)(struct ady_tree *tree, ady_cursor *child, uint16_t type, uint32_t i,
	              ady_cursor at);
	uint32_t (*count)(struct ady_tree *tree, uint16_t type, ady_cursor at);
	bool (*leaf)(struct ady_tree *tree, struct ady_value *v, uint16_t type, ady_cursor at);
};

/* What is asked of each value at the end of a path; v is NULL where there is none. */
typedef enum ady_tri ady_ask(void *arg, const struct ady_value *v);

/* Ask of all values on the path from `at`, a value of type root. What cannot be read is
 * ADY_UNDECIDED. */
enum ady_tri ady_path_walk(struct ady_tree *tree, const struct ady_path *path, uint16_t root,
                           ady_cursor at, ady_ask *ask, void *arg);

#endif
