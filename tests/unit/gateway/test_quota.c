/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/quota.h"

#include "test.h"

static struct ady_gateway_config config;

static void configure(const char *quotas)
{
	char text[1024], hash[65] = {0};
	struct ady_fault f = {0};

	memset(hash, '0', 64);
	snprintf(text, sizeof text,
	         "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:/e\",\"aws\":{\"region\":"
	         "\"r\"},\"callers\":[{\"tenant\":\"a\",\"token_sha256\":\"%.63s1\"},"
	         "{\"tenant\":\"b\",\"token_sha256\":\"%.63s2\"},"
	         "{\"tenant\":\"a\",\"token_sha256\":\"%.63s3\"},"
	         "{\"tenant\":\"c\",\"token_sha256\":\"%.63s4\"}],\"quotas\":%s}",
	         hash, hash, hash, hash, quotas);
	if (!CHECK_ERR(ady_gateway_config_parse(&config, ady_bytes_str(text), &f), ADY_OK))
		fprintf(stderr, "    %s %s\n", f.where, f.detail);
}

static const struct ady_caller a = {.tenant = "a", .tenant_index = 0};
static const struct ady_caller b = {.tenant = "b", .tenant_index = 1};
static const struct ady_caller c = {.tenant = "c", .tenant_index = 3};

CASE(callers_of_one_tenant_share_a_bucket_and_others_have_their_own)
{
	struct ady_quotas *q;
	struct ady_fault f = {0};
	int64_t now = 1000000000;
	size_t granted = 0;

	configure("{\"a\":{\"rate\":10,\"burst\":5},\"*\":{\"rate\":100}}");
	CHECK_INT(config.callers[2].tenant_index, 0);
	CHECK_ERR(ady_quotas_open(&q, &config), ADY_OK);
	for (int i = 0; i < 20; i++)
		granted += ady_quota_take(q, &a, 1, now, &f) == ADY_OK;
	CHECK_INT(granted, 5);
	CHECK_ERR(f.err, ADY_E_RATE);
	CHECK_STR(f.detail, "the tenant has used its 10 signatures a second");
	CHECK_ERR(ady_quota_take(q, &b, 1, now, &f), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &a, 1, now + 99000, &f), ADY_E_RATE);
	CHECK_ERR(ady_quota_take(q, &a, 1, now + 100000, &f), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &a, 1, now + 100000, &f), ADY_E_RATE);
	/* Ten seconds at ten times the rate: what is granted is the rate. */
	granted = 0;
	for (int i = 0; i < 1000; i++)
		granted += ady_quota_take(q, &a, 1, now + 1000000 + i * 10000, &f) == ADY_OK;
	CHECK(granted >= 100 && granted <= 106);
	ady_quotas_close(q);
	ady_gateway_config_clear(&config);
}

CASE(many_at_once_are_let_through_and_waited_for)
{
	struct ady_quotas *q;
	struct ady_fault f = {0};
	int64_t now = 1000000000;
	size_t granted = 0;

	configure("{\"a\":{\"rate\":10,\"burst\":5}}");
	CHECK_ERR(ady_quotas_open(&q, &config), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &a, 3, now, &f), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &a, 1, now, &f), ADY_OK);
	/* One is left: all of them, and 7.5 s until there is one again. */
	CHECK_ERR(ady_quota_take(q, &a, 76, now, &f), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &a, 1, now, &f), ADY_E_RATE);
	CHECK_ERR(ady_quota_take(q, &a, 1, now + 7599999, &f), ADY_E_RATE);
	CHECK_ERR(ady_quota_take(q, &a, 1000, now + 7600000, &f), ADY_OK);
	/* However many are asked for, a minute has no more than its rate, its burst and one
	 * request. */
	now += 200000000;
	for (int i = 0; i < 6000; i++)
		granted += ady_quota_take(q, &a, 20, now + i * 10000, &f) == ADY_OK ? 20 : 0;
	CHECK(granted >= 600 && granted <= 625);
	ady_quotas_close(q);
	ady_gateway_config_clear(&config);
}

CASE(without_a_quota_nothing_is_counted)
{
	struct ady_quotas *q;
	struct ady_fault f = {0};

	configure("{\"a\":{\"rate\":1}}");
	CHECK_ERR(ady_quotas_open(&q, &config), ADY_OK);
	for (int i = 0; i < 1000; i++)
		CHECK_ERR(ady_quota_take(q, &b, 1, 5, &f), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &(struct ady_caller){.everyone = true}, 1, 5, &f), ADY_OK);
	CHECK_ERR(ady_quota_take(q, &(struct ady_caller){.admin = true}, 1, 5, &f), ADY_OK);
	ady_quotas_close(q);
	ady_gateway_config_clear(&config);
}

static struct ady_fair_wait waits[3000];

/* Who got the next n turns, as letters. */
static const char *turns(struct ady_fair *fair, size_t n)
{
	static char text[64];

	memset(text, 0, sizeof text);
	for (size_t i = 0; i < n; i++) {
		struct ady_fair_wait *w = ady_fair_pop(fair);

		text[i] = !w ? '-' : w->tenant == 0 ? 'a' : w->tenant == 1 ? 'b' : 'c';
	}
	return text;
}

CASE(turns_follow_the_weights_however_much_is_asked)
{
	struct ady_fair *fair;
	size_t n = 0, of_b = 0;
	const char *got;

	configure("{\"a\":{\"weight\":1},\"b\":{\"weight\":3}}");
	CHECK_ERR(ady_fair_open(&fair, &config), ADY_OK);
	for (int i = 0; i < 200; i++)
		CHECK_ERR(ady_fair_push(fair, &a, &waits[n++]), ADY_OK);
	for (int i = 0; i < 40; i++)
		CHECK_ERR(ady_fair_push(fair, &b, &waits[n++]), ADY_OK);
	got = turns(fair, 40);
	for (size_t i = 0; i < 40; i++)
		of_b += got[i] == 'b';
	CHECK(of_b >= 29 && of_b <= 31);
	/* Who comes late is not behind all that wait already. */
	CHECK_ERR(ady_fair_push(fair, &c, &waits[n++]), ADY_OK);
	CHECK(strchr(turns(fair, 6), 'c') != NULL);
	while (ady_fair_pop(fair))
		;
	CHECK_INT(ady_fair_waiting(fair), 0);
	ady_fair_close(fair);
	ady_gateway_config_clear(&config);
}

CASE(the_queue_is_bounded_and_shared_by_weight)
{
	struct ady_fair *fair;
	size_t n = 0;

	configure("{}");
	CHECK_ERR(ady_fair_open(&fair, &config), ADY_OK);
	while (n < 3000 && ady_fair_push(fair, &a, &waits[n]) == ADY_OK)
		n++;
	CHECK_INT(n, 2048 / 3);
	CHECK_ERR(ady_fair_push(fair, &b, &waits[n]), ADY_OK);
	CHECK_ERR(ady_fair_push(fair, &(struct ady_caller){.everyone = true}, &waits[n + 1]),
	          ADY_E_BUSY);
	CHECK_ERR(ady_fair_push(fair, &(struct ady_caller){.admin = true}, &waits[n + 1]),
	          ADY_E_BUSY);
	while (ady_fair_pop(fair))
		;
	ady_fair_close(fair);
	ady_gateway_config_clear(&config);
}

CASE(a_tenant_of_little_weight_has_a_few_places)
{
	struct ady_fair *fair;
	size_t n = 0;

	configure("{\"b\":{\"weight\":1000}}");
	CHECK_ERR(ady_fair_open(&fair, &config), ADY_OK);
	while (n < 3000 && ady_fair_push(fair, &a, &waits[n]) == ADY_OK)
		n++;
	CHECK_INT(n, 16);
	while (ady_fair_pop(fair))
		;
	ady_fair_close(fair);
	ady_gateway_config_clear(&config);
}

CASE(who_leaves_is_gone_and_who_is_put_back_is_next)
{
	struct ady_fair *fair;
	struct ady_fair_wait *w;

	configure("{}");
	CHECK_ERR(ady_fair_open(&fair, &config), ADY_OK);
	for (size_t i = 0; i < 3; i++)
		CHECK_ERR(ady_fair_push(fair, &a, &waits[i]), ADY_OK);
	ady_fair_remove(fair, &waits[2]);
	ady_fair_remove(fair, &waits[2]);
	w = ady_fair_pop(fair);
	CHECK(w == &waits[0]);
	ady_fair_unpop(fair, w);
	CHECK(ady_fair_pop(fair) == &waits[0]);
	CHECK_ERR(ady_fair_push(fair, &a, &waits[2]), ADY_OK);
	CHECK(ady_fair_pop(fair) == &waits[1] && ady_fair_pop(fair) == &waits[2]);
	CHECK(!ady_fair_pop(fair));
	ady_fair_unpop(fair, &waits[2]); /* where nobody else waits */
	CHECK_ERR(ady_fair_push(fair, &a, &waits[3]), ADY_OK);
	CHECK(ady_fair_pop(fair) == &waits[2] && ady_fair_pop(fair) == &waits[3]);
	CHECK_INT(ady_fair_waiting(fair), 0);
	ady_fair_close(fair);
	ady_gateway_config_clear(&config);
}

int main(void)
{
	RUN(callers_of_one_tenant_share_a_bucket_and_others_have_their_own);
	RUN(many_at_once_are_let_through_and_waited_for);
	RUN(without_a_quota_nothing_is_counted);
	RUN(turns_follow_the_weights_however_much_is_asked);
	RUN(the_queue_is_bounded_and_shared_by_weight);
	RUN(a_tenant_of_little_weight_has_a_few_places);
	RUN(who_leaves_is_gone_and_who_is_put_back_is_next);
	return test_end();
}
