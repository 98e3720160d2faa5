/* SPDX-License-Identifier: Apache-2.0
 *
 * Each case runs in a child of its own: what it gives up does not come back. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "enclave/harden.h"
#include "enclave/isolate.h"
#include "enclave/seccomp.h"
#include "test.h"

/* Run fn in a child; its wait status. */
static int in_child(void (*fn)(void))
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static bool is_killed(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

static bool is_fine(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* In a child: leave with a number that says which condition failed. */
static void need(bool ok, int number)
{
	if (!ok)
		_exit(number);
}

static void filter(void)
{
	struct ady_fault f;

	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, 101);
	need(ady_seccomp_enter(false, &f) == ADY_OK, 102);
}

static void do_open(void)
{
	filter();
	(void)open("/etc/passwd", O_RDONLY);
}

static void do_exec(void)
{
	char *argv[] = {NULL};

	filter();
	(void)execve("/bin/true", argv, argv);
}

static void do_fork(void)
{
	filter();
	(void)fork();
}

static void do_ptrace(void)
{
	filter();
	(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void do_executable_mapping(void)
{
	filter();
	(void)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void do_executable_protection(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	filter();
	(void)mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void do_inet_socket(void)
{
	filter();
	(void)socket(AF_INET, SOCK_STREAM, 0);
}

static void do_netlink_socket(void)
{
	filter();
	(void)socket(AF_NETLINK, SOCK_RAW, 0);
}

static void do_nsm_ioctl_without_device(void)
{
	filter();
	(void)ioctl(0, 0xC0200A00);
}

static void do_process_vm_readv(void)
{
	filter();
	(void)syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0);
}

static void *sleeper(void *arg)
{
	int *fds = arg;
	char c;

	if (read(fds[0], &c, 1) == 1)
		(void)open("/etc/passwd", O_RDONLY);
	return NULL;
}

/* A thread that was there before the filter is under it too. */
static void do_open_in_older_thread(void)
{
	pthread_t thread;
	int fds[2];

	need(pipe(fds) == 0, 103);
	need(pthread_create(&thread, NULL, sleeper, fds) == 0, 104);
	filter();
	need(write(fds[1], "x", 1) == 1, 105);
	(void)pthread_join(thread, NULL);
}

#ifdef __x86_64__
/* The same number means another call under the x32 and i386 conventions. */
static void do_x32_call(void)
{
	filter();
	(void)syscall(0x40000000 + SYS_getpid);
}
#endif

CASE(other_system_calls_end_the_process)
{
	CHECK(is_killed(in_child(do_open)));
	CHECK(is_killed(in_child(do_exec)));
	CHECK(is_killed(in_child(do_fork)));
	CHECK(is_killed(in_child(do_ptrace)));
	CHECK(is_killed(in_child(do_process_vm_readv)));
#ifdef __x86_64__
	CHECK(is_killed(in_child(do_x32_call)));
#endif
}

CASE(arguments_are_checked_where_they_matter)
{
	CHECK(is_killed(in_child(do_executable_mapping)));
	CHECK(is_killed(in_child(do_executable_protection)));
	CHECK(is_killed(in_child(do_inet_socket)));
	CHECK(is_killed(in_child(do_netlink_socket)));
	CHECK(is_killed(in_child(do_nsm_ioctl_without_device)));
}

CASE(threads_made_before_are_filtered_as_well)
{
	CHECK(is_killed(in_child(do_open_in_older_thread)));
}

static void do_allowed(void)
{
	void *p;
	int fd;

	filter();
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	need(fd >= 0, 1);
	need(close(fd) == 0, 2);
	p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(p != MAP_FAILED, 3);
	need(mprotect(p, 1 << 20, PROT_READ) == 0, 4);
	need(munmap(p, 1 << 20) == 0, 5);
	p = malloc(1 << 22);
	need(p != NULL, 6);
	free(p);
}

CASE(what_serving_needs_is_allowed)
{
	CHECK(is_fine(in_child(do_allowed)));
	CHECK(ady_seccomp_count(true) == ady_seccomp_count(false) + 1);
	CHECK(ady_seccomp_count(true) <= 45);
}

/* The number behind name in /proc/self/status, read as base 16 or 10. */
static long status_value(const char *name, int base)
{
	char text[8192];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	char *at;

	if (n < 0)
		return -1;
	close(fd);
	text[n] = '\0';
	at = strstr(text, name);
	return at ? strtol(at + strlen(name), NULL, base) : -1;
}

static void do_process(void)
{
	struct ady_fault f;
	struct rlimit core;
	int spare = open("/dev/null", O_RDONLY);

	setenv("OPENSSL_CONF", "/tmp/evil.cnf", 1);
	need(ady_harden_process(&f) == ADY_OK, 1);
	need(getenv("OPENSSL_CONF") == NULL && (!environ || !*environ), 2);
	need(fcntl(spare, F_GETFD) == -1 && errno == EBADF, 3);
	need(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0, 4);
	need(status_value("NoNewPrivs:", 10) == 1, 5);
	need(fcntl(STDIN_FILENO, F_GETFD) >= 0, 6);
	need(ady_harden_privileges(0, &f) == ADY_OK, 7);
	need(prctl(PR_GET_DUMPABLE) == 0, 8);
	need(status_value("CapEff:", 16) == 0 && status_value("CapPrm:", 16) == 0, 9);
	filter();
}

static void do_seccomp_status(void)
{
	int fd = open("/proc/self/status", O_RDONLY);
	char text[8192];
	ssize_t n;

	filter();
	n = read(fd, text, sizeof text - 1);
	need(n > 0, 1);
	text[n] = '\0';
	need(strstr(text, "Seccomp:\t2") != NULL, 2);
	need(strstr(text, "NoNewPrivs:\t1") != NULL, 3);
}

CASE(the_hardening_shows_in_proc)
{
	CHECK_INT(in_child(do_process), 0);
	CHECK_INT(in_child(do_seccomp_status), 0);
}

static void do_memory(void)
{
	struct ady_fault f;
	bool by_capability;

	if (ady_harden_memory(&by_capability, &f) != ADY_OK)
		_exit(77);
	need(status_value("VmLck:", 10) > 0, 1);
}

static int by_value(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void do_log(void)
{
	struct ady_fault f;

	need(ady_harden_process(&f) == ADY_OK, 1);
	filter();
	ADY_INFO("the first line", "of=this_process");
}

/* OpenSSL sorts what a peer's certificate holds, before it has verified it. */
static void do_sort(void)
{
	struct ady_fault f;
	int values[1024] = {1};

	need(ady_harden_process(&f) == ADY_OK, 1);
	filter();
	qsort(values, sizeof values / sizeof *values, sizeof *values, by_value);
	need(values[1023] == 1, 2);
}

static void do_bug(void)
{
	struct ady_fault f;

	need(ady_harden_process(&f) == ADY_OK, 1);
	filter();
	ADY_BUG("on purpose");
}

CASE(the_c_library_reads_no_files_behind_the_filter)
{
	int status = in_child(do_bug);

	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	CHECK_INT(in_child(do_log), 0);
	CHECK_INT(in_child(do_sort), 0);
}

CASE(memory_is_locked_or_the_reason_said)
{
	int status = in_child(do_memory);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("this user may not lock memory");
	else
		CHECK_INT(status, 0);
}

static char dir[] = "/tmp/adyton-isolate-XXXXXX";
static char path[64];

static void do_isolate(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct ady_isolation done;
	int fd;

	ady_isolate(&done, dir, true);
	if (!done.root)
		_exit(77);
	need(access("/etc/passwd", F_OK) != 0, 1);
	need(access("/proc/self", F_OK) != 0, 2);
	need(mkdir("/x", 0700) != 0, 3);
	memcpy(at.sun_path, path, sizeof path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	need(connect(fd, (struct sockaddr *)&at, sizeof at) == 0, 4);
	need(done.namespaces && done.why_not[0] == '\0', 5);
}

CASE(nothing_but_the_relay_is_left_of_the_file_system)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), status;

	CHECK(mkdtemp(dir) != NULL);
	snprintf(path, sizeof path, "%s/relay.sock", dir);
	memcpy(at.sun_path, path, sizeof path);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 4) == 0);
	status = in_child(do_isolate);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("the kernel does not allow namespaces here");
	else
		CHECK_INT(status, 0);
	close(fd);
	unlink(path);
	rmdir(dir);
}

#ifdef ADY_UNFILTERED
static const bool instrumented = true;
#else
static const bool instrumented = false;
#endif

int main(void)
{
	if (instrumented) {
		printf("skip hardening: instrumented builds need other system calls\n");
		return test_end();
	}
	RUN(other_system_calls_end_the_process);
	RUN(arguments_are_checked_where_they_matter);
	RUN(threads_made_before_are_filtered_as_well);
	RUN(what_serving_needs_is_allowed);
	RUN(the_hardening_shows_in_proc);
	RUN(the_c_library_reads_no_files_behind_the_filter);
	RUN(memory_is_locked_or_the_reason_said);
	RUN(nothing_but_the_relay_is_left_of_the_file_system);
	return test_end();
}
