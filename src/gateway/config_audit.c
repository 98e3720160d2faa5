/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config_audit.h"

enum { ROTATE_MIB = 64, ROTATE_MAX_MIB = 65536 };

enum ady_err ady_config_audit_read(struct ady_config_audit *audit, const struct ady_conf *root)
{
	static const char *const known[] = {"folder", "rotate_mib", NULL};
	struct ady_conf o = {json_object_get(root->json, "audit"), "audit", root->f};
	enum ady_err err;

	audit->rotate_mib = ROTATE_MIB;
	if (!o.json || json_is_false(o.json))
		return ADY_OK;
	err = ady_conf_members(&o, known);
	if (err == ADY_OK)
		err = ady_conf_need_text(&o, "folder", &audit->folder);
	if (err != ADY_OK)
		return err;
	return ady_conf_number(&o, "rotate_mib", 1, ROTATE_MAX_MIB, &audit->rotate_mib);
}
