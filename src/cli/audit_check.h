/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether an audit log is whole (doc/audit.md): every entry signed, in its place, none missing, the
 * keys attested, and the heads that were stored elsewhere reached. */
#ifndef ADY_CLI_AUDIT_CHECK_H
#define ADY_CLI_AUDIT_CHECK_H

#include "cli/attest.h"
#include "cli/audit_files.h"
#include "codec/proof.h"

/* What may be wrong. X(name, word in the output) */
#define ADY_AUDIT_FAULTS(X)           \
	X(MALFORMED, "malformed")     \
	X(CHANGED, "changed")         \
	X(REMOVED, "removed")         \
	X(REORDERED, "reordered")     \
	X(DUPLICATED, "duplicated")   \
	X(FORKED, "forked")           \
	X(UNATTESTED, "unattested")   \
	X(ATTESTATION, "attestation") \
	X(TRUNCATED, "truncated")     \
	X(HEAD, "head")

#define ADY_AUDIT_FAULT_ENUM(name, word) ADY_AUDIT_##name,
enum ady_audit_fault { ADY_AUDIT_FAULTS(ADY_AUDIT_FAULT_ENUM) ADY_AUDIT_FAULT_COUNT };
#undef ADY_AUDIT_FAULT_ENUM

struct ady_audit_finding {
	enum ady_audit_fault fault;
	struct ady_audit_place at; /* file NULL: of no line */
	uint8_t public[32];        /* of the chain, if in_chain */
	bool in_chain;
	char detail[160];
};

/* An entry as it is remembered. */
struct ady_audit_seen {
	uint64_t sequence, time_ms;
	uint8_t before[32], after[32];
	struct ady_audit_place at;
	bool bad; /* its proof does not hold */
};

/* A head that was stored elsewhere: the chain had so many entries. */
struct ady_audit_pin {
	uint8_t public[32], head[32];
	uint64_t entries;
};

struct ady_audit_chain_seen {
	uint8_t public[32];
	struct ady_audit_seen *entries; /* heap; in order once finished */
	size_t n, cap;
	const char *file; /* that the last line was in */
	uint64_t last;    /* its sequence */
	bool attested;
	char module[128], pcr0[97], time[21]; /* of its document */
};

/* What is believed without being in the log. */
struct ady_audit_trust {
	struct ady_attestation_rules rules;
	struct ady_attest_expected expected;
	bool unattested; /* keys without a document are taken as they come */
};

struct ady_audit_check {
	const struct ady_audit_trust *trust;
	struct ady_audit_chain_seen *chains; /* heap */
	size_t chains_n;
	struct ady_audit_finding *findings; /* heap */
	size_t findings_n;
	struct ady_audit_pin *pins; /* heap */
	size_t pins_n;
	uint64_t torn, late;  /* last lines without end; entries behind later ones, as is marked */
	uint8_t good[64][32]; /* hashes of what was verified: many entries share a signature */
};

/* A line, as ady_audit_files_read gives it; ctx: the check. */
void ady_audit_check_line(void *ctx, const struct ady_audit_place *at, char kind,
                          struct ady_bytes content);

/* Read pins: the lines that `adyton audit head` prints. Returns ADY_E_JSON with the reason in f. */
enum ady_err ady_audit_check_pins(struct ady_audit_check *c, struct ady_bytes text,
                                  struct ady_fault *f);

/* All lines were there: find what is missing. */
void ady_audit_check_finish(struct ady_audit_check *c);

/* Free what it holds. */
void ady_audit_check_free(struct ady_audit_check *c);

/* The word of a fault. */
const char *ady_audit_fault_word(enum ady_audit_fault fault);

#endif
