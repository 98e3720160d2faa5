/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decide.h"

#include <stdio.h>
#include <string.h>

#include "policy/abi.h"
#include "policy/typed.h"

_Static_assert((int)ADY_PLAN_CHARGES_MAX == (int)ADY_LIMITS_MAX, "a plan has room for all limits");

/* What is known of a function or field, kept while it is decided. */
enum { NOT_LOOKED = 0, KNOWN = 1 }; /* KNOWN + enum ady_tri */

/* The value of a field; kept for the next condition, texts excepted, which share their space. */
static enum ady_tri read_field(struct ady_deciding *d, const struct ady_value **v,
                               enum ady_field field)
{
	enum ady_tri there;

	*v = &d->values[field];
	if (d->fields[field] != NOT_LOOKED)
		return (enum ady_tri)(d->fields[field] - KNOWN);
	there = ady_field_read(&d->values[field], field, d->object);
	if (!ady_kind_is_bytes(ady_field_info(field)->kind))
		d->fields[field] = (uint8_t)(KNOWN + there);
	return there;
}

/* Whether the request calls function i: UNDECIDED when the selector is its own and the rest is
 * not. */
static enum ady_tri look(struct ady_deciding *d, const struct ady_function *function)
{
	const struct ady_value *selector;
	struct ady_bytes data;

	if (read_field(d, &selector, ADY_F_SELECTOR) != ADY_YES ||
	    memcmp(selector->word, function->hash, 4) != 0)
		return ADY_NO;
	data = d->object->tx->data;
	return ady_abi_check(&d->book->types, function->root, ady_bytes_sub(data, 4, data.n - 4))
	           ? ADY_YES
	           : ADY_UNDECIDED;
}

static enum ady_tri calls(struct ady_deciding *d, uint16_t i)
{
	if (d->functions[i] == NOT_LOOKED)
		d->functions[i] = (uint8_t)(KNOWN + look(d, &d->book->functions[i]));
	return (enum ady_tri)(d->functions[i] - KNOWN);
}

/* Whether the request signs a message of type i. */
static enum ady_tri types(const struct ady_deciding *d, uint16_t i)
{
	const struct ady_eip712_view *typed = d->object->typed;

	return typed && typed->message &&
	               memcmp(typed->type_hash, d->book->functions[i].hash, 32) == 0
	           ? ADY_YES
	           : ADY_NO;
}

/* "not in" of a field that is not there: undecided, as nobody said what that should mean. */
static enum ady_tri absent(const struct ady_cond *cond)
{
	return cond->op == ADY_OP_NOT_IN ? ADY_UNDECIDED : ADY_NO;
}

static enum ady_tri negate(enum ady_tri t)
{
	return (enum ady_tri)(ADY_YES - t);
}

/* Of FUNCTION and TYPE: one of them. */
static enum ady_tri one_of(struct ady_deciding *d, const struct ady_cond *cond)
{
	bool function = cond->term.field == ADY_F_FUNCTION;
	enum ady_tri any = ADY_NO;

	for (uint16_t i = cond->at; i < cond->at + cond->n; i++) {
		enum ady_tri one = function ? calls(d, i) : types(d, i);

		any = one > any ? one : any;
	}
	return any;
}

static enum ady_tri match(struct ady_deciding *d, const struct ady_cond *cond)
{
	const struct ady_eip712_view *typed = d->object->typed;
	const struct ady_value *selector;
	bool there = cond->term.field == ADY_F_FUNCTION
	                 ? read_field(d, &selector, ADY_F_SELECTOR) == ADY_YES
	                 : typed && typed->message;
	enum ady_tri any;

	if (!there)
		return absent(cond);
	any = one_of(d, cond);
	return cond->op == ADY_OP_NOT_IN ? negate(any) : any;
}

static enum ady_tri in_time(const struct ady_deciding *d, const struct ady_cond *cond)
{
	if (d->object->now_s == 0)
		return ADY_UNDECIDED;
	for (uint16_t i = cond->at; i < cond->at + cond->n; i++)
		if (ady_window_open(&d->book->windows[i], d->object->now_s))
			return ADY_YES;
	return ADY_NO;
}

/* Walk a term's path. NO without asking when the request is none of its function or type. */
static enum ady_tri walk(struct ady_deciding *d, const struct ady_term *term, ady_ask *ask,
                         void *arg)
{
	const struct ady_path *path = &d->book->paths[term->path];
	uint16_t root = d->book->functions[term->function].root;
	struct ady_bytes data;
	struct ady_typed typed;
	struct ady_abi abi;

	if (term->field == ADY_F_MESSAGE) {
		ady_typed_init(&typed, &d->book->types, d->object->typed, d->object->space);
		return ady_path_walk(&typed.tree, path, root, d->object->typed->message, ask, arg);
	}
	data = d->object->tx->data;
	ady_abi_init(&abi, &d->book->types, ady_bytes_sub(data, 4, data.n - 4));
	return ady_path_walk(&abi.tree, path, root, 0, ask, arg);
}

/* Whether the request has what the term's path goes through. */
static enum ady_tri has_root(struct ady_deciding *d, const struct ady_term *term)
{
	return term->field == ADY_F_MESSAGE ? types(d, term->function) : calls(d, term->function);
}

struct asking {
	struct ady_deciding *d;
	const struct ady_cond *cond;
};

static enum ady_tri ask_cond(void *arg, const struct ady_value *v)
{
	const struct asking *a = arg;
	const struct ady_value *values = a->d->book->values + a->cond->at;

	a->d->has_seen = v;
	if (!v)
		return absent(a->cond);
	if (a->d->watch)
		a->d->seen = *v;
	return ady_value_test(a->cond->op, values, a->cond->n, v) ? ADY_YES : ADY_NO;
}

static enum ady_tri on_path(struct ady_deciding *d, const struct ady_cond *cond)
{
	struct asking a = {.d = d, .cond = cond};
	enum ady_tri root = has_root(d, &cond->term);

	if (root == ADY_NO)
		return absent(cond);
	return root == ADY_YES ? walk(d, &cond->term, ask_cond, &a) : root;
}

static enum ady_tri on_field(struct ady_deciding *d, const struct ady_cond *cond)
{
	struct asking a = {.d = d, .cond = cond};
	const struct ady_value *v;
	enum ady_tri there = read_field(d, &v, cond->term.field);

	if (there == ADY_UNDECIDED)
		return ADY_UNDECIDED;
	return ask_cond(&a, there == ADY_YES ? v : NULL);
}

enum ady_tri ady_decide_cond(struct ady_deciding *d, const struct ady_cond *cond)
{
	d->has_seen = false;
	if (cond->term.field < ADY_FIELDS)
		return on_field(d, cond);
	if (cond->term.field == ADY_F_TIME)
		return in_time(d, cond);
	if (cond->term.field == ADY_F_FUNCTION || cond->term.field == ADY_F_TYPE)
		return match(d, cond);
	return on_path(d, cond);
}

enum ady_tri ady_decide_rule(struct ady_deciding *d, const struct ady_rule *rule)
{
	enum ady_tri all = ADY_YES;

	for (uint16_t i = rule->cond; all != ADY_NO && i < rule->cond + rule->conds; i++) {
		enum ady_tri one = ady_decide_cond(d, &d->book->conds[i]);

		all = one < all ? one : all;
	}
	return all;
}

static bool has_stamped(const struct ady_object *o, struct ady_bytes key)
{
	for (size_t i = 0; i < o->stamps_n; i++)
		if (ady_bytes_eq(o->stamps[i], key))
			return true;
	return false;
}

uint16_t ady_decide_approvals(const struct ady_deciding *d, const struct ady_approvals *a)
{
	uint16_t given = 0;

	for (uint16_t i = a->at; i < a->at + a->n; i++)
		given = (uint16_t)(given + has_stamped(d->object, d->book->values[i].bytes));
	return given;
}

static enum ady_tri ask_amount(void *arg, const struct ady_value *v)
{
	struct ady_u256 *amount = arg;

	if (!v)
		return ADY_NO;
	memcpy(amount->be, v->word, sizeof amount->be);
	return ADY_YES;
}

/* What the limit adds up; false when the request has none of it. */
static bool amount_of(struct ady_deciding *d, const struct ady_limit *limit,
                      struct ady_u256 *amount)
{
	struct ady_value v;

	if (limit->counts) {
		*amount = ady_u256_from_u64(1);
		return true;
	}
	if (limit->term.field < ADY_FIELDS) {
		if (ady_field_read(&v, limit->term.field, d->object) != ADY_YES)
			return false;
		return ask_amount(amount, &v) == ADY_YES;
	}
	return has_root(d, &limit->term) == ADY_YES &&
	       walk(d, &limit->term, ask_amount, amount) == ADY_YES;
}

void ady_decide_charge(struct ady_charge *charge, struct ady_deciding *d, uint16_t i)
{
	const struct ady_limit *limit = &d->book->limits[i];

	*charge = (struct ady_charge){.limit = i, .counter = limit->counter, .max = limit->max};
	charge->has_amount = amount_of(d, limit, &charge->amount);
}

static bool denied(struct ady_decision *decision, struct ady_deciding *d)
{
	for (uint16_t i = 0; i < d->book->rules_n; i++) {
		const struct ady_rule *rule = &d->book->rules[i];
		enum ady_tri met = rule->deny ? ady_decide_rule(d, rule) : ADY_NO;

		if (met == ADY_NO)
			continue;
		decision->rule = i;
		decision->verdict = met == ADY_YES ? ADY_DENIED_BY_RULE : ADY_DENIED_UNDECIDED;
		return true;
	}
	return false;
}

/* Take a rule whose conditions are met into the plan, unless it has not its approvals: the first of
 * these is why nothing is allowed, when no rule before it says so. Returns whether it allows
 * whatever was counted. */
static bool plan_rule(struct ady_plan *plan, struct ady_deciding *d, uint16_t i)
{
	const struct ady_rule *rule = &d->book->rules[i];
	uint16_t given = ady_decide_approvals(d, &rule->approvals);

	if (given < rule->approvals.need) {
		if (plan->denial.verdict == ADY_DENIED_BY_DEFAULT)
			plan->denial = (struct ady_decision){
			    .verdict = ADY_DENIED_APPROVALS, .rule = i, .given = given};
		return false;
	}
	plan->rules[plan->rules_n++] =
	    (struct ady_plan_rule){.rule = i, .at = plan->charges_n, .n = rule->limits};
	for (uint16_t k = 0; k < rule->limits; k++)
		ady_decide_charge(&plan->charges[plan->charges_n++], d,
		                  (uint16_t)(rule->limit + k));
	return rule->limits == 0;
}

void ady_decide_plan(struct ady_plan *plan, struct ady_deciding *d)
{
	plan->denial = (struct ady_decision){.verdict = ADY_DENIED_BY_DEFAULT};
	plan->rules_n = plan->charges_n = 0;
	if (denied(&plan->denial, d))
		return;
	for (uint16_t i = 0; i < d->book->rules_n; i++) {
		const struct ady_rule *rule = &d->book->rules[i];

		if (rule->deny || ady_decide_rule(d, rule) != ADY_YES)
			continue;
		if (plan_rule(plan, d, i))
			return;
	}
}

struct ady_plan_setting ady_decide_setting(const struct ady_deciding *d)
{
	return (struct ady_plan_setting){.counters = d->counters,
	                                 .info = d->book->counters,
	                                 .now_s = d->object->now_s,
	                                 .known_s = d->known_s};
}

void ady_decide(struct ady_decision *decision, struct ady_deciding *d, struct ady_counters *charged)
{
	const struct ady_plan_setting setting = ady_decide_setting(d);
	struct ady_plan plan;

	ady_decide_plan(&plan, d);
	(void)ady_plan_settle(decision, &plan, &setting, charged);
}

enum ady_err ady_decision_refuse_limit(const struct ady_decision *decision, struct ady_bytes rule,
                                       struct ady_bytes counter, const char *at,
                                       struct ady_fault *f)
{
	char where[64], name[ADY_RULE_NAME_MAX + 1], what[ADY_COUNTER_NAME_MAX + 1];

	snprintf(where, sizeof where, "%.32s.rules[%u]", at, (unsigned)decision->rule);
	(void)ady_bytes_to_str(name, sizeof name, rule);
	(void)ady_bytes_to_str(what, sizeof what, counter);
	if (decision->verdict == ADY_DENIED_WAIT)
		return ady_fail(f, ADY_E_DENIED, where,
		                "\"%s\" waits: what \"%s\" counted before the enclave's start is "
		                "not known",
		                name, what);
	return ady_fail(f, ADY_E_DENIED, where, "a limit of the rule \"%s\" does not hold: %s",
	                name, what);
}

enum ady_err ady_decision_refuse(const struct ady_decision *decision,
                                 const struct ady_rulebook *book, const char *at,
                                 struct ady_fault *f)
{
	const struct ady_rule *rule = &book->rules[decision->rule];
	const struct ady_limit *limit = &book->limits[decision->limit];
	char where[64], name[ADY_RULE_NAME_MAX + 1];

	if (decision->verdict == ADY_DENIED_BY_DEFAULT) {
		snprintf(where, sizeof where, "%.48s.rules", at);
		return ady_fail(f, ADY_E_DENIED, where, "no rule allows this");
	}
	if (decision->verdict == ADY_DENIED_LIMIT || decision->verdict == ADY_DENIED_WAIT)
		return ady_decision_refuse_limit(decision, rule->name,
		                                 book->counters[limit->counter].name, at, f);
	snprintf(where, sizeof where, "%.32s.rules[%u]", at, (unsigned)decision->rule);
	(void)ady_bytes_to_str(name, sizeof name, rule->name);
	if (decision->verdict == ADY_DENIED_BY_RULE)
		return ady_fail(f, ADY_E_DENIED, where, "the rule \"%s\" denies this", name);
	if (decision->verdict == ADY_DENIED_UNDECIDED)
		return ady_fail(f, ADY_E_DENIED, where,
		                "the rule \"%s\" cannot be ruled out: the request does not "
		                "decide one of its conditions",
		                name);
	return ady_fail(f, ADY_E_DENIED, where, "the rule \"%s\" needs %u approvals and has %u",
	                name, (unsigned)rule->approvals.need, (unsigned)decision->given);
}
