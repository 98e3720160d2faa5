/* SPDX-License-Identifier: Apache-2.0
 *
 * A key as a store keeps it: the record's text, which is the enclave's affair and stays as it came,
 * what is read out of it to find it by, and what the parent alone minds (label, disabled, deletion,
 * revision). Nothing here is secret, and the enclave believes none of it: it reads the text. */
#ifndef ADY_STORE_ENTRY_H
#define ADY_STORE_ENTRY_H

#include "base/bytes.h"

enum {
	ADY_KEY_ID_MAX = 512, /* of secrets; ids of our records have 255 at most */
	ADY_TENANT_MAX = 63,
	ADY_LABEL_MAX = 127,
	ADY_PUBLIC_KEY_MAX = 48,
	ADY_ENTRY_TEXT_MAX = 64 * 1024, /* ADY_WIRE_RECORD_MAX */
	ADY_DATA_KEY_MAX = 8192,        /* base64 */
};

/* The tenant of records that name none: those in the AWS sample's form. */
#define ADY_TENANT_DEFAULT "default"

struct ady_entry {
	char id[ADY_KEY_ID_MAX + 1];
	char tenant[ADY_TENANT_MAX + 1];
	char curve[16];                         /* "" of records in the sample's form */
	uint8_t public_key[ADY_PUBLIC_KEY_MAX]; /* 33 bytes secp256k1, 32 ed25519, 48 bls12-381 */
	size_t public_key_n;                    /* 0: the record does not say */
	uint8_t address[20];                    /* of secp256k1 keys */
	bool has_address, disabled;
	char label[ADY_LABEL_MAX + 1]; /* UTF-8 without control characters */
	char revision[40];             /* changes with every change; "" of a new one */
	int64_t created_s, deletion_s; /* since 1970; deletion 0: none is planned */
	struct ady_dyn text;           /* the record; empty in lists without texts */
	struct ady_dyn data_key;       /* base64; of new records in an envelope */
};

/* Fill the entry of a record that is to be stored under id: text is copied, all else is read out of
 * it; created_s is the record's, or now when it has none. The entry must be zero or cleared.
 * Returns: ADY_E_RECORD or ADY_E_RECORD_MISMATCH (another id inside) with the reason in f. */
enum ady_err ady_entry_read(struct ady_entry *e, const char *id, struct ady_bytes text,
                            struct ady_fault *f);

/* Free text and data key; the entry is zero afterwards. */
void ady_entry_clear(struct ady_entry *e);

/* Copy; to must be zero or cleared. */
void ady_entry_copy(struct ady_entry *to, const struct ady_entry *from);

/* Whether s names a key or a tenant: 1 to max of A-Z a-z 0-9 . _ : / + = @ - (signer/record.h). */
bool ady_entry_is_name(const char *s, size_t max);

/* Whether s can be a label: UTF-8, no control characters, at most ADY_LABEL_MAX bytes; "" is none.
 */
bool ady_entry_is_label(struct ady_bytes s);

/* What a caller that names a secret means: the name in an ARN of Secrets Manager
 * ("arn:aws:secretsmanager:..:secret:NAME-abcdef"), else secret_id itself, as a NUL-terminated text
 * in out[cap]. False: it does not fit. */
bool ady_entry_secret_name(char *out, size_t cap, struct ady_bytes secret_id);

#endif
