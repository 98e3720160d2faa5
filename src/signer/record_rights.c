/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/record_reader.h"

#define CHAIN_ID_MAX ((uint64_t)INT64_MAX - 36) /* EIP-2294: 2^63 - 37 */

/* In the order of their bits, which is that of the alphabet. */
static const char *const allow_words[ADY_ALLOW_WORDS] = {"digest", "unprotected", "commitment"};

const char *ady_allow_word(unsigned bit)
{
	return allow_words[bit];
}

enum ady_err ady_record_add_chain(struct ady_record *rec, uint64_t chain)
{
	uint64_t last = rec->chains_n ? rec->chains[rec->chains_n - 1] : 0;

	if (rec->chains_n == ADY_RECORD_CHAINS_MAX || chain <= last || chain > CHAIN_ID_MAX)
		return ADY_E_RECORD;
	rec->chains[rec->chains_n++] = chain;
	return ADY_OK;
}

bool ady_record_allows_chain(const struct ady_record *rec, uint64_t chain)
{
	for (size_t i = 0; i < rec->chains_n; i++)
		if (rec->chains[i] == chain)
			return true;
	return rec->chains_n == 0;
}

/* Known words, each once and in order: what is bound has one spelling. */
static enum ady_err read_allow(const struct ady_record_reader *r, struct ady_record *rec)
{
	static const char why[] = "must be absent, or a list of \"digest\", \"unprotected\" and "
	                          "\"commitment\", some or all in this order";
	uint32_t i = r->value[M_ALLOW];
	unsigned word = 0;

	if (!i)
		return ADY_OK;
	if (ady_json_kind(&r->doc, i) != ADY_JSON_ARRAY || r->doc.toks[i].count == 0)
		return ady_record_refuse(r, ady_record_names[M_ALLOW], why);
	for (uint32_t k = ady_json_first(&r->doc, i); k; k = ady_json_after(&r->doc, i, k)) {
		while (word < ADY_ALLOW_WORDS && !ady_json_is(&r->doc, k, allow_words[word]))
			word++;
		if (word == ADY_ALLOW_WORDS)
			return ady_record_refuse(r, ady_record_names[M_ALLOW], why);
		rec->allow |= 1u << word++;
	}
	return ADY_OK;
}

/* Ascending, so that one set has one spelling. An empty list would read as "none" and be as if it
 * were absent, which is "any". */
static enum ady_err read_chains(const struct ady_record_reader *r, struct ady_record *rec)
{
	uint32_t list = r->value[M_CHAINS];
	uint64_t chain;

	if (!list)
		return ADY_OK;
	for (uint32_t i = ady_json_first(&r->doc, list);
	     i && ady_json_kind(&r->doc, list) == ADY_JSON_ARRAY;
	     i = ady_json_after(&r->doc, list, i))
		if (ady_json_u64(&r->doc, i, &chain) != ADY_OK ||
		    ady_record_add_chain(rec, chain) != ADY_OK) {
			rec->chains_n = 0;
			break;
		}
	if (rec->chains_n == 0)
		return ady_record_refuse(r, ady_record_names[M_CHAINS],
		                         "must be 1 to 32 chain ids, each above the one before it");
	return ADY_OK;
}

/* In the order that they have: what is bound is their text. */
static enum ady_err read_callers(const struct ady_record_reader *r, struct ady_record *rec)
{
	static const char why[] =
	    "must be 1 to 16 different keys, ed25519:, p256: or webauthn:, or "
	    "\"gateway\"";
	uint32_t list = r->value[M_CALLERS];

	if (!list)
		return ADY_OK;
	if (ady_json_kind(&r->doc, list) != ADY_JSON_ARRAY || r->doc.toks[list].count == 0)
		return ady_record_refuse(r, ady_record_names[M_CALLERS], why);
	for (uint32_t i = ady_json_first(&r->doc, list); i; i = ady_json_after(&r->doc, list, i))
		if (ady_json_kind(&r->doc, i) != ADY_JSON_STRING ||
		    ady_record_add_caller(rec, ady_json_raw(&r->doc, i)) != ADY_OK)
			return ady_record_refuse(r, ady_record_names[M_CALLERS], why);
	return ADY_OK;
}

/* What it says is read where it decides. */
static enum ady_err read_policy(const struct ady_record_reader *r, struct ady_record *rec)
{
	uint32_t i = r->value[M_POLICY];

	if (!i)
		return ADY_OK;
	if (ady_json_kind(&r->doc, i) != ADY_JSON_OBJECT)
		return ady_record_refuse(r, ady_record_names[M_POLICY], "must be an object");
	if (ady_json_raw(&r->doc, i).n > ADY_RECORD_POLICY_MAX)
		return ady_record_refuse(r, ady_record_names[M_POLICY], "exceeds 32768 bytes");
	ady_record_set_policy(rec, ady_json_raw(&r->doc, i));
	return ADY_OK;
}

enum ady_err ady_record_read_rights(const struct ady_record_reader *r, struct ady_record *rec)
{
	enum ady_err err;

	if ((err = read_allow(r, rec)) != ADY_OK || (err = read_chains(r, rec)) != ADY_OK ||
	    (err = read_callers(r, rec)) != ADY_OK)
		return err;
	return read_policy(r, rec);
}
