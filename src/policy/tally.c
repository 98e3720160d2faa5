/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tally.h"

#include <string.h>

#include "codec/cbor.h"
#include "crypto/hash.h"

static const char magic[] = "ADYTALLY\1", label[] = "adyton counters row 1";
static const char key_label[] = "adyton counters row of a wallet's key 1",
                  wallet_label[] = "adyton counters row of a wallet 1";

enum { MAGIC = 9, ZEROS = 7, OWNER_MAX = 1024 };

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_COUNTERS, where, "%s", why);
}

/* One encoding: no two owners have the same bytes. */
void ady_tally_name(uint8_t name[static ADY_TALLY_NAME], const struct ady_tally_owner *owner)
{
	uint8_t space[OWNER_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_bytes whole;

	ady_cbor_put_text(&b, ady_bytes(label, sizeof label - 1));
	ady_cbor_put_text(&b, ady_bytes_str(owner->deployment));
	ady_cbor_put_text(&b, ady_bytes_str(owner->tenant));
	ady_cbor_put_text(&b, ady_bytes_str(owner->id));
	ady_cbor_put_text(&b, ady_bytes_str(owner->curve));
	ady_cbor_put_bytes(&b, owner->pub);
	whole = ady_buf_bytes(&b);
	ady_sha256(name, &whole, 1);
}

void ady_tally_key_name(uint8_t name[static ADY_TALLY_NAME],
                        const uint8_t wallet[static ADY_TALLY_NAME], const char *curve,
                        struct ady_bytes pub)
{
	uint8_t space[OWNER_MAX];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_bytes whole;

	ady_cbor_put_text(&b, ady_bytes(key_label, sizeof key_label - 1));
	ady_cbor_put_bytes(&b, ady_bytes(wallet, ADY_TALLY_NAME));
	ady_cbor_put_text(&b, ady_bytes_str(curve));
	ady_cbor_put_bytes(&b, pub);
	whole = ady_buf_bytes(&b);
	ady_sha256(name, &whole, 1);
}

void ady_tally_wallet_key(struct ady_seckey *row_key, struct ady_bytes seed)
{
	ady_hmac_sha256(row_key->b, seed, ady_bytes(wallet_label, sizeof wallet_label - 1));
}

void ady_tally_row_key(struct ady_seckey *row_key, const struct ady_seckey *key)
{
	ady_hmac_sha256(row_key->b, ady_bytes(key->b, sizeof key->b),
	                ady_bytes(label, sizeof label - 1));
}

/* What is authenticated is the hash of the name and of all before the MAC: both of known length or
 * the last. */
static void mac_of(uint8_t mac[static ADY_TALLY_MAC], struct ady_bytes body, const uint8_t *name,
                   const struct ady_seckey *row_key)
{
	const struct ady_bytes parts[] = {ady_bytes(name, ADY_TALLY_NAME), body};
	uint8_t hash[32];

	ady_sha256(hash, parts, 2);
	ady_hmac_sha256(mac, ady_bytes(row_key->b, sizeof row_key->b),
	                ady_bytes(hash, sizeof hash));
}

void ady_tally_seal(struct ady_buf *b, const struct ady_tally *t,
                    const struct ady_counters *counters, const struct ady_counter_info *info,
                    size_t n, const uint8_t name[static ADY_TALLY_NAME],
                    const struct ady_seckey *row_key)
{
	static const uint8_t zero[ZEROS];
	uint8_t mac[ADY_TALLY_MAC];
	size_t from = b->n;

	ady_buf_put(b, magic, MAGIC);
	ady_buf_put(b, zero, sizeof zero);
	ady_buf_be64(b, t->version);
	ady_buf_be64(b, t->revision);
	ady_buf_put(b, t->policy_hash, sizeof t->policy_hash);
	for (size_t i = 0; i < ADY_TALLY_RECENT; i++) {
		ady_buf_put(b, t->recent[i].digest, sizeof t->recent[i].digest);
		ady_buf_be64(b, t->recent[i].at_s);
	}
	ady_counters_put(b, counters, info, n);
	mac_of(mac, ady_bytes_sub(ady_buf_bytes(b), from, b->n - from), name, row_key);
	ADY_DECLASSIFY(mac, sizeof mac);
	ady_buf_put(b, mac, sizeof mac);
}

uint64_t ady_tally_version(struct ady_bytes row)
{
	return ady_be64(row.p + 16);
}

enum ady_err ady_tally_open(struct ady_tally *t, struct ady_bytes row,
                            const uint8_t name[static ADY_TALLY_NAME],
                            const struct ady_seckey *row_key, struct ady_fault *f)
{
	static const uint8_t zero[ZEROS];
	uint8_t mac[ADY_TALLY_MAC];
	struct ady_bytes body;
	bool same;

	*t = (struct ady_tally){0};
	if (row.n == 0)
		return refuse(f, "counters",
		              "are missing: the store has lost them, or the key was sealed outside "
		              "of the enclave and before its start: make it anew");
	if (row.n < ADY_TALLY_HEAD + ADY_TALLY_MAC || row.n > ADY_TALLY_ROW_MAX)
		return refuse(f, "counters", "are no row of counters");
	body = ady_bytes_sub(row, 0, row.n - ADY_TALLY_MAC);
	mac_of(mac, body, name, row_key);
	same = ady_secret_eq_ct(mac, row.p + body.n, sizeof mac);
	ADY_DECLASSIFY(&same, sizeof same); /* told to the caller */
	if (!same)
		return refuse(f, "counters", "were not written by an enclave for this key");
	if (memcmp(body.p, magic, MAGIC) != 0 || memcmp(body.p + MAGIC, zero, ZEROS) != 0 ||
	    ady_tally_version(row) == 0)
		return refuse(f, "counters", "are no row of counters");
	t->version = ady_tally_version(row);
	t->revision = ady_be64(body.p + 24);
	memcpy(t->policy_hash, body.p + 32, sizeof t->policy_hash);
	for (size_t i = 0; i < ADY_TALLY_RECENT; i++) {
		const uint8_t *p = body.p + 64 + i * (32 + 8);

		memcpy(t->recent[i].digest, p, 32);
		t->recent[i].at_s = ady_be64(p + 32);
	}
	t->counters = ady_bytes_sub(body, ADY_TALLY_HEAD, body.n - ADY_TALLY_HEAD);
	return ADY_OK;
}

enum ady_err ady_tally_follows(struct ady_bytes known, struct ady_bytes row, struct ady_fault *f)
{
	if (known.n == 0 || ady_tally_version(row) > ady_tally_version(known))
		return ADY_OK;
	if (ady_tally_version(row) < ady_tally_version(known))
		return refuse(f, "counters",
		              "are older than those seen before: the store was "
		              "rolled back");
	if (!ady_bytes_eq(known, row))
		return refuse(f, "counters", "have two histories: the store was rolled back");
	return ADY_OK;
}

enum ady_err ady_tally_matches(const struct ady_tally *t, uint64_t revision,
                               const uint8_t policy_hash[static 32], struct ady_fault *f)
{
	if (revision < t->revision)
		return refuse(f, "record.revision",
		              "is an older one: the policy has been changed since");
	if (revision > t->revision)
		return refuse(f, "counters", "are of an older policy: the store was rolled back");
	if (memcmp(policy_hash, t->policy_hash, 32) != 0)
		return refuse(f, "counters", "are of another policy of this revision");
	return ADY_OK;
}

bool ady_tally_has(const struct ady_tally *t, const uint8_t digest[static 32], uint64_t since_s)
{
	for (size_t i = 0; i < ADY_TALLY_RECENT; i++)
		if (t->recent[i].at_s > 0 && t->recent[i].at_s >= since_s &&
		    memcmp(t->recent[i].digest, digest, 32) == 0)
			return true;
	return false;
}

void ady_tally_charge(struct ady_tally *t, const uint8_t digest[static 32], uint64_t now_s)
{
	t->version++;
	memmove(&t->recent[1], &t->recent[0], sizeof t->recent - sizeof t->recent[0]);
	memcpy(t->recent[0].digest, digest, 32);
	t->recent[0].at_s = now_s;
}
