/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/reader.h"

#include <string.h>

/* The operators of {"le": 5}. scalar and list: whether one value may stand there, or many. */
static const struct operator
{
	const char *name;
	enum ady_op op;
	bool scalar, list;
}
operators[] = {
    {"eq", ADY_OP_IN, true, false},        {"ne", ADY_OP_NOT_IN, true, false},
    {"in", ADY_OP_IN, false, true},        {"not_in", ADY_OP_NOT_IN, false, true},
    {"lt", ADY_OP_LT, true, false},        {"le", ADY_OP_LE, true, false},
    {"gt", ADY_OP_GT, true, false},        {"ge", ADY_OP_GE, true, false},
    {"prefix", ADY_OP_PREFIX, true, true},
};

enum { OPERATORS = sizeof operators / sizeof *operators };

/* A kind or a duty by its name. */
static const char *read_name(struct ady_value *v, const struct ady_json *doc, uint32_t i,
                             enum ady_type_kind kind)
{
	unsigned n = kind == ADY_T_KIND ? (unsigned)ADY_OBJECT_KINDS : (unsigned)ADY_DUTIES;

	for (unsigned k = 0; k < n; k++) {
		const char *name = kind == ADY_T_KIND
		                       ? ady_object_kind_name((enum ady_object_kind)k)
		                       : ady_duty_name((enum ady_duty_type)k);

		if (!ady_json_is(doc, i, name))
			continue;
		ady_value_small(v, kind, k);
		return NULL;
	}
	return "is no name that is known here";
}

/* Read one value to the end of the book. */
static const char *add_value(struct ady_policy_reader *r, uint32_t i, enum ady_type_kind kind,
                             uint16_t size)
{
	struct ady_rulebook *book = r->book;
	struct ady_value *v = &book->values[book->values_n];
	const char *why;

	if (book->values_n == ADY_VALUES_MAX)
		return ady_policy_too_many;
	why = kind == ADY_T_KIND || kind == ADY_T_DUTY
	          ? read_name(v, r->doc, i, kind)
	          : ady_value_read(v, r->doc, i, kind, size, &r->space);
	if (!why)
		book->values_n++;
	return why;
}

static const char *read_array(struct ady_policy_reader *r, uint16_t *at, uint16_t *n, uint32_t i,
                              enum ady_type_kind kind, uint16_t size)
{
	const char *why = NULL;

	if (r->doc->toks[i].count == 0)
		return "is an empty list";
	*at = r->book->values_n;
	for (uint32_t k = ady_json_first(r->doc, i); !why && k; k = ady_json_after(r->doc, i, k))
		why = add_value(r, k, kind, size);
	*n = (uint16_t)(r->book->values_n - *at);
	if (!why && !ady_kind_is_bytes(kind))
		ady_values_sort(r->book->values + *at, *n);
	return why;
}

static const char *use_list(struct ady_policy_reader *r, struct ady_list *list, uint16_t *at,
                            uint16_t *n, enum ady_type_kind kind, uint16_t size)
{
	const char *why = NULL;

	if (!list->used)
		why = read_array(r, &list->at, &list->n, list->token, kind, size);
	else if (list->kind != kind || list->size != size)
		why = "names a list that is used for values of another type elsewhere";
	list->used = true;
	list->kind = kind;
	list->size = size;
	*at = list->at;
	*n = list->n;
	return why;
}

const char *ady_values_of(struct ady_policy_reader *r, uint16_t *at, uint16_t *n, uint32_t i,
                          enum ady_type_kind kind, uint16_t size)
{
	enum ady_json_kind is = ady_json_kind(r->doc, i);

	if (is == ADY_JSON_ARRAY)
		return read_array(r, at, n, i, kind, size);
	if (is != ADY_JSON_STRING)
		return "must be an array or the name of one of lists";
	for (size_t k = 0; k < r->lists_n; k++)
		if (ady_bytes_eq(ady_json_raw(r->doc, i), r->lists[k].name))
			return use_list(r, &r->lists[k], at, n, kind, size);
	return "names none of lists";
}

/* A signature or an encodeType to the end of the book. */
static const char *add_function(struct ady_policy_reader *r, uint32_t i, enum ady_field field)
{
	struct ady_rulebook *book = r->book;
	struct ady_function *fn = &book->functions[book->functions_n];
	struct ady_bytes text = ady_json_raw(r->doc, i);
	const char *why;

	if (book->functions_n == ADY_FUNCTIONS_MAX)
		return ady_policy_too_many;
	if (ady_json_kind(r->doc, i) != ADY_JSON_STRING || r->doc->toks[i].escaped)
		return "must be a signature, a string without escapes";
	*fn = (struct ady_function){.typed = field == ADY_F_TYPE, .text = text};
	why = field == ADY_F_FUNCTION
	          ? ady_types_read_function(&book->types, &fn->root, fn->hash, text)
	          : ady_types_read_struct(&book->types, &fn->root, fn->hash, text);
	if (!why)
		book->functions_n++;
	return why;
}

static const char *add_window(struct ady_policy_reader *r, uint32_t i, enum ady_field field)
{
	struct ady_rulebook *book = r->book;

	(void)field;
	if (book->windows_n == ADY_WINDOWS_MAX)
		return ady_policy_too_many;
	return ady_window_read(&book->windows[book->windows_n++], r->doc, i);
}

typedef const char *add_fn(struct ady_policy_reader *r, uint32_t i, enum ady_field field);

/* Add token i, or each item of it when it is an array. */
static const char *add_each(struct ady_policy_reader *r, uint32_t i, enum ady_field field,
                            add_fn *add)
{
	const char *why = NULL;

	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY)
		return add(r, i, field);
	if (r->doc->toks[i].count == 0)
		return "is an empty list";
	for (uint32_t k = ady_json_first(r->doc, i); !why && k; k = ady_json_after(r->doc, i, k))
		why = add(r, k, field);
	return why;
}

/* Whether an operator fits values of a kind. */
static const char *fits(const struct operator* o, enum ady_type_kind kind)
{
	bool bytes = ady_kind_is_bytes(kind);

	if (o->op == ADY_OP_PREFIX)
		return bytes ? NULL : "prefix is for bytes and strings";
	if (o->op == ADY_OP_IN || o->op == ADY_OP_NOT_IN)
		return NULL;
	return kind == ADY_T_UINT || kind == ADY_T_INT ? NULL : "lt, le, gt and ge are for numbers";
}

/* The values behind an operator. */
static const char *read_values(struct ady_policy_reader *r, struct ady_cond *cond,
                               const struct operator* o, uint32_t i)
{
	const char *why = fits(o, cond->term.kind);

	if (why)
		return why;
	if (o->list && (!o->scalar || ady_json_kind(r->doc, i) == ADY_JSON_ARRAY))
		return ady_values_of(r, &cond->at, &cond->n, i, cond->term.kind, cond->term.size);
	cond->at = r->book->values_n;
	cond->n = 1;
	return add_value(r, i, cond->term.kind, cond->term.size);
}

/* The function or type of the book that has this text, or functions_n: rules often share one, and
 * it is looked at once in a decision. */
static uint16_t find_function(const struct ady_policy_reader *r, uint32_t i, enum ady_field field)
{
	const struct ady_rulebook *book = r->book;
	uint16_t k = 0;

	while (k < book->functions_n &&
	       (book->functions[k].typed != (field == ADY_F_TYPE) ||
	        !ady_bytes_eq(book->functions[k].text, ady_json_raw(r->doc, i))))
		k++;
	return k;
}

/* The signatures behind an operator, which is "in" or "not in". */
static const char *read_functions(struct ady_policy_reader *r, struct ady_cond *cond,
                                  const struct operator* o, uint32_t i)
{
	const char *why;

	if (o->op != ADY_OP_IN && o->op != ADY_OP_NOT_IN)
		return "is compared with eq, ne, in and not_in only";
	cond->at = find_function(r, i, cond->term.field);
	cond->n = 1;
	if (cond->at < r->book->functions_n)
		return NULL;
	why = add_each(r, i, cond->term.field, add_function);
	cond->n = (uint16_t)(r->book->functions_n - cond->at);
	return why;
}

/* One condition to the end of the book. */
static const char *add_cond(struct ady_policy_reader *r, struct ady_cond cond,
                            const struct operator* o, uint32_t i)
{
	bool function = cond.term.field == ADY_F_FUNCTION || cond.term.field == ADY_F_TYPE;
	const char *why;

	if (r->book->conds_n == ADY_CONDS_MAX)
		return ady_policy_too_many;
	cond.op = o->op;
	cond.test = ady_json_raw(r->doc, i);
	why = function ? read_functions(r, &cond, o, i) : read_values(r, &cond, o, i);
	r->book->conds[r->book->conds_n++] = cond;
	return why;
}

static const struct operator* find_operator(const struct ady_json *doc, uint32_t key)
{
	for (unsigned o = 0; o < OPERATORS; o++)
		if (ady_json_is(doc, key, operators[o].name))
			return &operators[o];
	return NULL;
}

/* {"ge": 1, "le": 5}: a condition each. */
static const char *read_operators(struct ady_policy_reader *r, const struct ady_cond *cond,
                                  uint32_t i)
{
	const char *why = r->doc->toks[i].count == 0 ? "has no operator" : NULL;

	for (uint32_t k = ady_json_first(r->doc, i); !why && k; k = ady_json_after(r->doc, i, k)) {
		const struct operator* o = find_operator(r->doc, k);

		why = o ? add_cond(r, *cond, o, k + 1) : "has an operator that is not known";
	}
	return why;
}

static const char *read_test(struct ady_policy_reader *r, struct ady_cond *cond, uint32_t i)
{
	static const struct operator one = {"eq", ADY_OP_IN, true, false};
	static const struct operator many = {"in", ADY_OP_IN, false, true};
	enum ady_json_kind kind = ady_json_kind(r->doc, i);

	if (kind == ADY_JSON_OBJECT)
		return read_operators(r, cond, i);
	return add_cond(r, *cond, kind == ADY_JSON_ARRAY ? &many : &one, i);
}

static const char *read_time(struct ady_policy_reader *r, struct ady_cond *cond, uint32_t i)
{
	const char *why;

	if (r->book->conds_n == ADY_CONDS_MAX)
		return ady_policy_too_many;
	cond->test = ady_json_raw(r->doc, i);
	cond->at = r->book->windows_n;
	why = add_each(r, i, ADY_F_TIME, add_window);
	cond->n = (uint16_t)(r->book->windows_n - cond->at);
	r->book->conds[r->book->conds_n++] = *cond;
	return why;
}

/* The condition of the rule that names one function or type, which a path needs. */
static const struct ady_cond *find_root(const struct ady_rulebook *book, uint16_t first,
                                        enum ady_field field)
{
	for (uint16_t i = first; i < book->conds_n; i++)
		if (book->conds[i].term.field == field && book->conds[i].op == ADY_OP_IN &&
		    book->conds[i].n == 1)
			return &book->conds[i];
	return NULL;
}

static bool starts_path(struct ady_bytes text, const char *word)
{
	size_t n = strlen(word);

	return text.n > n && memcmp(text.p, word, n) == 0 && (text.p[n] == '.' || text.p[n] == '[');
}

static const char *read_path(struct ady_policy_reader *r, struct ady_term *term, uint16_t first,
                             struct ady_bytes text)
{
	bool args = term->field == ADY_F_ARGS;
	const struct ady_cond *root = find_root(r->book, first, args ? ADY_F_FUNCTION : ADY_F_TYPE);
	struct ady_path *path = &r->book->paths[r->book->paths_n];
	size_t head = strlen(args ? "args" : "message");
	const char *why;

	if (!root)
		return args ? "needs \"function\" in the same rule, one signature"
		            : "needs \"type\" in the same rule, one encodeType";
	if (r->book->paths_n == ADY_PATHS_MAX)
		return ady_policy_too_many;
	term->function = root->at;
	term->path = r->book->paths_n++;
	why = ady_path_read(path, &r->book->types, r->book->functions[root->at].root,
	                    ady_bytes_sub(text, head, text.n - head));
	term->kind = path->kind;
	term->size = path->size;
	return why;
}

const char *ady_term_read(struct ady_policy_reader *r, struct ady_term *term, uint16_t first,
                          struct ady_bytes text)
{
	*term = (struct ady_term){.field = ady_field_find(text)};
	if (term->field < ADY_FIELDS) {
		term->kind = ady_field_info(term->field)->kind;
		term->size = ady_field_info(term->field)->size;
		return NULL;
	}
	if (!starts_path(text, "args") && !starts_path(text, "message"))
		return "is no field that is known";
	term->field = text.p[0] == 'a' ? ADY_F_ARGS : ADY_F_MESSAGE;
	return read_path(r, term, first, text);
}

static bool is_root(const struct ady_json *doc, uint32_t key)
{
	return ady_json_is(doc, key, "function") || ady_json_is(doc, key, "type");
}

static const char *read_cond(struct ady_policy_reader *r, uint32_t key, uint16_t first)
{
	struct ady_cond cond = {.key = ady_json_raw(r->doc, key)};
	const char *why;

	if (is_root(r->doc, key)) {
		cond.term.field = cond.key.p[0] == 'f' ? ADY_F_FUNCTION : ADY_F_TYPE;
		return read_test(r, &cond, key + 1);
	}
	if (ady_json_is(r->doc, key, "time")) {
		cond.term.field = ADY_F_TIME;
		return read_time(r, &cond, key + 1);
	}
	why = ady_term_read(r, &cond.term, first, cond.key);
	return why ? why : read_test(r, &cond, key + 1);
}

/* Functions and types first: paths go through them, wherever they stand. */
enum ady_err ady_conditions_read(struct ady_policy_reader *r, uint32_t key)
{
	const struct ady_json *doc = r->doc;
	uint16_t first = r->book->conds_n;
	uint32_t i = key + 1;

	if (ady_json_kind(doc, i) != ADY_JSON_OBJECT)
		return ady_policy_check(r, key, "must be an object of conditions");
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t k = ady_json_first(doc, i); k; k = ady_json_after(doc, i, k)) {
			const char *why = NULL;

			if (is_root(doc, k) == (pass == 0))
				why = read_cond(r, k, first);
			if (why)
				return ady_policy_check(r, k, why);
		}
	}
	return ADY_OK;
}
