/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tenant_keys.h"

#include "test.h"

static struct ady_tenant_keys *keys;

static void check(const char *tenant, const char *want)
{
	char space[64] = "";
	struct ady_buf b = ady_buf(space, sizeof space - 1);

	ady_tenant_keys_get(keys, tenant, &b);
	CHECK_STR(space, want);
}

CASE(the_newest_of_each_tenant)
{
	check("red", "");
	ady_tenant_keys_set(keys, "red", ady_bytes_str("one"));
	ady_tenant_keys_set(keys, "blue", ady_bytes_str("two"));
	ady_tenant_keys_set(keys, "red", ady_bytes_str("three"));
	check("red", "three");
	check("blue", "two");
	ady_tenant_keys_set(keys, "red", (struct ady_bytes){0});
	check("red", "");
	check("blue", "two");
	ady_tenant_keys_set(keys, "nobody", (struct ady_bytes){0});
	check("nobody", "");
}

CASE(no_more_than_4096_tenants)
{
	char tenant[16];

	for (int i = 0; i < 5000; i++) {
		snprintf(tenant, sizeof tenant, "t%d", i);
		ady_tenant_keys_set(keys, tenant, ady_bytes_str("x"));
	}
	check("t4000", "x");
	check("t4999", "");
	check("blue", "two");
}

int main(void)
{
	CHECK_ERR(ady_tenant_keys_open(&keys), ADY_OK);
	RUN(the_newest_of_each_tenant);
	RUN(no_more_than_4096_tenants);
	ady_tenant_keys_close(keys);
	return test_end();
}
