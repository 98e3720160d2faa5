/* SPDX-License-Identifier: Apache-2.0
 *
 * A request for keys of a wallet, and the records that they get. The body is one JSON object:
 *
 *   {"path": "..", "first": 0, "count": 100, "curve": "secp256k1",
 *    "options": {"id": "deposit-"}}
 *
 * "path" is required (codec/hd_path.h); "curve" is secp256k1 when absent, "first" 0, "count" 1.
 * Without "options" no key is made: the public keys are told. With them each key gets a record,
 * whose id is that of the options, with the number behind it where the path counts.
 *
 * Of allow, chains, callers and policy a key has what its wallet has, and no backup key. Only where
 * the wallet needs the stamp of a caller, which is over this body, may the options say something
 * else: else whoever holds the store could derive the same key once more with fewer bounds, or have
 * it sealed to a key of his own. */
#ifndef ADY_SIGNER_DERIVE_H
#define ADY_SIGNER_DERIVE_H

#include "signer/record.h"

enum { ADY_DERIVE_MAX = 1000 };

struct ady_derive {
	enum ady_curve curve;
	struct ady_hd_path path;
	uint64_t first, count;
	struct ady_bytes options; /* a JSON object, view into the body; empty: no keys are made */
	size_t id_n;              /* of the options' id, once ady_derive_record has read them */
};

/* Read a body with room for cap tokens. *doc is left over it.
 * Returns: the errors of the JSON reader; the ADY_E_FIELD_* with the member's name in f. */
enum ady_err ady_derive_read(struct ady_derive *d, struct ady_json *doc, struct ady_json_tok *toks,
                             size_t cap, struct ady_bytes body, struct ady_fault *f);

/* Begin the record that all keys of d share, from its options and the wallet's record: data key and
 * rights included; id, origin, key and time are missing yet. Views of both are in rec.
 * Returns: what ady_record_begin_in returns; ADY_E_DENIED with the member's name for a right that
 * is not for whoever asks to give. */
enum ady_err ady_derive_record(struct ady_record *rec, struct ady_derive *d,
                               const struct ady_record *wallet, struct ady_json_tok *toks,
                               size_t cap, struct ady_fault *f);

/* Give rec the id and the origin of key `number`. */
void ady_derive_number(struct ady_record *rec, const struct ady_derive *d,
                       const struct ady_record *wallet, uint64_t number);

#endif
