/* SPDX-License-Identifier: Apache-2.0
 *
 * The relay between a client that plays the enclave (a plain socket) and a host on loopback. */
#include "gateway/relay.h"

#include "fakes.h"

struct relay_world {
	struct ady_config_relay config;
	struct ady_relay *relay;
	int listener; /* the host's */
	uint16_t port;
};

static void open_relay(struct relay_world *w, const struct ady_relay_limits *limits)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof at;
	struct ady_fault f;

	*w = (struct relay_world){.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	CHECK(bind(w->listener, (struct sockaddr *)&at, sizeof at) == 0);
	CHECK(listen(w->listener, 64) == 0);
	CHECK(getsockname(w->listener, (struct sockaddr *)&at, &n) == 0);
	w->port = ntohs(at.sin_port);
	w->config.listen.kind = ADY_UNIX;
	snprintf(w->config.listen.path, sizeof w->config.listen.path, "%s/relay.sock", fake_dir());
	w->config.allow[0] = (struct ady_relay_target){"127.0.0.1", w->port};
	w->config.allow[1] = (struct ady_relay_target){"localhost", w->port};
	w->config.allow[2] = (struct ady_relay_target){"127.0.0.1", 1}; /* nobody listens */
	w->config.allow[3] = (struct ady_relay_target){"name.invalid", 443};
	w->config.allow_n = 4;
	CHECK_ERR(ady_relay_open(&w->relay, &w->config, limits, &f), ADY_OK);
}

static void close_relay(struct relay_world *w)
{
	ady_relay_close(w->relay);
	close(w->listener);
	unlink(w->config.listen.path);
}

/* Open a stream and send its first frame. */
static int ask(struct relay_world *w, const char *host, uint16_t port)
{
	uint8_t space[400];
	struct ady_buf b = ady_buf(space + ADY_WIRE_HEAD, sizeof space - ADY_WIRE_HEAD);
	struct ady_wire_head head = {.type = ADY_WIRE_RELAY, .id = 77, .deadline_ms = 1000};
	int fd = -1;

	CHECK_ERR(ady_dial(&fd, &w->config.listen, 1000), ADY_OK);
	ady_wire_put_relay(&b, ady_bytes_str(host), port);
	head.length = (uint32_t)b.n;
	ady_wire_put_head(space, &head);
	CHECK_ERR(ady_write_all(fd, space, ADY_WIRE_HEAD + b.n, ady_mono_ms() + 1000), ADY_OK);
	return fd;
}

/* Read the answer frame: ADY_OK, or the refusal's code. */
static enum ady_err answer(int fd)
{
	uint8_t space[600];
	struct ady_wire_head head;
	struct ady_fault f;
	int64_t due = ady_mono_ms() + 8000;

	if (ady_read_exact(fd, space, ADY_WIRE_HEAD, due) != ADY_OK ||
	    ady_wire_read_head(&head, space) != ADY_OK || head.length > sizeof space ||
	    ady_read_exact(fd, space, head.length, due) != ADY_OK)
		return ADY_E_IO;
	if (head.type == (ADY_WIRE_RELAY | ADY_WIRE_ANSWER)) {
		CHECK_INT(head.id, 77);
		CHECK_ERR(ady_wire_read_empty(ady_bytes(space, head.length)), ADY_OK);
		return ADY_OK;
	}
	CHECK_INT(head.type, ADY_WIRE_ERROR);
	CHECK_ERR(ady_wire_read_fault(&f, ady_bytes(space, head.length)), ADY_OK);
	return f.err;
}

static int accept_host(struct relay_world *w)
{
	struct pollfd p = {.fd = w->listener, .events = POLLIN};

	CHECK(poll(&p, 1, 5000) == 1);
	return accept4(w->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

/* Whether fd ends (cleanly or not) within 5 s without another byte. */
static bool ends(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	return poll(&p, 1, 5000) == 1 && recv(fd, &c, 1, 0) <= 0;
}

static void expect(int fd, const char *text)
{
	char got[64] = {0};

	CHECK_ERR(ady_read_exact(fd, got, strlen(text), ady_mono_ms() + 5000), ADY_OK);
	CHECK_STR(got, text);
}

static void say(int fd, const char *text)
{
	CHECK_ERR(ady_write_all(fd, text, strlen(text), ady_mono_ms() + 5000), ADY_OK);
}

CASE(bytes_go_both_ways_and_sides_end_apart)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "localhost"};
	struct ady_relay_report r;
	struct relay_world w;

	open_relay(&w, NULL);
	for (size_t i = 0; i < 3; i++) { /* the third name comes from the cache */
		int fd = ask(&w, hosts[i], w.port), host = accept_host(&w);

		CHECK_ERR(answer(fd), ADY_OK);
		say(fd, "ping");
		expect(host, "ping");
		say(host, "pong");
		expect(fd, "pong");
		shutdown(fd, SHUT_WR); /* half-close: the host may go on */
		CHECK(ends(host));
		say(host, "late");
		expect(fd, "late");
		close(host);
		CHECK(ends(fd));
		close(fd);
	}
	WAIT_FOR((ady_relay_report(w.relay, &r), r.open == 0));
	CHECK_INT(r.streams, 3);
	CHECK_INT(r.to_host_bytes, 12);
	CHECK_INT(r.to_enclave_bytes, 24);
	close_relay(&w);
}

CASE(the_host_may_end_first)
{
	struct relay_world w;
	int fd, host;

	open_relay(&w, NULL);
	fd = ask(&w, "127.0.0.1", w.port);
	host = accept_host(&w);
	CHECK_ERR(answer(fd), ADY_OK);
	shutdown(host, SHUT_WR);
	CHECK(ends(fd));
	say(fd, "still");
	expect(host, "still");
	close(fd);
	CHECK(ends(host));
	close(host);
	close_relay(&w);
}

CASE(a_slow_reader_stops_the_sender_and_loses_nothing)
{
	enum { TOTAL = 8 << 20 };
	static uint8_t chunk[65536];
	struct relay_world w;
	size_t sent = 0, got = 0;
	bool wrong = false;
	int fd, host;

	open_relay(&w, NULL);
	fd = ask(&w, "127.0.0.1", w.port);
	host = accept_host(&w);
	CHECK_ERR(answer(fd), ADY_OK);
	for (int quiet = 0; quiet < 20 && sent < TOTAL;) { /* until nothing more fits */
		ssize_t n;

		for (size_t i = 0; i < sizeof chunk; i++)
			chunk[i] = (uint8_t)((sent + i) * 31 >> 5);
		n = send(fd, chunk, sizeof chunk, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		quiet = n > 0 ? 0 : quiet + 1;
		if (n <= 0)
			sleep_ms(5);
	}
	CHECK(sent < TOTAL); /* buffers are bounded */
	shutdown(fd, SHUT_WR);
	while (got < sent) {
		struct pollfd p = {.fd = host, .events = POLLIN};
		ssize_t n = poll(&p, 1, 5000) == 1 ? recv(host, chunk, sizeof chunk, 0) : -1;

		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++)
			wrong |= chunk[i] != (uint8_t)((got + (size_t)i) * 31 >> 5);
		got += (size_t)n;
	}
	CHECK_INT(got, sent);
	CHECK(!wrong);
	CHECK(ends(host));
	close(fd);
	close(host);
	close_relay(&w);
}

CASE(only_the_list_is_reachable)
{
	struct ady_relay_report r;
	struct relay_world w;
	int fd;
	static const struct {
		const char *host;
		uint16_t port; /* 0: the host's own */
		enum ady_err err;
	} all[] = {
	    {"127.0.0.1", 22, ADY_E_DENIED},
	    {"127.0.0.2", 0, ADY_E_DENIED},
	    {"169.254.169.254", 80, ADY_E_DENIED},
	    {"localhost.", 0, ADY_E_DENIED},
	    {"127.0.0.1", 1, ADY_E_IO},
	    {"name.invalid", 443, ADY_E_IO},
	};

	open_relay(&w, NULL);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		fd = ask(&w, all[i].host, all[i].port ? all[i].port : w.port);
		CHECK_ERR(answer(fd), all[i].err);
		CHECK(ends(fd));
		close(fd);
	}
	ady_relay_report(w.relay, &r);
	CHECK_INT(r.refused, sizeof all / sizeof *all);
	CHECK_INT(r.streams, 0);
	close_relay(&w);
}

CASE(a_wrong_first_frame_is_refused)
{
	static const char *const frames[] = {
	    /* another type; another version; too long a body; a body that is no map */
	    "0000000101030000000000000000004d00000064000000"
	    "00a0",
	    "0000000102100000000000000000004d00000064000000"
	    "00a0",
	    "0000ffff01100000000000000000004d00000064000000"
	    "00a0",
	    "0000000101100000000000000000004d00000064000000"
	    "00ff",
	};
	struct relay_world w;

	open_relay(&w, NULL);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		struct ady_bytes b = test_hex(frames[i]);
		int fd = -1;

		CHECK_ERR(ady_dial(&fd, &w.config.listen, 1000), ADY_OK);
		CHECK_ERR(ady_write_all(fd, b.p, b.n, ady_mono_ms() + 1000), ADY_OK);
		CHECK_ERR(answer(fd), ADY_E_PROTOCOL);
		close(fd);
	}
	close_relay(&w);
}

CASE(silence_is_ended)
{
	const struct ady_relay_limits limits = {.frame_ms = 200, .idle_ms = 300};
	struct relay_world w;
	int fd = -1, host;

	open_relay(&w, &limits);
	CHECK_ERR(ady_dial(&fd, &w.config.listen, 1000), ADY_OK);
	say(fd, "\0");
	CHECK(ends(fd)); /* no frame in time */
	close(fd);
	fd = ask(&w, "127.0.0.1", w.port);
	host = accept_host(&w);
	CHECK_ERR(answer(fd), ADY_OK);
	for (int i = 0; i < 5; i++) { /* bytes keep it open beyond the idle time */
		sleep_ms(100);
		say(fd, "x");
		expect(host, "x");
	}
	CHECK(ends(fd));
	CHECK(ends(host));
	close(fd);
	close(host);
	close_relay(&w);
}

CASE(streams_are_bounded)
{
	const struct ady_relay_limits limits = {.streams = 2};
	struct relay_world w;
	struct ady_relay_report r;
	int fds[2], hosts[2], fd;

	open_relay(&w, &limits);
	for (int i = 0; i < 2; i++) {
		fds[i] = ask(&w, "127.0.0.1", w.port);
		hosts[i] = accept_host(&w);
		CHECK_ERR(answer(fds[i]), ADY_OK);
	}
	fd = ask(&w, "127.0.0.1", w.port);
	CHECK_ERR(answer(fd), ADY_E_BUSY);
	close(fd);
	close(fds[0]);
	close(hosts[0]);
	WAIT_FOR((ady_relay_report(w.relay, &r), r.open == 1));
	fd = ask(&w, "127.0.0.1", w.port);
	hosts[0] = accept_host(&w);
	CHECK_ERR(answer(fd), ADY_OK);
	close(fd);
	close(fds[1]);
	close(hosts[0]);
	close(hosts[1]);
	close_relay(&w);
}

CASE(closing_cuts_what_is_open)
{
	struct relay_world w;
	int fd, host, resolving;

	open_relay(&w, NULL);
	fd = ask(&w, "127.0.0.1", w.port);
	host = accept_host(&w);
	CHECK_ERR(answer(fd), ADY_OK);
	resolving = ask(&w, "name.invalid", 443);
	close_relay(&w);
	CHECK(ends(fd));
	CHECK(ends(host));
	close(fd);
	close(host);
	close(resolving);
}

int main(void)
{
	RUN(bytes_go_both_ways_and_sides_end_apart);
	RUN(the_host_may_end_first);
	RUN(a_slow_reader_stops_the_sender_and_loses_nothing);
	RUN(only_the_list_is_reachable);
	RUN(a_wrong_first_frame_is_refused);
	RUN(silence_is_ended);
	RUN(streams_are_bounded);
	RUN(closing_cuts_what_is_open);
	return test_end();
}
