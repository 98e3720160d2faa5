/* SPDX-License-Identifier: Apache-2.0
 *
 * ECDSA P-384 with SHA-384 (COSE ES384, RFC 9053) and the certificate chain of attestation
 * documents. X.509 by OpenSSL; the rules on top are AWS's "Verifying the root of trust". */
#ifndef ADY_CRYPTO_P384_H
#define ADY_CRYPTO_P384_H

#include "base/bytes.h"

/* Bytes of a SubjectPublicKeyInfo with an uncompressed point. */
enum { ADY_P384_SPKI = 120, ADY_P384_BUNDLE_MAX = 16 };

struct ady_p384_pub;

/* Read a key from DER SubjectPublicKeyInfo: named curve secp384r1, uncompressed point, exactly
 * ADY_P384_SPKI bytes.
 * Out:     *pub, to be freed by the caller; NULL on error.
 * Returns: ADY_E_CRYPTO for anything else, ADY_E_MEMORY. */
enum ady_err ady_p384_pub_read(struct ady_p384_pub **pub, struct ady_bytes spki);

/* Free a public key. NULL is allowed. */
void ady_p384_pub_free(struct ady_p384_pub *pub);

/* Verify a raw signature (r || s, 48 bytes each) over SHA-384 of the concatenation of n parts.
 * Returns ADY_E_CRYPTO when it is wrong. */
enum ady_err ady_p384_verify(const struct ady_p384_pub *pub, const uint8_t sig96[static 96],
                             const struct ady_bytes *parts, size_t n);

struct ady_p384_chain {
	struct ady_bytes leaf;          /* DER */
	const struct ady_bytes *bundle; /* DER, as in the document: [root, intermediates...] */
	size_t bundle_n;                /* 1..16 */
	struct ady_bytes root;          /* DER of the pinned root */
	int64_t at_unix_s;              /* every certificate must be valid then */
};

/* Verify leaf <- bundle[n-1] <- ... <- bundle[1] <- root by AWS's rules: bundle[0] equals root;
 * every key P-384 and every signature ecdsa-with-SHA384; names chain; CA certificates have CA:TRUE,
 * keyCertSign and a path length that suffices; the leaf is no CA, has digitalSignature and no path
 * length; no unknown critical extension; no trailing bytes.
 * Out:     *pub, the leaf's key, to be freed by the caller; NULL on error.
 * Returns: ADY_E_ATTESTATION with the reason in f. */
enum ady_err ady_p384_chain_verify(struct ady_p384_pub **pub, const struct ady_p384_chain *chain,
                                   struct ady_fault *f);

#endif
