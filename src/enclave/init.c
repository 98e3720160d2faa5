/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "enclave/boot_checks.h"
#include "enclave/config_file.h"
#include "enclave/harden.h"
#include "enclave/seccomp.h"
#include "enclave/start.h"

enum { DRAIN_ROUNDS = 50, DRAIN_MS = 10 };

static struct ady_enclave_config config;

struct boot {
	uint32_t parent_cid;
	int config_fd;
};

/* A step of the boot, and what it means when it fails. */
struct step {
	const char *what;
	enum ady_err (*take)(struct boot *b, struct ady_fault *f);
	enum ady_enclave_exit exit;
};

bool ady_init_is(const char *argv0)
{
	return getpid() == 1 && argv0 && strcmp(argv0, "/init") == 0;
}

/* Let the console send what was written to it, for half a second at most: nobody need listen. */
static void drain_console(void)
{
	const struct timespec nap = {.tv_nsec = DRAIN_MS * 1000000L};
	int waiting = 0;

	for (int i = 0; i < DRAIN_ROUNDS; i++) {
		if (ioctl(STDERR_FILENO, TIOCOUTQ, &waiting) != 0 || waiting == 0)
			return;
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	}
}

/* Under "reboot=k" the hypervisor takes the reset for the enclave's end. Should it not come, the
 * end of the first process is a panic, and the machine's end as well. */
static __attribute__((noreturn)) void stop(int status, const char *why)
{
	char line[160];
	int n = snprintf(line, sizeof line, "adyton-enclave: stop %d %s\n", status, why);

	if (write(STDERR_FILENO, line, (size_t)n) > 0)
		drain_console();
	(void)reboot(RB_AUTOBOOT);
	_exit(status);
}

static enum ady_err mount_on(const char *type, const char *dir, unsigned long flags,
                             struct ady_fault *f)
{
	if (mkdir(dir, 0555) != 0 && errno != EEXIST)
		return ady_fail(f, ADY_E_IO, dir, "cannot be made: %s", strerrordesc_np(errno));
	if (mount(type, dir, type, MS_NOSUID | MS_NOEXEC | flags, NULL) != 0)
		return ady_fail(f, ADY_E_IO, dir, "cannot be mounted: %s", strerrordesc_np(errno));
	return ADY_OK;
}

static enum ady_err unmount(const char *dir, struct ady_fault *f)
{
	if (umount2(dir, 0) != 0 || rmdir(dir) != 0)
		return ady_fail(f, ADY_E_IO, dir, "cannot be unmounted: %s",
		                strerrordesc_np(errno));
	return ADY_OK;
}

static enum ady_err open_console(struct boot *b, struct ady_fault *f)
{
	enum ady_err err = mount_on("devtmpfs", "/dev", 0, f);
	int fd;

	(void)b;
	if (err != ADY_OK)
		return err;
	fd = open("/dev/console", O_RDWR | O_NOCTTY);
	if (fd < 0)
		return ady_fail(f, ADY_E_IO, "/dev/console", "%s", strerrordesc_np(errno));
	for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++)
		if (fd != std && dup2(fd, std) != std)
			return ady_fail(f, ADY_E_IO, "/dev/console", "%s", strerrordesc_np(errno));
	if (fd > STDERR_FILENO)
		close(fd);
	return ADY_OK;
}

/* The kernel that AWS ships has its driver as a module; ours has it built in. */
static enum ady_err load_driver(struct boot *b, struct ady_fault *f)
{
	int fd = open("/nsm.ko", O_RDONLY | O_CLOEXEC);
	long rc;

	(void)b;
	if (fd < 0)
		return ADY_OK;
	rc = syscall(SYS_finit_module, fd, "", 0);
	close(fd);
	if (rc != 0)
		return ady_fail(f, ADY_E_NSM, "/nsm.ko", "%s", strerrordesc_np(errno));
	return ADY_OK;
}

static enum ady_err find_nsm(struct boot *b, struct ady_fault *f)
{
	struct stat st;

	(void)b;
	if (stat("/dev/nsm", &st) != 0 || !S_ISCHR(st.st_mode))
		return ady_fail(f, ADY_E_NSM, "/dev/nsm", "there is no such device");
	return ADY_OK;
}

static enum ady_err show_kernel(struct boot *b, struct ady_fault *f)
{
	enum ady_err err = mount_on("proc", "/proc", MS_NODEV, f);

	(void)b;
	return err == ADY_OK ? mount_on("sysfs", "/sys", MS_NODEV, f) : err;
}

static enum ady_err read_options(struct boot *b, struct ady_fault *f)
{
	return ady_boot_parent_cid(&b->parent_cid, "/proc/cmdline", f);
}

static enum ady_err check_rng(struct boot *b, struct ady_fault *f)
{
	(void)b;
	return ady_boot_check_rng("/sys", f);
}

static enum ady_err check_clock(struct boot *b, struct ady_fault *f)
{
	(void)b;
	return ady_boot_check_clock("/sys", f);
}

static enum ady_err hide_kernel(struct boot *b, struct ady_fault *f)
{
	enum ady_err err = unmount("/proc", f);

	(void)b;
	return err == ADY_OK ? unmount("/sys", f) : err;
}

static enum ady_err harden(struct boot *b, struct ady_fault *f)
{
	(void)b;
	return ady_harden_process(f);
}

/* What the image's measurement covers and nothing else decides what this enclave does: no
 * arguments, no environment. */
static enum ady_err read_config(struct boot *b, struct ady_fault *f)
{
	return ady_config_file_read(&config, &b->config_fd, "/enclave.json", f);
}

static const struct step steps[] = {
    {"no console", open_console, ADY_EXIT_MOUNT},
    {"the NSM's driver cannot be loaded", load_driver, ADY_EXIT_NSM},
    {"no NSM", find_nsm, ADY_EXIT_NSM},
    {"the kernel does not tell of itself", show_kernel, ADY_EXIT_MOUNT},
    {"the command line is not acceptable", read_options, ADY_EXIT_CONFIG},
    {"the hardware random generator is another", check_rng, ADY_EXIT_RNG},
    {"the clock source is another", check_clock, ADY_EXIT_CLOCK},
    {"what served the boot stays", hide_kernel, ADY_EXIT_MOUNT},
    {"the process cannot be hardened", harden, ADY_EXIT_HARDEN},
    {"/enclave.json is not acceptable", read_config, ADY_EXIT_CONFIG},
};

static void boot(struct boot *b)
{
	struct ady_fault f = {0};
	enum ady_err err;

	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if ((err = steps[i].take(b, &f)) == ADY_OK)
			continue;
		ADY_ERROR("refuses to boot", "what=\"%s\" code=%s where=\"%s\" reason=\"%s\"",
		          steps[i].what, ady_err_code(err), f.where,
		          f.detail[0] ? f.detail : ady_err_text(err));
		stop((int)steps[i].exit, ady_enclave_exit_text((int)steps[i].exit));
	}
}

/* Wait for the child, and for whatever else ends here. */
static __attribute__((noreturn)) void supervise(pid_t child)
{
	char why[96];
	int status = 0;
	pid_t pid;

	do
		pid = waitpid(-1, &status, 0);
	while (pid != child && (pid > 0 || errno == EINTR));
	if (pid == child && WIFEXITED(status))
		stop(WEXITSTATUS(status), ady_enclave_exit_text(WEXITSTATUS(status)));
	snprintf(why, sizeof why, "%s (signal %d)", ady_enclave_exit_text(ADY_EXIT_LOST),
	         WTERMSIG(status));
	stop(ADY_EXIT_LOST, why);
}

/* What is left to the first process: to wait, to write a line and to reset the machine. */
static void give_up_rights(void)
{
	struct ady_fault f = {0};
	enum ady_err err = ady_harden_privileges(1u << CAP_SYS_BOOT, &f);

	if (err == ADY_OK)
		err = ady_seccomp_enter_init(&f);
	if (err == ADY_OK)
		return;
	ADY_ERROR("refuses to boot", "code=%s reason=\"%s\"", ady_err_code(err), f.detail);
	stop(ADY_EXIT_HARDEN, ady_enclave_exit_text(ADY_EXIT_HARDEN));
}

void ady_init_run(void)
{
	struct boot b = {.config_fd = -1};
	struct ady_enclave_start start;
	pid_t child;

	boot(&b);
	start = (struct ady_enclave_start){.config = &config,
	                                   .config_fd = b.config_fd,
	                                   .machine = true,
	                                   .parent_cid = b.parent_cid};
	child = fork();
	if (child == 0)
		_exit((int)ady_enclave_run(&start));
	if (child < 0)
		stop(ADY_EXIT_RESOURCES, ady_enclave_exit_text(ADY_EXIT_RESOURCES));
	close(b.config_fd);
	give_up_rights();
	supervise(child);
}
