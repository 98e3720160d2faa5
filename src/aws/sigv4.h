/* SPDX-License-Identifier: Apache-2.0
 *
 * AWS Signature Version 4 (header form), for signing requests and, in the local stand-in, for
 * verifying them. Source: "Signature Version 4 signing process", AWS General Reference. */
#ifndef ADY_AWS_SIGV4_H
#define ADY_AWS_SIGV4_H

#include "base/bytes.h"

/* Texts, NUL-terminated; token "" when there is none. The bounds hold what AWS issues. */
struct ady_aws_credentials {
	char access_key[129], secret_key[129], token[4097];
	int64_t expires_unix_s; /* 0: never */
};

/* Wipe. */
void ady_aws_credentials_wipe(struct ady_aws_credentials *c);

struct ady_sigv4_field {
	struct ady_bytes name, value; /* name in lower case */
};

struct ady_sigv4_request {
	struct ady_bytes method, path, query; /* as they stand in the request line */
	const struct ady_sigv4_field *fields; /* those that are signed, sorted by name */
	size_t fields_n;
	const uint8_t *payload_sha256; /* 32 bytes */
};

struct ady_sigv4_scope {
	const char *region, *service;
	int64_t unix_s; /* the time in x-amz-date */
};

/* The signature, 64 hex digits and a NUL, of request under secret_key. The query is canonicalised
 * (split, sorted; escapes kept but normalised to upper case). Returns ADY_E_TOO_LARGE when the
 * canonical request would exceed 32 KiB. */
enum ady_err ady_sigv4_signature(char out[static 65], const char *secret_key,
                                 const struct ady_sigv4_scope *scope,
                                 const struct ady_sigv4_request *request);

/* The signing key of secret_key for scope's day, region and service: what may be kept instead of
 * deriving it for each signature. A secret. Errors as ady_sigv4_signature. */
enum ady_err ady_sigv4_key(uint8_t key32[static 32], const char *secret_key,
                           const struct ady_sigv4_scope *scope);

/* ady_sigv4_signature with a kept key of the same scope. */
enum ady_err ady_sigv4_signature_by(char out[static 65], const uint8_t key32[static 32],
                                    const struct ady_sigv4_scope *scope,
                                    const struct ady_sigv4_request *request);

/* Write the value of the Authorization header for request. Errors as ady_sigv4_signature. */
enum ady_err ady_sigv4_authorize(struct ady_buf *b, const struct ady_aws_credentials *credentials,
                                 const struct ady_sigv4_scope *scope,
                                 const struct ady_sigv4_request *request);

#endif
