/* SPDX-License-Identifier: Apache-2.0
 *
 * The certificates of the development NSM, in the shapes of AWS's: a root of 30 years that is kept
 * in the data folder, and, made anew in every process and before they expire, a regional one of 20
 * days, an instance's of a day and a leaf of 3 hours for each module. All keys are P-384.
 * Thread rule: one thread. */
#ifndef ADY_DEVCLOUD_NSM_PKI_H
#define ADY_DEVCLOUD_NSM_PKI_H

#include <openssl/evp.h>

#include "base/bytes.h"

enum { ADY_NSM_BUNDLE = 3, ADY_NSM_CERT_MAX = 1024 };

struct ady_nsm_pki;

/* A module's key and certificate; all zero before the first ady_nsm_pki_leaf. */
struct ady_nsm_leaf {
	EVP_PKEY *key;
	uint8_t der[ADY_NSM_CERT_MAX];
	size_t n;
	int64_t ends_s;
};

/* Load the root from data_dir (nsm-root.pem, nsm-root-key.pem), making it when there is none.
 * Returns ADY_E_IO, ADY_E_CONFIG or ADY_E_CRYPTO with the reason in f; *pki is NULL then. */
enum ady_err ady_nsm_pki_open(struct ady_nsm_pki **pki, const char *data_dir,
                              const char *instance_id, const char *region, struct ady_fault *f);

/* Wipe the keys and free. NULL is allowed. */
void ady_nsm_pki_close(struct ady_nsm_pki *pki);

/* Make sure that leaf is valid for half an hour from now_s, and what it hangs on for longer.
 * Returns ADY_E_CRYPTO; leaf keeps its old content then. */
enum ady_err ady_nsm_pki_leaf(struct ady_nsm_pki *pki, struct ady_nsm_leaf *leaf,
                              const char *module_id, int64_t now_s);

/* The certificates above every leaf, DER, root first. Views, valid until the next
 * ady_nsm_pki_leaf. */
void ady_nsm_pki_bundle(const struct ady_nsm_pki *pki,
                        struct ady_bytes bundle[static ADY_NSM_BUNDLE]);

/* Sign SHA-384 of the concatenation of n parts: r || s, 48 bytes each. Returns ADY_E_CRYPTO. */
enum ady_err ady_nsm_leaf_sign(const struct ady_nsm_leaf *leaf, uint8_t sig96[static 96],
                               const struct ady_bytes *parts, size_t n);

/* Wipe the key. */
void ady_nsm_leaf_clear(struct ady_nsm_leaf *leaf);

#endif
