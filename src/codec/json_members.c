/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_members.h"

#include <string.h>

enum { DEPTH_MAX = 4096 };

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The byte at m->at behind blanks, or 0 at the end. */
static uint8_t peek(struct ady_json_members *m)
{
	while (m->at < m->text.n && is_blank(m->text.p[m->at]))
		m->at++;
	return m->at < m->text.n ? m->text.p[m->at] : 0;
}

static bool take(struct ady_json_members *m, char c)
{
	if (peek(m) != (uint8_t)c)
		return false;
	m->at++;
	return true;
}

/* A string, from its first quote to behind its last. */
static enum ady_err skip_string(struct ady_json_members *m)
{
	for (m->at++; m->at < m->text.n; m->at++) {
		uint8_t c = m->text.p[m->at];

		if (c == '\\')
			m->at++;
		else if (c < ' ')
			return ADY_E_JSON;
		else if (c == '"') {
			m->at++;
			return ADY_OK;
		}
	}
	m->at = m->text.n;
	return ADY_E_JSON;
}

/* An object or array; bit i of kinds tells whether bracket i is that of an object. */
static enum ady_err skip_brackets(struct ady_json_members *m)
{
	uint8_t kinds[DEPTH_MAX / 8] = {0};
	size_t depth = 0;

	while (m->at < m->text.n) {
		uint8_t c = m->text.p[m->at];
		bool object = c == '{' || c == '}';

		if (c == '"') {
			if (skip_string(m) != ADY_OK)
				return ADY_E_JSON;
			continue;
		}
		m->at++;
		if (c == '{' || c == '[') {
			if (depth == DEPTH_MAX)
				return ADY_E_TOO_LARGE;
			kinds[depth / 8] = (uint8_t)((kinds[depth / 8] & ~(1U << depth % 8)) |
			                             (unsigned)object << depth % 8);
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
			if ((kinds[depth / 8] >> depth % 8 & 1) != object)
				return ADY_E_JSON;
			if (depth == 0)
				return ADY_OK;
		}
	}
	return ADY_E_JSON;
}

/* A number, true, false or null: of the letters that these have. */
static enum ady_err skip_word(struct ady_json_members *m)
{
	size_t from = m->at;

	while (m->at < m->text.n && m->text.p[m->at] &&
	       strchr("0123456789+-.eEtrufalsn", m->text.p[m->at]))
		m->at++;
	return m->at > from ? ADY_OK : ADY_E_JSON;
}

static enum ady_err take_value(struct ady_json_members *m, struct ady_bytes *value)
{
	uint8_t c = peek(m);
	size_t from = m->at;
	enum ady_err err;

	if (c == '"')
		err = skip_string(m);
	else if (c == '{' || c == '[')
		err = skip_brackets(m);
	else
		err = skip_word(m);
	*value = ady_bytes_sub(m->text, from, m->at - from);
	return err;
}

static enum ady_err at_end(struct ady_json_members *m)
{
	return peek(m) == 0 && m->at == m->text.n ? ADY_E_NOT_FOUND : ADY_E_JSON;
}

enum ady_err ady_json_members_next(struct ady_json_members *m, struct ady_json_member *member)
{
	size_t from;

	*member = (struct ady_json_member){0};
	if (!m->begun && !take(m, '{'))
		return ADY_E_JSON;
	if (take(m, '}'))
		return at_end(m);
	if (m->begun && !take(m, ','))
		return ADY_E_JSON;
	m->begun = true;
	if (peek(m) != '"')
		return ADY_E_JSON;
	from = m->at;
	if (skip_string(m) != ADY_OK)
		return ADY_E_JSON;
	member->key = ady_bytes_sub(m->text, from + 1, m->at - from - 2);
	return take(m, ':') ? take_value(m, &member->value) : ADY_E_JSON;
}

enum ady_err ady_json_members_get(struct ady_bytes text, const char *name, struct ady_bytes *value)
{
	struct ady_json_members m = {.text = text};
	struct ady_json_member member;
	bool found = false;
	enum ady_err err;

	*value = (struct ady_bytes){0};
	while ((err = ady_json_members_next(&m, &member)) == ADY_OK) {
		if (!ady_bytes_is(member.key, name))
			continue;
		found = true;
		*value = member.value;
	}
	if (err == ADY_E_NOT_FOUND && found)
		return ADY_OK;
	return err;
}
