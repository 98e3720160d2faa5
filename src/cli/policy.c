/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Listed, because kms:* would include un-attested Decrypt, and ReEncryptFrom and CreateGrant would
 * lead around the condition. */
static const char *const administration[] = {"kms:DescribeKey",
                                             "kms:GetKeyPolicy",
                                             "kms:PutKeyPolicy",
                                             "kms:ListKeyPolicies",
                                             "kms:ListGrants",
                                             "kms:RevokeGrant",
                                             "kms:EnableKey",
                                             "kms:DisableKey",
                                             "kms:GetKeyRotationStatus",
                                             "kms:EnableKeyRotation",
                                             "kms:DisableKeyRotation",
                                             "kms:ListKeyRotations",
                                             "kms:RotateKeyOnDemand",
                                             "kms:UpdateKeyDescription",
                                             "kms:CreateAlias",
                                             "kms:UpdateAlias",
                                             "kms:DeleteAlias",
                                             "kms:TagResource",
                                             "kms:UntagResource",
                                             "kms:ListResourceTags",
                                             "kms:ScheduleKeyDeletion",
                                             "kms:CancelKeyDeletion",
                                             NULL};
static const char *const encryption[] = {"kms:Encrypt", "kms:DescribeKey", NULL};
/* Data keys are made and opened by the enclave alone. */
static const char *const in_the_enclave[] = {"kms:Decrypt", "kms:GenerateDataKey", NULL};
/* What would let someone else choose a data key, and so know it. */
static const char *const forging[] = {"kms:Encrypt", "kms:ReEncryptTo", NULL};
static const char *const around[] = {"kms:ReEncryptFrom", "kms:CreateGrant", "kms:ReplicateKey",
                                     NULL};

/* Takes the reference to condition (NULL: none). */
static json_t *statement(const char *sid, const char *effect, const char *principal,
                         const char *const *actions, json_t *condition)
{
	json_t *list = json_array();
	json_t *s;

	for (; *actions; actions++)
		json_array_append_new(list, json_string(*actions));
	s = json_pack("{sssss{ss}soss}", "Sid", sid, "Effect", effect, "Principal", "AWS",
	              principal, "Action", list, "Resource", "*");
	if (s && condition)
		json_object_set_new(s, "Condition", condition);
	return s;
}

static json_t *condition(const char *test, const char *key, const uint8_t pcr48[static 48])
{
	char hex[97];

	ady_hex_encode(hex, ady_bytes(pcr48, 48));
	return json_pack("{s{ss}}", test, key, hex);
}

/* All of ImageSha384 and PCR0 to 2: the keys of one operator are joined by "and". */
static json_t *measured(const struct ady_measurement *m)
{
	json_t *all =
	    condition("StringEqualsIgnoreCase", "kms:RecipientAttestation:ImageSha384", m->pcr[0]);
	json_t *keys = json_object_get(all, "StringEqualsIgnoreCase");

	for (unsigned i = 0; i < 3; i++) {
		char name[48], hex[97];

		snprintf(name, sizeof name, "kms:RecipientAttestation:PCR%u", i);
		ady_hex_encode(hex, ady_bytes(m->pcr[i], 48));
		json_object_set_new(keys, name, json_string(hex));
	}
	return all;
}

/* One Deny a register: within one statement they would have to differ all at once. A negated
 * operator matches when the key is absent too, which denies the un-attested. */
static void deny_elsewhere(json_t *statements, const struct ady_measurement *m)
{
	for (unsigned i = 0; i < 3; i++) {
		char name[48], sid[32];

		snprintf(name, sizeof name, "kms:RecipientAttestation:PCR%u", i);
		snprintf(sid, sizeof sid, "DenyUseOtherPcr%u", i);
		json_array_append_new(
		    statements, statement(sid, "Deny", "*", in_the_enclave,
		                          condition("StringNotEqualsIgnoreCase", name, m->pcr[i])));
	}
}

json_t *ady_policy_json(const struct ady_policy *policy)
{
	json_t *statements = json_array();
	char root[64];

	snprintf(root, sizeof root, "arn:aws:iam::%.12s:root", policy->account);
	json_array_append_new(
	    statements, statement("AdministerWithoutUse", "Allow", root, administration, NULL));
	json_array_append_new(statements,
	                      statement("EncryptKeys", "Allow", root, encryption, NULL));
	if (policy->pcr) {
		json_array_append_new(statements,
		                      statement("UseInThisEnclave", "Allow", policy->role_arn,
		                                in_the_enclave, measured(policy->pcr)));
		deny_elsewhere(statements, policy->pcr);
	}
	json_array_append_new(
	    statements, statement("DenyForgedDataKeys", "Deny", "*", forging,
	                          json_pack("{s{ss}}", "StringEquals",
	                                    "kms:EncryptionContext:adyton:purpose", "data-key")));
	json_array_append_new(statements, statement("DenyWaysAround", "Deny", "*", around, NULL));
	return json_pack("{ssso}", "Version", "2012-10-17", "Statement", statements);
}
