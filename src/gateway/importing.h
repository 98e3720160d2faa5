/* SPDX-License-Identifier: Apache-2.0
 *
 * A keystore that came to the gateway in clear, password and all (the Keymanager API's clients send
 * it so): sealed here to the enclave's import key, whose attestation document is verified against
 * the configured measurements ("attestation"), and imported. What is given up against a client that
 * seals by itself: the gateway has seen keystore and password (doc/threats.md). The document is
 * asked for once on each connection to the enclave. Thread rule: the shard's thread.
 *
 *   struct ady_importing *i = ady_importing_new(shard, tenant, options, keystore, password);
 *   i->done = ..; i->ctx = ..;
 *   err = ady_importing_start(i, left_ms, &f);     // done is called later, once, unless err
 *   ...
 *   ady_importing_free(i);                         // in done, or instead of waiting for it */
#ifndef ADY_GATEWAY_IMPORTING_H
#define ADY_GATEWAY_IMPORTING_H

#include "gateway/creating.h"

struct ady_importing {
	struct ady_shard *shard;
	/* The answer, valid during the call, when f is NULL: m->record is the record that the
	 * caller is to store, m->public_key its key. Else why there is none: ADY_E_PASSWORD,
	 * ADY_E_KEYSTORE, ADY_E_KEYSTORE_OTHER, ADY_E_ATTESTATION, and what the enclave refuses. */
	void (*done)(struct ady_importing *i, const struct ady_wire_created *m,
	             const struct ady_fault *f);
	void *ctx; /* the caller's */

	/* ours */
	struct ady_call call; /* for the document */
	struct ady_creating creating;
	char tenant[ADY_WIRE_TENANT_MAX + 1];
	struct ady_dyn options, keystore, password;
	uint8_t nonce[32];
	int64_t due_ms;
	bool again; /* a sealed message was refused: the enclave may be another by now */
};

/* Begin; all texts are copied. options: a JSON object, {"id": "..", ..} (ady_record_begin). The
 * curve is that of the keystore's version: secp256k1 of 3, BLS12-381 of 4. Out of memory ends the
 * program. */
struct ady_importing *ady_importing_new(struct ady_shard *shard, const char *tenant,
                                        struct ady_bytes options, struct ady_bytes keystore,
                                        struct ady_bytes password);

/* Ask. done is called once, never from inside this call, unless an error is returned, whose reason
 * is in f: ADY_E_DENIED without "attestation" in the configuration; ADY_E_KEYSTORE, ADY_E_PASSWORD,
 * ADY_E_TOO_LARGE; what ady_link_ask returns. */
enum ady_err ady_importing_start(struct ady_importing *i, uint32_t deadline_ms,
                                 struct ady_fault *f);

/* Wipe and free; done is not called any more. NULL is allowed. */
void ady_importing_free(struct ady_importing *i);

#endif
