/* SPDX-License-Identifier: Apache-2.0 */
#include "image/metadata.h"

#include "base/clock.h"

static int append(const char *text, size_t n, void *out)
{
	ady_dyn_put(out, text, n);
	return 0;
}

enum ady_err ady_image_metadata_put(struct ady_dyn *out, const struct ady_image_metadata *m,
                                    struct ady_fault *f)
{
	char built[21];
	json_t *json;
	bool ok;

	ady_time_rfc3339(built, m->built_unix_s);
	json = json_pack("{ss,ss,s{ss,ss,ss,ss,ss},s{},sn}", "ImageName", m->name, "ImageVersion",
	                 m->version, "BuildMetadata", "BuildTime", built, "BuildTool", "adyton",
	                 "BuildToolVersion", ADY_VERSION, "OperatingSystem", "Linux",
	                 "KernelVersion", m->kernel, "DockerInfo", "CustomMetadata");
	ok = json && json_dump_callback(json, append, out, JSON_COMPACT) == 0;
	json_decref(json);
	return ok ? ADY_OK
	          : ady_fail(f, ADY_E_FIELD_INVALID, "metadata", "has a text that is not UTF-8");
}

enum ady_err ady_image_metadata_read(json_t **out, struct ady_bytes section, const char *where,
                                     struct ady_fault *f)
{
	json_error_t error;

	*out = json_loadb((const char *)section.p, section.n,
	                  JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	if (!*out)
		return ady_fail(f, ADY_E_IMAGE, where, "is not JSON: %s at byte %d", error.text,
		                error.position);
	if (json_is_object(*out))
		return ADY_OK;
	json_decref(*out);
	*out = NULL;
	return ady_fail(f, ADY_E_IMAGE, where, "is not a JSON object");
}
