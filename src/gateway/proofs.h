/* SPDX-License-Identifier: Apache-2.0
 *
 * Proofs in the bodies of answers (doc/audit.md, "Proofs that are asked for"). A client that asks
 * gets the member "adyton_proofs" in each object of an answer that rests on decisions of the
 * enclave: a list of {"proof": .., "request": ..}, the latter where the gateway has made what the
 * enclave was asked. Who does not ask is answered as ever. No state; any thread. */
#ifndef ADY_GATEWAY_PROOFS_H
#define ADY_GATEWAY_PROOFS_H

#include "net/http_server.h"

/* The header that asks, and the member of the query that does: "true", or "false". */
#define ADY_PROOFS_FIELD "x-adyton-proofs"
#define ADY_PROOFS_QUERY "proofs"

/* Whether a request asks for proofs in the answer's body.
 * Returns: ADY_E_FIELD_INVALID when header or query is neither true nor false; *asked is false. */
enum ady_err ady_proofs_asked(bool *asked, const struct ady_http_request *req, struct ady_fault *f);

/* Append a proof to a list, {"proof": ..}, with the comma between them. proof: as the enclave gave
 * it; empty: nothing is appended. request: what the enclave was asked, UTF-8; empty: it is the
 * client's own, and not told. */
void ady_proofs_add(struct ady_dyn *list, struct ady_bytes proof, struct ady_bytes request);

/* Put the member of a list into the JSON object that ends out, as its last one. Nothing is done
 * when the list is empty, or out does not end with an object. */
void ady_proofs_put(struct ady_dyn *out, struct ady_bytes list);

#endif
