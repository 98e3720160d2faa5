/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's side of the wire as the gateway sees it, with a KMS and an NSM of the test's own.
 * Everything of the program is there but its hardening. */
#include "enclave/server.h"

#include <signal.h>

#include "base/clock.h"
#include "codec/wire_audit.h"
#include "crypto/hash.h"
#include "fake_kms.h"
#include "fake_nsm.h"
#include "net/transport.h"
#include "test.h"

static char dir[] = "/tmp/adyton-server-XXXXXX";

/* The key 1, whose address everybody knows. */
static const uint8_t one[32] = {[31] = 1};
static const char address_of_one[] = "7e5f4552091a69125d5dfcb7b8c2659029395bdf";

static const char request[] =
    "{\"transaction\":{\"chainId\":1,\"nonce\":0,\"gas\":21000,\"maxFeePerGas\":\"2\","
    "\"maxPriorityFeePerGas\":\"1\",\"to\":\"0x000000000000000000000000000000000000dead\","
    "\"value\":\"1\"}}";
static const char record[] = "c2VhbGVk"; /* the AWS sample's form: base64 of a ciphertext */

static struct world {
	struct fake_nsm nsm;
	struct fake_kms kms;
	struct ady_enclave_config config;
	struct ady_server_config server;
	struct ady_endpoint endpoint;
} w;

static void must(enum ady_err err, const char *what)
{
	if (err == ADY_OK)
		return;
	printf("not ok set-up: %s: %s\n", what, ady_err_code(err));
	exit(1);
}

static void configure(void)
{
	struct ady_enclave_config *c = &w.config;

	snprintf(c->kms.host, sizeof c->kms.host, "kms.test");
	snprintf(c->kms.region, sizeof c->kms.region, "us-east-1");
	snprintf(c->kms.keys[0], sizeof c->kms.keys[0], FAKE_ARN);
	memcpy(c->kms.roots_pem, w.kms.ca_pem, sizeof w.kms.ca_pem);
	c->kms.keys_n = 1;
	c->kms.port = 443;
	c->relay.kind = ADY_UNIX;
	memcpy(c->relay.path, w.kms.path, sizeof c->relay.path);
	c->kms_timeout_ms = 4000;
	c->kms_connections = 2;
	c->depth = 4;
	c->verify_signatures = true;
	c->data_keys = 8;
	c->data_key_idle_s = 300;
	c->data_key_max_s = 3600;
	snprintf(c->deployment, sizeof c->deployment, "test");
	memset(c->hash48, 0x5a, sizeof c->hash48);
}

static void start_server(void)
{
	struct ady_server_config *s = &w.server;
	struct ady_kms_session *kms;
	struct ady_server *server;
	struct ady_keyroom_config room = {.config = &w.config};
	char text[160];

	must(ady_kms_session_open(&kms,
	                          &(struct ady_kms_session_config){.config = &w.config,
	                                                           .credentials = s->credentials,
	                                                           .recipient = s->recipient,
	                                                           .workers = 3},
	                          NULL),
	     "KMS session");
	must(ady_status_open(&s->status), "status");
	must(ady_jobs_open(&room.jobs, w.config.depth + w.config.kms_connections), "jobs");
	must(ady_keeper_open(&s->keeper, &(struct ady_keeper_config){.credentials = s->credentials,
	                                                             .recipient = s->recipient,
	                                                             .kms = kms,
	                                                             .worker = 2,
	                                                             .status = s->status}),
	     "keeper");
	room.kms = kms;
	room.status = s->status;
	must(ady_keyroom_open(&s->room, &room), "keyroom");
	must(ady_signing_open(&s->signing, s->room), "signing");
	must(ady_validators_open(&s->validators, s->room, NULL), "validators");
	snprintf(text, sizeof text, "unix:%s/enclave.sock", dir);
	must(ady_endpoint_parse(&w.endpoint, text, NULL), "endpoint");
	must(ady_listen(&s->listener, &w.endpoint, NULL), "listen");
	must(ady_server_open(&server, s), "server");
	ady_server_accept(server);
}

static void start_world(void)
{
	struct ady_nsm_config module = {.path = w.nsm.path};
	struct ady_recipient_config recipient = {.rsa_bits = 2048,
	                                         .rsa_max_age_s = 3600,
	                                         .attestation_max_age_s = 60,
	                                         .config_hash = w.config.hash48};

	memcpy(w.kms.plaintext, one, sizeof one);
	w.kms.plaintext_n = sizeof one;
	fake_nsm_start(&w.nsm, dir);
	fake_kms_start(&w.kms, dir, "kms.test");
	configure();
	must(ady_nsm_open(&recipient.nsm, &module, NULL), "NSM");
	must(ady_recipient_open(&w.server.recipient, &recipient, NULL), "recipient");
	must(ady_credentials_open(&w.server.credentials), "credentials");
	w.server.config = &w.config;
	w.server.module_id = "i-fake-enc0";
	w.server.lanes = 2;
	start_server();
}

static int dial(void)
{
	int fd;

	must(ady_dial(&fd, &w.endpoint, 1000), "dial");
	return fd;
}

static bool say(int fd, uint8_t type, uint64_t id, uint32_t ms, struct ady_bytes body)
{
	struct ady_wire_head head = {
	    .length = (uint32_t)body.n, .type = type, .id = id, .deadline_ms = ms};
	uint8_t raw[ADY_WIRE_HEAD];
	int64_t until = ady_mono_ms() + 1000;

	ady_wire_put_head(raw, &head);
	return ady_write_all(fd, raw, sizeof raw, until) == ADY_OK &&
	       (body.n == 0 || ady_write_all(fd, body.p, body.n, until) == ADY_OK);
}

/* The proof of the answer that was heard last. */
static struct ady_bytes last_proof;

/* Hear one answer; its body lies in a static buffer. */
static bool hear(int fd, struct ady_wire_head *head, struct ady_bytes *body)
{
	static uint8_t space[ADY_WIRE_BODY_MAX];
	uint8_t raw[ADY_WIRE_HEAD];
	int64_t until = ady_mono_ms() + 8000;

	if (ady_read_exact(fd, raw, sizeof raw, until) != ADY_OK ||
	    ady_wire_read_head(head, raw) != ADY_OK ||
	    ady_read_exact(fd, space, head->length, until) != ADY_OK)
		return false;
	*body = ady_bytes(space, head->length - head->proof);
	last_proof = ady_bytes(space + body->n, head->proof);
	return true;
}

/* Hear the refusal of question id. */
static enum ady_err hear_fault(int fd, uint64_t id, struct ady_fault *f)
{
	struct ady_wire_head head;
	struct ady_bytes body;

	*f = (struct ady_fault){0};
	if (!CHECK(hear(fd, &head, &body)))
		return ADY_OK;
	CHECK_INT(head.id, id);
	CHECK_INT(head.type, ADY_WIRE_ERROR);
	CHECK_ERR(ady_wire_read_fault(f, body), ADY_OK);
	return f->err;
}

static bool say_sign(int fd, uint64_t id, uint32_t ms, const char *text)
{
	uint8_t space[1024];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_sign m = {.form = ADY_FORM_NATIVE,
	                          .key_id = ady_bytes_str("one"),
	                          .record = ady_bytes_str(record),
	                          .request = ady_bytes_str(text)};

	ady_wire_put_sign(&b, &m);
	return say(fd, ADY_WIRE_SIGN, id, ms, ady_buf_bytes(&b));
}

static void hear_signed(int fd, uint64_t id)
{
	struct ady_wire_head head;
	struct ady_wire_signed m;
	struct ady_bytes body;

	if (!CHECK(hear(fd, &head, &body)))
		return;
	CHECK_INT(head.id, id);
	CHECK_INT(head.type, ADY_WIRE_SIGN | ADY_WIRE_ANSWER);
	CHECK_ERR(ady_wire_read_signed(&m, body), ADY_OK);
	CHECK_HEX(m.from.p, m.from.n, address_of_one);
	CHECK(m.raw.n > 100 && m.raw.p[0] == 2);
}

/* Occupy n KMS threads for two seconds with the questions id, id + 1, ...: back when KMS has them.
 */
static void occupy(int fd, int n, uint64_t id)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	int before = atomic_load(&w.kms.requests);

	atomic_store(&w.kms.first, FAKE_SLOW);
	atomic_store(&w.kms.n_first, n);
	for (int i = 0; i < n; i++)
		CHECK(say_sign(fd, id + (uint64_t)i, 8000, request));
	for (int i = 0; i < 400 && atomic_load(&w.kms.requests) < before + n; i++)
		nanosleep(&pause, NULL);
	CHECK_INT(atomic_load(&w.kms.requests), before + n);
}

/* Hear n answers, signatures all but for `busy` that are refused at once, before `until`. */
static void hear_many(int fd, int n, int busy, int64_t until)
{
	for (int i = 0; i < n; i++) {
		struct ady_wire_head head;
		struct ady_fault f = {0};
		struct ady_bytes body;

		if (!CHECK(hear(fd, &head, &body)))
			return;
		if (head.type != ADY_WIRE_ERROR)
			continue;
		CHECK_ERR(ady_wire_read_fault(&f, body), ADY_OK);
		CHECK_ERR(f.err, ADY_E_BUSY);
		CHECK(ady_mono_ms() < until);
		busy--;
	}
	CHECK_INT(busy, 0);
}

static void status_now(int fd, struct ady_wire_status *m)
{
	struct ady_wire_head head;
	struct ady_bytes body;

	CHECK(say(fd, ADY_WIRE_STATUS, 1000, 1000, ady_bytes("\xa0", 1)));
	CHECK(hear(fd, &head, &body));
	CHECK_ERR(ady_wire_read_status(m, body), ADY_OK);
}

CASE(hello_says_who_it_is)
{
	int fd = dial();
	struct ady_wire_head head;
	struct ady_wire_hello m;
	struct ady_bytes body;

	CHECK(say(fd, ADY_WIRE_HELLO, 7, 1000, ady_bytes("\xa0", 1)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.id, 7);
	CHECK_INT(head.type, ADY_WIRE_HELLO | ADY_WIRE_ANSWER);
	CHECK_ERR(ady_wire_read_hello(&m, body), ADY_OK);
	CHECK(ady_bytes_is(m.module_id, "i-fake-enc0"));
	CHECK(m.config_hash.p[0] == 0x5a && m.lanes == 2 && m.depth == 4);
	close(fd);
}

CASE(without_credentials_signing_is_refused_and_health_unknown)
{
	int fd = dial();
	struct ady_wire_status m;
	struct ady_fault f;

	status_now(fd, &m);
	CHECK_INT(m.kms, ADY_KMS_UNKNOWN);
	CHECK_INT(m.has_credentials, 0);
	CHECK(say_sign(fd, 1, 3000, request));
	CHECK_ERR(hear_fault(fd, 1, &f), ADY_E_CREDENTIALS);
	close(fd);
}

CASE(credentials_bring_a_probe_at_once)
{
	struct ady_wire_credentials m = {.access_key = ady_bytes_str("AKIDEXAMPLE"),
	                                 .secret_key = ady_bytes_str("secret")};
	static const struct timespec pause = {.tv_nsec = 20000000};
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_status s = {0};
	struct ady_wire_head head;
	struct ady_bytes body;
	int fd = dial();

	atomic_store(&w.kms.first, FAKE_BAD_BLOB);
	atomic_store(&w.kms.n_first, 1);
	ady_wire_put_credentials(&b, &m);
	CHECK(say(fd, ADY_WIRE_CREDENTIALS, 2, 1000, ady_buf_bytes(&b)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.type, ADY_WIRE_CREDENTIALS | ADY_WIRE_ANSWER);
	for (int i = 0; i < 200 && s.kms != ADY_KMS_OK; i++) {
		nanosleep(&pause, NULL);
		status_now(fd, &s);
	}
	CHECK_INT(s.kms, ADY_KMS_OK);
	CHECK_INT(s.has_credentials, 1);
	CHECK_INT(s.kms_calls, 1); /* of the case before; probes are not counted */
	close(fd);
}

CASE(a_transaction_is_signed)
{
	int fd = dial();
	struct ady_wire_status m;

	CHECK(say_sign(fd, 3, 5000, request));
	hear_signed(fd, 3);
	status_now(fd, &m);
	CHECK_INT(m.signed_n, 1);
	CHECK(m.kms_us > 0 && m.sign_us > 0 && m.prepare_us > 0);
	close(fd);
}

/* The entry of the answer that was heard last, once its proof has been found to hold. */
static struct ady_audit_entry proved(struct ady_proof *p)
{
	struct ady_audit_entry e;

	CHECK_ERR(ady_proof_read(p, &e, last_proof), ADY_OK);
	CHECK(p->public.p && ady_proof_verify(p));
	return e;
}

CASE(an_answer_has_its_proof)
{
	int fd = dial();
	const struct ady_bytes asked = ady_bytes_str(request);
	struct ady_audit_entry e;
	struct ady_wire_head head;
	struct ady_wire_signed m;
	struct ady_bytes body;
	struct ady_proof p;
	uint8_t hash[32];

	CHECK(say_sign(fd, 3, 5000, request));
	if (!CHECK(hear(fd, &head, &body)) || !CHECK_ERR(ady_wire_read_signed(&m, body), ADY_OK))
		return;
	e = proved(&p);
	CHECK_INT(e.op, ADY_WIRE_SIGN);
	CHECK(ady_bytes_is(e.key, "one") && e.code.n == 0);
	ady_sha256(hash, &asked, 1);
	CHECK(ady_bytes_eq(e.request, ady_bytes(hash, 32)));
	ady_sha256(hash, &m.raw, 1);
	CHECK(ady_bytes_eq(e.result, ady_bytes(hash, 32)));
	CHECK(ady_bytes_eq(e.digest, m.hash) && ady_bytes_eq(e.public, m.from));
	close(fd);
}

CASE(a_refusal_has_its_proof)
{
	int fd = dial();
	struct ady_audit_entry e;
	struct ady_proof p;
	struct ady_fault f;

	CHECK(say_sign(fd, 4, 5000, "{\"transaction\":{}}"));
	CHECK_ERR(hear_fault(fd, 4, &f), ADY_E_FIELD_MISSING);
	e = proved(&p);
	CHECK(ady_bytes_is(e.code, "field_missing") && e.result.n == 0);
	CHECK(ady_bytes_is(e.where, f.where));
	close(fd);
}

/* What came together is proved together, under one signature, and each by itself. */
CASE(answers_under_load_share_a_signature)
{
	enum { N = 40 };
	int fd = dial(), alone = 0;
	uint8_t space[N * 512];
	struct ady_buf b = ady_buf(space, sizeof space);
	int64_t until = ady_mono_ms() + 1000;

	for (int i = 0; i < N; i++) { /* refused on the lane: in one round */
		struct ady_wire_head head = {
		    .length = 1, .type = ADY_WIRE_SIGN, .id = (uint64_t)i + 1, .deadline_ms = 1000};
		uint8_t raw[ADY_WIRE_HEAD];

		ady_wire_put_head(raw, &head);
		ady_buf_put(&b, raw, sizeof raw);
		ady_buf_u8(&b, 0xa0);
	}
	CHECK_ERR(ady_write_all(fd, b.p, b.n, until), ADY_OK);
	for (int i = 0; i < N; i++) {
		struct ady_fault f;
		struct ady_proof p;

		CHECK_ERR(hear_fault(fd, (uint64_t)i + 1, &f), ADY_E_PROTOCOL);
		(void)proved(&p);
		alone += p.later.n == 0;
	}
	CHECK(alone < N / 2);
	close(fd);
}

/* Entries whose answers were lost are there, in their order, chained from the beginning. */
CASE(the_chain_is_given_again)
{
	int fd = dial();
	uint8_t space[16], head[32], after[32], unused[32];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_audited m;
	struct ady_wire_head h;
	struct ady_bytes body, rest;
	uint64_t n = 0;

	ady_wire_put_audit(&b, 0);
	CHECK(say(fd, ADY_WIRE_AUDIT, 9, 1000, ady_buf_bytes(&b)));
	if (!CHECK(hear(fd, &h, &body)) || !CHECK_ERR(ady_wire_read_audited(&m, body), ADY_OK))
		return;
	CHECK(h.proof == 0 && m.end > 3 && m.next == m.end);
	ady_audit_chain_start(head, m.public.p);
	for (rest = m.proofs; rest.n > 0; n++) {
		size_t length = ady_proof_length(rest);
		struct ady_audit_entry e;
		struct ady_proof p;

		if (!CHECK_ERR(ady_proof_read(&p, &e, ady_bytes(rest.p, length)), ADY_OK))
			return;
		CHECK_INT(e.sequence, n);
		CHECK(ady_proof_verify(&p) && memcmp(p.before.p, head, 32) == 0);
		ady_proof_heads(after, unused, &p);
		memcpy(head, after, 32);
		rest = ady_bytes_sub(rest, length, rest.n - length);
	}
	CHECK_INT(n, m.end);
	close(fd);
}

CASE(a_request_is_refused_before_kms_is_asked)
{
	int fd = dial(), before = atomic_load(&w.kms.requests);
	struct ady_fault f;

	CHECK(say_sign(fd, 4, 5000, "{\"transaction\":{}}"));
	CHECK_ERR(hear_fault(fd, 4, &f), ADY_E_FIELD_MISSING);
	CHECK(strncmp(f.where, "transaction.", 12) == 0);
	CHECK_INT(atomic_load(&w.kms.requests), before);
	close(fd);
}

/* A slow KMS holds up neither the lane nor other signatures. */
CASE(answers_come_out_of_order)
{
	int fd = dial();
	struct ady_wire_head head;
	struct ady_bytes body;

	occupy(fd, 1, 10);
	CHECK(say(fd, ADY_WIRE_HELLO, 11, 1000, ady_bytes("\xa0", 1)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.id, 11);
	CHECK(say_sign(fd, 12, 6000, request));
	hear_signed(fd, 12);
	hear_signed(fd, 10);
	close(fd);
}

/* Two KMS threads are busy, four places are in the queue: of six more two do not fit. */
CASE(what_does_not_fit_is_refused_at_once)
{
	int fd = dial();

	occupy(fd, 2, 20);
	for (uint64_t id = 22; id < 28; id++)
		CHECK(say_sign(fd, id, 8000, request));
	hear_many(fd, 8, 2, ady_mono_ms() + 1000);
	close(fd);
}

CASE(expired_work_is_dropped)
{
	int fd = dial(), before = atomic_load(&w.kms.requests);
	static const struct timespec pause = {.tv_nsec = 100000000};
	int other = dial();
	struct ady_fault f;

	occupy(fd, 2, 30);
	CHECK(say_sign(other, 32, 50, request));
	CHECK_ERR(hear_fault(other, 32, &f), ADY_E_DEADLINE);
	CHECK_STR(f.detail, "the time allowed passed before KMS");
	hear_many(fd, 2, 0, 0);
	nanosleep(&pause, NULL);
	CHECK_INT(atomic_load(&w.kms.requests), before + 2);
	close(fd);
	close(other);
}

CASE(a_nonce_is_attested)
{
	int fd = dial();
	uint8_t space[600], nonce[ADY_WIRE_NONCE_MAX + 1] = {1};
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_head head;
	struct ady_bytes body, document;
	struct ady_fault f;

	ady_wire_put_blob(&b, ady_bytes(nonce, ADY_WIRE_NONCE_MAX));
	CHECK(say(fd, ADY_WIRE_ATTEST, 40, 2000, ady_buf_bytes(&b)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.type, ADY_WIRE_ATTEST | ADY_WIRE_ANSWER);
	CHECK_ERR(ady_wire_read_blob(&document, ADY_WIRE_DOCUMENT_MAX, body), ADY_OK);
	CHECK(document.n > 200 && memcmp(document.p, "doc:", 4) == 0);
	CHECK_INT(atomic_load(&w.nsm.user_data_n), 48);
	b.n = 0;
	ady_wire_put_blob(&b, ady_bytes(nonce, sizeof nonce));
	CHECK(say(fd, ADY_WIRE_ATTEST, 41, 2000, ady_buf_bytes(&b)));
	CHECK_ERR(hear_fault(fd, 41, &f), ADY_E_PROTOCOL);
	close(fd);
}

CASE(unknown_types_and_malformed_bodies_are_answered)
{
	static const uint8_t types[] = {0, ADY_WIRE_RELAY, 17, 0x7f};
	static const uint8_t known[] = {
	    ADY_WIRE_HELLO,      ADY_WIRE_CREDENTIALS,  ADY_WIRE_SIGN,  ADY_WIRE_ATTEST,
	    ADY_WIRE_STATUS,     ADY_WIRE_CREATE,       ADY_WIRE_LOCK,  ADY_WIRE_IMPORT,
	    ADY_WIRE_IMPORT_KEY, ADY_WIRE_CREATE_BATCH, ADY_WIRE_REWRAP};
	int fd = dial();
	struct ady_fault f;

	for (size_t i = 0; i < sizeof types; i++) {
		CHECK(say(fd, types[i], 50 + i, 1000, ady_bytes("\xa0", 1)));
		CHECK_ERR(hear_fault(fd, 50 + i, &f), ADY_E_PROTOCOL);
		CHECK_STR(f.detail, "the type of the message is not known");
	}
	for (size_t i = 0; i < sizeof known; i++) {
		CHECK(say(fd, known[i], 60 + i, 1000, ady_bytes("\xa1\x09\x00", 3)));
		CHECK_ERR(hear_fault(fd, 60 + i, &f), ADY_E_PROTOCOL);
	}
	CHECK(say(fd, ADY_WIRE_SIGN, 70, 1000, ady_bytes("", 0)));
	CHECK_ERR(hear_fault(fd, 70, &f), ADY_E_PROTOCOL);
	close(fd);
}

/* Whether the enclave ends the connection instead of answering. */
static bool is_ended(int fd)
{
	uint8_t byte;
	enum ady_err err = ady_read_exact(fd, &byte, 1, ady_mono_ms() + 3000);

	close(fd);
	return err == ADY_E_IO;
}

CASE(broken_frames_end_the_connection)
{
	struct ady_wire_head head = {.length = 1, .type = ADY_WIRE_HELLO, .deadline_ms = 1000};
	uint8_t raw[ADY_WIRE_HEAD];
	static const struct {
		size_t at;
		uint8_t value;
	} breaks[] = {{4, 2}, {0, 0xff}, {6, 1}, {23, 1}, {16, 0xff}};

	for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
		int fd = dial();

		ady_wire_put_head(raw, &head);
		raw[breaks[i].at] = breaks[i].value;
		CHECK_ERR(ady_write_all(fd, raw, sizeof raw, ady_mono_ms() + 1000), ADY_OK);
		CHECK(is_ended(fd));
	}
}

CASE(an_answer_nobody_asked_for_ends_the_connection)
{
	int fd = dial();

	CHECK(say(fd, ADY_WIRE_SIGN | ADY_WIRE_ANSWER, 1, 0, ady_bytes("\xa0", 1)));
	CHECK(is_ended(fd));
	fd = dial();
	CHECK(say(fd, ADY_WIRE_ERROR, 1, 0, ady_bytes("\xa0", 1)));
	CHECK(is_ended(fd));
}

CASE(an_asker_that_goes_away_harms_nobody)
{
	int fd = dial();

	CHECK(say_sign(fd, 80, 5000, request));
	close(fd);
	fd = dial();
	CHECK(say_sign(fd, 81, 5000, request));
	hear_signed(fd, 81);
	close(fd);
}

CASE(a_key_that_is_none_is_refused)
{
	int fd = dial();
	struct ady_fault f;

	memset(w.kms.plaintext, 0, sizeof one);
	CHECK(say_sign(fd, 90, 5000, request));
	CHECK_ERR(hear_fault(fd, 90, &f), ADY_E_KEY_RANGE);
	memcpy(w.kms.plaintext, "not a key", 9);
	w.kms.plaintext_n = 9;
	CHECK(say_sign(fd, 91, 5000, request));
	CHECK_ERR(hear_fault(fd, 91, &f), ADY_E_KEY_FORM);
	memcpy(w.kms.plaintext, one, sizeof one);
	w.kms.plaintext_n = sizeof one;
	close(fd);
}

CASE(more_connections_than_allowed_are_closed)
{
	static int fds[ADY_SERVER_CONNECTIONS_MAX + 8];
	size_t open_n = 0;

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		fds[i] = dial();
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		struct ady_wire_head head;
		struct ady_bytes body;

		if (say(fds[i], ADY_WIRE_HELLO, 1, 1000, ady_bytes("\xa0", 1)) &&
		    hear(fds[i], &head, &body))
			open_n++;
	}
	CHECK_INT(open_n, ADY_SERVER_CONNECTIONS_MAX);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		return 1;
	start_world();
	RUN(hello_says_who_it_is);
	RUN(without_credentials_signing_is_refused_and_health_unknown);
	RUN(credentials_bring_a_probe_at_once);
	RUN(a_transaction_is_signed);
	RUN(an_answer_has_its_proof);
	RUN(a_refusal_has_its_proof);
	RUN(answers_under_load_share_a_signature);
	RUN(the_chain_is_given_again);
	RUN(a_request_is_refused_before_kms_is_asked);
	RUN(answers_come_out_of_order);
	RUN(what_does_not_fit_is_refused_at_once);
	RUN(expired_work_is_dropped);
	RUN(a_nonce_is_attested);
	RUN(unknown_types_and_malformed_bodies_are_answered);
	RUN(broken_frames_end_the_connection);
	RUN(an_answer_nobody_asked_for_ends_the_connection);
	RUN(an_asker_that_goes_away_harms_nobody);
	RUN(a_key_that_is_none_is_refused);
	RUN(more_connections_than_allowed_are_closed);
	unlink(w.nsm.path);
	unlink(w.kms.path);
	unlink(w.endpoint.path);
	rmdir(dir);
	return test_end();
}
