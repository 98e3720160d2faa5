/* SPDX-License-Identifier: Apache-2.0 */
#include "aws/attestation.h"

#include <stdlib.h>

#include "codec/cbor.h"
#include "codec/cose.h"
#include "pki.h"

enum { NOW = 1000000000, SPACE = 20000, PAIRS = 9 };

#define ORDER "is missing or out of order"
#define TWICE "stands twice or out of order"

/* A document in pieces: keys and values of the payload, each in CBOR. */
struct pieces {
	struct ady_bytes key[PAIRS + 2], value[PAIRS + 2];
	size_t n;
	struct ady_bytes behind; /* bytes behind the map */
	uint8_t signature[96];
};

static struct test_cert certs[TEST_CHAIN];
static const char *const names[PAIRS] = {"module_id",  "digest",      "timestamp",
                                         "pcrs",       "certificate", "cabundle",
                                         "public_key", "user_data",   "nonce"};

static struct ady_attestation_rules test_rules(void)
{
	return (struct ady_attestation_rules){.root = test_cert_der(&certs[0])};
}

/* Room for encoded values, which last as long as the program. */
static struct ady_buf room(size_t n)
{
	static uint8_t space[16 << 20];
	static size_t used;

	if (n > sizeof space - used)
		abort();
	used += n;
	return ady_buf(space + used - n, n);
}

static struct ady_bytes cbor_of_text(const char *s)
{
	struct ady_buf b = room(strlen(s) + 9);

	ady_cbor_put_str(&b, s);
	return ady_buf_bytes(&b);
}

static struct ady_bytes cbor_of_bytes(size_t n)
{
	struct ady_buf b = room(n + 9);

	ady_cbor_put_bytes_head(&b, n);
	memset(b.p + b.n, 0x61, n);
	b.n += n;
	return ady_buf_bytes(&b);
}

static struct ady_bytes cbor_of_pcrs(size_t n, size_t size)
{
	struct ady_buf b = room(n * (size + 4) + 9);
	uint8_t pcr[80];

	ady_cbor_put_map(&b, n);
	for (size_t i = 0; i < n; i++) {
		memset(pcr, (int)i + 1, sizeof pcr);
		ady_cbor_put_uint(&b, i);
		ady_cbor_put_bytes(&b, ady_bytes(pcr, size));
	}
	return ady_buf_bytes(&b);
}

static struct ady_bytes cbor_of_bundle(void)
{
	struct ady_buf b = room(TEST_CHAIN * 2048);

	ady_cbor_put_array(&b, TEST_CHAIN - 1);
	for (size_t i = 0; i < TEST_CHAIN - 1; i++)
		ady_cbor_put_bytes(&b, test_cert_der(&certs[i]));
	return ady_buf_bytes(&b);
}

static struct ady_bytes cbor_of_leaf(void)
{
	struct ady_buf b = room(2048);

	ady_cbor_put_bytes(&b, test_cert_der(&certs[3]));
	return ady_buf_bytes(&b);
}

static struct ady_bytes hex(const char *text)
{
	struct ady_buf b = room(strlen(text) / 2 + 1);

	ady_buf_view(&b, test_hex(text));
	return ady_buf_bytes(&b);
}

/* A document of the test's own chain. */
static void usual(struct pieces *p)
{
	*p = (struct pieces){.n = PAIRS};
	for (size_t i = 0; i < PAIRS; i++)
		p->key[i] = cbor_of_text(names[i]);
	p->value[0] = cbor_of_text("i-0918f6c55e3b61d89-enc018aa8b8e2285d13");
	p->value[1] = cbor_of_text("SHA384");
	p->value[2] = hex("1b000000e8d4a51000"); /* NOW in milliseconds */
	p->value[3] = cbor_of_pcrs(16, 48);
	p->value[4] = cbor_of_leaf();
	p->value[5] = cbor_of_bundle();
	p->value[6] = cbor_of_bytes(294);
	p->value[7] = hex("f6");
	p->value[8] = cbor_of_bytes(32);
}

/* The whole document; with key NULL under the signature that p has. */
static struct ady_bytes assemble(const struct pieces *p, EVP_PKEY *key)
{
	static uint8_t payload_space[SPACE], space[SPACE];
	struct ady_buf payload = ady_buf(payload_space, SPACE), out = ady_buf(space, SPACE);
	struct ady_bytes parts[ADY_COSE_PARTS];
	uint8_t head[24], sig[96];
	struct ady_cose cose;

	ady_cbor_put_map(&payload, p->n);
	for (size_t i = 0; i < p->n; i++) {
		ady_buf_view(&payload, p->key[i]);
		ady_buf_view(&payload, p->value[i]);
	}
	ady_buf_view(&payload, p->behind);
	cose.payload = ady_buf_bytes(&payload);
	ady_cose_to_verify(parts, head, &cose);
	memcpy(sig, p->signature, 96);
	if (key)
		test_es384_sign(sig, key, parts, ADY_COSE_PARTS);
	ady_cose_put(&out, cose.payload, sig);
	CHECK(!out.full);
	return ady_buf_bytes(&out);
}

static void refused(struct ady_bytes document, const struct ady_attestation_rules *rules,
                    const char *where, const char *why)
{
	static const struct ady_attestation zero;
	struct ady_attestation att;
	struct ady_fault f = {0};

	CHECK_ERR(ady_attestation_verify(&att, document, rules, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
	CHECK(memcmp(&att, &zero, sizeof att) == 0);
}

CASE(the_usual_document_verifies)
{
	struct ady_attestation_rules rules = test_rules();
	struct ady_attestation att;
	struct pieces p;

	usual(&p);
	CHECK_ERR(ady_attestation_verify(&att, assemble(&p, certs[3].key), &rules, NULL), ADY_OK);
	CHECK(ady_bytes_is(att.module_id, "i-0918f6c55e3b61d89-enc018aa8b8e2285d13"));
	CHECK_INT(att.timestamp_ms, 1000LL * NOW);
	for (unsigned i = 0; i < ADY_PCRS; i++)
		CHECK_INT(att.pcrs[i].n, i < 16 ? 48 : 0);
	CHECK_INT(att.pcrs[15].p[47], 16);
	CHECK(ady_bytes_eq(att.certificate, test_cert_der(&certs[3])));
	CHECK_INT(att.cabundle_n, 3);
	CHECK(ady_bytes_eq(att.cabundle[2], test_cert_der(&certs[2])));
	CHECK_INT(att.public_key.n, 294);
	CHECK_INT(att.user_data.n, 0);
	CHECK_INT(att.nonce.n, 32);
}

/* One change of one field, signed again under a root that is trusted, so that nothing but the rule
 * can refuse it; then put into the same document under its old signature. why NULL: the rules allow
 * it, and only the old signature does not. */
struct change {
	size_t field;
	struct ady_bytes value;
	const char *why;
};

static void check_change(const struct change *c)
{
	struct ady_attestation_rules rules = test_rules();
	struct ady_bytes document;
	struct ady_attestation att;
	struct ady_cose cose;
	struct pieces p;

	usual(&p);
	document = assemble(&p, certs[3].key);
	CHECK_ERR(ady_cose_parse(&cose, document, NULL), ADY_OK);
	memcpy(p.signature, cose.signature.p, 96);
	p.value[c->field] = c->value;
	if (c->why) {
		refused(assemble(&p, certs[3].key), &rules, names[c->field], c->why);
		refused(assemble(&p, NULL), &rules, names[c->field], c->why);
	} else {
		CHECK_ERR(ady_attestation_verify(&att, assemble(&p, certs[3].key), &rules, NULL),
		          ADY_OK);
		refused(assemble(&p, NULL), &rules, "signature",
		        "is not by the key of the certificate");
	}
}

CASE(names_and_times_that_are_refused)
{
	static const char module_id[] = "must be a text of 1 to 255 bytes";
	static const char digest[] = "must be the text SHA384";
	static const char timestamp[] = "must be a number of milliseconds above 0";
	char longest[257];

	memset(longest, 'a', sizeof longest);
	longest[256] = 0;
	const struct change v[] = {
	    {0, hex("60"), module_id},
	    {0, cbor_of_text(longest), module_id},
	    {0, cbor_of_text(longest + 1), NULL},
	    {0, hex("4161"), module_id},
	    {0, hex("00"), module_id},
	    {0, hex("f6"), module_id},
	    {0, hex("61ff"), module_id},
	    {0, hex("7f6161ff"), module_id},
	    {1, hex("60"), digest},
	    {1, cbor_of_text("SHA256"), digest},
	    {1, cbor_of_text("sha384"), digest},
	    {1, cbor_of_text("SHA3840"), digest},
	    {1, hex("46534841333834"), digest},
	    {1, hex("f6"), digest},
	    {2, hex("00"), timestamp},
	    {2, hex("20"), timestamp},
	    {2, hex("1bffffffffffffffff"), timestamp},
	    {2, hex("1b0000000000000001"), timestamp},
	    {2, hex("fb426d1a94a2000000"), timestamp},
	    {2, cbor_of_text("1000000000000"), timestamp},
	    {2, hex("f6"), timestamp},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_change(&v[i]);
}

CASE(certificates_keys_and_data_that_are_refused)
{
	static const char certificate[] = "must have 1 to 1024 bytes";
	static const char bundle[] = "must be an array of 1 to 16 certificates";
	static const char public_key[] = "must be null or have 1 to 1024 bytes";
	static const char free[] = "must be null or have at most 1024 bytes";
	const struct change v[] = {
	    {4, hex("40"), certificate},
	    {4, cbor_of_bytes(1025), certificate},
	    {4, cbor_of_text("certificate"), certificate},
	    {4, hex("f6"), certificate},
	    {5, hex("80"), bundle},
	    {5, hex("f6"), bundle},
	    {5, hex("a0"), bundle},
	    {5, hex("4100"), bundle},
	    {5, hex("914101410141014101410141014101410141014101410141014101410141014101"), bundle},
	    {5, hex("8140"), "must hold certificates of 1 to 1024 bytes"},
	    {5, hex("816161"), "must hold certificates of 1 to 1024 bytes"},
	    {5, hex("81f6"), "must hold certificates of 1 to 1024 bytes"},
	    {6, hex("40"), public_key},
	    {6, cbor_of_bytes(1025), public_key},
	    {6, cbor_of_bytes(1024), NULL},
	    {6, cbor_of_text("key"), public_key},
	    {6, hex("f7"), public_key},
	    {6, hex("f6"), NULL},
	    {7, cbor_of_bytes(1025), free},
	    {7, cbor_of_bytes(1024), NULL},
	    {7, hex("40"), NULL},
	    {7, cbor_of_text("data"), free},
	    {7, hex("f4"), free},
	    {8, cbor_of_bytes(1025), free},
	    {8, cbor_of_bytes(1024), NULL},
	    {8, hex("40"), NULL},
	    {8, hex("f6"), NULL},
	    {8, cbor_of_text("nonce"), free},
	    {8, hex("00"), free},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_change(&v[i]);
}

/* {0: 32 bytes, ...} with one thing wrong in it, from hex in which "*" is a register of 32. */
static struct ady_bytes pcrs(const char *pattern)
{
	struct ady_buf b = room(2048);
	uint8_t pcr[34] = {0x58, 0x20, 1};

	for (; *pattern; pattern += *pattern == '*' ? 1 : 2) {
		if (*pattern == '*')
			ady_buf_put(&b, pcr, sizeof pcr);
		else
			ady_buf_view(&b, test_hex((char[]){pattern[0], pattern[1], 0}));
	}
	return ady_buf_bytes(&b);
}

CASE(registers_that_are_refused)
{
	static const char map[] = "must be a map of 1 to 32 registers";
	static const char index[] = "has an index that is not 0 to 31";
	static const char order[] = "has a register twice or out of order";
	static const char size[] = "must hold 32, 48 or 64 bytes each, all alike";
	const struct change v[] = {
	    {3, hex("a0"), map},
	    {3, hex("80"), map},
	    {3, hex("f6"), map},
	    {3, hex("4100"), map},
	    {3, cbor_of_pcrs(33, 32), map},
	    {3, cbor_of_pcrs(32, 32), NULL},
	    {3, cbor_of_pcrs(1, 64), NULL},
	    {3, pcrs("a200*01*"), NULL},
	    {3, pcrs("a100*"), NULL},
	    {3, pcrs("a200*1820*"), index},
	    {3, pcrs("a200*20*"), index},
	    {3, pcrs("a200*6131*"), index},
	    {3, pcrs("a2*00*01"), index},
	    {3, pcrs("a200*00*"), order},
	    {3, pcrs("a201*00*"), order},
	    {3, pcrs("a2001800*"), size}, /* a number for a register */
	    {3, pcrs("a200*0140"), size},
	    {3, pcrs("a200*01f6"), size},
	    {3, pcrs("a10040"), size},
	    {3, cbor_of_pcrs(2, 47), size},
	    {3, cbor_of_pcrs(2, 49), size},
	    {3, cbor_of_pcrs(1, 31), size},
	    {3, cbor_of_pcrs(1, 65), size},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++)
		check_change(&v[i]);
}

static void check_both(const struct pieces *p, const char *where, const char *why)
{
	struct ady_attestation_rules rules = test_rules();

	refused(assemble(p, certs[3].key), &rules, where, why);
	refused(assemble(p, NULL), &rules, where, why);
}

/* Take out field i, or put what stands at i a second time behind it. */
CASE(absent_and_twice)
{
	struct ady_attestation_rules rules = test_rules();
	struct ady_attestation att;
	struct pieces p;

	for (size_t i = 0; i < PAIRS; i++) {
		usual(&p);
		memmove(p.key + i, p.key + i + 1, (PAIRS - i) * sizeof *p.key);
		memmove(p.value + i, p.value + i + 1, (PAIRS - i) * sizeof *p.value);
		p.n--;
		if (i < 6) {
			check_both(&p, names[i], ORDER);
		} else {
			CHECK_ERR(
			    ady_attestation_verify(&att, assemble(&p, certs[3].key), &rules, NULL),
			    ADY_OK);
			refused(assemble(&p, NULL), &rules, "signature",
			        "is not by the key of the certificate");
		}
		usual(&p);
		memmove(p.key + i + 1, p.key + i, (PAIRS - i) * sizeof *p.key);
		memmove(p.value + i + 1, p.value + i, (PAIRS - i) * sizeof *p.value);
		p.n++;
		check_both(&p, names[i], TWICE);
	}
}

/* Every pair of fields exchanged. The first of the two places is where it shows. */
CASE(reordered)
{
	struct ady_bytes key, value;
	struct pieces p;

	for (size_t i = 0; i < PAIRS; i++) {
		for (size_t k = i + 1; k < PAIRS; k++) {
			usual(&p);
			key = p.key[i];
			value = p.value[i];
			p.key[i] = p.key[k];
			p.value[i] = p.value[k];
			p.key[k] = key;
			p.value[k] = value;
			if (i < 6)
				check_both(&p, names[i], ORDER);
			else /* optional ones: the next that comes stands before its place */
				check_both(&p, names[k == i + 1 ? i : i + 1], TWICE);
		}
	}
}

CASE(the_map_around_the_fields)
{
	struct pieces p;

	usual(&p);
	p.key[p.n] = cbor_of_text("extra");
	p.value[p.n++] = hex("f6");
	check_both(&p, "", "has an unknown field");
	p.key[PAIRS] = hex("01");
	check_both(&p, "", "has a key that is not text");
	p.key[PAIRS] = hex("456e6f6e6365"); /* "nonce" in bytes */
	check_both(&p, "", "has a key that is not text");
	p.n--;
	p.key[2] = cbor_of_text("Timestamp");
	check_both(&p, "", "has an unknown field");
	usual(&p);
	p.behind = hex("00");
	check_both(&p, "", "has bytes behind the fields");
	usual(&p);
	p.n--;
	p.behind = hex("f6");
	check_both(&p, "", "has bytes behind the fields");
	memset(&p, 0, sizeof p);
	check_both(&p, "module_id", ORDER);
}

/* What COSE refuses comes with its reason; the whole list is in test_cose.c. */
CASE(the_message_around_the_payload)
{
	static uint8_t big[ADY_ATTESTATION_MAX + 1];
	struct ady_attestation_rules rules = test_rules();
	struct ady_bytes document;
	struct pieces p;

	refused((struct ady_bytes){0}, &rules, "", "is not a COSE_Sign1 message");
	refused(ady_bytes(big, sizeof big), &rules, "", "has more than 16384 bytes");
	usual(&p);
	document = assemble(&p, certs[3].key);
	refused(ady_bytes(document.p, document.n + 1), &rules, "", "has bytes behind the message");
	for (size_t i = 0; i < document.n; i += 11) {
		struct ady_attestation att;

		CHECK_ERR(ady_attestation_verify(&att, ady_bytes(document.p, i), &rules, NULL),
		          ADY_E_ATTESTATION);
	}
}

/* The payload an array instead of a map. */
CASE(a_payload_that_is_no_map)
{
	struct ady_attestation_rules rules = test_rules();
	uint8_t space[256], sig[96] = {1};
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_cose_put(&b, hex("80"), sig);
	refused(ady_buf_bytes(&b), &rules, "", "is not a map");
}

CASE(debug_mode)
{
	struct ady_attestation_rules rules = test_rules();
	struct ady_attestation att;
	struct pieces p;
	struct ady_buf b = room(256);
	static const uint8_t zero[48];

	usual(&p);
	ady_cbor_put_map(&b, 1);
	ady_cbor_put_uint(&b, 0);
	ady_cbor_put_bytes(&b, ady_bytes(zero, 48));
	p.value[3] = ady_buf_bytes(&b);
	refused(assemble(&p, certs[3].key), &rules, "pcrs",
	        "has PCR0 all zero: an enclave in debug mode");
	rules.allow_debug = true;
	CHECK_ERR(ady_attestation_verify(&att, assemble(&p, certs[3].key), &rules, NULL), ADY_OK);
	CHECK(ady_attestation_pcr_zero(&att, 0));
	CHECK(!ady_attestation_pcr_zero(&att, 1));
	CHECK(!ady_attestation_pcr_zero(&att, 99));
	b.p[1] = 1; /* PCR1 instead: whether it is debug mode cannot be seen */
	refused(assemble(&p, certs[3].key), &rules, "pcrs", "has no PCR0");
}

/* Signed by another key than the leaf's; and the chain's own refusals pass through. */
CASE(signer_and_chain)
{
	struct ady_attestation_rules rules = test_rules();
	struct test_cert_spec specs[TEST_CHAIN];
	struct test_cert other[TEST_CHAIN];
	struct pieces p;

	usual(&p);
	refused(assemble(&p, certs[2].key), &rules, "signature",
	        "is not by the key of the certificate");
	rules.at_unix_s = NOW + 2 * 86400;
	refused(assemble(&p, certs[3].key), &rules, "cabundle[0]", "has expired");
	rules.at_unix_s = NOW - 2 * 86400;
	refused(assemble(&p, certs[3].key), &rules, "cabundle[0]", "is not valid yet");
	rules.at_unix_s = 0;
	test_chain_specs(specs);
	test_chain_make(other, specs);
	rules.root = test_cert_der(&other[0]);
	refused(assemble(&p, certs[3].key), &rules, "cabundle[0]", "is not the trusted root");
	test_chain_free(other);
}

int main(void)
{
	struct test_cert_spec specs[TEST_CHAIN];

	test_chain_specs(specs);
	test_chain_make(certs, specs);
	RUN(the_usual_document_verifies);
	RUN(names_and_times_that_are_refused);
	RUN(certificates_keys_and_data_that_are_refused);
	RUN(registers_that_are_refused);
	RUN(absent_and_twice);
	RUN(reordered);
	RUN(the_map_around_the_fields);
	RUN(the_message_around_the_payload);
	RUN(a_payload_that_is_no_map);
	RUN(debug_mode);
	RUN(signer_and_chain);
	test_chain_free(certs);
	return test_end();
}
