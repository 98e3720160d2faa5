/* SPDX-License-Identifier: Apache-2.0
 *
 * The texts in bodies: what a lying peer could put into them. */
#include "codec/wire.h"

#include "codec/cbor.h"
#include "test.h"

static uint8_t space[ADY_WIRE_BODY_MAX];
static uint8_t filler[ADY_WIRE_BODY_MAX];

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
};

static enum ady_err read_credentials(struct ady_bytes body)
{
	struct ady_wire_credentials m;

	return ady_wire_read_credentials(&m, body);
}

static enum ady_err read_sign(struct ady_bytes body)
{
	struct ady_wire_sign m;

	return ady_wire_read_sign(&m, body);
}

static enum ady_err read_relay(struct ady_bytes body)
{
	struct ady_bytes host;
	uint16_t port;

	return ady_wire_read_relay(&host, &port, body);
}

static enum ady_err read_fault(struct ady_bytes body)
{
	struct ady_fault f;

	return ady_wire_read_fault(&f, body);
}

/* A fault of four texts of these lengths, written by hand: the writer's are always short enough. */
static enum ady_err fault_of(size_t code, size_t where, size_t detail, size_t cause)
{
	const size_t lengths[] = {code, where, detail, cause};
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_cbor_put_map(&b, 4);
	for (unsigned i = 0; i < 4; i++) {
		ady_cbor_put_uint(&b, i);
		ady_cbor_put_text(&b, ady_bytes(filler, lengths[i]));
	}
	return read_fault(ady_buf_bytes(&b));
}

CASE(every_bound_of_a_fault)
{
	CHECK_ERR(fault_of(0, 0, 0, 0), ADY_OK);
	CHECK_ERR(fault_of(63, 63, 159, 47), ADY_OK);
	CHECK_ERR(fault_of(64, 63, 159, 47), ADY_E_PROTOCOL);
	CHECK_ERR(fault_of(63, 64, 159, 47), ADY_E_PROTOCOL);
	CHECK_ERR(fault_of(63, 63, 160, 47), ADY_E_PROTOCOL);
	CHECK_ERR(fault_of(63, 63, 159, 48), ADY_E_PROTOCOL);
}

/* Whether a text may be a token, a host, a key's id. */
static void try_texts(const char *text, bool as_token, bool as_host, bool as_id)
{
	struct ady_wire_credentials c = credentials;
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_sign s = sign;

	c.token = s.key_id = ady_bytes_str(text);
	ady_wire_put_credentials(&b, &c);
	CHECK((read_credentials(ady_buf_bytes(&b)) == ADY_OK) == as_token);
	b.n = 0;
	ady_wire_put_relay(&b, ady_bytes_str(text), 1);
	CHECK((read_relay(ady_buf_bytes(&b)) == ADY_OK) == as_host);
	b.n = 0;
	ady_wire_put_sign(&b, &s);
	CHECK((read_sign(ady_buf_bytes(&b)) == ADY_OK) == as_id);
}

/* What a lying parent could use to end a line, a header field or a C string. */
CASE(texts_hold_no_control_characters)
{
	char text[4] = "a?b";

	for (int c = 1; c < 256; c++) {
		bool host =
		    (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';

		text[1] = (char)c;
		try_texts(text, c > 0x20 && c < 0x7f, host, c >= 0x20 && c < 0x7f);
	}
	try_texts("caf\xc3\xa9", false, false, true);
}

CASE(faults_cannot_say_ok_and_stay_printable)
{
	struct ady_fault f = {
	    .err = ADY_E_KMS, .where = "a\nb", .detail = "\xff\x7f", .cause = "\t"};
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_fault back;

	ady_wire_put_fault(&b, &f);
	CHECK_ERR(ady_wire_read_fault(&back, ady_buf_bytes(&b)), ADY_OK);
	CHECK_STR(back.where, "a?b");
	CHECK_STR(back.detail, "??");
	CHECK_STR(back.cause, "?");
	CHECK_ERR(back.err, ADY_E_KMS);
	f = (struct ady_fault){.err = ADY_OK};
	b.n = 0;
	ady_wire_put_fault(&b, &f);
	CHECK_ERR(ady_wire_read_fault(&back, ady_buf_bytes(&b)), ADY_OK);
	CHECK_ERR(back.err, ADY_E_INTERNAL);
	CHECK_ERR(fault_of(5, 0, 0, 0), ADY_OK); /* the code "aaaaa" is not known */
	CHECK_ERR(ady_wire_read_fault(&back, ady_bytes(space, 1 + 4 * 2 + 5)), ADY_OK);
	CHECK_ERR(back.err, ADY_E_INTERNAL);
	for (int e = 1; e < ADY_ERR_COUNT; e++) {
		f.err = (enum ady_err)e;
		b.n = 0;
		ady_wire_put_fault(&b, &f);
		CHECK_ERR(ady_wire_read_fault(&back, ady_buf_bytes(&b)), ADY_OK);
		CHECK_ERR(back.err, f.err);
	}
}

int main(void)
{
	memset(filler, 'a', sizeof filler);
	RUN(every_bound_of_a_fault);
	RUN(texts_hold_no_control_characters);
	RUN(faults_cannot_say_ok_and_stay_printable);
	return test_end();
}
