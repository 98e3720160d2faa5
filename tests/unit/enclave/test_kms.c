/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/kms_session.h"

#include <fcntl.h>
#include <signal.h>

#include "base/clock.h"
#include "enclave/tls.h"
#include "fake_kms.h"
#include "fake_nsm.h"
#include "test.h"

enum { PLENTY_MS = 60000 };

static uint32_t kms_timeout_ms = PLENTY_MS;

static char dir[] = "/tmp/adyton-kms-XXXXXX";
static const char secret[] = "\x01\x23 a private key of 32 bytes, no";

/* A session and all around it. */
struct world {
	struct fake_nsm nsm;
	struct fake_kms kms;
	struct ady_enclave_config config;
	struct ady_nsm *module;
	struct ady_credentials *credentials;
	struct ady_recipient *recipient;
	struct ady_kms_session *session;
};

/* How a world differs from a good one. */
struct twist {
	const char *server_name; /* of the certificate; NULL: the right one */
	bool other_ca;           /* the configuration's root is another CA */
	bool no_credentials;
	uint32_t attestation_max_age_s;
};

static void set_credentials(struct world *w)
{
	struct ady_wire_credentials m = {.access_key = ady_bytes_str("AKIDEXAMPLE"),
	                                 .secret_key = ady_bytes_str("secret"),
	                                 .token = ady_bytes_str("session-token")};
	bool changed;

	CHECK_ERR(ady_credentials_set(w->credentials, &m, &changed, NULL), ADY_OK);
	CHECK(changed);
	CHECK_ERR(ady_credentials_set(w->credentials, &m, &changed, NULL), ADY_OK);
	CHECK(!changed);
}

static void configure(struct world *w, const struct twist *t)
{
	struct fake_kms other = {0};
	struct ady_config_kms *k = &w->config.kms;

	if (t->other_ca)
		fake_kms_make_tls(&other, "kms.test");
	snprintf(k->host, sizeof k->host, "kms.test");
	snprintf(k->region, sizeof k->region, "us-east-1");
	snprintf(k->keys[0], sizeof k->keys[0], FAKE_ARN);
	snprintf(k->roots_pem, sizeof k->roots_pem, "%s",
	         t->other_ca ? other.ca_pem : w->kms.ca_pem);
	k->keys_n = 1;
	k->port = 8443;
	w->config.relay = (struct ady_endpoint){.kind = ADY_UNIX};
	snprintf(w->config.relay.path, sizeof w->config.relay.path, "%s", w->kms.path);
	w->config.kms_timeout_ms = kms_timeout_ms;
	SSL_CTX_free(other.tls);
}

static void open_world(struct world *w, const struct twist *t)
{
	struct ady_recipient_config recipient = {.rsa_bits = 2048,
	                                         .rsa_max_age_s = 3600,
	                                         .attestation_max_age_s = t->attestation_max_age_s,
	                                         .config_hash = w->config.hash48};
	struct ady_kms_session_config session = {.config = &w->config, .workers = 2};
	struct ady_nsm_config module = {.path = w->nsm.path, .program_fd = 0, .config_fd = 0};
	struct ady_fault f = {0};

	fake_nsm_start(&w->nsm, dir);
	fake_kms_start(&w->kms, dir, t->server_name ? t->server_name : "kms.test");
	memcpy(w->kms.plaintext, secret, 32);
	w->kms.plaintext_n = 32;
	configure(w, t);
	CHECK_ERR(ady_nsm_open(&w->module, &module, &f), ADY_OK);
	recipient.nsm = w->module;
	CHECK_ERR(ady_recipient_open(&w->recipient, &recipient, &f), ADY_OK);
	CHECK_ERR(ady_credentials_open(&w->credentials), ADY_OK);
	if (!t->no_credentials)
		set_credentials(w);
	session.credentials = w->credentials;
	session.recipient = w->recipient;
	if (!CHECK_ERR(ady_kms_session_open(&w->session, &session, &f), ADY_OK)) {
		printf("    %s\n", f.detail);
		exit(1);
	}
}

static void close_world(struct world *w)
{
	ady_kms_session_close(w->session);
	ady_credentials_close(w->credentials);
	ady_recipient_close(w->recipient);
	ady_nsm_close(w->module);
	fake_nsm_end(&w->nsm);
	fake_kms_end(&w->kms);
}

/* Decrypt and check that a success is the right plaintext and a failure none. */
static enum ady_err decrypt_for(struct world *w, int ms, struct ady_fault *f)
{
	static const struct ady_context_pair context[] = {{"adyton:id", "a"}};
	struct ady_kms_ask ask = {.ciphertext = ady_bytes("sealed", 6),
	                          .context = context,
	                          .context_n = 1,
	                          .deadline_ms = ady_mono_ms() + ms};
	struct ady_bytes plaintext;
	enum ady_err err;

	*f = (struct ady_fault){0};
	err = ady_kms_session_call(w->session, 0, &ask, &plaintext, f);
	if (err == ADY_OK) {
		CHECK_INT(plaintext.n, 32);
		CHECK(plaintext.n == 32 && memcmp(plaintext.p, secret, 32) == 0);
	} else {
		CHECK_INT(plaintext.n, 0);
		CHECK_INT(f->err, err);
	}
	ady_kms_session_wipe(w->session, 0);
	if (err == ADY_OK && plaintext.n == 32)
		CHECK(plaintext.p[0] == 0 && plaintext.p[31] == 0);
	return err;
}

/* One decrypt in a world of its own, whose KMS answers `how`. */
static enum ady_err decrypt_once(enum fake_reply how, const struct twist *t, int ms,
                                 struct ady_fault *f)
{
	static struct world w;
	enum ady_err err;

	memset(&w, 0, sizeof w);
	atomic_store(&w.kms.later, how);
	open_world(&w, t);
	err = decrypt_for(&w, ms, f);
	close_world(&w);
	return err;
}

static const struct twist none = {.attestation_max_age_s = 60};

CASE(a_good_reply_is_opened)
{
	struct ady_fault f;

	CHECK_ERR(decrypt_once(FAKE_GOOD, &none, PLENTY_MS, &f), ADY_OK);
	CHECK_ERR(decrypt_once(FAKE_CHUNKED, &none, PLENTY_MS, &f), ADY_OK);
}

CASE(the_request_is_what_kms_expects)
{
	static struct world w;
	struct ady_fault f;

	memset(&w, 0, sizeof w);
	open_world(&w, &none);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	CHECK(strstr(w.kms.last_request, "POST / HTTP/1.1\r\n") == w.kms.last_request);
	CHECK(strstr(w.kms.last_request, "host: kms.test:8443\r\n") != NULL);
	CHECK(strstr(w.kms.last_request, "x-amz-target: TrentService.Decrypt\r\n") != NULL);
	CHECK(strstr(w.kms.last_request, "x-amz-security-token: session-token\r\n") != NULL);
	CHECK(strstr(
	          w.kms.last_request,
	          "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target") !=
	      NULL);
	CHECK_INT(atomic_load(&w.nsm.user_data_n), 48);
	CHECK(memcmp(w.nsm.user_data, w.config.hash48, 48) == 0);
	close_world(&w);
}

CASE(another_ca_is_refused)
{
	struct twist t = none;
	struct ady_fault f;

	t.other_ca = true;
	CHECK_ERR(decrypt_once(FAKE_GOOD, &t, PLENTY_MS, &f), ADY_E_TLS);
	CHECK(strstr(f.detail, "certificate") != NULL);
}

CASE(another_host_name_is_refused)
{
	struct twist t = none;
	struct ady_fault f;

	t.server_name = "kms.tes";
	CHECK_ERR(decrypt_once(FAKE_GOOD, &t, PLENTY_MS, &f), ADY_E_TLS);
	CHECK_STR(f.detail, "the certificate of KMS: hostname mismatch");
	t.server_name = "*.test"; /* a wildcard for a top-level domain covers nothing */
	CHECK_ERR(decrypt_once(FAKE_GOOD, &t, PLENTY_MS, &f), ADY_E_TLS);
}

CASE(another_key_id_is_refused)
{
	struct ady_fault f;

	CHECK_ERR(decrypt_once(FAKE_OTHER_KEY_ID, &none, PLENTY_MS, &f), ADY_E_KMS_REPLY);
	CHECK_STR(f.where, "KeyId");
}

CASE(a_forged_cms_is_refused_with_one_text)
{
	struct ady_fault forged, flipped;

	CHECK_ERR(decrypt_once(FAKE_FORGED, &none, PLENTY_MS, &forged), ADY_E_KMS_REPLY);
	CHECK_ERR(decrypt_once(FAKE_FLIPPED, &none, PLENTY_MS, &flipped), ADY_E_KMS_REPLY);
	CHECK_STR(forged.detail, "cannot be opened with this enclave's key");
	CHECK_STR(flipped.detail, forged.detail);
	CHECK_STR(flipped.where, forged.where);
}

CASE(a_plaintext_reply_is_refused)
{
	struct ady_fault f;

	CHECK_ERR(decrypt_once(FAKE_PLAINTEXT, &none, PLENTY_MS, &f), ADY_E_KMS_REPLY);
	CHECK_STR(f.where, "Plaintext");
}

CASE(a_reply_cut_in_the_middle_is_retried_and_then_named)
{
	struct ady_fault f;

	CHECK_ERR(decrypt_once(FAKE_CUT, &none, PLENTY_MS, &f), ADY_E_KMS_UNAVAILABLE);
	CHECK_STR(f.detail, "the connection to KMS ended within a reply");
}

CASE(a_reply_of_the_wrong_shape_is_refused)
{
	static const struct {
		enum fake_reply how;
		const char *detail;
	} rows[] = {
	    {FAKE_HUGE, "the HTTP reply of KMS exceeds 32 KiB"},
	    {FAKE_ENDLESS, "the HTTP reply of KMS has a malformed head"},
	    {FAKE_TRAILING, "the HTTP reply of KMS has bytes behind its end"},
	    {FAKE_NO_LENGTH, "the HTTP reply of KMS does not say how long it is"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_fault f;

		CHECK_ERR(decrypt_once(rows[i].how, &none, PLENTY_MS, &f), ADY_E_KMS_REPLY);
		CHECK_STR(f.detail, rows[i].detail);
	}
}

CASE(a_slow_reply_meets_the_deadline)
{
	struct ady_fault f;
	int64_t start = ady_mono_ms();

	CHECK_ERR(decrypt_once(FAKE_SLOW, &none, 300, &f), ADY_E_DEADLINE);
	CHECK(ady_mono_ms() - start < PLENTY_MS);
}

/* The connection's own time is over, the asker's is not: KMS is at fault. */
CASE(a_slow_kms_is_unavailable_before_the_deadline)
{
	static struct world w;
	struct ady_fault f;

	memset(&w, 0, sizeof w);
	atomic_store(&w.kms.first, FAKE_SLOW);
	atomic_store(&w.kms.n_first, 1);
	kms_timeout_ms = 1000;
	open_world(&w, &none);
	kms_timeout_ms = PLENTY_MS;
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	CHECK(atomic_load(&w.kms.requests) >= 2);
	close_world(&w);
}

CASE(throttling_and_5xx_are_retried)
{
	static const enum fake_reply hows[] = {FAKE_THROTTLE, FAKE_INTERNAL, FAKE_REFUSED,
	                                       FAKE_CUT};

	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++) {
		static struct world w;
		struct ady_fault f;

		memset(&w, 0, sizeof w);
		atomic_store(&w.kms.first, hows[i]);
		atomic_store(&w.kms.n_first, 2);
		open_world(&w, &none);
		CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
		CHECK_INT(atomic_load(&w.kms.n_first), 0);
		close_world(&w);
	}
}

CASE(throttling_without_end_is_named)
{
	struct ady_fault f;

	CHECK_ERR(decrypt_once(FAKE_THROTTLE, &none, 10000, &f), ADY_E_KMS_UNAVAILABLE);
	CHECK_STR(f.cause, "ThrottlingException");
}

CASE(refusals_come_back_with_their_name_at_once)
{
	static const struct {
		enum fake_reply how;
		enum ady_err err;
		const char *cause;
	} rows[] = {
	    {FAKE_DENIED, ADY_E_KMS, "AccessDeniedException"},
	    {FAKE_BAD_BLOB, ADY_E_KMS, "InvalidCiphertextException"},
	    {FAKE_EXPIRED, ADY_E_CREDENTIALS, "ExpiredTokenException"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static struct world w;
		struct ady_fault f;

		memset(&w, 0, sizeof w);
		atomic_store(&w.kms.later, rows[i].how);
		open_world(&w, &none);
		CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), rows[i].err);
		CHECK_STR(f.cause, rows[i].cause);
		CHECK_INT(atomic_load(&w.kms.requests), 1);
		close_world(&w);
	}
}

CASE(a_relay_that_refuses_or_is_deaf_is_named)
{
	struct ady_fault f;

	CHECK_ERR(decrypt_once(FAKE_REFUSED, &none, 1500, &f), ADY_E_KMS_UNAVAILABLE);
	CHECK_STR(f.detail, "the relay refuses: denied: that host is not allowed");
	CHECK_ERR(decrypt_once(FAKE_DEAF, &none, 300, &f), ADY_E_DEADLINE);
}

CASE(a_connection_is_kept_and_a_stale_one_replaced)
{
	static struct world w;
	static const struct timespec pause = {.tv_nsec = 100000000};
	struct ady_fault f;

	memset(&w, 0, sizeof w);
	open_world(&w, &none);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	CHECK_INT(atomic_load(&w.kms.connections), 1);
	nanosleep(&pause, NULL);
	atomic_store(&w.kms.close_after, true);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	nanosleep(&pause, NULL);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	CHECK_INT(atomic_load(&w.kms.connections), 2);
	CHECK_INT(atomic_load(&w.kms.requests), 4);
	close_world(&w);
}

CASE(without_credentials_nothing_is_sent)
{
	static struct world w;
	struct twist t = none;
	struct ady_fault f;

	memset(&w, 0, sizeof w);
	t.no_credentials = true;
	open_world(&w, &t);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_E_CREDENTIALS);
	CHECK_STR(f.detail, "no AWS credentials have arrived yet");
	CHECK_INT(atomic_load(&w.kms.connections), 0);
	set_credentials(&w);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	close_world(&w);
}

CASE(expired_credentials_are_not_used_and_fresh_ones_are)
{
	static struct world w;
	struct ady_wire_credentials m = {.access_key = ady_bytes_str("A"),
	                                 .secret_key = ady_bytes_str("s"),
	                                 .expires_unix_s = 1000};
	struct ady_fault f;
	bool changed;

	memset(&w, 0, sizeof w);
	open_world(&w, &none);
	CHECK_ERR(ady_credentials_set(w.credentials, &m, &changed, NULL), ADY_OK);
	CHECK(!ady_credentials_valid(w.credentials));
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_E_CREDENTIALS);
	CHECK_STR(f.detail, "the AWS credentials have expired");
	set_credentials(&w);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
	close_world(&w);
}

CASE(a_document_serves_its_age_or_one_call)
{
	static struct world w;
	struct twist t = none;
	struct ady_fault f;

	for (int per_call = 0; per_call <= 1; per_call++) {
		memset(&w, 0, sizeof w);
		t.attestation_max_age_s = per_call ? 0 : 60;
		open_world(&w, &t);
		for (int i = 0; i < 3; i++)
			CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_OK);
		CHECK_INT(atomic_load(&w.nsm.documents), per_call ? 4 : 1);
		close_world(&w);
	}
}

CASE(an_nsm_that_fails_is_named)
{
	static struct world w;
	struct twist t = none;
	struct ady_fault f;

	memset(&w, 0, sizeof w);
	t.attestation_max_age_s = 0;
	open_world(&w, &t);
	atomic_store(&w.nsm.broken, true);
	CHECK_ERR(decrypt_for(&w, PLENTY_MS, &f), ADY_E_NSM);
	CHECK_STR(f.cause, "InternalError");
	close_world(&w);
}

/* A reply that is on its way when the key changes is still opened: the old key is borrowed. */
CASE(a_borrowed_key_outlives_its_renewal)
{
	struct fake_nsm n = {0};
	uint8_t hash[48] = {0}, document[ADY_NSM_ANSWER_MAX], ct[ADY_RSA_MODULUS_MAX], out[32];
	struct ady_recipient_config config = {.rsa_bits = 2048, .config_hash = hash};
	struct ady_nsm_config module = {.path = n.path};
	struct ady_buf d = ady_buf(document, sizeof document);
	struct ady_recipient *r;
	struct ady_recipient_key *old, *new;
	struct ady_nsm *nsm;
	size_t ct_n;

	fake_nsm_start(&n, dir);
	CHECK_ERR(ady_nsm_open(&nsm, &module, NULL), ADY_OK);
	config.nsm = nsm;
	CHECK_ERR(ady_recipient_open(&r, &config, NULL), ADY_OK);
	CHECK_ERR(ady_recipient_get(r, &old, &d, NULL), ADY_OK);
	CHECK_ERR(ady_rsa_oaep_seal(ct, &ct_n, ady_rsa_spki(ady_recipient_rsa(old)),
	                            ady_bytes(secret, 32)),
	          ADY_OK);
	CHECK_ERR(ady_recipient_renew(r, NULL), ADY_OK); /* rsa_max_age_s 0: always due */
	d.n = 0;
	CHECK_ERR(ady_recipient_get(r, &new, &d, NULL), ADY_OK);
	CHECK(new != old);
	CHECK(ady_bytes_eq(ady_bytes_sub(ady_buf_bytes(&d), 4, d.n - 4),
	                   ady_rsa_spki(ady_recipient_rsa(new))));
	CHECK_ERR(ady_rsa_oaep_open32(out, ady_recipient_rsa(old), ady_bytes(ct, ct_n)), ADY_OK);
	CHECK(memcmp(out, secret, 32) == 0);
	CHECK_ERR(ady_rsa_oaep_open32(out, ady_recipient_rsa(new), ady_bytes(ct, ct_n)),
	          ADY_E_CRYPTO);
	ady_recipient_put(old);
	ady_recipient_put(new);
	ady_recipient_close(r);
	ady_nsm_close(nsm);
	fake_nsm_end(&n);
}

CASE(a_probe_takes_a_refusal_for_health)
{
	static const struct {
		enum fake_reply how;
		enum ady_err err;
	} rows[] = {
	    {FAKE_BAD_BLOB, ADY_OK},
	    {FAKE_DENIED, ADY_OK},
	    {FAKE_EXPIRED, ADY_E_CREDENTIALS},
	    {FAKE_GOOD, ADY_E_KMS_REPLY},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		static struct world w;
		struct ady_fault f;

		memset(&w, 0, sizeof w);
		atomic_store(&w.kms.later, rows[i].how);
		open_world(&w, &none);
		CHECK_ERR(ady_kms_session_probe(w.session, 1, ady_mono_ms() + PLENTY_MS, &f),
		          rows[i].err);
		close_world(&w);
	}
}

CASE(roots_that_are_none_are_refused)
{
	static const char *const bad[] = {
	    "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	    "-----BEGIN CERTIFICATE-----"};
	struct ady_tls_client client;
	struct ady_fault f;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_ERR(ady_tls_client_open(&client, bad[i], &f), ADY_E_CONFIG);
		CHECK_STR(f.where, "kms.roots_pem");
	}
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	RUN(a_good_reply_is_opened);
	RUN(the_request_is_what_kms_expects);
	RUN(another_ca_is_refused);
	RUN(another_host_name_is_refused);
	RUN(another_key_id_is_refused);
	RUN(a_forged_cms_is_refused_with_one_text);
	RUN(a_plaintext_reply_is_refused);
	RUN(a_reply_cut_in_the_middle_is_retried_and_then_named);
	RUN(a_reply_of_the_wrong_shape_is_refused);
	RUN(a_slow_reply_meets_the_deadline);
	RUN(a_slow_kms_is_unavailable_before_the_deadline);
	RUN(throttling_and_5xx_are_retried);
	RUN(throttling_without_end_is_named);
	RUN(refusals_come_back_with_their_name_at_once);
	RUN(a_relay_that_refuses_or_is_deaf_is_named);
	RUN(a_connection_is_kept_and_a_stale_one_replaced);
	RUN(without_credentials_nothing_is_sent);
	RUN(expired_credentials_are_not_used_and_fresh_ones_are);
	RUN(a_document_serves_its_age_or_one_call);
	RUN(an_nsm_that_fails_is_named);
	RUN(a_borrowed_key_outlives_its_renewal);
	RUN(a_probe_takes_a_refusal_for_health);
	RUN(roots_that_are_none_are_refused);
	rmdir(dir);
	return test_end();
}
