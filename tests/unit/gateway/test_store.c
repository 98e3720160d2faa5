/* SPDX-License-Identifier: Apache-2.0
 *
 * The store and the credentials against a fake AWS. */
#include "gateway/store.h"

#include "fakes.h"

struct store_world {
	struct fake_aws aws;
	struct ady_gateway_config config;
	struct ady_credentials *credentials;
	struct ady_store *store;
	struct ady_loop *loop;
	pthread_t thread;
};

/* A waiter that is waited for. */
struct wait {
	struct ady_store_wait w;
	_Atomic bool done;
};

static void on_done(struct ady_store_wait *w)
{
	atomic_store(&((struct wait *)w)->done, true);
}

static void configure(struct store_world *w, const char *aws, const char *store)
{
	struct ady_fault f;
	char text[1024];

	snprintf(text, sizeof text,
	         "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:/none\",\"aws\":{"
	         "\"region\":\"r\",\"endpoint\":\"%s\",\"imds\":\"%s\"%s},\"store\":{%s}}",
	         w->aws.url, w->aws.url, aws, store);
	CHECK_ERR(ady_gateway_config_parse(&w->config, ady_bytes_str(text), &f), ADY_OK);
}

/* life_s: of the first credentials. */
static void start_world(struct store_world *w, const char *aws, const char *store, int life_s)
{
	struct ady_fault f;

	fake_aws_start(&w->aws);
	atomic_store(&w->aws.life_s, life_s);
	configure(w, aws, store);
	CHECK_ERR(ady_loop_open(&w->loop), ADY_OK);
	CHECK_ERR(ady_credentials_open(&w->credentials, &w->config.aws, &f), ADY_OK);
	CHECK_ERR(ady_store_open(&w->store, &w->config, w->credentials, &f), ADY_OK);
	pthread_create(&w->thread, NULL, fake_loop_main, w->loop);
}

static void open_world(struct store_world *w, const char *aws, const char *store)
{
	start_world(w, aws, store, 3600);
}

static void close_world(struct store_world *w)
{
	ady_store_close(w->store);
	ady_credentials_close(w->credentials);
	ady_loop_stop(w->loop);
	pthread_join(w->thread, NULL);
	ady_loop_close(w->loop);
	ady_gateway_config_clear(&w->config);
	fake_aws_stop(&w->aws);
}

static const char imds[] = ",\"credentials\":\"imds\"";

/* Get a record, waiting if need be. The caller gives it back. */
static struct ady_stored *get(struct store_world *w, const char *id, int64_t newer,
                              struct ady_fault *f)
{
	struct wait wait = {.w.loop = w->loop, .w.done = on_done};
	struct ady_stored *record;
	enum ady_err err = ady_store_get(w->store, ady_bytes_str(id), newer, &record, &wait.w);

	if (err == ADY_E_AGAIN) {
		WAIT_FOR(atomic_load(&wait.done));
		record = wait.w.record;
	}
	*f = wait.w.fault;
	return record;
}

CASE(records_are_cached_and_fetched_anew_when_asked)
{
	struct store_world w;
	struct ady_stored *a, *b;
	struct ady_fault f;

	open_world(&w, imds, "");
	a = get(&w, "k", 0, &f);
	CHECK(a && ady_bytes_is(a->text, "record-1") && ady_bytes_is(a->name, "k"));
	b = get(&w, "k", 0, &f);
	CHECK(a == b);
	ady_stored_unref(b);
	CHECK_INT(atomic_load(&w.aws.secrets), 1);
	CHECK_STR(w.aws.last_key, "IMDS0");
	sleep_ms(2);
	fake_aws_set_text(&w.aws, "record-2");
	b = get(&w, "k", a->fetched_ms, &f);
	CHECK(b && ady_bytes_is(b->text, "record-2"));
	CHECK_INT(atomic_load(&w.aws.secrets), 2);
	ady_stored_unref(a);
	ady_stored_unref(b);
	close_world(&w);
}

CASE(binary_secrets_are_decoded)
{
	struct store_world w;
	struct ady_stored *a;
	struct ady_fault f;

	open_world(&w, imds, "");
	w.aws.binary = true;
	fake_aws_set_text(&w.aws, "AAH/");
	a = get(&w, "k", 0, &f);
	CHECK(a && a->text.n == 3);
	if (a)
		CHECK_HEX(a->text.p, a->text.n, "0001ff");
	ady_stored_unref(a);
	fake_aws_set_text(&w.aws, "AA=H");
	CHECK(!get(&w, "k2", 0, &f));
	CHECK_ERR(f.err, ADY_E_RECORD);
	close_world(&w);
}

CASE(empty_secrets_are_refused)
{
	struct store_world w;
	struct ady_fault f;

	open_world(&w, imds, "");
	fake_aws_set_text(&w.aws, "");
	CHECK(!get(&w, "k", 0, &f));
	CHECK_ERR(f.err, ADY_E_RECORD);
	close_world(&w);
}

CASE(refusals_are_remembered_for_a_second)
{
	struct store_world w;
	struct ady_stored *a;
	struct ady_fault f;

	open_world(&w, imds, "");
	fake_aws_fail(&w.aws, 400, "ResourceNotFoundException");
	for (int i = 0; i < 5; i++) {
		CHECK(!get(&w, "k", 0, &f));
		CHECK_ERR(f.err, ADY_E_NOT_FOUND);
		CHECK_STR(f.cause, "ResourceNotFoundException");
	}
	CHECK_INT(atomic_load(&w.aws.secrets), 1);
	fake_aws_fail(&w.aws, 0, "");
	sleep_ms(1050);
	a = get(&w, "k", 0, &f);
	CHECK(a != NULL);
	ady_stored_unref(a);
	close_world(&w);
}

CASE(a_record_in_use_is_fetched_ahead)
{
	struct store_world w;
	struct ady_stored *a;
	struct ady_fault f;

	open_world(&w, imds, "\"cache_ms\":400");
	a = get(&w, "k", 0, &f);
	ady_stored_unref(a);
	fake_aws_set_text(&w.aws, "record-2");
	sleep_ms(330); /* in the last quarter: served, and fetched behind the scenes */
	a = get(&w, "k", 0, &f);
	CHECK(a && ady_bytes_is(a->text, "record-1"));
	ady_stored_unref(a);
	WAIT_FOR(atomic_load(&w.aws.secrets) == 2);
	sleep_ms(50);
	a = get(&w, "k", 0, &f);
	CHECK(a && ady_bytes_is(a->text, "record-2"));
	ady_stored_unref(a);
	CHECK_INT(atomic_load(&w.aws.secrets), 2);
	close_world(&w);
}

CASE(an_outage_during_the_early_fetch_does_not_end_a_fresh_record)
{
	struct store_world w;
	struct ady_stored *a;
	struct ady_fault f;

	open_world(&w, imds, "\"cache_ms\":2000");
	a = get(&w, "k", 0, &f);
	ady_stored_unref(a);
	fake_aws_fail(&w.aws, 500, "InternalServiceError");
	sleep_ms(1600);
	a = get(&w, "k", 0, &f);
	CHECK(a != NULL);
	ady_stored_unref(a);
	sleep_ms(200);
	a = get(&w, "k", 0, &f); /* still there */
	CHECK(a != NULL);
	ady_stored_unref(a);
	sleep_ms(400);
	CHECK(!get(&w, "k", 0, &f)); /* its time has passed */
	CHECK_ERR(f.err, ADY_E_STORE);
	close_world(&w);
}

CASE(health_follows_the_store)
{
	struct ady_store_report r;
	struct store_world w;
	struct ady_fault f;

	open_world(&w, imds, "\"prefix\":\"p/\"");
	ady_store_probe(w.store);
	WAIT_FOR((ady_store_report(w.store, &r), r.known));
	CHECK(r.ok); /* "no such secret" is an answer */
	CHECK_STR(w.aws.last_secret, "p/adyton-probe");
	CHECK_INT(r.fetches, 0);
	fake_aws_fail(&w.aws, 503, "ServiceUnavailable");
	CHECK(!get(&w, "k", 0, &f));
	ady_store_report(w.store, &r);
	CHECK(r.known && !r.ok && r.why[0]);
	CHECK_INT(r.failures, 1);
	fake_aws_fail(&w.aws, 0, "");
	sleep_ms(1050);
	ady_store_probe(w.store);
	WAIT_FOR((ady_store_report(w.store, &r), r.ok));
	close_world(&w);
}

CASE(waits_follow_the_life_of_credentials)
{
	enum { MIN = 60000 };

	CHECK_INT(ady_credentials_wait_ms(0, 0), 5 * MIN);           /* they never expire */
	CHECK_INT(ady_credentials_wait_ms(360 * MIN, 0), 345 * MIN); /* until 15 minutes remain */
	CHECK_INT(ady_credentials_wait_ms(15 * MIN, 0), 15 * MIN / 2);
	CHECK_INT(ady_credentials_wait_ms(20 * MIN, 0), 10 * MIN);
	CHECK_INT(ady_credentials_wait_ms(1, 0), 500);
	for (unsigned j = 0; j < 65536; j += 1024) {
		int64_t wait = ady_credentials_wait_ms(360 * MIN, (uint16_t)j);

		CHECK(wait <= 345 * MIN && wait > 310 * MIN);
	}
}

CASE(credentials_rotate_and_old_ones_stay_until_then)
{
	struct store_world w;
	struct ady_aws_credentials c;
	uint64_t first;

	open_world(&w, imds, "");
	WAIT_FOR(ady_credentials_version(w.credentials) > 0);
	first = ady_credentials_get(w.credentials, ADY_FOR_ENCLAVE, &c);
	CHECK_STR(c.access_key, "IMDS0");
	CHECK(ady_credentials_life_s(w.credentials) > 3500);
	atomic_store(&w.aws.imds_down, true);
	CHECK(!ady_credentials_await(w.credentials, first, 3000)); /* tried, in vain */
	CHECK_INT(ady_credentials_get(w.credentials, ADY_FOR_ENCLAVE, &c), first);
	CHECK_STR(c.access_key, "IMDS0");
	atomic_store(&w.aws.imds_down, false);
	atomic_store(&w.aws.generation, 1);
	WAIT_FOR(ady_credentials_await(w.credentials, first, 3000));
	ady_credentials_get(w.credentials, ADY_FOR_STORE, &c);
	CHECK_STR(c.access_key, "IMDS1");
	close_world(&w);
}

CASE(short_lived_credentials_are_refreshed_by_themselves)
{
	struct store_world w;
	struct ady_aws_credentials c = {0};

	start_world(&w, imds, "", 4);
	WAIT_FOR(ady_credentials_version(w.credentials) > 0);
	atomic_store(&w.aws.life_s, 3600);
	atomic_store(&w.aws.generation, 7);
	WAIT_FOR((ady_credentials_get(w.credentials, ADY_FOR_ENCLAVE, &c),
	          strcmp(c.access_key, "IMDS7") == 0));
	close_world(&w);
}

CASE(the_enclave_gets_the_narrower_role)
{
	struct store_world w;
	struct ady_aws_credentials c;

	open_world(&w,
	           ",\"credentials\":\"imds\",\"assume_role\":{\"role_arn\":"
	           "\"arn:aws:iam::111122223333:role/r\",\"session_policy\":\"{}\"}",
	           "");
	WAIT_FOR(ady_credentials_version(w.credentials) > 0);
	ady_credentials_get(w.credentials, ADY_FOR_ENCLAVE, &c);
	CHECK_STR(c.access_key, "ROLE0");
	ady_credentials_get(w.credentials, ADY_FOR_STORE, &c);
	CHECK_STR(c.access_key, "IMDS0");
	close_world(&w);
}

int main(void)
{
	RUN(records_are_cached_and_fetched_anew_when_asked);
	RUN(binary_secrets_are_decoded);
	RUN(empty_secrets_are_refused);
	RUN(refusals_are_remembered_for_a_second);
	RUN(a_record_in_use_is_fetched_ahead);
	RUN(an_outage_during_the_early_fetch_does_not_end_a_fresh_record);
	RUN(health_follows_the_store);
	RUN(waits_follow_the_life_of_credentials);
	RUN(credentials_rotate_and_old_ones_stay_until_then);
	RUN(short_lived_credentials_are_refreshed_by_themselves);
	RUN(the_enclave_gets_the_narrower_role);
	return test_end();
}
