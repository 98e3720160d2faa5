/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asks, by token. Certificates: tests/e2e/callers.test.mjs, over real TLS. */
#include "gateway/caller.h"

#include "base/text.h"
#include "crypto/hash.h"

#include "test.h"

static struct ady_gateway_config config;

static void configure(const char *const *tokens)
{
	static const char *const members[] = {
	    "\"tenant\":\"acme\"", "\"tenant\":\"beta\",\"manage\":false", "\"admin\":true"};
	char text[1024], hex[65];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_fault f = {0};
	uint8_t hash[32];

	ady_buf_str(&b, "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:/e\","
	                "\"aws\":{\"region\":\"r\"},\"callers\":[");
	for (size_t i = 0; i < 3; i++) {
		const struct ady_bytes token = ady_bytes_str(tokens[i]);

		ady_sha256(hash, &token, 1);
		ady_hex_encode(hex, ady_bytes(hash, 32));
		ady_buf_printf(&b, "%s{%s,\"token_sha256\":\"%s\"}", i ? "," : "", members[i], hex);
	}
	ady_buf_str(&b, "]}");
	CHECK_ERR(ady_gateway_config_parse(&config, ady_buf_bytes(&b), &f), ADY_OK);
}

/* Ask with an Authorization field, or none. */
static enum ady_err ask(const char *authorization, struct ady_caller *caller, struct ady_fault *f)
{
	static const char path[] = "GET / HTTP/1.1\r\nHost: g\r\n";
	struct ady_http_request req = {0};
	char head[512];

	snprintf(head, sizeof head, "%s%s%s%s\r\n", path, authorization ? "Authorization: " : "",
	         authorization ? authorization : "", authorization ? "\r\n" : "");
	CHECK_ERR(ady_http_parse_request(&req.head, ady_bytes_str(head), f), ADY_OK);
	return ady_caller_find(&config, &req, caller, f);
}

static const char *const tokens[] = {"token-of-acme", "token-of-beta", "token-of-admin"};

CASE(a_token_names_its_tenant)
{
	struct ady_caller c;
	struct ady_fault f = {0};

	configure(tokens);
	CHECK_ERR(ask("Bearer token-of-acme", &c, &f), ADY_OK);
	CHECK_STR(c.tenant, "acme");
	CHECK(!c.admin && c.manage && !c.everyone);
	CHECK(ady_caller_may_use(&c, "acme") && !ady_caller_may_use(&c, "beta"));
	CHECK(!ady_caller_may_use(&c, "") && !ady_caller_may_see(&c, "beta"));
	CHECK_STR(ady_caller_scope(&c), "acme");
	CHECK_ERR(ask("bearer   token-of-beta", &c, &f), ADY_OK);
	CHECK_STR(c.tenant, "beta");
	CHECK(!c.manage);
	ady_gateway_config_clear(&config);
}

CASE(an_administrator_sees_all_keys_and_signs_with_none)
{
	struct ady_caller c;
	struct ady_fault f = {0};

	configure(tokens);
	CHECK_ERR(ask("Bearer token-of-admin", &c, &f), ADY_OK);
	CHECK(c.admin && c.manage && !c.tenant);
	CHECK(ady_caller_may_see(&c, "acme") && ady_caller_may_see(&c, ""));
	CHECK(!ady_caller_may_use(&c, "acme") && !ady_caller_may_use(&c, ""));
	CHECK_STR(ady_caller_scope(&c), "");
	ady_gateway_config_clear(&config);
}

CASE(others_are_refused)
{
	static const char *const all[] = {
	    "Bearer token-of-acmE",  "Bearer", "Bearer ", "Basic token-of-acme", "token-of-acme",
	    "Bearer token-of-acme,", NULL};
	struct ady_caller c;

	configure(tokens);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct ady_fault f = {0};

		CHECK_ERR(ask(all[i], &c, &f), ADY_E_UNAUTHORIZED);
		CHECK_STR(f.where, "authorization");
		CHECK(!c.tenant && !c.admin && !c.manage && !c.everyone);
	}
	ady_gateway_config_clear(&config);
}

CASE(without_callers_everyone_may)
{
	struct ady_caller c;
	struct ady_fault f = {0};

	config = (struct ady_gateway_config){0};
	CHECK_ERR(ask(NULL, &c, &f), ADY_OK);
	CHECK(c.everyone && ady_caller_may_use(&c, "any") && ady_caller_may_see(&c, ""));
	CHECK(ady_caller_scope(&c) == NULL);
}

CASE(a_record_is_permitted_to_its_tenant_while_it_is_enabled)
{
	const struct ady_caller acme = {.tenant = "acme"};
	struct ady_entry e = {.id = "k", .tenant = "acme"};
	struct ady_fault f = {0};
	struct ady_stored *s;

	s = ady_stored_new(&e);
	CHECK_ERR(ady_caller_permits(&acme, s, &f), ADY_OK);
	CHECK_ERR(ady_caller_permits(&(struct ady_caller){.tenant = "beta"}, s, &f),
	          ADY_E_NOT_FOUND);
	CHECK_STR(f.detail, "the store has no such key");
	s->disabled = true;
	CHECK_ERR(ady_caller_permits(&acme, s, &f), ADY_E_DENIED);
	CHECK(strstr(f.detail, "disabled") != NULL);
	CHECK_ERR(ady_caller_permits(&(struct ady_caller){.tenant = "beta"}, s, &f),
	          ADY_E_NOT_FOUND);
	s->disabled = false;
	s->deletion_s = 5;
	CHECK_ERR(ady_caller_permits(&acme, s, &f), ADY_E_DENIED);
	CHECK(strstr(f.detail, "deletion") != NULL);
	ady_stored_unref(s);
}

int main(void)
{
	RUN(a_token_names_its_tenant);
	RUN(an_administrator_sees_all_keys_and_signs_with_none);
	RUN(others_are_refused);
	RUN(without_callers_everyone_may);
	RUN(a_record_is_permitted_to_its_tenant_while_it_is_enabled);
	return test_end();
}
