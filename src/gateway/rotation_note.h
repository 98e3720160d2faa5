/* SPDX-License-Identifier: Apache-2.0
 *
 * What a store remembers of the rotation of a tenant's data key: the note "rotation/TENANT". It
 * outlives the gateway that does it, so that this or another one goes on; and its data key is the
 * one that new keys of the tenant are sealed under from then on. */
#ifndef ADY_GATEWAY_ROTATION_NOTE_H
#define ADY_GATEWAY_ROTATION_NOTE_H

#include "codec/wire.h"
#include "store/entry.h"

#define ADY_ROTATION_NOTES "rotation/"

enum ady_rotation_state {
	ADY_ROTATION_RUNNING,
	ADY_ROTATION_DONE,
	ADY_ROTATION_INCOMPLETE, /* done but for some records, which stay as they were */
};

struct ady_rotation_note {
	char tenant[ADY_TENANT_MAX + 1];
	char data_key[ADY_DATA_KEY_MAX + 1]; /* base64: the new one */
	char kms_key[ADY_WIRE_ARN_MAX + 1];  /* that it was made under; "": the first */
	enum ady_rotation_state state;
	int64_t started_s, updated_s; /* since 1970 */
	uint64_t rewrapped;           /* records, so far */
	uint64_t skipped;  /* in the last pass: what cannot be re-wrapped (the AWS sample's) */
	uint64_t failed;   /* in the last pass: what the enclave refused */
	char problem[224]; /* of one that was refused, or of what is waited for; "": none */
	char after[ADY_KEY_ID_MAX + 1]; /* the first pass goes on behind this id */
};

/* Read a note. False: it is none of ours. */
bool ady_rotation_note_read(struct ady_rotation_note *note, struct ady_bytes text);

/* Append it as JSON. whole: as it is stored; else as it is told, without data key and place. */
void ady_rotation_note_put(struct ady_dyn *out, const struct ady_rotation_note *note, bool whole);

/* Its name: room for ADY_KEY_ID_MAX + 1 bytes. */
void ady_rotation_note_name(char out[static ADY_KEY_ID_MAX + 1], const char *tenant);

#endif
