/* SPDX-License-Identifier: Apache-2.0
 *
 * The replies of KMS: an answer of Decrypt and an error, whatever the bytes. */
#include "aws/kms.h"

#include "test.h"

/* The entry point of the fuzzers. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_answer(struct ady_bytes body)
{
	static const char *const arns[] = {
	    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "k"};
	static uint8_t space[6144];
	struct ady_buf cms = ady_buf(space, sizeof space);
	struct ady_fault f = {0};
	enum ady_err err = ady_kms_read_reply(&cms, NULL, body, arns, 2, &f);

	if ((err == ADY_OK) != (cms.n > 0) || cms.full || cms.n > cms.cap)
		ADY_BUG("an answer without content, or a refusal with it");
	if (err != ADY_OK && (err != ADY_E_KMS_REPLY || f.err != err || !f.detail[0]))
		ADY_BUG("a refusal without a reason");
}

static void read_error(struct ady_bytes body)
{
	static const int statuses[] = {400, 403, 429, 500};

	for (size_t i = 0; i < 4; i++) {
		struct ady_fault f;
		enum ady_err err = ady_kms_read_error(&f, statuses[i], body);

		if (f.err != err ||
		    (err != ADY_E_KMS && err != ADY_E_CREDENTIALS && err != ADY_E_KMS_UNAVAILABLE))
			ADY_BUG("not an error of KMS");
		for (const char *c = f.cause; *c; c++)
			if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
			    !(*c >= '0' && *c <= '9'))
				ADY_BUG("a cause that is no name");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_answer(ady_bytes(data, size));
	read_error(ady_bytes(data, size));
	return 0;
}
