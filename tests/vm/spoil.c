/* SPDX-License-Identifier: Apache-2.0
 *
 * A test's /init that spoils one thing and then becomes the enclave's, which must notice. What is
 * spoilt is named on the kernel's command line (spoil=NAME, which the kernel hands on as
 * environment). A failure to spoil says so and ends the machine. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Let system call nr fail with error, when argument arg is value; arg -1: always. */
static int refuse(long nr, int error, int arg, unsigned value)
{
	size_t at = offsetof(struct seccomp_data, args) + 8 * (size_t)(arg < 0 ? 0 : arg);
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)at),
	    BPF_JUMP(BPF_JMP | (arg < 0 ? BPF_JGE : BPF_JEQ) | BPF_K, arg < 0 ? 0 : value, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof code / sizeof *code, .filter = code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int spoil_rng(void)
{
	int fd, bad;

	mkdir("/sys", 0555);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) != 0)
		return 1;
	fd = open("/sys/class/misc/hw_random/rng_current", O_WRONLY);
	bad = fd < 0 || write(fd, "none", 4) != 4;
	close(fd);
	return bad || umount("/sys");
}

/* One request to the NSM, as CBOR; 0 when the answer is no error. */
static int nsm(const char *request, size_t n)
{
	char answer[12288];
	struct iovec raw[2] = {{strndup(request, n), n}, {answer, sizeof answer}};
	int fd, bad;

	memcpy(raw[0].iov_base, request, n);
	mkdir("/dev", 0555);
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) != 0)
		return 1;
	fd = open("/dev/nsm", O_RDWR);
	bad = fd < 0 || ioctl(fd, 0xC0200A00u, raw) != 0 ||
	      memmem(answer, raw[1].iov_len, "Error", 5);
	close(fd);
	return bad || umount("/dev");
}

static int spoil_pcr16(void)
{
	static const char extend[] = "\xa1\x69"
	                             "ExtendPCR\xa2\x65"
	                             "index\x10\x64"
	                             "data\x43"
	                             "abc";

	return nsm(extend, sizeof extend - 1);
}

static int spoil_pcr16_lock(void)
{
	static const char lock[] = "\xa1\x67"
	                           "LockPCR\xa1\x65"
	                           "index\x10";

	return nsm(lock, sizeof lock - 1);
}

/* Somebody else has the port. */
static int spoil_listen(void)
{
	struct sockaddr_vm at = {
	    .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = 5000};
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0)
		return 1;
	if (fork() == 0)
		for (;;)
			pause();
	return 0;
}

/* A signal to the enclave's process as soon as there is one: to all that come after ours, of which
 * the others are the kernel's and take none. */
static int kill_later(int sig)
{
	if (fork() > 0)
		return 0;
	for (;;) {
		for (pid_t pid = getpid() + 1; pid < 128; pid++)
			kill(pid, sig);
		usleep(5000);
	}
}

#define CLOCK "/sys/devices/system/clocksource/clocksource0/"

/* Put a file that says text, and that nobody can write to, in the place of another. */
static int replace(const char *path, const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0444);
	int bad = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text);

	close(fd);
	return bad || mount(name, path, NULL, MS_BIND, NULL) != 0 ||
	       mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0;
}

/* Answer the calls of mount(2) that the filter hands over: the first two, /dev and /proc, may go
 * on; the third is ours to make, with a clock that is offered and cannot be had. */
static int serve_mounts(int listener)
{
	struct seccomp_notif call;
	struct seccomp_notif_resp answer;

	for (int n = 1; n <= 3; n++) {
		memset(&call, 0, sizeof call);
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
			return 1;
		answer = (struct seccomp_notif_resp){.id = call.id};
		if (n < 3)
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		else if (mount("sysfs", "/sys", "sysfs", 0, NULL) != 0 ||
		         replace(CLOCK "available_clocksource", "/offered", "tsc kvm-clock\n") ||
		         replace(CLOCK "current_clocksource", "/current", "tsc\n"))
			answer.error = -EIO;
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0)
			return 1;
	}
	for (;;)
		pause();
}

/* The emulator cannot offer kvm-clock, so its files in sysfs are replaced, between the moment that
 * the enclave mounts it and the moment that it looks. The process that does so shares our
 * descriptors and not the filter. */
static int spoil_clock(void)
{
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mount, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = sizeof code / sizeof *code, .filter = code};
	int fds[2], listener;

	if (pipe(fds) != 0)
		return 1;
	if (syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0) == 0)
		_exit(read(fds[0], &listener, sizeof listener) != sizeof listener ||
		      serve_mounts(listener));
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	                        SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	return listener < 0 || write(fds[1], &listener, sizeof listener) != sizeof listener;
}

static int spoil(const char *what)
{
	if (strcmp(what, "rng") == 0)
		return spoil_rng();
	if (strcmp(what, "entropy") == 0)
		return refuse(SYS_getrandom, EAGAIN, 2, GRND_NONBLOCK);
	if (strcmp(what, "pcr16") == 0)
		return spoil_pcr16();
	if (strcmp(what, "pcr16-lock") == 0)
		return spoil_pcr16_lock();
	if (strcmp(what, "listen") == 0)
		return spoil_listen();
	if (strcmp(what, "threads") == 0)
		return refuse(SYS_clone3, EAGAIN, -1, 0);
	if (strcmp(what, "filter") == 0)
		return refuse(SYS_seccomp, EPERM, -1, 0);
	if (strcmp(what, "mount") == 0)
		return refuse(SYS_mount, EPERM, -1, 0);
	if (strcmp(what, "nsm") == 0)
		return refuse(SYS_ioctl, EIO, 1, 0xC0200A00u);
	if (strcmp(what, "clock") == 0)
		return spoil_clock();
	if (strcmp(what, "killed") == 0)
		return kill_later(SIGKILL);
	if (strcmp(what, "fault") == 0)
		return kill_later(SIGSEGV);
	return 1;
}

int main(void)
{
	char *argv[] = {"/init", NULL};
	const char *what = getenv("spoil");

	if (what && spoil(what) == 0)
		execv("/enclave", argv);
	fprintf(stderr, "spoil: cannot spoil '%s': %s\n", what ? what : "", strerror(errno));
	sleep(1);
	reboot(RB_AUTOBOOT);
	return 1;
}
