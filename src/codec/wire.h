/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages between gateway and enclave (doc/protocol.md): a fixed header of 24 bytes and a body
 * in the CBOR of codec/cbor.h: one map with small ascending integer keys. The same frames open a
 * stream through the relay. Nothing of a frame is believed before its header was checked.
 * Every key of a body is there, in order, and no other: a message has one encoding. Texts are UTF-8
 * without control characters, so that none can end a log line or a header field. Heap: none.
 *
 *   0  u32  bytes of the body, at most ady_wire_body_max of its type
 *   4  u8   version, ADY_WIRE_VERSION
 *   5  u8   type, enum ady_wire_type; of an answer with ADY_WIRE_ANSWER set, or ADY_WIRE_ERROR
 *   6  u16  zero
 *   8  u64  id, chosen by who asks; the answer repeats it
 *  16  u32  milliseconds the asker still waits, 1..600000 (0 in answers)
 *  20  u32  of an answer: how many of the body's last bytes are the proof behind the message
 *           (codec/proof.h); 0 in questions
 */
#ifndef ADY_CODEC_WIRE_H
#define ADY_CODEC_WIRE_H

#include "base/bytes.h"

enum {
	ADY_WIRE_VERSION = 1,
	ADY_WIRE_HEAD = 24,
	ADY_WIRE_BODY_MAX = 256 * 1024,
	ADY_WIRE_LARGE_MAX = 8 * 1024 * 1024, /* of a DUTY: a block's payload is in it */
	ADY_WIRE_DEADLINE_MAX_MS = 600000,
	ADY_WIRE_KEY_ID_MAX = 2048, /* a secret's ARN fits */
	ADY_WIRE_RECORD_MAX = 64 * 1024,
	ADY_WIRE_REQUEST_MAX = 128 * 1024, /* 49152 bytes of initcode in hex fit (EIP-3860) */
	ADY_WIRE_RAW_MAX = ADY_WIRE_REQUEST_MAX + 256,
	ADY_WIRE_STAMP_MAX = 16 * 1024,
	ADY_WIRE_NAME_MAX = 128, /* version, module id, access key, secret key */
	ADY_WIRE_TOKEN_MAX = 4096,
	ADY_WIRE_HOST_MAX = 253, /* RFC 1035 section 2.3.4, without the final dot */
	ADY_WIRE_NONCE_MAX = 512,
	ADY_WIRE_DOCUMENT_MAX = 16 * 1024,
};

/* 9999-12-31T23:59:59Z: the last time that has a text. */
#define ADY_WIRE_EXPIRY_MAX 253402300799u

enum ady_wire_type {
	ADY_WIRE_HELLO = 1,        /* who are you */
	ADY_WIRE_CREDENTIALS = 2,  /* AWS credentials for the enclave's KMS calls */
	ADY_WIRE_SIGN = 3,         /* sign what the body of an HTTP request asks */
	ADY_WIRE_ATTEST = 4,       /* an attestation document for a client's nonce */
	ADY_WIRE_STATUS = 5,       /* health and counters */
	ADY_WIRE_CREATE = 6,       /* make a key */
	ADY_WIRE_LOCK = 7,         /* forget the opened data keys of a tenant, or all */
	ADY_WIRE_CREATE_BATCH = 8, /* make many keys */
	ADY_WIRE_REWRAP = 9,       /* seal a record's key under another data key */
	ADY_WIRE_IMPORT = 10,      /* take a key in */
	ADY_WIRE_IMPORT_KEY =
	    11,             /* an attestation document for the key that imports are sealed to */
	ADY_WIRE_DUTY = 12, /* sign a validator's duty (codec/wire_duty.h) */
	ADY_WIRE_WATERMARK = 13,     /* make, raise or retire a validator's state */
	ADY_WIRE_POLICY_CHANGE = 14, /* seal a record anew with another policy */
	ADY_WIRE_DERIVE = 15,        /* keys of a wallet (codec/wire_wallet.h) */
	ADY_WIRE_RELAY = 16,         /* enclave to parent: connect this stream to host and port */
	ADY_WIRE_BACKUP = 18,        /* seal a key to the backup key that its record names */
	ADY_WIRE_STATE_CAS =
	    17, /* enclave to parent: write a validator's state, if it is still the old */
	ADY_WIRE_RESPONSE_KEY =
	    21,              /* an attestation document for the key that answers are signed with */
	ADY_WIRE_AUDIT = 22, /* entries of the audit log again (codec/wire_audit.h) */
	ADY_WIRE_ANSWER = 0x80,
	ADY_WIRE_ERROR = 0xff,
};

struct ady_wire_head {
	uint32_t length; /* message and proof */
	uint8_t type;
	uint64_t id;
	uint32_t deadline_ms;
	uint32_t proof; /* bytes of it */
};

struct ady_wire_hello {
	struct ady_bytes version;     /* text, 1..128: the program's version */
	struct ady_bytes module_id;   /* text, 0..128: of the NSM */
	struct ady_bytes config_hash; /* 48 bytes: SHA-384 of the measured configuration */
	uint64_t lanes;               /* requests worked on at once */
	uint64_t depth;               /* requests that may wait */
};

struct ady_wire_credentials {
	struct ady_bytes access_key, secret_key; /* text, 1..128, visible ASCII */
	struct ady_bytes token;                  /* text, 0..4096, visible ASCII */
	uint64_t expires_unix_s;                 /* 0: they do not expire */
};

enum ady_wire_form {
	ADY_FORM_NATIVE = 0, /* {"transaction": {...}} and the others of signer/request.h */
	ADY_FORM_SAMPLE =
	    1, /* {"transaction_payload": {...}, "secret_id": ".."} of the AWS sample */
};

struct ady_wire_sign {
	enum ady_wire_form form;
	struct ady_bytes key_id;  /* text, 1..2048 */
	struct ady_bytes record;  /* 1..65536 bytes: the stored secret, as it is */
	struct ady_bytes request; /* 0..131072 bytes: the HTTP body, as it came */
	struct ady_bytes stamp;   /* 0..16384 bytes: the X-Adyton-Stamp header, as it came */
};

struct ady_wire_signed {
	struct ady_bytes raw;  /* 0..131328 bytes: the signed transaction; empty: something else */
	struct ady_bytes hash; /* 32 bytes: of the transaction, or the digest that was signed */
	struct ady_bytes from; /* 20 bytes; none of an ed25519 key, which has no address */
	struct ady_bytes r, s; /* 32 bytes each */
	uint64_t y_parity;     /* 0 or 1 */
};

/* Numbers of enum ady_curve (signer/record.h). */
enum { ADY_WIRE_CURVE_MAX = 3, ADY_WIRE_DATA_KEY_MAX = 1024, ADY_WIRE_TENANT_MAX = 63 };

struct ady_wire_create {
	uint64_t curve;
	struct ady_bytes tenant;   /* text, 1..63 */
	struct ady_bytes options;  /* 1..65536 bytes: JSON, {"id": "..", ..} */
	struct ady_bytes data_key; /* 0..1024 bytes: of the tenant; empty: make one */
};

struct ady_wire_created {
	struct ady_bytes record;     /* 1..65536 bytes: to be stored */
	struct ady_bytes public_key; /* 32..48 bytes, compressed */
	struct ady_bytes address;    /* 20 bytes, or none */
};

enum { ADY_WIRE_BATCH_MAX = 1000, ADY_WIRE_SEALED_KEY = 60 };

/* Many keys of the same options, whose ids are the id of the options and a number behind it. */
struct ady_wire_batch {
	struct ady_wire_create create;
	uint64_t first; /* number of the first key, 0..999999999 */
	uint64_t count; /* 1..1000 */
};

/* What differs between them: the rest of each record follows from the options. */
struct ady_wire_batched {
	uint64_t created;          /* seconds since 1970 */
	struct ady_bytes data_key; /* 1..1024 bytes, of all of them */
	struct ady_bytes keys;     /* of each: public key of its curve, ciphertext (60 bytes) */
};

enum { ADY_WIRE_ARN_MAX = 191 };

struct ady_wire_rewrap {
	struct ady_bytes key_id;   /* text, 1..2048 */
	struct ady_bytes record;   /* 1..65536 bytes */
	struct ady_bytes data_key; /* 0..1024 bytes: the one to seal under; empty: make one */
	struct ady_bytes kms_key;  /* text, 0..191: ARN to make it under; empty: the first */
};

struct ady_wire_policy_change {
	struct ady_bytes key_id; /* text, 1..2048 */
	struct ady_bytes record; /* 1..65536 bytes */
	struct ady_bytes change; /* 1..131072 bytes: the HTTP body, as it came (signer/change.h) */
	struct ady_bytes stamp;  /* 0..16384 bytes: the X-Adyton-Stamp header, as it came */
};

enum { ADY_WIRE_BACKUP_BODY_MAX = 4096 };

struct ady_wire_backup {
	struct ady_bytes key_id;  /* text, 1..2048 */
	struct ady_bytes record;  /* 1..65536 bytes */
	struct ady_bytes request; /* 0..4096 bytes: the body, as the client sent it */
	struct ady_bytes stamp;   /* 0..16384 bytes: the X-Adyton-Stamp header, or nothing */
};

struct ady_wire_backed_up {
	struct ady_bytes enc;    /* 32 bytes: HPKE's encapsulated key */
	struct ady_bytes sealed; /* 48 bytes, or 113 of a wallet */
};

enum ady_wire_import_form {
	ADY_IMPORT_SEALED = 0, /* by HPKE to the import key: doc/protocol.md, "Imports" */
	ADY_IMPORT_SAMPLE = 1, /* a KMS ciphertext as the AWS sample stores it */
	/* Sealed like 0: a keystore and its password (signer/keystore.h). */
	ADY_IMPORT_V3 = 2,
	ADY_IMPORT_EIP2335 = 3,
	ADY_IMPORT_WALLET = 4, /* as SEALED: a BIP-39 sentence and a passphrase */
};

enum { ADY_WIRE_SEALED_MAX = 4096, ADY_WIRE_KMS_MAX = 6144, ADY_WIRE_KEYSTORE_MAX = 16 * 1024 };

/* The most bytes that `sealed` may have in an import of that form. */
size_t ady_wire_sealed_max(uint64_t form);

struct ady_wire_import {
	struct ady_wire_create create;
	uint64_t form;           /* enum ady_wire_import_form */
	struct ady_bytes enc;    /* 32 bytes, HPKE's encapsulated key; of the sample: none */
	struct ady_bytes sealed; /* 1..ady_wire_sealed_max bytes */
};

struct ady_wire_status {
	uint64_t kms;              /* enum ady_kms_health */
	struct ady_bytes kms_text; /* text, 0..159: why it is not healthy, or empty */
	uint64_t has_credentials;  /* 0 or 1 */
	uint64_t waiting, signed_n, refused_n, kms_calls, kms_failures;
	uint64_t prepare_us, kms_us, sign_us; /* sums over all requests */
	uint64_t drift_ms;                    /* the clock's distance from the NSM's time */
	uint64_t created;                     /* keys made */
	/* Opened data keys: there now; found; not found; over by their time; locked away. */
	uint64_t data_keys, data_key_hits, data_key_misses, data_keys_expired, data_keys_locked;
};

enum ady_kms_health { ADY_KMS_UNKNOWN = 0, ADY_KMS_OK = 1, ADY_KMS_FAILING = 2 };

/* Whether the answer to a question of that type is a decision: it has its entry in the audit log
 * and its proof. What only tells of the enclave is none. */
bool ady_wire_decides(uint8_t type);

/* Write a header, version and zero fields included. */
void ady_wire_put_head(uint8_t out[static ADY_WIRE_HEAD], const struct ady_wire_head *head);

/* The longest body of a message of that type. */
size_t ady_wire_body_max(uint8_t type);

/* Check and read a header. Returns ADY_E_PROTOCOL (*head is zero then) for a version, length,
 * deadline, proof or zero field that is not as above; the type is the receiver's to check. */
enum ady_err ady_wire_read_head(struct ady_wire_head *head, const uint8_t in[static ADY_WIRE_HEAD]);

/* Writers of bodies; b is full when it does not fit; bounds are the caller's to keep. Readers:
 * views into body, every bound of the structure checked, else ADY_E_PROTOCOL and zero in the
 * structure. */

/* {}: the body of a question without arguments, or of an answer that only says yes. */
void ady_wire_put_empty(struct ady_buf *b);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_empty(struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_create(struct ady_buf *b, const struct ady_wire_create *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_create(struct ady_wire_create *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_batch(struct ady_buf *b, const struct ady_wire_batch *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_batch(struct ady_wire_batch *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_batched(struct ady_buf *b, const struct ady_wire_batched *m);

/* See ady_wire_put_empty. How many keys it are, their curve tells. */
enum ady_err ady_wire_read_batched(struct ady_wire_batched *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_rewrap(struct ady_buf *b, const struct ady_wire_rewrap *m);

/* See ady_wire_put_empty. */
void ady_wire_put_backup(struct ady_buf *b, const struct ady_wire_backup *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_backup(struct ady_wire_backup *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_backed_up(struct ady_buf *b, const struct ady_wire_backed_up *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_backed_up(struct ady_wire_backed_up *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_rewrap(struct ady_wire_rewrap *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_policy_change(struct ady_buf *b, const struct ady_wire_policy_change *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_policy_change(struct ady_wire_policy_change *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_import(struct ady_buf *b, const struct ady_wire_import *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_import(struct ady_wire_import *m, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_created(struct ady_buf *b, const struct ady_wire_created *m);

/* See ady_wire_put_empty. */
enum ady_err ady_wire_read_created(struct ady_wire_created *m, struct ady_bytes body);

/* {0: version, 1: module id, 2: config hash, 3: lanes, 4: depth} */
void ady_wire_put_hello(struct ady_buf *b, const struct ady_wire_hello *m);

/* See ady_wire_put_hello. */
enum ady_err ady_wire_read_hello(struct ady_wire_hello *m, struct ady_bytes body);

/* {0: access key, 1: secret key, 2: token, 3: expiry} */
void ady_wire_put_credentials(struct ady_buf *b, const struct ady_wire_credentials *m);

/* See ady_wire_put_credentials. */
enum ady_err ady_wire_read_credentials(struct ady_wire_credentials *m, struct ady_bytes body);

/* {0: form, 1: key id, 2: record, 3: request, 4: stamp} */
void ady_wire_put_sign(struct ady_buf *b, const struct ady_wire_sign *m);

/* See ady_wire_put_sign. */
enum ady_err ady_wire_read_sign(struct ady_wire_sign *m, struct ady_bytes body);

/* {0: raw, 1: hash, 2: from, 3: r, 4: s, 5: y parity} */
void ady_wire_put_signed(struct ady_buf *b, const struct ady_wire_signed *m);

/* See ady_wire_put_signed. */
enum ady_err ady_wire_read_signed(struct ady_wire_signed *m, struct ady_bytes body);

/* {0: bytes}: of ATTEST the nonce, at most ADY_WIRE_NONCE_MAX; of its answer the document, at most
 * ADY_WIRE_DOCUMENT_MAX. */
void ady_wire_put_blob(struct ady_buf *b, struct ady_bytes blob);

/* See ady_wire_put_blob; max bounds the bytes. */
enum ady_err ady_wire_read_blob(struct ady_bytes *blob, size_t max, struct ady_bytes body);

/* tenant: text, 0..63; empty: all. See ady_wire_put_empty. */
void ady_wire_put_lock(struct ady_buf *b, struct ady_bytes tenant);

/* See ady_wire_put_lock. */
enum ady_err ady_wire_read_lock(struct ady_bytes *tenant, struct ady_bytes body);

/* n: how many data keys there were. See ady_wire_put_empty. */
void ady_wire_put_locked(struct ady_buf *b, uint64_t n);

/* See ady_wire_put_locked. */
enum ady_err ady_wire_read_locked(uint64_t *n, struct ady_bytes body);

/* See ady_wire_put_empty. */
void ady_wire_put_status(struct ady_buf *b, const struct ady_wire_status *m);

/* See ady_wire_put_status. */
enum ady_err ady_wire_read_status(struct ady_wire_status *m, struct ady_bytes body);

/* {0: host, 1: port} */
void ady_wire_put_relay(struct ady_buf *b, struct ady_bytes host, uint16_t port);

/* See ady_wire_put_relay. host: 1..253 bytes of [a-z0-9.-]; port: not 0. */
enum ady_err ady_wire_read_relay(struct ady_bytes *host, uint16_t *port, struct ady_bytes body);

/* {0: code, 1: where, 2: detail, 3: cause}: the body of ADY_WIRE_ERROR. Bytes that are not
 * printable ASCII become '?': where the words come from, a peer may have had a say. */
void ady_wire_put_fault(struct ady_buf *b, const struct ady_fault *f);

/* See ady_wire_put_fault. An unknown code, and "ok", which is no fault, become ADY_E_INTERNAL;
 * f->err is never ADY_OK, not even when the body is refused. */
enum ady_err ady_wire_read_fault(struct ady_fault *f, struct ady_bytes body);

#endif
