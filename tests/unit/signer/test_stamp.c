/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/stamp.h"

#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/p256.h"
#include "signer/replay.h"
#include "test.h"

enum { NOW = 1764000000 };

static struct ady_seckey ed_key = {{1, 2, 3}}, ec_key = {{9, 8, 7}};
static char ed_text[128], ec_text[128], wa_text[160];
static struct ady_stamp_want want;
static struct ady_stamp stamps[ADY_STAMPS_MAX];
static struct ady_fault fault;
static size_t stamps_n;

static void setup(void)
{
	const struct ady_bytes body = ady_bytes_str("{\"message\":{\"text\":\"hi\"}}");
	uint8_t pub[33];
	char hex[67];

	ady_ed25519_public(pub, &ed_key);
	ady_hex_encode(hex, ady_bytes(pub, 32));
	snprintf(ed_text, sizeof ed_text, "ed25519:%s", hex);
	CHECK_ERR(ady_p256_public(pub, &ec_key), ADY_OK);
	ady_hex_encode(hex, ady_bytes(pub, 33));
	snprintf(ec_text, sizeof ec_text, "p256:%s", hex);
	snprintf(wa_text, sizeof wa_text, "webauthn:example.org:%s", hex);
	want = (struct ady_stamp_want){.aud = "prod",
	                               .tenant = "team",
	                               .key = ady_bytes_str("team/hot-1"),
	                               .op = "sign",
	                               .now_s = NOW,
	                               .born_s = NOW - 1000,
	                               .life_s = 60};
	ady_sha256(want.body32, &body, 1);
}

/* Sign what ady_stamp_put_input made, by the kind of key. */
static void put_signature(struct ady_buf *b, struct ady_bytes input, const char *by)
{
	uint8_t sig[64];

	if (by[0] == 'e')
		ady_ed25519_sign(sig, input, &ed_key);
	else
		CHECK_ERR(ady_p256_sign(sig, input, &ec_key), ADY_OK);
	ady_buf_str(b, ".");
	ady_base64url_put(b, ady_bytes(sig, sizeof sig));
}

/* A stamp by ed25519 or p256 that says what `says` says. */
static void put_stamp(struct ady_buf *b, const struct ady_stamp_want *says, const char *by,
                      const char *id)
{
	char space[4096];
	struct ady_buf input = ady_buf(space, sizeof space);

	ady_stamp_put_input(&input, says, by, id);
	CHECK(!input.full);
	ady_buf_view(b, ady_bytes_sub(ady_buf_bytes(&input), 15, input.n - 15));
	put_signature(b, ady_buf_bytes(&input), by);
}

static enum ady_err verify(struct ady_bytes text)
{
	fault = (struct ady_fault){0};
	return ady_stamps_verify(stamps, &stamps_n, &want, text, &fault);
}

/* The claims as they are written here, signed by ed_key. */
static enum ady_err verify_claims(const char *claims)
{
	char space[8192], text[8192];
	struct ady_buf input = ady_buf(space, sizeof space), b = ady_buf(text, sizeof text);

	ady_buf_str(&input, "adyton-stamp-1.");
	ady_base64url_put(&input, ady_bytes_str(claims));
	ady_buf_view(&b, ady_bytes_sub(ady_buf_bytes(&input), 15, input.n - 15));
	put_signature(&b, ady_buf_bytes(&input), ed_text);
	return verify(ady_buf_bytes(&b));
}

static void refused(const char *where, const char *why)
{
	CHECK_ERR(fault.err, ADY_E_UNAUTHORIZED);
	CHECK_STR(fault.where, where);
	if (!strstr(fault.detail, why))
		CHECK_STR(fault.detail, why);
}

CASE(stamps_of_both_curves)
{
	char text[8192];
	struct ady_buf b = ady_buf(text, sizeof text);

	CHECK_ERR(verify((struct ady_bytes){0}), ADY_OK);
	CHECK_INT(stamps_n, 0);
	put_stamp(&b, &want, ed_text, "id-1_A");
	ady_buf_str(&b, ",");
	put_stamp(&b, &want, ec_text, "id-2");
	CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_OK);
	CHECK_INT(stamps_n, 2);
	CHECK_STR(stamps[0].by, ed_text);
	CHECK_STR(stamps[0].id, "id-1_A");
	CHECK_INT(stamps[0].expires_s, NOW + 60);
	CHECK_STR(stamps[1].by, ec_text);
}

/* What is signed for one thing is refused for every other. */
CASE(each_claim_must_be_what_is_asked)
{
	static const struct {
		size_t n;
		const char *where, *why;
	} rows[] = {
	    {0, "stamp[0].aud", "another deployment"}, {1, "stamp[0].tenant", "another tenant"},
	    {2, "stamp[0].key", "another key"},        {3, "stamp[0].op", "another operation"},
	    {4, "stamp[0].body", "not the SHA-256"},
	};
	char text[4096];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_stamp_want says = want;
		struct ady_buf b = ady_buf(text, sizeof text);

		says.aud = i == 0 ? "dev" : says.aud;
		says.tenant = i == 1 ? "teams" : says.tenant;
		says.key = i == 2 ? ady_bytes_str("team/hot-2") : says.key;
		says.op = i == 3 ? "create" : says.op;
		says.body32[31] ^= i == 4;
		put_stamp(&b, &says, ed_text, "x");
		CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_E_UNAUTHORIZED);
		refused(rows[i].where, rows[i].why);
	}
}

CASE(times)
{
	static const struct {
		uint64_t issued;
		uint32_t life;
		const char *where; /* NULL: good */
	} rows[] = {
	    {NOW, 60, NULL},         {NOW - 59, 60, NULL},           {NOW - 60, 60, "stamp[0].exp"},
	    {NOW + 30, 60, NULL},    {NOW + 31, 60, "stamp[0].iat"}, {NOW, 61, "stamp[0].exp"},
	    {NOW, 0, "stamp[0].exp"}};
	char text[4096];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_stamp_want says = want;
		struct ady_buf b = ady_buf(text, sizeof text);

		says.now_s = rows[i].issued;
		says.life_s = rows[i].life;
		put_stamp(&b, &says, ed_text, "x");
		CHECK_ERR(verify(ady_buf_bytes(&b)), rows[i].where ? ADY_E_UNAUTHORIZED : ADY_OK);
		CHECK_STR(fault.where, rows[i].where ? rows[i].where : "");
	}
}

CASE(a_stamp_of_before_the_window_and_without_a_clock)
{
	char text[4096];
	struct ady_buf b = ady_buf(text, sizeof text);

	put_stamp(&b, &want, ed_text, "x");
	want.born_s = NOW + 1;
	CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_E_UNAUTHORIZED);
	refused("stamp[0].iat", "before this enclave began");
	want.born_s = NOW - 1000;
	want.now_s = 0;
	CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_E_UNAUTHORIZED);
	refused("stamp[0]", "clock is not known to be right");
	want.now_s = NOW;
}

CASE(signatures_that_are_not_the_keys)
{
	char text[4096], other[4096];

	for (int k = 0; k < 2; k++) {
		const char *by = k ? ec_text : ed_text;
		struct ady_buf b = ady_buf(text, sizeof text), c = ady_buf(other, sizeof other);
		size_t n;

		put_stamp(&b, &want, by, "x");
		for (n = 0; n < b.n; n++) {
			char was = text[n];

			text[n] = was == 'A' ? 'B' : 'A';
			if (was != '.' && !CHECK(verify(ady_buf_bytes(&b)) == ADY_E_UNAUTHORIZED))
				break;
			text[n] = was;
		}
		/* the claims of one with the signature of another */
		put_stamp(&c, &want, by, "y");
		memcpy(text + b.n - 86, other + c.n - 86, 86);
		CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_E_UNAUTHORIZED);
		refused("stamp[0].signature", "is not the key's signature");
	}
}

CASE(claims_of_another_form_are_refused)
{
	static const char hash[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *form, *where, *why;
	} rows[] = {
	    {"[]", "stamp[0]", "no object"},
	    {"{", "stamp[0]", "no strict JSON"},
	    {"{\"stamp\":1}", "stamp[0].by", "is required"},
	    {"{\"x\":1}", "stamp[0]", "not known"},
	    {"{\"stamp\":2,\"by\":\"@\",\"aud\":\"prod\",\"tenant\":\"team\",\"key\":\"k\",\"op\":"
	     "\"sign\",\"iat\":1,\"exp\":2,\"id\":\"x\",\"body\":\"#\"}",
	     "stamp[0].stamp", "must be 1"},
	    {"{\"stamp\":1,\"by\":\"@x\",\"aud\":\"prod\",\"tenant\":\"team\",\"key\":\"k\","
	     "\"op\":"
	     "\"sign\",\"iat\":1,\"exp\":2,\"id\":\"x\",\"body\":\"#\"}",
	     "stamp[0].by", "must be ed25519:"},
	    {"{\"stamp\":1,\"by\":\"@\",\"aud\":1,\"tenant\":\"team\",\"key\":\"k\",\"op\":"
	     "\"sign\",\"iat\":1,\"exp\":2,\"id\":\"x\",\"body\":\"#\"}",
	     "stamp[0].aud", "another deployment"},
	    {"{\"stamp\":1,\"by\":\"@\",\"aud\":\"\\u0070rod\",\"tenant\":\"team\",\"key\":\"k\","
	     "\"op\":"
	     "\"sign\",\"iat\":1,\"exp\":2,\"id\":\"x\",\"body\":\"#\"}",
	     "stamp[0].aud", "another deployment"},
	};
	char text[1024];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_buf out = ady_buf(text, sizeof text - 1);

		for (const char *c = rows[i].form; *c; c++)
			if (*c == '@')
				ady_buf_str(&out, ed_text);
			else if (*c == '#')
				ady_buf_str(&out, hash);
			else
				ady_buf_u8(&out, (uint8_t)*c);
		text[out.n] = '\0';
		CHECK_ERR(verify_claims(text), ADY_E_UNAUTHORIZED);
		refused(rows[i].where, rows[i].why);
	}
}

CASE(ids_and_times_of_another_form)
{
	static const struct {
		const char *iat, *exp, *id, *where;
	} rows[] = {{"1764000000", "1764000010", "a b", "stamp[0].id"},
	            {"1764000000", "1764000010", "", "stamp[0].id"},
	            {"1764000000", "1764000010",
	             "0123456789012345678901234567890123456789012345678901234567890123x",
	             "stamp[0].id"},
	            {"-1", "1764000010", "x", "stamp[0].iat"},
	            {"1764000000", "\"1\"", "x", "stamp[0].exp"},
	            {"1764000000", "1764000000", "x", "stamp[0].exp"}};
	char text[1024], body[65];

	ady_hex_encode(body, ady_bytes(want.body32, 32));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(
		    text, sizeof text,
		    "{\"stamp\":1,\"by\":\"%s\",\"aud\":\"prod\",\"tenant\":\"team\",\"key\":"
		    "\"team/"
		    "hot-1\",\"op\":\"sign\",\"iat\":%s,\"exp\":%s,\"id\":\"%s\",\"body\":\"%s\"}",
		    ed_text, rows[i].iat, rows[i].exp, rows[i].id, body);
		CHECK_ERR(verify_claims(text), ADY_E_UNAUTHORIZED);
		CHECK_STR(fault.where, rows[i].where);
	}
}

CASE(texts_that_are_no_stamps)
{
	static const char *const bad[] = {
	    ".",     "x",       "a.b.c",  "a.b.c.d.e", "e30.AA.AA.", "e30!.AA",
	    "e30.A", "e30.AA=", "e30.A+", ",",         "e30.AA,"};
	char text[40000];
	struct ady_buf b = ady_buf(text, sizeof text);

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!CHECK_ERR(verify(ady_bytes_str(bad[i])), ADY_E_UNAUTHORIZED))
			printf("# %s\n", bad[i]);
	memset(text, 'A', sizeof text);
	CHECK_ERR(verify(ady_bytes(text, ADY_STAMP_TEXT_MAX + 1)), ADY_E_TOO_LARGE);
	CHECK_ERR(verify(ady_bytes(text, ADY_STAMP_TEXT_MAX)), ADY_E_UNAUTHORIZED);
	put_stamp(&b, &want, ed_text, "x");
	ady_buf_str(&b, ",");
	put_stamp(&b, &want, ed_text, "y");
	CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_E_UNAUTHORIZED);
	refused("stamp[1].by", "has stamped already");
}

CASE(at_most_eight_stamps)
{
	char text[20000], key[9][128];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_seckey kept = ed_key;

	for (int i = 0; i < 9; i++) {
		uint8_t pub[32];
		char hex[65];

		ed_key.b[0] = (uint8_t)(40 + i);
		ady_ed25519_public(pub, &ed_key);
		ady_hex_encode(hex, ady_bytes(pub, 32));
		snprintf(key[i], sizeof key[i], "ed25519:%s", hex);
		ady_buf_str(&b, i ? "," : "");
		put_stamp(&b, &want, key[i], "x");
		CHECK_ERR(verify(ady_buf_bytes(&b)), i < 8 ? ADY_OK : ADY_E_TOO_LARGE);
	}
	ed_key = kept;
}

/* --- WebAuthn --- */

/* An assertion over these client data and authenticator data, in DER. */
static struct ady_bytes assertion(char *text, size_t cap, const char *type, const char *more,
                                  const char *rp, uint8_t flags, bool other_challenge)
{
	char input_space[4096], client_space[1024];
	struct ady_buf input = ady_buf(input_space, sizeof input_space);
	struct ady_buf client = ady_buf(client_space, sizeof client_space);
	struct ady_buf b = ady_buf(text, cap);
	struct ady_bytes view, rp_view = ady_bytes_str(rp);
	uint8_t hash[32], authenticator[37] = {0}, sig[64], both[37 + 32];

	ady_stamp_put_input(&input, &want, wa_text, "wa");
	view = ady_buf_bytes(&input);
	ady_sha256(hash, &view, 1);
	hash[0] ^= other_challenge;
	ady_buf_printf(&client, "{\"type\":\"%s\",\"challenge\":\"", type);
	ady_base64url_put(&client, ady_bytes(hash, 32));
	ady_buf_printf(&client, "\",\"origin\":\"https://example.org\"%s}", more);
	ady_sha256(authenticator, &rp_view, 1);
	authenticator[32] = flags;
	view = ady_buf_bytes(&client);
	memcpy(both, authenticator, 37);
	ady_sha256(both + 37, &view, 1);
	CHECK_ERR(ady_p256_sign(sig, ady_bytes(both, sizeof both), &ec_key), ADY_OK);
	ady_buf_view(&b, ady_bytes_sub(ady_buf_bytes(&input), 15, input.n - 15));
	ady_buf_str(&b, ".");
	ady_base64url_put(&b, ady_bytes(sig, sizeof sig));
	ady_buf_str(&b, ".");
	ady_base64url_put(&b, ady_bytes(authenticator, sizeof authenticator));
	ady_buf_str(&b, ".");
	ady_base64url_put(&b, view);
	return ady_buf_bytes(&b);
}

CASE(assertions_of_webauthn)
{
	static const struct {
		const char *type, *more, *rp;
		uint8_t flags;
		bool other;
		const char *why;
	} rows[] = {
	    {"webauthn.get", "", "example.org", 5, false, NULL},
	    {"webauthn.get", ",\"crossOrigin\":false,\"other\":[1]", "example.org", 0x1d, false,
	     NULL},
	    {"webauthn.create", "", "example.org", 5, false, "another type"},
	    {"webauthn.get", ",\"crossOrigin\":true", "example.org", 5, false, "another origin"},
	    {"webauthn.get", "", "example.com", 5, false, "another relying party"},
	    {"webauthn.get", "", "example.org", 4, false, "present and verified"},
	    {"webauthn.get", "", "example.org", 1, false, "present and verified"},
	    {"webauthn.get", "", "example.org", 5, true, "another challenge"},
	    {"webauthn.get", ",", "example.org", 5, false, "no strict JSON"},
	};
	char text[8192];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_bytes stamp = assertion(text, sizeof text, rows[i].type, rows[i].more,
		                                   rows[i].rp, rows[i].flags, rows[i].other);

		CHECK_ERR(verify(stamp), rows[i].why ? ADY_E_UNAUTHORIZED : ADY_OK);
		if (rows[i].why)
			refused("stamp[0].signature", rows[i].why);
	}
	CHECK_ERR(verify(assertion(text, sizeof text, "webauthn.get", "", "example.org", 5, false)),
	          ADY_OK);
	CHECK_STR(stamps[0].by, wa_text);
}

/* The parts of one kind of key with the claims of another. */
CASE(parts_of_another_kind_of_key)
{
	char text[8192];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_bytes stamp;

	put_stamp(&b, &want, ed_text, "x");
	ady_buf_str(&b, ".AAAA.AAAA");
	CHECK_ERR(verify(ady_buf_bytes(&b)), ADY_E_UNAUTHORIZED);
	refused("stamp[0]", "has not the parts of its kind of key");
	stamp = assertion(text, sizeof text, "webauthn.get", "", "example.org", 5, false);
	for (int dots = 0; dots < 2; stamp.n--)
		dots += stamp.p[stamp.n - 1] == '.';
	CHECK_ERR(verify(stamp), ADY_E_UNAUTHORIZED);
	refused("stamp[0]", "has not the parts of its kind of key");
}

/* --- the window --- */

static struct ady_replay replay;

static enum ady_err use(const char *by, const char *id, uint8_t request, uint64_t now, bool *again)
{
	struct ady_stamp stamp = {.expires_s = NOW + 60};
	uint8_t request32[32] = {request};

	snprintf(stamp.by, sizeof stamp.by, "%s", by);
	snprintf(stamp.id, sizeof stamp.id, "%s", id);
	fault = (struct ady_fault){0};
	return ady_replay_use(&replay, &stamp, 1, request32, now, again, &fault);
}

CASE(an_id_is_good_for_one_request)
{
	bool again;

	CHECK_ERR(use("a", "1", 7, NOW, &again), ADY_OK);
	CHECK(!again);
	CHECK_ERR(use("a", "1", 7, NOW, &again), ADY_OK);
	CHECK(again);
	CHECK_ERR(use("a", "1", 8, NOW, &again), ADY_E_UNAUTHORIZED);
	refused("stamp[0].id", "was used for another request");
	CHECK_ERR(use("b", "1", 8, NOW, &again), ADY_OK);
	CHECK_ERR(use("a", "2", 8, NOW, &again), ADY_OK);
	CHECK_ERR(use("a1", "", 9, NOW, &again), ADY_OK); /* not "a" with "1" */
	CHECK_ERR(use("a", "1", 8, NOW + 59, &again), ADY_E_UNAUTHORIZED);
	CHECK_ERR(use("a", "1", 8, NOW + 60, &again), ADY_OK); /* expired: the stamp is no good */
	CHECK(!again);
}

CASE(a_full_window_refuses)
{
	unsigned refused_n = 0, used = 0;
	bool again;
	char id[16];

	memset(&replay, 0, sizeof replay);
	for (unsigned i = 0; i < 2 * ADY_REPLAY_PLACES; i++) {
		enum ady_err err;

		snprintf(id, sizeof id, "%u", i);
		err = use("a", id, 1, NOW, &again);
		refused_n += err == ADY_E_BUSY;
		used += err == ADY_OK;
	}
	CHECK_INT(refused_n + used, 2 * ADY_REPLAY_PLACES);
	CHECK(used > ADY_REPLAY_PLACES * 9 / 10 && used <= ADY_REPLAY_PLACES);
	CHECK_STR(fault.where, "stamp[0].id");
	/* none was forgotten */
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(id, sizeof id, "%u", i);
		CHECK_ERR(use("a", id, 2, NOW, &again), ADY_E_UNAUTHORIZED);
	}
	CHECK_ERR(use("a", "0", 2, NOW + 60, &again), ADY_OK);
}

int main(void)
{
	setup();
	RUN(stamps_of_both_curves);
	RUN(each_claim_must_be_what_is_asked);
	RUN(times);
	RUN(a_stamp_of_before_the_window_and_without_a_clock);
	RUN(signatures_that_are_not_the_keys);
	RUN(claims_of_another_form_are_refused);
	RUN(ids_and_times_of_another_form);
	RUN(texts_that_are_no_stamps);
	RUN(at_most_eight_stamps);
	RUN(assertions_of_webauthn);
	RUN(parts_of_another_kind_of_key);
	RUN(an_id_is_good_for_one_request);
	RUN(a_full_window_refuses);
	return test_end();
}
