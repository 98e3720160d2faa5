/* SPDX-License-Identifier: Apache-2.0
 *
 * The bodies of what concerns validators: duties, their slashing protection states, and the
 * enclave's own question to the parent that keeps these (doc/protocol.md). As codec/wire.h. */
#ifndef ADY_CODEC_WIRE_DUTY_H
#define ADY_CODEC_WIRE_DUTY_H

#include "codec/wire.h"

enum {
	ADY_WIRE_STATE_MAX = 256,
	ADY_WIRE_ROW_MAX = 12 * 1024,                        /* of counters */
	ADY_WIRE_DUTY_MAX = ADY_WIRE_LARGE_MAX - 128 * 1024, /* record and stamp beside it */
};

struct ady_wire_duty {
	struct ady_bytes key_id;  /* text, 1..2048 */
	struct ady_bytes record;  /* 1..65536 bytes */
	struct ady_bytes state;   /* 0..256 bytes: the stored row; empty: there is none */
	uint64_t strict;          /* 0 or 1: refuse unknown members outside of the object too */
	struct ady_bytes request; /* 0..ADY_WIRE_DUTY_MAX bytes: the body, as it came */
	struct ady_bytes stamp;   /* 0..16384 bytes: the X-Adyton-Stamp header, as it came */
	/* The high watermark: no block of this slot or a later one, no attestation whose source or
	 * target is this epoch or a later one. UINT64_MAX: there is none. */
	uint64_t until_slot, until_epoch;
};

enum ady_watermark_op {
	ADY_WATERMARK_RAISE = 0,  /* make a state, or raise it to at least this */
	ADY_WATERMARK_RETIRE = 1, /* the key signs no more */
	ADY_WATERMARK_REVIVE = 2, /* as RAISE, and it signs again: nothing of before now */
};

struct ady_wire_watermark {
	uint64_t op; /* enum ady_watermark_op */
	struct ady_bytes key_id, record, state;
	struct ady_bytes genesis_root; /* 32 bytes: of the network that the marks are of; empty
	                                  where there is none */
	uint64_t marks;                /* 1: a block, 2: an attestation, 3: both */
	uint64_t slot, source, target; /* 0 where there is no mark */
};

struct ady_wire_state_cas {
	struct ady_bytes key;   /* 32..48 bytes: a validator's public key, or a name of counters */
	uint64_t version;       /* what the stored row must have; 0: there is none */
	struct ady_bytes state; /* 0..12288 bytes: the new row, of version + 1; empty: read only */
};

struct ady_wire_state_outcome {
	uint64_t written;       /* 0 or 1 */
	struct ady_bytes state; /* 0..12288 bytes: what is stored, when it was not written */
};

/* {0: key id, 1: record, 2: state, 3: strict, 4: request, 5: stamp, 6: until slot, 7: until epoch};
 * answered by {0: signature, 96 bytes} */
void ady_wire_put_duty(struct ady_buf *b, const struct ady_wire_duty *m);

/* See ady_wire_put_duty. */
enum ady_err ady_wire_read_duty(struct ady_wire_duty *m, struct ady_bytes body);

/* {0: op, 1: key id, 2: record, 3: state, 4: genesis root, 5: marks, 6: slot, 7: source, 8:
 * target}; answered by {0: the new row} */
void ady_wire_put_watermark(struct ady_buf *b, const struct ady_wire_watermark *m);

/* See ady_wire_put_watermark. */
enum ady_err ady_wire_read_watermark(struct ady_wire_watermark *m, struct ady_bytes body);

/* {0: key, 1: version, 2: state} */
void ady_wire_put_state_cas(struct ady_buf *b, const struct ady_wire_state_cas *m);

/* See ady_wire_put_state_cas. */
enum ady_err ady_wire_read_state_cas(struct ady_wire_state_cas *m, struct ady_bytes body);

/* {0: written, 1: state} */
void ady_wire_put_state_outcome(struct ady_buf *b, const struct ady_wire_state_outcome *m);

/* See ady_wire_put_state_outcome. */
enum ady_err ady_wire_read_state_outcome(struct ady_wire_state_outcome *m, struct ady_bytes body);

#endif
