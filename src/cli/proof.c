/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/proof.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chain/eth_tx.h"
#include "codec/wire.h"
#include "crypto/hash.h"
#include "crypto/rng.h"
#include "crypto/secp.h"

/* Which of its enclaves a gateway asks is up to the thread that a connection falls to: so many
 * questions miss one of eight once in 5,000 times, one of two once in 10^19. */
enum { NONCE = 32, TIMEOUT_MS = 10000, AHEAD_S = 30, MADE_AGE_S = 180, QUESTIONS_MAX = 64 };

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_ATTESTATION, where, "%s", why);
}

static bool is_hash_of(struct ady_bytes hash, struct ady_bytes of)
{
	uint8_t digest[32];

	ady_sha256(digest, &of, 1);
	return ady_bytes_eq(hash, ady_bytes(digest, sizeof digest));
}

/* The bytes that the answer gives its client: a transaction, or a signature in one piece; those of
 * an exit are in data, those of JSON-RPC in result. */
static bool result_of(struct ady_dyn *out, const json_t *answer)
{
	static const char *const members[] = {
	    "signed_transaction", "transaction_signed", "serialized", "signature", "raw", "result"};
	const json_t *inner = json_object_get(answer, "result");
	const char *hex = NULL;
	size_t n;

	if (!json_is_object(inner))
		inner = json_object_get(answer, "data");
	if (json_is_object(inner))
		answer = inner;
	for (size_t i = 0; i < sizeof members / sizeof *members && !hex; i++)
		hex = json_string_value(json_object_get(answer, members[i]));
	if (!hex || strncmp(hex, "0x", 2) != 0)
		return false;
	if (ady_hex_decode(ady_dyn_room(out, strlen(hex)), strlen(hex), &n,
	                   ady_bytes_str(hex + 2)) != ADY_OK)
		return false;
	out->n = n;
	return true;
}

/* Of what was sent on to a node the transaction's hash is told, and nothing else. */
static bool is_hash_told(const struct ady_audit_entry *e, const json_t *answer,
                         struct ady_bytes result)
{
	return json_object_get(answer, "jsonrpc") && e->digest.n > 0 &&
	       ady_bytes_eq(e->digest, result);
}

/* The code of a refusal: a problem document's, JSON-RPC's, or that of a key among several. */
static const char *code_of(const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	const char *code = json_string_value(json_object_get(answer, "code"));

	if (!code)
		code = json_string_value(json_object_get(json_object_get(error, "data"), "code"));
	if (!code)
		code = json_string_value(json_is_object(error) ? json_object_get(error, "error")
		                                               : error);
	return code;
}

/* A refusal's answer is its code. */
static enum ady_err check_answer(const struct ady_audit_entry *e, struct ady_bytes text,
                                 struct ady_fault *f)
{
	json_t *answer = json_loadb((const char *)text.p, text.n, 0, NULL);
	const char *code = code_of(answer);
	struct ady_dyn result = {0};
	bool same;

	if (e->code.n > 0)
		same = code && ady_bytes_is(e->code, code);
	else
		same =
		    result_of(&result, answer) && (is_hash_of(e->result, ady_dyn_bytes(&result)) ||
		                                   is_hash_told(e, answer, ady_dyn_bytes(&result)));
	ady_dyn_free(&result);
	json_decref(answer);
	return same ? ADY_OK : refuse(f, "answer", "is not what the enclave has answered");
}

static enum ady_err check_time(const struct ady_audit_entry *e, const struct ady_proof_want *want,
                               struct ady_fault *f)
{
	int64_t at = (int64_t)(e->time_ms / 1000);

	if (want->age_s > 0 && (at < want->now_s - want->age_s || at > want->now_s + AHEAD_S))
		return ady_fail(f, ADY_E_ATTESTATION, "time",
		                "of the answer is %" PRId64 " s away: it may be a replay",
		                want->now_s - at);
	return ADY_OK;
}

/* The entry of a proof that holds, and is by that key. */
static enum ady_err open_proof(struct ady_audit_entry *e, uint8_t space[static ADY_PROOF_MAX],
                               const uint8_t public32[static 32], struct ady_bytes header,
                               struct ady_fault *f)
{
	struct ady_buf b = ady_buf(space, ADY_PROOF_MAX);
	struct ady_proof p;

	*e = (struct ady_audit_entry){0};
	if (header.n == 0)
		return refuse(f, "proof", "is missing in the answer");
	if (ady_base64url_take(&b, header) != ADY_OK ||
	    ady_proof_read(&p, e, ady_buf_bytes(&b)) != ADY_OK)
		return refuse(f, "proof", "is malformed");
	if (!ady_bytes_eq(p.public, ady_bytes(public32, 32)))
		return refuse(f, "proof", "is by another key than the attested one");
	if (!ady_proof_verify(&p))
		return refuse(f, "proof", "does not hold: its signature is of something else");
	return ADY_OK;
}

enum ady_err ady_proof_check(struct ady_audit_entry *e, uint8_t space[static ADY_PROOF_MAX],
                             const struct ady_proof_want *want, struct ady_bytes header,
                             struct ady_fault *f)
{
	enum ady_err err = open_proof(e, space, want->public, header, f);

	if (err != ADY_OK)
		return err;
	if (want->request.p && !is_hash_of(e->request, want->request))
		return refuse(f, "request", "is not the one that was answered");
	if (want->key && !ady_bytes_is(e->key, want->key))
		return refuse(f, "key", "is not the one that was asked for");
	err = check_time(e, want, f);
	return err == ADY_OK && want->answer.n > 0 ? check_answer(e, want->answer, f) : err;
}

enum ady_err ady_proof_key_of(uint8_t public32[static 32], const struct ady_attestation *att,
                              struct ady_fault *f)
{
	static const uint8_t head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
	                               0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

	if (att->public_key.n != sizeof head + 32 ||
	    memcmp(att->public_key.p, head, sizeof head) != 0)
		return refuse(f, "public_key", "is no response key");
	memcpy(public32, att->public_key.p + sizeof head, 32);
	return ADY_OK;
}

static enum ady_err read_document(struct ady_dyn *document, const struct ady_gateway_reply *reply,
                                  struct ady_fault *f)
{
	json_t *o = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const char *text = json_string_value(json_object_get(o, "document"));

	ady_dyn_str(document, text ? text : "");
	json_decref(o);
	return ady_attest_decode(document, f);
}

static enum ady_err check_document(uint8_t public32[static 32], struct ady_bytes document,
                                   const struct ady_attest_expected *expected,
                                   const char *root_file, struct ady_fault *f)
{
	struct ady_attestation_rules rules = {.root = ady_nitro_root_g1(),
	                                      .at_unix_s = ady_wall_ms() / 1000};
	uint8_t root[ADY_ATTESTATION_ROOT_MAX];
	struct ady_attestation att;
	enum ady_err err = ADY_OK;
	size_t n;

	if (root_file && (err = ady_attestation_read_root(root, &n, root_file, f)) == ADY_OK)
		rules.root = ady_bytes(root, n);
	if (err == ADY_OK)
		err = ady_attestation_verify(&att, document, &rules, f);
	if (err == ADY_OK)
		err = ady_attest_check(&att, expected, f);
	return err == ADY_OK ? ady_proof_key_of(public32, &att, f) : err;
}

static enum ady_err fetch_one(uint8_t public32[static 32], const struct ady_gateway *gateway,
                              const struct ady_proof_trust *trust, struct ady_fault *f)
{
	struct ady_attest_expected expected = trust->expected;
	struct ady_gateway_reply reply = {0};
	struct ady_dyn document = {0};
	uint8_t random[NONCE];
	char nonce[2 * NONCE + 1], path[128];
	enum ady_err err;

	ady_random(random, sizeof random);
	ady_hex_encode(nonce, ady_bytes(random, sizeof random));
	expected.nonce = nonce;
	snprintf(path, sizeof path, "/v1/response-key?nonce=%s", nonce);
	err = ady_gateway_call(gateway, path, NULL, TIMEOUT_MS, &reply, f);
	if (err == ADY_OK && reply.status != 200)
		err = ady_fail(f, ADY_E_STORE, NULL, "the gateway gives no response key (HTTP %d)",
		               reply.status);
	if (err == ADY_OK)
		err = read_document(&document, &reply, f);
	if (err == ADY_OK)
		err = check_document(public32, ady_dyn_bytes(&document), &expected, trust->root, f);
	ady_dyn_free(&document);
	ady_dyn_free(&reply.body);
	return err;
}

enum ady_err ady_proof_fetch_key(uint8_t public32[static 32], const struct ady_gateway *gateway,
                                 const struct ady_proof_trust *trust, struct ady_bytes header,
                                 struct ady_fault *f)
{
	uint8_t space[ADY_PROOF_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_audit_entry e;
	struct ady_proof p;
	enum ady_err err;

	if (ady_base64url_take(&b, header) != ADY_OK ||
	    ady_proof_read(&p, &e, ady_buf_bytes(&b)) != ADY_OK)
		return fetch_one(public32, gateway, trust, f); /* the proof is refused later */
	for (int i = 0; i < QUESTIONS_MAX; i++) {
		err = fetch_one(public32, gateway, trust, f);
		if (err != ADY_OK || ady_bytes_eq(p.public, ady_bytes(public32, 32)))
			return err;
	}
	return ADY_OK;
}

int ady_proof_refused(const struct ady_fault *f)
{
	fprintf(stderr, "adyton: the answer is not proved: %s%s%s\n", f->where,
	        f->where[0] ? " " : "", f->detail);
	return ADY_EXIT_REFUSED;
}

/* A member of hex must be of these bytes. */
static bool says(const json_t *answer, const char *name, struct ady_bytes bytes)
{
	const char *hex = json_string_value(json_object_get(answer, name));
	uint8_t space[64];
	size_t n;

	return hex && strncmp(hex, "0x", 2) == 0 &&
	       ady_hex_decode(space, sizeof space, &n, ady_bytes_str(hex + 2)) == ADY_OK &&
	       ady_bytes_eq(bytes, ady_bytes(space, n));
}

/* The address that an answer tells beside a public key. */
static enum ady_err check_address(struct ady_bytes public, const json_t *answer,
                                  struct ady_fault *f)
{
	uint8_t pub65[65], address[20];

	if (!json_object_get(answer, "address") || public.n != 33)
		return ADY_OK;
	if (ady_secp_expand(pub65, public.p) != ADY_OK)
		return refuse(f, "public_key", "is no point of the curve");
	ady_eth_address(address, pub65);
	if (!says(answer, "address", ady_bytes(address, sizeof address)))
		return refuse(f, "address", "is not that of the key that was made");
	return ADY_OK;
}

/* What the answer says of the key: the public key of the entry, and its address. */
static enum ady_err check_made(const struct ady_audit_entry *e, const json_t *answer,
                               struct ady_fault *f)
{
	if (!says(answer, "public_key", e->public))
		return refuse(f, "public_key", "is not that of the key that was made");
	return check_address(e->public, answer, f);
}

/* The entry of a proof that holds, by an enclave that is trusted, of now. */
static enum ady_err open_making(struct ady_audit_entry *e, uint8_t space[static ADY_PROOF_MAX],
                                const struct ady_gateway *gateway,
                                const struct ady_proof_trust *trust, struct ady_bytes header,
                                struct ady_fault *f)
{
	const struct ady_proof_want want = {.now_s = ady_wall_ms() / 1000, .age_s = MADE_AGE_S};
	uint8_t public[32];
	enum ady_err err = ady_proof_fetch_key(public, gateway, trust, header, f);

	if (err == ADY_OK)
		err = open_proof(e, space, public, header, f);
	return err == ADY_OK ? check_time(e, &want, f) : err;
}

enum ady_err ady_proof_check_made(const struct ady_gateway *gateway,
                                  const struct ady_proof_trust *trust, const char *id,
                                  const char *tenant, struct ady_bytes request,
                                  const struct ady_gateway_reply *reply, struct ady_fault *f)
{
	uint8_t space[ADY_PROOF_MAX];
	struct ady_audit_entry e;
	json_t *answer;
	enum ady_err err = open_making(&e, space, gateway, trust, ady_dyn_bytes(&reply->proof), f);

	if (err != ADY_OK)
		return err;
	if (e.op != ADY_WIRE_CREATE || e.code.n > 0 || !ady_bytes_is(e.key, id) ||
	    !ady_bytes_is(e.tenant, tenant))
		return refuse(f, "proof", "is not of making this key");
	if (!is_hash_of(e.request, request))
		return refuse(f, "request", "is not the one that the key was made by");
	answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	err = check_made(&e, answer, f);
	json_decref(answer);
	return err;
}

/* The public keys of an answer, one behind the other, and that their addresses are theirs. */
static enum ady_err take_keys(struct ady_dyn *all, const json_t *keys, struct ady_fault *f)
{
	const json_t *key;
	size_t i, n;

	json_array_foreach(keys, i, key)
	{
		const char *hex = json_string_value(json_object_get(key, "public_key"));
		uint8_t public[64];
		enum ady_err err;

		if (!hex || strncmp(hex, "0x", 2) != 0 ||
		    ady_hex_decode(public, sizeof public, &n, ady_bytes_str(hex + 2)) != ADY_OK)
			return refuse(f, "public_key", "is no key");
		err = check_address(ady_bytes(public, n), key, f);
		if (err != ADY_OK)
			return err;
		ady_dyn_put(all, public, n);
	}
	return ADY_OK;
}

enum ady_err ady_proof_check_derived(const struct ady_gateway *gateway,
                                     const struct ady_proof_trust *trust, const char *wallet,
                                     struct ady_bytes request,
                                     const struct ady_gateway_reply *reply, struct ady_fault *f)
{
	uint8_t space[ADY_PROOF_MAX];
	struct ady_audit_entry e;
	struct ady_dyn all = {0};
	json_t *answer;
	enum ady_err err = open_making(&e, space, gateway, trust, ady_dyn_bytes(&reply->proof), f);

	if (err != ADY_OK)
		return err;
	if (e.op != ADY_WIRE_DERIVE || e.code.n > 0 || !ady_bytes_is(e.key, wallet))
		return refuse(f, "proof", "is not of deriving keys of this wallet");
	if (!is_hash_of(e.request, request))
		return refuse(f, "request", "is not the one that the keys were derived by");
	answer = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	err = take_keys(&all, json_object_get(answer, "keys"), f);
	json_decref(answer);
	if (err == ADY_OK && !is_hash_of(e.result, ady_dyn_bytes(&all)))
		err = refuse(f, "keys", "are not those that the enclave has derived");
	ady_dyn_free(&all);
	return err;
}
