/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fault.h"
#include "cli/key_options.h"
#include "cli/options.h"
#include "cli/wallet.h"
#include "codec/hd_path.h"
#include "signer/record.h"

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

static enum ady_hd_path_kind curve_kind(const struct ady_wallet_order *o)
{
	enum ady_curve curve = ADY_CURVE_SECP256K1;

	while (o->curve && curve < ADY_CURVE_WALLET && strcmp(o->curve, ady_curve_name(curve)) != 0)
		curve++;
	return ady_curve_path_kind(curve);
}

static enum ady_err send(const struct ady_wallet_order *o, const struct ady_dyn *body,
                         struct ady_gateway_reply *reply, struct ady_fault *f)
{
	struct ady_gateway gateway = o->gateway;
	struct ady_dyn path = {0}, stamp = {0};
	enum ady_err err = ADY_OK;

	gateway.wants_proof = o->prove;
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

/* Each key of an answer is told as that of its number: by its path and, of one that was made, id.
 */
static bool are_numbered(const struct ady_wallet_order *o, const char *id, uint64_t first,
                         const json_t *keys)
{
	const bool star = strchr(o->path, '*') != NULL;
	const json_t *key;
	size_t i;

	json_array_foreach(keys, i, key)
	{
		const char *path = json_string_value(json_object_get(key, "path"));
		const char *name = json_string_value(json_object_get(key, "id"));
		const unsigned long long at = first + i;
		char want[ADY_HD_PATH_TEXT + 1] = "", own[320], number[24] = "";
		struct ady_buf b = ady_buf(want, sizeof want - 1);
		struct ady_hd_path p;
		struct ady_fault f;

		if (ady_hd_path_read(&p, curve_kind(o), ady_bytes_str(o->path), &f) != ADY_OK)
			return false;
		ady_hd_path_put(&b, &p, (uint32_t)at);
		if (star)
			snprintf(number, sizeof number, "%llu", at);
		snprintf(own, sizeof own, "%s%s", id ? id : "", number);
		if (!path || strcmp(path, want) != 0 || (id && (!name || strcmp(name, own) != 0)))
			return false;
	}
	return true;
}

/* Refuse an answer that no attested enclave has given. Returns -1, else the exit status. */
static int check_part(const struct ady_wallet_order *o, const char *id, uint64_t first,
                      const struct ady_dyn *body, const struct ady_gateway_reply *reply,
                      const json_t *keys)
{
	struct ady_fault f = {0};

	if (ady_proof_check_derived(&o->gateway, &o->trust, o->wallet, ady_dyn_bytes(body), reply,
	                            &f) != ADY_OK)
		return ady_proof_refused(&f);
	if (are_numbered(o, id, first, keys))
		return -1;
	(void)ady_fail(&f, ADY_E_ATTESTATION, "keys",
	               "are told in another order, or by other "
	               "names");
	return ady_proof_refused(&f);
}

/* Ask for a part; its keys go behind the others. Returns -1, else the exit status. */
static int part(const struct ady_wallet_order *o, const char *id, uint64_t first, uint64_t count,
                json_t *keys)
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
	if (status < 0 && o->prove)
		status = check_part(o, id, first, &body, &reply, json_object_get(answer, "keys"));
	if (status < 0 && json_array_extend(keys, json_object_get(answer, "keys")) != 0) {
		ady_cli_say("the gateway's answer has no keys");
		status = ADY_EXIT_FAILED;
	}
	json_decref(answer);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&reply.proof);
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
			status = part(o, id, at + before, n - before, keys);
		if (status < 0)
			*there += before;
		if (status < 0 && o->count > at_once)
			fprintf(stderr, "%llu of %llu\n", (unsigned long long)done + n,
			        (unsigned long long)o->count);
	}
	return status;
}
