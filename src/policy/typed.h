/* SPDX-License-Identifier: Apache-2.0
 *
 * The values of a typed-data request (EIP-712) whose digest was made, so that all of it has the
 * form that its own types say. */
#ifndef ADY_POLICY_TYPED_H
#define ADY_POLICY_TYPED_H

#include "chain/eth_message.h"
#include "policy/path.h"

struct ady_typed {
	struct ady_tree tree; /* first: the functions of the tree cast back */
	const struct ady_json *doc;
	struct ady_buf space;                /* for texts, used again by each value */
	uint32_t last_of, last_i, last_item; /* the item of a list that was found last */
};

/* A tree over the message, whose types have the typeHash of the request; walks start at cursor
 * view->message. space: where texts are unescaped. */
void ady_typed_init(struct ady_typed *typed, const struct ady_types *types,
                    const struct ady_eip712_view *view, struct ady_buf space);

/* The member of the domain with that name, which EIP-712 gives a type: "chainId", "uint256".
 * Returns: ADY_NO when it is not there; ADY_UNDECIDED when the request gives it another type, or it
 * does not fit space. */
enum ady_tri ady_typed_domain(struct ady_value *v, const struct ady_eip712_view *view,
                              const char *name, const char *type, struct ady_buf space);

#endif
