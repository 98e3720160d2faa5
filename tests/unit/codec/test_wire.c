/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire.h"

#include "wire_kind.h"

struct relay {
	struct ady_bytes host;
	uint64_t port;
};

static const struct ady_wire_hello hello = {
    .version = {(const uint8_t *)"0.1.0", 5},
    .module_id = {(const uint8_t *)"i-0abc-enc0123", 14},
    .config_hash = {filler, 48},
    .lanes = 2,
    .depth = 1024,
};
static const struct ady_wire_credentials credentials = {
    .access_key = {(const uint8_t *)"ASIA", 4},
    .secret_key = {(const uint8_t *)"se/cret+", 8},
    .token = {(const uint8_t *)"FwoG==", 6},
    .expires_unix_s = 1795437600,
};
static const struct ady_wire_sign sign = {
    .form = ADY_FORM_SAMPLE,
    .key_id = {(const uint8_t *)"treasury/\xc3\xa9", 11},
    .record = {filler, 300},
    .request = {filler, 70},
    .stamp = {filler, 5},
};
static const struct ady_wire_signed answer = {
    .raw = {filler, 110},
    .hash = {filler, 32},
    .from = {filler, 20},
    .r = {filler, 32},
    .s = {filler, 32},
    .y_parity = 1,
};
static const struct ady_wire_status status = {
    .kms = ADY_KMS_FAILING,
    .kms_text = {(const uint8_t *)"no route", 8},
    .has_credentials = 1,
    .waiting = 3,
    .signed_n = UINT64_MAX,
    .refused_n = 5,
    .kms_calls = 6,
    .kms_failures = 7,
    .prepare_us = 8,
    .kms_us = 9,
    .sign_us = 10,
    .drift_ms = 11,
    .created = 12,
    .data_keys = 13,
    .data_key_hits = 14,
    .data_key_misses = 15,
    .data_keys_expired = 16,
    .data_keys_locked = 17,
};
static const struct ady_bytes team = {(const uint8_t *)"team", 4};
static const uint64_t seven = 7;
static const struct ady_bytes blob40 = {filler, 40};
static const struct relay relay = {
    .host = {(const uint8_t *)"kms.us-east-1.amazonaws.com", 27},
    .port = 443,
};
static const struct ady_fault fault = {
    .err = ADY_E_FEES,
    .where = "transaction.maxFeePerGas",
    .detail = "is below the priority fee",
    .cause = "AccessDeniedException",
};

static void put_empty(struct ady_buf *b, const void *m)
{
	(void)m;
	ady_wire_put_empty(b);
}

static void put_hello(struct ady_buf *b, const void *m)
{
	ady_wire_put_hello(b, m);
}

static enum ady_err read_hello(struct ady_bytes body)
{
	struct ady_wire_hello m;

	return ady_wire_read_hello(&m, body);
}

static void put_credentials(struct ady_buf *b, const void *m)
{
	ady_wire_put_credentials(b, m);
}

static enum ady_err read_credentials(struct ady_bytes body)
{
	struct ady_wire_credentials m;

	return ady_wire_read_credentials(&m, body);
}

static void put_sign(struct ady_buf *b, const void *m)
{
	ady_wire_put_sign(b, m);
}

static enum ady_err read_sign(struct ady_bytes body)
{
	struct ady_wire_sign m;

	return ady_wire_read_sign(&m, body);
}

static void put_signed(struct ady_buf *b, const void *m)
{
	ady_wire_put_signed(b, m);
}

static enum ady_err read_signed(struct ady_bytes body)
{
	struct ady_wire_signed m;

	return ady_wire_read_signed(&m, body);
}

static void put_lock(struct ady_buf *b, const void *m)
{
	const struct ady_bytes *tenant = m;

	ady_wire_put_lock(b, *tenant);
}

static enum ady_err read_lock(struct ady_bytes body)
{
	struct ady_bytes tenant;

	return ady_wire_read_lock(&tenant, body);
}

static void put_locked(struct ady_buf *b, const void *m)
{
	const uint64_t *n = m;

	ady_wire_put_locked(b, *n);
}

static enum ady_err read_locked(struct ady_bytes body)
{
	uint64_t n;

	return ady_wire_read_locked(&n, body);
}

static void put_blob(struct ady_buf *b, const void *m)
{
	const struct ady_bytes *blob = m;

	ady_wire_put_blob(b, *blob);
}

static enum ady_err read_blob(struct ady_bytes body)
{
	struct ady_bytes blob;

	return ady_wire_read_blob(&blob, ADY_WIRE_NONCE_MAX, body);
}

static void put_status(struct ady_buf *b, const void *m)
{
	ady_wire_put_status(b, m);
}

static enum ady_err read_status(struct ady_bytes body)
{
	struct ady_wire_status m;

	return ady_wire_read_status(&m, body);
}

/* By hand when the port does not fit the 16 bits of the writer. */
static void put_relay(struct ady_buf *b, const void *m)
{
	const struct relay *r = m;

	if (r->port <= UINT16_MAX) {
		ady_wire_put_relay(b, r->host, (uint16_t)r->port);
		return;
	}
	ady_cbor_put_map(b, 2);
	ady_cbor_put_uint(b, 0);
	ady_cbor_put_text(b, r->host);
	ady_cbor_put_uint(b, 1);
	ady_cbor_put_uint(b, r->port);
}

static enum ady_err read_relay(struct ady_bytes body)
{
	struct ady_bytes host;
	uint16_t port;

	return ady_wire_read_relay(&host, &port, body);
}

static void put_fault(struct ady_buf *b, const void *m)
{
	ady_wire_put_fault(b, m);
}

static enum ady_err read_fault(struct ady_bytes body)
{
	struct ady_fault f;

	return ady_wire_read_fault(&f, body);
}

enum { EMPTY, HELLO, CREDENTIALS, SIGN, SIGNED, BLOB, STATUS, LOCK, LOCKED, RELAY, FAULT, KINDS };

static const struct kind kinds[KINDS] = {
    [EMPTY] = {"empty", put_empty, ady_wire_read_empty, NULL, 0},
    [HELLO] = {"hello", put_hello, read_hello, &hello, sizeof hello},
    [CREDENTIALS] = {"credentials", put_credentials, read_credentials, &credentials,
                     sizeof credentials},
    [SIGN] = {"sign", put_sign, read_sign, &sign, sizeof sign},
    [SIGNED] = {"signed", put_signed, read_signed, &answer, sizeof answer},
    [BLOB] = {"blob", put_blob, read_blob, &blob40, sizeof blob40},
    [STATUS] = {"status", put_status, read_status, &status, sizeof status},
    [LOCK] = {"lock", put_lock, read_lock, &team, sizeof team},
    [LOCKED] = {"locked", put_locked, read_locked, &seven, sizeof seven},
    [RELAY] = {"relay", put_relay, read_relay, &relay, sizeof relay},
    [FAULT] = {"fault", put_fault, read_fault, &fault, sizeof fault},
};

CASE(head_round_trips_at_its_ends)
{
	static const struct ady_wire_head heads[] = {
	    {.length = 0, .type = ADY_WIRE_HELLO, .id = 0, .deadline_ms = 1},
	    {.length = ADY_WIRE_BODY_MAX,
	     .type = ADY_WIRE_SIGN,
	     .id = UINT64_MAX,
	     .deadline_ms = ADY_WIRE_DEADLINE_MAX_MS},
	    {.length = 7, .type = ADY_WIRE_SIGN | ADY_WIRE_ANSWER, .id = 0x0102030405060708},
	    {.length = 1, .type = ADY_WIRE_ERROR, .id = 1},
	    {.length = 1, .type = ADY_WIRE_RELAY, .id = 1, .deadline_ms = 5000},
	};
	uint8_t out[ADY_WIRE_HEAD];
	struct ady_wire_head back;

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		ady_wire_put_head(out, &heads[i]);
		CHECK_ERR(ady_wire_read_head(&back, out), ADY_OK);
		CHECK_INT(back.length, heads[i].length);
		CHECK_INT(back.type, heads[i].type);
		CHECK(back.id == heads[i].id);
		CHECK_INT(back.deadline_ms, heads[i].deadline_ms);
	}
	ady_wire_put_head(out, &heads[2]);
	CHECK_HEX(out, sizeof out, "000000070183000001020304050607080000000000000000");
}

CASE(head_of_another_form_is_refused)
{
	static const char *const bad[] = {
	    "000400010101000000000000000000010000000100000000", /* a body of 256 KiB + 1 */
	    "ffffffff0101000000000000000000010000000100000000", /* of 4 GiB - 1 */
	    "000000000001000000000000000000010000000100000000", /* version 0 */
	    "000000000201000000000000000000010000000100000000", /* version 2 */
	    "00000000ff01000000000000000000010000000100000000", /* version 255 */
	    "000000000101000100000000000000010000000100000000", /* bytes 6 and 7 */
	    "000000000101800000000000000000010000000100000000", /* the same */
	    "000000000101000000000000000000010000000000000000", /* a question without deadline */
	    "00000000010100000000000000000001000927c100000000", /* a deadline of 600001 ms */
	    "00000000010100000000000000000001ffffffff00000000", /* of 49 days */
	    "000000000181000000000000000000010000000100000000", /* an answer with a deadline */
	    "0000000001ff000000000000000000010000000100000000", /* an error with one */
	    "000000010101000000000000000000010000000100000001", /* a question with a proof */
	    "000000010181000000000000000000010000000000000001", /* a proof and no message */
	    "000000010181000000000000000000010000000000000002", /* longer than the body */
	    "000000000101000000000000000000010000000180000000", /* the same */
	};

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct ady_wire_head head = {.id = 9};

		test_check_err(ady_wire_read_head(&head, test_hex(bad[i]).p), ADY_E_PROTOCOL,
		               __FILE__, __LINE__, bad[i]);
		CHECK(head.id == 0 && head.length == 0 && head.type == 0);
	}
}

CASE(requests_round_trip)
{
	struct ady_wire_credentials c;
	struct ady_wire_sign s;
	struct ady_bytes host, blob;
	struct ady_buf b;
	uint16_t port;

	b = body_of(&kinds[CREDENTIALS]);
	CHECK_ERR(ady_wire_read_credentials(&c, ady_buf_bytes(&b)), ADY_OK);
	CHECK(ady_bytes_is(c.access_key, "ASIA") && ady_bytes_is(c.secret_key, "se/cret+"));
	CHECK(ady_bytes_is(c.token, "FwoG==") && c.expires_unix_s == 1795437600);
	b = body_of(&kinds[SIGN]);
	CHECK_ERR(ady_wire_read_sign(&s, ady_buf_bytes(&b)), ADY_OK);
	CHECK(s.form == ADY_FORM_SAMPLE && ady_bytes_eq(s.key_id, sign.key_id));
	CHECK(s.record.n == 300 && s.request.n == 70 && s.stamp.n == 5);
	b = body_of(&kinds[RELAY]);
	CHECK_ERR(ady_wire_read_relay(&host, &port, ady_buf_bytes(&b)), ADY_OK);
	CHECK(ady_bytes_is(host, "kms.us-east-1.amazonaws.com") && port == 443);
	b = body_of(&kinds[BLOB]);
	CHECK_ERR(ady_wire_read_blob(&blob, 40, ady_buf_bytes(&b)), ADY_OK);
	CHECK_INT(blob.n, 40);
	CHECK_ERR(ady_wire_read_blob(&blob, 39, ady_buf_bytes(&b)), ADY_E_PROTOCOL);
	CHECK_INT(blob.n, 0);
}

CASE(answers_round_trip)
{
	struct ady_wire_status st;
	struct ady_wire_signed sd;
	struct ady_wire_hello h;
	struct ady_fault f;
	struct ady_buf b;

	b = body_of(&kinds[HELLO]);
	CHECK_ERR(ady_wire_read_hello(&h, ady_buf_bytes(&b)), ADY_OK);
	CHECK(ady_bytes_eq(h.version, hello.version) && ady_bytes_eq(h.module_id, hello.module_id));
	CHECK(h.config_hash.n == 48 && h.lanes == 2 && h.depth == 1024);
	b = body_of(&kinds[SIGNED]);
	CHECK_ERR(ady_wire_read_signed(&sd, ady_buf_bytes(&b)), ADY_OK);
	CHECK(sd.raw.n == 110 && sd.hash.n == 32 && sd.from.n == 20 && sd.y_parity == 1);
	b = body_of(&kinds[STATUS]);
	CHECK_ERR(ady_wire_read_status(&st, ady_buf_bytes(&b)), ADY_OK);
	CHECK(ady_bytes_is(st.kms_text, "no route") && st.signed_n == UINT64_MAX);
	CHECK(st.kms == ADY_KMS_FAILING && st.has_credentials == 1 && st.waiting == 3);
	CHECK(st.refused_n == 5 && st.kms_calls == 6 && st.kms_failures == 7);
	CHECK(st.prepare_us == 8 && st.kms_us == 9 && st.sign_us == 10 && st.drift_ms == 11);
	CHECK(st.created == 12 && st.data_keys == 13 && st.data_key_hits == 14);
	CHECK(st.data_key_misses == 15 && st.data_keys_expired == 16);
	CHECK(st.data_keys_locked == 17);
	b = body_of(&kinds[FAULT]);
	CHECK_ERR(ady_wire_read_fault(&f, ady_buf_bytes(&b)), ADY_OK);
	CHECK_ERR(f.err, ADY_E_FEES);
	CHECK_STR(f.where, fault.where);
	CHECK_STR(f.detail, fault.detail);
	CHECK_STR(f.cause, fault.cause);
}

CASE(every_bound)
{
	static const struct bound rows[] = {
	    {HELLO, FIELD(struct ady_wire_hello, version), 1, ADY_WIRE_NAME_MAX},
	    {HELLO, FIELD(struct ady_wire_hello, module_id), 0, ADY_WIRE_NAME_MAX},
	    {HELLO, FIELD(struct ady_wire_hello, config_hash), 48, 48},
	    {CREDENTIALS, FIELD(struct ady_wire_credentials, access_key), 1, ADY_WIRE_NAME_MAX},
	    {CREDENTIALS, FIELD(struct ady_wire_credentials, secret_key), 1, ADY_WIRE_NAME_MAX},
	    {CREDENTIALS, FIELD(struct ady_wire_credentials, token), 0, ADY_WIRE_TOKEN_MAX},
	    {CREDENTIALS, FIELD(struct ady_wire_credentials, expires_unix_s), 0,
	     ADY_WIRE_EXPIRY_MAX},
	    {SIGN, FIELD(struct ady_wire_sign, form), 0, 1},
	    {SIGN, FIELD(struct ady_wire_sign, key_id), 1, ADY_WIRE_KEY_ID_MAX},
	    {SIGN, FIELD(struct ady_wire_sign, record), 1, ADY_WIRE_RECORD_MAX},
	    {SIGN, FIELD(struct ady_wire_sign, request), 0, ADY_WIRE_REQUEST_MAX},
	    {SIGN, FIELD(struct ady_wire_sign, stamp), 0, ADY_WIRE_STAMP_MAX},
	    {SIGNED, FIELD(struct ady_wire_signed, raw), 0, ADY_WIRE_RAW_MAX},
	    {SIGNED, FIELD(struct ady_wire_signed, hash), 32, 32},
	    {SIGNED, FIELD(struct ady_wire_signed, from), 20, 20},
	    {SIGNED, FIELD(struct ady_wire_signed, from), 0, 0},
	    {SIGNED, FIELD(struct ady_wire_signed, r), 32, 32},
	    {SIGNED, FIELD(struct ady_wire_signed, s), 32, 32},
	    {SIGNED, FIELD(struct ady_wire_signed, y_parity), 0, 1},
	    {BLOB, 0, sizeof blob40, 0, ADY_WIRE_NONCE_MAX},
	    {STATUS, FIELD(struct ady_wire_status, kms), 0, ADY_KMS_FAILING},
	    {STATUS, FIELD(struct ady_wire_status, kms_text), 0, 159},
	    {STATUS, FIELD(struct ady_wire_status, has_credentials), 0, 1},
	    {LOCK, 0, sizeof team, 0, 63},
	    {RELAY, FIELD(struct relay, host), 1, ADY_WIRE_HOST_MAX},
	    {RELAY, FIELD(struct relay, port), 1, 65535},
	};

	check_bounds(kinds, rows, sizeof rows / sizeof *rows);
}

CASE(a_refused_body_leaves_nothing)
{
	static const uint8_t zero[sizeof(struct ady_wire_status)];
	struct ady_wire_credentials m = credentials;
	struct ady_wire_status s = status;
	struct ady_fault f = fault;

	CHECK_ERR(ady_wire_read_credentials(&m, test_hex("a4006141")), ADY_E_PROTOCOL);
	CHECK(memcmp(&m, zero, sizeof m) == 0);
	CHECK_ERR(ady_wire_read_status(&s, test_hex("b20001")), ADY_E_PROTOCOL);
	CHECK(memcmp(&s, zero, sizeof s) == 0);
	CHECK_ERR(ady_wire_read_fault(&f, test_hex("a4006141")), ADY_E_PROTOCOL);
	CHECK(f.where[0] == '\0' && f.detail[0] == '\0' && f.err == ADY_E_PROTOCOL);
}

CASE(every_truncation_and_any_byte_more_is_refused)
{
	check_truncations(kinds, KINDS);
}

CASE(missing_repeated_unsorted_unknown_and_mistyped_fields)
{
	check_fields(kinds, KINDS);
}

CASE(a_body_that_does_not_fit_is_full)
{
	check_full(kinds, KINDS);
}

int main(void)
{
	memset(filler, 'a', sizeof filler);
	RUN(head_round_trips_at_its_ends);
	RUN(head_of_another_form_is_refused);
	RUN(requests_round_trip);
	RUN(answers_round_trip);
	RUN(every_truncation_and_any_byte_more_is_refused);
	RUN(missing_repeated_unsorted_unknown_and_mistyped_fields);
	RUN(every_bound);
	RUN(a_refused_body_leaves_nothing);
	RUN(a_body_that_does_not_fit_is_full);
	return test_end();
}
