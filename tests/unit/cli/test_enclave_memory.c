/* SPDX-License-Identifier: Apache-2.0
 *
 * What is given to /dev/nitro_enclaves, as far as it can be tested without one: the numbers of its
 * ioctls and the sizes of their arguments, the division of memory, the place of the image. */
#include "cli/enclave_memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/nitro_enclaves.h>

#include "cli/enclave.h"
#include "test.h"

enum { MIB = 1 << 20, LOAD_OFFSET = 8 * MIB };

/* The numbers stand in the driver's documentation; a header of another kernel must agree. */
CASE(ioctls_are_those_of_the_driver)
{
	CHECK_INT(NE_CREATE_VM, 0x8008AE20);
	CHECK_INT(NE_ADD_VCPU, 0xC004AE21);
	CHECK_INT(NE_GET_IMAGE_LOAD_INFO, 0xC010AE22);
	CHECK_INT(NE_SET_USER_MEMORY_REGION, 0x4018AE23);
	CHECK_INT(NE_START_ENCLAVE, 0xC010AE24);
	CHECK_INT(sizeof(struct ne_image_load_info), 16);
	CHECK_INT(sizeof(struct ne_user_memory_region), 24);
	CHECK_INT(sizeof(struct ne_enclave_start_info), 16);
	CHECK_INT(offsetof(struct ne_user_memory_region, memory_size), 8);
	CHECK_INT(offsetof(struct ne_user_memory_region, userspace_addr), 16);
	CHECK_INT(offsetof(struct ne_enclave_start_info, enclave_cid), 8);
	CHECK_INT(NE_EIF_IMAGE, 1);
	CHECK_INT(NE_ENCLAVE_DEBUG_MODE, 1);
}

CASE(memory_is_divided_into_the_largest_regions)
{
	static struct ady_ne_memory m;
	struct ady_fault f = {0};
	uint64_t total = 0;

	CHECK_ERR(ady_ne_split(&m, 512, 9 * MIB, &f), ADY_OK);
	CHECK_INT(m.n, 1);
	CHECK_INT(m.regions[0].n, 512ll * MIB);
	CHECK_ERR(ady_ne_split(&m, 4 * 1024 + 6, 9 * MIB, &f), ADY_OK);
	CHECK_INT(m.n, 5);
	CHECK_INT(m.regions[3].n, ADY_NE_REGION_MAX);
	CHECK_INT(m.regions[4].n, 6 * MIB);
	for (size_t i = 0; i < m.n; i++) {
		CHECK_INT(m.regions[i].n % ADY_NE_PAGE, 0);
		total += m.regions[i].n;
	}
	CHECK_INT(total, (4 * 1024 + 6) * (long long)MIB);
	CHECK_ERR(ady_ne_split(&m, 1 << 20, 9 * MIB, &f), ADY_OK);
	CHECK_INT(m.n, ADY_NE_REGIONS);
}

static const char *refused(uint32_t mib, uint64_t image_n)
{
	static struct ady_ne_memory m;
	static struct ady_fault f;

	f = (struct ady_fault){0};
	CHECK_ERR(ady_ne_split(&m, mib, image_n, &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "memory");
	return f.detail;
}

CASE(memory_that_the_driver_would_not_take_is_refused)
{
	CHECK(strstr(refused(511, MIB), "multiple of 2 MiB") != NULL);
	CHECK(strstr(refused(62, MIB), "at least 64 MiB") != NULL);
	CHECK(strstr(refused(0, MIB), "at least 64 MiB") != NULL);
	CHECK(strstr(refused(64, 16 * MIB + 1), "four times the image, 65 MiB") != NULL);
	CHECK(strstr(refused((1 << 20) + 2, MIB), "1 TiB") != NULL);
}

/* Small regions of ordinary memory in place of huge pages. */
static struct ady_ne_memory *small_regions(const uint64_t *sizes, size_t n)
{
	static struct ady_ne_memory m;

	m.n = n;
	for (size_t i = 0; i < n; i++)
		m.regions[i] =
		    (struct ady_ne_region){.at = (uint8_t *)calloc(1, sizes[i]), .n = sizes[i]};
	return &m;
}

static void free_regions(struct ady_ne_memory *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->regions[i].at);
}

/* The byte at a place that is counted through the regions. */
static uint8_t at(const struct ady_ne_memory *m, uint64_t place)
{
	size_t i = 0;

	for (; place >= m->regions[i].n; i++)
		place -= m->regions[i].n;
	return m->regions[i].at[place];
}

CASE(the_image_goes_through_region_after_region)
{
	static const uint64_t sizes[] = {10, 5, 20};
	struct ady_ne_memory *m = small_regions(sizes, 3);
	struct ady_fault f = {0};

	CHECK_ERR(ady_ne_place(m, 8, ady_bytes_str("0123456789"), &f), ADY_OK);
	for (uint64_t i = 0; i < 35; i++)
		CHECK_INT(at(m, i), i >= 8 && i < 18 ? '0' + (int)(i - 8) : 0);
	free_regions(m);
}

CASE(the_image_goes_where_the_driver_says)
{
	static const uint64_t sizes[] = {4 * MIB, 16 * MIB};
	struct ady_ne_memory *m = small_regions(sizes, 2);
	struct ady_fault f = {0};

	CHECK_ERR(ady_ne_place(m, LOAD_OFFSET, ady_bytes_str(".eif"), &f), ADY_OK);
	CHECK_INT(at(m, LOAD_OFFSET - 1), 0);
	CHECK_INT(at(m, LOAD_OFFSET), '.');
	CHECK_INT(at(m, LOAD_OFFSET + 3), 'f');
	CHECK_INT(at(m, LOAD_OFFSET + 4), 0);
	free_regions(m);
}

CASE(an_image_that_does_not_fit_is_not_written)
{
	static const uint64_t sizes[] = {4, 4};
	struct ady_ne_memory *m = small_regions(sizes, 2);
	struct ady_fault f = {0};

	CHECK_ERR(ady_ne_place(m, 0, ady_bytes_str("123456789"), &f), ADY_E_TOO_LARGE);
	CHECK_ERR(ady_ne_place(m, 7, ady_bytes_str("12"), &f), ADY_E_TOO_LARGE);
	CHECK_ERR(ady_ne_place(m, 9, ady_bytes_str(""), &f), ADY_E_TOO_LARGE);
	CHECK_ERR(ady_ne_place(m, UINT64_MAX, ady_bytes_str("1"), &f), ADY_E_TOO_LARGE);
	for (uint64_t i = 0; i < 8; i++)
		CHECK_INT(at(m, i), 0);
	CHECK_ERR(ady_ne_place(m, 0, ady_bytes_str("12345678"), &f), ADY_OK);
	free_regions(m);
}

/* 90 s, and more for what takes longer to load: nitro-cli's reckoning. */
CASE(a_boot_may_take_as_long_as_nitro_cli_allows)
{
	CHECK_INT(ady_boot_limit_ms(9 * MIB, 512), 180000);
	CHECK_INT(ady_boot_limit_ms(6ull << 30, 100 * 1024), 180000);
	CHECK_INT(ady_boot_limit_ms((6ull << 30) + 1, 100 * 1024 + 1), 360000);
}

int main(void)
{
	RUN(ioctls_are_those_of_the_driver);
	RUN(memory_is_divided_into_the_largest_regions);
	RUN(memory_that_the_driver_would_not_take_is_refused);
	RUN(the_image_goes_through_region_after_region);
	RUN(the_image_goes_where_the_driver_says);
	RUN(an_image_that_does_not_fit_is_not_written);
	RUN(a_boot_may_take_as_long_as_nitro_cli_allows);
	return test_end();
}
