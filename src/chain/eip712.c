/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eip712_types.h"
#include "chain/eip712_word.h"

#include <string.h>

#include "crypto/hash.h"

enum part { P_TYPES, P_PRIMARY, P_DOMAIN, P_MESSAGE, PARTS };

static const char *const parts[PARTS] = {"types", "primaryType", "domain", "message"};

struct typed_data {
	const struct ady_eth_reader *r;
	const struct ady_json *doc;
	enum ady_eip712_version version;
	enum ady_eip712_unknown unknown;
	unsigned values; /* encoded so far: members that are absent cost time but no text */
	struct ady_eip712_types types;
};

static enum ady_err encode(struct typed_data *d, uint8_t word[static 32],
                           const struct ady_eip712_ref *ref, const struct ady_eip712_path *at,
                           uint32_t i);

static enum ady_err refuse(const struct typed_data *d, const struct ady_eip712_path *at,
                           enum ady_err err, const char *why)
{
	return ady_eip712_refuse(d->r, at, err, why);
}

/* The key of object i that reads name, or 0. */
static uint32_t find_key(const struct typed_data *d, uint32_t i, struct ady_bytes name)
{
	for (uint32_t k = ady_json_first(d->doc, i); k; k = ady_json_after(d->doc, i, k))
		if (!d->doc->toks[k].escaped && ady_bytes_eq(ady_json_raw(d->doc, k), name))
			return k;
	return 0;
}

/* A struct that is not there, in V4: how recursive values end. */
static bool may_be_absent(const struct typed_data *d, const struct ady_eip712_ref *ref)
{
	return d->version == ADY_EIP712_V4 && ref->kind == ADY_EIP712_STRUCT && ref->dims.n == 0;
}

/* The word of the member in token member of a struct's type, of the value in object i; *found
 * counts those that are there. */
static enum ady_err encode_member(struct typed_data *d, uint8_t word[static 32], uint32_t member,
                                  const struct ady_eip712_path *at, uint32_t i, uint32_t *found)
{
	struct ady_eip712_path here = {.up = at, .name = ady_eip712_member_name(d->doc, member)};
	uint32_t key = find_key(d, i, here.name);
	struct ady_eip712_ref ref;

	if (ady_eip712_ref_read(&ref, &d->types, ady_eip712_member_type(d->doc, member)))
		ADY_BUG("a type was checked and is none");
	if (key) {
		++*found;
		return encode(d, word, &ref, &here, key + 1);
	}
	if (!may_be_absent(d, &ref))
		return refuse(d, &here, ADY_E_FIELD_MISSING, "is required");
	memset(word, 0, 32);
	return ADY_OK;
}

/* Refuse the member of object i that its type does not name. */
static enum ady_err refuse_extra(const struct typed_data *d, uint32_t members,
                                 const struct ady_eip712_path *at, uint32_t i)
{
	for (uint32_t k = ady_json_first(d->doc, i); k; k = ady_json_after(d->doc, i, k)) {
		struct ady_eip712_path here = {.up = at, .name = ady_json_raw(d->doc, k)};
		uint32_t m = ady_json_first(d->doc, members);

		while (m && (d->doc->toks[k].escaped ||
		             !ady_bytes_eq(ady_eip712_member_name(d->doc, m), here.name)))
			m = ady_json_after(d->doc, members, m);
		if (!m)
			return refuse(d, &here, ADY_E_FIELD_UNKNOWN, "is not in its type");
	}
	ADY_BUG("there are more members than those of the type, and no other");
}

/* hashStruct: keccak256(typeHash || encodeData) */
static enum ady_err hash_struct(struct typed_data *d, uint8_t hash[static 32], size_t type,
                                const struct ady_eip712_path *at, uint32_t i)
{
	uint32_t members = d->types.s[type].members, found = 0;
	const uint8_t *type_hash;
	struct ady_keccak k;
	enum ady_err err;

	if (ady_json_kind(d->doc, i) != ADY_JSON_OBJECT)
		return refuse(d, at, ADY_E_FIELD_INVALID, "must be an object");
	if (!(type_hash = ady_eip712_type_hash(&d->types, type)))
		return ady_eth_refuse(d->r, ADY_E_TOO_LARGE, parts[P_TYPES],
		                      "have more than 262144 bytes to hash");
	ady_keccak_init(&k);
	ady_keccak_update(&k, ady_bytes(type_hash, 32));
	for (uint32_t m = ady_json_first(d->doc, members); m;
	     m = ady_json_after(d->doc, members, m)) {
		uint8_t word[32];

		if (d->values++ == ADY_EIP712_VALUES)
			return refuse(d, at, ADY_E_TOO_LARGE, "brings more than 4096 values");
		if ((err = encode_member(d, word, m, at, i, &found)) != ADY_OK)
			return err;
		ady_keccak_update(&k, ady_bytes(word, sizeof word));
	}
	/* neither a type nor an object has a name twice */
	if (d->unknown == ADY_EIP712_REFUSE && found < d->doc->toks[i].count)
		return refuse_extra(d, members, at, i);
	ady_keccak_final(&k, hash);
	return ADY_OK;
}

/* The length that the last dimension asks for (0: any); it is taken off ref. The text was checked:
 * at most nine digits. */
static uint32_t take_dimension(struct ady_eip712_ref *ref)
{
	uint32_t n = 0;
	size_t at = ref->dims.n - 1;

	while (ref->dims.p[at] != '[')
		at--;
	for (size_t k = at + 1; k < ref->dims.n - 1; k++)
		n = n * 10 + (uint32_t)(ref->dims.p[k] - '0');
	ref->dims.n = at;
	return n;
}

/* keccak256 of the elements' words; the last dimension is the outermost. */
static enum ady_err hash_array(struct typed_data *d, uint8_t hash[static 32],
                               const struct ady_eip712_ref *ref, const struct ady_eip712_path *at,
                               uint32_t i)
{
	struct ady_eip712_ref element = *ref;
	uint32_t n = take_dimension(&element);
	struct ady_eip712_path here = {.up = at};
	struct ady_keccak k;
	enum ady_err err;

	if (d->version == ADY_EIP712_V3)
		return refuse(d, at, ADY_E_FIELD_INVALID, "is an array, which V3 does not have");
	if (ady_json_kind(d->doc, i) != ADY_JSON_ARRAY)
		return refuse(d, at, ADY_E_FIELD_INVALID, "must be an array");
	if (n && d->doc->toks[i].count != n)
		return refuse(d, at, ADY_E_FIELD_INVALID,
		              "has another number of items than its type");
	ady_keccak_init(&k);
	for (uint32_t item = ady_json_first(d->doc, i); item;
	     item = ady_json_after(d->doc, i, item)) {
		uint8_t word[32];

		if ((err = encode(d, word, &element, &here, item)) != ADY_OK)
			return err;
		ady_keccak_update(&k, ady_bytes(word, sizeof word));
		here.index++;
	}
	ady_keccak_final(&k, hash);
	return ADY_OK;
}

/* Recursion is as deep as the JSON, which ADY_JSON_DEPTH bounds. */
static enum ady_err encode(struct typed_data *d, uint8_t word[static 32],
                           const struct ady_eip712_ref *ref, const struct ady_eip712_path *at,
                           uint32_t i)
{
	if (ref->dims.n > 0)
		return hash_array(d, word, ref, at, i);
	if (ref->kind != ADY_EIP712_STRUCT)
		return ady_eip712_word(word, d->r, ref, at, i);
	if (ady_json_kind(d->doc, i) != ADY_JSON_NULL || !may_be_absent(d, ref))
		return hash_struct(d, word, ref->size, at, i);
	memset(word, 0, 32);
	return ADY_OK;
}

/* EIP-712, "Definition of domainSeparator": these members in this order. */
static const struct {
	const char *name, *type;
} domain_members[] = {{"name", "string"},
                      {"version", "string"},
                      {"chainId", "uint256"},
                      {"verifyingContract", "address"},
                      {"salt", "bytes32"}};

enum { DOMAIN_MEMBERS = sizeof domain_members / sizeof *domain_members };

/* A domain without a type of its own: the type follows from what is there. */
static enum ady_err hash_bare_domain(struct typed_data *d, uint8_t hash[static 32],
                                     const struct ady_eip712_path *at, uint32_t i)
{
	uint8_t space[(1 + DOMAIN_MEMBERS) * 32];
	struct ady_buf data = ady_buf(space, sizeof space);
	struct ady_keccak k;
	const char *between = "";
	uint32_t left = d->doc->toks[i].count;

	ady_keccak_init(&k);
	ady_keccak_update(&k, ady_bytes_str("EIP712Domain("));
	data.n = 32;
	for (size_t m = 0; m < DOMAIN_MEMBERS; m++) {
		struct ady_eip712_path here = {.up = at,
		                               .name = ady_bytes_str(domain_members[m].name)};
		uint32_t key = find_key(d, i, here.name);
		struct ady_eip712_ref ref;
		uint8_t word[32];
		enum ady_err err;

		if (!key)
			continue;
		if (ady_eip712_ref_read(&ref, &d->types, ady_bytes_str(domain_members[m].type)))
			ADY_BUG("a type of the domain is none");
		if ((err = encode(d, word, &ref, &here, key + 1)) != ADY_OK)
			return err;
		ady_keccak_update(&k, ady_bytes_str(between));
		ady_keccak_update(&k, ady_bytes_str(domain_members[m].type));
		ady_keccak_update(&k, ady_bytes_str(" "));
		ady_keccak_update(&k, here.name);
		ady_buf_put(&data, word, sizeof word);
		between = ",";
		left--;
	}
	if (left > 0)
		return refuse(d, at, ADY_E_FIELD_UNKNOWN,
		              "has members that EIP-712 does not name, and no type EIP712Domain");
	ady_keccak_update(&k, ady_bytes_str(")"));
	ady_keccak_final(&k, space);
	ady_keccak256(hash, ady_buf_bytes(&data));
	return ADY_OK;
}

static enum ady_err find_parts(const struct typed_data *d, uint32_t value[static PARTS], uint32_t i)
{
	if (ady_json_kind(d->doc, i) != ADY_JSON_OBJECT)
		return refuse(d, NULL, ADY_E_FIELD_INVALID, "must be an object");
	for (uint32_t k = ady_json_first(d->doc, i); k; k = ady_json_after(d->doc, i, k)) {
		enum part p = 0;

		while (p < PARTS && !ady_json_is(d->doc, k, parts[p]))
			p++;
		if (p == PARTS)
			return ady_eth_refuse_unknown(d->r, k);
		value[p] = k + 1;
	}
	for (enum part p = 0; p < P_MESSAGE; p++)
		if (!value[p])
			return ady_eth_refuse(d->r, ADY_E_FIELD_MISSING, parts[p], "is required");
	return ADY_OK;
}

static enum ady_err hash_domain(struct typed_data *d, uint8_t hash[static 32], uint32_t i)
{
	const struct ady_eip712_path at = {.name = ady_bytes_str(parts[P_DOMAIN])};
	size_t type = ady_eip712_find(&d->types, ady_bytes_str("EIP712Domain"));

	if (ady_json_kind(d->doc, i) != ADY_JSON_OBJECT)
		return refuse(d, &at, ADY_E_FIELD_INVALID, "must be an object");
	return type < d->types.n ? hash_struct(d, hash, type, &at, i)
	                         : hash_bare_domain(d, hash, &at, i);
}

/* Append hashStruct(message), or nothing when it is the domain itself that is signed. */
static enum ady_err append_message(struct typed_data *d, struct ady_buf *b,
                                   const uint32_t value[static PARTS], struct ady_eip712_view *view)
{
	const struct ady_eip712_path at = {.name = ady_bytes_str(parts[P_MESSAGE])};
	uint32_t primary = value[P_PRIMARY], message = value[P_MESSAGE];
	uint8_t hash[32];
	enum ady_err err;
	size_t type;

	if (ady_json_is(d->doc, primary, "EIP712Domain")) {
		if (!message || (ady_json_kind(d->doc, message) == ADY_JSON_OBJECT &&
		                 d->doc->toks[message].count == 0))
			return ADY_OK;
		return refuse(d, &at, ADY_E_FIELD_INVALID,
		              "must be absent or empty where the domain is signed");
	}
	type = ady_eip712_find(&d->types, ady_json_raw(d->doc, primary));
	if (ady_json_kind(d->doc, primary) != ADY_JSON_STRING || type == d->types.n)
		return ady_eth_refuse(d->r, ADY_E_FIELD_INVALID, parts[P_PRIMARY],
		                      "must be the name of one of types");
	if (!message)
		return refuse(d, &at, ADY_E_FIELD_MISSING, "is required");
	view->message = message;
	memcpy(view->type_hash, ady_eip712_type_hash(&d->types, type), sizeof view->type_hash);
	if ((err = hash_struct(d, hash, type, &at, message)) == ADY_OK)
		ady_buf_put(b, hash, sizeof hash);
	return err;
}

enum ady_err ady_eip712_digest(uint8_t digest32[static 32], const struct ady_eth_reader *r,
                               uint32_t i, enum ady_eip712_version version,
                               enum ady_eip712_unknown unknown)
{
	struct ady_eip712_view view;

	return ady_eip712_read(&view, digest32, r, i, version, unknown);
}

enum ady_err ady_eip712_read(struct ady_eip712_view *view, uint8_t digest32[static 32],
                             const struct ady_eth_reader *r, uint32_t i,
                             enum ady_eip712_version version, enum ady_eip712_unknown unknown)
{
	struct typed_data d = {.r = r, .doc = r->doc, .version = version, .unknown = unknown};
	const struct ady_eip712_path types_at = {.name = ady_bytes_str(parts[P_TYPES])};
	uint8_t space[2 + 32 + 32], domain[32];
	struct ady_buf b = ady_buf(space, sizeof space);
	uint32_t value[PARTS] = {0};
	enum ady_err err;

	*view = (struct ady_eip712_view){.doc = r->doc};
	if ((err = find_parts(&d, value, i)) != ADY_OK ||
	    (err = ady_eip712_types_read(&d.types, r, &types_at, value[P_TYPES])) != ADY_OK ||
	    (err = hash_domain(&d, domain, value[P_DOMAIN])) != ADY_OK)
		return err;
	ady_buf_be16(&b, 0x1901);
	ady_buf_put(&b, domain, sizeof domain);
	view->types = value[P_TYPES];
	view->primary = value[P_PRIMARY];
	view->domain = value[P_DOMAIN];
	if ((err = append_message(&d, &b, value, view)) != ADY_OK)
		return err;
	ady_keccak256(digest32, ady_buf_bytes(&b));
	return ADY_OK;
}
