/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/p384.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/ecdsa_der.h"
#include "crypto/evp.h"
#include "crypto/hash.h"

enum { NUMBER = 48, DER_MAX = 2 + 2 * (2 + 1 + NUMBER) };

struct ady_p384_pub {
	EVP_PKEY *pkey;
};

/* SubjectPublicKeyInfo of an uncompressed point on secp384r1 (RFC 5480 section 2): the named curve
 * leaves nothing to choose, so that all that is not these bytes is another kind of key. */
static const uint8_t spki_head[ADY_P384_SPKI - 2 * NUMBER] = {
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
};

enum ady_err ady_p384_pub_read(struct ady_p384_pub **pub, struct ady_bytes spki)
{
	const uint8_t *at = spki.p;
	struct ady_p384_pub *p;

	*pub = NULL;
	(void)ady_evp();
	if (spki.n != ADY_P384_SPKI || memcmp(spki.p, spki_head, sizeof spki_head) != 0)
		return ADY_E_CRYPTO;
	p = calloc(1, sizeof *p);
	if (!p)
		return ADY_E_MEMORY;
	p->pkey =
	    d2i_PUBKEY(NULL, &at, (long)spki.n); /* refuses a point that is not on the curve */
	if (!p->pkey) {
		ERR_clear_error();
		free(p);
		return ADY_E_CRYPTO;
	}
	*pub = p;
	return ADY_OK;
}

void ady_p384_pub_free(struct ady_p384_pub *pub)
{
	if (!pub)
		return;
	EVP_PKEY_free(pub->pkey);
	free(pub);
}

enum ady_err ady_p384_verify(const struct ady_p384_pub *pub, const uint8_t sig96[static 96],
                             const struct ady_bytes *parts, size_t n)
{
	uint8_t space[DER_MAX], hash[48];
	struct ady_buf der = ady_buf(space, sizeof space);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pub->pkey, NULL);
	bool ok;

	ady_ecdsa_der_put(&der, sig96, NUMBER);
	ady_sha384(hash, parts, n);
	ok = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_verify(ctx, der.p, der.n, hash, sizeof hash) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok)
		ERR_clear_error();
	return ok ? ADY_OK : ADY_E_CRYPTO;
}
