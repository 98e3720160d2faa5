/* SPDX-License-Identifier: Apache-2.0
 *
 * Backups of keys and wallets: sealed to the record's key and no other, opened as what they are,
 * and taken in again. */
#include "signer/backup.h"

#include "signer/make.h"
#include "test.h"
#include <stdlib.h>

#define ABOUT                                                                                      \
	"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon " \
	"about"

static struct ady_secp *secp;
static struct ady_envelope envelope = {.deployment = "prod"};
static struct ady_fault fault;
static struct ady_record rec;
static struct ady_backup backup;
static uint8_t data_key[32] = {1, 2, 3}, secret[32], bind[32];

/* The record of a key or wallet "w" that may be backed up to a new key pair. */
static void begin(enum ady_curve curve)
{
	uint8_t public[32];
	char options[128];

	ady_hpke_keypair(secret, public);
	snprintf(options, sizeof options, "{\"id\":\"w\",\"backup\":\"");
	for (size_t i = 0; i < 32; i++)
		snprintf(options + strlen(options), 3, "%02x", public[i]);
	snprintf(options + strlen(options), 3, "\"}");
	fault = (struct ady_fault){0};
	CHECK_ERR(
	    ady_record_begin(&rec, curve, ady_bytes_str("team"), ady_bytes_str(options), &fault),
	    ADY_OK);
	CHECK(rec.has_backup && memcmp(rec.backup, public, 32) == 0);
	memcpy(rec.data_key, "blob", 4);
	rec.data_key_n = 4;
	rec.created = 1764100000;
}

static void bind_of(enum ady_curve curve)
{
	ady_backup_bind(bind, ady_curve_name(curve), "team", "w",
	                ady_bytes(rec.pub, ady_curve_public_size(curve)));
}

/* A wallet of a sentence and a passphrase, sealed to `secret`. */
static void back_up_wallet(void)
{
	uint8_t space[200];
	struct ady_buf b = ady_buf(space, sizeof space);

	begin(ADY_CURVE_WALLET);
	ady_buf_u8(&b, (uint8_t)strlen(ABOUT));
	ady_buf_str(&b, ABOUT);
	ady_buf_str(&b, "TREZOR");
	CHECK_ERR(ady_wallet_take(&rec, secp, &envelope, data_key, ady_buf_bytes(&b), &fault),
	          ADY_OK);
	CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, ady_bytes(data_key, 32), &fault),
	          ADY_OK);
	bind_of(ADY_CURVE_WALLET);
}

static enum ady_err open_wallet(struct ady_wallet *w)
{
	return ady_backup_open_wallet(w, &backup, secret, bind, rec.pub, secp);
}

/* The seed is that of BIP-39's own vector. */
CASE(a_wallets_backup_has_its_entropy_and_its_seed)
{
	ADY_SECRET_WALLET w = {0};
	ADY_SECRET_SENTENCE s = {0};

	back_up_wallet();
	CHECK_INT(backup.sealed_n, 1 + 32 + 64 + 16);
	CHECK_ERR(open_wallet(&w), ADY_OK);
	CHECK_INT(w.entropy.n, 16);
	ady_bip39_write(&s, &w.entropy);
	CHECK(s.n == strlen(ABOUT) && memcmp(s.text, ABOUT, s.n) == 0);
	CHECK_HEX(w.seed, 64,
	          "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
	          "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04");
}

CASE(keys_of_each_curve)
{
	for (enum ady_curve c = ADY_CURVE_SECP256K1; c < ADY_CURVE_WALLET; c++) {
		ADY_SECRET struct ady_seckey key = {0};
		uint8_t address[20];

		begin(c);
		CHECK_ERR(ady_make_key(&rec, address, secp, &envelope, data_key, &fault), ADY_OK);
		CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, ady_bytes(data_key, 32),
		                          &fault),
		          ADY_OK);
		CHECK_INT(backup.sealed_n, ady_backup_size(c));
		bind_of(c);
		CHECK_ERR(ady_backup_open(&key, &backup, secret, bind, c,
		                          ady_bytes(rec.pub, ady_curve_public_size(c)), secp),
		          ADY_OK);
		CHECK(ady_key_is_of(&key, c, ady_bytes(rec.pub, ady_curve_public_size(c)), secp));
		rec.pub[5] ^= 1; /* what was sealed is not the key of this */
		CHECK_ERR(ady_backup_open(&key, &backup, secret, bind, c,
		                          ady_bytes(rec.pub, ady_curve_public_size(c)), secp),
		          ADY_E_RECORD_MISMATCH);
		CHECK(key.b[0] == 0 && memcmp(key.b, key.b + 1, sizeof key.b - 1) == 0);
	}
}

static bool is_zero(const struct ady_wallet *w)
{
	static const struct ady_wallet zero;

	return memcmp(w, &zero, sizeof zero) == 0;
}

CASE(nothing_changed_opens)
{
	uint8_t *parts[] = {backup.enc, backup.sealed, bind, secret};
	const size_t sizes[] = {sizeof backup.enc, sizeof backup.sealed, sizeof bind, 1};
	ADY_SECRET_WALLET w = {0};

	back_up_wallet();
	for (size_t i = 0; i < 4; i++)
		for (size_t bit = 0; bit < 8 * sizes[i]; bit += i == 3 ? 8 : 3) {
			/* X25519 takes three bits of the secret for zero */
			uint8_t mask = (uint8_t)(i == 3 ? 8 : 1 << bit % 8);

			parts[i][bit / 8] ^= mask;
			memset(&w, 1, sizeof w);
			CHECK_ERR(open_wallet(&w), ADY_E_CRYPTO);
			CHECK(is_zero(&w));
			parts[i][bit / 8] ^= mask;
		}
	CHECK_ERR(open_wallet(&w), ADY_OK);
}

/* A file that says another curve, or another public key, than what was sealed. */
CASE(a_backup_passes_for_nothing_else)
{
	ADY_SECRET_WALLET w = {0};
	ADY_SECRET struct ady_seckey key = {0};
	struct ady_secp *s = secp;

	back_up_wallet();
	CHECK_ERR(ady_backup_open(&key, &backup, secret, bind, ADY_CURVE_SECP256K1,
	                          ady_bytes(rec.pub, 33), s),
	          ADY_E_CRYPTO);
	backup.sealed_n = ADY_BACKUP_KEY;
	CHECK_ERR(open_wallet(&w), ADY_E_CRYPTO);
	CHECK_ERR(ady_backup_open(&key, &backup, secret, bind, ADY_CURVE_SECP256K1,
	                          ady_bytes(rec.pub, 33), s),
	          ADY_E_CRYPTO);
	backup.sealed_n = ADY_BACKUP_WALLET;
	rec.pub[5] ^= 1;
	CHECK_ERR(open_wallet(&w), ADY_E_RECORD_MISMATCH);
	CHECK(is_zero(&w));
}

/* A parent that puts a backup key of its own into a wallet's record, or another data key. */
CASE(a_wallets_record_is_bound_to_its_backup_key)
{
	const struct ady_bytes opened = ady_bytes(data_key, 32);
	uint8_t theirs[32], other[32] = {9};
	struct ady_sign_job *job;

	back_up_wallet();
	ady_hpke_keypair(other, theirs);
	memcpy(rec.backup, theirs, 32);
	ady_record_bind(&rec);
	CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, opened, &fault),
	          ADY_E_RECORD_MISMATCH);
	CHECK_STR(fault.where, "record");
	back_up_wallet();
	CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, ady_bytes(other, 32), &fault),
	          ADY_E_RECORD_MISMATCH);
	CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, ady_bytes(data_key, 31), &fault),
	          ADY_E_KEY_FORM);
	rec.pub[3] ^= 1;
	ady_record_bind(&rec);
	CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, opened, &fault),
	          ADY_E_RECORD_MISMATCH);

	job = calloc(1, sizeof *job);
	job->record.curve = ADY_CURVE_WALLET;
	fault = (struct ady_fault){0};
	CHECK_ERR(ady_backup_permit(job, ady_bytes_str("w"), ady_bytes_str("{}"),
	                            (struct ady_bytes){0}, &fault),
	          ADY_E_DENIED);
	CHECK_STR(fault.where, "record.backup");
	free(job);
}

/* Sealed to a point of small order it would be sealed to everybody. */
CASE(a_backup_key_of_small_order)
{
	uint8_t zero[32] = {0};

	begin(ADY_CURVE_WALLET);
	memcpy(rec.backup, zero, 32);
	rec.words = 24;
	CHECK_ERR(ady_wallet_make(&rec, secp, &envelope, data_key, &fault), ADY_OK);
	CHECK_ERR(ady_backup_seal(&backup, &rec, secp, &envelope, ady_bytes(data_key, 32), &fault),
	          ADY_E_CRYPTO);
}

static enum ady_err take_back(const uint8_t *plain, size_t n)
{
	begin(ADY_CURVE_WALLET);
	return ady_wallet_take(&rec, secp, &envelope, data_key, ady_bytes(plain, n), &fault);
}

CASE(what_was_opened_is_taken_in_as_the_same_wallet)
{
	uint8_t plain[1 + sizeof(struct ady_wallet) + 1] = {0}, pub[33];
	static const uint8_t sizes[] = {0, 1, 12, 15, 17, 24 + 1, 33, 36, 255};
	struct ady_wallet *w = (struct ady_wallet *)(plain + 1), back;

	back_up_wallet();
	memcpy(pub, rec.pub, sizeof pub);
	CHECK_ERR(open_wallet(w), ADY_OK);
	CHECK_ERR(take_back(plain, 1 + sizeof *w), ADY_OK);
	CHECK(memcmp(rec.pub, pub, sizeof pub) == 0);
	CHECK_ERR(ady_wallet_open(&back, &rec, secp, &envelope, data_key), ADY_OK);
	CHECK(memcmp(&back, w, sizeof back) == 0);

	CHECK_ERR(take_back(plain, sizeof *w), ADY_E_KEY_FORM);
	CHECK_STR(fault.where, "sealed");
	CHECK_ERR(take_back(plain, sizeof plain), ADY_E_KEY_FORM);
	CHECK_ERR(take_back(plain, 1), ADY_E_KEY_FORM);
	plain[1 + 1 + 16] = 1; /* behind the entropy */
	CHECK_ERR(take_back(plain, 1 + sizeof *w), ADY_E_KEY_FORM);
	plain[1 + 1 + 16] = 0;
	for (size_t i = 0; i < sizeof sizes; i++) {
		plain[1] = sizes[i];
		CHECK_ERR(take_back(plain, 1 + sizeof *w), ADY_E_KEY_FORM);
	}
	ady_wallet_wipe(&back);
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK || ady_gcm_new(&envelope.gcm) != ADY_OK)
		return 1;
	RUN(a_wallets_backup_has_its_entropy_and_its_seed);
	RUN(keys_of_each_curve);
	RUN(nothing_changed_opens);
	RUN(a_backup_passes_for_nothing_else);
	RUN(a_wallets_record_is_bound_to_its_backup_key);
	RUN(a_backup_key_of_small_order);
	RUN(what_was_opened_is_taken_in_as_the_same_wallet);
	ady_gcm_free(envelope.gcm);
	ady_secp_close(secp);
	return test_end();
}
