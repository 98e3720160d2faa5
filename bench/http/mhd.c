/* SPDX-License-Identifier: Apache-2.0
 *
 * The same handler on libmicrohttpd, for comparison (bench/http/run). Usage: mhd [CERT KEY]. */
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static unsigned long requests;
static char answer[301];

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_n, void **state)
{
	static int started;
	struct MHD_Response *r;
	enum MHD_Result done;

	(void)cls;
	(void)url;
	(void)method;
	(void)version;
	(void)data;
	if (!*state) {
		*state = &started;
		return MHD_YES;
	}
	if (*data_n > 0) {
		*data_n = 0;
		return MHD_YES;
	}
	requests++;
	r = MHD_create_response_from_buffer(300, answer, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(r, "Content-Type", "application/json");
	MHD_add_response_header(r, "Cache-Control", "no-store");
	MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
	done = MHD_queue_response(connection, 200, r);
	MHD_destroy_response(r);
	return done;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static char *slurp(const char *path)
{
	char *text = calloc(1, 65536);
	FILE *f = fopen(path, "r");

	if (!f || fread(text, 1, 65535, f) == 0)
		exit(1);
	fclose(f);
	return text;
}

int main(int argc, char **argv)
{
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | (argc == 3 ? MHD_USE_TLS : 0);
	struct MHD_Daemon *d;
	struct rusage u;
	sigset_t term;
	int sig;

	memset(answer, 'x', 300);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (argc == 3)
		d = MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL,
		                     MHD_OPTION_HTTPS_MEM_CERT, slurp(argv[1]),
		                     MHD_OPTION_HTTPS_MEM_KEY, slurp(argv[2]), MHD_OPTION_END);
	else
		d = MHD_start_daemon(flags, 0, NULL, NULL, on_request, NULL, MHD_OPTION_END);
	if (!d)
		return 1;
	printf("%u\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&term, &sig);
	getrusage(RUSAGE_SELF, &u);
	printf("%lu requests, %.2f us CPU each (user %.2f, system %.2f), %ld KiB\n", requests,
	       (seconds(u.ru_utime) + seconds(u.ru_stime)) * 1e6 / (double)requests,
	       seconds(u.ru_utime) * 1e6 / (double)requests,
	       seconds(u.ru_stime) * 1e6 / (double)requests, u.ru_maxrss);
	MHD_stop_daemon(d);
	return 0;
}
