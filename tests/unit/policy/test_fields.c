/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_fixture.h"

#define TX2                                                                                   \
	"{'chainId':10,'nonce':3,'gas':1000,'maxFeePerGas':20,'maxPriorityFeePerGas':4,'to':" \
	"'" TO35 "','value':'100','data':'0xa9059cbb00'}"
#define CREATION "{'chainId':1,'nonce':0,'gas':9,'gasPrice':2,'data':'0xa9059cbb00'}"
#define BLOB                                                                                       \
	"{'type':3,'chainId':1,'nonce':0,'gas':10,'maxFeePerGas':2,'maxPriorityFeePerGas':1,'to':" \
	"'" TO35 "','maxFeePerBlobGas':3,'blobVersionedHashes':["                                  \
	"'0x0100000000000000000000000000000000000000000000000000000000000000']}"
#define DOMAIN_TYPES                                                                          \
	"'EIP712Domain':[{'name':'name','type':'string'},{'name':'version','type':'string'}," \
	"{'name':'chainId','type':'uint256'},{'name':'verifyingContract','type':'address'},"  \
	"{'name':'salt','type':'bytes32'}]"
#define SALT "0x1111111111111111111111111111111111111111111111111111111111111111"
#define DOMAIN                                                                                  \
	"'domain':{'name':'USD Coin','version':'2','chainId':5,'verifyingContract':'" USDC "'," \
	"'salt':'" SALT "'}"
#define PERMIT "'Permit':[{'name':'owner','type':'address'},{'name':'value','type':'uint256'}]"
#define MESSAGE "'message':{'owner':'" TO35 "','value':7}"
#define TYPED \
	"{'types':{" DOMAIN_TYPES "," PERMIT "},'primaryType':'Permit'," DOMAIN "," MESSAGE "}"

CASE(a_transaction_has_its_fields)
{
	ask_tx(TX2);
	MET("{'kind':'transaction'}");
	NOT_MET("{'kind':'message'}");
	MET("{'chain':10}");
	NOT_MET("{'chain':1}");
	MET("{'to':'" TO35 "'}");
	MET("{'creates':false}");
	MET("{'tx_type':2}");
	MET("{'nonce':3}");
	MET("{'value':100}");
	MET("{'gas':1000}");
	MET("{'gas_price':20}");
	MET("{'priority_fee':4}");
	MET("{'fee':20000}");
	MET("{'cost':20100}");
	MET("{'blobs':0}");
	MET("{'selector':'0xa9059cbb'}");
	MET("{'data':'0xa9059cbb00'}");
	MET("{'data_size':5}");
}

CASE(legacy_prices_and_creations)
{
	ask_tx(CREATION);
	MET("{'creates':true,'gas_price':2,'fee':18,'tx_type':0}");
	NOT_MET("{'to':'" TO35 "'}");
	NOT_MET("{'priority_fee':{'ge':0}}");
	NOT_MET("{'blob_fee':{'ge':0}}");
	NOT_MET("{'selector':'0xa9059cbb'}"); /* initcode is no call */
	ask_call(TO35, "0xa9059c");
	NOT_MET("{'selector':'0xa9059c00'}");
	MET("{'data':{'prefix':'0xa9'}}");
}

CASE(blobs_cost_too)
{
	ask_tx(BLOB);
	MET("{'blobs':1,'blob_fee':3,'fee':393236}");
}

CASE(a_cost_beyond_256_bits_is_undecided)
{
	ask_tx(BLOB);
	memset(tx.value.be, 0xff, sizeof tx.value.be);
	UNSURE("{'cost':{'ge':0}}");
	MET("{'fee':{'ge':0}}");
	memset(tx.value.be + 20, 0, 12);
	MET("{'cost':{'ge':0}}");
	memset(tx.value.be, 0xff, 32);
	tx.value.be[31] = 0xe0; /* gas fits, blobs do not */
	tx.gas = 1;
	UNSURE("{'cost':{'ge':0}}");
}

CASE(messages_have_their_bytes)
{
	ask_message("Sign in");
	MET("{'kind':'message','text':'Sign in','text_size':7}");
	MET("{'text':{'prefix':'Sign'}}");
	NOT_MET("{'data':'0x'}");
	NOT_MET("{'data_size':0}");
	NOT_MET("{'chain':{'ge':0}}");
	NOT_MET("{'nonce':{'ge':0}}");
	ask_tx(TX2);
	NOT_MET("{'text':{'prefix':''}}");
	NOT_MET("{'text_size':{'ge':0}}");
}

/* No field of a transaction is in another request. */
CASE(what_a_request_has_not_is_not_met)
{
	static const char *const fields[] = {"to",           "value",    "gas",      "gas_price",
	                                     "priority_fee", "fee",      "cost",     "blobs",
	                                     "blob_fee",     "tx_type",  "selector", "creates",
	                                     "validator",    "delegate", "duty"};
	static const char *const values[] = {
	    "'" TO35 "'",   "0",    "0",          "0",          "0",      "0", "0", "0", "0", "0",
	    "'0x00000000'", "true", "'" TO35 "'", "'" TO35 "'", "'BLOCK'"};
	char when[256];

	ask_message("x");
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		snprintf(when, sizeof when, "{'%s':%s}", fields[i], values[i]);
		NOT_MET(when);
		snprintf(when, sizeof when, "{'%s':{'ne':%s}}", fields[i], values[i]);
		UNSURE(when);
	}
}

CASE(validator_data_and_authorizations)
{
	object = (struct ady_object){.kind = ADY_OBJECT_VALIDATOR_DATA,
	                             .data = ady_bytes_str("\x01\x02")};
	memset(object.address, 0x35, 20);
	MET("{'kind':'validator_data','validator':'" TO35 "','data':'0x0102','data_size':2}");
	NOT_MET("{'delegate':'" TO35 "'}");
	object = (struct ady_object){.kind = ADY_OBJECT_AUTHORIZATION, .nonce = 9};
	memset(object.address, 0x35, 20);
	MET("{'kind':'authorization','delegate':'" TO35 "','nonce':9,'chain':0}");
	NOT_MET("{'validator':'" TO35 "'}");
	NOT_MET("{'data':'0x'}");
}

CASE(duties_by_name)
{
	char when[96];

	for (unsigned d = 0; d < ADY_DUTIES; d++) {
		object =
		    (struct ady_object){.kind = ADY_OBJECT_DUTY, .duty = (enum ady_duty_type)d};
		snprintf(when, sizeof when, "{'kind':'duty','duty':'%s'}",
		         ady_duty_name((enum ady_duty_type)d));
		MET(when);
	}
	object.duty = ADY_DUTY_BLOCK;
	NOT_MET("{'duty':['ATTESTATION','DEPOSIT']}");
	object.kind = ADY_OBJECT_DERIVE;
	MET("{'kind':'derive'}");
	NOT_MET("{'kind':['digest','duty']}");
	object.kind = ADY_OBJECT_UNKNOWN;
	NOT_MET("{'kind':['transaction','message','validator_data','typed_data','authorization',"
	        "'digest','clique','duty','derive']}");
}

CASE(the_domain_of_typed_data)
{
	ask_typed(TYPED);
	MET("{'kind':'typed_data','primary_type':'Permit','chain':5}");
	MET("{'domain.name':'USD Coin','domain.version':'2','domain.chainId':5}");
	MET("{'domain.verifyingContract':'" USDC "','domain.salt':'" SALT "'}");
	NOT_MET("{'domain.name':'USDC'}");
	ask_typed("{'types':{" PERMIT "},'primaryType':'Permit','domain':{'name':'n'}," MESSAGE
	          "}");
	MET("{'domain.name':'n'}");
	NOT_MET("{'domain.version':{'prefix':''}}");
	NOT_MET("{'chain':{'ge':0}}");
	ask_message("x");
	NOT_MET("{'domain.name':'n'}");
	NOT_MET("{'primary_type':'n'}");
}

/* The caller writes the types: a chain id that is a string to them is none to the policy. */
CASE(a_domain_of_other_types_is_undecided)
{
	ask_typed(
	    "{'types':{'EIP712Domain':[{'name':'name','type':'string'},{'name':'chainId','type':"
	    "'uint64'}]," PERMIT
	    "},'primaryType':'Permit','domain':{'chainId':5,'name':'n'}," MESSAGE "}");
	UNSURE("{'chain':5}");
	UNSURE("{'domain.chainId':{'ne':6}}");
	MET("{'domain.name':'n'}");
	object.space.cap = 1; /* no room to unescape */
	UNSURE("{'domain.name':'n'}");
	/* a member that is not signed: the request says that such are to be ignored */
	ask_typed("{'types':{'EIP712Domain':[],'P':[{'name':'b','type':'bool'}]},'primaryType':'P',"
	          "'domain':{'salt':'" SALT "','chainId':5},'message':{'b':true}}");
	UNSURE("{'chain':5}");
	UNSURE("{'domain.salt':{'ne':'" SALT "'}}");
}

int main(void)
{
	fixture_used();
	RUN(a_transaction_has_its_fields);
	RUN(legacy_prices_and_creations);
	RUN(blobs_cost_too);
	RUN(a_cost_beyond_256_bits_is_undecided);
	RUN(messages_have_their_bytes);
	RUN(what_a_request_has_not_is_not_met);
	RUN(validator_data_and_authorizations);
	RUN(duties_by_name);
	RUN(the_domain_of_typed_data);
	RUN(a_domain_of_other_types_is_undecided);
	return test_end();
}
