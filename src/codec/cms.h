/* SPDX-License-Identifier: Apache-2.0
 *
 * CiphertextForRecipient: CMS EnvelopedData (RFC 5652) in BER as KMS writes it, indefinite lengths
 * included. Only that one shape is accepted. The CMS is not authenticated: whoever knows the public
 * key can make one. What authenticates it is the TLS session it came through. */
#ifndef ADY_CODEC_CMS_H
#define ADY_CODEC_CMS_H

#include "base/bytes.h"

enum { ADY_CMS_CHUNKS_MAX = 64 };

struct ady_cms {
	struct ady_bytes encrypted_key;              /* RSA-OAEP of the AES-256 key */
	struct ady_bytes iv;                         /* 16 bytes */
	struct ady_bytes chunks[ADY_CMS_CHUNKS_MAX]; /* the ciphertext is their concatenation */
	size_t chunks_n;
	size_t content_n; /* bytes of all chunks: a multiple of 16, 16..6144 */
};

/* Parse exactly one ContentInfo; the views point into der. Both forms of the content (constructed
 * with chunks, primitive), definite and indefinite lengths; every other deviation from the shape is
 * ADY_E_KMS_REPLY with the reason in f. */
enum ady_err ady_cms_parse(struct ady_cms *cms, struct ady_bytes der, struct ady_fault *f);

/* Write the shape KMS writes (constructed content, one chunk, indefinite lengths): for the local
 * stand-in and for tests. ski: the 32 bytes of the recipient's identifier. */
void ady_cms_put(struct ady_buf *b, const uint8_t ski32[static 32], struct ady_bytes encrypted_key,
                 const uint8_t iv16[static 16], struct ady_bytes content);

#endif
