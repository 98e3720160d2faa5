/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/policy_file.h"

#include "cli/file.h"
#include "signer/decision.h"

/* Leave out the white space between tokens: what is bound is the text, and records are small. */
static void squeeze(struct ady_dyn *text)
{
	bool in_string = false, escaped = false;
	size_t n = 0;

	for (size_t i = 0; i < text->n; i++) {
		uint8_t c = text->p[i];

		if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n'))
			continue;
		if (c == '"' && !escaped)
			in_string = !in_string;
		escaped = in_string && c == '\\' && !escaped;
		text->p[n++] = c;
	}
	text->n = n;
}

enum ady_err ady_policy_load(struct ady_dyn *text, const char *path, struct ady_fault *f)
{
	static struct ady_policies policies;
	const struct ady_rulebook *book;
	enum ady_err err = ady_file_read(text, path, 4 * ADY_RECORD_POLICY_MAX, f);

	if (err != ADY_OK)
		return err;
	squeeze(text);
	return ady_policies_get(&policies, &book, ady_dyn_bytes(text), "policy", f);
}
