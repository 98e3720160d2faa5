/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/field.h"

#include <string.h>

#include "policy/typed.h"

enum { GAS_PER_BLOB = 131072 }; /* EIP-4844 */

typedef enum ady_tri read_fn(struct ady_value *v, const struct ady_object *o);

static enum ady_tri number(struct ady_value *v, uint64_t n)
{
	ady_value_small(v, ADY_T_UINT, n);
	return ADY_YES;
}

static enum ady_tri wide(struct ady_value *v, const struct ady_u256 *n)
{
	ady_value_uint(v, n);
	return ADY_YES;
}

static enum ady_tri bytes(struct ady_value *v, struct ady_bytes b)
{
	v->kind = ADY_T_BYTES;
	v->bytes = b;
	return ADY_YES;
}

static enum ady_tri address(struct ady_value *v, const uint8_t address20[static 20])
{
	ady_value_address(v, address20);
	return ADY_YES;
}

static enum ady_tri read_kind(struct ady_value *v, const struct ady_object *o)
{
	ady_value_small(v, ADY_T_KIND, o->kind);
	return ADY_YES;
}

static enum ady_tri read_duty(struct ady_value *v, const struct ady_object *o)
{
	if (o->kind != ADY_OBJECT_DUTY)
		return ADY_NO;
	ady_value_small(v, ADY_T_DUTY, o->duty);
	return ADY_YES;
}

static enum ady_tri domain(struct ady_value *v, const struct ady_object *o, const char *name,
                           const char *type)
{
	return o->typed ? ady_typed_domain(v, o->typed, name, type, o->space) : ADY_NO;
}

static enum ady_tri read_domain_chain(struct ady_value *v, const struct ady_object *o)
{
	return domain(v, o, "chainId", "uint256");
}

static enum ady_tri read_chain(struct ady_value *v, const struct ady_object *o)
{
	if (o->tx)
		return number(v, o->tx->chain_id);
	if (o->kind == ADY_OBJECT_AUTHORIZATION)
		return wide(v, &o->chain);
	return read_domain_chain(v, o);
}

static enum ady_tri read_to(struct ady_value *v, const struct ady_object *o)
{
	return o->tx && o->tx->has_to ? address(v, o->tx->to) : ADY_NO;
}

static enum ady_tri read_creates(struct ady_value *v, const struct ady_object *o)
{
	if (!o->tx)
		return ADY_NO;
	ady_value_small(v, ADY_T_BOOL, !o->tx->has_to);
	return ADY_YES;
}

static enum ady_tri read_tx_type(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? number(v, o->tx->type) : ADY_NO;
}

static enum ady_tri read_nonce(struct ady_value *v, const struct ady_object *o)
{
	if (o->tx)
		return number(v, o->tx->nonce);
	return o->kind == ADY_OBJECT_AUTHORIZATION ? number(v, o->nonce) : ADY_NO;
}

static enum ady_tri read_value(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? wide(v, &o->tx->value) : ADY_NO;
}

static enum ady_tri read_gas(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? number(v, o->tx->gas) : ADY_NO;
}

static bool is_dynamic(const struct ady_eth_tx *tx)
{
	return tx->type >= ADY_ETH_DYNAMIC_FEE;
}

static const struct ady_u256 *price_of(const struct ady_eth_tx *tx)
{
	return is_dynamic(tx) ? &tx->max_fee : &tx->gas_price;
}

static enum ady_tri read_gas_price(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? wide(v, price_of(o->tx)) : ADY_NO;
}

static enum ady_tri read_priority_fee(struct ady_value *v, const struct ady_object *o)
{
	return o->tx && is_dynamic(o->tx) ? wide(v, &o->tx->max_priority_fee) : ADY_NO;
}

static enum ady_tri read_blob_fee(struct ady_value *v, const struct ady_object *o)
{
	return o->tx && o->tx->type == ADY_ETH_BLOB ? wide(v, &o->tx->max_blob_fee) : ADY_NO;
}

static enum ady_tri read_blobs(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? number(v, o->tx->blobs) : ADY_NO;
}

/* The most that o can cost, `sum` beside it. The reader of transactions has made sure that the cost
 * is a number of 256 bits; a sum that is none is past every limit. */
static enum ady_tri cost(struct ady_value *v, const struct ady_object *o, struct ady_u256 sum)
{
	const struct ady_eth_tx *tx = o->tx;

	if (!ady_u256_add_product(&sum, tx->gas, price_of(tx)) ||
	    !ady_u256_add_product(&sum, tx->blobs * GAS_PER_BLOB, &tx->max_blob_fee))
		return ADY_UNDECIDED;
	return wide(v, &sum);
}

static enum ady_tri read_fee(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? cost(v, o, (struct ady_u256){0}) : ADY_NO;
}

static enum ady_tri read_cost(struct ady_value *v, const struct ady_object *o)
{
	return o->tx ? cost(v, o, o->tx->value) : ADY_NO;
}

/* The head of a call; initcode has none. */
static enum ady_tri read_selector(struct ady_value *v, const struct ady_object *o)
{
	if (!o->tx || !o->tx->has_to || o->tx->data.n < 4)
		return ADY_NO;
	v->kind = ADY_T_FIXED;
	memset(v->word, 0, sizeof v->word);
	memcpy(v->word, o->tx->data.p, 4);
	return ADY_YES;
}

static enum ady_tri read_data(struct ady_value *v, const struct ady_object *o)
{
	if (o->tx)
		return bytes(v, o->tx->data);
	return o->kind == ADY_OBJECT_VALIDATOR_DATA ? bytes(v, o->data) : ADY_NO;
}

static enum ady_tri read_text(struct ady_value *v, const struct ady_object *o)
{
	if (o->kind != ADY_OBJECT_MESSAGE)
		return ADY_NO;
	v->kind = ADY_T_STRING;
	v->bytes = o->text;
	return ADY_YES;
}

static enum ady_tri size_of(struct ady_value *v, const struct ady_object *o, read_fn *read)
{
	return read(v, o) == ADY_YES ? number(v, v->bytes.n) : ADY_NO;
}

static enum ady_tri read_data_size(struct ady_value *v, const struct ady_object *o)
{
	return size_of(v, o, read_data);
}

static enum ady_tri read_text_size(struct ady_value *v, const struct ady_object *o)
{
	return size_of(v, o, read_text);
}

static enum ady_tri read_validator(struct ady_value *v, const struct ady_object *o)
{
	return o->kind == ADY_OBJECT_VALIDATOR_DATA ? address(v, o->address) : ADY_NO;
}

static enum ady_tri read_delegate(struct ady_value *v, const struct ady_object *o)
{
	return o->kind == ADY_OBJECT_AUTHORIZATION ? address(v, o->address) : ADY_NO;
}

/* The names of types have no escapes. */
static enum ady_tri read_primary_type(struct ady_value *v, const struct ady_object *o)
{
	if (!o->typed)
		return ADY_NO;
	v->kind = ADY_T_STRING;
	v->bytes = ady_json_raw(o->typed->doc, o->typed->primary);
	return ADY_YES;
}

static enum ady_tri read_domain_name(struct ady_value *v, const struct ady_object *o)
{
	return domain(v, o, "name", "string");
}

static enum ady_tri read_domain_version(struct ady_value *v, const struct ady_object *o)
{
	return domain(v, o, "version", "string");
}

static enum ady_tri read_domain_contract(struct ady_value *v, const struct ady_object *o)
{
	return domain(v, o, "verifyingContract", "address");
}

static enum ady_tri read_domain_salt(struct ady_value *v, const struct ady_object *o)
{
	return domain(v, o, "salt", "bytes32");
}

static const struct {
	struct ady_field_info info;
	read_fn *read;
} fields[ADY_FIELDS] = {
    [ADY_F_KIND] = {{"kind", ADY_T_KIND, 0}, read_kind},
    [ADY_F_DUTY] = {{"duty", ADY_T_DUTY, 0}, read_duty},
    [ADY_F_CHAIN] = {{"chain", ADY_T_UINT, 256}, read_chain},
    [ADY_F_TO] = {{"to", ADY_T_ADDRESS, 0}, read_to},
    [ADY_F_CREATES] = {{"creates", ADY_T_BOOL, 0}, read_creates},
    [ADY_F_TX_TYPE] = {{"tx_type", ADY_T_UINT, 256}, read_tx_type},
    [ADY_F_NONCE] = {{"nonce", ADY_T_UINT, 256}, read_nonce},
    [ADY_F_VALUE] = {{"value", ADY_T_UINT, 256}, read_value},
    [ADY_F_GAS] = {{"gas", ADY_T_UINT, 256}, read_gas},
    [ADY_F_GAS_PRICE] = {{"gas_price", ADY_T_UINT, 256}, read_gas_price},
    [ADY_F_PRIORITY_FEE] = {{"priority_fee", ADY_T_UINT, 256}, read_priority_fee},
    [ADY_F_BLOB_FEE] = {{"blob_fee", ADY_T_UINT, 256}, read_blob_fee},
    [ADY_F_BLOBS] = {{"blobs", ADY_T_UINT, 256}, read_blobs},
    [ADY_F_FEE] = {{"fee", ADY_T_UINT, 256}, read_fee},
    [ADY_F_COST] = {{"cost", ADY_T_UINT, 256}, read_cost},
    [ADY_F_SELECTOR] = {{"selector", ADY_T_FIXED, 4}, read_selector},
    [ADY_F_DATA] = {{"data", ADY_T_BYTES, 0}, read_data},
    [ADY_F_DATA_SIZE] = {{"data_size", ADY_T_UINT, 256}, read_data_size},
    [ADY_F_TEXT] = {{"text", ADY_T_STRING, 0}, read_text},
    [ADY_F_TEXT_SIZE] = {{"text_size", ADY_T_UINT, 256}, read_text_size},
    [ADY_F_VALIDATOR] = {{"validator", ADY_T_ADDRESS, 0}, read_validator},
    [ADY_F_DELEGATE] = {{"delegate", ADY_T_ADDRESS, 0}, read_delegate},
    [ADY_F_PRIMARY_TYPE] = {{"primary_type", ADY_T_STRING, 0}, read_primary_type},
    [ADY_F_DOMAIN_NAME] = {{"domain.name", ADY_T_STRING, 0}, read_domain_name},
    [ADY_F_DOMAIN_VERSION] = {{"domain.version", ADY_T_STRING, 0}, read_domain_version},
    [ADY_F_DOMAIN_CHAIN] = {{"domain.chainId", ADY_T_UINT, 256}, read_domain_chain},
    [ADY_F_DOMAIN_CONTRACT] = {{"domain.verifyingContract", ADY_T_ADDRESS, 0},
                               read_domain_contract},
    [ADY_F_DOMAIN_SALT] = {{"domain.salt", ADY_T_FIXED, 32}, read_domain_salt},
};

const struct ady_field_info *ady_field_info(enum ady_field field)
{
	return &fields[field].info;
}

enum ady_field ady_field_find(struct ady_bytes name)
{
	enum ady_field f = 0;

	while (f < ADY_FIELDS && !ady_bytes_is(name, fields[f].info.name))
		f++;
	return f;
}

enum ady_tri ady_field_read(struct ady_value *v, enum ady_field field, const struct ady_object *o)
{
	return fields[field].read(v, o);
}

const char *ady_object_kind_name(enum ady_object_kind kind)
{
	static const char *const names[ADY_OBJECT_KINDS + 1] = {
	    "transaction", "message", "validator_data", "typed_data", "authorization",
	    "digest",      "clique",  "duty",           "derive",     "unknown"};

	return names[kind];
}
