/* SPDX-License-Identifier: Apache-2.0
 *
 * RSA-OAEP (SHA-256, MGF1-SHA-256, empty label) for the Recipient of KMS. Thread rule: a key may be
 * used by several threads at once. */
#ifndef ADY_CRYPTO_RSA_H
#define ADY_CRYPTO_RSA_H

#include "base/bytes.h"

enum { ADY_RSA_SPKI_MAX = 600, ADY_RSA_MODULUS_MAX = 512 };

struct ady_rsa;

/* Generate a key of bits (2048, 3072 or 4096), e = 65537. Takes 30-300 ms. */
enum ady_err ady_rsa_new(struct ady_rsa **rsa, unsigned bits);

/* Free and wipe. NULL is allowed. */
void ady_rsa_free(struct ady_rsa *rsa);

/* The public key as DER SubjectPublicKeyInfo, a view that lives as long as rsa. */
struct ady_bytes ady_rsa_spki(const struct ady_rsa *rsa);

/* Bytes of the modulus. */
size_t ady_rsa_size(const struct ady_rsa *rsa);

/* OAEP-decrypt ct to exactly 32 bytes. One error for every cause: ADY_E_CRYPTO, out all zero. */
enum ady_err ady_rsa_oaep_open32(uint8_t out32[static 32], const struct ady_rsa *rsa,
                                 struct ady_bytes ct);

struct ady_rsa_pub;

/* Read a DER SubjectPublicKeyInfo, for sealing to it more than once: reading costs as much as a
 * dozen encryptions. Returns ADY_E_CRYPTO, *pub NULL, when it is no RSA key of 2048..4096 bits. */
enum ady_err ady_rsa_pub_read(struct ady_rsa_pub **pub, struct ady_bytes spki);

/* Free. NULL is allowed. */
void ady_rsa_pub_free(struct ady_rsa_pub *pub);

/* OAEP-encrypt pt; ct[ADY_RSA_MODULUS_MAX], *n its length. Returns ADY_E_CRYPTO. */
enum ady_err ady_rsa_pub_seal(uint8_t *ct, size_t *n, struct ady_rsa_pub *pub, struct ady_bytes pt);

/* OAEP-encrypt pt to the public key in a DER SubjectPublicKeyInfo; ct[ADY_RSA_MODULUS_MAX], *n its
 * length. Returns ADY_E_CRYPTO when spki is no RSA key of 2048..4096 bits. */
enum ady_err ady_rsa_oaep_seal(uint8_t *ct, size_t *n, struct ady_bytes spki, struct ady_bytes pt);

#endif
