/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

size_t test_wycheproof(const char *name, test_wycheproof_fn *fn)
{
	char path[128];
	const char *found;
	json_t *root, *group, *vector;
	size_t i, k, n = 0;

	snprintf(path, sizeof path, "wycheproof/%s", name);
	found = test_vector(path);
	if (!found) {
		test_skip("../shared/vectors/%s is not there", path);
		return 0;
	}
	root = json_load_file(found, 0, NULL);
	json_array_foreach(json_object_get(root, "testGroups"), i, group)
	{
		json_array_foreach(json_object_get(group, "tests"), k, vector)
		{
			fn(group, vector);
			n++;
		}
	}
	json_decref(root);
	CHECK(n > 0);
	return n;
}

struct ady_bytes test_json_hex(json_t *object, const char *member)
{
	const char *hex = json_string_value(json_object_get(object, member));

	return test_hex(hex ? hex : "");
}

bool test_json_valid(json_t *vector)
{
	return strcmp(json_string_value(json_object_get(vector, "result")), "valid") == 0;
}
