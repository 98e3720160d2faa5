/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/eth_read.h"
#include "chain/eth_tx.h"

#include <stdio.h>
#include <string.h>

#define CHAIN_ID_MAX ((uint64_t)INT64_MAX - 36) /* EIP-2294: 2^63 - 37 */
#define NONCE_MAX (UINT64_MAX - 1)              /* EIP-2681 */

enum { GAS_PER_BLOB = 1u << 17 }; /* EIP-4844 */

enum field {
	F_TYPE,
	F_CHAIN_ID,
	F_NONCE,
	F_TO,
	F_VALUE,
	F_GAS,
	F_GAS_LIMIT,
	F_GAS_PRICE,
	F_MAX_FEE,
	F_MAX_PRIORITY_FEE,
	F_DATA,
	F_INPUT,
	F_ACCESS_LIST,
	F_MAX_BLOB_FEE,
	F_BLOB_HASHES,
	F_COMMITMENTS,
	F_BLOBS,
	F_PROOFS,
	F_AUTHORIZATIONS,
	F_FROM,
	FIELDS
};

/* null where clients write it for a field that is not used: geth's external signer for the fees,
 * ethers for the access list, all for the recipient of a creation. */
#define NAME(s) s, sizeof(s) - 1
static const struct {
	const char *name;
	uint32_t len;
	bool nullable;
} fields[FIELDS] = {
    [F_TYPE] = {NAME("type"), false},
    [F_CHAIN_ID] = {NAME("chainId"), false},
    [F_NONCE] = {NAME("nonce"), false},
    [F_TO] = {NAME("to"), true},
    [F_VALUE] = {NAME("value"), false},
    [F_GAS] = {NAME("gas"), false},
    [F_GAS_LIMIT] = {NAME("gasLimit"), false},
    [F_GAS_PRICE] = {NAME("gasPrice"), true},
    [F_MAX_FEE] = {NAME("maxFeePerGas"), true},
    [F_MAX_PRIORITY_FEE] = {NAME("maxPriorityFeePerGas"), true},
    [F_DATA] = {NAME("data"), false},
    [F_INPUT] = {NAME("input"), false},
    [F_ACCESS_LIST] = {NAME("accessList"), true},
    [F_MAX_BLOB_FEE] = {NAME("maxFeePerBlobGas"), true},
    [F_BLOB_HASHES] = {NAME("blobVersionedHashes"), true},
    [F_COMMITMENTS] = {NAME("commitments"), true},
    [F_BLOBS] = {NAME("blobs"), true},
    [F_PROOFS] = {NAME("proofs"), true},
    [F_AUTHORIZATIONS] = {NAME("authorizationList"), true},
    [F_FROM] = {NAME("from"), false},
};

struct parser {
	struct ady_eth_reader r;
	struct ady_eth_tx *tx;
	enum ady_eth_units units;
	uint32_t value[FIELDS]; /* the token of each field's value; 0 where it is absent */
	bool null_to;           /* "to": null, which is no oversight */
};

static const char *name_of(enum field f)
{
	return fields[f].name;
}

/* The length alone tells most names apart. */
static enum field field_of(const struct parser *p, uint32_t key)
{
	const struct ady_json_tok *t = &p->r.doc->toks[key];

	for (enum field f = 0; f < FIELDS; f++)
		if ((t->escaped || t->len == fields[f].len) &&
		    ady_json_is(p->r.doc, key, fields[f].name))
			return f;
	return FIELDS;
}

static enum ady_err find_fields(struct parser *p, uint32_t object)
{
	const struct ady_json *doc = p->r.doc;

	if (ady_json_kind(doc, object) != ADY_JSON_OBJECT)
		return ady_eth_refuse(&p->r, ADY_E_FIELD_INVALID, NULL, "must be an object");
	for (uint32_t k = ady_json_first(doc, object); k; k = ady_json_after(doc, object, k)) {
		enum field f = field_of(p, k);

		if (f == FIELDS)
			return ady_eth_refuse_unknown(&p->r, k);
		if (ady_json_kind(doc, k + 1) != ADY_JSON_NULL || !fields[f].nullable)
			p->value[f] = k + 1;
		else if (f == F_TO)
			p->null_to = true;
	}
	return ADY_OK;
}

static enum ady_err require(const struct parser *p, enum field f)
{
	return p->value[f] ? ADY_OK
	                   : ady_eth_refuse(&p->r, ADY_E_FIELD_MISSING, name_of(f), "is required");
}

static enum ady_err forbid(const struct parser *p, enum field f, const char *why)
{
	return p->value[f] ? ady_eth_refuse(&p->r, ADY_E_FIELD_INVALID, name_of(f), why) : ADY_OK;
}

static enum ady_err read_u256(const struct parser *p, struct ady_u256 *v, enum field f)
{
	enum ady_err err = require(p, f);

	return err != ADY_OK ? err : ady_eth_read_u256(&p->r, v, p->value[f], name_of(f));
}

static enum ady_err read_u64(const struct parser *p, uint64_t *v, uint64_t max, enum field f)
{
	enum ady_err err = require(p, f);

	return err != ADY_OK ? err : ady_eth_read_u64(&p->r, v, max, p->value[f], name_of(f));
}

/* Without "type" the fee fields decide, as in ethers and geth; fees of both kinds are then refused
 * by read_legacy_fees. */
static enum ady_err read_type(struct parser *p)
{
	struct ady_u256 wide;
	uint64_t type;
	enum ady_err err;

	if (!p->value[F_TYPE]) {
		p->tx->type = p->value[F_BLOB_HASHES]      ? ADY_ETH_BLOB
		              : p->value[F_AUTHORIZATIONS] ? ADY_ETH_SET_CODE
		              : !p->value[F_GAS_PRICE]     ? ADY_ETH_DYNAMIC_FEE
		              : p->value[F_ACCESS_LIST]    ? ADY_ETH_ACCESS_LIST
		                                           : ADY_ETH_LEGACY;
		return ADY_OK;
	}
	if ((err = read_u256(p, &wide, F_TYPE)) != ADY_OK)
		return err;
	if (!ady_u256_to_u64(&type, &wide) || type > ADY_ETH_SET_CODE)
		return ady_eth_refuse(&p->r, ADY_E_FIELD_INVALID, name_of(F_TYPE),
		                      "is not supported: 0 (legacy), 1 (EIP-2930), 2 (EIP-1559), "
		                      "3 (EIP-4844) or 4 (EIP-7702)");
	p->tx->type = (enum ady_eth_type)type;
	return ADY_OK;
}

static enum ady_err read_chain_id(struct parser *p)
{
	enum ady_err err;

	if (!p->value[F_CHAIN_ID] && p->tx->type == ADY_ETH_LEGACY)
		return ADY_OK;
	err = read_u64(p, &p->tx->chain_id, CHAIN_ID_MAX, F_CHAIN_ID);
	if (err == ADY_OK && p->tx->chain_id == 0)
		return ady_eth_refuse(&p->r, ADY_E_CHAIN_ID, name_of(F_CHAIN_ID),
		                      "is 0, which would allow replay on any chain");
	return err;
}

static enum ady_err read_gas(struct parser *p)
{
	enum ady_err err;

	if (!p->value[F_GAS_LIMIT])
		return read_u64(p, &p->tx->gas, UINT64_MAX, F_GAS);
	if ((err = forbid(p, F_GAS, "is given twice: gas and gasLimit")) != ADY_OK)
		return err;
	return read_u64(p, &p->tx->gas, UINT64_MAX, F_GAS_LIMIT);
}

static enum ady_err read_dynamic_fees(struct parser *p)
{
	struct ady_eth_tx *tx = p->tx;
	enum ady_err err;

	if ((err = forbid(p, F_GAS_PRICE, "does not belong to a transaction of type 2 or above")) !=
	        ADY_OK ||
	    (err = read_u256(p, &tx->max_fee, F_MAX_FEE)) != ADY_OK ||
	    (err = read_u256(p, &tx->max_priority_fee, F_MAX_PRIORITY_FEE)) != ADY_OK)
		return err;
	if (ady_u256_cmp(&tx->max_priority_fee, &tx->max_fee) > 0)
		return ady_eth_refuse(&p->r, ADY_E_FEES, name_of(F_MAX_PRIORITY_FEE),
		                      "exceeds maxFeePerGas");
	return ADY_OK;
}

static enum ady_err read_legacy_fees(struct parser *p)
{
	static const char why[] =
	    "belongs to type 2 and above, but type or gasPrice says otherwise";
	enum ady_err err;

	if ((err = forbid(p, F_MAX_FEE, why)) != ADY_OK ||
	    (err = forbid(p, F_MAX_PRIORITY_FEE, why)) != ADY_OK)
		return err;
	return read_u256(p, &p->tx->gas_price, F_GAS_PRICE);
}

static enum ady_err read_value(struct parser *p)
{
	uint32_t i = p->value[F_VALUE];

	if (!i)
		return ADY_OK;
	if (p->units == ADY_ETH_SAMPLE_ETHER && ady_json_kind(p->r.doc, i) == ADY_JSON_NUMBER)
		return ady_eth_read_ether(&p->r, &p->tx->value, i, name_of(F_VALUE));
	return ady_eth_read_u256(&p->r, &p->tx->value, i, name_of(F_VALUE));
}

/* Some clients send both names, for older and newer peers. */
static enum ady_err read_data(struct parser *p)
{
	struct ady_bytes input;
	enum ady_err err;

	if (p->value[F_DATA] &&
	    (err = ady_eth_read_bytes(&p->r, &p->tx->data, p->value[F_DATA], "data")) != ADY_OK)
		return err;
	if (!p->value[F_INPUT])
		return ADY_OK;
	if ((err = ady_eth_read_bytes(&p->r, &input, p->value[F_INPUT], "input")) != ADY_OK)
		return err;
	if (p->value[F_DATA] && !ady_bytes_eq(input, p->tx->data))
		return ady_eth_refuse(&p->r, ADY_E_FIELD_INVALID, "input", "differs from data");
	p->tx->data = input;
	return ADY_OK;
}

static enum ady_err read_access_list(struct parser *p)
{
	if (p->tx->type == ADY_ETH_LEGACY)
		return forbid(p, F_ACCESS_LIST, "does not belong to a legacy transaction");
	if (!p->value[F_ACCESS_LIST])
		return ADY_OK;
	return ady_eth_read_access_list(&p->r, &p->tx->access_list, p->value[F_ACCESS_LIST]);
}

static enum ady_err read_blobs(struct parser *p)
{
	static const char why[] = "belongs to a type 3 transaction";
	static const char outside[] = "is not signed and does not fit: the sender attaches it";
	static const enum field of_blobs[] = {F_MAX_BLOB_FEE, F_BLOB_HASHES, F_COMMITMENTS, F_BLOBS,
	                                      F_PROOFS};
	struct ady_eth_tx *tx = p->tx;
	enum ady_err err = ADY_OK;

	if (tx->type != ADY_ETH_BLOB) {
		for (size_t k = 0; err == ADY_OK && k < sizeof of_blobs / sizeof *of_blobs; k++)
			err = forbid(p, of_blobs[k], why);
		return err;
	}
	if ((err = forbid(p, F_BLOBS, outside)) != ADY_OK ||
	    (err = forbid(p, F_PROOFS, outside)) != ADY_OK ||
	    (err = read_u256(p, &tx->max_blob_fee, F_MAX_BLOB_FEE)) != ADY_OK ||
	    (err = require(p, F_BLOB_HASHES)) != ADY_OK ||
	    (err = ady_eth_read_blob_hashes(&p->r, &tx->blob_hashes, &tx->blobs,
	                                    p->value[F_BLOB_HASHES])) != ADY_OK)
		return err;
	if (!p->value[F_COMMITMENTS])
		return ADY_OK;
	return ady_eth_check_commitments(&p->r, p->value[F_COMMITMENTS], p->value[F_BLOB_HASHES]);
}

static enum ady_err read_authorizations(struct parser *p)
{
	enum ady_err err;

	if (p->tx->type != ADY_ETH_SET_CODE)
		return forbid(p, F_AUTHORIZATIONS, "belongs to a type 4 transaction");
	if ((err = require(p, F_AUTHORIZATIONS)) != ADY_OK)
		return err;
	return ady_eth_read_authorizations(&p->r, &p->tx->authorizations,
	                                   p->value[F_AUTHORIZATIONS]);
}

static enum ady_err read_addresses(struct parser *p)
{
	struct ady_eth_tx *tx = p->tx;
	enum ady_err err;

	tx->has_to = p->value[F_TO] != 0;
	tx->has_from = p->value[F_FROM] != 0;
	if (tx->has_to &&
	    (err = ady_eth_read_address(&p->r, tx->to, p->value[F_TO], "to")) != ADY_OK)
		return err;
	if (tx->has_from &&
	    (err = ady_eth_read_address(&p->r, tx->from, p->value[F_FROM], "from")) != ADY_OK)
		return err;
	return ADY_OK;
}

/* A creation without code keeps what is sent with it out of everyone's reach; without value it is
 * of no use, but valid. */
static enum ady_err check_creation(const struct parser *p)
{
	bool harmless = p->null_to && ady_u256_is_zero(&p->tx->value);

	if (p->tx->has_to)
		return ADY_OK;
	if (p->tx->type >= ADY_ETH_BLOB) /* EIP-4844 and EIP-7702: must not be nil */
		return ady_eth_refuse(&p->r, ADY_E_FIELD_MISSING, name_of(F_TO),
		                      "is required: this type creates no contract");
	if (p->tx->data.n == 0 && !harmless)
		return ady_eth_refuse(&p->r, ADY_E_FIELD_MISSING, name_of(F_TO),
		                      "is required unless data creates a contract");
	return ADY_OK;
}

/* Whether units * price is at most 2^256 - 1. 2^32 at a time, from the low end. */
static bool has_cost(uint64_t units, const struct ady_u256 *price)
{
	unsigned __int128 carry = 0;

	for (size_t i = 32; i > 0; i -= 4) {
		carry += (unsigned __int128)units * ady_be32(price->be + i - 4);
		carry >>= 32;
	}
	return carry == 0;
}

/* A transaction whose gas or blobs cost what has no 256-bit number is valid nowhere. (With value on
 * top it is valid, though nobody has as much.) */
static enum ady_err check_cost(const struct parser *p)
{
	const struct ady_eth_tx *tx = p->tx;
	bool dynamic = tx->type >= ADY_ETH_DYNAMIC_FEE;

	if (!has_cost(tx->gas, dynamic ? &tx->max_fee : &tx->gas_price))
		return ady_eth_refuse(&p->r, ADY_E_FIELD_RANGE,
		                      name_of(dynamic ? F_MAX_FEE : F_GAS_PRICE),
		                      "is too large: gas * price exceeds 2^256 - 1");
	if (!has_cost(tx->blobs * GAS_PER_BLOB, &tx->max_blob_fee))
		return ady_eth_refuse(&p->r, ADY_E_FIELD_RANGE, name_of(F_MAX_BLOB_FEE),
		                      "is too large: the blobs' cost exceeds 2^256 - 1");
	return ADY_OK;
}

typedef enum ady_err step_fn(struct parser *p);

static enum ady_err read_fees(struct parser *p)
{
	return p->tx->type >= ADY_ETH_DYNAMIC_FEE ? read_dynamic_fees(p) : read_legacy_fees(p);
}

static enum ady_err read_nonce(struct parser *p)
{
	return read_u64(p, &p->tx->nonce, NONCE_MAX, F_NONCE);
}

enum ady_err ady_eth_tx_parse(struct ady_eth_tx *tx, const struct ady_json *doc, uint32_t i,
                              enum ady_eth_units units, const char *at, struct ady_buf *scratch,
                              struct ady_fault *f)
{
	static step_fn *const steps[] = {read_type,      read_chain_id,      read_nonce,
	                                 read_addresses, read_value,         read_gas,
	                                 read_fees,      read_data,          read_access_list,
	                                 read_blobs,     read_authorizations};
	struct parser p = {
	    .r = {.doc = doc, .at = at, .scratch = scratch, .f = f}, .tx = tx, .units = units};
	enum ady_err err;

	*tx = (struct ady_eth_tx){0};
	if ((err = find_fields(&p, i)) != ADY_OK)
		return err;
	for (size_t k = 0; k < sizeof steps / sizeof *steps; k++)
		if ((err = steps[k](&p)) != ADY_OK)
			return err;
	if ((err = check_creation(&p)) != ADY_OK)
		return err;
	return check_cost(&p);
}
