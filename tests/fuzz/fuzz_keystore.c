/* SPDX-License-Identifier: Apache-2.0
 *
 * A sealed pair, and a keystore of either form: what is accepted is within its bounds, and a
 * refusal says where and why. Nothing is derived: that costs time, and reads no syntax. */
#include "signer/keystore.h"

#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ady_keystore *ks)
{
	const uint64_t work = ks->params.n * ks->params.r * ks->params.p;
	const bool v3 = ks->form == ADY_KEYSTORE_V3;

	if (ks->scrypt && (work == 0 || work > ADY_KEYSTORE_WORK_MAX ||
	                   ady_keystore_memory(ks) > 256 * (uint64_t)ADY_KEYSTORE_WORK_MAX))
		ADY_BUG("a scrypt without bounds");
	if (!ks->scrypt && (ks->c == 0 || ks->c > ADY_KEYSTORE_C_MAX || ady_keystore_memory(ks)))
		ADY_BUG("a PBKDF2 without bounds");
	if (ks->salt_n > sizeof ks->salt || ks->ciphertext_n == 0 || ks->ciphertext_n > 32 ||
	    (!v3 && ks->ciphertext_n != 32) ||
	    (ks->named_n != 0 && ks->named_n != (v3 ? 20u : 48u)))
		ADY_BUG("a keystore out of its bounds");
}

static void read_as(enum ady_keystore_form form, struct ady_bytes text)
{
	struct ady_keystore ks;
	struct ady_fault f = {0};
	enum ady_err err = ady_keystore_read(&ks, form, text, &f);

	if (err == ADY_OK)
		check(&ks);
	else if (err != ADY_E_KEYSTORE || f.err != err || strncmp(f.where, "keystore", 8) != 0 ||
	         !f.detail[0])
		ADY_BUG("a refusal without a reason");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_bytes text, password, all = ady_bytes(data, size);
	struct ady_fault f = {0};
	enum ady_err err = ady_keystore_pair_read(&text, &password, all, &f);

	if (err == ADY_OK && (text.n == 0 || text.n > ADY_KEYSTORE_TEXT_MAX ||
	                      password.n > ADY_KEYSTORE_PASSWORD_MAX))
		ADY_BUG("a pair out of its bounds");
	if (err != ADY_OK && (text.n || password.n || !f.detail[0]))
		ADY_BUG("a refused pair that is there");
	for (int i = 0; i < 2; i++) {
		read_as(ADY_KEYSTORE_V3, err == ADY_OK ? text : all);
		read_as(ADY_KEYSTORE_EIP2335, err == ADY_OK ? text : all);
		all = ady_bytes_sub(all, 0, size / 2); /* and cut off */
		err = ADY_E_KEYSTORE;
	}
	return 0;
}
