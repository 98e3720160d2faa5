/* SPDX-License-Identifier: Apache-2.0
 *
 * QEMU's machine "nitro-enclave" (since 9.2; docs/system/i386/nitro-enclave.rst) and Debian's
 * vhost-device-vsock, which gives it a vsock that ends in Unix sockets of DIR: vm.vsock for us,
 * vm.vsock_PORT for what the enclave dials. It measures the image as Nitro does. It signs nothing
 * and shields nothing: whoever runs it reads the enclave's memory. */
#include "cli/enclave.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { SOCKET_MS = 5000, STOP_MS = 1000, CONSOLE_LINES_MAX = 600 };

/* A path as a value in QEMU's option syntax, where a comma is doubled. */
static void quote(char out[static PATH_MAX * 2], const char *path)
{
	for (; *path; path++) {
		if (*path == ',')
			*out++ = ',';
		*out++ = *path;
	}
	*out = 0;
}

static enum ady_err args(struct ady_child *c, const char *const *list)
{
	enum ady_err err = ADY_OK;

	for (; *list && err == ADY_OK; list++)
		err = ady_child_arg(c, *list);
	return err;
}

/* KVM can be emulated itself, without the processor's help; the kernel of an enclave does not get
 * far there. */
static bool kvm_usable(void)
{
	FILE *cpu = fopen("/proc/cpuinfo", "re");
	bool virtual = false;
	char *line = NULL;
	size_t cap = 0;

	if (!cpu)
		return false;
	while (!virtual && getline(&line, &cap, cpu) > 0)
		virtual = strncmp(line, "flags", 5) == 0 &&
		          (strstr(line, " vmx") || strstr(line, " svm"));
	free(line);
	fclose(cpu);
	return virtual && access("/dev/kvm", R_OK | W_OK) == 0;
}

static void choose_accel(struct ady_machine *m)
{
	const char *wish = m->plan->accel;

	if (strcmp(wish, "auto") == 0)
		wish = kvm_usable() ? "kvm" : "tcg";
	snprintf(m->accel, sizeof m->accel, "%s", wish);
}

static void path_of(const struct ady_machine *m, const char *file, char out[static PATH_MAX])
{
	snprintf(out, PATH_MAX, "%s/%s", m->plan->dir, file);
}

static enum ady_err init_child(const struct ady_machine *m, struct ady_child *c, const char *name,
                               const char *variable, struct ady_fault *f)
{
	char program[PATH_MAX], log[PATH_MAX], file[64];
	enum ady_err err = ady_program_find(program, variable, name, f);

	snprintf(file, sizeof file, "%s.log", name);
	path_of(m, file, log);
	ady_child_init(c, name, program, log);
	return err;
}

/* QEMU connects to its socket, which must be there. */
static enum ady_err wait_for_socket(struct ady_machine *m, const char *path, struct ady_fault *f)
{
	const int64_t end_ms = ady_mono_ms() + SOCKET_MS;
	struct stat st;

	while (stat(path, &st) != 0) {
		if (ady_child_ended(&m->vsock) || ady_mono_ms() > end_ms)
			return ady_fail(f, ADY_E_IO, m->vsock.name, "does not start; see %s",
			                m->vsock.log);
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return ADY_OK;
}

static enum ady_err start_vsock(struct ady_machine *m, struct ady_fault *f)
{
	char control[PATH_MAX], stream[PATH_MAX], cid[16];
	const char *list[] = {"--guest-cid", cid, "--socket", control, "--uds-path", stream, NULL};
	enum ady_err err;

	path_of(m, "vhost.sock", control);
	path_of(m, "vm.vsock", stream);
	snprintf(cid, sizeof cid, "%u", m->plan->cid);
	(void)unlink(control);
	(void)unlink(stream);
	if ((err = init_child(m, &m->vsock, "vhost-device-vsock", "ADYTON_VSOCK_DEVICE", f)) !=
	        ADY_OK ||
	    (err = args(&m->vsock, list)) != ADY_OK ||
	    (err = ady_child_start(&m->vsock, false, f)) != ADY_OK)
		return err;
	return wait_for_socket(m, control, f);
}

/* Where the console of this start begins in its file, which goes on over restarts. */
static long console_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

/* QEMU gets the bytes that were checked and measured, whatever stands in the file by now: as a
 * descriptor without a name, which our children inherit. */
static enum ady_err hold_image(struct ady_machine *m, struct ady_fault *f)
{
	struct ady_bytes left = m->plan->image;

	m->fd = memfd_create("adyton.eif", 0);
	while (m->fd >= 0 && left.n) {
		const ssize_t n = write(m->fd, left.p, left.n);

		if (n <= 0)
			return ady_fail(f, ADY_E_IO, "image", "%s", strerror(errno));
		left = ady_bytes_sub(left, (size_t)n, left.n - (size_t)n);
	}
	return m->fd >= 0 ? ADY_OK : ady_fail(f, ADY_E_IO, "image", "%s", strerror(errno));
}

static enum ady_err start_vm(struct ady_machine *m, struct ady_fault *f)
{
	const bool kvm = strcmp(m->accel, "kvm") == 0;
	char path[PATH_MAX], quoted[PATH_MAX * 2], vsock[PATH_MAX * 2 + 64];
	char console[PATH_MAX * 2 + 64], memory[16], cpus[16], image[32];
	const char *list[] = {"-M",         "nitro-enclave,vsock=vsock,id=adyton",
	                      "-kernel",    image,
	                      "-m",         memory,
	                      "-smp",       cpus,
	                      "-accel",     kvm ? "kvm" : "tcg,thread=multi",
	                      "-cpu",       kvm ? "host" : "max",
	                      "-display",   "none",
	                      "-monitor",   "none",
	                      "-chardev",   vsock,
	                      "-chardev",   console,
	                      "-serial",    "chardev:console",
	                      "-no-reboot", NULL};
	enum ady_err err;

	path_of(m, "vhost.sock", path);
	quote(quoted, path);
	snprintf(vsock, sizeof vsock, "socket,id=vsock,path=%s", quoted);
	path_of(m, "console.log", path);
	m->console_at = console_size(path);
	quote(quoted, path);
	snprintf(console, sizeof console, "file,id=console,path=%s,append=on", quoted);
	snprintf(image, sizeof image, "/proc/self/fd/%d", m->fd);
	snprintf(memory, sizeof memory, "%uM", m->plan->memory_mib);
	snprintf(cpus, sizeof cpus, "%u", m->plan->cpus);
	if ((err = init_child(m, &m->vm, "qemu-system-x86_64", "ADYTON_QEMU", f)) != ADY_OK ||
	    (err = args(&m->vm, list)) != ADY_OK)
		return err;
	return ady_child_start(&m->vm, false, f);
}

static void stop(struct ady_machine *m)
{
	char path[PATH_MAX];

	/* Nothing in the enclave is worth a wait: it keeps no state. */
	ady_child_stop(&m->vm, STOP_MS, true);
	ady_child_stop(&m->vsock, STOP_MS, true);
	ady_child_clear(&m->vm);
	ady_child_clear(&m->vsock);
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	path_of(m, "vhost.sock", path);
	(void)unlink(path);
	path_of(m, "vm.vsock", path);
	(void)unlink(path);
}

static enum ady_err start(struct ady_machine *m, struct ady_fault *f)
{
	enum ady_err err;

	choose_accel(m);
	m->vm.out = m->vsock.out = -1;
	m->cid = m->plan->cid;
	if ((err = start_vsock(m, f)) == ADY_OK && (err = hold_image(m, f)) == ADY_OK &&
	    (err = start_vm(m, f)) == ADY_OK)
		return ADY_OK;
	stop(m);
	return err;
}

static bool ended(struct ady_machine *m)
{
	return ady_child_ended(&m->vm) || ady_child_ended(&m->vsock);
}

static int descriptor(const struct ady_machine *m)
{
	(void)m;
	return -1; /* SIGCHLD tells */
}

/* The end of the console, which an enclave of ours closes with its reason; else QEMU's own. */
static void last_words(const struct ady_machine *m, struct ady_dyn *out)
{
	char path[PATH_MAX], text[CONSOLE_LINES_MAX];
	ssize_t n = 0;
	long from;
	int fd;

	path_of(m, "console.log", path);
	from = console_size(path) - CONSOLE_LINES_MAX;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = pread(fd, text, sizeof text, from > m->console_at ? from : m->console_at);
	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\n' || (text[i] >= ' ' && text[i] < 127))
			ady_dyn_put(out, &text[i], 1);
	if (n <= 0)
		ady_child_last_words(&m->vm, out, CONSOLE_LINES_MAX);
}

static void endpoint(const struct ady_machine *m, bool listen, unsigned port, char *out, size_t cap)
{
	(void)listen;
	snprintf(out, cap, "hybrid:%s/vm.vsock:%u", m->plan->dir, port);
}

const struct ady_machine_kind ady_machine_qemu = {
    .name = "qemu",
    .default_cid = 4,
    .default_cpus = 1,
    .beats = true,
    .simulated = true,
    .start = start,
    .ended = ended,
    .descriptor = descriptor,
    .stop = stop,
    .last_words = last_words,
    .endpoint = endpoint,
};
