/* SPDX-License-Identifier: Apache-2.0
 *
 * Stamps: the caller's signature over a request, so that a parent that forges, alters or repeats
 * one is found out in the enclave (doc/stamps.md). The text of a stamp, as the X-Adyton-Stamp
 * header has it, is base64url parts with dots between them:
 *
 *   CLAIMS.SIGNATURE                                      of ed25519: and p256: keys
 *   CLAIMS.SIGNATURE.AUTHENTICATOR-DATA.CLIENT-DATA       of webauthn: keys
 *
 * and several stamps have commas between them. CLAIMS is JSON, all of it required and no more:
 *
 *   {"stamp": 1, "by": "ed25519:..", "aud": "..", "tenant": "..", "key": "..", "op": "sign",
 *    "iat": seconds, "exp": seconds, "id": "..", "body": "<SHA-256 of the body in hex>"}
 *
 * What is signed is the text "adyton-stamp-1." and the base64url of the claims; with WebAuthn the
 * challenge is the SHA-256 of that. Pure: no clock, no window of its own. */
#ifndef ADY_SIGNER_STAMP_H
#define ADY_SIGNER_STAMP_H

#include "policy/stamp_key.h"

enum {
	ADY_STAMPS_MAX = 8,         /* of one request */
	ADY_STAMP_TEXT_MAX = 16384, /* all of them */
	ADY_STAMP_KEY_TEXT_MAX = 400,
	ADY_STAMP_ID_MAX = 64,
	ADY_STAMP_LIFE_MAX_S = 300,
	ADY_STAMP_SKEW_S = 30, /* how far the caller's clock may be ahead */
};

/* What a stamp must say. */
struct ady_stamp_want {
	const char *aud;      /* the deployment */
	const char *tenant;   /* of the record */
	struct ady_bytes key; /* the record's id */
	const char *op;
	uint8_t body32[32]; /* SHA-256 of the body */
	uint64_t now_s;
	uint64_t born_s; /* stamps of before this time may have been used: refused */
	uint32_t life_s; /* the longest exp - iat: 1 .. ADY_STAMP_LIFE_MAX_S */
};

/* A stamp that was verified. */
struct ady_stamp {
	char by[ADY_STAMP_KEY_TEXT_MAX];
	char id[ADY_STAMP_ID_MAX + 1];
	uint64_t expires_s;
};

/* Verify every stamp of a header's text (at most ADY_STAMPS_MAX, each by another key).
 * Out:     stamps, *n on ADY_OK. An empty text has none.
 * Returns: ADY_E_UNAUTHORIZED, with "stamp[0].exp" and the reason in f; ADY_E_TOO_LARGE.
 * Heap: what OpenSSL takes for P-256. Time: variable; nothing here is secret. */
enum ady_err ady_stamps_verify(struct ady_stamp stamps[static ADY_STAMPS_MAX], size_t *n,
                               const struct ady_stamp_want *want, struct ady_bytes text,
                               struct ady_fault *f);

/* Append the claims of a stamp by key `by` for want, from now_s for life_s, in base64url behind
 * "adyton-stamp-1.": what is to be signed. id: 1..64 of A-Z a-z 0-9 - _. */
void ady_stamp_put_input(struct ady_buf *b, const struct ady_stamp_want *want, const char *by,
                         const char *id);

#endif
