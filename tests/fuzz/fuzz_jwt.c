/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON Web Tokens of modules: what is read has module, route and a signature of 32 bytes over what
 * stands before it; and none is good, for nobody here has signed it. */
#include "gateway/jwt.h"

#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t secret[32] = {0x5a, 1, 2, 3};
	struct ady_jwt jwt;

	if (ady_jwt_read(&jwt, ady_bytes(data, size)))
		return 0;
	if (!jwt.module[0] || !jwt.route[0] || jwt.signature.n != 32 || jwt.input.p != data ||
	    jwt.input.n >= size)
		ADY_BUG("a token without one of its parts");
	if (!ady_jwt_check(&jwt, ady_bytes(secret, sizeof secret), ady_bytes_str(jwt.route),
	                   (struct ady_bytes){0}, 0))
		ADY_BUG("a token that nobody made is good");
	return 0;
}
