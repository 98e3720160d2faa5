/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/cose.h"

#include "vectors.h"

#define PROTECTED "is not {1: -35}, the algorithm ES384"

static const uint8_t sig[96] = {1, 2, 3};

static void refused(struct ady_bytes b, const char *where, const char *why)
{
	static const struct ady_cose zero;
	struct ady_fault f = {0};
	struct ady_cose cose;

	CHECK_ERR(ady_cose_parse(&cose, b, &f), ADY_E_ATTESTATION);
	CHECK_STR(f.where, where);
	CHECK_STR(f.detail, why);
	CHECK(memcmp(&cose, &zero, sizeof cose) == 0);
}

CASE(round_trip)
{
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_cose cose;

	ady_cose_put(&b, ady_bytes_str("payload"), sig);
	CHECK_HEX(b.p, 9, "8444a1013822a04770");
	CHECK_ERR(ady_cose_parse(&cose, ady_buf_bytes(&b), NULL), ADY_OK);
	CHECK_HEX(cose.protected_raw.p, cose.protected_raw.n, "a1013822");
	CHECK(ady_bytes_is(cose.payload, "payload"));
	CHECK(ady_bytes_eq(cose.signature, ady_bytes(sig, 96)));
}

CASE(tag_18_or_none)
{
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_cose cose;

	ady_buf_u8(&b, 0xd2);
	ady_cose_put(&b, ady_bytes_str("payload"), sig);
	CHECK_ERR(ady_cose_parse(&cose, ady_buf_bytes(&b), NULL), ADY_OK);
	space[0] = 0xd1; /* COSE_Mac0 */
	refused(ady_buf_bytes(&b), "", "is not a COSE_Sign1 message");
}

/* RFC 9052 section 4.4: ["Signature1", protected, h'', payload]. */
CASE(what_is_signed)
{
	static const struct {
		size_t n;
		const char *head;
	} v[] = {
	    {1, "846a5369676e61747572653144a10138224041"},
	    {24, "846a5369676e61747572653144a1013822405818"},
	    {4500, "846a5369676e61747572653144a101382240591194"},
	    {16384, "846a5369676e61747572653144a101382240594000"},
	};
	static const uint8_t payload[16384];
	struct ady_bytes parts[ADY_COSE_PARTS];
	uint8_t head[24];

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct ady_cose cose = {.payload = ady_bytes(payload, v[i].n)};

		ady_cose_to_verify(parts, head, &cose);
		CHECK_HEX(parts[0].p, parts[0].n, v[i].head);
		CHECK(ady_bytes_eq(parts[1], cose.payload));
	}
}

/* A message put together from hex, with a signature of n bytes. */
static struct ady_bytes message(const char *before, size_t n)
{
	static uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_buf_view(&b, test_hex(before));
	ady_buf_u8(&b, 0x58);
	ady_buf_u8(&b, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		ady_buf_u8(&b, 7);
	return ady_buf_bytes(&b);
}

CASE(deviations)
{
	static const char not_sign1[] = "is not a COSE_Sign1 message";
	static const char bare[] = "must be an empty map", size[] = "must have 1 to 16384 bytes";
	struct ady_cose cose;
	struct ady_bytes b;

	CHECK_ERR(ady_cose_parse(&cose, message("8444a1013822a04100", 96), NULL), ADY_OK);
	refused((struct ady_bytes){0}, "", not_sign1);
	refused(message("8344a1013822a04100", 96), "", not_sign1);
	refused(message("8544a1013822a0410000", 96), "", not_sign1);
	refused(message("9f44a1013822a04100", 96), "", not_sign1); /* indefinite */
	refused(message("a444a1013822a04100", 96), "", not_sign1);
	refused(message("8443a10126a04100", 96), "protected", PROTECTED);   /* ES256 */
	refused(message("8444a1013823a04100", 96), "protected", PROTECTED); /* ES512 */
	refused(message("8440a04100", 96), "protected", PROTECTED);
	refused(message("8445a101390022a04100", 96), "protected", PROTECTED); /* not shortest */
	refused(message("84a1013822a04100", 96), "protected", PROTECTED);     /* not in bytes */
	refused(message("8464a1013822a04100", 96), "protected", PROTECTED);   /* text */
	refused(message("8444a1013822a1044131"
	                "4100",
	                96),
	        "unprotected", bare);
	refused(message("8444a1013822f64100", 96), "unprotected", bare);
	refused(message("8444a1013822bfff4100", 96), "unprotected", bare);
	refused(message("8444a1013822a0f6", 96), "payload", size); /* detached */
	refused(message("8444a1013822a040", 96), "payload", size);
	refused(message("8444a1013822a06100", 96), "payload", size);
	refused(message("8444a1013822a04100", 95), "signature", "must have 96 bytes");
	refused(message("8444a1013822a04100", 97), "signature", "must have 96 bytes");
	b = message("8444a1013822a04100", 96);
	for (size_t n = 1; n < b.n; n++)
		CHECK_ERR(ady_cose_parse(&cose, ady_bytes(b.p, n), NULL), ADY_E_ATTESTATION);
	refused(ady_bytes(b.p, b.n + 1), "", "has bytes behind the message");
}

CASE(payload_limit)
{
	static uint8_t payload[16385], space[16600];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_cose cose;

	ady_cose_put(&b, ady_bytes(payload, 16384), sig);
	CHECK_ERR(ady_cose_parse(&cose, ady_buf_bytes(&b), NULL), ADY_OK);
	b.n = 0;
	ady_cose_put(&b, ady_bytes(payload, 16385), sig);
	refused(ady_buf_bytes(&b), "payload", "must have 1 to 16384 bytes");
}

/* The working group's examples are all ES256: refused as such where the message is well-formed,
 * whether its signature is good or not. */
CASE(examples_of_the_cose_group)
{
	static const struct {
		const char *name, *where, *why;
	} v[] = {
	    {"cose/sign-pass-01.json", "protected", PROTECTED},
	    {"cose/sign-pass-02.json", "protected", PROTECTED},
	    {"cose/sign-pass-03.json", "protected", PROTECTED},            /* untagged */
	    {"cose/sign-fail-01.json", "", "is not a COSE_Sign1 message"}, /* tag 998 */
	    {"cose/sign-fail-02.json", "protected", PROTECTED},
	    {"cose/sign-fail-03.json", "protected", PROTECTED},
	    {"cose/sign-fail-04.json", "protected", PROTECTED},
	    {"cose/sign-fail-06.json", "protected", PROTECTED},
	    {"cose/sign-fail-07.json", "protected", PROTECTED},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		const char *path = test_vector(v[i].name);
		json_t *root;

		if (!path) {
			test_skip("../shared/vectors/%s is not there", v[i].name);
			return;
		}
		root = json_load_file(path, 0, NULL);
		refused(test_json_hex(json_object_get(root, "output"), "cbor"), v[i].where,
		        v[i].why);
		json_decref(root);
	}
}

int main(void)
{
	RUN(round_trip);
	RUN(tag_18_or_none);
	RUN(what_is_signed);
	RUN(deviations);
	RUN(payload_limit);
	RUN(examples_of_the_cose_group);
	return test_end();
}
