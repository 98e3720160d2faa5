/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the objects of a configuration strictly: what is not known, of the wrong type or out of
 * range is refused with its path. No state. */
#ifndef ADY_GATEWAY_CONFIG_OBJECT_H
#define ADY_GATEWAY_CONFIG_OBJECT_H

#include <jansson.h>

#include "net/transport.h"

/* An object that is being read: its path, for the words of a refusal. */
struct ady_conf {
	json_t *json;
	const char *path; /* "" for the root */
	struct ady_fault *f;
};

/* Refuse member name: "path.name", the bare name at the root. Returns ADY_E_CONFIG. */
enum ady_err ady_conf_refuse(const struct ady_conf *o, const char *name, const char *why);

/* Refuse what is no object, and members that are not in known, a list ended by NULL. */
enum ady_err ady_conf_members(const struct ady_conf *o, const char *const *known);

/* A text member of at most 8192 bytes; *out keeps its value when the member is absent. */
enum ady_err ady_conf_text(const struct ady_conf *o, const char *name, const char **out);

/* A text member that must be there and not be empty. */
enum ady_err ady_conf_need_text(const struct ady_conf *o, const char *name, const char **out);

/* true or false; *out keeps its value when the member is absent. */
enum ady_err ady_conf_flag(const struct ady_conf *o, const char *name, bool *out);

/* An integer between low and high; *out keeps its value when the member is absent. */
enum ady_err ady_conf_number(const struct ady_conf *o, const char *name, int64_t low, int64_t high,
                             int64_t *out);

/* Parse text as an endpoint, the value of member name. */
enum ady_err ady_conf_endpoint(const struct ady_conf *o, const char *name, const char *text,
                               struct ady_endpoint *out);

#endif
