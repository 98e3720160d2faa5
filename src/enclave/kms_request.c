/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/kms_request.h"

#include <stdio.h>

#include "base/clock.h"
#include "crypto/hash.h"

enum { FIELDS_MAX = 5 };

/* The texts behind the fields of one request. */
struct texts {
	char date[17];
	char host[264], target[48];
	const char *token;
};

/* The fields that are signed, sorted by name. */
static size_t signed_fields(struct ady_sigv4_field out[static FIELDS_MAX], const struct texts *t)
{
	const struct {
		const char *name, *value;
	} rows[] = {
	    {"content-type", "application/x-amz-json-1.1"},
	    {"host", t->host},
	    {"x-amz-date", t->date},
	    {"x-amz-security-token", t->token},
	    {"x-amz-target", t->target},
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].value[0])
			out[n++] = (struct ady_sigv4_field){.name = ady_bytes_str(rows[i].name),
			                                    .value = ady_bytes_str(rows[i].value)};
	return n;
}

/* The Host field: the port belongs to it where it is not the scheme's own (RFC 9110 7.2). */
static void host_text(struct texts *t, const struct ady_config_kms *kms)
{
	struct ady_buf b = ady_buf(t->host, sizeof t->host - 1);

	ady_buf_str(&b, kms->host);
	if (kms->port != 443)
		ady_buf_printf(&b, ":%u", kms->port);
	t->host[b.n] = '\0';
}

static void put_field(struct ady_buf *out, struct ady_bytes name, struct ady_bytes value)
{
	ady_buf_view(out, name);
	ady_buf_str(out, ": ");
	ady_buf_view(out, value);
	ady_buf_str(out, "\r\n");
}

enum ady_err ady_kms_request_put(struct ady_buf *out, const struct ady_enclave_config *config,
                                 const struct ady_aws_credentials *credentials,
                                 const char *operation, struct ady_bytes body)
{
	struct ady_sigv4_scope scope = {
	    .region = config->kms.region, .service = "kms", .unix_s = ady_wall_ms() / 1000};
	struct texts texts = {.token = credentials->token};
	struct ady_sigv4_field fields[FIELDS_MAX];
	uint8_t hash[32], auth_space[1024];
	struct ady_buf auth = ady_buf(auth_space, sizeof auth_space);
	struct ady_sigv4_request request = {.method = ady_bytes_str("POST"),
	                                    .path = ady_bytes_str("/"),
	                                    .fields = fields,
	                                    .payload_sha256 = hash};

	ady_time_basic(texts.date, scope.unix_s);
	host_text(&texts, &config->kms);
	snprintf(texts.target, sizeof texts.target, "TrentService.%s", operation);
	ady_sha256(hash, &body, 1);
	request.fields_n = signed_fields(fields, &texts);
	if (ady_sigv4_authorize(&auth, credentials, &scope, &request) != ADY_OK || auth.full)
		return ADY_E_TOO_LARGE;
	ady_buf_str(out, "POST / HTTP/1.1\r\n");
	for (size_t i = 0; i < request.fields_n; i++)
		put_field(out, fields[i].name, fields[i].value);
	put_field(out, ady_bytes_str("authorization"), ady_buf_bytes(&auth));
	ady_buf_printf(out, "content-length: %zu\r\n\r\n", body.n);
	ady_buf_view(out, body);
	return out->full ? ADY_E_TOO_LARGE : ADY_OK;
}
