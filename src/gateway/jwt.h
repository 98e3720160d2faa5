/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens as Commit-Boost's modules make them: HS256 (RFC 7515, RFC 7518 3.2), claims
 * module, route, exp, and with a body its Keccak-256 as payload_hash. Nothing else is taken: no
 * other algorithm, no "none", no token without exp. No state; any thread. */
#ifndef ADY_GATEWAY_JWT_H
#define ADY_GATEWAY_JWT_H

#include "base/bytes.h"

enum {
	ADY_JWT_MAX = 4096,
	ADY_JWT_MODULE_MAX = 64,
	ADY_JWT_ROUTE_MAX = 128,
	ADY_JWT_LEEWAY_S = 10
};

struct ady_jwt {
	char module[ADY_JWT_MODULE_MAX + 1];
	char route[ADY_JWT_ROUTE_MAX + 1];
	uint64_t exp; /* seconds since 1970 */
	bool has_payload_hash;
	uint8_t payload_hash[32];
	struct ady_bytes input, signature; /* what is signed, a view into the text; into bytes */
	uint8_t bytes[64];
};

/* Read a token's text; who made it is not known yet. Returns NULL, or what is wrong with it. */
const char *ady_jwt_read(struct ady_jwt *jwt, struct ady_bytes text);

/* Whether it was made with secret, for this route and body, and its time is not over at now_s.
 * Returns NULL, or what is wrong. Time: does not depend on how much of the signature is right. */
const char *ady_jwt_check(const struct ady_jwt *jwt, struct ady_bytes secret,
                          struct ady_bytes route, struct ady_bytes body, uint64_t now_s);

#endif
