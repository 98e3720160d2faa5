/* SPDX-License-Identifier: Apache-2.0
 *
 * An enclave through the driver of the Nitro Enclaves (Linux, include/uapi/linux/nitro_enclaves.h,
 * Documentation/virt/ne_overview.rst), in the order of nitro-cli: create, load the image into
 * memory, give the memory, give CPUs, start. */
#include "cli/enclave.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/nitro_enclaves.h>

/* NE_ERR_*: what they mean to whoever runs an enclave. */
static const char *meaning(int error)
{
	static const char *const words[] = {
	    [NE_ERR_VCPU_ALREADY_USED - 256] = "the CPU is in use already",
	    [NE_ERR_VCPU_NOT_IN_CPU_POOL - 256] = "the CPU is not in the allocator's pool",
	    [NE_ERR_VCPU_INVALID_CPU_CORE - 256] = "the CPU's core is not in the pool",
	    [NE_ERR_INVALID_MEM_REGION_SIZE - 256] = "a region is no multiple of 2 MiB",
	    [NE_ERR_INVALID_MEM_REGION_ADDR - 256] = "a region's address is not valid",
	    [NE_ERR_UNALIGNED_MEM_REGION_ADDR - 256] = "a region is not aligned",
	    [NE_ERR_MEM_REGION_ALREADY_USED - 256] = "a region is in use already",
	    [NE_ERR_MEM_NOT_HUGE_PAGE - 256] = "memory is not on huge pages",
	    [NE_ERR_MEM_DIFFERENT_NUMA_NODE - 256] = "memory and CPUs are of different NUMA nodes",
	    [NE_ERR_MEM_MAX_REGIONS - 256] = "memory is in too many pieces",
	    [NE_ERR_NO_MEM_REGIONS_ADDED - 256] = "it has no memory",
	    [NE_ERR_NO_VCPUS_ADDED - 256] = "it has no CPUs",
	    [NE_ERR_ENCLAVE_MEM_MIN_SIZE - 256] = "it has less than 64 MiB",
	    [NE_ERR_FULL_CORES_NOT_USED - 256] = "a core has two threads: give an even --cpus",
	    [NE_ERR_NOT_IN_INIT_STATE - 256] = "it has been started already",
	    [NE_ERR_INVALID_VCPU - 256] = "the CPU is not valid",
	    [NE_ERR_NO_CPUS_AVAIL_IN_POOL - 256] =
	        "no CPU is left: see cpu_count in allocator.yaml",
	    [NE_ERR_INVALID_PAGE_SIZE - 256] = "the page size is not valid",
	    [NE_ERR_INVALID_FLAG_VALUE - 256] = "a flag is not valid",
	    [NE_ERR_INVALID_ENCLAVE_CID - 256] = "the CID is not valid or in use",
	};
	const size_t i = (size_t)(error - NE_ERR_VCPU_ALREADY_USED);

	if (error >= NE_ERR_VCPU_ALREADY_USED && i < sizeof words / sizeof *words)
		return words[i];
	return strerror(error);
}

static enum ady_err failed(struct ady_fault *f, const char *what)
{
	return ady_fail(f, ADY_E_IO, what, "%s", meaning(errno));
}

static enum ady_err create(struct ady_machine *m, struct ady_fault *f)
{
	static const char device[] = "/dev/nitro_enclaves";
	int fd = open(device, O_RDWR | O_CLOEXEC);
	__u64 slot = 0;

	if (fd < 0)
		return ady_fail(f, ADY_E_IO, device, "%s", strerror(errno));
	m->fd = ioctl(fd, NE_CREATE_VM, &slot);
	if (m->fd < 0)
		(void)failed(f, "create the enclave");
	close(fd);
	if (m->fd < 0)
		return ADY_E_IO;
	(void)fcntl(m->fd, F_SETFD, FD_CLOEXEC);
	return ADY_OK;
}

static enum ady_err give_memory(struct ady_machine *m, struct ady_fault *f)
{
	struct ne_image_load_info load = {.flags = NE_EIF_IMAGE};
	enum ady_err err;

	if (ioctl(m->fd, NE_GET_IMAGE_LOAD_INFO, &load) < 0)
		return failed(f, "ask where the image goes");
	if ((err = ady_ne_split(&m->memory, m->plan->memory_mib, m->plan->image.n, f)) != ADY_OK ||
	    (err = ady_ne_map(&m->memory, f)) != ADY_OK ||
	    (err = ady_ne_place(&m->memory, load.memory_offset, m->plan->image, f)) != ADY_OK)
		return err;
	for (size_t i = 0; i < m->memory.n; i++) {
		struct ne_user_memory_region region = {.flags = NE_DEFAULT_MEMORY_REGION,
		                                       .memory_size = m->memory.regions[i].n,
		                                       .userspace_addr =
		                                           (uintptr_t)m->memory.regions[i].at};

		if (ioctl(m->fd, NE_SET_USER_MEMORY_REGION, &region) < 0)
			return failed(f, "give memory to the enclave");
	}
	return ADY_OK;
}

static enum ady_err give_cpus(struct ady_machine *m, struct ady_fault *f)
{
	for (uint32_t i = 0; i < m->plan->cpus; i++) {
		__u32 any = 0;

		if (ioctl(m->fd, NE_ADD_VCPU, &any) < 0)
			return failed(f, "give CPUs to the enclave");
	}
	return ADY_OK;
}

static enum ady_err launch(struct ady_machine *m, struct ady_fault *f)
{
	struct ne_enclave_start_info info = {.flags = m->plan->debug ? NE_ENCLAVE_DEBUG_MODE
	                                                             : NE_ENCLAVE_PRODUCTION_MODE,
	                                     .enclave_cid = m->plan->cid};

	if (ioctl(m->fd, NE_START_ENCLAVE, &info) < 0)
		return failed(f, "start the enclave");
	m->cid = (uint32_t)info.enclave_cid;
	return ADY_OK;
}

/* Its memory is given back when the descriptor is closed, and not before: unmap after that. */
static void stop(struct ady_machine *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
	ady_ne_unmap(&m->memory);
}

static enum ady_err start(struct ady_machine *m, struct ady_fault *f)
{
	enum ady_err err;

	if ((err = create(m, f)) == ADY_OK && (err = give_memory(m, f)) == ADY_OK &&
	    (err = give_cpus(m, f)) == ADY_OK && (err = launch(m, f)) == ADY_OK)
		return ADY_OK;
	stop(m);
	return err;
}

static bool ended(struct ady_machine *m)
{
	struct pollfd p = {.fd = m->fd, .events = POLLIN};

	return m->fd < 0 || (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)));
}

static int descriptor(const struct ady_machine *m)
{
	return m->fd;
}

static void last_words(const struct ady_machine *m, struct ady_dyn *out)
{
	ady_dyn_str(out, m->plan->debug ? "see its console" : "without --debug it has no console");
}

static void endpoint(const struct ady_machine *m, bool listen, unsigned port, char *out, size_t cap)
{
	if (listen)
		snprintf(out, cap, "vsock:any:%u", port);
	else
		snprintf(out, cap, "vsock:%u:%u", m->cid, port);
}

const struct ady_machine_kind ady_machine_nitro = {
    .name = "nitro",
    .default_cid = 16,
    .default_cpus = 2,
    .beats = true,
    .start = start,
    .ended = ended,
    .descriptor = descriptor,
    .stop = stop,
    .last_words = last_words,
    .endpoint = endpoint,
};
