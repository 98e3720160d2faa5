/* SPDX-License-Identifier: Apache-2.0
 *
 * The bodies that the gateway answers with. No state; any thread. */
#ifndef ADY_GATEWAY_ANSWER_H
#define ADY_GATEWAY_ANSWER_H

#include "codec/wire.h"

#define ADY_PROBLEM_TYPE "application/problem+json"
#define ADY_JSON_TYPE "application/json"

/* Append a problem document (RFC 9457) for f; members without a value are left out. request_id:
 * NULL when there is none. */
void ady_answer_problem(struct ady_dyn *out, int status, const struct ady_fault *f,
                        const char *request_id);

/* Append the answer to a signing request in the form it came in. */
void ady_answer_signed(struct ady_dyn *out, enum ady_wire_form form,
                       const struct ady_wire_signed *m);

/* Append the answer with an attestation document. */
void ady_answer_document(struct ady_dyn *out, struct ady_bytes document);

/* Append "{"code": status, "message": "where: why"", as the APIs of validators' clients have it,
 * and leave the object open. */
void ady_answer_code(struct ady_dyn *out, int status, const struct ady_fault *f);

/* Append what f says, with its place, as a JSON string. */
void ady_answer_message(struct ady_dyn *out, const struct ady_fault *f);

/* Append s as a JSON string. */
void ady_answer_string(struct ady_dyn *out, const char *s);

#endif
