/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton policy change: shows what differs, who may agree and who has, and has the policy changed
 * when they are enough. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/policy_file.h"
#include "cli/side_by_side.h"
#include "cli/stamp.h"

enum { TIMEOUT_MS = 30000, STAMP_MAX = 16384 };

struct change {
	struct ady_gateway gateway;
	struct ady_stamp_order order;
	struct ady_values keys, stamps; /* of files to stamp with; made by others */
	const char *id, *request;
	json_t *key; /* as the gateway shows it */
	struct ady_dyn policy, body, header;
	json_t *approved; /* array of the keys that have stamped */
};

static int get_key(struct change *c)
{
	struct ady_gateway_reply r;
	struct ady_dyn path = {0};
	struct ady_fault f = {0};
	int status = -1;

	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, c->id);
	if (ady_gateway_request(&c->gateway, "GET", ady_dyn_cstr(&path), NULL, TIMEOUT_MS, &r,
	                        &f) != ADY_OK)
		status = ady_cli_fault(&f, "ask the gateway", NULL);
	else if (r.status != 200)
		status = ady_gateway_refusal(&r);
	else if (!(c->key = json_loadb((const char *)r.body.p, r.body.n, 0, NULL)))
		status = ady_cli_fault(&(struct ady_fault){.err = ADY_E_JSON}, "read the answer",
		                       "Is this the address of an adyton-gateway?");
	ady_dyn_free(&r.body);
	ady_dyn_free(&path);
	return status;
}

/* --- approvals --- */

static void add_stamp(struct change *c, struct ady_bytes stamp)
{
	if (c->header.n > 0)
		ady_dyn_str(&c->header, ",");
	ady_dyn_put(&c->header, stamp.p, stamp.n);
}

/* Whose stamp it is, as its claims say; the enclave verifies them. */
static void note_approver(struct change *c, struct ady_bytes stamp)
{
	const uint8_t *dot = memchr(stamp.p, '.', stamp.n);
	uint8_t space[4096];
	struct ady_buf claims = ady_buf(space, sizeof space);
	json_t *o = NULL;

	if (dot &&
	    ady_base64url_take(&claims, ady_bytes(stamp.p, (size_t)(dot - stamp.p))) == ADY_OK)
		o = json_loadb((const char *)claims.p, claims.n, 0, NULL);
	if (json_string_value(json_object_get(o, "by")))
		json_array_append(c->approved, json_object_get(o, "by"));
	json_decref(o);
}

/* A stamp that somebody else made: a file with it, or its text. */
static void take_stamp(struct change *c, const char *text)
{
	struct ady_dyn file = {0};
	struct ady_bytes stamp = ady_bytes_str(text);

	if (ady_file_read(&file, text, STAMP_MAX, NULL) == ADY_OK)
		stamp = ady_dyn_bytes(&file);
	while (stamp.n > 0 && (stamp.p[stamp.n - 1] == '\n' || stamp.p[stamp.n - 1] == '\r'))
		stamp.n--;
	note_approver(c, stamp);
	add_stamp(c, stamp);
	ady_dyn_free(&file);
}

static enum ady_err gather(struct change *c, struct ady_fault *f)
{
	for (size_t i = 0; i < c->stamps.n; i++)
		take_stamp(c, c->stamps.v[i]);
	for (size_t i = 0; i < c->keys.n; i++) {
		struct ady_dyn stamp = {0};
		enum ady_err err;

		c->order.key_file = c->keys.v[i];
		err = ady_stamp_make(&stamp, &c->order, c->id, ady_dyn_bytes(&c->body), f);
		if (err == ADY_OK) {
			note_approver(c, ady_dyn_bytes(&stamp));
			add_stamp(c, ady_dyn_bytes(&stamp));
		}
		ady_dyn_free(&stamp);
		if (err != ADY_OK)
			return err;
	}
	return ADY_OK;
}

static bool has_approved(const struct change *c, const json_t *key)
{
	const json_t *by;
	size_t i;

	json_array_foreach(c->approved, i, by)
	{
		if (json_equal(by, key))
			return true;
	}
	return false;
}

/* --- what is shown --- */

static void show_difference(const json_t *old, const struct ady_dyn *policy)
{
	json_t *next = json_loadb((const char *)policy->p, policy->n, 0, NULL);
	char *left = json_dumps(old, JSON_INDENT(2)), *right = json_dumps(next, JSON_INDENT(2));
	struct ady_dyn out = {0};

	ady_side_by_side(&out, left ? left : "", right ? right : "");
	fwrite(out.p, 1, out.n, stdout);
	if (next && !json_object_get(next, "change"))
		puts("The new policy names nobody who may change it: it will be for good.");
	ady_dyn_free(&out);
	json_decref(next);
	free(left);
	free(right);
}

/* How many approvals are missing. */
static size_t show_quorum(const struct change *c, const json_t *quorum)
{
	size_t need = (size_t)json_integer_value(json_object_get(quorum, "need")), given = 0, i;
	const json_t *key;

	printf("needs %zu of these approvals:\n", need);
	json_array_foreach(json_object_get(quorum, "of"), i, key)
	{
		bool has = has_approved(c, key);

		given += has;
		printf("  %s %s\n", has ? "has" : "-- ", json_string_value(key));
	}
	return given < need ? need - given : 0;
}

static int send_it(struct change *c)
{
	struct ady_gateway_reply r;
	struct ady_dyn path = {0};
	struct ady_fault f = {0};
	int status = ADY_EXIT_OK;

	c->gateway.stamp = ady_dyn_cstr(&c->header);
	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, c->id);
	ady_dyn_str(&path, "/policy");
	if (ady_gateway_request(&c->gateway, "PUT", ady_dyn_cstr(&path), &c->body, TIMEOUT_MS, &r,
	                        &f) != ADY_OK)
		status =
		    ady_cli_fault(&f, "ask the gateway", "Run the same command again: it goes on.");
	else if (r.status != 200)
		status = ady_gateway_refusal(&r);
	else
		printf("changed: the policy is at revision %lld\n",
		       (long long)json_integer_value(json_object_get(c->key, "policy_revision")) +
		           1);
	ady_dyn_free(&r.body);
	ady_dyn_free(&path);
	return status;
}

static int too_few(const struct change *c, size_t missing)
{
	struct ady_fault f = {0};

	printf("not sent: %zu more must approve.\n", missing);
	if (!c->request) {
		puts("With --request FILE what they stamp is written there.");
		return ADY_EXIT_REFUSED;
	}
	if (ady_file_write(c->request, 0644, ady_dyn_bytes(&c->body), &f) != ADY_OK)
		return ady_cli_fault(&f, "write the request", NULL);
	printf("each: adyton stamp make %s --policy --request %s --stamp-key FILE\n", c->id,
	       c->request);
	return ADY_EXIT_REFUSED;
}

static int run(struct change *c)
{
	const json_t *old, *quorum;
	struct ady_fault f = {0};
	size_t missing;
	int status = get_key(c);

	if (status >= 0)
		return status;
	old = json_object_get(c->key, "policy");
	quorum = json_object_get(old, "change");
	if (!quorum) {
		(void)ady_fail(&f, ADY_E_DENIED, "policy.change",
		               "the key's policy names nobody who may change it");
		return ady_cli_fault(&f, "change the policy", NULL);
	}
	c->order.tenant = json_string_value(json_object_get(c->key, "tenant"));
	ady_dyn_printf(&c->body, "{\"revision\":%lld,\"policy\":",
	               (long long)json_integer_value(json_object_get(c->key, "policy_revision")));
	ady_dyn_put(&c->body, c->policy.p, c->policy.n);
	ady_dyn_str(&c->body, "}");
	if (gather(c, &f) != ADY_OK)
		return ady_cli_fault(&f, "stamp the change", NULL);
	show_difference(old, &c->policy);
	missing = show_quorum(c, quorum);
	return missing ? too_few(c, missing) : send_it(c);
}

int ady_cmd_policy_change(const struct ady_command *self, int argc, char **argv)
{
	static struct change c;
	struct ady_values rest;
	struct ady_fault f = {0};
	const struct ady_option options[] = {
	    {"stamp", "STAMP", "an approval: its text, or a file with it (repeatable)",
	     .values = &c.stamps},
	    {"stamp-key", "FILE", "approve with this key (adyton stamp keygen; repeatable)",
	     .values = &c.keys},
	    {"request", "FILE", "where to write what others stamp, when approvals are missing",
	     .text = &c.request},
	    {"deployment", "NAME", ADY_STAMP_AUD_HELP, .text = &c.order.aud},
	    ADY_GATEWAY_OPTIONS(c.gateway),
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 2 || !ady_key_id_valid(rest.v[0]))
		return ady_cli_usage(self, "give the ID of a key and the FILE of its new policy");
	c.id = rest.v[0];
	c.order.op = "policy";
	c.approved = json_array();
	if (ady_policy_load(&c.policy, rest.v[1], &f) != ADY_OK)
		status = ady_cli_fault(&f, "read the policy", NULL);
	else
		status = run(&c);
	json_decref(c.key);
	json_decref(c.approved);
	ady_dyn_free(&c.policy);
	ady_dyn_free(&c.body);
	ady_dyn_free(&c.header);
	return status;
}
