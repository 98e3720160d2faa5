/* SPDX-License-Identifier: Apache-2.0
 *
 * Making an RSA key, for crypto/rsa.c alone. */
#ifndef ADY_CRYPTO_RSA_KEY_H
#define ADY_CRYPTO_RSA_KEY_H

#include <openssl/types.h>

/* A key of bits (2048, 3072 or 4096), e = 65537: two random probable primes (FIPS 186-5 appendix
 * A.1.3). NULL when memory or randomness is lacking.
 * Time: as long as the search takes, which depends on the primes' values no more than OpenSSL's
 * own. Why:  OpenSSL's generator builds each prime on two smaller ones (appendix A.1.6): no better
 * a key, for two and a half times the arithmetic, which is half of an emulated machine's boot. */
EVP_PKEY *ady_rsa_key_new(unsigned bits);

#endif
