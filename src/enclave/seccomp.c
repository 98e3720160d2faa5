/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Nitro has these two; under a wrong number every call would be refused. */
#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif

#define NSM_IOCTL 0xC0200A00u

enum { PROGRAM_MAX = 256, VALUES_MAX = 2 };

enum check {
	ANY,      /* whatever the arguments */
	NO_BITS,  /* argument arg has none of the bits of values[0] */
	ONE_OF,   /* argument arg is one of values */
	NSM_ONLY, /* as ONE_OF, and only when there is a device */
};

/* Arguments are compared in their low 32 bits: the kernel takes these as int or as flags of int. */
struct rule {
	long nr;
	enum check check;
	unsigned arg;
	uint32_t values[VALUES_MAX];
};

static const struct rule rules[] = {
    /* streams and messages on what is open */
    {.nr = SYS_read},
    {.nr = SYS_write},
    {.nr = SYS_readv},
    {.nr = SYS_writev},
    {.nr = SYS_recvfrom},
    {.nr = SYS_sendto},
    {.nr = SYS_recvmsg},
    {.nr = SYS_sendmsg},
    {.nr = SYS_close},
    {.nr = SYS_shutdown},
    /* new connections */
    {.nr = SYS_socket, .check = ONE_OF, .arg = 0, .values = {AF_UNIX, AF_VSOCK}},
    {.nr = SYS_connect},
    {.nr = SYS_accept4},
    {.nr = SYS_getsockopt},
    {.nr = SYS_setsockopt},
    /* waiting */
    {.nr = SYS_epoll_ctl},
    {.nr = SYS_epoll_pwait},
    {.nr = SYS_ppoll},
#ifdef SYS_poll
    {.nr = SYS_epoll_wait},
    {.nr = SYS_poll},
#endif
    {.nr = SYS_futex},
    {.nr = SYS_clock_nanosleep},
    {.nr = SYS_restart_syscall},
    /* clocks, where the kernel gives none to user space, and randomness */
    {.nr = SYS_clock_gettime},
    {.nr = SYS_gettimeofday},
    {.nr = SYS_getrandom},
    /* memory, never executable */
    {.nr = SYS_mmap, .check = NO_BITS, .arg = 2, .values = {PROT_EXEC}},
    {.nr = SYS_mprotect, .check = NO_BITS, .arg = 2, .values = {PROT_EXEC}},
    {.nr = SYS_mremap},
    {.nr = SYS_munmap},
    {.nr = SYS_madvise},
    {.nr = SYS_brk},
    /* the beginning of a thread that was made just before the filter */
    {.nr = SYS_set_robust_list},
    {.nr = SYS_rseq},
    /* signals, and an orderly end: abort(3) is a broken invariant's */
    {.nr = SYS_rt_sigaction},
    {.nr = SYS_rt_sigprocmask},
    {.nr = SYS_rt_sigreturn},
    {.nr = SYS_rt_sigtimedwait},
    {.nr = SYS_getpid},
    {.nr = SYS_gettid},
    {.nr = SYS_tgkill},
    {.nr = SYS_exit},
    {.nr = SYS_exit_group},
    {.nr = SYS_ioctl, .check = NSM_ONLY, .arg = 1, .values = {NSM_IOCTL, NSM_IOCTL}},
};

enum { RULES = sizeof rules / sizeof *rules };

/* The first process of a machine: wait, write the last line, reset. */
static const struct rule init_rules[] = {
    {.nr = SYS_wait4},
    {.nr = SYS_write},
    {.nr = SYS_ioctl, .check = ONE_OF, .arg = 1, .values = {TIOCOUTQ, TIOCOUTQ}},
    {.nr = SYS_clock_nanosleep},
    {.nr = SYS_reboot},
    {.nr = SYS_exit_group},
};

struct program {
	struct sock_filter code[PROGRAM_MAX];
	unsigned short n;
};

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (p->n == PROGRAM_MAX)
		ADY_BUG("the filter has outgrown its array");
	p->code[p->n++] = (struct sock_filter){.code = code, .k = k, .jt = yes, .jf = no};
}

static void load(struct program *p, size_t offset)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(struct program *p, uint32_t action)
{
	emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* When the number in the accumulator is the rule's: decide, else go on behind it. Jumps count the
 * instructions that are left out. Both architectures are little-endian: the low half of an argument
 * comes first. */
static void emit_rule(struct program *p, const struct rule *r)
{
	const uint16_t equal = BPF_JMP | BPF_JEQ | BPF_K, any_bit = BPF_JMP | BPF_JSET | BPF_K;
	size_t arg = offsetof(struct seccomp_data, args) + r->arg * sizeof(uint64_t);

	switch (r->check) {
	case ANY:
		emit(p, equal, (uint32_t)r->nr, 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
		return;
	case NO_BITS:
		emit(p, equal, (uint32_t)r->nr, 0, 4);
		load(p, arg);
		emit(p, any_bit, r->values[0], 1, 0);
		answer(p, SECCOMP_RET_ALLOW);
		answer(p, SECCOMP_RET_KILL_PROCESS);
		return;
	case ONE_OF:
	case NSM_ONLY:
		emit(p, equal, (uint32_t)r->nr, 0, 5);
		load(p, arg);
		emit(p, equal, r->values[0], 1, 0);
		emit(p, equal, r->values[1], 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
		answer(p, SECCOMP_RET_KILL_PROCESS);
		return;
	}
}

static void build(struct program *p, const struct rule *rule, size_t n, bool nsm_device)
{
	p->n = 0;
	load(p, offsetof(struct seccomp_data, arch));
	emit(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	load(p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++)
		if (rule[i].check != NSM_ONLY || nsm_device)
			emit_rule(p, &rule[i]);
	answer(p, SECCOMP_RET_KILL_PROCESS);
}

static enum ady_err enter(struct program *p, struct ady_fault *f)
{
	struct sock_fprog prog = {.filter = p->code, .len = p->n};
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
	if (rc != 0)
		return ady_fail(f, ADY_E_INTERNAL, "", "cannot filter system calls: %s",
		                rc < 0 ? strerrordesc_np(errno) : "a thread has another filter");
	return ADY_OK;
}

enum ady_err ady_seccomp_enter(bool nsm_device, struct ady_fault *f)
{
	struct program p;

	build(&p, rules, RULES, nsm_device);
	return enter(&p, f);
}

enum ady_err ady_seccomp_enter_init(struct ady_fault *f)
{
	struct program p;

	build(&p, init_rules, sizeof init_rules / sizeof *init_rules, false);
	return enter(&p, f);
}

size_t ady_seccomp_count(bool nsm_device)
{
	return nsm_device ? RULES : RULES - 1;
}
