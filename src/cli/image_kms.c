/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/image_kms.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { REGION_MAX = 32, DER_MAX = 128 };

bool ady_image_kms_is_arn(const char *text)
{
	return strncmp(text, "arn:", 4) == 0;
}

/* arn:PARTITION:kms:REGION:ACCOUNT:key/ID */
static bool region_of(char region[static REGION_MAX + 1], const char *arn)
{
	char partition[REGION_MAX + 1], account[13], id[65];
	int end = 0;

	return sscanf(arn, "arn:%32[a-z-]:kms:%32[a-z0-9-]:%12[0-9]:key/%64[a-zA-Z0-9-]%n",
	              partition, region, account, id, &end) == 4 &&
	       arn[end] == '\0' && strlen(account) == 12;
}

enum ady_err ady_image_kms_open(struct ady_image_kms *kms, const char *key_arn, struct ady_fault *f)
{
	char region[REGION_MAX + 1];
	const struct ady_session_options options = {.region = region};

	*kms = (struct ady_image_kms){.key_arn = key_arn};
	if (!region_of(region, key_arn))
		return ady_fail(f, ADY_E_FIELD_INVALID, "--sign-key",
		                "must be a file or like arn:aws:kms:REGION:ACCOUNT:key/ID");
	return ady_session_open(&kms->session, &options, f);
}

void ady_image_kms_close(struct ady_image_kms *kms)
{
	ady_session_close(&kms->session);
}

enum ady_err ady_image_kms_sign(void *context, const uint8_t digest48[static 48],
                                uint8_t sig96[static 96], struct ady_fault *f)
{
	struct ady_image_kms *kms = context;
	char digest[ADY_BASE64_SIZE(48)];
	uint8_t der[DER_MAX];
	json_t *reply = NULL;
	const char *text;
	size_t n = 0;
	enum ady_err err;

	ady_base64_encode(digest, ady_bytes(digest48, 48));
	err = ady_session_call(&kms->session, "kms", "TrentService.Sign",
	                       json_pack("{ss,ss,ss,ss}", "KeyId", kms->key_arn, "Message", digest,
	                                 "MessageType", "DIGEST", "SigningAlgorithm",
	                                 "ECDSA_SHA_384"),
	                       &reply, f);
	if (err != ADY_OK)
		return err;
	text = json_string_value(json_object_get(reply, "Signature"));
	if (!text || ady_base64_decode(der, sizeof der, &n, ady_bytes_str(text)) != ADY_OK ||
	    ady_image_raw_signature(sig96, ady_bytes(der, n)) != ADY_OK)
		err = ady_fail(f, ADY_E_KMS_REPLY, "Signature", "is no ECDSA signature of P-384");
	json_decref(reply);
	return err;
}
