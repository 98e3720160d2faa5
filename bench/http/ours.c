/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP server with a handler that does nothing: bench/http/run drives it with wrk.
 * Usage: ours [CERT KEY]. Prints its port, and at SIGTERM requests and CPU time. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "net/http_server.h"

static struct ady_loop *loop;
static unsigned long requests;
static char answer[301];

static void on_request(void *ctx, struct ady_http_request *req)
{
	(void)ctx;
	requests++;
	ady_http_answer(req, 200, "application/json", NULL, ady_bytes(answer, 300));
}

static void on_signal(int sig)
{
	(void)sig;
	ady_loop_stop(loop);
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct ady_http_config config = {.limits = ady_http_default_limits(),
	                                 .request = on_request};
	struct ady_http_server *server;
	struct ady_fault f = {0};
	struct rusage u;

	memset(answer, 'x', 300);
	config.limits.requests_max = SIZE_MAX; /* wrk would count the new connections */
	config.limits.connection_ms = 3600000;
	if (ady_endpoint_parse(&config.listen, "tcp:127.0.0.1:0", &f) != ADY_OK ||
	    (argc == 3 && ady_tls_server(&config.tls, argv[1], argv[2], NULL, &f) != ADY_OK) ||
	    ady_loop_open(&loop) != ADY_OK ||
	    ady_http_server_open(&server, loop, &config, &f) != ADY_OK) {
		fprintf(stderr, "%s: %s\n", f.where, f.detail);
		return 1;
	}
	signal(SIGTERM, on_signal);
	printf("%u\n", config.listen.port);
	fflush(stdout);
	ady_loop_run(loop);
	getrusage(RUSAGE_SELF, &u);
	printf("%lu requests, %.2f us CPU each (user %.2f, system %.2f), %ld KiB\n", requests,
	       (seconds(u.ru_utime) + seconds(u.ru_stime)) * 1e6 / (double)requests,
	       seconds(u.ru_utime) * 1e6 / (double)requests,
	       seconds(u.ru_stime) * 1e6 / (double)requests, u.ru_maxrss);
	ady_http_server_close(server);
	ady_loop_close(loop);
	SSL_CTX_free(config.tls);
	return 0;
}
