/* SPDX-License-Identifier: Apache-2.0 */
#include "store/entry.h"

#include "test.h"

#define PUB "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define HEAD "{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"a\",\"tenant\":\"t\","

static void refused(const char *id, const char *text, enum ady_err err, const char *where)
{
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_entry_read(&e, id, ady_bytes_str(text), &f), err);
	CHECK_STR(f.where, where);
	CHECK(e.text.n == 0 && e.data_key.n == 0 && e.id[0] == '\0');
}

CASE(records_are_read)
{
	static const char text[] = HEAD "\"curve\":\"secp256k1\",\"public_key\":\"" PUB
	                                "\",\"created\":17,\"data_key\":\"AAAA\"}";
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_entry_read(&e, "a", ady_bytes_str(text), &f), ADY_OK);
	CHECK_STR(e.tenant, "t");
	CHECK_INT(e.created_s, 17);
	CHECK_HEX(e.address, 20, "7e5f4552091a69125d5dfcb7b8c2659029395bdf");
	CHECK(ady_bytes_is(ady_dyn_bytes(&e.data_key), "AAAA"));
	ady_entry_clear(&e);
}

CASE(keys_of_other_curves_have_no_address)
{
	static const char text[] =
	    HEAD "\"curve\":\"ed25519\",\"public_key\":\"0x"
	         "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798\"}";
	struct ady_entry e = {0};
	struct ady_fault f = {0};

	CHECK_ERR(ady_entry_read(&e, "a", ady_bytes_str(text), &f), ADY_OK);
	CHECK(!e.has_address && e.public_key_n == 32);
	CHECK(e.created_s > 1700000000);
	ady_entry_clear(&e);
}

CASE(each_fault_is_named)
{
	refused("a b", "AAAA", ADY_E_FIELD_INVALID, "id");
	refused("", "AAAA", ADY_E_FIELD_INVALID, "id");
	refused("a", "", ADY_E_RECORD, "record");
	refused("a", "{", ADY_E_RECORD, "record");
	refused("a", "{\"id\":\"a\",\"id\":\"a\"}", ADY_E_RECORD, "record");
	refused("b", HEAD "\"curve\":\"secp256k1\",\"public_key\":\"" PUB "\"}",
	        ADY_E_RECORD_MISMATCH, "record.id");
	refused("a", "{\"id\":\"a\"}", ADY_E_RECORD, "record.tenant");
	refused("a", "{\"id\":\"a\",\"tenant\":\"\"}", ADY_E_RECORD, "record.tenant");
	refused("a", "{\"id\":\"a\\u0000\",\"tenant\":\"\"}", ADY_E_RECORD, "record");
	refused("a", HEAD "\"public_key\":\"" PUB "\"}", ADY_E_RECORD, "record.curve");
	refused("a", HEAD "\"curve\":\"ed25519\",\"public_key\":\"" PUB "\"}", ADY_E_RECORD,
	        "record.public_key");
	refused("a", HEAD "\"curve\":\"secp256k1\",\"public_key\":\"0x05\"}", ADY_E_RECORD,
	        "record.public_key");
	refused("a",
	        HEAD "\"curve\":\"secp256k1\",\"public_key\":\"0x02ffffffffffffffffffffffffffffff"
	             "ffffffffffffffffffffffffffffffffff\"}",
	        ADY_E_RECORD, "record.public_key");
	refused("a", HEAD "\"curve\":\"secp256k1\",\"public_key\":\"" PUB "\",\"created\":\"now\"}",
	        ADY_E_RECORD, "record.created");
	refused("a", HEAD "\"curve\":\"secp256k1\",\"public_key\":\"" PUB "\",\"data_key\":1}",
	        ADY_E_RECORD, "record.data_key");
}

CASE(names_of_secrets_are_taken_out_of_arns)
{
	static const struct {
		const char *id, *name;
	} all[] = {
	    {"alice", "alice"},
	    {"team/alice-abcdef", "team/alice-abcdef"},
	    {"arn:aws:secretsmanager:eu-west-1:111122223333:secret:team/alice-AbCdEf",
	     "team/alice"},
	    {"arn:aws:secretsmanager:eu-west-1:111122223333:secret:alice", "alice"},
	    {"arn:x", "arn:x"},
	};
	char out[64];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		CHECK(ady_entry_secret_name(out, sizeof out, ady_bytes_str(all[i].id)));
		CHECK_STR(out, all[i].name);
	}
	CHECK(!ady_entry_secret_name(out, 4, ady_bytes_str("long")));
	CHECK(!ady_entry_secret_name(out, sizeof out, ady_bytes("a\0b", 3)));
}

CASE(labels_are_printable)
{
	char text[130];

	memset(text, 'x', sizeof text);
	CHECK(ady_entry_is_label(ady_bytes_str("")));
	CHECK(ady_entry_is_label(ady_bytes_str("hot wallet \xc3\xbc")));
	CHECK(ady_entry_is_label(ady_bytes(text, 127)));
	CHECK(!ady_entry_is_label(ady_bytes(text, 128)));
	CHECK(!ady_entry_is_label(ady_bytes_str("a\nb")));
	CHECK(!ady_entry_is_label(ady_bytes_str("a\x7f")));
	CHECK(!ady_entry_is_label(ady_bytes_str("\xff")));
}

int main(void)
{
	RUN(records_are_read);
	RUN(keys_of_other_curves_have_no_address);
	RUN(each_fault_is_named);
	RUN(names_of_secrets_are_taken_out_of_arns);
	RUN(labels_are_printable);
	return test_end();
}
