/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

/* after sys/socket.h */
#include <linux/vm_sockets.h>

static struct ady_fault fault;
static char dir[] = "/tmp/adyton-test-XXXXXX";

static struct ady_endpoint endpoint(const char *text)
{
	struct ady_endpoint e;

	if (ady_endpoint_parse(&e, text, &fault) != ADY_OK)
		fprintf(stderr, "# %s: %s\n", text, fault.detail);
	return e;
}

static struct ady_endpoint in_dir(const char *scheme, const char *name)
{
	char text[160];

	snprintf(text, sizeof text, "%s:%s/%s", scheme, dir, name);
	return endpoint(text);
}

CASE(texts_are_read)
{
	struct ady_endpoint e = endpoint("vsock:any:5000");

	CHECK(e.kind == ADY_VSOCK && e.cid == VMADDR_CID_ANY && e.port == 5000);
	e = endpoint("vsock:3:4294967294");
	CHECK(e.kind == ADY_VSOCK && e.cid == 3 && e.port == 4294967294u);
	e = endpoint("unix:/a:b/c");
	CHECK(e.kind == ADY_UNIX);
	CHECK_STR(e.path, "/a:b/c");
	e = endpoint("hybrid:/a:b:52");
	CHECK(e.kind == ADY_HYBRID && e.port == 52);
	CHECK_STR(e.path, "/a:b");
	e = endpoint("tcp:[::1]:80");
	CHECK(e.kind == ADY_TCP && e.port == 80);
	CHECK_STR(e.path, "::1");
	e = endpoint("tcp:localhost:0");
	CHECK_STR(e.path, "127.0.0.1");
}

CASE(other_texts_are_refused)
{
	static const char *const bad[] = {"",
	                                  "unix",
	                                  "unix:",
	                                  "vsock:3",
	                                  "vsock:x:1",
	                                  "vsock::1",
	                                  "vsock:3:",
	                                  "vsock:3:x",
	                                  "vsock:-1:1",
	                                  "vsock:3:4294967295",
	                                  "vsock:any",
	                                  "hybrid:/a",
	                                  "hybrid:/a:",
	                                  "hybrid::1",
	                                  "hybrid:/a:x",
	                                  "tcp:a:1",
	                                  "tcp:127.0.0.1",
	                                  "tcp:127.0.0.1:x",
	                                  "tcp:[::1:1",
	                                  "tcp:::1:1",
	                                  "tcp:[]:1",
	                                  "tcp::1",
	                                  "tcp:1.2.3.4:",
	                                  "tcp:1.2.3.4:65536",
	                                  "udp:1.2.3.4:1",
	                                  "tcp:256.0.0.1:1"};
	struct ady_endpoint e;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		fault = (struct ady_fault){0};
		if (!CHECK_ERR(ady_endpoint_parse(&e, bad[i], &fault), ADY_E_CONFIG))
			fprintf(stderr, "# %s\n", bad[i]);
		CHECK_STR(fault.where, "endpoint");
		CHECK(fault.detail[0] != '\0');
	}
}

CASE(a_path_has_107_bytes)
{
	char text[200] = "unix:/";
	struct ady_endpoint e;

	memset(text + 6, 'a', 106);
	CHECK_ERR(ady_endpoint_parse(&e, text, &fault), ADY_OK);
	text[6 + 106] = 'a';
	CHECK_ERR(ady_endpoint_parse(&e, text, &fault), ADY_E_CONFIG);
	CHECK_STR(fault.detail, "the path of a Unix socket has 1 to 107 bytes, this one 108");
}

static void check_stream(struct ady_endpoint *e, const struct ady_endpoint *dial)
{
	int64_t until = ady_mono_ms() + 10000;
	int listener, client, server;
	char in[4] = "";

	if (!CHECK_ERR(ady_listen(&listener, e, &fault), ADY_OK)) {
		fprintf(stderr, "# %s\n", fault.detail);
		return;
	}
	CHECK(ady_accept(listener) < 0 && errno == EAGAIN);
	if (CHECK_ERR(ady_dial(&client, dial ? dial : e, 1000), ADY_OK)) {
		server = ady_accept(listener);
		CHECK(server >= 0);
		CHECK(fcntl(server, F_GETFL) & O_NONBLOCK && fcntl(client, F_GETFL) & O_NONBLOCK);
		CHECK(fcntl(server, F_GETFD) & FD_CLOEXEC && fcntl(client, F_GETFD) & FD_CLOEXEC);
		CHECK_ERR(ady_write_all(client, "abc", 3, until), ADY_OK);
		CHECK_ERR(ady_read_exact(server, in, 3, until), ADY_OK);
		CHECK_STR(in, "abc");
		CHECK_ERR(ady_read_exact(server, in, 1, ady_mono_ms() + 20), ADY_E_DEADLINE);
		close(client);
		CHECK_ERR(ady_read_exact(server, in, 1, until), ADY_E_IO);
		CHECK_ERR(ady_write_all(server, "x", 1, until),
		          e->kind == ADY_TCP ? ADY_OK : ADY_E_IO);
		close(server);
	}
	close(listener);
}

CASE(unix_and_tcp_streams)
{
	struct ady_endpoint u = in_dir("unix", "a.sock"), t = endpoint("tcp:127.0.0.1:0"),
	                    t6 = endpoint("tcp:[::1]:0");
	struct stat st;

	check_stream(&u, NULL);
	CHECK(stat(u.path, &st) == 0 && (st.st_mode & 0777) == 0600);
	check_stream(&u, NULL); /* the stale socket is replaced */
	check_stream(&t, NULL);
	CHECK(t.port != 0);
	if (access("/proc/net/if_inet6", F_OK) == 0)
		check_stream(&t6, NULL);
}

CASE(vsock_streams)
{
	struct ady_endpoint e = endpoint("vsock:any:52001"), local = endpoint("vsock:1:52001");
	int probe = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), fd;

	if (probe < 0) {
		test_skip("this kernel has no AF_VSOCK");
		return;
	}
	close(probe);
	if (access("/sys/module/vsock_loopback", F_OK) != 0) {
		CHECK(ady_dial(&fd, &local, 200) != ADY_OK && fd == -1);
		test_skip("this kernel has no vsock loopback");
		return;
	}
	check_stream(&e, &local);
}

CASE(a_live_socket_and_other_files_are_not_replaced)
{
	struct ady_endpoint u = in_dir("unix", "live.sock"), plain = in_dir("unix", "plain");
	int listener, second, file = open(plain.path, O_CREAT | O_WRONLY, 0600);

	CHECK_ERR(ady_listen(&listener, &u, &fault), ADY_OK);
	CHECK_ERR(ady_listen(&second, &u, &fault), ADY_E_IO);
	CHECK(strstr(fault.detail, "in use") && second == -1);
	CHECK_ERR(ady_listen(&second, &plain, &fault), ADY_E_IO);
	CHECK(access(plain.path, F_OK) == 0);
	close(listener);
	close(file);
}

CASE(several_listeners_share_a_tcp_port)
{
	struct ady_endpoint t = endpoint("tcp:127.0.0.1:0");
	int first, second, on = 0;
	socklen_t size = sizeof on;

	t.shared = true;
	CHECK_ERR(ady_listen(&first, &t, &fault), ADY_OK);
	CHECK_ERR(ady_listen(&second, &t, &fault), ADY_OK);
	CHECK(getsockopt(first, IPPROTO_TCP, TCP_NODELAY, &on, &size) == 0 && on);
	close(second);
	t.shared = false; /* and not with who did not ask for it */
	CHECK_ERR(ady_listen(&second, &t, &fault), ADY_E_IO);
	CHECK(strstr(fault.detail, "127.0.0.1:") && strstr(fault.detail, "in use"));
	close(first);
	CHECK_ERR(ady_listen(&first, &t, &fault), ADY_OK);
	t.shared = true;
	CHECK_ERR(ady_listen(&second, &t, &fault), ADY_E_IO);
	close(first);
}

CASE(dialling_nobody_fails_at_once)
{
	struct ady_endpoint t = endpoint("tcp:127.0.0.1:0"), none = in_dir("unix", "none.sock");
	int listener, fd;

	CHECK_ERR(ady_listen(&listener, &t, &fault), ADY_OK);
	close(listener);
	CHECK_ERR(ady_dial(&fd, &t, 1000), ADY_E_IO);
	CHECK_INT(fd, -1);
	CHECK_ERR(ady_dial(&fd, &none, 1000), ADY_E_IO);
}

/* --- the hybrid convention: a peer that answers CONNECT with what it was given --- */

struct hybrid_peer {
	struct ady_endpoint e;
	const char *answer;
	char said[64];
	int listener;
	atomic_bool left; /* the other side has gone */
};

static void *hybrid_main(void *arg)
{
	struct hybrid_peer *p = arg;
	int64_t until = ady_mono_ms() + 10000;
	size_t n = strlen(p->answer);
	int fd;

	while ((fd = ady_accept(p->listener)) < 0 && ady_mono_ms() < until)
		usleep(500);
	for (size_t i = 0; i + 1 < sizeof p->said; i++) {
		if (ady_read_exact(fd, &p->said[i], 1, until) != ADY_OK || p->said[i] == '\n')
			break;
	}
	if (n > 0 && ady_write_all(fd, p->answer, n, until) != ADY_OK)
		return NULL;
	while (n == 0 && !p->left)
		usleep(1000);
	close(fd);
	return NULL;
}

static enum ady_err hybrid_dial(struct hybrid_peer *p, char got[3])
{
	struct ady_endpoint e = p->e;
	pthread_t thread;
	enum ady_err err;
	int fd;

	memset(p->said, 0, sizeof p->said);
	p->left = false;
	CHECK_ERR(ady_listen(&p->listener, &p->e, &fault), ADY_OK);
	CHECK(pthread_create(&thread, NULL, hybrid_main, p) == 0);
	e.kind = ADY_HYBRID;
	e.port = 5000;
	err = ady_dial(&fd, &e, *p->answer ? 10000 : 100);
	p->left = true;
	if (err == ADY_OK) {
		CHECK_ERR(ady_read_exact(fd, got, 2, ady_mono_ms() + 10000), ADY_OK);
		close(fd);
	}
	pthread_join(thread, NULL);
	close(p->listener);
	return err;
}

CASE(the_hybrid_handshake)
{
	static const char *const refused[] = {
	    "OK \n", "OK x\n", "NO 1\n", "\n", "OK 12345678901234567890123456789012345\n", "OK 1"};
	struct hybrid_peer p = {.e = in_dir("unix", "h.sock"), .answer = "OK 1073741824\nab"};
	char got[3] = "";

	CHECK_ERR(hybrid_dial(&p, got), ADY_OK);
	CHECK_STR(p.said, "CONNECT 5000\n");
	CHECK_STR(got, "ab"); /* nothing of the stream was swallowed */
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		p.answer = refused[i];
		CHECK_ERR(hybrid_dial(&p, got), ADY_E_IO);
	}
	p.answer = "";
	CHECK_ERR(hybrid_dial(&p, got), ADY_E_DEADLINE);
}

CASE(a_hybrid_listener_is_where_the_other_side_dials)
{
	struct ady_endpoint h = in_dir("hybrid", "v.sock:8000"), u = in_dir("unix", "v.sock_8000");

	check_stream(&h, &u);
}

/* --- short writes --- */

static void *slow_reader(void *arg)
{
	int fd = *(int *)arg;
	static uint8_t in[300000];
	size_t at = 0;

	for (size_t n = 1; at < sizeof in; n = n * 2 % 4093 + 1) {
		size_t left = sizeof in - at;

		if (ady_read_exact(fd, in + at, n < left ? n : left, ady_mono_ms() + 10000) !=
		    ADY_OK)
			break;
		at += n < left ? n : left;
	}
	for (size_t i = 0; i < at; i++)
		if (in[i] != (uint8_t)(i * 31 + i / 256))
			return NULL;
	return at == sizeof in ? arg : NULL;
}

CASE(everything_is_written_through_a_tiny_buffer)
{
	static uint8_t out[300000];
	int fds[2], tiny = 1;
	pthread_t thread;
	void *all;

	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i * 31 + i / 256);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny);
	CHECK(pthread_create(&thread, NULL, slow_reader, &fds[1]) == 0);
	CHECK_ERR(ady_write_all(fds[0], out, sizeof out, ady_mono_ms() + 10000), ADY_OK);
	pthread_join(thread, &all);
	CHECK(all == &fds[1]);
	CHECK_ERR(ady_write_all(fds[0], out, sizeof out, ady_mono_ms() + 20), ADY_E_DEADLINE);
	close(fds[0]);
	close(fds[1]);
}

static void clean_up(void)
{
	static const char *const names[] = {"a.sock", "live.sock", "plain", "h.sock",
	                                    "v.sock_8000"};
	char path[64];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(texts_are_read);
	RUN(other_texts_are_refused);
	RUN(a_path_has_107_bytes);
	RUN(unix_and_tcp_streams);
	RUN(vsock_streams);
	RUN(a_live_socket_and_other_files_are_not_replaced);
	RUN(several_listeners_share_a_tcp_port);
	RUN(dialling_nobody_fails_at_once);
	RUN(the_hybrid_handshake);
	RUN(a_hybrid_listener_is_where_the_other_side_dials);
	RUN(everything_is_written_through_a_tiny_buffer);
	clean_up();
	return test_end();
}
