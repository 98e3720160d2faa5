/* SPDX-License-Identifier: Apache-2.0
 *
 * AES-256 in the two modes we need: CBC inside the CMS of KMS (no integrity of its own) and GCM;
 * AES-128 as keystores have it. */
#ifndef ADY_CRYPTO_AES_H
#define ADY_CRYPTO_AES_H

#include "base/bytes.h"

/* CBC-decrypt ct (a positive multiple of 16 bytes) to out[ct.n] and remove its PKCS#7 padding in
 * constant time; *n is the length without padding. One error for every cause: ADY_E_CRYPTO, out
 * all zero. */
enum ady_err ady_aes_cbc_open(uint8_t *out, size_t *n, const uint8_t key32[static 32],
                              const uint8_t iv16[static 16], struct ady_bytes ct);

/* CBC-encrypt pt with PKCS#7 padding to out[pt.n + 16]; *n is the length. */
enum ady_err ady_aes_cbc_seal(uint8_t *out, size_t *n, const uint8_t key32[static 32],
                              const uint8_t iv16[static 16], struct ady_bytes pt);

/* Encrypt or decrypt in to out[in.n] by AES-128-CTR, whose whole block is the counter, big-endian.
 * No integrity: the caller has checked a MAC. Returns ADY_E_CRYPTO, out all zero then.
 * Time: constant in key and content. */
enum ady_err ady_aes128_ctr(uint8_t *out, const uint8_t key16[static 16],
                            const uint8_t iv16[static 16], struct ady_bytes in);

/* A context of GCM for many short messages under changing keys: it takes heap once, and after each
 * message nothing of the key is in it. Thread rule: one at a time. */
struct ady_gcm;

/* Make a context. Returns ADY_E_MEMORY. */
enum ady_err ady_gcm_new(struct ady_gcm **gcm);

/* Wipe and free. NULL is allowed. */
void ady_gcm_free(struct ady_gcm *gcm);

/* GCM-encrypt pt to out[pt.n + 16] (tag last). The nonce must never repeat under a key.
 * Returns ADY_E_CRYPTO, out all zero then. */
enum ady_err ady_gcm_seal(struct ady_gcm *gcm, uint8_t *out, const uint8_t key32[static 32],
                          const uint8_t nonce12[static 12], struct ady_bytes aad,
                          struct ady_bytes pt);

/* GCM-decrypt ct (tag last) to out[ct.n - 16]. ADY_E_CRYPTO when it is not authentic; out is all
 * zero then. Time: constant in key and plaintext. */
enum ady_err ady_gcm_open(struct ady_gcm *gcm, uint8_t *out, const uint8_t key32[static 32],
                          const uint8_t nonce12[static 12], struct ady_bytes aad,
                          struct ady_bytes ct);

/* ady_gcm_seal with a context of its own. Returns ADY_E_MEMORY too. */
enum ady_err ady_aes_gcm_seal(uint8_t *out, const uint8_t key32[static 32],
                              const uint8_t nonce12[static 12], struct ady_bytes aad,
                              struct ady_bytes pt);

/* ady_gcm_open with a context of its own. Returns ADY_E_MEMORY too. */
enum ady_err ady_aes_gcm_open(uint8_t *out, const uint8_t key32[static 32],
                              const uint8_t nonce12[static 12], struct ady_bytes aad,
                              struct ady_bytes ct);

#endif
