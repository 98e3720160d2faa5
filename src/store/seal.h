/* SPDX-License-Identifier: Apache-2.0
 *
 * The other end of an import (doc/protocol.md, "Imports"): what the command line and the gateway
 * seal to an enclave's import key. Of parent programs only. Thread rule: any thread. */
#ifndef ADY_STORE_SEAL_H
#define ADY_STORE_SEAL_H

#include "crypto/hpke.h"
#include "signer/keystore.h"

enum { ADY_SEALED_MAX = 16 * 1024 };

/* Who may open it and for what: nothing else. curve, tenant and options (JSON) as they are sent. */
struct ady_seal {
	const uint8_t *import_key; /* ADY_HPKE_KEY bytes, out of a verified attestation document */
	const char *curve, *tenant;
	struct ady_bytes options;
};

struct ady_sealed {
	uint8_t enc[ADY_HPKE_KEY];
	uint8_t sealed[ADY_SEALED_MAX];
	size_t sealed_n;
};

/* Seal a key or a keystore's pair: plain, at most ADY_SEALED_MAX - ADY_HPKE_TAG bytes.
 * Returns: ADY_E_TOO_LARGE; ADY_E_ATTESTATION for an import key that is none. */
enum ady_err ady_seal(struct ady_sealed *out, const struct ady_seal *to, struct ady_bytes plain,
                      struct ady_fault *f);

/* Seal a keystore and its password, which for EIP-2335 is normalised here (ady_password_normalise)
 * and of version 3 taken as it is. to->curve is not
 * used: the form has its own. Out: form, ADY_IMPORT_V3 or ADY_IMPORT_EIP2335.
 * Returns: ADY_E_KEYSTORE for what is no keystore of a known version; ADY_E_PASSWORD for one that
 * is too long or, of EIP-2335, no UTF-8; what ady_seal returns. */
enum ady_err ady_seal_keystore(struct ady_sealed *out, uint64_t *form, const struct ady_seal *to,
                               struct ady_bytes keystore, struct ady_bytes password,
                               struct ady_fault *f);

/* Which version a keystore is of, by its member "version": ADY_IMPORT_V3 or ADY_IMPORT_EIP2335.
 * Returns ADY_E_KEYSTORE. */
enum ady_err ady_keystore_version(uint64_t *form, struct ady_bytes keystore, struct ady_fault *f);

/* The curve of a form's keys: "secp256k1" or "bls12-381". */
const char *ady_keystore_curve(uint64_t form);

/* Append password as EIP-2335 has it ("Password requirements"): NFKD, without the control codes
 * U+0000 to U+001F, U+007F, and U+0080 to U+009F. Unicode 15.0 (utf8proc 2.8).
 * Returns ADY_E_PASSWORD when it is no UTF-8 or does not fit. */
enum ady_err ady_password_normalise(struct ady_buf *out, struct ady_bytes password,
                                    struct ady_fault *f);

#endif
