/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/cloud.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/text.h"
#include "crypto/rng.h"

struct scratch {
	struct scratch *next;
	size_t n;
	uint8_t bytes[];
};

enum ady_err ady_dev_refuse(struct ady_dev_call *c, int status, const char *type, const char *fmt,
                            ...)
{
	va_list ap;

	c->refusal.status = status;
	snprintf(c->refusal.type, sizeof c->refusal.type, "%s", type);
	va_start(ap, fmt);
	vsnprintf(c->refusal.message, sizeof c->refusal.message, fmt, ap);
	va_end(ap);
	return ADY_E_DENIED;
}

enum ady_err ady_dev_run(const struct ady_dev_op *ops, const char *name, struct ady_dev_call *c)
{
	enum ady_err err;

	while (ops->name && strcmp(ops->name, name) != 0)
		ops++;
	if (!ops->name)
		return ADY_E_NOT_FOUND;
	c->out = json_object();
	if (!ops->writes)
		return ops->run(c);
	if ((err = ady_dev_db_run(c->cloud->db, "BEGIN IMMEDIATE", "")) != ADY_OK)
		return err;
	if ((err = ops->run(c)) == ADY_OK)
		err = ady_dev_db_run(c->cloud->db, "COMMIT", "");
	if (err != ADY_OK)
		(void)ady_dev_db_run(c->cloud->db, "ROLLBACK", "");
	return err;
}

void *ady_dev_scratch(struct ady_dev_call *c, size_t n)
{
	struct scratch *s = (struct scratch *)calloc(1, sizeof *s + n);

	if (!s)
		abort();
	s->next = (struct scratch *)c->scratch;
	s->n = n;
	c->scratch = s;
	return s->bytes;
}

void ady_dev_call_end(struct ady_dev_call *c)
{
	struct scratch *s = (struct scratch *)c->scratch, *next;

	for (; s; s = next) {
		next = s->next;
		ady_zero(s->bytes, s->n);
		free(s);
	}
	c->scratch = NULL;
	json_decref(c->in);
	json_decref(c->out);
	c->in = c->out = NULL;
}

/* The API's words for a member: with a lower-case first letter. */
static enum ady_err invalid(struct ady_dev_call *c, const char *name, const char *rule)
{
	return ady_dev_refuse(c, 400, "ValidationException",
	                      "1 validation error detected: Value at '%c%s' failed to satisfy "
	                      "constraint: Member must %s",
	                      name[0] >= 'A' && name[0] <= 'Z' ? name[0] - 'A' + 'a' : name[0],
	                      name + 1, rule);
}

static enum ady_err wrong_kind(struct ady_dev_call *c, const char *name, const char *kind)
{
	return ady_dev_refuse(c, 400, "SerializationException", "%s is not %s", name, kind);
}

static enum ady_err outside(struct ady_dev_call *c, const char *name, const char *what, int64_t min,
                            int64_t max, bool low)
{
	char rule[96];

	snprintf(rule, sizeof rule, "have %s %s than or equal to %lld", what,
	         low ? "greater" : "less", (long long)(low ? min : max));
	return invalid(c, name, rule);
}

static json_t *member(struct ady_dev_call *c, const char *name)
{
	json_t *v = json_object_get(c->in, name);

	return json_is_null(v) ? NULL : v;
}

enum ady_err ady_dev_get_text(struct ady_dev_call *c, const char *name, size_t min, size_t max,
                              const char **out)
{
	json_t *v = member(c, name);
	size_t n;

	*out = NULL;
	if (!v)
		return min ? invalid(c, name, "not be null") : ADY_OK;
	if (!json_is_string(v))
		return wrong_kind(c, name, "a string");
	n = json_string_length(v);
	if (n < min || n > max)
		return outside(c, name, "length", (int64_t)min, (int64_t)max, n < min);
	*out = json_string_value(v);
	return ADY_OK;
}

enum ady_err ady_dev_get_int(struct ady_dev_call *c, const char *name, int64_t min, int64_t max,
                             int64_t *out)
{
	json_t *v = member(c, name);
	int64_t i;

	if (!v)
		return ADY_OK;
	if (!json_is_integer(v))
		return wrong_kind(c, name, "an integer");
	i = json_integer_value(v);
	if (i < min || i > max)
		return outside(c, name, "value", min, max, i < min);
	*out = i;
	return ADY_OK;
}

enum ady_err ady_dev_get_blob(struct ady_dev_call *c, const char *name, size_t min, size_t max,
                              struct ady_bytes *out)
{
	json_t *v = member(c, name);
	struct ady_bytes text;
	uint8_t *p;
	size_t n;

	*out = (struct ady_bytes){0};
	if (!v)
		return min ? invalid(c, name, "not be null") : ADY_OK;
	if (!json_is_string(v))
		return wrong_kind(c, name, "a base64 string");
	text = ady_bytes(json_string_value(v), json_string_length(v));
	p = (uint8_t *)ady_dev_scratch(c, text.n);
	if (ady_base64_decode(p, text.n, &n, text) != ADY_OK)
		return wrong_kind(c, name, "valid base64");
	if (n < min || n > max)
		return outside(c, name, "length", (int64_t)min, (int64_t)max, n < min);
	*out = ady_bytes(p, n);
	return ADY_OK;
}

enum ady_err ady_dev_get_bool(struct ady_dev_call *c, const char *name, bool *out)
{
	json_t *v = member(c, name);

	*out = json_is_true(v);
	return !v || json_is_boolean(v) ? ADY_OK : wrong_kind(c, name, "a boolean");
}

void ady_dev_put_blob(struct ady_dev_call *c, json_t *o, const char *name, struct ady_bytes b)
{
	char *text = (char *)ady_dev_scratch(c, ADY_BASE64_SIZE(b.n));
	size_t n = ady_base64_encode(text, b);

	json_object_set_new(o, name, json_stringn_nocheck(text, n));
}

void ady_dev_uuid(char out[static 37])
{
	uint8_t r[16];
	char hex[33];

	ady_random(r, sizeof r);
	r[6] = (uint8_t)((r[6] & 0x0f) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3f) | 0x80);
	ady_hex_encode(hex, ady_bytes(r, sizeof r));
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void ady_dev_random_text(char *out, size_t n, const char *alphabet)
{
	size_t letters = strlen(alphabet), limit = 256 - 256 % letters;
	uint8_t r;

	for (size_t i = 0; i < n;) {
		ady_random(&r, 1);
		if (r < limit) /* no letter more likely than another */
			out[i++] = alphabet[r % letters];
	}
	out[n] = '\0';
}
