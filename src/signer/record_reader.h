/* SPDX-License-Identifier: Apache-2.0
 *
 * What the readers of a record's members share. Used by signer/record*.c alone. */
#ifndef ADY_SIGNER_RECORD_READER_H
#define ADY_SIGNER_RECORD_READER_H

#include "signer/record.h"

/* From M_ALLOW on they may be absent; M_DATA_KEY goes with one wrapping only. */
enum ady_record_member {
	M_VERSION,
	M_WRAPPING,
	M_ID,
	M_TENANT,
	M_CURVE,
	M_PUBLIC_KEY,
	M_CIPHERTEXT,
	M_ALLOW,
	M_CHAINS,
	M_CALLERS,
	M_POLICY,
	M_CREATED,
	M_REVISION,
	M_BACKUP,
	M_DATA_KEY,
	M_ORIGIN,
	M_COUNTERS,
	M_WORDS, /* of options only */
	MEMBERS
};

/* The names of the members. */
extern const char *const ady_record_names[MEMBERS];

/* A record that is being read, or options of a key that is yet to be made, whose faults are the
 * client's and not the store's. */
struct ady_record_reader {
	struct ady_json doc;
	bool options;
	struct ady_fault *f;
	uint32_t value[MEMBERS]; /* token of each; 0: absent */
};

/* Refuse a member (NULL: all of it): options with err, a record with ADY_E_RECORD. */
enum ady_err ady_record_refuse_as(const struct ady_record_reader *r, enum ady_err err,
                                  const char *member, const char *why);

/* The same with ADY_E_FIELD_INVALID. */
enum ady_err ady_record_refuse(const struct ady_record_reader *r, const char *member,
                               const char *why);

/* Decode base64 that is not empty. Returns the refusal of that member. */
enum ady_err ady_record_decode(const struct ady_record_reader *r, uint8_t *out, size_t cap,
                               size_t *n, struct ady_bytes base64, const char *member);

/* Whether s may be an id or a tenant: they stand in EncryptionContexts, ARNs, URLs and logs, so
 * only characters that need no escape in any of them. */
bool ady_record_is_name(const char *s, size_t n);

/* Read a text, NUL-terminated; ids and tenants must be names. Returns the refusal. */
enum ady_err ady_record_read_text(const struct ady_record_reader *r, enum ady_record_member m,
                                  char *out, size_t cap);

/* Read version, wrapping and curve. Returns the refusal, as the readers below do. */
enum ady_err ady_record_read_kind(const struct ady_record_reader *r, struct ady_record *rec);

/* Read the public key of rec's curve. */
enum ady_err ady_record_read_public_key(const struct ady_record_reader *r, struct ady_record *rec);

/* Read what the key may sign, and for whom: allow, chains, callers, policy. */
enum ady_err ady_record_read_rights(const struct ady_record_reader *r, struct ady_record *rec);

/* Read the time, where it is there. */
enum ady_err ady_record_read_created(const struct ady_record_reader *r, struct ady_record *rec);

/* Read the revision of an envelope's policy, where it is there. */
enum ady_err ady_record_read_revision(const struct ady_record_reader *r, struct ady_record *rec);
/* Read where the key was derived from: an id and a path, in the one spelling that they have. */
enum ady_err ady_record_read_origin(const struct ady_record_reader *r, struct ady_record *rec);

/* Read where a derived key counts, where that is there: a name, or name and sealed key of a row. */
enum ady_err ady_record_read_counters(const struct ady_record_reader *r, struct ady_record *rec);

/* Read how many words the sentence of a new wallet has: 24 when that is not said. */
enum ady_err ady_record_read_words(const struct ady_record_reader *r, struct ady_record *rec);

/* Read the public key that the key may be backed up to, where it is there. */
enum ady_err ady_record_read_backup(const struct ady_record_reader *r, struct ady_record *rec);

/* Read the data key of an envelope; direct wrapping has none. */
enum ady_err ady_record_read_data_key(const struct ady_record_reader *r, struct ady_record *rec);

/* Read what is sealed, of an envelope with its size. */
enum ady_err ady_record_read_ciphertext(const struct ady_record_reader *r, struct ady_record *rec);

#endif
