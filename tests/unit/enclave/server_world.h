/* SPDX-License-Identifier: Apache-2.0
 *
 * An enclave's server with a KMS and an NSM of the test's own, for the tests of the wire as the
 * gateway sees it. Everything of the program is there but its hardening. */
#ifndef ADY_TEST_SERVER_WORLD_H
#define ADY_TEST_SERVER_WORLD_H

#include <signal.h>

#include "base/clock.h"
#include "enclave/server.h"
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

static inline void must(enum ady_err err, const char *what)
{
	if (err == ADY_OK)
		return;
	printf("not ok set-up: %s: %s\n", what, ady_err_code(err));
	exit(1);
}

static inline void configure(void)
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
	c->counters_keys = 8;
	c->data_key_idle_s = 300;
	c->data_key_max_s = 3600;
	snprintf(c->deployment, sizeof c->deployment, "test");
	memset(c->hash48, 0x5a, sizeof c->hash48);
}

static inline void start_server(void)
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
	room.jobs_n = w.config.depth + w.config.kms_connections;
	room.counters_memory = 1 << 20;
	must(ady_jobs_open(&room.jobs, room.jobs_n), "jobs");
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

static inline void start_world(void)
{
	struct ady_nsm_config module = {.path = w.nsm.path};
	struct ady_recipient_config recipient = {.rsa_bits = 2048,
	                                         .rsa_max_age_s = 3600,
	                                         .attestation_max_age_s = 60,
	                                         .config_hash = w.config.hash48};

	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dir))
		exit(1);
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
	w.server.depth = w.config.depth;
	start_server();
}

static inline int end_world(void)
{
	unlink(w.nsm.path);
	unlink(w.kms.path);
	unlink(w.endpoint.path);
	rmdir(dir);
	return test_end();
}

static inline int dial(void)
{
	int fd;

	must(ady_dial(&fd, &w.endpoint, 1000), "dial");
	return fd;
}

static inline bool say(int fd, uint8_t type, uint64_t id, uint32_t ms, struct ady_bytes body)
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
static inline bool hear(int fd, struct ady_wire_head *head, struct ady_bytes *body)
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
static inline enum ady_err hear_fault(int fd, uint64_t id, struct ady_fault *f)
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

static inline bool say_sign(int fd, uint64_t id, uint32_t ms, const char *text)
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

static inline void hear_signed(int fd, uint64_t id)
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

static inline void status_now(int fd, struct ady_wire_status *m)
{
	struct ady_wire_head head;
	struct ady_bytes body;

	CHECK(say(fd, ADY_WIRE_STATUS, 1000, 1000, ady_bytes("\xa0", 1)));
	CHECK(hear(fd, &head, &body));
	CHECK_ERR(ady_wire_read_status(m, body), ADY_OK);
}

/* Give credentials and wait until the probe that they bring has found KMS well. */
static inline void give_credentials(int fd, struct ady_wire_status *s)
{
	struct ady_wire_credentials m = {.access_key = ady_bytes_str("AKIDEXAMPLE"),
	                                 .secret_key = ady_bytes_str("secret")};
	static const struct timespec pause = {.tv_nsec = 20000000};
	uint8_t space[256];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_head head;
	struct ady_bytes body;

	atomic_store(&w.kms.first, FAKE_BAD_BLOB);
	atomic_store(&w.kms.n_first, 1);
	ady_wire_put_credentials(&b, &m);
	CHECK(say(fd, ADY_WIRE_CREDENTIALS, 2, 1000, ady_buf_bytes(&b)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.type, ADY_WIRE_CREDENTIALS | ADY_WIRE_ANSWER);
	*s = (struct ady_wire_status){0};
	for (int i = 0; i < 200 && s->kms != ADY_KMS_OK; i++) {
		nanosleep(&pause, NULL);
		status_now(fd, s);
	}
	CHECK_INT(s->kms, ADY_KMS_OK);
}

/* As start_world, and KMS has been found well. */
static inline void start_world_with_credentials(void)
{
	struct ady_wire_status s;
	int fd;

	start_world();
	fd = dial();
	give_credentials(fd, &s);
	close(fd);
}

#endif
