/* SPDX-License-Identifier: Apache-2.0
 *
 * src/gateway/openapi.json and the table of routes name the same paths and methods. */
#include <jansson.h>
#include <stdlib.h>

#include "gateway/shard.h"
#include "test.h"

static json_t *read_document(void)
{
	struct ady_bytes text = test_read_file("src/gateway/openapi.json");
	json_t *doc = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, NULL);

	free((void *)(uintptr_t)text.p);
	return doc;
}

static void lower(char out[static 16], const char *method)
{
	size_t i = 0;

	for (; method[i] && i < 15; i++)
		out[i] = (char)(method[i] | 0x20);
	out[i] = '\0';
}

CASE(every_route_is_described)
{
	json_t *doc = read_document(), *paths = json_object_get(doc, "paths");
	const char *method, *path;
	char name[16];
	size_t i = 0;

	for (; ady_route_nth(i, &method, &path); i++) {
		lower(name, method);
		if (!CHECK(json_object_get(json_object_get(paths, path), name) != NULL))
			fprintf(stderr, "not described: %s %s\n", method, path);
	}
	CHECK(i > 10);
	json_decref(doc);
}

static bool is_route(const char *method, const char *path)
{
	const char *m, *p;
	char name[16];

	for (size_t i = 0; ady_route_nth(i, &m, &p); i++) {
		lower(name, m);
		if (strcmp(p, path) == 0 && strcmp(name, method) == 0)
			return true;
	}
	return false;
}

CASE(everything_described_is_a_route)
{
	json_t *doc = read_document(), *methods, *operation;
	const char *path, *method;

	json_object_foreach(json_object_get(doc, "paths"), path, methods)
	{
		json_object_foreach(methods, method, operation)
		{
			if (strcmp(method, "parameters") != 0 && !CHECK(is_route(method, path)))
				fprintf(stderr, "no route: %s %s\n", method, path);
		}
	}
	json_decref(doc);
}

int main(void)
{
	RUN(every_route_is_described);
	RUN(everything_described_is_a_route);
	return test_end();
}
