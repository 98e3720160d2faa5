/* SPDX-License-Identifier: Apache-2.0
 *
 * The transactions of ethereum/tests: a valid one, taken apart and made again from JSON, must be
 * the same bytes of the same sender; an invalid one must fail on the way. */
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

/* Bytes from "0x" hex. */
static bool unhex(struct ady_bytes *out, struct ady_bytes text, uint8_t *space, size_t cap)
{
	size_t n;

	if (ady_hex_decode(space, cap, &n, ady_bytes_sub(text, 2, text.n - 2)) != ADY_OK)
		return false;
	*out = ady_bytes(space, n);
	return true;
}

/* Take raw apart, make it again; true when it is the same and has a sender. */
static bool goes_round(struct ady_bytes raw, uint8_t hash[static 32], uint8_t from[static 20])
{
	struct ady_buf json = ady_buf(json_space, sizeof json_space);
	struct ady_buf scratch = ady_buf(scratch_space, sizeof scratch_space);
	struct ady_buf again = ady_buf(again_space, sizeof again_space);
	struct ady_secp_sig sig;
	struct ady_json doc;
	struct ady_eth_tx tx;
	uint8_t digest[32], pub[65];

	if (!eth_json_of_signed(&json, &sig, raw) ||
	    ady_json_parse(&doc, toks, 4096, ady_buf_bytes(&json), NULL) != ADY_OK ||
	    ady_eth_tx_parse(&tx, &doc, 0, ADY_ETH_WEI, "tx", &scratch, NULL) != ADY_OK)
		return false;
	ady_eth_tx_encode(&again, &tx, NULL);
	ady_keccak256(digest, ady_buf_bytes(&again));
	again.n = 0;
	ady_eth_tx_encode(&again, &tx, &sig);
	ady_keccak256(hash, ady_buf_bytes(&again));
	if (again.full || !ady_bytes_eq(ady_buf_bytes(&again), raw) ||
	    ady_secp_recover(secp, pub, &sig, digest) != ADY_OK)
		return false;
	ady_eth_address(from, pub);
	return true;
}

/* What is wrong with these is not for a signer to see: another chain, gas below what the data
 * costs, a signature that we would not make. */
static bool not_ours(const char *exception)
{
	static const char *const names[] = {"INTRINSIC_GAS_TOO_LOW", "INVALID_CHAINID",
	                                    "INVALID_SIGNATURE_VRS", "EC_RECOVERY_FAIL"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strstr(exception, names[i]))
			return true;
	return false;
}

struct tally {
	unsigned same, refused, left;
};

static void check_valid(const struct ady_json *doc, uint32_t result, struct ady_bytes raw,
                        struct tally *t)
{
	struct ady_bytes want = {0};
	uint8_t hash[32] = {0}, from[20] = {0}, space[32];

	/* v of 27 or 28 has no chain id */
	if (!goes_round(raw, hash, from)) {
		t->left++;
		return;
	}
	t->same++;
	CHECK(unhex(&want, ady_json_raw(doc, ady_json_get(doc, result, "hash")), space, 32));
	CHECK(ady_bytes_eq(want, ady_bytes(hash, 32)));
	CHECK(unhex(&want, ady_json_raw(doc, ady_json_get(doc, result, "sender")), space, 32));
	CHECK(ady_bytes_eq(want, ady_bytes(from, 20)));
}

static uint32_t latest_result(const struct ady_json *doc, uint32_t results)
{
	static const char *const forks[] = {"Cancun", "Shanghai", "London"};
	uint32_t i = 0;

	for (size_t k = 0; !i && k < 3; k++)
		i = ady_json_get(doc, results, forks[k]);
	return i;
}

static void check_case(const char *name, const struct ady_json *doc, uint32_t test, struct tally *t)
{
	uint32_t result = latest_result(doc, ady_json_get(doc, test, "result"));
	uint32_t exception = ady_json_get(doc, result, "exception");
	struct ady_bytes raw;
	uint8_t hash[32], from[20];
	char why[128];
	size_t n;

	if (!CHECK(result) || !unhex(&raw, ady_json_raw(doc, ady_json_get(doc, test, "txbytes")),
	                             raw_space, sizeof raw_space))
		return;
	if (!exception) {
		check_valid(doc, result, raw, t);
		return;
	}
	CHECK_ERR(ady_json_string(doc, exception, why, sizeof why, &n), ADY_OK);
	if (not_ours(why)) {
		t->left++;
	} else {
		t->refused++;
		if (!CHECK(!goes_round(raw, hash, from)))
			printf("# %s: %s\n", name, why);
	}
}

static void check_file(const char *dir, const char *name, struct tally *t)
{
	struct ady_bytes text;
	struct ady_json doc;
	char path[1024];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	text = test_read_file(path);
	if (CHECK_ERR(ady_json_parse(&doc, file_toks, 4096, text, NULL), ADY_OK))
		check_case(name, &doc, ady_json_first(&doc, 0) + 1, t);
	free((void *)(uintptr_t)text.p);
}

CASE(transactions_of_ethereum_tests)
{
	const char *path = test_vector("transactions");
	DIR *dir = path ? opendir(path) : NULL;
	struct tally t = {0};
	struct dirent *e;
	char base[512];

	if (!dir) {
		test_skip("no vectors/transactions");
		return;
	}
	snprintf(base, sizeof base, "%s", path);
	while ((e = readdir(dir)))
		if (strstr(e->d_name, ".json"))
			check_file(base, e->d_name, &t);
	closedir(dir);
	printf("# %u the same, %u refused, %u left out\n", t.same, t.refused, t.left);
	CHECK(t.same >= 10 && t.refused >= 80);
}

int main(void)
{
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	RUN(transactions_of_ethereum_tests);
	ady_secp_close(secp);
	return test_end();
}
