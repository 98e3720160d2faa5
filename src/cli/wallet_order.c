/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/fault.h"
#include "cli/key_options.h"
#include "cli/options.h"
#include "cli/wallet.h"

/* A validator's key takes the enclave ten times as long, and a part must be done within a
 * request's time. */
enum { A_TIME = 500, A_TIME_BLS = 100 };

static const char advice[] =
    "Give the gateway with --gateway URL; a local stack: eval \"$(adyton dev env)\"";

/* The body of a part. */
static void put_body(struct ady_dyn *out, const struct ady_wallet_order *o, uint64_t first,
                     uint64_t count)
{
	json_t *body = json_pack("{ss}", "path", o->path);
	char *text;

	if (o->curve)
		json_object_set_new(body, "curve", json_string(o->curve));
	if (strchr(o->path, '*')) {
		json_object_set_new(body, "first", json_integer((json_int_t)first));
		json_object_set_new(body, "count", json_integer((json_int_t)count));
	}
	text = json_dumps(body, JSON_COMPACT);
	ady_dyn_str(out, text ? text : "{}");
	free(text);
	json_decref(body);
	if (!o->options)
		return;
	out->n--; /* the options as they stand: a policy's text is what is bound */
	ady_dyn_str(out, ",\"options\":");
	ady_dyn_str(out, o->options);
	ady_dyn_str(out, "}");
}

static enum ady_err send(const struct ady_wallet_order *o, const struct ady_dyn *body,
                         struct ady_gateway_reply *reply, struct ady_fault *f)
{
	struct ady_gateway gateway = o->gateway;
	struct ady_dyn path = {0}, stamp = {0};
	enum ady_err err = ADY_OK;

	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, o->wallet);
	ady_dyn_str(&path, "/derive");
	if (o->stamp.key_file) {
		err = ady_stamp_make(&stamp, &o->stamp, o->wallet, ady_dyn_bytes(body), f);
		gateway.stamp = ady_dyn_cstr(&stamp);
	}
	if (err == ADY_OK)
		err = ady_gateway_call(&gateway, ady_dyn_cstr(&path), body, ADY_WALLET_TIMEOUT_MS,
		                       reply, f);
	ady_dyn_free(&path);
	ady_dyn_free(&stamp);
	return err;
}

/* Ask for a part; its keys go behind the others. Returns -1, else the exit status. */
static int part(const struct ady_wallet_order *o, uint64_t first, uint64_t count, json_t *keys)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn body = {0};
	struct ady_fault f = {0};
	json_t *answer = NULL;
	int status = -1;

	put_body(&body, o, first, count);
	if (send(o, &body, &reply, &f) != ADY_OK)
		status = ady_cli_fault(&f, "derive keys", advice);
	else if (reply.status != (o->options ? 201 : 200))
		status = ady_gateway_refusal(&reply);
	else
		answer = json_loadb((const char *)reply.body.p, reply.body.n, 0, NULL);
	if (status < 0 && json_array_extend(keys, json_object_get(answer, "keys")) != 0) {
		ady_cli_say("the gateway's answer has no keys");
		status = ADY_EXIT_FAILED;
	}
	json_decref(answer);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&body);
	return status;
}

/* How many of a part were made before. */
static int made_before(const struct ady_wallet_order *o, const char *id, uint64_t first,
                       uint64_t count, uint64_t *there)
{
	*there = 0;
	if (!o->options || !strchr(o->path, '*'))
		return -1;
	return ady_key_there(&o->gateway, id, first, count, ADY_WALLET_TIMEOUT_MS, there);
}

int ady_wallet_derive(const struct ady_wallet_order *o, const char *id, json_t *keys,
                      uint64_t *there)
{
	const uint64_t at_once =
	    o->curve && strcmp(o->curve, "bls12-381") == 0 ? A_TIME_BLS : A_TIME;
	int status = -1;

	*there = 0;
	for (uint64_t done = 0, n; done < o->count && status < 0; done += n) {
		uint64_t before, at = o->first + done;

		n = o->count - done < at_once ? o->count - done : at_once;
		status = made_before(o, id, at, n, &before);
		if (status < 0 && before < n)
			status = part(o, at + before, n - before, keys);
		if (status < 0)
			*there += before;
		if (status < 0 && o->count > at_once)
			fprintf(stderr, "%llu of %llu\n", (unsigned long long)done + n,
			        (unsigned long long)o->count);
	}
	return status;
}
