/* SPDX-License-Identifier: Apache-2.0
 *
 * The signature section of an image: a CBOR array of one map {"signing_certificate": PEM,
 * "signature": COSE_Sign1}, both as arrays of numbers (aws-nitro-enclaves-image-format writes a
 * Vec<u8> so). Signed is {"register_index": 0, "register_value": PCR0} with ES384. A key of another
 * curve, which AWS would take too, is refused. */
#ifndef ADY_IMAGE_SIGN_H
#define ADY_IMAGE_SIGN_H

#include <openssl/x509.h>

#include "base/bytes.h"

/* Make an ECDSA P-384 signature (r || s) of a SHA-384 digest. Errors with the reason in f. */
typedef enum ady_err ady_image_sign_fn(void *context, const uint8_t digest48[static 48],
                                       uint8_t sig96[static 96], struct ady_fault *f);

/* Who signs. certificate: PEM, exactly one certificate. */
struct ady_image_signer {
	ady_image_sign_fn *sign;
	void *context;
	struct ady_bytes certificate;
};

/* What a signature section holds. The views point into storage of the section's own. */
struct ady_image_signature {
	X509 *certificate;
	struct ady_dyn pem, cose;
	struct ady_dyn der;         /* of the certificate: what PCR8 measures */
	struct ady_bytes signature; /* r || s */
	struct ady_bytes payload;
	uint8_t pcr0[48]; /* that it was made for */
};

/* Sign pcr0 and append the section to out. The signature is verified under the certificate first.
 * Returns ADY_E_IMAGE for a certificate that is not one of P-384 or not of this key, what the
 * signer returns, or ADY_E_TOO_LARGE; with the reason in f. */
enum ady_err ady_image_sign(struct ady_dyn *out, const struct ady_image_signer *signer,
                            const uint8_t pcr0[static 48], struct ady_fault *f);

/* Read a section; where names it in faults. Nothing is verified. s is to be cleared in any case.
 * Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_image_signature_read(struct ady_image_signature *s, struct ady_bytes section,
                                      const char *where, struct ady_fault *f);

/* Whether s was made by the key of its certificate for pcr0. The certificate's own issuer and
 * validity are not looked at. Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_image_signature_verify(const struct ady_image_signature *s,
                                        const uint8_t pcr0[static 48], struct ady_fault *f);

/* Whether the certificate is valid at a time: an enclave starts only then. Returns ADY_E_IMAGE with
 * the reason in f. */
enum ady_err ady_image_signature_time(const struct ady_image_signature *s, int64_t at_unix_s,
                                      struct ady_fault *f);

/* Free what ady_image_signature_read made. */
void ady_image_signature_clear(struct ady_image_signature *s);

/* ady_image_sign_fn of a key in a file; context: an EVP_PKEY of ady_image_key_read. */
ady_image_sign_fn ady_image_sign_file;

/* Read a P-384 private key (PEM, not encrypted), to be freed with EVP_PKEY_free; NULL on error.
 * Returns ADY_E_KEY_FORM with the reason in f. */
enum ady_err ady_image_key_read(EVP_PKEY **key, struct ady_bytes pem, struct ady_fault *f);

/* Read PEM that holds exactly one certificate, to be freed with X509_free; NULL on error.
 * Returns ADY_E_IMAGE with the reason in f. */
enum ady_err ady_image_certificate_read(X509 **certificate, struct ady_bytes pem,
                                        struct ady_fault *f);

/* Turn an ECDSA-Sig-Value (RFC 3279 section 2.2.3), as OpenSSL and KMS make them, into r || s.
 * Returns ADY_E_CRYPTO for anything else, or for numbers of more than 48 bytes. */
enum ady_err ady_image_raw_signature(uint8_t sig96[static 96], struct ady_bytes der);

#endif
