/* SPDX-License-Identifier: Apache-2.0
 *
 * One import of keystores: what was read (keymanager_read.c), and what is done with each
 * (keymanager_import.c). Internal to them. */
#ifndef ADY_GATEWAY_KEYMANAGER_IMPORT_H
#define ADY_GATEWAY_KEYMANAGER_IMPORT_H

#include "gateway/importing.h"
#include "gateway/keymanager.h"
#include "gateway/validating.h"

enum ady_km_outcome { ADY_KM_OPEN, ADY_KM_IMPORTED, ADY_KM_DUPLICATE, ADY_KM_ERROR };

struct ady_km_import;

struct ady_km_item {
	struct ady_store_job job; /* first: of its record */
	struct ady_km_import *owner;
	uint8_t public_key[ADY_STATE_KEY]; /* that the keystore names; the enclave derives it */
	struct ady_dyn keystore, password; /* in clear: wiped at the end */
	bool in_history;
	struct ady_wire_watermark marks; /* of the history */
	bool exists, enabled;            /* of a record that is stored already */
	struct ady_entry entry;          /* it, or the new one */
	struct ady_stored *record;
	struct ady_importing *importing;
	struct ady_validating *validating;
	struct ady_dyn proof; /* of the enclave's answer about the marks, where it is wanted */
	enum ady_km_outcome outcome;
	struct ady_fault fault;
};

struct ady_km_import {
	struct ady_store_job job; /* first: that looks for what is stored already */
	struct ady_shard *shard;
	struct ady_op *op; /* NULL: nobody waits any more */
	struct ady_caller caller;
	int64_t due_ms;
	uint8_t network[32]; /* of the history */
	struct ady_km_item *items;
	size_t n, next, left;
	size_t jobs; /* of the store, that come back in any case */
	bool starting;
};

/* Check all of op's body, and fill im: {"keystores": [text, ..], "passwords": [text, ..],
 * "slashing_protection": text}. An item that cannot be imported has its outcome and fault.
 * Returns: what is wrong with the request as a whole, in f; nothing is then to be done. */
enum ady_err ady_km_import_read(struct ady_km_import *im, struct ady_op *op, struct ady_fault *f);

/* Wipe and free the items. */
void ady_km_import_clear(struct ady_km_import *im);

#endif
