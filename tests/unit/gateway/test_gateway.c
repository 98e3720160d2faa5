/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole gateway between fakes (fakes.h): a fake enclave that signs nothing, a fake AWS. */
#include "gateway/gateway.h"

#include "world.h"

static const char sign_path[] = "/v1/keys/k1/sign";
static const char sign_body[] = "{\"transaction\":{}}";

/* A request and what its problem document must say. */
static void refused(struct world *w, const char *method, const char *path, const char *fields,
                    const char *body, int status, const char *code, const char *where)
{
	struct reply r;
	char type[96];

	http_do(w->port, method, path, fields, body, &r);
	CHECK_INT(r.status, status);
	CHECK_STR(reply_text(&r, "code"), code);
	CHECK_STR(reply_text(&r, "where"), where);
	snprintf(type, sizeof type, "urn:adyton:error:%s", code);
	CHECK_STR(reply_text(&r, "type"), type);
	CHECK_INT(json_integer_value(json_object_get(r.json, "status")), status);
	CHECK(*reply_text(&r, "title") && *reply_text(&r, "request_id"));
	CHECK(strstr(r.head, "application/problem+json") != NULL);
	CHECK(strstr(r.head, "X-Request-Id: ") != NULL);
	CHECK((strstr(r.head, "Retry-After: ") != NULL) == (status == 503));
	reply_free(&r);
}

CASE(both_forms_are_answered)
{
	struct world w;
	struct reply r;

	open_world(&w, "\"prefix\":\"team/\"", "");
	http_do(w.port, "POST", "/v1/keys/a%2Fb/sign", "Content-Type: application/json\r\n",
	        sign_body, &r);
	CHECK_INT(r.status, 200);
	CHECK_STR(reply_text(&r, "signed_transaction"), "0x02f801");
	CHECK_INT(strlen(reply_text(&r, "transaction_hash")), 66);
	CHECK_INT(strlen(reply_text(&r, "from")), 42);
	CHECK_INT(
	    json_integer_value(json_object_get(json_object_get(r.json, "signature"), "yParity")),
	    1);
	CHECK_STR(w.enclave.key_id, "team/a/b");
	CHECK_STR(w.enclave.record, "record-1");
	CHECK_STR(w.enclave.request, sign_body);
	CHECK(w.enclave.deadline_ms > 9000 && w.enclave.deadline_ms <= 10000);
	CHECK(strstr(r.head, "application/json") != NULL);
	reply_free(&r);

	http_do(w.port, "POST", "/", "",
	        "{\"secret_id\":\"arn:aws:secretsmanager:us-east-1:111122223333:secret:k-AbCdEf\","
	        "\"transaction_payload\":{}}",
	        &r);
	CHECK_INT(r.status, 200);
	CHECK_STR(reply_text(&r, "transaction_signed"), "0x02f801");
	CHECK_INT(json_object_size(r.json), 2);
	CHECK_STR(w.enclave.key_id, "k"); /* the secret's name, not what was asked with */
	reply_free(&r);
	close_world(&w);
}

CASE(requests_are_refused_with_reasons)
{
	struct world w;
	char deep[600];

	open_world(&w, "", "");
	refused(&w, "GET", "/nowhere", "", "", 404, "not_found", "path");
	refused(&w, "GET", sign_path, "", "", 405, "method_not_allowed", "method");
	refused(&w, "GET", "/", "", "", 405, "method_not_allowed", "method");
	refused(&w, "POST", "/healthz", "", "", 405, "method_not_allowed", "method");
	refused(&w, "POST", "/v1/keys/a/b/sign", "", "{}", 404, "not_found", "path");
	refused(&w, "POST", "/v1/keys//sign", "", "{}", 404, "not_found", "path");
	refused(&w, "POST", "/v1/keys/a%00b/sign", "", "{}", 400, "field_invalid", "id");
	refused(&w, "POST", "/v1/keys/a%0ab/sign", "", "{}", 400, "field_invalid", "id");
	refused(&w, "POST", "/v1/keys/a%zz/sign", "", "{}", 400, "field_invalid", "id");
	refused(&w, "POST", "/v1/keys/a%20b/sign", "", "{}", 400, "field_invalid", "id");
	refused(&w, "POST", sign_path, "Content-Type: text/plain\r\n", "{}", 415,
	        "media_type_unsupported", "content-type");
	refused(&w, "POST", sign_path, "Content-Type: application/jsonx\r\n", "{}", 415,
	        "media_type_unsupported", "content-type");
	refused(&w, "POST", "/", "Origin: https://evil.example\r\n", "{}", 403, "denied", "");
	refused(&w, "POST", "/", "", "{", 400, "json_malformed", "");
	refused(&w, "POST", "/", "", "{}", 400, "field_missing", "secret_id");
	refused(&w, "POST", "/", "", "{\"secret_id\":1}", 400, "field_invalid", "secret_id");
	refused(&w, "POST", "/", "", "{\"secret_id\":\"\"}", 400, "field_invalid", "secret_id");
	refused(&w, "POST", "/", "", "{\"secret_id\":\"a\\u0000\"}", 400, "field_invalid",
	        "secret_id");
	refused(&w, "POST", "/", "", "{\"secret_id\":\"a b\"}", 400, "field_invalid", "secret_id");
	memset(deep, '[', sizeof deep);
	memcpy(deep, "{\"secret_id\":", 13);
	deep[sizeof deep - 1] = '\0';
	refused(&w, "POST", "/", "", deep, 413, "too_large", "");
	refused(&w, "GET", "/v1/attestation?nonce=0", "", "", 400, "field_invalid", "nonce");
	refused(&w, "GET", "/v1/attestation?Nonce=00", "", "", 400, "field_invalid", "nonce");
	refused(&w, "GET", "/v1/attestation?nonce=00&x=1", "", "", 400, "field_invalid", "nonce");
	refused(&w, "POST", "/v1/keys/missing/sign", "", "{}", 404, "not_found", "");
	CHECK_INT(atomic_load(&w.enclave.signs), 0); /* none of these reached the enclave */
	close_world(&w);
}

CASE(a_body_too_large_is_refused_with_a_problem)
{
	struct world w;
	struct reply r;
	int fd;

	open_world(&w, "", "");
	fd = http_open(w.port);
	http_send(fd, "POST", sign_path, "Content-Length: 99999999\r\n", "");
	close(fd); /* two lengths: see the parser's own tests */
	fd = http_open(w.port);
	CHECK(send(fd, "POST /v1/keys/k/sign HTTP/1.1\r\nHost: x\r\nContent-Length: 140000\r\n\r\n",
	           66, MSG_NOSIGNAL) > 0);
	CHECK(http_read(fd, &r));
	CHECK_INT(r.status, 413);
	CHECK_STR(reply_text(&r, "code"), "too_large");
	reply_free(&r);
	close(fd);
	close_world(&w);
}

CASE(what_the_enclave_says_reaches_the_client)
{
	static const enum ady_err all[] = {ADY_E_FIELD_UNKNOWN,   ADY_E_CHECKSUM, ADY_E_FROM,
	                                   ADY_E_KEY_RANGE,       ADY_E_KMS,      ADY_E_KMS_REPLY,
	                                   ADY_E_KMS_UNAVAILABLE, ADY_E_BUSY,     ADY_E_DEADLINE,
	                                   ADY_E_RECORD_MISMATCH, ADY_E_NSM};
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		pthread_mutex_lock(&w.enclave.lock);
		w.enclave.fault = (struct ady_fault){.err = all[i],
		                                     .where = "transaction.to",
		                                     .detail = "a \"why\"",
		                                     .cause = "Name"};
		pthread_mutex_unlock(&w.enclave.lock);
		atomic_store(&w.enclave.mode, FAKE_REFUSES);
		http_do(w.port, "POST", sign_path, "X-Request-Id: my.id-1\r\n", sign_body, &r);
		CHECK_INT(r.status, ady_err_status(all[i]));
		CHECK_STR(reply_text(&r, "code"), ady_err_code(all[i]));
		CHECK_STR(reply_text(&r, "where"), "transaction.to");
		CHECK_STR(reply_text(&r, "detail"), "a \"why\"");
		CHECK_STR(reply_text(&r, "cause"), "Name");
		CHECK_STR(reply_text(&r, "request_id"), "my.id-1");
		CHECK(strstr(r.head, "X-Request-Id: my.id-1\r\n") != NULL);
		reply_free(&r);
	}
	http_do(w.port, "POST", sign_path, "X-Request-Id: bad id\r\n", sign_body, &r);
	CHECK_INT(strlen(reply_text(&r, "request_id")), 16); /* made here */
	reply_free(&r);
	close_world(&w);
}

CASE(credentials_come_before_any_request)
{
	struct world w;
	struct reply r;
	const char *s;

	open_world(&w, "", "");
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	CHECK_STR(w.enclave.access_key, "IMDS0");
	s = memchr(w.enclave.order, 's', w.enclave.order_n);
	CHECK(s != NULL);
	CHECK_INT(memchr(w.enclave.order, 'h', (size_t)(s - w.enclave.order)) != NULL, 1);
	CHECK_INT(memchr(w.enclave.order, 'c', (size_t)(s - w.enclave.order)) != NULL, 1);
	close_world(&w);
}

CASE(expired_credentials_are_refreshed_and_the_request_repeated)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	snprintf(w.enclave.wanted_key, sizeof w.enclave.wanted_key, "IMDS1");
	atomic_store(&w.enclave.mode, FAKE_WANTS_CREDENTIALS);
	atomic_store(&w.aws.generation, 1);
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 200);
	CHECK_INT(atomic_load(&w.enclave.signs), 2);
	CHECK_STR(w.enclave.access_key, "IMDS1");
	reply_free(&r);
	/* and when newer ones do not help, the refusal is passed on */
	snprintf(w.enclave.wanted_key, sizeof w.enclave.wanted_key, "IMDS2");
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 503);
	CHECK_STR(reply_text(&r, "code"), "credentials_unavailable");
	CHECK_STR(reply_text(&r, "cause"), "ExpiredTokenException");
	CHECK_INT(atomic_load(&w.enclave.signs), 4);
	reply_free(&r);
	/* and when there are none at all, it is passed on without another attempt */
	atomic_store(&w.aws.imds_down, true);
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 503);
	CHECK_STR(reply_text(&r, "code"), "credentials_unavailable");
	CHECK_INT(atomic_load(&w.enclave.signs), 5);
	reply_free(&r);
	close_world(&w);
}

CASE(the_store_s_own_expired_credentials_are_refreshed)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	fake_aws_fail(&w.aws, 400, "ExpiredTokenException");
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 503);
	CHECK_STR(reply_text(&r, "code"), "credentials_unavailable");
	CHECK(atomic_load(&w.aws.imds) >= 2); /* it has tried to get newer ones */
	reply_free(&r);
	close_world(&w);
}

CASE(an_old_record_is_fetched_again_once)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	fake_aws_set_text(&w.aws, "record-2");
	pthread_mutex_lock(&w.enclave.lock);
	w.enclave.fault =
	    (struct ady_fault){.err = ADY_E_KMS, .cause = "InvalidCiphertextException"};
	snprintf(w.enclave.wanted_record, sizeof w.enclave.wanted_record, "record-2");
	pthread_mutex_unlock(&w.enclave.lock);
	sleep_ms(1100); /* a record younger than a second is not suspected */
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 200);
	CHECK_INT(atomic_load(&w.aws.secrets), 2);
	CHECK_INT(atomic_load(&w.enclave.signs), 3);
	reply_free(&r);
	/* the same record again: the refusal stands, and nothing is asked a third time */
	pthread_mutex_lock(&w.enclave.lock);
	snprintf(w.enclave.wanted_record, sizeof w.enclave.wanted_record, "record-3");
	pthread_mutex_unlock(&w.enclave.lock);
	sleep_ms(1100);
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 502);
	CHECK_STR(reply_text(&r, "cause"), "InvalidCiphertextException");
	CHECK_INT(atomic_load(&w.aws.secrets), 3);
	CHECK_INT(atomic_load(&w.enclave.signs), 4);
	reply_free(&r);
	close_world(&w);
}

CASE(concurrent_requests_share_one_fetch)
{
	enum { N = 20 };
	struct world w;
	struct reply r;
	int fds[N];

	open_world(&w, "", "");
	atomic_store(&w.aws.delay_ms, 200);
	for (int i = 0; i < N; i++) {
		fds[i] = http_open(w.port);
		http_send(fds[i], "POST", sign_path, "", sign_body);
	}
	for (int i = 0; i < N; i++) {
		CHECK(http_read(fds[i], &r));
		CHECK_INT(r.status, 200);
		reply_free(&r);
		close(fds[i]);
	}
	CHECK_INT(atomic_load(&w.aws.secrets), 1);
	close_world(&w);
}

CASE(refusals_of_the_store_have_their_codes)
{
	static const struct {
		int status;
		const char *error, *code;
		int want;
	} all[] = {
	    {400, "ResourceNotFoundException", "not_found", 404},
	    {400, "InvalidRequestException", "not_found", 404},
	    {400, "AccessDeniedException", "denied", 403},
	    {400, "DecryptionFailure", "record_malformed", 422},
	    {500, "InternalServiceError", "store_unavailable", 503},
	};
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char path[64];

		snprintf(path, sizeof path, "/v1/keys/key%zu/sign", i);
		fake_aws_fail(&w.aws, all[i].status, all[i].error);
		http_do(w.port, "POST", path, "", sign_body, &r);
		CHECK_INT(r.status, all[i].want);
		CHECK_STR(reply_text(&r, "code"), all[i].code);
		CHECK_STR(reply_text(&r, "cause"), all[i].error);
		reply_free(&r);
	}
	close_world(&w);
}

CASE(a_dead_link_fails_what_is_in_flight_and_comes_back)
{
	enum { N = 10 };
	struct world w;
	struct reply r;
	int fds[N];
	int64_t before;

	open_world(&w, "", "");
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	for (int i = 0; i < N; i++) {
		fds[i] = http_open(w.port);
		http_send(fds[i], "POST", sign_path, "", sign_body);
	}
	WAIT_FOR(atomic_load(&w.enclave.signs) == N);
	before = ady_mono_ms();
	fake_enclave_cut(&w.enclave);
	for (int i = 0; i < N; i++) {
		CHECK(http_read(fds[i], &r));
		CHECK_INT(r.status, 503);
		CHECK_STR(reply_text(&r, "code"), "enclave_unavailable");
		reply_free(&r);
		close(fds[i]);
	}
	CHECK(ady_mono_ms() - before < 8000); /* and not by their deadlines, of 10 s */
	atomic_store(&w.enclave.mode, FAKE_SIGNS);
	WAIT_FOR(atomic_load(&w.enclave.hellos) >= 4 && atomic_load(&w.enclave.credentials) >= 4);
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	close_world(&w);
}

CASE(a_hung_enclave_is_noticed)
{
	struct world w;
	struct reply r;
	int64_t before = ady_mono_ms();
	int fd;

	open_world(&w, "", "");
	atomic_store(&w.enclave.hangs, true);
	fd = http_open(w.port);
	http_send(fd, "POST", sign_path, "", sign_body);
	CHECK(http_read(fd, &r));
	close(fd);
	CHECK_INT(r.status, 503);
	CHECK_STR(reply_text(&r, "code"), "enclave_unavailable");
	CHECK(ady_mono_ms() - before < 9500); /* before its deadline */
	reply_free(&r);
	http_do(w.port, "GET", "/readyz", "", "", &r);
	CHECK_INT(r.status, 503);
	reply_free(&r);
	close_world(&w);
}

CASE(too_many_requests_are_shed_at_once)
{
	enum { LIMIT = 2 * 4 };
	struct world w;
	struct reply r;
	int fds[LIMIT];
	int64_t before;

	fake_aws_start(&w.aws);
	fake_enclave_start(&w.enclave);
	atomic_store(&w.enclave.lanes, 1);
	atomic_store(&w.enclave.depth, 3);
	start(&w, "", "");
	http_do(w.port, "POST", sign_path, "", sign_body, &r); /* into the cache */
	reply_free(&r);
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	for (int i = 0; i < LIMIT; i++) {
		fds[i] = http_open(w.port);
		http_send(fds[i], "POST", sign_path, "", sign_body);
	}
	WAIT_FOR(atomic_load(&w.enclave.signs) == LIMIT + 1);
	before = ady_mono_us();
	refused(&w, "POST", sign_path, "", sign_body, 503, "overloaded", "");
	CHECK(ady_mono_us() - before < 5000000); /* nothing was waited for: that ends after 10 s */
	http_do(w.port, "GET", "/healthz", "", "", &r);
	CHECK_INT(r.status, 200); /* health is outside the bound */
	reply_free(&r);
	fake_enclave_cut(&w.enclave); /* the places are free again */
	for (int i = 0; i < LIMIT; i++) {
		CHECK(http_read(fds[i], &r));
		CHECK_INT(r.status, 503);
		reply_free(&r);
		close(fds[i]);
	}
	atomic_store(&w.enclave.mode, FAKE_SIGNS);
	WAIT_FOR(atomic_load(&w.enclave.hellos) >= 4 && atomic_load(&w.enclave.credentials) >= 4);
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	close_world(&w);
}

CASE(a_deadline_is_kept)
{
	struct world w;
	int64_t before;

	open_world(&w, "", ",\"request_timeout_ms\":300");
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	before = ady_mono_ms();
	refused(&w, "POST", sign_path, "", sign_body, 504, "deadline_exceeded", "");
	CHECK(ady_mono_ms() - before >= 300);
	CHECK(w.enclave.deadline_ms <= 300);
	atomic_store(&w.aws.delay_ms, 600);
	refused(&w, "POST", "/v1/keys/slow/sign", "", sign_body, 504, "deadline_exceeded", "");
	close_world(&w); /* the fetch comes back to an op that was answered */
}

CASE(attestation_health_readiness_and_metrics)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	http_do(w.port, "GET", "/v1/attestation", "", "", &r);
	CHECK_INT(r.status, 200);
	CHECK_STR(reply_text(&r, "document"), "ZG9jdW1lbnQ=");
	reply_free(&r);
	http_do(w.port, "GET", "/v1/attestation?nonce=00ff", "", "", &r);
	CHECK_STR(reply_text(&r, "document"), "AP8=");
	reply_free(&r);
	http_do(w.port, "GET", "/healthz", "", "", &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	for (int i = 0; i < 3000; i++) {
		http_do(w.port, "GET", "/readyz", "", "", &r);
		if (r.status == 200)
			break;
		reply_free(&r);
		sleep_ms(10);
	}
	CHECK_INT(r.status, 200);
	CHECK(json_is_true(json_object_get(r.json, "ready")));
	CHECK(json_is_true(json_object_get(json_object_get(r.json, "kms"), "ok")));
	reply_free(&r);
	http_do(w.port, "POST", sign_path, "", sign_body, &r);
	reply_free(&r);
	http_do(w.port, "GET", "/metrics", "", "", &r);
	CHECK_INT(r.status, 200);
	CHECK(strstr(r.body, "adyton_requests_total{route=\"sign\",status=\"200\"} 1\n") != NULL);
	CHECK(strstr(r.body, "adyton_stage_seconds_count{stage=\"enclave\"} 1\n") != NULL);
	CHECK(strstr(r.body, "adyton_links_up 2\n") != NULL);
	CHECK(strstr(r.body, "adyton_in_flight 0\n") != NULL);
	CHECK(strstr(r.body, "adyton_store_fetches_total") != NULL);
	reply_free(&r);
	fake_enclave_cut(&w.enclave);
	close_world(&w);
}

CASE(a_drain_ends_when_requests_are_answered)
{
	struct world w;
	struct reply r;
	int64_t before;
	int fd;

	open_world(&w, "", "");
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	fd = http_open(w.port);
	http_send(fd, "POST", sign_path, "", sign_body);
	WAIT_FOR(atomic_load(&w.enclave.signs) == 1);
	before = ady_mono_ms();
	ady_gateway_drain(w.gateway, 300); /* the enclave never answers: cut after 300 ms */
	CHECK(ady_mono_ms() - before >= 250);
	CHECK(ady_mono_ms() - before < 5000);
	CHECK(!http_read(fd, &r));
	close(fd);
	close_world(&w);
}

CASE(a_gateway_without_enclave_says_so)
{
	struct world w;
	struct reply r;

	open_world(&w, "", "");
	ady_gateway_close(w.gateway);
	fake_enclave_stop(&w.enclave);
	{
		struct ady_fault f;
		struct ady_dyn ready = {0};

		CHECK_ERR(ady_gateway_open(&w.gateway, &w.config, &f), ADY_OK);
		ady_gateway_put_ready(w.gateway, &ready);
		w.port = (unsigned)strtoul(strrchr(ady_dyn_cstr(&ready), ':') + 1, NULL, 10);
		ady_dyn_free(&ready);
	}
	refused(&w, "POST", sign_path, "", sign_body, 503, "enclave_unavailable", "");
	http_do(w.port, "GET", "/readyz", "", "", &r);
	CHECK_INT(r.status, 503);
	CHECK(json_is_false(json_object_get(json_object_get(r.json, "enclave"), "ok")));
	reply_free(&r);
	http_do(w.port, "GET", "/healthz", "", "", &r);
	CHECK_INT(r.status, 200);
	reply_free(&r);
	ady_gateway_close(w.gateway);
	ady_gateway_config_clear(&w.config);
	fake_aws_stop(&w.aws);
}

int main(void)
{
	RUN(both_forms_are_answered);
	RUN(requests_are_refused_with_reasons);
	RUN(a_body_too_large_is_refused_with_a_problem);
	RUN(what_the_enclave_says_reaches_the_client);
	RUN(credentials_come_before_any_request);
	RUN(expired_credentials_are_refreshed_and_the_request_repeated);
	RUN(the_store_s_own_expired_credentials_are_refreshed);
	RUN(an_old_record_is_fetched_again_once);
	RUN(concurrent_requests_share_one_fetch);
	RUN(refusals_of_the_store_have_their_codes);
	RUN(a_dead_link_fails_what_is_in_flight_and_comes_back);
	RUN(a_hung_enclave_is_noticed);
	RUN(too_many_requests_are_shed_at_once);
	RUN(a_deadline_is_kept);
	RUN(attestation_health_readiness_and_metrics);
	RUN(a_drain_ends_when_requests_are_answered);
	RUN(a_gateway_without_enclave_says_so);
	return test_end();
}
