/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups: a secret key or wallet out of its envelope, sealed to a public key, and opened again by
 * its secret half; a wallet is taken in again. That it fits is public, and all that may be seen. */
#include "ct.h"

#include <string.h>

#include "crypto/rng.h"
#include "signer/backup.h"

static struct ady_record rec;

static void through_a_wallet(const struct ady_secp *secp, const struct ady_envelope *envelope,
                             const uint8_t *data_key)
{
	ADY_SECRET struct ady_seckey secret = {0};
	struct ady_backup backup;
	uint8_t plain[1 + sizeof(struct ady_wallet)] = {0}, bind[32];
	struct ady_wallet *opened = (struct ady_wallet *)(plain + 1);

	ct_must(ady_record_begin(&rec, ADY_CURVE_WALLET, ady_bytes_str("t"),
	                         ady_bytes_str("{\"id\":\"w\",\"words\":15}"), NULL) == ADY_OK);
	ady_hpke_keypair(secret.b, rec.backup);
	rec.has_backup = true;
	ct_secret(&secret, sizeof secret);
	ct_must(ady_wallet_make(&rec, secp, envelope, data_key, NULL) == ADY_OK);
	ady_backup_bind(bind, "wallet", "t", "w", ady_bytes(rec.pub, 33));
	ct_must(ady_backup_seal(&backup, &rec, secp, envelope, ady_bytes(data_key, 32), NULL) ==
	        ADY_OK);
	ct_public(&backup, sizeof backup);
	ct_must(ady_backup_open_wallet(opened, &backup, secret.b, bind, rec.pub, secp) == ADY_OK);
	ct_must(ct_is_secret(&opened->seed));
	ct_secret(opened, sizeof *opened);
	ct_must(ady_wallet_take(&rec, secp, envelope, data_key, ady_bytes(plain, sizeof plain),
	                        NULL) == ADY_OK);
	opened->entropy.b[31] = 1; /* behind the twenty */
	ct_secret(opened, sizeof *opened);
	ct_must(ady_wallet_take(&rec, secp, envelope, data_key, ady_bytes(plain, sizeof plain),
	                        NULL) == ADY_E_KEY_FORM);
}

int main(void)
{
	struct ady_envelope envelope = {.deployment = "ct"};
	struct ady_seckey key, secret, opened;
	struct ady_backup backup;
	struct ady_secp *secp;
	uint8_t data_key[32], pub65[65], bind[32];

	ct_need_valgrind();
	ct_must(ady_secp_open(&secp) == ADY_OK && ady_gcm_new(&envelope.gcm) == ADY_OK);
	ct_must(ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("t"),
	                         ady_bytes_str("{\"id\":\"k\"}"), NULL) == ADY_OK);
	ady_random(key.b, sizeof key.b);
	key.b[0] &= 0x7f;
	ady_random(data_key, sizeof data_key);
	ct_must(ady_secp_public(secp, pub65, &key) == ADY_OK);
	ady_secp_compress(rec.pub, pub65);
	ady_hpke_keypair(secret.b, rec.backup);
	rec.has_backup = true;
	ady_record_bind(&rec);
	ady_backup_bind(bind, "secp256k1", "t", "k", ady_bytes(rec.pub, 33));
	ct_secret(&key, sizeof key);
	ct_secret(&secret, sizeof secret);
	ct_secret(data_key, sizeof data_key);
	ct_must(ady_envelope_seal(&rec, &envelope, data_key, &key) == ADY_OK);
	ct_public(rec.ciphertext, rec.ciphertext_n); /* it is stored outside */
	ct_must(ady_backup_seal(&backup, &rec, secp, &envelope, ady_bytes(data_key, 32), NULL) ==
	        ADY_OK);
	ct_public(&backup, sizeof backup); /* it leaves */
	ct_must(ady_backup_open(&opened, &backup, secret.b, bind, ADY_CURVE_SECP256K1,
	                        ady_bytes(rec.pub, 33), secp) == ADY_OK);
	ct_must(ct_is_secret(opened.b));
	through_a_wallet(secp, &envelope, data_key);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return 0;
}
