/* SPDX-License-Identifier: Apache-2.0
 *
 * A key record: what is accepted is written and read again, and must be the same record. */
#include "signer/record.h"

#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ady_record rec, again;
static uint8_t space[16384];

/* The id that a record is asked for must be its own: take what stands there. */
static enum ady_err parse(struct ady_record *r, struct ady_bytes text)
{
	struct ady_fault f = {0};
	enum ady_err err = ady_record_parse(r, text, ady_bytes_str("k"), &f);
	char id[256];

	if (err == ADY_E_RECORD_MISMATCH) {
		memcpy(id, r->id, sizeof id);
		err = ady_record_parse(r, text, ady_bytes_str(id), &f);
	}
	if (err != ADY_OK && (f.err != err || !f.where[0] || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
	return err;
}

static bool same_context(void)
{
	static uint8_t aads[2][ADY_RECORD_AAD_MAX];
	struct ady_buf a = ady_buf(aads[0], sizeof *aads), b = ady_buf(aads[1], sizeof *aads);

	ady_record_aad(&a, &rec, "d");
	ady_record_aad(&b, &again, "d");
	if (a.full || !ady_bytes_eq(ady_buf_bytes(&a), ady_buf_bytes(&b)))
		return false;
	for (size_t i = 0; i < rec.context_n; i++)
		if (strcmp(rec.context[i].key, again.context[i].key) != 0 ||
		    strcmp(rec.context[i].value, again.context[i].value) != 0)
			return false;
	return rec.context_n == again.context_n;
}

/* The options of a new key have the same members: what is accepted can be bound, and a refusal says
 * why. */
static void begin(struct ady_bytes text)
{
	static uint8_t aad[ADY_RECORD_AAD_MAX];
	struct ady_buf b = ady_buf(aad, sizeof aad);
	struct ady_fault f = {0};
	enum ady_err err =
	    ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("t"), text, &f);

	if (err != ADY_OK) {
		if (f.err != err || !f.detail[0])
			ADY_BUG("a refusal without a reason");
		return;
	}
	ady_record_bind(&rec);
	ady_record_aad(&b, &rec, "d");
	if (b.full)
		ADY_BUG("options that cannot be bound");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ady_buf b = ady_buf(space, sizeof space);

	begin(ady_bytes(data, size));

	if (parse(&rec, ady_bytes(data, size)) != ADY_OK || rec.sample)
		return 0;
	ady_record_put(&b, &rec);
	if (b.full || parse(&again, ady_buf_bytes(&b)) != ADY_OK)
		ADY_BUG("a record that cannot be read again");
	if (!same_context() || rec.ciphertext_n != again.ciphertext_n ||
	    memcmp(rec.ciphertext, again.ciphertext, rec.ciphertext_n) != 0 ||
	    rec.data_key_n != again.data_key_n ||
	    memcmp(rec.data_key, again.data_key, rec.data_key_n) != 0 ||
	    rec.envelope != again.envelope)
		ADY_BUG("another record after a round");
	return 0;
}
