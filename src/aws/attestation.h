/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation documents of the Nitro Secure Module: syntax, chain and signature, by AWS's rules
 * ("Verifying the root of trust") and stricter where those leave room (doc/threats.md). */
#ifndef ADY_AWS_ATTESTATION_H
#define ADY_AWS_ATTESTATION_H

#include "base/bytes.h"

enum { ADY_PCRS = 32, ADY_CABUNDLE_MAX = 16, ADY_ATTESTATION_MAX = 16384 };

struct ady_attestation {
	struct ady_bytes module_id;
	int64_t timestamp_ms;
	struct ady_bytes pcrs[ADY_PCRS]; /* n is 0 where the document has none, else 32, 48 or 64 */
	struct ady_bytes certificate;
	struct ady_bytes cabundle[ADY_CABUNDLE_MAX];
	size_t cabundle_n;
	struct ady_bytes public_key, user_data, nonce; /* empty when null or absent */
};

struct ady_attestation_rules {
	struct ady_bytes root; /* DER of the trusted root; see ady_nitro_root_g1 */
	int64_t at_unix_s;     /* when certificates must be valid; 0: at the document's timestamp */
	bool allow_debug;      /* accept PCR0 all zero: an enclave whose console can be read */
};

/* Parse and verify a document: nothing of it may be used before. Views point into document.
 * Refused: every deviation from the syntax (absent, empty, over-long, wrong type, duplicate,
 * unknown field, trailing bytes), a chain or signature that does not verify, PCR0 all zero.
 * Where AWS's text leaves room: fields and registers stand in the NSM's order, module_id has at
 * most 255 bytes, user_data and nonce at most 1024 (its CDDL, and what the NSM accepts; its text
 * says 512), and the last three fields may be null or absent. Returns: ADY_E_ATTESTATION with field
 * and reason in f. */
enum ady_err ady_attestation_verify(struct ady_attestation *att, struct ady_bytes document,
                                    const struct ady_attestation_rules *rules, struct ady_fault *f);

/* The syntax part alone, of an unverified document. For the fuzzers and for display. */
enum ady_err ady_attestation_parse(struct ady_attestation *att, struct ady_bytes document,
                                   struct ady_fault *f);

/* Whether PCR i is there and all its bytes are zero. */
bool ady_attestation_pcr_zero(const struct ady_attestation *att, unsigned i);

/* AWS's root G1 of the commercial partition, DER; checked against its published SHA-256 in tests.
 */
struct ady_bytes ady_nitro_root_g1(void);

enum { ADY_ATTESTATION_ROOT_MAX = 2048 };

/* Read another root than AWS's, a certificate in PEM, as DER. Returns ADY_E_IO with the reason in
 * f.
 */
enum ady_err ady_attestation_read_root(uint8_t der[static ADY_ATTESTATION_ROOT_MAX], size_t *n,
                                       const char *path, struct ady_fault *f);

#endif
