/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log (doc/audit.md): every entry that the enclave has made is on the disk before the
 * answer that it proves goes to its client. One thread writes what has come meanwhile and has it
 * synced once. While the disk refuses, nothing is asked of the enclave that would need an entry;
 * what was under way is refused to its client and kept until it can be written. Thread rule: any
 * thread. */
#ifndef ADY_GATEWAY_AUDIT_H
#define ADY_GATEWAY_AUDIT_H

#include "codec/proof.h"
#include "gateway/config.h"
#include "net/loop.h"

enum { ADY_AUDIT_WAITING_MAX = 8 << 20 }; /* bytes of proofs that are not written yet */

struct ady_audit;

/* Who waits for an entry to be written, inside a structure of the caller. */
struct ady_audit_wait {
	struct ady_task task; /* first; fn is called on loop */
	struct ady_loop *loop;
	enum ady_err err; /* then: ADY_OK or ADY_E_AUDIT */
	struct ady_audit_wait *next;
};

/* What there is to say of it. */
struct ady_audit_report {
	uint64_t entries, syncs, failures; /* failures: attempts to write that failed */
	uint64_t waiting;                  /* bytes */
	bool failing;
	char why[160]; /* when failing */
};

/* Open the log in its folder, which is made when it is not there: only its last lines are read. A
 * line that was cut by a crash is cut off. Returns the reason in f. */
enum ady_err ady_audit_open(struct ady_audit **audit, const struct ady_config_audit *config,
                            struct ady_fault *f);

/* Write what waits, end the thread, free. NULL is allowed. */
void ady_audit_close(struct ady_audit *audit);

/* Whether entries can be written, as far as is known. */
bool ady_audit_ready(const struct ady_audit *audit);

/* Have a proof written (copied), once, however often it comes. wait: called back when it is on the
 * disk, or will not be soon; NULL: nobody waits. Returns ADY_E_PROTOCOL for what is no proof, when
 * nobody is called back. */
enum ady_err ady_audit_write(struct ady_audit *audit, struct ady_bytes proof,
                             struct ady_audit_wait *wait);

/* Have the attestation document of a response key written, in every file with entries of its
 * chain. Copied. */
void ady_audit_key(struct ady_audit *audit, const uint8_t public32[static 32],
                   struct ady_bytes document);

/* The first entry of a chain that may be missing here. */
uint64_t ady_audit_lacks(struct ady_audit *audit, const uint8_t public32[static 32]);

/* An entry may have been lost: with a connection, or for want of room. */
void ady_audit_doubt(struct ady_audit *audit);

/* How often there was doubt. */
uint64_t ady_audit_doubts(const struct ady_audit *audit);

/* What there is to say. */
void ady_audit_report(struct ady_audit *audit, struct ady_audit_report *report);

#endif
