/* SPDX-License-Identifier: Apache-2.0
 *
 * The Condition block of a policy statement: string operators, Null, Bool, their ForAllValues: and
 * ForAnyValue: forms and IfExists. Source: IAM User Guide, "IAM JSON policy elements: Condition
 * operators" and "Single-valued vs. multivalued context keys". */
#ifndef ADY_DEVCLOUD_CONDITION_H
#define ADY_DEVCLOUD_CONDITION_H

#include "devcloud/policy.h"

/* Check a Condition block. Returns ADY_E_FIELD_INVALID with the reason in f. */
enum ady_err ady_dev_condition_check(json_t *block, struct ady_fault *f);

/* Whether all conditions of block (checked, or NULL for none) hold for facts. */
bool ady_dev_condition_holds(json_t *block, const struct ady_dev_fact *facts, size_t n);

#endif
