/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetching what the audit log lacks: the document of the enclave's response key, and entries whose
 * answers were lost with a connection or with a gateway. On every new connection, and when there is
 * doubt. Thread rule: the loop's thread. */
#ifndef ADY_GATEWAY_AUDIT_FETCH_H
#define ADY_GATEWAY_AUDIT_FETCH_H

#include "gateway/link.h"

struct ady_audit_fetch;

/* Begin to look after the log. All is borrowed. Returns ADY_E_MEMORY. */
enum ady_err ady_audit_fetch_open(struct ady_audit_fetch **fetch, struct ady_loop *loop,
                                  struct ady_link *link, struct ady_audit *audit);

/* Ask no more; before the link ends. NULL is allowed. */
void ady_audit_fetch_stop(struct ady_audit_fetch *fetch);

/* Free, when the loop does not run. NULL is allowed. */
void ady_audit_fetch_close(struct ady_audit_fetch *fetch);

#endif
