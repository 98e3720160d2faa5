/* SPDX-License-Identifier: Apache-2.0
 *
 * The algorithms of OpenSSL that src/crypto uses, fetched once: a fetch by name costs more than the
 * hash of a short message. For src/crypto only. Thread rule: any thread. */
#ifndef ADY_CRYPTO_EVP_H
#define ADY_CRYPTO_EVP_H

#include <openssl/evp.h>

struct ady_evp {
	EVP_MD *sha256, *sha384;
	EVP_CIPHER *aes256_cbc, *aes256_gcm, *aes128_ctr;
};

/* The fetched algorithms. An OpenSSL without one of them ends the program. */
const struct ady_evp *ady_evp(void);

#endif
