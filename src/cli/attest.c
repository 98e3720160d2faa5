/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

enum { NONCE_MAX = 1024 };

/* The characters of base64 and white space: no document begins and goes on like that. */
static bool is_text(struct ady_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] == 0 || !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		                           "0123456789+/=\r\n\t ",
		                           b.p[i]))
			return false;
	return b.n > 0;
}

enum ady_err ady_attest_decode(struct ady_dyn *content, struct ady_fault *f)
{
	size_t kept = 0, n = 0;

	if (content->n == 0)
		return ady_fail(f, ADY_E_ATTESTATION, NULL, "the input is empty");
	if (!is_text(ady_dyn_bytes(content)))
		return ADY_OK;
	for (size_t i = 0; i < content->n; i++)
		if (!strchr("\r\n\t ", content->p[i]))
			content->p[kept++] = content->p[i];
	content->n = kept;
	/* In place: three bytes never overtake the four characters that they come from. */
	if (ady_base64_decode(content->p, content->cap, &n, ady_dyn_bytes(content)) != ADY_OK)
		return ady_fail(f, ADY_E_ATTESTATION, NULL, "the input is neither CBOR nor base64");
	content->n = n;
	return ADY_OK;
}

static enum ady_err check_nonce(const struct ady_attestation *att, const char *hex,
                                struct ady_fault *f)
{
	uint8_t want[NONCE_MAX];
	size_t n;

	if (ady_hex_decode(want, sizeof want, &n, ady_bytes_str(hex)) != ADY_OK)
		return ady_fail(f, ADY_E_FIELD_INVALID, "--nonce", "is not hex");
	if (!ady_bytes_eq(att->nonce, ady_bytes(want, n)))
		return ady_fail(f, ADY_E_ATTESTATION, "nonce",
		                att->nonce.n ? "is another one: the document may be a replay"
		                             : "is absent: the document may be a replay");
	return ADY_OK;
}

static enum ady_err check_pcr(const struct ady_attestation *att, unsigned i,
                              const struct ady_values *allowed, struct ady_fault *f)
{
	char where[16];

	snprintf(where, sizeof where, "PCR%u", i);
	for (size_t k = 0; k < allowed->n; k++) {
		uint8_t want[64];
		size_t n;

		if (ady_hex_decode(want, sizeof want, &n, ady_bytes_str(allowed->v[k])) != ADY_OK ||
		    n != 48)
			return ady_fail(f, ADY_E_FIELD_INVALID, where, "must be 96 hex digits");
		if (ady_bytes_eq(att->pcrs[i], ady_bytes(want, n)))
			return ADY_OK;
	}
	if (allowed->n == 0)
		return ADY_OK;
	return ady_fail(f, ADY_E_ATTESTATION, where, "is not what was expected");
}

enum ady_err ady_attest_check(const struct ady_attestation *att,
                              const struct ady_attest_expected *expected, struct ady_fault *f)
{
	enum ady_err err = ADY_OK;

	if (expected->nonce)
		err = check_nonce(att, expected->nonce, f);
	for (unsigned i = 0; i < ADY_ATTEST_PCRS && err == ADY_OK; i++)
		err = check_pcr(att, i, &expected->pcrs[i], f);
	return err;
}

static void put_hex(struct ady_dyn *out, struct ady_bytes b)
{
	char *at = (char *)ady_dyn_room(out, 2 * b.n + 1);

	ady_hex_encode(at, b);
	out->n += 2 * b.n;
}

static void put_line(struct ady_dyn *out, const char *name, struct ady_bytes b)
{
	ady_dyn_printf(out, "%-12s ", name);
	if (b.n)
		put_hex(out, b);
	else
		ady_dyn_str(out, "none");
	ady_dyn_str(out, "\n");
}

/* Printable text is shown as such too: user data often is. */
static void put_text(struct ady_dyn *out, struct ady_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e)
			return;
	if (b.n)
		ady_dyn_printf(out, "%-12s \"%.*s\"\n", "", (int)b.n, (const char *)b.p);
}

void ady_attest_describe(struct ady_dyn *out, const struct ady_attestation *att)
{
	char time[21], name[16];

	ady_time_rfc3339(time, att->timestamp_ms / 1000);
	ady_dyn_printf(out, "%-12s %.*s\n%-12s %s\n", "module", (int)att->module_id.n,
	               (const char *)att->module_id.p, "time", time);
	for (unsigned i = 0; i < ADY_PCRS; i++) {
		/* PCR0 to 4 and 8 have a meaning given by AWS; of the others only those in use. */
		if (att->pcrs[i].n == 0 || (ady_attestation_pcr_zero(att, i) && i > 4 && i != 8))
			continue;
		snprintf(name, sizeof name, "PCR%u", i);
		put_line(out, name, att->pcrs[i]);
	}
	put_line(out, "public key", att->public_key);
	put_line(out, "user data", att->user_data);
	put_text(out, att->user_data);
	put_line(out, "nonce", att->nonce);
}

static json_t *hex_or_null(struct ady_bytes b)
{
	struct ady_dyn hex = {0};
	json_t *value;

	if (b.n == 0)
		return json_null();
	put_hex(&hex, b);
	value = json_string(ady_dyn_cstr(&hex));
	ady_dyn_free(&hex);
	return value;
}

json_t *ady_attest_json(const struct ady_attestation *att)
{
	json_t *pcrs = json_object(), *out = json_object();
	char time[21], name[16];

	ady_time_rfc3339(time, att->timestamp_ms / 1000);
	json_object_set_new(out, "module_id",
	                    json_stringn((const char *)att->module_id.p, att->module_id.n));
	json_object_set_new(out, "time", json_string(time));
	json_object_set_new(out, "timestamp_ms", json_integer(att->timestamp_ms));
	for (unsigned i = 0; i < ADY_PCRS; i++) {
		snprintf(name, sizeof name, "%u", i);
		if (att->pcrs[i].n)
			json_object_set_new(pcrs, name, hex_or_null(att->pcrs[i]));
	}
	json_object_set_new(out, "pcrs", pcrs);
	json_object_set_new(out, "public_key", hex_or_null(att->public_key));
	json_object_set_new(out, "user_data", hex_or_null(att->user_data));
	json_object_set_new(out, "nonce", hex_or_null(att->nonce));
	return out;
}
