/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton-gateway: the door between clients and the enclave, on the parent. This file reads the
 * command line and waits for signals; all the work is behind ady_gateway_open. It holds no key and
 * decides nothing about what is signed. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "gateway/gateway.h"

enum { DRAIN_MS = 10000 };

struct options {
	const char *config, *ready_file;
	int ready_fd;
	bool check;
};

static const char help[] =
    "Usage: adyton-gateway --config FILE [options]\n"
    "\n"
    "Serves signing requests over HTTP, hands them to the enclave, and relays the\n"
    "enclave's TLS to KMS. doc/gateway.md describes FILE, the requests and the errors.\n"
    "\n"
    "  --config FILE      the configuration (JSON)\n"
    "  --check            read the configuration, say whether it is good, and end\n"
    "  --ready-file PATH  write one JSON line to PATH when requests are accepted\n"
    "  --ready-fd N       the same to descriptor N, which is then closed\n"
    "  --help, --version\n"
    "\n"
    "Signals: TERM and INT end it when requests in flight are answered (10 s at most);\n"
    "HUP reads the TLS certificate again.\n";

static int usage(void)
{
	fputs("Try adyton-gateway --help.\n", stderr);
	return 2;
}

/* A number of at most nine digits; -1: it is none. */
static int number(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n < 10 && !text[n] ? (int)strtol(text, NULL, 10) : -1;
}

/* -1: go on; else the exit status. */
static int read_options(struct options *o, int argc, char **argv)
{
	static const struct option all[] = {{"config", required_argument, NULL, 'c'},
	                                    {"check", no_argument, NULL, 'k'},
	                                    {"ready-file", required_argument, NULL, 'r'},
	                                    {"ready-fd", required_argument, NULL, 'f'},
	                                    {"help", no_argument, NULL, 'h'},
	                                    {"version", no_argument, NULL, 'v'},
	                                    {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", all, NULL)) != -1)
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 'k':
			o->check = true;
			break;
		case 'r':
			o->ready_file = optarg;
			break;
		case 'f':
			o->ready_fd = number(optarg);
			if (o->ready_fd < 0)
				return usage();
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		case 'v':
			puts("adyton-gateway " ADY_VERSION);
			return 0;
		default:
			return usage();
		}
	return o->config && optind == argc ? -1 : usage();
}

static bool write_line(int fd, const struct ady_dyn *line)
{
	bool ok = fd >= 0 && write(fd, line->p, line->n) == (ssize_t)line->n;

	return fd >= 0 && close(fd) == 0 && ok;
}

/* Whoever waits for the file must never see half of it. */
static bool write_file(const char *path, const struct ady_dyn *line)
{
	char temporary[4096];
	FILE *file;
	bool ok;

	if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary)
		return false;
	file = fopen(temporary, "we");
	if (!file)
		return false;
	ok = fwrite(line->p, 1, line->n, file) == line->n;
	ok = fclose(file) == 0 && ok;
	return ok && rename(temporary, path) == 0;
}

static bool tell_ready(const struct options *o, const struct ady_gateway *gateway)
{
	struct ady_dyn line = {0};
	bool ok = true;

	ady_gateway_put_ready(gateway, &line);
	ADY_INFO("ready", "%.*s", (int)(line.n - 1), (const char *)line.p);
	if (o->ready_file)
		ok = write_file(o->ready_file, &line);
	if (o->ready_fd >= 0)
		ok = write_line(o->ready_fd, &line) && ok;
	if (!ok)
		ADY_ERROR("readiness not written", "reason=\"%s\"", strerror(errno));
	ady_dyn_free(&line);
	return ok;
}

static void reload(struct ady_gateway *gateway)
{
	struct ady_fault f = {0};

	if (ady_gateway_reload(gateway, &f) == ADY_OK)
		ADY_INFO("certificate read again", "%s", "");
	else
		ADY_ERROR("certificate not read, the old one stays", "where=%s detail=\"%s\"",
		          f.where, f.detail);
}

/* A second TERM or INT does not wait for the drain: it kills. */
static void unblock_end(void)
{
	sigset_t end;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &end, NULL);
}

/* Until a signal says to end. */
static void serve(struct ady_gateway *gateway, const sigset_t *signals)
{
	int got = 0;

	while (got != SIGTERM && got != SIGINT) {
		if (sigwait(signals, &got) != 0)
			continue;
		if (got == SIGHUP)
			reload(gateway);
	}
	ADY_INFO("ending", "signal=%s", got == SIGTERM ? "TERM" : "INT");
	unblock_end();
	ady_gateway_drain(gateway, DRAIN_MS);
}

/* Credentials pass through this process: no core dumps, no tracing by others of the same user. */
static void harden(void)
{
	const struct rlimit none = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		ADY_WARN("not hardened", "reason=\"%s\"", strerror(errno));
}

static int run(const struct options *o, const struct ady_gateway_config *config)
{
	struct ady_gateway *gateway;
	struct ady_fault f = {0};
	sigset_t signals;
	int status = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); /* threads inherit it: signals wait for serve */
	if (ady_gateway_open(&gateway, config, &f) != ADY_OK) {
		ADY_ERROR("cannot start", "error=%s where=%s detail=\"%s\"", ady_err_code(f.err),
		          f.where, f.detail);
		return 1;
	}
	if (tell_ready(o, gateway))
		serve(gateway, &signals);
	else
		status = 1;
	ady_gateway_close(gateway);
	ADY_INFO("ended", "%s", "");
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.ready_fd = -1};
	struct ady_gateway_config config;
	struct ady_fault f = {0};
	int status = read_options(&o, argc, argv);

	if (status >= 0)
		return status;
	ady_log_open("adyton-gateway", ADY_LOG_INFO);
	(void)signal(SIGPIPE, SIG_IGN);
	harden();
	if (ady_gateway_config_read(&config, o.config, &f) != ADY_OK) {
		fprintf(stderr, "%s: %s%s%s\n", o.config, f.where, *f.where ? " " : "", f.detail);
		return 1;
	}
	if (o.check)
		puts("the configuration is good");
	else
		status = run(&o, &config);
	ady_gateway_config_clear(&config);
	return o.check ? 0 : status;
}
