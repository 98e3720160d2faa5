/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/jwt.h"

#include "base/text.h"
#include "crypto/hash.h"

#include "test.h"

static const char secret[] = "a secret of a module";
static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";

/* A token of these two parts, signed with secret. */
static const char *make(const char *head, const char *claims)
{
	static char text[8192];
	struct ady_buf b = ady_buf(text, sizeof text - 1);
	uint8_t mac[32];

	ady_base64url_put(&b, ady_bytes_str(head));
	ady_buf_str(&b, ".");
	ady_base64url_put(&b, ady_bytes_str(claims));
	ady_hmac_sha256(mac, ady_bytes_str(secret), ady_buf_bytes(&b));
	ady_buf_str(&b, ".");
	ady_base64url_put(&b, ady_bytes(mac, sizeof mac));
	text[b.n] = '\0';
	return text;
}

static const char *check(const char *text, const char *route, const char *body, uint64_t now)
{
	struct ady_jwt jwt;
	const char *why = ady_jwt_read(&jwt, ady_bytes_str(text));

	return why ? why
	           : ady_jwt_check(&jwt, ady_bytes_str(secret), ady_bytes_str(route),
	                           ady_bytes_str(body), now);
}

CASE(the_published_token_is_read)
{
	/* of Commit-Boost's own test, without a route: from before there was one */
	static const char old[] =
	    "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3NDI5OTU5NDYsIm1vZHVsZSI6IkRBX0NPTU1J"
	    "VCJ9.iiq4Z2ed2hk3c3c-cn2QOQJWE5XUOc5BoaIPT-I8q-s";
	struct ady_jwt jwt;

	CHECK_STR(ady_jwt_read(&jwt, ady_bytes_str(old)), "it has no route");
	CHECK_STR(jwt.module, "DA_COMMIT");
}

CASE(a_token_is_for_its_route_body_and_time)
{
	char claims[256], hex[65];
	uint8_t hash[32];
	const char *text;

	ady_keccak256(hash, ady_bytes_str("{}"));
	ady_hex_encode(hex, ady_bytes(hash, sizeof hash));
	snprintf(claims, sizeof claims,
	         "{\"module\":\"M\",\"route\":\"/r\",\"exp\":1000,\"payload_hash\":\"0x%s\"}", hex);
	text = make(header, claims);
	CHECK(check(text, "/r", "{}", 1000) == NULL);
	CHECK(check(text, "/r", "{}", 1010) == NULL);
	CHECK_STR(check(text, "/r", "{}", 1011), "its time is over");
	CHECK_STR(check(text, "/r/", "{}", 1000), "it is for another route");
	CHECK_STR(check(text, "/r", "{} ", 1000), "it is for another body");
	CHECK_STR(check(text, "/r", "", 1000), "it is for a body");
	text = make(header, "{\"module\":\"M\",\"route\":\"/r\",\"exp\":1000}");
	CHECK(check(text, "/r", "", 0) == NULL);
	CHECK_STR(check(text, "/r", "{}", 0), "it is for another body");
	text =
	    make(header, "{\"module\":\"M\",\"route\":\"/r\",\"exp\":1000,\"payload_hash\":null}");
	CHECK(check(text, "/r", "", 0) == NULL);
}

CASE(one_bit_of_a_signature)
{
	char text[512];
	size_t n;

	snprintf(text, sizeof text, "%s",
	         make(header, "{\"module\":\"M\",\"route\":\"/r\",\"exp\":1000}"));
	n = strlen(text);
	text[n - 20] = text[n - 20] == 'A' ? 'B' : 'A';
	CHECK_STR(check(text, "/r", "", 0), "its signature is not that of the module");
}

CASE(what_is_no_token)
{
	static const struct {
		const char *head, *claims, *why;
	} rows[] = {
	    {"{}", "{}", "its algorithm is not HS256"},
	    {"{\"alg\":\"none\"}", "{}", "its algorithm is not HS256"},
	    {"{\"alg\":\"hs256\"}", "{}", "its algorithm is not HS256"},
	    {"{\"alg\":\"HS256\",\"crit\":[\"b64\"]}", "{}", "its algorithm is not HS256"},
	    {"{\"alg\":\"HS256\",\"alg\":\"none\"}", "{}", "its header is malformed"},
	    {"[]", "{}", "its header is malformed"},
	    {header, "[]", "its claims are malformed"},
	    {header, "{", "its claims are malformed"},
	    {header, "{}", "it has no module"},
	    {header, "{\"module\":\"\"}", "it has no module"},
	    {header, "{\"module\":\"M\\u0000\",\"route\":\"/\"}", "it has no module"},
	    {header, "{\"module\":\"M\"}", "it has no route"},
	    {header, "{\"module\":\"M\",\"route\":\"/\"}", "it has no exp"},
	    {header, "{\"module\":\"M\",\"route\":\"/\",\"exp\":\"1\"}", "it has no exp"},
	    {header, "{\"module\":\"M\",\"route\":\"/\",\"exp\":1.5}", "it has no exp"},
	    {header, "{\"module\":\"M\",\"route\":\"/\",\"exp\":1,\"payload_hash\":\"0x1\"}",
	     "its payload_hash is malformed"},
	    {header, "{\"module\":\"M\",\"route\":\"/\",\"exp\":1,\"payload_hash\":1}",
	     "its payload_hash is malformed"},
	};
	static char longer[ADY_JWT_MAX + 2];

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		CHECK_STR(check(make(rows[i].head, rows[i].claims), "/", "", 0), rows[i].why);
	CHECK_STR(check("", "/", "", 0), "it has not three parts");
	CHECK_STR(check("a.b", "/", "", 0), "it has not three parts");
	CHECK_STR(check("a.b.c.d", "/", "", 0), "it has not three parts");
	CHECK_STR(check("..", "/", "", 0), "its header is malformed");
	memset(longer, 'a', ADY_JWT_MAX + 1);
	CHECK_STR(check(longer, "/", "", 0), "it is too long");
}

int main(void)
{
	RUN(the_published_token_is_read);
	RUN(a_token_is_for_its_route_body_and_time);
	RUN(one_bit_of_a_signature);
	RUN(what_is_no_token);
	return test_end();
}
