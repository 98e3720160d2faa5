/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the gateway talk to instead of the real thing, each on a thread of its own: a
 * FAKE enclave that speaks frames and signs nothing (its "signatures" are constant bytes), a FAKE
 * AWS (Secrets Manager, STS, IMDS) that believes every signature, and an HTTP client. */
#ifndef ADY_TEST_FAKES_H
#define ADY_TEST_FAKES_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/wire.h"
#include "net/channel.h"
#include "net/http_server.h"

#include "test.h"

#define FAKE static __attribute__((unused))

FAKE void sleep_ms(long ms)
{
	const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
}

/* Wait up to 10 s for a condition. */
#define WAIT_FOR(cond)                                                   \
	do {                                                             \
		for (int wait_i = 0; wait_i < 2000 && !(cond); wait_i++) \
			sleep_ms(5);                                     \
		CHECK(cond);                                             \
	} while (0)

static char fake_folder[] = "/tmp/ady-gateway-XXXXXX";

FAKE void fake_dir_remove(void)
{
	DIR *d = opendir(fake_folder);
	const struct dirent *e;

	while (d && (e = readdir(d)))
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	(void)rmdir(fake_folder);
}

/* A folder for the sockets and files of one test program, removed at its end. */
FAKE const char *fake_dir(void)
{
	static bool made;

	if (!made && (!mkdtemp(fake_folder) || atexit(fake_dir_remove) != 0))
		abort();
	made = true;
	return fake_folder;
}

/* --- the fake enclave --- */

enum fake_mode { FAKE_SIGNS, FAKE_REFUSES, FAKE_HOLDS, FAKE_WANTS_CREDENTIALS };
enum { FAKE_CHANNELS = 16, FAKE_EVENTS = 4096 };

struct fake_enclave {
	struct ady_loop *loop;
	pthread_t thread;
	struct ady_io listener;
	struct ady_endpoint at;
	struct ady_channel *channels[FAKE_CHANNELS];
	struct ady_task cut;
	_Atomic int mode;
	_Atomic bool hangs; /* reads and never answers */
	_Atomic int lanes, depth, has_credentials;
	_Atomic uint32_t deadline_ms; /* of the last SIGN */
	_Atomic bool cutting;
	_Atomic int hellos, credentials, signs, attests, statuses, connections;
	pthread_mutex_t lock;    /* guards what follows */
	struct ady_fault fault;  /* FAKE_REFUSES */
	char access_key[64];     /* the newest credentials */
	char wanted_key[64];     /* FAKE_WANTS_CREDENTIALS: others are refused */
	char wanted_record[256]; /* other records are refused with fault, unless empty */
	char key_id[256], record[256], request[256]; /* of the last SIGN */
	char order[FAKE_EVENTS];                     /* first letters of the frames as they came */
	size_t order_n;
};

FAKE void fake_send(struct ady_channel *ch, uint64_t id, uint8_t type, struct ady_buf *b)
{
	const struct ady_wire_head head = {.length = (uint32_t)b->n, .type = type, .id = id};

	CHECK(!b->full);
	(void)ady_channel_send(ch, &head, ady_buf_bytes(b));
}

/* Why the fake does not "sign" m; NULL: it does. */
FAKE const struct ady_fault *fake_refusal(struct fake_enclave *e)
{
	static const struct ady_fault expired = {.err = ADY_E_CREDENTIALS,
	                                         .cause = "ExpiredTokenException"};
	int mode = atomic_load(&e->mode);

	if (mode == FAKE_WANTS_CREDENTIALS && strcmp(e->access_key, e->wanted_key) != 0)
		return &expired;
	if (mode == FAKE_REFUSES)
		return &e->fault;
	if (e->wanted_record[0] && strcmp(e->record, e->wanted_record) != 0)
		return &e->fault;
	return NULL;
}

FAKE void fake_sign(struct fake_enclave *e, struct ady_channel *ch, uint64_t id,
                    struct ady_bytes body)
{
	static const uint8_t raw[] = {2, 0xf8, 1}, bytes[32] = {0xab, 0xcd};
	const struct ady_wire_signed ok = {.raw = ady_bytes(raw, sizeof raw),
	                                   .hash = ady_bytes(bytes, 32),
	                                   .from = ady_bytes(bytes, 20),
	                                   .r = ady_bytes(bytes, 32),
	                                   .s = ady_bytes(bytes, 32),
	                                   .y_parity = 1};
	const struct ady_fault *refusal;
	uint8_t space[1024];
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_sign m;

	CHECK_ERR(ady_wire_read_sign(&m, body), ADY_OK);
	ady_bytes_to_str(e->key_id, sizeof e->key_id, m.key_id);
	ady_bytes_to_str(e->record, sizeof e->record, m.record);
	ady_bytes_to_str(e->request, sizeof e->request, m.request);
	if (atomic_load(&e->mode) == FAKE_HOLDS)
		return;
	refusal = fake_refusal(e);
	if (refusal)
		ady_wire_put_fault(&b, refusal);
	else
		ady_wire_put_signed(&b, &ok);
	fake_send(ch, id, refusal ? ADY_WIRE_ERROR : ADY_WIRE_SIGN | ADY_WIRE_ANSWER, &b);
}

FAKE void fake_credentials(struct fake_enclave *e, struct ady_bytes body)
{
	struct ady_wire_credentials m;

	CHECK_ERR(ady_wire_read_credentials(&m, body), ADY_OK);
	ady_bytes_to_str(e->access_key, sizeof e->access_key, m.access_key);
	atomic_store(&e->has_credentials, 1);
}

FAKE void fake_answer(struct fake_enclave *e, struct ady_channel *ch,
                      const struct ady_wire_head *head, struct ady_bytes body)
{
	const struct ady_wire_hello hello = {.version = ady_bytes_str("fake"),
	                                     .module_id = ady_bytes_str("fake"),
	                                     .config_hash = ady_bytes(e->order, 48),
	                                     .lanes = (uint64_t)atomic_load(&e->lanes),
	                                     .depth = (uint64_t)atomic_load(&e->depth)};
	const struct ady_wire_status status = {
	    .kms = ADY_KMS_OK, .has_credentials = (uint64_t)atomic_load(&e->has_credentials)};
	uint8_t space[1024];
	struct ady_buf b = ady_buf(space, sizeof space);

	switch (head->type) {
	case ADY_WIRE_HELLO:
		atomic_fetch_add(&e->hellos, 1);
		ady_wire_put_hello(&b, &hello);
		break;
	case ADY_WIRE_CREDENTIALS:
		fake_credentials(e, body);
		atomic_fetch_add(&e->credentials, 1);
		ady_wire_put_empty(&b);
		break;
	case ADY_WIRE_STATUS:
		atomic_fetch_add(&e->statuses, 1);
		ady_wire_put_status(&b, &status);
		break;
	case ADY_WIRE_ATTEST: {
		struct ady_bytes nonce;

		atomic_fetch_add(&e->attests, 1);
		CHECK_ERR(ady_wire_read_blob(&nonce, 512, body), ADY_OK);
		ady_wire_put_blob(&b, nonce.n ? nonce : ady_bytes_str("document"));
		break;
	}
	default:
		CHECK(head->type == ADY_WIRE_SIGN);
		atomic_fetch_add(&e->signs, 1);
		e->deadline_ms = head->deadline_ms;
		fake_sign(e, ch, head->id, body);
		return;
	}
	fake_send(ch, head->id, head->type | ADY_WIRE_ANSWER, &b);
}

FAKE void fake_frame(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
                     struct ady_bytes body)
{
	struct fake_enclave *e = ctx;

	pthread_mutex_lock(&e->lock);
	if (e->order_n < sizeof e->order)
		e->order[e->order_n++] = head->type == ADY_WIRE_HELLO         ? 'h'
		                         : head->type == ADY_WIRE_CREDENTIALS ? 'c'
		                         : head->type == ADY_WIRE_SIGN        ? 's'
		                                                              : '.';
	if (!atomic_load(&e->hangs))
		fake_answer(e, ch, head, body);
	pthread_mutex_unlock(&e->lock);
}

FAKE void fake_closed(void *ctx, struct ady_channel *ch, enum ady_err why)
{
	struct fake_enclave *e = ctx;

	(void)why;
	for (size_t i = 0; i < FAKE_CHANNELS; i++)
		if (e->channels[i] == ch)
			e->channels[i] = NULL;
	atomic_fetch_sub(&e->connections, 1);
}

FAKE void fake_accept(struct ady_io *io, uint32_t ready)
{
	static const struct ady_channel_events events = {fake_frame, fake_closed};
	struct fake_enclave *e =
	    (struct fake_enclave *)((char *)io - offsetof(struct fake_enclave, listener));
	int fd = ady_accept(io->fd);

	(void)ready;
	for (size_t i = 0; fd >= 0 && i < FAKE_CHANNELS; i++)
		if (!e->channels[i]) {
			(void)ady_channel_open(&e->channels[i], e->loop, fd, &events, e);
			atomic_fetch_add(&e->connections, 1);
			return;
		}
}

FAKE void fake_cut_task(struct ady_task *task)
{
	struct fake_enclave *e =
	    (struct fake_enclave *)((char *)task - offsetof(struct fake_enclave, cut));

	atomic_store(&e->cutting, false);
	for (size_t i = 0; i < FAKE_CHANNELS; i++)
		if (e->channels[i])
			ady_channel_end(e->channels[i], ADY_OK);
}

FAKE void *fake_loop_main(void *loop)
{
	ady_loop_run(loop);
	return NULL;
}

/* Listen at unix:DIR/enclave.sock. */
FAKE void fake_enclave_start(struct fake_enclave *e)
{
	struct ady_fault f;

	*e = (struct fake_enclave){.lanes = 2, .depth = 30, .cut.fn = fake_cut_task};
	pthread_mutex_init(&e->lock, NULL);
	e->at.kind = ADY_UNIX;
	snprintf(e->at.path, sizeof e->at.path, "%s/enclave.sock", fake_dir());
	CHECK_ERR(ady_loop_open(&e->loop), ADY_OK);
	CHECK_ERR(ady_listen(&e->listener.fd, &e->at, &f), ADY_OK);
	e->listener.fn = fake_accept;
	CHECK_ERR(ady_loop_add(e->loop, &e->listener, EPOLLIN), ADY_OK);
	pthread_create(&e->thread, NULL, fake_loop_main, e->loop);
}

/* Cut every connection, as the death of the process would. */
FAKE void fake_enclave_cut(struct fake_enclave *e)
{
	if (!atomic_exchange(&e->cutting, true))
		ady_loop_post(e->loop, &e->cut);
}

FAKE void fake_enclave_stop(struct fake_enclave *e)
{
	fake_enclave_cut(e);
	WAIT_FOR(atomic_load(&e->connections) == 0);
	ady_loop_stop(e->loop);
	pthread_join(e->thread, NULL);
	for (size_t i = 0; i < FAKE_CHANNELS; i++)
		CHECK(e->channels[i] == NULL);
	close(e->listener.fd);
	unlink(e->at.path);
	ady_loop_close(e->loop);
}

/* --- the fake AWS --- */

struct fake_aws {
	struct ady_loop *loop;
	pthread_t thread;
	struct ady_http_server *server;
	struct ady_task drain;
	char url[64];
	int64_t since_s;
	_Atomic int secrets, roles, imds; /* calls so far */
	_Atomic int delay_ms, status;     /* of GetSecretValue; status 0: 200 */
	_Atomic int life_s;               /* of issued credentials; 0: 3600 */
	_Atomic int generation;           /* of the access key */
	_Atomic bool imds_down;
	pthread_mutex_t lock; /* guards what follows */
	char error[64], text[256], last_secret[256], last_key[64];
	bool binary;
};

struct fake_later {
	struct ady_timer timer;
	struct fake_aws *aws;
	struct ady_http_request *req;
};

FAKE void fake_reply(struct ady_http_request *req, int status, const char *text)
{
	ady_http_answer(req, status, "application/json", NULL, ady_bytes_str(text));
}

FAKE void fake_secret_now(struct fake_aws *a, struct ady_http_request *req)
{
	json_t *body = json_loadb((const char *)req->body.p, req->body.n, 0, NULL);
	const char *id = json_string_value(json_object_get(body, "SecretId"));
	struct ady_bytes auth = ady_http_field(&req->head, "authorization");
	int status = atomic_load(&a->status);
	char text[1024], name[300];
	const char *colon;

	pthread_mutex_lock(&a->lock);
	snprintf(a->last_secret, sizeof a->last_secret, "%s", id ? id : "");
	/* Credential=AKID/... */
	for (size_t i = 0; i + 11 < auth.n; i++)
		if (memcmp(auth.p + i, "Credential=", 11) == 0)
			sscanf((const char *)auth.p + i + 11, "%63[^/]", a->last_key);
	/* an ARN "...:secret:NAME-suffix" is of the secret NAME */
	colon = id ? strstr(id, ":secret:") : NULL;
	snprintf(name, sizeof name, "%s", colon ? colon + 8 : id ? id : "");
	if (colon && strrchr(name, '-'))
		*strrchr(name, '-') = '\0';
	if (status != 0 && status != 200)
		snprintf(text, sizeof text,
		         "{\"__type\":\"com.amazonaws.secretsmanager#%s\",\"message\":\"no\"}",
		         a->error);
	else if (strstr(name, "adyton-probe") || strstr(name, "missing")) {
		status = 400;
		snprintf(text, sizeof text, "{\"__type\":\"ResourceNotFoundException\"}");
	} else
		snprintf(text, sizeof text, "{\"Name\":\"%s\",\"%s\":\"%s\"}", name,
		         a->binary ? "SecretBinary" : "SecretString", a->text);
	pthread_mutex_unlock(&a->lock);
	json_decref(body);
	fake_reply(req, status ? status : 200, text);
}

FAKE void fake_later_fn(struct ady_timer *timer)
{
	struct fake_later *l = (struct fake_later *)timer;

	fake_secret_now(l->aws, l->req);
	free(l);
}

FAKE void fake_secret(struct fake_aws *a, struct ady_http_request *req)
{
	struct ady_bytes id = req->body;
	bool probe = memmem(id.p, id.n, "adyton-probe", 12) != NULL;
	int delay = atomic_load(&a->delay_ms);
	struct fake_later *l;

	if (!probe)
		atomic_fetch_add(&a->secrets, 1);
	if (delay == 0 || probe) {
		fake_secret_now(a, req);
		return;
	}
	l = calloc(1, sizeof *l);
	l->timer.fn = fake_later_fn;
	l->aws = a;
	l->req = req;
	ady_timer_set(a->loop, &l->timer, delay);
}

FAKE void fake_expiry(struct fake_aws *a, char out[static 21])
{
	int life = atomic_load(&a->life_s);

	ady_time_rfc3339(out, a->since_s + (life ? life : 3600));
}

FAKE void fake_role(struct fake_aws *a, struct ady_http_request *req)
{
	char text[1024], until[21];

	atomic_fetch_add(&a->roles, 1);
	fake_expiry(a, until);
	if (!memmem(req->body.p, req->body.n, "RoleArn=arn%3Aaws%3Aiam", 23)) {
		fake_reply(req, 400,
		           "<ErrorResponse><Error><Code>ValidationError</Code><Message>no "
		           "role</Message></Error></ErrorResponse>");
		return;
	}
	snprintf(text, sizeof text,
	         "<AssumeRoleResponse><AssumeRoleResult><Credentials>"
	         "<AccessKeyId>ROLE%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
	         "<SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials>"
	         "</AssumeRoleResult></AssumeRoleResponse>",
	         atomic_load(&a->generation), until);
	fake_reply(req, 200, text);
}

FAKE void fake_imds(struct fake_aws *a, struct ady_http_request *req)
{
	char text[512], until[21];

	if (atomic_load(&a->imds_down)) {
		fake_reply(req, 500, "");
		return;
	}
	if (ady_bytes_is(req->head.path, "/latest/api/token")) {
		fake_reply(req, ady_bytes_is(req->head.method, "PUT") ? 200 : 405, "TOKEN");
		return;
	}
	if (!ady_bytes_is(ady_http_field(&req->head, "x-aws-ec2-metadata-token"), "TOKEN")) {
		fake_reply(req, 401, "");
		return;
	}
	if (ady_bytes_is(req->head.path, "/latest/meta-data/iam/security-credentials/")) {
		fake_reply(req, 200, "the-role");
		return;
	}
	atomic_fetch_add(&a->imds, 1);
	fake_expiry(a, until);
	snprintf(text, sizeof text,
	         "{\"Code\":\"Success\",\"AccessKeyId\":\"IMDS%d\",\"SecretAccessKey\":\"s\","
	         "\"Token\":\"t\",\"Expiration\":\"%s\"}",
	         atomic_load(&a->generation), until);
	fake_reply(req, 200, text);
}

FAKE void fake_aws_request(void *ctx, struct ady_http_request *req)
{
	struct fake_aws *a = ctx;

	if (req->head.path.n > 8 && memcmp(req->head.path.p, "/latest/", 8) == 0)
		fake_imds(a, req);
	else if (ady_bytes_is(ady_http_field(&req->head, "x-amz-target"),
	                      "secretsmanager.GetSecretValue"))
		fake_secret(a, req);
	else
		fake_role(a, req);
}

FAKE void fake_aws_drained(void *ctx)
{
	ady_loop_stop(((struct fake_aws *)ctx)->loop);
}

FAKE void fake_aws_drain(struct ady_task *task)
{
	struct fake_aws *a = (struct fake_aws *)((char *)task - offsetof(struct fake_aws, drain));

	ady_http_server_drain(a->server, 1000, fake_aws_drained);
}

FAKE void fake_aws_start(struct fake_aws *a)
{
	struct ady_http_config http = {
	    .limits = ady_http_default_limits(), .request = fake_aws_request, .ctx = a};
	struct ady_fault f;

	*a = (struct fake_aws){.drain.fn = fake_aws_drain, .text = "record-1"};
	pthread_mutex_init(&a->lock, NULL);
	a->since_s = ady_wall_ms() / 1000;
	CHECK_ERR(ady_endpoint_parse(&http.listen, "tcp:127.0.0.1:0", &f), ADY_OK);
	CHECK_ERR(ady_loop_open(&a->loop), ADY_OK);
	CHECK_ERR(ady_http_server_open(&a->server, a->loop, &http, &f), ADY_OK);
	snprintf(a->url, sizeof a->url, "http://127.0.0.1:%u", http.listen.port);
	pthread_create(&a->thread, NULL, fake_loop_main, a->loop);
}

FAKE void fake_aws_stop(struct fake_aws *a)
{
	ady_loop_post(a->loop, &a->drain);
	pthread_join(a->thread, NULL);
	ady_http_server_close(a->server);
	ady_loop_close(a->loop);
}

FAKE void fake_aws_set_text(struct fake_aws *a, const char *text)
{
	pthread_mutex_lock(&a->lock);
	snprintf(a->text, sizeof a->text, "%s", text);
	pthread_mutex_unlock(&a->lock);
}

FAKE void fake_aws_fail(struct fake_aws *a, int status, const char *error)
{
	pthread_mutex_lock(&a->lock);
	snprintf(a->error, sizeof a->error, "%s", error);
	pthread_mutex_unlock(&a->lock);
	atomic_store(&a->status, status);
}

/* --- the client --- */

struct reply {
	int status;
	char head[4096], body[65536];
	json_t *json; /* NULL: the body is none */
};

FAKE int http_open(unsigned port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)port),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(connect(fd, (struct sockaddr *)&to, sizeof to) == 0);
	return fd;
}

/* fields: "" or complete header lines. */
FAKE void http_send(int fd, const char *method, const char *path, const char *fields,
                    const char *body)
{
	char text[70000];
	int n = snprintf(text, sizeof text,
	                 "%s %s HTTP/1.1\r\nHost: test\r\n%sContent-Length: %zu\r\n\r\n%s", method,
	                 path, fields, strlen(body), body);

	CHECK(send(fd, text, (size_t)n, MSG_NOSIGNAL) == n);
}

/* Wait up to 10 s for one whole reply. */
FAKE bool http_read(int fd, struct reply *r)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct ady_http_head head;
	static _Thread_local uint8_t in[80000];
	size_t n = 0;

	*r = (struct reply){0};
	for (;;) {
		ssize_t got;

		if (poll(&p, 1, 10000) != 1)
			return false;
		got = recv(fd, in + n, sizeof in - n, 0);
		if (got <= 0)
			return false;
		n += (size_t)got;
		if (ady_http_parse_reply(&head, ady_bytes(in, n), NULL) == ADY_OK &&
		    n >= head.size + head.length)
			break;
	}
	r->status = head.status;
	ady_bytes_to_str(r->head, sizeof r->head, ady_bytes(in, head.size));
	ady_bytes_to_str(r->body, sizeof r->body, ady_bytes(in + head.size, (size_t)head.length));
	r->json = json_loads(r->body, JSON_REJECT_DUPLICATES, NULL);
	return true;
}

FAKE const char *reply_text(const struct reply *r, const char *name)
{
	const char *s = json_string_value(json_object_get(r->json, name));

	return s ? s : "";
}

/* One request on a connection of its own. End with reply_free. */
FAKE void http_do(unsigned port, const char *method, const char *path, const char *fields,
                  const char *body, struct reply *r)
{
	int fd = http_open(port);

	http_send(fd, method, path, fields, body);
	CHECK(http_read(fd, r));
	close(fd);
}

FAKE void reply_free(struct reply *r)
{
	json_decref(r->json);
	r->json = NULL;
}

#endif
