/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/enclave_memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/mman.h>

enum { MIB = 1 << 20 };

enum ady_err ady_ne_split(struct ady_ne_memory *m, uint32_t mib, uint64_t image_n,
                          struct ady_fault *f)
{
	uint64_t left = (uint64_t)mib * MIB;

	m->n = 0;
	if (left % ADY_NE_PAGE || mib < ADY_NE_MEMORY_MIN_MIB)
		return ady_fail(f, ADY_E_CONFIG, "memory",
		                "must be a multiple of 2 MiB and at least %d MiB",
		                ADY_NE_MEMORY_MIN_MIB);
	if (left < image_n * ADY_NE_IMAGE_FACTOR)
		return ady_fail(
		    f, ADY_E_CONFIG, "memory", "must be at least four times the image, %llu MiB",
		    (unsigned long long)((image_n * ADY_NE_IMAGE_FACTOR + MIB - 1) / MIB));
	for (; left; m->n++) {
		const uint64_t n = left < ADY_NE_REGION_MAX ? left : ADY_NE_REGION_MAX;

		if (m->n == ADY_NE_REGIONS)
			return ady_fail(f, ADY_E_CONFIG, "memory", "exceeds 1 TiB");
		m->regions[m->n] = (struct ady_ne_region){.n = n};
		left -= n;
	}
	return ADY_OK;
}

enum ady_err ady_ne_place(const struct ady_ne_memory *m, uint64_t offset, struct ady_bytes image,
                          struct ady_fault *f)
{
	uint64_t total = 0;

	for (size_t i = 0; i < m->n; i++)
		total += m->regions[i].n;
	if (offset > total || image.n > total - offset)
		return ady_fail(f, ADY_E_TOO_LARGE, "image", "does not fit into the memory");
	for (size_t i = 0; i < m->n && image.n; i++) {
		const struct ady_ne_region *r = &m->regions[i];
		uint64_t n;

		if (offset >= r->n) {
			offset -= r->n;
			continue;
		}
		n = r->n - offset < image.n ? r->n - offset : image.n;
		memcpy(r->at + offset, image.p, n);
		image = ady_bytes_sub(image, n, image.n - n);
		offset = 0;
	}
	return ADY_OK;
}

static uint8_t *map(uint64_t n, int page)
{
	void *at = mmap(NULL, n, PROT_READ | PROT_WRITE,
	                MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | page, -1, 0);

	return at == MAP_FAILED ? NULL : (uint8_t *)at;
}

enum ady_err ady_ne_map(struct ady_ne_memory *m, struct ady_fault *f)
{
	for (size_t i = 0; i < m->n; i++) {
		struct ady_ne_region *r = &m->regions[i];

		r->at = r->n == ADY_NE_REGION_MAX ? map(r->n, (int)MAP_HUGE_1GB) : NULL;
		if (!r->at)
			r->at = map(r->n, (int)MAP_HUGE_2MB);
		if (!r->at)
			return ady_fail(f, ADY_E_MEMORY, "memory",
			                "no huge pages for region %zu of %zu (%s): set memory_mib "
			                "in /etc/nitro_enclaves/allocator.yaml",
			                i + 1, m->n, strerror(errno));
	}
	return ADY_OK;
}

void ady_ne_unmap(struct ady_ne_memory *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->regions[i].at)
			(void)munmap(m->regions[i].at, m->regions[i].n);
	m->n = 0;
}
