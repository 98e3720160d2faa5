/* SPDX-License-Identifier: Apache-2.0
 *
 * The transactions of ethereum/tests, taken apart, offered to the parser as JSON and made again
 * with their own signature. One that is valid under any fork must come out as the same bytes, with
 * the hash and the sender that the file states. An invalid one must fail where its fault is: in its
 * form, before the parser is asked; in its values, at the parser; in its signature, which a signer
 * does not take over but makes itself; or by a rule that is the chain's. Every file is one of
 * these, and each kind is counted. */
#include "chain/eth_tx.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/text.h"
#include "crypto/hash.h"

#include "eth_json.h"
#include "test.h"

static uint8_t raw_space[262144], json_space[600000], scratch_space[600000], again_space[262144];
static struct ady_json_tok file_toks[4096], toks[4096];
static struct ady_secp *secp;

/* How far a transaction comes. */
enum stage {
	S_FORM,      /* not canonical RLP of a known type, or a v that is none */
	S_VALUES,    /* refused as JSON */
	S_DIFFERS,   /* made again, other bytes: never */
	S_SIGNATURE, /* the same bytes, but r, s and parity have no sender under today's rules */
	S_SENDER,    /* the same bytes, and a sender */
};

static const char *const stage_names[] = {"form", "values", "other bytes", "signature", "sender"};

struct outcome {
	enum stage stage;
	uint8_t hash[32], from[20];
	uint64_t chain_id;
};

/* EIP-2: s is at most half the order. */
static bool is_low(const uint8_t s[static 32])
{
	static const uint8_t half[32] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	                                 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d,
	                                 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

	return memcmp(s, half, 32) <= 0;
}

static void go_round(struct outcome *o, struct ady_bytes raw)
{
	struct ady_buf json = ady_buf(json_space, sizeof json_space);
	struct ady_buf scratch = ady_buf(scratch_space, sizeof scratch_space);
	struct ady_buf again = ady_buf(again_space, sizeof again_space);
	struct ady_secp_sig sig;
	struct ady_json doc;
	struct ady_eth_tx tx;
	uint8_t digest[32], pub[65];

	*o = (struct outcome){.stage = S_FORM};
	if (!eth_json_of_signed(&json, &sig, raw))
		return;
	o->stage = S_VALUES;
	CHECK_ERR(ady_json_parse(&doc, toks, 4096, ady_buf_bytes(&json), NULL), ADY_OK);
	if (ady_eth_tx_parse(&tx, &doc, 0, ADY_ETH_WEI, "tx", &scratch, NULL) != ADY_OK)
		return;
	o->chain_id = tx.chain_id;
	ady_eth_tx_encode(&again, &tx, NULL);
	ady_keccak256(digest, ady_buf_bytes(&again));
	again.n = 0;
	ady_eth_tx_encode(&again, &tx, &sig);
	ady_keccak256(o->hash, ady_buf_bytes(&again));
	o->stage = S_DIFFERS;
	if (again.full || !ady_bytes_eq(ady_buf_bytes(&again), raw))
		return;
	o->stage = S_SIGNATURE;
	if (ady_secp_recover(secp, pub, &sig, digest) != ADY_OK)
		return;
	ady_eth_address(o->from, pub);
	o->stage = is_low(sig.s) ? S_SENDER : S_SIGNATURE;
}

/* What is wrong with an invalid transaction, by the exception that the file names last, and how far
 * it may then come. Several exceptions may apply; ethereum/tests names one. */
static const struct fault {
	const char *exception;
	const char *why;
	unsigned stages; /* bits */
} faults[] = {
    {"RLP_", "form", 1 << S_FORM | 1 << S_VALUES},
    {"TYPE_NOT_SUPPORTED", "form", 1 << S_FORM},
    {"ADDRESS_", "form", 1 << S_FORM | 1 << S_VALUES},
    {"OVERFLOW", "values", 1 << S_FORM | 1 << S_VALUES},
    {"NONCE_TOO_BIG", "values", 1 << S_VALUES},
    {"PRIORITY_GREATER_THAN_MAX_FEE", "values", 1 << S_VALUES},
    /* v, r or s: the signer makes its own. v decides the chain, so what is left may be valid for
     * another one than 1. */
    {"INVALID_SIGNATURE_VRS", "signature", 1 << S_FORM | 1 << S_SIGNATURE | 1 << S_SENDER},
    {"EC_RECOVERY_FAIL", "signature", 1 << S_SIGNATURE},
    {"INVALID_CHAINID", "signature", 1 << S_FORM | 1 << S_SIGNATURE | 1 << S_SENDER},
    /* What data costs has changed from fork to fork and differs between chains. */
    {"INTRINSIC_GAS_TOO_LOW", "gas", 1 << S_SENDER},
};

enum { FAULTS = sizeof faults / sizeof *faults };

struct tally {
	unsigned files, valid, form, values, signature, chain, gas;
};

/* Bytes from "0x" hex. */
static bool unhex(struct ady_bytes *out, struct ady_bytes text, uint8_t *space, size_t cap)
{
	size_t n;

	if (ady_hex_decode(space, cap, &n, ady_bytes_sub(text, 2, text.n - 2)) != ADY_OK)
		return false;
	*out = ady_bytes(space, n);
	return true;
}

static void check_valid(const char *name, const struct ady_json *doc, uint32_t result,
                        const struct outcome *o, struct tally *t)
{
	uint8_t want_hash[32], want_from[20];
	struct ady_bytes hash = {0}, from = {0};
	bool ok =
	    unhex(&hash, ady_json_raw(doc, ady_json_get(doc, result, "hash")), want_hash, 32) &&
	    unhex(&from, ady_json_raw(doc, ady_json_get(doc, result, "sender")), want_from, 20);

	/* A high s is valid under Frontier: the sender is found, if not under today's rules. */
	if (!CHECK(ok && o->stage >= S_SIGNATURE && ady_bytes_eq(hash, ady_bytes(o->hash, 32)) &&
	           ady_bytes_eq(from, ady_bytes(o->from, 20))))
		printf("# %s: valid, but comes to: %s\n", name, stage_names[o->stage]);
	t->valid++;
}

static void count_invalid(const struct fault *fault, const struct outcome *o, struct tally *t)
{
	if (strcmp(fault->why, "gas") == 0)
		t->gas++;
	else if (strcmp(fault->why, "signature") == 0 && o->stage == S_SENDER)
		t->chain++;
	else if (strcmp(fault->why, "signature") == 0)
		t->signature++;
	else if (o->stage == S_FORM)
		t->form++;
	else
		t->values++;
}

static void check_invalid(const char *name, const char *exception, const struct outcome *o,
                          struct tally *t)
{
	const struct fault *fault = faults;

	while (fault < faults + FAULTS && !strstr(exception, fault->exception))
		fault++;
	if (!CHECK(fault < faults + FAULTS)) {
		printf("# %s: no class for %s\n", name, exception);
		return;
	}
	if (!CHECK(fault->stages >> o->stage & 1))
		printf("# %s: %s comes to: %s\n", name, exception, stage_names[o->stage]);
	/* A good signature of an invalid transaction is one for another chain. */
	if (strcmp(fault->why, "signature") == 0 && o->stage == S_SENDER && !CHECK(o->chain_id > 1))
		printf("# %s: %s has a sender on chain %llu\n", name, exception,
		       (unsigned long long)o->chain_id);
	count_invalid(fault, o, t);
}

/* The result of a fork with a hash, or 0. *exception is that of the newest rules, or 0: forks
 * before a type existed say no more than that. */
static uint32_t valid_result(const struct ady_json *doc, uint32_t results, uint32_t *exception)
{
	uint32_t valid = 0;

	*exception = 0;
	for (uint32_t k = ady_json_first(doc, results); k; k = ady_json_after(doc, results, k)) {
		if (ady_json_get(doc, k + 1, "hash"))
			valid = k + 1;
		if (ady_json_get(doc, k + 1, "exception") &&
		    (!*exception || ady_json_is(doc, k, "Cancun")))
			*exception = ady_json_get(doc, k + 1, "exception");
	}
	return valid;
}

static void check_case(const char *name, const struct ady_json *doc, uint32_t test, struct tally *t)
{
	uint32_t exception;
	uint32_t valid = valid_result(doc, ady_json_get(doc, test, "result"), &exception);
	struct ady_bytes raw = {0};
	struct outcome o;
	char why[128];
	size_t n;

	if (!CHECK(unhex(&raw, ady_json_raw(doc, ady_json_get(doc, test, "txbytes")), raw_space,
	                 sizeof raw_space)))
		return;
	go_round(&o, raw);
	if (valid) {
		check_valid(name, doc, valid, &o, t);
		return;
	}
	if (CHECK(exception) &&
	    CHECK_ERR(ady_json_string(doc, exception, why, sizeof why, &n), ADY_OK))
		check_invalid(name, why, &o, t);
}

static void check_file(const char *dir, const char *name, struct tally *t)
{
	struct ady_bytes text;
	struct ady_json doc;
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	text = test_read_file(path);
	if (CHECK_ERR(ady_json_parse(&doc, file_toks, 4096, text, NULL), ADY_OK) &&
	    CHECK_INT(doc.toks[0].count, 1))
		check_case(name, &doc, ady_json_first(&doc, 0) + 1, t);
	free((void *)(uintptr_t)text.p);
	t->files++;
}

CASE(transactions_of_ethereum_tests)
{
	const char *path = test_vector("transactions");
	DIR *dir = path ? opendir(path) : NULL;
	struct tally t = {0};
	struct dirent *e;
	char base[512];

	if (!dir) {
		test_skip("../shared/vectors/transactions is not there");
		return;
	}
	snprintf(base, sizeof base, "%s", path);
	while ((e = readdir(dir)))
		if (strstr(e->d_name, ".json"))
			check_file(base, e->d_name, &t);
	closedir(dir);
	printf("# %u files: %u valid under a fork, all the same again; invalid: %u in form, %u in "
	       "values, %u in their signature, %u good on another chain, %u with too little gas\n",
	       t.files, t.valid, t.form, t.values, t.signature, t.chain, t.gas);
	CHECK_INT(t.valid + t.form + t.values + t.signature + t.chain + t.gas, t.files);
	CHECK_INT(t.files, 210);
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	RUN(transactions_of_ethereum_tests);
	ady_secp_close(secp);
	return test_end();
}
