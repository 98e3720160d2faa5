/* SPDX-License-Identifier: Apache-2.0
 *
 * A decision in words, line by line, for those who write policies: each rule, each of its
 * conditions with what the request has there, approvals and limits, and what came of it. It asks
 * the same functions that decide, so that it cannot say otherwise. */
#ifndef ADY_POLICY_EXPLAIN_H
#define ADY_POLICY_EXPLAIN_H

#include "policy/decide.h"

/* Decide, and write the explanation; out is full when it does not fit. Printable ASCII and line
 * feeds. */
void ady_explain(struct ady_buf *out, struct ady_decision *decision, struct ady_deciding *d);

/* The same of a change of the policy, whatever it becomes: who may agree to one, and who has.
 * Returns whether they are enough. */
bool ady_explain_change(struct ady_buf *out, const struct ady_deciding *d);

/* Write a value as policies write it; long ones are cut and end in "..". */
void ady_explain_value(struct ady_buf *out, const struct ady_value *v);

#endif
