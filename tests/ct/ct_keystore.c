/* SPDX-License-Identifier: Apache-2.0
 *
 * A keystore with a secret password: from the sealed pair over PBKDF2 and the MAC to the key, of
 * both forms. Only whether the password was right may show. scrypt is left out: it reads its memory
 * where the password says, by design (crypto/kdf.h). */
#include "ct.h"

#include <string.h>

#include "base/text.h"
#include "crypto/aes.h"
#include "crypto/hash.h"
#include "signer/keystore.h"

#define KDF "\"dklen\":32,\"c\":3,\"prf\":\"hmac-sha256\",\"salt\":\"0102\""
#define IV "\"iv\":\"000102030405060708090a0b0c0d0e0f\""

/* A file of a key of ones under the password "right". */
static void make(char *out, size_t cap, bool v3)
{
	const uint8_t salt[] = {1, 2};
	uint8_t derived[32], iv[16], mac[32], joined[48], key[32];
	char mac_text[65], ct_text[65];

	for (uint8_t i = 0; i < 16; i++)
		iv[i] = i;
	memset(key, 1, sizeof key);
	ct_must(ady_pbkdf2_derive(derived, ady_bytes_str("right"), ady_bytes(salt, 2), 3) ==
	        ADY_OK);
	memcpy(joined, derived + 16, 16);
	ct_must(ady_aes128_ctr(joined + 16, derived, iv, ady_bytes(key, 32)) == ADY_OK);
	if (v3)
		ady_keccak256(mac, ady_bytes(joined, 48));
	else
		ady_sha256(mac, &(struct ady_bytes){joined, 48}, 1);
	ady_hex_encode(mac_text, ady_bytes(mac, 32));
	ady_hex_encode(ct_text, ady_bytes(joined + 16, 32));
	if (v3)
		snprintf(
		    out, cap,
		    "{\"version\":3,\"crypto\":{\"cipher\":\"aes-128-ctr\",\"cipherparams\":{" IV
		    "},\"ciphertext\":\"%s\",\"kdf\":\"pbkdf2\",\"kdfparams\":{" KDF
		    "},\"mac\":\"%s\"}}",
		    ct_text, mac_text);
	else
		snprintf(
		    out, cap,
		    "{\"version\":4,\"crypto\":{\"kdf\":{\"function\":\"pbkdf2\",\"params\":{" KDF
		    "},\"message\":\"\"},\"checksum\":{\"function\":\"sha256\",\"params\":{},"
		    "\"message\":\"%s\"},\"cipher\":{\"function\":\"aes-128-ctr\",\"params\":{" IV
		    "},\"message\":\"%s\"}}}",
		    mac_text, ct_text);
}

static void open_one(const char *file, enum ady_keystore_form form, const char *with,
                     enum ady_err want)
{
	uint8_t plain[4096];
	struct ady_buf b = ady_buf(plain, sizeof plain);
	struct ady_bytes text, password;
	struct ady_keystore ks;
	struct ady_seckey key;
	struct ady_fault f;

	ady_keystore_pair_put(&b, ady_bytes_str(file), ady_bytes_str(with));
	ct_must(!b.full);
	ct_must(ady_keystore_pair_read(&text, &password, ady_buf_bytes(&b), &f) == ADY_OK);
	ct_must(ady_keystore_read(&ks, form, text, &f) == ADY_OK);
	ct_secret(plain + (password.p - plain), password.n);
	ct_must(ady_keystore_open(&key, &ks, password, &f) == want);
	if (want != ADY_OK)
		return;
	ct_must(ct_is_secret(key.b));
	ct_public(key.b, sizeof key.b);
	ct_must(key.b[0] == 1 && key.b[31] == 1);
}

int main(void)
{
	static const enum ady_keystore_form forms[] = {ADY_KEYSTORE_V3, ADY_KEYSTORE_EIP2335};
	char file[2048];

	ct_need_valgrind();
	for (size_t i = 0; i < 2; i++) {
		make(file, sizeof file, forms[i] == ADY_KEYSTORE_V3);
		open_one(file, forms[i], "right", ADY_OK);
		open_one(file, forms[i], "wrong", ADY_E_PASSWORD);
	}
	return 0;
}
