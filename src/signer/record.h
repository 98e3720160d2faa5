/* SPDX-License-Identifier: Apache-2.0
 *
 * A stored key, as the parent hands it over: untrusted until it was opened. Two forms: the base64
 * text of a KMS ciphertext (the AWS sample's secret), and our JSON record:
 *
 *   {"adyton": 1, "wrapping": "direct", "id": "..", "tenant": "..", "curve": "secp256k1",
 *    "public_key": "0x<33 bytes>", "ciphertext": "<base64>"}
 *
 * "wrapping" says what the ciphertext is. direct: of KMS, under an EncryptionContext that is made
 * of the record's members. envelope: a nonce of 12 bytes, AES-256-GCM of the 32 bytes of the key,
 * and a tag of 16, under the data key of the tenant, whose KMS ciphertext is "data_key"; the
 * record's members are the additional data. Either way whoever owns the store can change none of
 * them, and cannot pass one key off as another.
 *
 * May be there too, bound like the rest:
 *   "allow": [..]         what the key signs beyond what is safe for every key, these words in this
 *                         order: "digest", what the enclave has not hashed itself; "unprotected",
 *                         legacy transactions without a chain id, good for every chain;
 *                         "commitment", commitments and delegations of Commit-Boost
 *   "chains": [1, 10]     the only chains that a transaction may be for, ascending
 *   "callers": [..]       whose stamps a request needs one of (signer/stamp.h), up to 16 keys; with
 *                         "gateway" among them, or without the member, none is needed
 *   "policy": {..}        what may be signed (doc/policy.md), its text bound by its SHA-256
 *   "created": 1764000000 seconds since 1970
 *   "backup": ".."        64 hex digits: the X25519 key that the key or wallet may be backed up to
 *   "revision": 1         of an envelope: how often its policy was changed (signer/change.h)
 *   "origin": "ID PATH"   the wallet that the key was derived from, and by what path
 *   "counters": ".."      of a derived key whose policy has limits: hex of the name of its wallet's
 *                         row of counters, and when it counts there what opens that
 * (signer/shared.h)
 *
 * "curve": "wallet" is no key but what keys are derived from (signer/wallet.h): an envelope, of
 * another size; its public key is that of the BIP-32 master key. */
#ifndef ADY_SIGNER_RECORD_H
#define ADY_SIGNER_RECORD_H

#include "codec/hd_path.h"
#include "codec/json.h"

enum {
	ADY_RECORD_CIPHERTEXT_MAX = 6144,
	ADY_RECORD_SEALED = 12 + 32 + 16, /* bytes of an envelope's ciphertext */
	ADY_RECORD_WALLET = 12 + 97 + 16, /* of a wallet's */
	ADY_RECORD_DATA_KEY_MAX = 1024,   /* KMS makes about 200 bytes of 32 */
	ADY_RECORD_CHAINS_MAX = 32,
	ADY_RECORD_CALLERS_MAX = 16,
	ADY_RECORD_POLICY_MAX = 32768,
	ADY_RECORD_ORIGIN_MAX = 255 + 1 + ADY_HD_PATH_TEXT,
	ADY_RECORD_COUNTERS = 32, /* the name of a row */
	ADY_RECORD_CONTEXT_MAX = 10,
	ADY_RECORD_AAD_MAX = 6144,
	ADY_DATA_KEY_CONTEXT = 3,
};

enum ady_curve { ADY_CURVE_SECP256K1, ADY_CURVE_ED25519, ADY_CURVE_BLS12_381, ADY_CURVE_WALLET };

/* What "allow" may name, a bit each. */
enum ady_allow {
	ADY_ALLOW_DIGEST = 1,
	ADY_ALLOW_UNPROTECTED = 2,
	ADY_ALLOW_COMMITMENT = 4,
	ADY_ALLOW_WORDS = 3
};

/* One pair of a KMS EncryptionContext, both NUL-terminated UTF-8. */
struct ady_context_pair {
	const char *key;
	const char *value;
};

struct ady_record {
	bool sample;   /* the AWS sample's form: no id, no public key, no context */
	bool envelope; /* else direct */
	enum ady_curve curve;
	char id[256], tenant[64], public_key[99];
	uint8_t pub[48];                        /* as many bytes as the curve's public keys have */
	unsigned allow;                         /* of enum ady_allow */
	char allow_text[32];                    /* its words with commas between them */
	uint64_t chains[ADY_RECORD_CHAINS_MAX]; /* none: any */
	size_t chains_n;
	char chains_text[ADY_RECORD_CHAINS_MAX * 20 + 1]; /* "1,10" */
	char callers_text[4096]; /* with commas between them; empty: none were named */
	struct ady_bytes
	    policy; /* its text: a view into the record's, valid as long; empty: none */
	uint8_t policy_hash[32];
	char policy_text[65]; /* the hash in hex, or empty */
	uint64_t created;     /* 0: not known */
	char created_text[21];
	bool has_backup; /* the key may be backed up (signer/backup.h) to this X25519 key */
	uint8_t backup[32];
	char backup_text[65]; /* SHA-256 of that in hex, or empty */
	uint64_t revision;    /* of the policy; 0: never changed, and not in the record */
	char origin[ADY_RECORD_ORIGIN_MAX + 1]; /* empty: was not derived */
	bool counted; /* its limits are those of a wallet, whose row has this name */
	uint8_t counters[ADY_RECORD_COUNTERS];
	uint8_t row_key[ADY_RECORD_SEALED]; /* the sealed key of that row, when it counts there */
	size_t row_key_n;                   /* 0: it counts by itself */
	uint64_t words; /* of a wallet that is yet to be made: of its sentence */
	uint8_t data_key[ADY_RECORD_DATA_KEY_MAX]; /* of an envelope */
	size_t data_key_n;
	uint8_t ciphertext[ADY_RECORD_CIPHERTEXT_MAX];
	size_t ciphertext_n;
	struct ady_context_pair
	    context[ADY_RECORD_CONTEXT_MAX]; /* direct: sorted by key; into this record */
	size_t context_n;
};

/* The word of bit 0 .. ADY_ALLOW_WORDS - 1 of enum ady_allow. */
const char *ady_allow_word(unsigned bit);

/* The name of a curve in records: "secp256k1", "ed25519", "bls12-381", "wallet". */
const char *ady_curve_name(enum ady_curve curve);

/* Bytes of a curve's public key: compressed where there are two forms. */
size_t ady_curve_public_size(enum ady_curve curve);

/* Bytes of an envelope's ciphertext. */
size_t ady_record_sealed_size(enum ady_curve curve);

/* The kind of the paths to keys of a curve, which is not the wallet's. */
enum ady_hd_path_kind ady_curve_path_kind(enum ady_curve curve);

/* Read a record. key_id names the key that was asked for; a JSON record must carry it as its id
 * (a Secrets Manager ARN or name that ends in it is the gateway's affair: it passes the id).
 * Returns: ADY_E_RECORD or ADY_E_RECORD_MISMATCH with the reason in f. rec must not be moved. */
enum ady_err ady_record_parse(struct ady_record *rec, struct ady_bytes text,
                              struct ady_bytes key_id, struct ady_fault *f);

/* The same with room for cap tokens: a policy has many. (ady_record_parse has room for 128.) */
enum ady_err ady_record_parse_in(struct ady_record *rec, struct ady_json_tok *toks, size_t cap,
                                 struct ady_bytes text, struct ady_bytes key_id,
                                 struct ady_fault *f);

/* Take on the bytes of "counters": the name of a row, or name and sealed key. Returns ADY_E_RECORD
 * when they are neither. */
enum ady_err ady_record_set_counters(struct ady_record *rec, struct ady_bytes counters);

/* Append these bytes; nothing, when the record has none. */
void ady_record_put_counters(struct ady_buf *b, const struct ady_record *rec);

/* Take on a policy: rec->policy is the view. */
void ady_record_set_policy(struct ady_record *rec, struct ady_bytes policy);

/* Add a caller, "gateway" or the text of a key (policy/stamp_key.h). Returns ADY_E_RECORD when it
 * is neither, or there already, or there are 16. */
enum ady_err ady_record_add_caller(struct ady_record *rec, struct ady_bytes caller);

/* Whether the record names that caller. */
bool ady_record_has_caller(const struct ady_record *rec, struct ady_bytes caller);

/* Whether a request needs the stamp of one of the callers. */
bool ady_record_needs_stamp(const struct ady_record *rec);

/* Begin the record of a new key of a tenant from its options, a JSON object: {"id": ".."}, and
 * "allow", "chains", "callers" and "policy" as in a record (the last a view into options); of a
 * wallet "words", 12, 15, 18, 21 or 24 (when absent); "tenant" and "curve" may be there when they
 * agree. The key, its ciphertext, data key and time are missing yet. Returns: ADY_E_JSON,
 * ADY_E_JSON_DUPLICATE; the ADY_E_FIELD_* with the member's name in f. */
enum ady_err ady_record_begin(struct ady_record *rec, enum ady_curve curve, struct ady_bytes tenant,
                              struct ady_bytes options, struct ady_fault *f);

/* The same with room for cap tokens. (ady_record_begin has room for 128.) */
enum ady_err ady_record_begin_in(struct ady_record *rec, struct ady_json_tok *toks, size_t cap,
                                 enum ady_curve curve, struct ady_bytes tenant,
                                 struct ady_bytes options, struct ady_fault *f);

/* Add a chain id, above those that are there, at most 2^63 - 37 (EIP-2294); ADY_E_RECORD else, or
 * when there are 32. */
enum ady_err ady_record_add_chain(struct ady_record *rec, uint64_t chain);

/* Whether the key may sign for that chain. */
bool ady_record_allows_chain(const struct ady_record *rec, uint64_t chain);

/* Fill the texts and rec->context from the other members: for direct wrapping the pairs
 * adyton:allow ("digest,unprotected"), adyton:backup (SHA-256), adyton:callers (with commas between
 * them), adyton:chains
 * ("1,10"), adyton:created, adyton:policy (SHA-256 of its text, in hex), each only where the record
 * has it, adyton:curve, adyton:id, adyton:public-key, adyton:tenant. Used where a record is made as
 * well as where it is read. */
void ady_record_bind(struct ady_record *rec);

/* The EncryptionContext of a tenant's data key, sorted by key; views of the arguments. */
void ady_record_data_key_context(struct ady_context_pair context[static ADY_DATA_KEY_CONTEXT],
                                 const char *deployment, const char *tenant);

/* The additional data of an envelope (room: ADY_RECORD_AAD_MAX): all members that decide, and the
 * deployment, as CBOR (doc/protocol.md, "Envelopes"). rec is bound. */
void ady_record_aad(struct ady_buf *b, const struct ady_record *rec, const char *deployment);

/* Write the JSON form of rec, which is bound. */
void ady_record_put(struct ady_buf *b, const struct ady_record *rec);

#endif
