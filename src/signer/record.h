/* SPDX-License-Identifier: Apache-2.0
 *
 * A stored key, as the parent hands it over: untrusted until KMS has authenticated it. Two forms:
 * the base64 text of a KMS ciphertext (the AWS sample's secret), and our JSON record, whose id,
 * tenant, curve and public key are bound into the EncryptionContext of the ciphertext, so that
 * whoever owns the store cannot pass one key off as another:
 *
 *   {"adyton": 1, "wrapping": "direct", "id": "..", "tenant": "..", "curve": "secp256k1",
 *    "public_key": "0x<33 bytes>", "ciphertext": "<base64>"}
 *
 * "allow" may be there too: what the key signs beyond what is safe for every key, a list of these
 * words in this order. It is bound into the context like the rest.
 *   "digest"       digests that the enclave has not made itself, so whatever the caller hashed
 *   "unprotected"  legacy transactions without a chain id, good for every chain (before EIP-155) */
#ifndef ADY_SIGNER_RECORD_H
#define ADY_SIGNER_RECORD_H

#include "base/bytes.h"

enum { ADY_RECORD_CIPHERTEXT_MAX = 6144, ADY_RECORD_CONTEXT_MAX = 5 };

/* What "allow" may name, a bit each. */
enum ady_allow { ADY_ALLOW_DIGEST = 1, ADY_ALLOW_UNPROTECTED = 2 };

/* One pair of a KMS EncryptionContext, both NUL-terminated UTF-8. */
struct ady_context_pair {
	const char *key;
	const char *value;
};

struct ady_record {
	bool sample; /* the AWS sample's form: no id, no public key, no context */
	char id[256], tenant[64], curve[16], public_key[69];
	uint8_t pub33[33];
	unsigned allow;      /* of enum ady_allow */
	char allow_text[32]; /* its words with commas between them */
	uint8_t ciphertext[ADY_RECORD_CIPHERTEXT_MAX];
	size_t ciphertext_n;
	struct ady_context_pair
	    context[ADY_RECORD_CONTEXT_MAX]; /* sorted by key; into this record */
	size_t context_n;
};

/* Read a record. key_id names the key that was asked for; a JSON record must carry it as its id
 * (a Secrets Manager ARN or name that ends in it is the gateway's affair: it passes the id).
 * Returns: ADY_E_RECORD or ADY_E_RECORD_MISMATCH with the reason in f. rec must not be moved. */
enum ady_err ady_record_parse(struct ady_record *rec, struct ady_bytes text,
                              struct ady_bytes key_id, struct ady_fault *f);

/* Fill rec->context from id, tenant, curve, public_key and allow: the pairs adyton:allow ("digest",
 * "unprotected" or "digest,unprotected"; none where nothing is allowed), adyton:curve, adyton:id,
 * adyton:public-key, adyton:tenant. Used where a record is made as well as where it is read. */
void ady_record_bind(struct ady_record *rec);

/* Write the JSON form of rec. */
void ady_record_put(struct ady_buf *b, const struct ady_record *rec);

#endif
