/* SPDX-License-Identifier: Apache-2.0
 *
 * The ciphertext blobs of devcloud's KMS: AES-256-GCM under a key's material, with a header that
 * names key and material version, and the encryption context as additional data. */
#ifndef ADY_DEVCLOUD_ENVELOPE_H
#define ADY_DEVCLOUD_ENVELOPE_H

#include "devcloud/keyring.h"

enum { ADY_DEV_BLOB_OVERHEAD = 4 + 16 + 4 + 12 + 16 };

/* What the header of a blob says; not authentic until it is opened. */
struct ady_dev_blob {
	char key_id[37];
	int64_t version;
};

/* Put an encryption context (a JSON object of strings, or NULL) into its one canonical form: pairs
 * sorted by key, each text behind its length. Out: a view into the call's scratch. */
struct ady_bytes ady_dev_context_aad(struct ady_dev_call *c, json_t *context);

/* Read the header. False: not one of our blobs. */
bool ady_dev_blob_read(struct ady_dev_blob *blob, struct ady_bytes bytes);

/* Encrypt pt under the newest material of key. Out: a view into the call's scratch. Returns
 * ADY_E_CRYPTO, ADY_E_STORE. */
enum ady_err ady_dev_blob_seal(struct ady_dev_call *c, struct ady_bytes *out,
                               const struct ady_dev_key *key, json_t *context, struct ady_bytes pt);

/* Decrypt a blob of key. Out: a view into the call's scratch. Returns ADY_E_CRYPTO when blob or
 * context is not what was sealed. */
enum ady_err ady_dev_blob_open(struct ady_dev_call *c, struct ady_bytes *out,
                               const struct ady_dev_key *key, json_t *context,
                               struct ady_bytes bytes);

#endif
