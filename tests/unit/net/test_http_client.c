/* SPDX-License-Identifier: Apache-2.0 */
#include <netinet/in.h>

#include "http_fixture.h"
#include "net/http_client.h"

/* --- a client on a loop of its own thread; each ask waits for its outcome --- */

struct side {
	struct ady_loop *loop;
	struct ady_pool *pool;
	pthread_t thread;
	struct ady_url url;
	struct ady_http_client *client;
	struct ady_http_client_config config;
};

static struct side side;
static struct fixture fx;

static void *side_main(void *arg)
{
	ady_loop_run(arg);
	return NULL;
}

struct job {
	struct ady_task task;
	void (*fn)(struct job *j);
	struct ady_http_exchange x;
	struct ady_bytes body;
	int wait_ms, status;
	struct ady_dyn reply;
	struct ady_fault f;
	enum ady_err posted;
	bool sent;
	atomic_bool done;
};

static void run_job(struct ady_task *task)
{
	struct job *j = (struct job *)task;

	j->fn(j);
}

static void on_done(struct ady_http_exchange *x, const struct ady_http_head *head,
                    struct ady_bytes body, const struct ady_fault *f)
{
	struct job *j = (struct job *)((char *)x - offsetof(struct job, x));

	j->status = head ? head->status : 0;
	if (f)
		j->f = *f;
	if (body.n > 0)
		ady_dyn_put(&j->reply, body.p, body.n);
	j->sent = x->sent;
	j->done = true;
}

static void post(struct job *j)
{
	j->x.done = on_done;
	j->posted = ady_http_post(side.client, &j->x, j->body, ady_mono_ms() + j->wait_ms);
	if (j->posted != ADY_OK)
		j->done = true;
}

static void begin(struct job *j, const char *body, int wait_ms)
{
	*j = (struct job){.task.fn = run_job, .fn = post, .wait_ms = wait_ms};
	j->body = ady_bytes_str(body);
	ady_loop_post(side.loop, &j->task);
}

static void await(struct job *j)
{
	for (int64_t until = ady_mono_ms() + 2 * WAIT_MS; !j->done && ady_mono_ms() < until;)
		usleep(200);
	CHECK(j->done);
}

static void ask(struct job *j, const char *body, int wait_ms)
{
	begin(j, body, wait_ms);
	await(j);
}

static void open_client(struct job *j)
{
	side.client = ady_http_client_open(&side.config);
	j->done = true;
}

static void close_client(struct job *j)
{
	ady_http_client_close(side.client);
	j->done = true;
}

static void on_side(void (*fn)(struct job *))
{
	struct job j = {.task.fn = run_job, .fn = fn};

	ady_loop_post(side.loop, &j.task);
	await(&j);
}

static void side_start(const char *url)
{
	struct ady_fault f;

	side = (struct side){.config = {.url = &side.url,
	                                .connections_max = 2,
	                                .waiting_max = 8,
	                                .reply_max = 100000,
	                                .connect_ms = 1000,
	                                .idle_ms = 60000}};
	CHECK_ERR(ady_url_parse(&side.url, url, &f), ADY_OK);
	CHECK_ERR(ady_loop_open(&side.loop), ADY_OK);
	CHECK_ERR(ady_pool_open(&side.pool, 1, 4), ADY_OK);
	side.config.loop = side.loop;
	side.config.pool = side.pool;
	CHECK(pthread_create(&side.thread, NULL, side_main, side.loop) == 0);
	on_side(open_client);
}

static void side_stop(void)
{
	on_side(close_client);
	ady_pool_close(side.pool);
	ady_loop_stop(side.loop);
	pthread_join(side.thread, NULL);
	ady_loop_close(side.loop);
}

static void start_both(const char *host, const char *path)
{
	char url[200];

	fixture_config(&fx);
	fixture_start(&fx);
	snprintf(url, sizeof url, "http://%s:%u%s", host, fx.config.listen.port, path);
	side_start(url);
}

static void stop_both(void)
{
	side_stop();
	fixture_stop(&fx);
}

/* --- a server that says the same to all, or nothing at all --- */

struct liar {
	int listener;
	uint16_t port;
	const char *says;
	pthread_t thread;
	atomic_int accepted, ended;
};

static void *liar_main(void *arg)
{
	struct liar *l = arg;
	char sink[4096];

	for (;;) {
		int fd = accept(l->listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		l->accepted++;
		while (read(fd, sink, sizeof sink) > 0 && !l->says)
			; /* a silent one waits for the client's end */
		if (l->says) {
			(void)!send(fd, l->says, strlen(l->says), MSG_NOSIGNAL);
			/* Closed with bytes unread, it would take back what it sent. */
			shutdown(fd, SHUT_WR);
			while (read(fd, sink, sizeof sink) > 0)
				;
		}
		close(fd);
		l->ended++;
	}
}

static void liar_start(struct liar *l, const char *says)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof a;
	char url[64];

	*l = (struct liar){.listener = socket(AF_INET, SOCK_STREAM, 0), .says = says};
	CHECK(bind(l->listener, (struct sockaddr *)&a, sizeof a) == 0 &&
	      listen(l->listener, 16) == 0);
	CHECK(getsockname(l->listener, (struct sockaddr *)&a, &n) == 0);
	l->port = ntohs(a.sin_port);
	pthread_create(&l->thread, NULL, liar_main, l);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", l->port);
	side_start(url);
}

static void liar_stop(struct liar *l)
{
	side_stop();
	shutdown(l->listener, SHUT_RDWR);
	close(l->listener);
	pthread_join(l->thread, NULL);
}

/* --- against our own server --- */

CASE(a_connection_is_used_again)
{
	struct job j;

	start_both("127.0.0.1", "/echo");
	for (int i = 0; i < 20; i++) {
		ask(&j, "{\"n\":1}", WAIT_MS);
		CHECK_INT(j.status, 200);
		CHECK_STR(ady_dyn_cstr(&j.reply), "{\"n\":1}");
		CHECK(j.sent);
		ady_dyn_free(&j.reply);
	}
	CHECK(wait_open(&fx, 1));
	stop_both();
}

CASE(a_name_is_looked_up)
{
	struct job j;

	start_both("localhost", "/echo");
	ask(&j, "x", WAIT_MS);
	CHECK_INT(j.status, 200);
	ady_dyn_free(&j.reply);
	stop_both();
}

CASE(what_finds_no_connection_waits_its_turn)
{
	struct job j[8];

	start_both("127.0.0.1", "/later");
	for (int i = 0; i < 8; i++)
		begin(&j[i], "x", WAIT_MS);
	for (int i = 0; i < 8; i++) {
		await(&j[i]);
		CHECK_INT(j[i].status, 200);
		ady_dyn_free(&j[i].reply);
	}
	CHECK(wait_open(&fx, 2));
	stop_both();
}

CASE(too_many_that_wait_are_refused)
{
	struct job j[14];
	struct liar l;
	int busy = 0;

	liar_start(&l, NULL);
	for (int i = 0; i < 14; i++)
		begin(&j[i], "x", 300);
	for (int i = 0; i < 14; i++) {
		await(&j[i]);
		busy += j[i].posted == ADY_E_BUSY;
		if (j[i].posted == ADY_OK)
			CHECK_ERR(j[i].f.err, ADY_E_DEADLINE);
	}
	CHECK(busy >= 4);
	CHECK(!j[9].sent && j[0].sent);
	liar_stop(&l);
}

CASE(replies_over_the_limit_are_refused)
{
	struct job j;

	start_both("127.0.0.1", "/big?n=100000");
	ask(&j, "x", WAIT_MS);
	CHECK_INT(j.status, 200);
	CHECK_INT(j.reply.n, 100000);
	ady_dyn_free(&j.reply);
	stop_both();
	start_both("127.0.0.1", "/big?n=100001");
	ask(&j, "x", WAIT_MS);
	CHECK_ERR(j.f.err, ADY_E_TOO_LARGE);
	CHECK_STR(j.f.detail, "is longer than 100000 bytes");
	stop_both();
}

/* --- against servers that are none --- */

CASE(malformed_replies_are_refused_by_name)
{
	static const struct {
		const char *says, *detail;
		enum ady_err err;
	} rows[] = {
	    {"", "the server ended the connection", ADY_E_IO},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe", "the server ended the connection",
	     ADY_E_IO},
	    {"HTTP/1.1 200 OK\r\nContent-Le", "the server ended the connection", ADY_E_IO},
	    {"SSH-2.0-OpenSSH\r\n", "has a byte that is not allowed there", ADY_E_HTTP},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "is there twice",
	     ADY_E_HTTP},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "has a bad chunk",
	     ADY_E_HTTP},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
	     "the server ended the connection", ADY_E_IO},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "is not chunked", ADY_E_HTTP},
	    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "is 101, which nobody asked for",
	     ADY_E_HTTP},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx",
	     "is longer than 100000 bytes", ADY_E_TOO_LARGE},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct liar l;
		struct job j;

		liar_start(&l, rows[i].says);
		ask(&j, "x", WAIT_MS);
		CHECK_ERR(j.f.err, rows[i].err);
		CHECK_STR(j.f.detail, rows[i].detail);
		CHECK(j.sent);
		liar_stop(&l);
	}
}

CASE(well_formed_replies_of_each_framing)
{
	static const char *const says[] = {
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
	    "HTTP/1.0 200 OK\r\n\r\nhello",
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
	    "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
	};

	for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
		struct liar l;
		struct job j;

		liar_start(&l, says[i]);
		for (int n = 0; n < 3; n++) {
			ask(&j, "x", WAIT_MS);
			CHECK_INT(j.status, 200);
			CHECK_STR(ady_dyn_cstr(&j.reply), "hello");
			ady_dyn_free(&j.reply);
			/* A connection that was ended is not used again: the client ends it too. */
			for (int ms = 0; l.ended <= n && ms < WAIT_MS; ms++)
				usleep(1000);
			CHECK_INT(l.ended, n + 1);
		}
		CHECK_INT(l.accepted, 3);
		liar_stop(&l);
	}
}

CASE(a_server_that_is_not_there)
{
	struct job j;

	side_start("http://127.0.0.1:1");
	ask(&j, "x", WAIT_MS);
	CHECK_ERR(j.f.err, ADY_E_IO);
	CHECK_STR(j.f.detail, "Connection refused");
	CHECK(!j.sent);
	side_stop();
	side_start("http://no-such-host.invalid:1");
	ask(&j, "x", WAIT_MS);
	CHECK(j.f.err == ADY_E_IO || j.f.err == ADY_E_DEADLINE);
	CHECK(!j.sent);
	side_stop();
}

static atomic_bool released;

static void block(struct ady_work *work, size_t worker)
{
	(void)work;
	(void)worker;
	while (!released)
		usleep(1000);
}

CASE(too_many_lookups_are_refused)
{
	struct ady_work works[5] = {0};
	struct job j;

	released = false;
	side_start("http://localhost:1");
	for (int i = 0; i < 5; i++) {
		works[i].fn = block;
		while (ady_pool_submit(side.pool, &works[i]) != ADY_OK)
			usleep(1000); /* the worker has not taken the first yet */
	}
	ask(&j, "x", WAIT_MS);
	CHECK_ERR(j.f.err, ADY_E_BUSY);
	CHECK_STR(j.f.detail, "too many names are being looked up");
	CHECK(!j.sent);
	released = true;
	side_stop();
}

/* An exchange that is forgotten is not told. */
static void post_and_forget(struct job *j)
{
	post(j);
	ady_http_forget(&j->x);
	CHECK(!j->done);
	ady_http_forget(&j->x);
	j->done = true;
}

CASE(forgotten_exchanges_end_their_connection)
{
	struct job j = {.task.fn = run_job, .fn = post_and_forget, .wait_ms = WAIT_MS};
	struct liar l;

	liar_start(&l, NULL);
	ady_loop_post(side.loop, &j.task);
	await(&j);
	ask(&j, "x", 100);
	CHECK_ERR(j.f.err, ADY_E_DEADLINE);
	CHECK_INT(l.accepted, 1); /* the forgotten one had not even begun to connect */
	liar_stop(&l);
}

int main(void)
{
	RUN(a_connection_is_used_again);
	RUN(a_name_is_looked_up);
	RUN(what_finds_no_connection_waits_its_turn);
	RUN(too_many_that_wait_are_refused);
	RUN(replies_over_the_limit_are_refused);
	RUN(malformed_replies_are_refused_by_name);
	RUN(well_formed_replies_of_each_framing);
	RUN(a_server_that_is_not_there);
	RUN(too_many_lookups_are_refused);
	RUN(forgotten_exchanges_end_their_connection);
	return test_end();
}
