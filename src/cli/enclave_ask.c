/* SPDX-License-Identifier: Apache-2.0
 *
 * `adyton enclave stop`, `status` and `console`: what is asked of an enclave that `adyton enclave
 * run` looks after. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/commands.h"
#include "cli/enclave.h"
#include "cli/enclave_state.h"
#include "cli/fault.h"
#include "cli/stack.h"

enum {
	STOP_MS = 30000,
	LOOK_MS = 50,
	CONSOLE_PORT = 10000, /* of the hypervisor, CID 0, for the enclave with CID n: 10000 + n */
	CONSOLE_MS = 20000,   /* nitro-cli waits as long */
};

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
}

/* Options that all three have. Returns -1 to go on. */
static int read_options(const struct ady_command *self, const struct ady_option *options, int argc,
                        char **argv)
{
	struct ady_values rest;
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status < 0 && rest.n)
		return ady_cli_usage(self, "there is no argument %s", rest.v[0]);
	return status;
}

int ady_cmd_enclave_stop(const struct ady_command *self, int argc, char **argv)
{
	const int64_t end_ms = ady_mono_ms() + STOP_MS;
	const char *dir = NULL;
	const struct ady_option options[] = {
	    {"dir", "DIR", "of the enclave (./" ADY_ENCLAVE_DIR ")", .text = &dir}, {0}};
	int status = read_options(self, options, argc, argv);
	pid_t owner;

	if (status >= 0)
		return status;
	if (!dir)
		dir = ADY_ENCLAVE_DIR;
	owner = ady_enclave_dir_owner(dir);
	if (owner == 0) {
		ady_cli_say("no enclave runs in %s", dir);
		return ADY_EXIT_REFUSED;
	}
	if (kill(owner, SIGTERM) != 0) {
		ady_cli_say("process %d: %s", (int)owner, strerror(errno));
		return ADY_EXIT_FAILED;
	}
	while (ady_enclave_dir_owner(dir) == owner && ady_mono_ms() < end_ms)
		nap();
	if (ady_enclave_dir_owner(dir) != owner)
		return ADY_EXIT_OK;
	ady_cli_say("process %d does not end", (int)owner);
	return ADY_EXIT_FAILED;
}

static void print_status(const json_t *state)
{
	static const char *const rows[] = {"state",   "backend", "cid",     "memory_mib", "cpus",
	                                   "debug",   "image",   "enclave", "relay",      "starts",
	                                   "boot_ms", "accel",   "console", "last_end"};
	const char *name;
	const json_t *value;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		value = json_object_get(state, rows[i]);
		if (json_is_string(value))
			printf("%-12s %s\n", rows[i], json_string_value(value));
		else if (json_is_integer(value))
			printf("%-12s %lld\n", rows[i], (long long)json_integer_value(value));
		else if (json_is_boolean(value))
			printf("%-12s %s\n", rows[i], json_is_true(value) ? "yes" : "no");
	}
	json_object_foreach(json_object_get(state, "Measurements"), name,
	                    value) if (strncmp(name, "PCR", 3) == 0)
	    printf("%-12s %s\n", name, json_string_value(value));
}

int ady_cmd_enclave_status(const struct ady_command *self, int argc, char **argv)
{
	const char *dir = NULL;
	bool json = false;
	struct ady_fault f = {0};
	json_t *state;
	const struct ady_option options[] = {
	    {"dir", "DIR", "of the enclave (./" ADY_ENCLAVE_DIR ")", .text = &dir},
	    {"json", NULL, "one JSON object on one line", .flag = &json},
	    {0}};
	int status = read_options(self, options, argc, argv);

	if (status >= 0)
		return status;
	if (ady_enclave_state_load(&state, dir ? dir : ADY_ENCLAVE_DIR, &f) != ADY_OK) {
		(void)ady_cli_fault(&f, "tell the state", NULL);
		return ADY_EXIT_FAILED;
	}
	if (json) {
		json_dumpf(state, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_status(state);
	}
	status =
	    strcmp(ady_stack_text(state, "state"), "running") == 0 ? ADY_EXIT_OK : ADY_EXIT_REFUSED;
	json_decref(state);
	return status;
}

/* Copy what fd has to standard output; false at its end or when it fails. */
static bool copy(int fd)
{
	char text[4096];
	ssize_t n = read(fd, text, sizeof text);

	return n > 0 && fwrite(text, 1, (size_t)n, stdout) == (size_t)n && fflush(stdout) == 0;
}

static int console_of_file(const char *path, const char *dir, bool follow)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool running;

	if (fd < 0) {
		ady_cli_say("%s: %s", path, strerror(errno));
		return ADY_EXIT_FAILED;
	}
	do {
		running = follow && ady_enclave_dir_owner(dir) != 0;
		while (copy(fd))
			;
		if (running)
			nap();
	} while (running);
	close(fd);
	return ADY_EXIT_OK;
}

static int console_of_hypervisor(const json_t *state)
{
	const uint32_t cid = (uint32_t)json_integer_value(json_object_get(state, "cid"));
	const struct ady_endpoint e = {.kind = ADY_VSOCK, .cid = 0, .port = CONSOLE_PORT + cid};
	struct pollfd p = {.events = POLLIN};

	if (!json_is_true(json_object_get(state, "debug"))) {
		ady_cli_say("only an enclave started with --debug has a console");
		return ADY_EXIT_REFUSED;
	}
	if (ady_dial(&p.fd, &e, CONSOLE_MS) != ADY_OK) {
		ady_cli_say("the hypervisor does not answer on vsock:0:%u", e.port);
		return ADY_EXIT_FAILED;
	}
	while (poll(&p, 1, -1) >= 0 && copy(p.fd))
		;
	close(p.fd);
	return ADY_EXIT_OK;
}

int ady_cmd_enclave_console(const struct ady_command *self, int argc, char **argv)
{
	const char *dir = NULL, *path;
	bool follow = false;
	struct ady_fault f = {0};
	json_t *state;
	const struct ady_option options[] = {
	    {"dir", "DIR", "of the enclave (./" ADY_ENCLAVE_DIR ")", .text = &dir},
	    {"follow", NULL, "go on until it is stopped (on Nitro always)", .flag = &follow},
	    {0}};
	int status = read_options(self, options, argc, argv);

	if (status >= 0)
		return status;
	dir = dir ? dir : ADY_ENCLAVE_DIR;
	if (ady_enclave_state_load(&state, dir, &f) != ADY_OK) {
		(void)ady_cli_fault(&f, "show the console", NULL);
		return ADY_EXIT_FAILED;
	}
	path = ady_stack_text(state, "console");
	status = *path ? console_of_file(path, dir, follow) : console_of_hypervisor(state);
	json_decref(state);
	return status;
}
