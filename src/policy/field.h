/* SPDX-License-Identifier: Apache-2.0
 *
 * What a policy decides on: a request that has been read and checked, the time, and who has
 * stamped it; and the fields that conditions name. */
#ifndef ADY_POLICY_FIELD_H
#define ADY_POLICY_FIELD_H

#include "chain/beacon_duty.h"
#include "chain/eth_message.h"
#include "chain/eth_tx.h"
#include "policy/value.h"

/* What is signed. */
enum ady_object_kind {
	ADY_OBJECT_TRANSACTION,
	ADY_OBJECT_MESSAGE,
	ADY_OBJECT_VALIDATOR_DATA,
	ADY_OBJECT_TYPED_DATA,
	ADY_OBJECT_AUTHORIZATION,
	ADY_OBJECT_DIGEST,
	ADY_OBJECT_CLIQUE,
	ADY_OBJECT_DUTY,
	ADY_OBJECT_DERIVE, /* keys of a wallet: nothing is signed */
	ADY_OBJECT_KINDS,
	ADY_OBJECT_UNKNOWN = ADY_OBJECT_KINDS, /* has no name in a policy: none allows it by kind */
};

/* A request. What does not belong to its kind is zero. Borrowed for the decision. */
struct ady_object {
	enum ady_object_kind kind;
	enum ady_duty_type duty;             /* DUTY */
	const struct ady_eth_tx *tx;         /* TRANSACTION */
	const struct ady_eip712_view *typed; /* TYPED_DATA */
	struct ady_bytes text;               /* MESSAGE: the bytes that are signed */
	struct ady_bytes data;               /* VALIDATOR_DATA */
	uint8_t address[20];                 /* VALIDATOR_DATA, AUTHORIZATION: of the contract */
	struct ady_u256 chain;               /* AUTHORIZATION, 0: any chain */
	uint64_t nonce;                      /* AUTHORIZATION */
	uint64_t now_s;                      /* seconds since 1970; 0: not known */
	const struct ady_bytes *stamps; /* the keys whose stamps on it were verified, as text */
	size_t stamps_n;
	struct ady_buf space; /* for texts of typed data while it is decided */
};

/* A field without parts. */
enum ady_field {
	ADY_F_KIND,
	ADY_F_DUTY,
	ADY_F_CHAIN,
	ADY_F_TO,
	ADY_F_CREATES,
	ADY_F_TX_TYPE,
	ADY_F_NONCE,
	ADY_F_VALUE,
	ADY_F_GAS,
	ADY_F_GAS_PRICE,
	ADY_F_PRIORITY_FEE,
	ADY_F_BLOB_FEE,
	ADY_F_BLOBS,
	ADY_F_FEE,
	ADY_F_COST,
	ADY_F_SELECTOR,
	ADY_F_DATA,
	ADY_F_DATA_SIZE,
	ADY_F_TEXT,
	ADY_F_TEXT_SIZE,
	ADY_F_VALIDATOR,
	ADY_F_DELEGATE,
	ADY_F_PRIMARY_TYPE,
	ADY_F_DOMAIN_NAME,
	ADY_F_DOMAIN_VERSION,
	ADY_F_DOMAIN_CHAIN,
	ADY_F_DOMAIN_CONTRACT,
	ADY_F_DOMAIN_SALT,
	ADY_FIELDS,
	/* These are not read by ady_field_read. */
	ADY_F_TIME = ADY_FIELDS,
	ADY_F_FUNCTION, /* the signature of the calldata */
	ADY_F_TYPE,     /* the encodeType of the message */
	ADY_F_ARGS,     /* a path into the arguments */
	ADY_F_MESSAGE,  /* a path into the message */
};

/* A field's name in a policy, and the type of its values. */
struct ady_field_info {
	const char *name;
	enum ady_type_kind kind;
	uint16_t size;
};

/* What is known of a field below ADY_FIELDS. */
const struct ady_field_info *ady_field_info(enum ady_field field);

/* The field of that name; ADY_FIELDS when there is none. */
enum ady_field ady_field_find(struct ady_bytes name);

/* The name of a kind in a policy: "transaction". (Those of duties: ady_duty_name.) */
const char *ady_object_kind_name(enum ady_object_kind kind);

/* The value of a field below ADY_FIELDS in o; valid until the next call (texts in o->space).
 * Returns: ADY_YES; ADY_NO when o has no such field; ADY_UNDECIDED when it cannot be told. */
enum ady_tri ady_field_read(struct ady_value *v, enum ady_field field, const struct ady_object *o);

#endif
