/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/proof.h"

#include "codec/wire_body.h"
#include "crypto/ed25519.h"

#define HEAD_TAG "adyton head 1"

_Static_assert(sizeof HEAD_TAG - 1 + ADY_AUDIT_HASH == ADY_PROOF_SIGNED, "length of the tag");

void ady_proof_put(struct ady_buf *b, const struct ady_proof *p)
{
	ady_cbor_put_map(b, 5);
	put_bytes(b, 0, p->public);
	put_bytes(b, 1, p->before);
	put_bytes(b, 2, p->entry);
	put_bytes(b, 3, p->later);
	put_bytes(b, 4, p->signature);
}

enum ady_err ady_proof_read(struct ady_proof *p, struct ady_audit_entry *e, struct ady_bytes text)
{
	struct ady_cbor c = open_body(text, 5);

	*e = (struct ady_audit_entry){0};
	p->public = take_bytes(&c, 0, 32, 32);
	p->before = take_bytes(&c, 1, ADY_AUDIT_HASH, ADY_AUDIT_HASH);
	p->entry = take_bytes(&c, 2, 1, ADY_AUDIT_ENTRY_MAX);
	p->later = take_bytes(&c, 3, 0, (size_t)ADY_PROOF_LATER_MAX * ADY_AUDIT_HASH);
	p->signature = take_bytes(&c, 4, 64, 64);
	if (p->later.n % ADY_AUDIT_HASH != 0 || ady_cbor_end(&c) != ADY_OK ||
	    ady_audit_read(e, p->entry) != ADY_OK)
		ady_cbor_fail(&c);
	return close_body(&c, p, sizeof *p) == ADY_OK ? ADY_OK : ADY_E_CBOR;
}

size_t ady_proof_length(struct ady_bytes proofs)
{
	struct ady_cbor c = ady_cbor(proofs);

	ady_cbor_skip(&c);
	return c.err == ADY_OK ? (size_t)(c.p - proofs.p) : 0;
}

void ady_proof_heads(uint8_t after32[static 32], uint8_t head32[static 32],
                     const struct ady_proof *p)
{
	uint8_t digest[32];

	ady_audit_digest(digest, p->entry);
	memcpy(after32, p->before.p, ADY_AUDIT_HASH);
	ady_audit_chain(after32, digest);
	memcpy(head32, after32, ADY_AUDIT_HASH);
	for (size_t i = 0; i < p->later.n; i += ADY_AUDIT_HASH)
		ady_audit_chain(head32, p->later.p + i);
}

void ady_proof_message(uint8_t out[static ADY_PROOF_SIGNED], const uint8_t head32[static 32])
{
	memcpy(out, HEAD_TAG, sizeof HEAD_TAG - 1);
	memcpy(out + sizeof HEAD_TAG - 1, head32, ADY_AUDIT_HASH);
}

bool ady_proof_verify(const struct ady_proof *p)
{
	uint8_t after[32], head[32], message[ADY_PROOF_SIGNED];

	ady_proof_heads(after, head, p);
	ady_proof_message(message, head);
	return ady_ed25519_verify(p->signature.p, p->public.p, ady_bytes(message, sizeof message));
}
