/* SPDX-License-Identifier: Apache-2.0
 *
 * The gateway as a whole: HTTP in front, the enclave behind, the store and credentials at the side,
 * and the relay. It routes and carries; what may be signed, and with which key, the enclave
 * decides from the bytes that the client sent. Thread rule: one thread opens, reloads, drains and
 * closes. */
#ifndef ADY_GATEWAY_GATEWAY_H
#define ADY_GATEWAY_GATEWAY_H

#include "gateway/config.h"

struct ady_gateway;

/* Start everything; requests are accepted when this returns. config must outlive the gateway.
 * Returns: ADY_E_CONFIG, ADY_E_IO or ADY_E_MEMORY with the reason in f. */
enum ady_err ady_gateway_open(struct ady_gateway **gateway, const struct ady_gateway_config *config,
                              struct ady_fault *f);

/* Append {"listen":["http://127.0.0.1:8080", ...]} and a line's end. */
void ady_gateway_put_ready(const struct ady_gateway *gateway, struct ady_dyn *out);

/* Read the TLS files again, for new connections. Returns ADY_E_CONFIG with the reason in f; the old
 * ones stay in use then. */
enum ady_err ady_gateway_reload(struct ady_gateway *gateway, struct ady_fault *f);

/* Stop accepting, let requests in flight end (at most ms), end the rest. Blocks. */
void ady_gateway_drain(struct ady_gateway *gateway, int ms);

/* End everything and free. NULL is allowed. */
void ady_gateway_close(struct ady_gateway *gateway);

#endif
