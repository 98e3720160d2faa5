/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries of the audit log in words. */
#ifndef ADY_CLI_AUDIT_ENTRY_H
#define ADY_CLI_AUDIT_ENTRY_H

#include <jansson.h>

#include "codec/proof.h"

/* What was asked: "sign", "create" and so on; "op 99" for one that is not known. */
const char *ady_audit_op_text(uint64_t op);

/* An entry as a new JSON object; bytes are hex, absent members are left out. */
json_t *ady_audit_entry_json(const struct ady_proof *p, const struct ady_audit_entry *e);

#endif
