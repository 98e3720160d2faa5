/* SPDX-License-Identifier: Apache-2.0
 *
 * The entries of the audit log (doc/audit.md): what the enclave has decided, one entry a decision,
 * chained by hashes. An entry is one CBOR map with the keys 0 to 10, all of them, in order: it has
 * one encoding. Heap: none. Thread rule: no state. */
#ifndef ADY_CODEC_AUDIT_ENTRY_H
#define ADY_CODEC_AUDIT_ENTRY_H

#include "base/bytes.h"

enum {
	ADY_AUDIT_HASH = 32,
	ADY_AUDIT_KEY_MAX = 255,
	ADY_AUDIT_TENANT_MAX = 63,
	ADY_AUDIT_CODE_MAX = 47,
	ADY_AUDIT_WHERE_MAX = 63,
	ADY_AUDIT_PUBLIC_MAX = 48,
	ADY_AUDIT_ENTRY_MAX = 640, /* an entry with every member at its longest */
};

struct ady_audit_entry {
	uint64_t sequence;        /* in its chain, from 0 */
	uint64_t time_ms;         /* since 1970, by the enclave's clock */
	uint64_t op;              /* enum ady_wire_type of the question; 0: the chain begins */
	struct ady_bytes key;     /* text, 0..255: id of the key */
	struct ady_bytes tenant;  /* text, 0..63 */
	struct ady_bytes request; /* SHA-256 of what was asked; of the first entry empty */
	struct ady_bytes result;  /* SHA-256 of what was answered; empty: it was refused */
	struct ady_bytes code;    /* text, 0..47: why it was refused; empty: it was done */
	struct ady_bytes where;   /* text, 0..63: of a refusal, the field */
	struct ady_bytes public;  /* 0..48 bytes: address or public key of the key */
	struct ady_bytes digest;  /* 0 or 32 bytes: what was signed, of a transaction its hash */
};

/* Append the members from op on, with their keys: what is known before an entry has its place.
 * Texts that are too long or no text are the caller's error. */
void ady_audit_put_tail(struct ady_buf *b, const struct ady_audit_entry *e);

/* Append an entry whose tail was written before. */
void ady_audit_put_placed(struct ady_buf *b, uint64_t sequence, uint64_t time_ms,
                          struct ady_bytes tail);

/* Append an entry. */
void ady_audit_put(struct ady_buf *b, const struct ady_audit_entry *e);

/* Read an entry: views into text. Every bound is checked, and that an entry has either a result or
 * a code, but the first one, which has neither. Returns ADY_E_CBOR; *e is zero then. */
enum ady_err ady_audit_read(struct ady_audit_entry *e, struct ady_bytes text);

/* The hash that a chain starts from: that of the enclave's response key. */
void ady_audit_chain_start(uint8_t head32[static 32], const uint8_t public32[static 32]);

/* The digest of an entry's bytes. */
void ady_audit_digest(uint8_t digest32[static 32], struct ady_bytes entry);

/* Chain a digest: head = SHA-256(head || digest). */
void ady_audit_chain(uint8_t head32[static 32], const uint8_t digest32[static 32]);

#endif
