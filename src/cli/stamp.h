/* SPDX-License-Identifier: Apache-2.0
 *
 * Stamps on requests (signer/stamp.h), made with keys in files. A file is one line:
 *   adyton-stamp-key ed25519 <private key in hex>        or p256 */
#ifndef ADY_CLI_STAMP_H
#define ADY_CLI_STAMP_H

#include "base/bytes.h"

/* What a stamp is for, and by which key. Texts are borrowed. */
struct ady_stamp_order {
	const char *key_file; /* NULL: no stamp is asked for */
	const char *aud;      /* the enclave's deployment; NULL: $ADYTON_DEPLOYMENT, else "dev" */
	const char *tenant;   /* NULL: "default" */
	/* "policy": for a change of the policy, good for a day; "derive", "backup"; NULL: "sign" */
	const char *op;
};

/* What the help says of the members. */
#define ADY_STAMP_KEY_HELP "stamp the request with this key (adyton stamp keygen)"
#define ADY_STAMP_AUD_HELP "the enclave's; else $ADYTON_DEPLOYMENT, else dev"

/* Append the stamp on a body that is about key id, from now for a minute or a day.
 * Returns ADY_E_IO, or ADY_E_FIELD_INVALID for a file that holds no key. The key is wiped. */
enum ady_err ady_stamp_make(struct ady_dyn *stamp, const struct ady_stamp_order *order,
                            const char *id, struct ady_bytes body, struct ady_fault *f);

#endif
