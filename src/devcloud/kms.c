/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/kms.h"

enum ady_err ady_dev_kms_key(struct ady_dev_call *c, const char *action,
                             const struct ady_dev_facts *facts, const struct ady_dev_key **key)
{
	const char *key_id;
	enum ady_err err;

	if ((err = ady_dev_get_text(c, "KeyId", 1, 2048, &key_id)) != ADY_OK ||
	    (err = ady_dev_key_find(c, key_id, key)) != ADY_OK)
		return err;
	return ady_dev_authorize(c, action, (*key)->arn, (*key)->policy, facts);
}

enum ady_err ady_dev_kms_page(struct ady_dev_call *c, int64_t max, int64_t *limit,
                              const char **marker)
{
	enum ady_err err;

	*limit = max;
	if ((err = ady_dev_get_int(c, "Limit", 1, max, limit)) != ADY_OK ||
	    (err = ady_dev_get_text(c, "Marker", 0, 1024, marker)) != ADY_OK)
		return err;
	if (!*marker)
		*marker = "";
	return ADY_OK;
}

enum ady_err ady_dev_kms(const char *name, struct ady_dev_call *c)
{
	enum ady_err err = ady_dev_run(ady_dev_kms_crypt_ops, name, c);

	if (err == ADY_E_NOT_FOUND)
		err = ady_dev_run(ady_dev_kms_key_ops, name, c);
	if (err == ADY_E_NOT_FOUND)
		err = ady_dev_run(ady_dev_kms_alias_ops, name, c);
	return err;
}
