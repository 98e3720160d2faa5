/* SPDX-License-Identifier: Apache-2.0
 *
 * What is checked at boot, against files that look like the kernel's, and the clock against a
 * stand-in for the NSM. Booting itself is shown by tests/vm. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "enclave/boot_checks.h"
#include "enclave/entropy.h"
#include "enclave/exit.h"
#include "enclave/time_watch.h"
#include "fake_nsm.h"
#include "test.h"

static char dir[] = "/tmp/adyton-boot-XXXXXX";

#define RNG "class/misc/hw_random/rng_current"
#define CURRENT "devices/system/clocksource/clocksource0/current_clocksource"
#define AVAILABLE "devices/system/clocksource/clocksource0/available_clocksource"

/* Write a file below dir, its folders included; NULL: there is none. */
static void put(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	for (char *p = path + sizeof dir; *p; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(path, 0700);
			*p = '/';
		}
	(void)unlink(path);
	if (!text)
		return;
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static enum ady_err cid_of(const char *line, uint32_t *cid, struct ady_fault *f)
{
	char path[64];

	put("cmdline", line);
	snprintf(path, sizeof path, "%s/cmdline", dir);
	return ady_boot_parent_cid(cid, path, f);
}

CASE(the_parent_is_3_or_what_the_command_line_says)
{
	uint32_t cid = 0;

	CHECK_ERR(cid_of("reboot=k panic=30\n", &cid, NULL), ADY_OK);
	CHECK_INT(cid, 3);
	CHECK_ERR(cid_of("a adyton.parent_cid=2 b\n", &cid, NULL), ADY_OK);
	CHECK_INT(cid, 2);
	CHECK_ERR(cid_of("xadyton.parent_cid=2\n", &cid, NULL), ADY_OK);
	CHECK_INT(cid, 3);
	CHECK_ERR(cid_of("adyton.parent_cid=4294967294", &cid, NULL), ADY_OK);
	CHECK_INT(cid, 4294967294);
}

CASE(a_parent_that_cannot_be_is_refused)
{
	static const char *const bad[] = {"",   "x",  "0",          "1",
	                                  "2x", "-1", "4294967295", "99999999999"};
	struct ady_fault f = {0};
	uint32_t cid;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char line[64];

		snprintf(line, sizeof line, "adyton.parent_cid=%s", bad[i]);
		CHECK_ERR(cid_of(line, &cid, &f), ADY_E_CONFIG);
		CHECK_STR(f.detail, "is no CID of a parent");
	}
	CHECK_ERR(cid_of("adyton.parent_cid=2 adyton.parent_cid=2", &cid, &f), ADY_E_CONFIG);
	CHECK_STR(f.detail, "is given twice");
	CHECK_ERR(cid_of(NULL, &cid, &f), ADY_E_CONFIG);
}

CASE(another_random_generator_is_refused)
{
	struct ady_fault f = {0};

	put(RNG, "nsm-hwrng\n");
	CHECK_ERR(ady_boot_check_rng(dir, &f), ADY_OK);
	put(RNG, "virtio_rng.0\n");
	CHECK_ERR(ady_boot_check_rng(dir, &f), ADY_E_CRYPTO);
	CHECK_STR(f.detail, "is 'virtio_rng.0', not nsm-hwrng");
	put(RNG, NULL);
	CHECK_ERR(ady_boot_check_rng(dir, &f), ADY_E_CRYPTO);
	CHECK_STR(f.detail, "cannot be read");
}

CASE(kvm_clock_is_chosen_where_there_is_one)
{
	struct ady_fault f = {0};

	put(AVAILABLE, "tsc kvm-clock \n");
	put(CURRENT, "kvm-clock\n");
	CHECK_ERR(ady_boot_check_clock(dir, &f), ADY_OK);
	/* Here the file takes what is written, as sysfs does for a clock it has. */
	put(CURRENT, "tsc\n");
	CHECK_ERR(ady_boot_check_clock(dir, &f), ADY_OK);
	/* And here what is read back is not what was written. */
	put(CURRENT, "refined-jiffies\n");
	CHECK_ERR(ady_boot_check_clock(dir, &f), ADY_E_INTERNAL);
	CHECK_STR(f.detail, "is 'kvm-clockiffies' and stays so");
	put(AVAILABLE, "tsc not-kvm-clock jiffies\n");
	CHECK_ERR(ady_boot_check_clock(dir, &f), ADY_OK);
	put(AVAILABLE, NULL);
	CHECK_ERR(ady_boot_check_clock(dir, &f), ADY_E_INTERNAL);
	CHECK_STR(f.detail, "cannot be read");
}

/* In a child: getrandom(2) says that it would have to wait. */
static void unready(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 11 /* EAGAIN */),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof code / sizeof *code, .filter = code};
	struct ady_fault f = {0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
		_exit(2);
	_exit(ady_entropy_check(&f) == ADY_E_CRYPTO && strstr(f.detail, "getrandom") ? 0 : 1);
}

CASE(a_pool_that_is_not_ready_is_refused)
{
	int status = -1;
	pid_t pid;

	CHECK_ERR(ady_entropy_check(NULL), ADY_OK);
	fflush(stdout);
	if ((pid = fork()) == 0)
		unready();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK_INT(status, 0);
}

CASE(exits_have_their_words)
{
	CHECK_STR(ady_enclave_exit_text(ADY_EXIT_NSM), "there is no NSM, or it does not answer");
	CHECK_STR(ady_enclave_exit_text(ADY_EXIT_LOST), "a thread was lost or an invariant broken");
	CHECK_STR(ady_enclave_exit_text(99), ady_enclave_exit_text(ADY_EXIT_LOST));
}

/* Compare once with an NSM whose time is ahead of ours by ahead_ms; its watch, or NULL. */
static struct ady_time_watch *watch(struct fake_nsm *n, struct ady_nsm **nsm, int64_t ahead_ms,
                                    enum ady_err want)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct ady_nsm_config config = {.path = n->path, .program_fd = null, .config_fd = null};
	struct ady_time_watch *w;

	fake_nsm_start(n, dir);
	atomic_store(&n->time, ady_wall_ms() + ahead_ms);
	if (ady_nsm_open(nsm, &config, NULL) != ADY_OK)
		abort();
	close(null);
	CHECK_ERR(ady_time_watch_open(&w, *nsm, 600, NULL), want);
	return w;
}

static void unwatch(struct fake_nsm *n, struct ady_nsm *nsm, struct ady_time_watch *w)
{
	ady_time_watch_close(w);
	ady_nsm_close(nsm);
	fake_nsm_end(n);
}

CASE(a_clock_that_drifts_is_told_and_relied_on)
{
	struct fake_nsm n = {0};
	struct ady_nsm *nsm;
	struct ady_time_watch *w = watch(&n, &nsm, 5000, ADY_OK);

	CHECK(ady_time_watch_drift_ms(w) > 2000 && ady_time_watch_drift_ms(w) <= 5000);
	CHECK_ERR(ady_time_watch_right(w, NULL), ADY_OK);
	/* The next look is ten minutes away. */
	ady_time_watch_check(w);
	CHECK_INT(atomic_load(&n.documents), 1);
	unwatch(&n, nsm, w);
}

CASE(a_clock_that_is_wrong_is_not_relied_on)
{
	static const int64_t wrong[] = {60000, -60000};

	for (size_t i = 0; i < 2; i++) {
		struct fake_nsm n = {0};
		struct ady_fault f = {0};
		struct ady_nsm *nsm;
		struct ady_time_watch *w = watch(&n, &nsm, wrong[i], ADY_OK);

		CHECK_ERR(ady_time_watch_right(w, &f), ADY_E_CLOCK);
		CHECK(strncmp(f.detail, "the clock differs from the NSM's time by", 40) == 0);
		unwatch(&n, nsm, w);
	}
	CHECK_ERR(ady_time_watch_right(NULL, NULL), ADY_OK);
}

CASE(an_nsm_that_tells_no_time_is_refused)
{
	struct fake_nsm n = {.broken = true};
	struct ady_nsm *nsm;
	struct ady_time_watch *w = watch(&n, &nsm, 0, ADY_E_NSM);

	CHECK(!w);
	unwatch(&n, nsm, w);
}

CASE(documents_without_a_time_are_refused)
{
	static const char *const bad[] = {
	    "",
	    "80",
	    "8340a040",                             /* three */
	    "8440a041a040",                         /* no timestamp */
	    "8440a04ca16974696d657374616d706040",   /* a text */
	    "8440a04ca16974696d657374616d700040",   /* zero */
	    "8440a04ca16974696d657374616d70014000", /* a byte behind */
	    "8440a04da16974696d657374616d70010040", /* a byte behind the payload */
	    "8440a04ca16974696d657374616d70204000", /* negative */
	};
	int64_t ms;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		CHECK_ERR(ady_nsm_read_time(test_hex(bad[i]), &ms, NULL), ADY_E_NSM);
		CHECK_INT(ms, 0);
	}
	CHECK_ERR(ady_nsm_read_time(test_hex("8440a04ca16974696d657374616d700140"), &ms, NULL),
	          ADY_OK);
	CHECK_INT(ms, 1);
	CHECK_ERR(ady_nsm_read_time(test_hex("d28440a04ca16974696d657374616d700140"), &ms, NULL),
	          ADY_OK);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	RUN(the_parent_is_3_or_what_the_command_line_says);
	RUN(a_parent_that_cannot_be_is_refused);
	RUN(another_random_generator_is_refused);
	RUN(kvm_clock_is_chosen_where_there_is_one);
	RUN(a_pool_that_is_not_ready_is_refused);
	RUN(exits_have_their_words);
	RUN(a_clock_that_drifts_is_told_and_relied_on);
	RUN(a_clock_that_is_wrong_is_not_relied_on);
	RUN(an_nsm_that_tells_no_time_is_refused);
	RUN(documents_without_a_time_are_refused);
	return test_end();
}
