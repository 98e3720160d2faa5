/* SPDX-License-Identifier: Apache-2.0
 *
 * The message that asks the enclave for entries of the audit log again: an answer that was lost on
 * its way has taken its entry with it. As codec/wire.h. */
#ifndef ADY_CODEC_WIRE_AUDIT_H
#define ADY_CODEC_WIRE_AUDIT_H

#include "codec/wire.h"

enum { ADY_WIRE_PROOFS_MAX = 64 * 1024 };

struct ady_wire_audited {
	struct ady_bytes public; /* 32 bytes: of the response key, whose chain it is */
	uint64_t end;            /* how many entries the chain has */
	uint64_t next;           /* where to go on asking; end: there is no more */
	struct ady_bytes proofs; /* 0..65536 bytes: proofs behind each other (codec/proof.h) */
};

/* {0: from}: the entries from that sequence number on that are still there. */
void ady_wire_put_audit(struct ady_buf *b, uint64_t from);

/* See ady_wire_put_audit. */
enum ady_err ady_wire_read_audit(uint64_t *from, struct ady_bytes body);

/* {0: public, 1: end, 2: next, 3: proofs} */
void ady_wire_put_audited(struct ady_buf *b, const struct ady_wire_audited *m);

/* See ady_wire_put_audited. next is at most end. */
enum ady_err ady_wire_read_audited(struct ady_wire_audited *m, struct ady_bytes body);

#endif
