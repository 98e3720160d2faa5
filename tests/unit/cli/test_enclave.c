/* SPDX-License-Identifier: Apache-2.0
 *
 * The parent's side of an enclave without a machine: the heartbeat, the folder and its lock, and
 * nitro-cli, played by a shell script. */
#include "cli/enclave.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/enclave_beat.h"
#include "cli/enclave_state.h"
#include "test.h"

static char dir[64];

static const char *in_dir(const char *file)
{
	static char path[2][128];
	static int i;

	i = !i;
	snprintf(path[i], sizeof path[i], "%s/%s", dir, file);
	return path[i];
}

/* Dial as vhost-device-vsock does for a guest, send n bytes, and return what comes back, or -1. */
static int beat_with(struct ady_beat *beat, const char *bytes, size_t n, bool *taken)
{
	struct ady_endpoint e = {.kind = ADY_UNIX};
	uint8_t back = 0;
	int fd, got;

	snprintf(e.path, sizeof e.path, "%s", in_dir("vm.vsock_9000"));
	CHECK_ERR(ady_dial(&fd, &e, 1000), ADY_OK);
	CHECK(write(fd, bytes, n) == (ssize_t)n);
	if (n == 0)
		close(fd);
	*taken = ady_beat_take(beat, 4);
	if (n == 0)
		return -1;
	got = read(fd, &back, 1) == 1 ? back : -1;
	close(fd);
	return got;
}

CASE(only_the_byte_of_a_heartbeat_is_sent_back)
{
	struct ady_beat beat;
	struct ady_fault f = {0};
	char endpoint[128];
	bool taken;

	snprintf(endpoint, sizeof endpoint, "hybrid:%s/vm.vsock:9000", dir);
	CHECK_ERR(ady_beat_open(&beat, endpoint, &f), ADY_OK);
	CHECK(!ady_beat_take(&beat, 4)); /* nobody there: no wait */
	CHECK_INT(beat_with(&beat, "\xb6", 1, &taken), -1);
	CHECK(!taken);
	CHECK_INT(beat_with(&beat, "", 0, &taken), -1);
	CHECK(!taken);
	CHECK_INT(beat_with(&beat, "\xb7", 1, &taken), 0xb7);
	CHECK(taken);
	ady_beat_close(&beat);
	CHECK(access(in_dir("vm.vsock_9000"), F_OK) != 0);
	ady_beat_close(&beat);
}

/* A lock of this kind is not seen by its own process, so that a child asks. */
static pid_t owner_as_seen_by_others(void)
{
	int status = 0;
	const pid_t self = getpid(), child = fork();

	if (child == 0)
		_exit(ady_enclave_dir_owner(dir) == self ? 1 : ady_enclave_dir_owner(dir) ? 2 : 0);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	return WEXITSTATUS(status) == 1 ? self : WEXITSTATUS(status);
}

static enum ady_err take_as_another(char detail[static 160])
{
	char path[PATH_MAX];
	struct ady_fault f = {0};
	int status = 0, out[2];
	pid_t child;

	CHECK(pipe(out) == 0);
	child = fork();
	if (child == 0) {
		const enum ady_err err = ady_enclave_dir_take(path, dir, &f);

		_exit(write(out[1], f.detail, 159) == 159 ? (int)err : 255);
	}
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
	CHECK(read(out[0], detail, 159) > 0);
	detail[159] = 0;
	close(out[0]);
	close(out[1]);
	return (enum ady_err)WEXITSTATUS(status);
}

CASE(one_enclave_to_a_folder)
{
	char path[PATH_MAX], detail[160];
	struct ady_fault f = {0};
	json_t *state = json_pack("{ss}", "state", "running"), *back;

	CHECK_ERR(ady_enclave_state_load(&back, dir, &f), ADY_E_NOT_FOUND);
	CHECK_INT(owner_as_seen_by_others(), 0);
	CHECK_ERR(ady_enclave_state_save(dir, state, &f), ADY_OK);
	CHECK_ERR(ady_enclave_state_load(&back, dir, &f), ADY_OK);
	CHECK_STR(json_string_value(json_object_get(back, "state")), "stopped");
	json_decref(back);
	CHECK_ERR(ady_enclave_dir_take(path, dir, &f), ADY_OK);
	CHECK_STR(path, dir);
	CHECK_INT(owner_as_seen_by_others(), getpid());
	CHECK_ERR(take_as_another(detail), ADY_E_CONFIG);
	CHECK(strstr(detail, "an enclave runs in") != NULL);
	json_decref(state);
}

CASE(a_damaged_state_is_said_to_be)
{
	struct ady_fault f = {0};
	json_t *state;
	FILE *file = fopen(in_dir("enclave-run.json"), "we");

	fputs("{\"state\":", file);
	fclose(file);
	CHECK_ERR(ady_enclave_state_load(&state, dir, &f), ADY_E_JSON);
	CHECK(state == NULL);
	CHECK(strstr(f.detail, "damaged") != NULL);
}

static void script(const char *name, const char *body)
{
	FILE *file = fopen(in_dir(name), "we");

	fprintf(file, "#!/bin/sh\n%s\n", body);
	fclose(file);
	chmod(in_dir(name), 0700);
}

CASE(programs_are_found_by_variable_then_path)
{
	char found[PATH_MAX];
	struct ady_fault f = {0};

	script("prog-of-a-test", "exit 0");
	setenv("PATH", "/nonexistent", 1);
	CHECK_ERR(ady_program_find(found, "ADYTON_X", "prog-of-a-test", &f), ADY_E_NOT_FOUND);
	CHECK(strstr(f.detail, "ADYTON_X") != NULL);
	setenv("PATH", dir, 1);
	CHECK_ERR(ady_program_find(found, "ADYTON_X", "prog-of-a-test", &f), ADY_OK);
	CHECK_STR(found, in_dir("prog-of-a-test"));
	setenv("ADYTON_X", "/nonexistent", 1);
	CHECK_ERR(ady_program_find(found, "ADYTON_X", "prog-of-a-test", &f), ADY_E_NOT_FOUND);
}

/* It notes its arguments, and answers with what nitro-cli 1.5 answers. */
static const char NITRO_CLI[] =
    "d=$(dirname \"$0\"); echo \"$@\" >> $d/calls\n"
    "case $1 in\n"
    "run-enclave) [ -f $d/broken ] && { echo '[E26] no memory' >&2; exit 1; }\n"
    "  echo '{\"EnclaveName\":\"a\",\"EnclaveID\":\"i-1-enc2\",\"ProcessID\":7,\n"
    "    \"EnclaveCID\":17,\"NumberOfCPUs\":2,\"CPUIDs\":[1,3],\"MemoryMiB\":512}' ;;\n"
    "describe-enclaves) cat $d/list ;;\n"
    "terminate-enclave) echo '{\"EnclaveID\":\"i-1-enc2\",\"Terminated\":true}' ;;\n"
    "esac";

static void list(const char *json)
{
	FILE *file = fopen(in_dir("list"), "we");

	fputs(json, file);
	fclose(file);
}

static void check_calls(const char *want)
{
	struct ady_bytes calls = test_read_file(in_dir("calls"));

	CHECK_STR(calls.p ? (const char *)calls.p : "", want);
	free((void *)(uintptr_t)calls.p);
	unlink(in_dir("calls"));
}

CASE(nitro_cli_runs_describes_and_terminates)
{
	static struct ady_machine m;
	const struct ady_machine_kind *kind = &ady_machine_nitro_cli;
	const struct ady_enclave_plan plan = {.dir = dir,
	                                      .image_path = "/a.eif",
	                                      .memory_mib = 512,
	                                      .cpus = 2,
	                                      .cid = 16,
	                                      .debug = true};
	struct ady_fault f = {0};
	char endpoint[64];

	script("nitro-cli", NITRO_CLI);
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("ADYTON_NITRO_CLI", in_dir("nitro-cli"), 1);
	m = (struct ady_machine){.kind = kind, .plan = &plan, .fd = -1};
	CHECK_ERR(kind->start(&m, &f), ADY_OK);
	check_calls("run-enclave --eif-path /a.eif --memory 512 --cpu-count 2 --enclave-cid 16 "
	            "--debug-mode\n");
	CHECK_STR(m.id, "i-1-enc2");
	CHECK_INT(m.cid, 17);
	kind->endpoint(&m, false, 5000, endpoint, sizeof endpoint);
	CHECK_STR(endpoint, "vsock:17:5000");
	kind->endpoint(&m, true, 8000, endpoint, sizeof endpoint);
	CHECK_STR(endpoint, "vsock:any:8000");
	CHECK(!kind->ended(&m)); /* asked a moment ago */
	m.looked_ms = 0;
	list("[{\"EnclaveID\":\"i-9\",\"State\":\"RUNNING\"},"
	     "{\"EnclaveID\":\"i-1-enc2\",\"State\":\"RUNNING\"}]");
	CHECK(!kind->ended(&m));
	m.looked_ms = 0;
	list("no answer");
	CHECK(!kind->ended(&m));
	m.looked_ms = 0;
	list("[{\"EnclaveID\":\"i-1-enc2\",\"State\":\"TERMINATING\"}]");
	CHECK(kind->ended(&m));
	m.looked_ms = 0;
	list("[]");
	CHECK(kind->ended(&m));
	unlink(in_dir("calls"));
	kind->stop(&m);
	check_calls("terminate-enclave --enclave-id i-1-enc2\n");
	kind->stop(&m);
	check_calls("");
	CHECK(kind->ended(&m));
}

CASE(nitro_cli_that_fails_is_said_to)
{
	static struct ady_machine m;
	const struct ady_enclave_plan plan = {
	    .dir = dir, .image_path = "/a.eif", .memory_mib = 512, .cpus = 2, .cid = 16};
	struct ady_fault f = {0};

	fclose(fopen(in_dir("broken"), "we"));
	m = (struct ady_machine){.kind = &ady_machine_nitro_cli, .plan = &plan, .fd = -1};
	CHECK_ERR(m.kind->start(&m, &f), ADY_E_IO);
	CHECK(strstr(f.detail, "nitro-cli.log") != NULL);
	check_calls("run-enclave --eif-path /a.eif --memory 512 --cpu-count 2 --enclave-cid 16\n");
}

/* No driver here: the error names what is missing, and nothing stays open. */
CASE(without_the_driver_nitro_says_so)
{
	static struct ady_machine m;
	const struct ady_enclave_plan plan = {.dir = dir, .memory_mib = 512, .cpus = 2, .cid = 16};
	struct ady_fault f = {0};

	if (access("/dev/nitro_enclaves", F_OK) == 0) {
		test_skip("this machine has the driver");
		return;
	}
	m = (struct ady_machine){.kind = &ady_machine_nitro, .plan = &plan, .fd = -1};
	CHECK_ERR(m.kind->start(&m, &f), ADY_E_IO);
	CHECK_STR(f.where, "/dev/nitro_enclaves");
	CHECK_INT(m.fd, -1);
	CHECK(m.kind->ended(&m));
}

int main(void)
{
	static const char *const files[] = {
	    "enclave.lock", "enclave-run.json", "nitro-cli",     "nitro-cli.log",
	    "list",         "broken",           "prog-of-a-test"};

	snprintf(dir, sizeof dir, "/tmp/test-enclave-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	RUN(only_the_byte_of_a_heartbeat_is_sent_back);
	RUN(one_enclave_to_a_folder);
	RUN(a_damaged_state_is_said_to_be);
	RUN(programs_are_found_by_variable_then_path);
	RUN(nitro_cli_runs_describes_and_terminates);
	RUN(nitro_cli_that_fails_is_said_to);
	RUN(without_the_driver_nitro_says_so);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(in_dir(files[i]));
	rmdir(dir);
	return test_end();
}
