/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sign.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "chain/eth_tx.h"
#include "cli/amount.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/gateway.h"
#include "cli/key.h"
#include "cli/proof.h"
#include "cli/stamp.h"
#include "codec/json.h"

enum { TRANSACTION_MAX = 256 << 10, TOKENS = 16384, TIMEOUT_MS = 20000 };

struct sign {
	struct ady_gateway gateway;
	struct ady_stamp_order stamp;
	struct ady_sign_flags flags;
	struct ady_proof_trust trust;
	const char *id, *file, *bytes;
	bool json, raw, prove;
};

/* The flags in the order in which they are written; amounts may carry a unit. */
static const struct {
	const char *name, *member;
	size_t at;
	bool amount;
} fields[] = {
    {"--type", "type", offsetof(struct ady_sign_flags, type), false},
    {"--chain", "chainId", offsetof(struct ady_sign_flags, chain), false},
    {"--nonce", "nonce", offsetof(struct ady_sign_flags, nonce), false},
    {"--to", "to", offsetof(struct ady_sign_flags, to), false},
    {"--value", "value", offsetof(struct ady_sign_flags, value), true},
    {"--gas", "gas", offsetof(struct ady_sign_flags, gas), false},
    {"--gas-price", "gasPrice", offsetof(struct ady_sign_flags, gas_price), true},
    {"--max-fee", "maxFeePerGas", offsetof(struct ady_sign_flags, max_fee), true},
    {"--max-priority-fee", "maxPriorityFeePerGas",
     offsetof(struct ady_sign_flags, max_priority_fee), true},
    {"--data", "data", offsetof(struct ady_sign_flags, data), false},
    {"--from", "from", offsetof(struct ady_sign_flags, from), false},
};

static const char *field_text(const struct ady_sign_flags *flags, size_t i)
{
	const char *text;

	memcpy(&text, (const char *)flags + fields[i].at, sizeof text);
	return text;
}

static bool any_field(const struct ady_sign_flags *flags)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (field_text(flags, i))
			return true;
	return false;
}

enum ady_err ady_sign_flags_put(struct ady_dyn *out, const struct ady_sign_flags *flags,
                                struct ady_fault *f)
{
	json_t *object = json_object();
	enum ady_err err = ADY_OK;
	char *text;

	for (size_t i = 0; i < sizeof fields / sizeof *fields && err == ADY_OK; i++) {
		const char *value = field_text(flags, i);
		char wei[ADY_AMOUNT_SIZE];

		if (!value)
			continue;
		if (fields[i].amount) {
			err = ady_amount_wei(wei, value, fields[i].name, f);
			value = wei;
		}
		if (err == ADY_OK &&
		    json_object_set_new(object, fields[i].member, json_string(value)))
			err =
			    ady_fail(f, ADY_E_FIELD_INVALID, fields[i].name, "is not valid UTF-8");
	}
	text = err == ADY_OK ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text)
		ady_dyn_str(out, text);
	free(text);
	json_decref(object);
	return err;
}

/* The text goes to the gateway as it stands, numbers and all, so that none is rounded on the way;
 * it is parsed here only to be sure that it is one object. */
enum ady_err ady_sign_file_put(struct ady_dyn *out, const char *path, struct ady_fault *f)
{
	static struct ady_json_tok toks[TOKENS];
	struct ady_dyn text = {0};
	struct ady_json doc = {0};
	enum ady_err err = ady_file_read(&text, path, TRANSACTION_MAX, f);

	if (err == ADY_OK)
		err = ady_json_parse(&doc, toks, TOKENS, ady_dyn_bytes(&text), f);
	if (err == ADY_OK && ady_json_kind(&doc, 0) != ADY_JSON_OBJECT)
		err = ady_fail(f, ADY_E_JSON, NULL, "the transaction must be a JSON object");
	if (err == ADY_OK)
		ady_dyn_put(out, text.p, text.n);
	ady_dyn_free(&text);
	return err;
}

static int report(const struct sign *sign, const struct ady_gateway_reply *reply)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *raw, *hash, *from;
	char checksummed[43] = "";
	uint8_t address[20];
	int status = ADY_EXIT_OK;

	if (json_unpack(answer, "{ssssss}", "signed_transaction", &raw, "transaction_hash", &hash,
	                "from", &from) != 0) {
		fprintf(stderr, "adyton: the gateway's answer is no signed transaction\n");
		status = ADY_EXIT_FAILED;
	} else if (sign->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (sign->raw) {
		puts(raw);
	} else {
		if (ady_eth_address_parse(address, ady_bytes_str(from)) == ADY_OK)
			ady_eth_address_format(checksummed, address);
		printf("from         %s\nhash         %s\ntransaction  %s\n", checksummed, hash,
		       raw);
	}
	json_decref(answer);
	return status;
}

/* What an ed25519 key answers: one signature, of no address. */
static int report_bytes(const struct sign *sign, const struct ady_gateway_reply *reply)
{
	json_t *answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *signature, *serialized;
	int status = ADY_EXIT_OK;

	if (json_unpack(answer, "{ss}", "serialized", &serialized) == 0)
		signature = serialized;
	else if (json_unpack(answer, "{ss}", "signature", &signature) != 0)
		signature = NULL;
	if (!signature) {
		fprintf(stderr, "adyton: the gateway's answer is no signature\n");
		status = ADY_EXIT_FAILED;
	} else if (sign->json) {
		json_dumpf(answer, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%s%s\n", sign->raw ? "" : "signature    ", signature);
	}
	json_decref(answer);
	return status;
}

/* Send the body, stamped when that is asked for. */
static enum ady_err send(const struct sign *sign, const struct ady_dyn *body,
                         struct ady_gateway_reply *reply, struct ady_fault *f)
{
	struct ady_gateway gateway = sign->gateway;
	struct ady_dyn path = {0}, stamp = {0};
	enum ady_err err = ADY_OK;

	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, sign->id);
	ady_dyn_str(&path, "/sign");
	if (sign->stamp.key_file) {
		err = ady_stamp_make(&stamp, &sign->stamp, sign->id, ady_dyn_bytes(body), f);
		gateway.stamp = ady_dyn_cstr(&stamp);
	}
	if (err == ADY_OK)
		err = ady_gateway_call(&gateway, ady_dyn_cstr(&path), body, TIMEOUT_MS, reply, f);
	ady_dyn_free(&path);
	ady_dyn_free(&stamp);
	return err;
}

static enum ady_err put_string(struct ady_dyn *out, const char *text, struct ady_fault *f)
{
	json_t *string = json_string(text);
	char *json = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	enum ady_err err =
	    json ? ADY_OK : ady_fail(f, ADY_E_FIELD_INVALID, "--bytes", "is not valid UTF-8");

	ady_dyn_str(out, json ? json : "");
	free(json);
	json_decref(string);
	return err;
}

/* The answer must be the enclave's, to this request, now. A refusal may have none: the gateway
 * itself refuses, too. */
static enum ady_err check_proof(const struct sign *sign, const struct ady_dyn *body,
                                const struct ady_gateway_reply *reply, struct ady_fault *f)
{
	struct ady_proof_want want = {.request = ady_dyn_bytes(body),
	                              .answer = ady_dyn_bytes(&reply->body),
	                              .key = sign->id,
	                              .now_s = ady_wall_ms() / 1000,
	                              .age_s = ADY_PROOF_AGE_S};
	uint8_t space[ADY_PROOF_MAX];
	struct ady_audit_entry e;
	enum ady_err err;

	err = ady_proof_fetch_key(want.public, &sign->gateway, &sign->trust,
	                          ady_dyn_bytes(&reply->proof), f);
	if (err == ADY_OK)
		err = ady_proof_check(&e, space, &want, ady_dyn_bytes(&reply->proof), f);
	return err;
}

static int run_sign(const struct sign *sign)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn body = {0};
	struct ady_fault f = {0};
	enum ady_err err;
	int status;

	ady_dyn_str(&body, sign->bytes ? "{\"data\":" : "{\"transaction\":");
	if (sign->bytes)
		err = put_string(&body, sign->bytes, &f);
	else
		err = sign->file ? ady_sign_file_put(&body, sign->file, &f)
		                 : ady_sign_flags_put(&body, &sign->flags, &f);
	ady_dyn_str(&body, "}");
	if (err != ADY_OK) {
		ady_dyn_free(&body);
		return ady_cli_fault(&f, "read the transaction", NULL);
	}
	err = send(sign, &body, &reply, &f);
	if (err != ADY_OK)
		status = ady_cli_fault(&f, "sign",
		                       "Give the gateway with --gateway URL; a local "
		                       "stack: eval \"$(adyton dev env)\"");
	else if (reply.status != 200)
		status = ady_gateway_refusal(&reply);
	else if (sign->prove && check_proof(sign, &body, &reply, &f) != ADY_OK)
		status = ady_proof_refused(&f);
	else
		status = sign->bytes ? report_bytes(sign, &reply) : report(sign, &reply);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&reply.proof);
	ady_dyn_free(&body);
	return status;
}

int ady_cmd_sign(const struct ady_command *self, int argc, char **argv)
{
	struct sign sign = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"json", "FILE", "the transaction as JSON; -: standard input", .text = &sign.file},
	    {"to", "ADDRESS", "recipient; left out: contract creation", .text = &sign.flags.to},
	    {"value", "AMOUNT", "0.1ether, 20gwei; a bare number is wei",
	     .text = &sign.flags.value},
	    {"nonce", "N", "the sender's transaction count", .text = &sign.flags.nonce},
	    {"gas", "N", "gas limit", .text = &sign.flags.gas},
	    {"chain", "N", "chain id", .text = &sign.flags.chain},
	    {"max-fee", "AMOUNT", "per gas (EIP-1559)", .text = &sign.flags.max_fee},
	    {"max-priority-fee", "AMOUNT", "per gas (EIP-1559)",
	     .text = &sign.flags.max_priority_fee},
	    {"gas-price", "AMOUNT", "per gas (legacy, EIP-2930)", .text = &sign.flags.gas_price},
	    {"data", "HEX", "call data", .text = &sign.flags.data},
	    {"type", "N", "0, 1 or 2; left out: by the fees given", .text = &sign.flags.type},
	    {"from", "ADDRESS", "refuse unless the key is of this address",
	     .text = &sign.flags.from},
	    {"bytes", "HEX", "any bytes, for a key that allows digests; ed25519 signs nothing else",
	     .text = &sign.bytes},
	    {"stamp-key", "FILE", ADY_STAMP_KEY_HELP, .text = &sign.stamp.key_file},
	    {"deployment", "NAME", ADY_STAMP_AUD_HELP, .text = &sign.stamp.aud},
	    {"tenant", "NAME", "of the stamp: whose key it is (default)",
	     .text = &sign.stamp.tenant},
	    {"require-proof", NULL, "the answer must be proved by an attested enclave",
	     .flag = &sign.prove},
	    {"root", "PEM", "of --require-proof: the root to trust; else AWS Nitro Enclaves G1",
	     .text = &sign.trust.root},
	    {"pcr0", "HEX", "of --require-proof: the enclave's; several times: any of them",
	     .values = &sign.trust.expected.pcrs[0]},
	    ADY_GATEWAY_OPTIONS(sign.gateway),
	    {"raw", NULL, "print the signed transaction only", .flag = &sign.raw},
	    {"output-json", NULL, "print the gateway's answer on one line", .flag = &sign.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !ady_key_id_valid(rest.v[0]))
		return ady_cli_usage(self,
		                     "one ID is needed: up to 255 of A-Z a-z 0-9 / _ + = . @ -");
	if (sign.bytes && (sign.file || any_field(&sign.flags)))
		return ady_cli_usage(self, "give --bytes or a transaction, not both");
	if (!sign.bytes && !sign.file && !any_field(&sign.flags))
		return ady_cli_usage(self, "give the transaction, by --json FILE or by flags");
	if (sign.file && any_field(&sign.flags))
		return ady_cli_usage(self, "give the transaction by --json or by flags, not both");
	sign.id = rest.v[0];
	sign.gateway.wants_proof = sign.prove;
	return run_sign(&sign);
}
