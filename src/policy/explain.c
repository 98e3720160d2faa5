/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/explain.h"

#include <string.h>

#include "base/text.h"

enum { SHOWN_MAX = 96 };

static const char *word_of(enum ady_tri t)
{
	static const char *const words[] = {
	    [ADY_NO] = "not met", [ADY_UNDECIDED] = "undecided", [ADY_YES] = "met"};

	return words[t];
}

/* Printable ASCII as it is, all else as '?'. */
static void put_text(struct ady_buf *out, struct ady_bytes text)
{
	size_t n = text.n < SHOWN_MAX ? text.n : SHOWN_MAX;

	for (size_t i = 0; i < n; i++)
		ady_buf_u8(out, text.p[i] >= 0x20 && text.p[i] < 0x7f ? text.p[i] : '?');
	if (n < text.n)
		ady_buf_str(out, "..");
}

static void put_hex(struct ady_buf *out, struct ady_bytes b)
{
	size_t n = b.n < SHOWN_MAX / 2 ? b.n : SHOWN_MAX / 2;
	char hex[SHOWN_MAX + 1];

	ady_hex_encode(hex, ady_bytes_sub(b, 0, n));
	ady_buf_str(out, "0x");
	ady_buf_str(out, hex);
	if (n < b.n)
		ady_buf_str(out, "..");
}

static void put_number(struct ady_buf *out, const uint8_t word[static 32])
{
	struct ady_u256 v;
	char text[79];

	memcpy(v.be, word, sizeof v.be);
	ady_u256_format_dec(text, &v);
	ady_buf_str(out, text);
}

/* The sign bit is turned over: below the middle is below zero, and -v is ~v + 1. */
static void put_int(struct ady_buf *out, const uint8_t word[static 32])
{
	const struct ady_u256 one = ady_u256_from_u64(1);
	struct ady_u256 v;

	memcpy(v.be, word, sizeof v.be);
	v.be[0] ^= 0x80;
	if (v.be[0] & 0x80) {
		for (size_t i = 0; i < sizeof v.be; i++)
			v.be[i] = (uint8_t)~v.be[i];
		(void)ady_u256_add_product(&v, 1, &one);
		ady_buf_u8(out, '-');
	}
	put_number(out, v.be);
}

static void put_address(struct ady_buf *out, const struct ady_value *v)
{
	char text[43];

	ady_eth_address_format(text, v->word + 12);
	ady_buf_str(out, text);
}

static const char *name_of(const struct ady_value *v)
{
	uint8_t n = v->word[31];

	if (v->kind == ADY_T_BOOL)
		return n ? "true" : "false";
	return v->kind == ADY_T_KIND ? ady_object_kind_name((enum ady_object_kind)n)
	                             : ady_duty_name((enum ady_duty_type)n);
}

void ady_explain_value(struct ady_buf *out, const struct ady_value *v)
{
	if (v->kind == ADY_T_UINT)
		put_number(out, v->word);
	else if (v->kind == ADY_T_INT)
		put_int(out, v->word);
	else if (v->kind == ADY_T_ADDRESS)
		put_address(out, v);
	else if (v->kind == ADY_T_FIXED)
		put_hex(out, ady_bytes(v->word, sizeof v->word));
	else if (v->kind == ADY_T_BYTES)
		put_hex(out, v->bytes);
	else if (v->kind == ADY_T_STRING)
		put_text(out, v->bytes);
	else
		ady_buf_str(out, name_of(v));
}

static const char *operator_of(const struct ady_cond *cond)
{
	static const char *const names[] = {[ADY_OP_IN] = "is",
	                                    [ADY_OP_NOT_IN] = "is not",
	                                    [ADY_OP_LT] = "<",
	                                    [ADY_OP_LE] = "<=",
	                                    [ADY_OP_GT] = ">",
	                                    [ADY_OP_GE] = ">=",
	                                    [ADY_OP_PREFIX] = "begins with"};

	return names[cond->op];
}

static void put_cond(struct ady_buf *out, struct ady_deciding *d, const struct ady_cond *cond)
{
	enum ady_tri met = ady_decide_cond(d, cond);

	ady_buf_str(out, "    ");
	put_text(out, cond->key);
	ady_buf_printf(out, " %s ", operator_of(cond));
	put_text(out, cond->test);
	ady_buf_printf(out, ": %s", word_of(met));
	if (d->has_seen) {
		ady_buf_str(out, ", it is ");
		ady_explain_value(out, &d->seen);
	}
	ady_buf_str(out, "\n");
}

static void put_limit(struct ady_buf *out, struct ady_deciding *d, uint16_t i)
{
	const struct ady_plan_setting setting = ady_decide_setting(d);
	const struct ady_counter_info *info;
	struct ady_charge charge;
	struct ady_u256 total;
	bool holds;

	ady_decide_charge(&charge, d, i);
	info = &d->book->counters[charge.counter];
	holds = ady_charge_holds(&charge, &setting, &total);
	ady_buf_str(out, "    limit ");
	put_text(out, info->name);
	ady_buf_str(out, holds ? ": holds, " : ": does not hold, ");
	if (!d->counters || d->object->now_s == 0) {
		ady_buf_str(out, "there are no counters\n");
		return;
	}
	put_number(out, charge.amount.be);
	ady_buf_str(out, " more make ");
	put_number(out, total.be);
	ady_buf_str(out, " of ");
	put_number(out, charge.max.be);
	ady_buf_printf(out, " in %u s%s\n", (unsigned)info->per_s,
	               d->book->each_key ? ", each key of a wallet by itself" : "");
}

static void put_rule(struct ady_buf *out, struct ady_deciding *d, const struct ady_rule *rule)
{
	ady_buf_str(out, rule->deny ? "deny \"" : "allow \"");
	put_text(out, rule->name);
	ady_buf_printf(out, "\": %s\n", word_of(ady_decide_rule(d, rule)));
	for (uint16_t i = 0; i < rule->conds; i++)
		put_cond(out, d, &d->book->conds[rule->cond + i]);
	for (uint16_t i = 0; i < rule->limits; i++)
		put_limit(out, d, (uint16_t)(rule->limit + i));
	if (rule->approvals.need > 0)
		ady_buf_printf(out, "    approvals: %u given, %u of %u needed\n",
		               (unsigned)ady_decide_approvals(d, &rule->approvals),
		               (unsigned)rule->approvals.need, (unsigned)rule->approvals.n);
}

void ady_explain(struct ady_buf *out, struct ady_decision *decision, struct ady_deciding *d)
{
	struct ady_fault f = {0};

	ady_decide(decision, d, NULL);
	d->watch = true;
	for (uint16_t i = 0; i < d->book->rules_n; i++)
		put_rule(out, d, &d->book->rules[i]);
	if (decision->verdict == ADY_ALLOWED) {
		ady_buf_str(out, "allowed by \"");
		put_text(out, d->book->rules[decision->rule].name);
		ady_buf_str(out, "\"\n");
		return;
	}
	(void)ady_decision_refuse(decision, d->book, "policy", &f);
	ady_buf_printf(out, "denied: %s (%s)\n", f.detail, f.where);
}

bool ady_explain_change(struct ady_buf *out, const struct ady_deciding *d)
{
	const struct ady_approvals *a = &d->book->change;
	const uint16_t given = ady_decide_approvals(d, a);

	if (a->need == 0) {
		ady_buf_str(out,
		            "denied: the policy names nobody who may change it: it is for good\n");
		return false;
	}
	ady_buf_printf(out, "change: %u given, %u of %u needed\n", (unsigned)given,
	               (unsigned)a->need, (unsigned)a->n);
	for (uint16_t i = a->at; i < a->at + a->n; i++) {
		const struct ady_approvals one = {.at = i, .n = 1};

		ady_buf_str(out, ady_decide_approvals(d, &one) > 0 ? "    has approved: "
		                                                   : "    has not: ");
		ady_buf_view(out, d->book->values[i].bytes);
		ady_buf_str(out, "\n");
	}
	ady_buf_str(out, given >= a->need ? "allowed: enough of them have approved\n"
	                                  : "denied: too few of them have approved\n");
	return given >= a->need;
}
