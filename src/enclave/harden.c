/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/secret.h"

enum {
	STACK_SIZE = 1024 * 1024,
	/* With more, glibc reads /sys and /proc/sys/vm/overcommit_memory in the middle of malloc
	 * and free (arena_get2, check_may_shrink_heap), and the filter would end the process. */
	MALLOC_ARENAS = 1,
};

static enum ady_err cannot(struct ady_fault *f, enum ady_err err, const char *what)
{
	return ady_fail(f, err, "", "cannot %s: %s", what, strerrordesc_np(errno));
}

/* The environment is an input from outside: LD_, OPENSSL_ and the like choose behaviour, and it may
 * hold the credentials of whoever started us. Its strings are overwritten, for they stay on the
 * first stack. */
static void drop_environment(void)
{
	for (char **e = environ; e && *e; e++)
		ady_zero(*e, strlen(*e));
	(void)clearenv();
}

/* Close all but the standard descriptors; make those exist, so that no later one takes a number
 * that is written to as standard error. Standard input reads nothing. */
static void settle_descriptors(void)
{
	int null;

	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	while ((null = open("/dev/null", O_RDWR)) >= 0 && null <= STDERR_FILENO)
		;
	if (null < 0)
		return;
	(void)dup2(null, STDIN_FILENO);
	close(null);
}

static int in_order(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return 0;
}

/* Make the C library decide now what it would else look up in files later. The first qsort of 1024
 * bytes asks how much memory there is: else the name in a certificate, which OpenSSL sorts before
 * it verifies anything, could make that call behind the filter. */
static void settle_libc(void)
{
	char sorted[1024] = {0};
	pthread_attr_t attr;

	qsort(sorted, sizeof sorted, 1, in_order);

	(void)setenv("TZ", "UTC0", 1);
	tzset();
	(void)clearenv();
	(void)mallopt(M_ARENA_MAX, MALLOC_ARENAS);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	(void)pthread_setattr_default_np(&attr);
	pthread_attr_destroy(&attr);
}

enum ady_err ady_harden_process(struct ady_fault *f)
{
	const struct rlimit none = {0};

	drop_environment();
	settle_descriptors();
	settle_libc();
	(void)umask(077);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return cannot(f, ADY_E_INTERNAL, "ignore SIGPIPE");
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return cannot(f, ADY_E_INTERNAL, "forbid core files");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return cannot(f, ADY_E_INTERNAL, "give up new privileges");
	return ADY_OK;
}

/* With a limit, MCL_FUTURE would make later allocations fail: better to know at once. */
static bool lift_limit(void)
{
	const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
	struct rlimit now;

	return setrlimit(RLIMIT_MEMLOCK, &all) == 0 ||
	       (getrlimit(RLIMIT_MEMLOCK, &now) == 0 && now.rlim_cur == RLIM_INFINITY);
}

static bool has_capability(unsigned c)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};

	return syscall(SYS_capget, &head, caps) == 0 && (caps[c / 32].effective >> c % 32 & 1);
}

enum ady_err ady_harden_memory(bool *by_capability, struct ady_fault *f)
{
	*by_capability = !lift_limit();
	if (*by_capability && !has_capability(CAP_IPC_LOCK))
		return ady_fail(f, ADY_E_MEMORY, "",
		                "cannot lock memory: the limit (ulimit -l) is not unlimited");
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
		return cannot(f, ADY_E_MEMORY, "lock memory");
	return ADY_OK;
}

enum ady_err ady_harden_privileges(uint32_t keep, struct ady_fault *f)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct kept[2] = {{.effective = keep, .permitted = keep}};

	/* Those of the bounding set go as far as we may; without new privileges none comes back. */
	for (unsigned long c = 0; c <= CAP_LAST_CAP; c++)
		(void)prctl(PR_CAPBSET_DROP, c, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, kept) != 0)
		return cannot(f, ADY_E_INTERNAL, "drop capabilities");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return cannot(f, ADY_E_INTERNAL, "forbid tracing");
	return ADY_OK;
}
