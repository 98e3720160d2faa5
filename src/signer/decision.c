/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/decision.h"

#include <string.h>

static struct ady_policy_place *find(struct ady_policies *policies, struct ady_bytes text)
{
	for (size_t i = 0; i < ADY_POLICY_PLACES; i++) {
		struct ady_policy_place *p = &policies->place[i];

		if (p->good && ady_bytes_eq(ady_bytes(p->text, p->text_n), text))
			return p;
	}
	return NULL;
}

static enum ady_err read(struct ady_policy_place *p, struct ady_bytes text, const char *at,
                         struct ady_fault *f)
{
	enum ady_err err;

	p->good = false;
	memcpy(p->text, text.p, text.n);
	p->text_n = text.n;
	err = ady_json_parse(&p->doc, p->toks, ADY_POLICY_TOKENS, ady_bytes(p->text, text.n), f);
	if (err == ADY_OK)
		err = ady_rulebook_read(&p->book, &p->doc, 0, at, f);
	if (err != ADY_OK && f)
		f->err = ADY_E_RECORD;
	p->good = err == ADY_OK;
	return p->good ? ADY_OK : ADY_E_RECORD;
}

enum ady_err ady_policies_get(struct ady_policies *policies, const struct ady_rulebook **book,
                              struct ady_bytes text, const char *at, struct ady_fault *f)
{
	struct ady_policy_place *p = find(policies, text);
	enum ady_err err = ADY_OK;

	*book = NULL;
	if (text.n > ADY_RECORD_POLICY_MAX)
		return ady_fail(f, ADY_E_RECORD, at, "exceeds 32768 bytes");
	if (!p) {
		p = &policies->place[policies->next];
		policies->next = (policies->next + 1) % ADY_POLICY_PLACES;
		err = read(p, text, at, f);
	}
	if (err == ADY_OK)
		*book = &p->book;
	return err;
}

enum ady_err ady_policies_decide(struct ady_policies *policies, const struct ady_record *rec,
                                 const struct ady_object *object, struct ady_charging *c,
                                 struct ady_fault *f)
{
	struct ady_deciding *d;
	struct ady_decision decision;
	const struct ady_rulebook *book;
	enum ady_err err;

	c->guarded = false;
	if (rec->policy.n == 0)
		return rec->revision == 0 ? ADY_OK
		                          : ady_fail(f, ADY_E_RECORD, "record.revision",
		                                     "is of a policy, and there is none");
	if ((err = ady_policies_get(policies, &book, rec->policy, "record.policy", f)) != ADY_OK)
		return err;
	d = &policies->deciding;
	*d = (struct ady_deciding){.book = book, .object = object};
	if (ady_charging_guards(rec, book))
		return ady_charging_plan(c, d, rec, f);
	ady_decide(&decision, d, NULL);
	if (decision.verdict == ADY_ALLOWED)
		return ADY_OK;
	return ady_decision_refuse(&decision, book, "policy", f);
}
