/* SPDX-License-Identifier: Apache-2.0
 *
 * The first case is the worked example of the AWS General Reference ("Signature Version 4 signing
 * process", GET iam ListUsers); the others follow from its rules. */
#include "aws/sigv4.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "test.h"

static const char SECRET[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static const struct ady_sigv4_scope SCOPE = {
    .region = "us-east-1", .service = "iam", .unix_s = 1440938160};

static struct ady_sigv4_field field(const char *name, const char *value)
{
	return (struct ady_sigv4_field){ady_bytes_str(name), ady_bytes_str(value)};
}

/* The example's request, with room to change it. */
struct example {
	struct ady_sigv4_field fields[3];
	uint8_t hash[32];
	struct ady_sigv4_request r;
};

static void example(struct example *e)
{
	ady_sha256(e->hash, NULL, 0);
	e->fields[0] = field("content-type", "application/x-www-form-urlencoded; charset=utf-8");
	e->fields[1] = field("host", "iam.amazonaws.com");
	e->fields[2] = field("x-amz-date", "20150830T123600Z");
	e->r = (struct ady_sigv4_request){
	    .method = ady_bytes_str("GET"),
	    .path = ady_bytes_str("/"),
	    .query = ady_bytes_str("Action=ListUsers&Version=2010-05-08"),
	    .fields = e->fields,
	    .fields_n = 3,
	    .payload_sha256 = e->hash,
	};
}

static const char WANT[] = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

static void check_same(const struct example *e)
{
	char got[65];

	CHECK_ERR(ady_sigv4_signature(got, SECRET, &SCOPE, &e->r), ADY_OK);
	CHECK_STR(got, WANT);
}

CASE(published_example)
{
	struct ady_aws_credentials c = {.access_key = "AKIDEXAMPLE"};
	struct example e;
	char line[512] = "";
	struct ady_buf b = ady_buf(line, sizeof line - 1);
	uint8_t key[32];

	example(&e);
	check_same(&e);
	CHECK_ERR(ady_sigv4_key(key, SECRET, &SCOPE), ADY_OK);
	CHECK_HEX(key, 32, "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9");
	snprintf(c.secret_key, sizeof c.secret_key, "%s", SECRET);
	CHECK_ERR(ady_sigv4_authorize(&b, &c, &SCOPE, &e.r), ADY_OK);
	CHECK_STR(line, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/"
	                "aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature="
	                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
	ady_aws_credentials_wipe(&c);
	CHECK_INT(c.secret_key[0], 0);
}

CASE(forms_that_canonicalise_alike)
{
	struct example e;

	example(&e);
	e.r.query = ady_bytes_str("Version=2010-05-08&&Action=ListUsers");
	check_same(&e);
	e.r.query = ady_bytes_str("Action=ListUsers&Version=2010-05-08&");
	check_same(&e);
	e.r.path = ady_bytes_str("");
	check_same(&e);
	e.fields[1] = field("host", "  iam.amazonaws.com\t ");
	e.fields[0] = field("content-type", "application/x-www-form-urlencoded;  \t charset=utf-8");
	check_same(&e);
}

static void signature_of(char out[static 65], const char *query)
{
	struct example e;

	example(&e);
	e.r.query = ady_bytes_str(query);
	CHECK_ERR(ady_sigv4_signature(out, SECRET, &SCOPE, &e.r), ADY_OK);
}

CASE(query_is_sorted_by_name_then_value)
{
	char a[65], b[65];

	signature_of(a, "a=2&a=1&a-b=0&B&%41=/");
	signature_of(b, "%41=%2f&B=&a=1&a=2&a-b=0");
	CHECK_STR(a, b);
	signature_of(b, "A=%2f&B=&a=1&a=2&a-b=0");
	CHECK(strcmp(a, b) != 0);
}

CASE(every_part_counts)
{
	struct example e;
	char got[65];

	for (int i = 0; i < 5; i++) {
		struct ady_sigv4_scope scope = SCOPE;

		example(&e);
		switch (i) {
		case 0:
			e.r.method = ady_bytes_str("POST");
			break;
		case 1:
			e.hash[31] ^= 1;
			break;
		case 2:
			e.r.fields_n = 2;
			break;
		case 3:
			scope.region = "us-east-2";
			break;
		default:
			scope.unix_s++;
			break;
		}
		CHECK_ERR(ady_sigv4_signature(got, SECRET, &scope, &e.r), ADY_OK);
		CHECK(strcmp(got, WANT) != 0);
	}
}

CASE(too_much_is_refused)
{
	static char big[40000];
	struct example e;
	char got[65] = "x", small[16];
	struct ady_buf b = ady_buf(small, sizeof small);
	struct ady_aws_credentials c = {.access_key = "AKIDEXAMPLE", .secret_key = "s"};

	example(&e);
	CHECK_ERR(ady_sigv4_authorize(&b, &c, &SCOPE, &e.r), ADY_E_TOO_LARGE);
	memset(big, 'a', sizeof big - 1);
	e.fields[1] = field("host", big);
	CHECK_ERR(ady_sigv4_signature(got, SECRET, &SCOPE, &e.r), ADY_E_TOO_LARGE);
	CHECK_STR(got, "");
	example(&e);
	e.r.query = ady_bytes_str(big);
	CHECK_ERR(ady_sigv4_signature(got, SECRET, &SCOPE, &e.r), ADY_E_TOO_LARGE);
	example(&e);
	CHECK_ERR(ady_sigv4_signature(got, big, &SCOPE, &e.r), ADY_E_TOO_LARGE);
}

int main(void)
{
	RUN(published_example);
	RUN(forms_that_canonicalise_alike);
	RUN(query_is_sorted_by_name_then_value);
	RUN(every_part_counts);
	RUN(too_much_is_refused);
	return test_end();
}
