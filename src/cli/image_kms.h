/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing an image with a key that AWS KMS holds: ECC_NIST_P384, usage SIGN_VERIFY. */
#ifndef ADY_CLI_IMAGE_KMS_H
#define ADY_CLI_IMAGE_KMS_H

#include "cli/session.h"
#include "image/sign.h"

struct ady_image_kms {
	struct ady_session session;
	const char *key_arn;
};

/* Whether text is the ARN of a KMS key, and not the name of a file. */
bool ady_image_kms_is_arn(const char *text);

/* Open a session in the region of the ARN; endpoint, certificates and credentials are those of the
 * environment (cli/session.h). key_arn is borrowed.
 * Returns ADY_E_FIELD_INVALID for an ARN of another form, or what ady_session_open returns, with
 * the reason in f. */
enum ady_err ady_image_kms_open(struct ady_image_kms *kms, const char *key_arn,
                                struct ady_fault *f);

/* Wipe and free. */
void ady_image_kms_close(struct ady_image_kms *kms);

/* ady_image_sign_fn by KMS Sign (AWS KMS API Reference) with MessageType DIGEST and
 * ECDSA_SHA_384. context: a struct ady_image_kms. */
ady_image_sign_fn ady_image_kms_sign;

#endif
