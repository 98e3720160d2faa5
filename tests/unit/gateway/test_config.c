/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config.h"

#include "test.h"

static const char minimal[] = "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"vsock:16:5000\","
                              "\"aws\":{\"region\":\"eu-west-1\"}}";

CASE(a_minimal_file_has_defaults)
{
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(minimal), &f), ADY_OK);
	CHECK_INT(c.listen_n, 1);
	CHECK_INT(c.listen[0].kind, ADY_TCP);
	CHECK_INT(c.enclaves_n, 1);
	CHECK_INT(c.enclaves[0].kind, ADY_VSOCK);
	CHECK_INT(c.enclaves[0].cid, 16);
	CHECK(!c.relay.on && !c.tls.cert && !c.access_log && !c.plain_anywhere);
	CHECK_STR(c.aws.region, "eu-west-1");
	CHECK(!c.aws.endpoint && !c.aws.role_arn);
	CHECK_STR(c.aws.imds, "http://169.254.169.254");
	CHECK_INT(c.aws.source, ADY_FROM_AUTO);
	CHECK_STR(c.store.prefix, "");
	CHECK_INT(c.store.cache_ms, 30000);
	CHECK_INT(c.request_timeout_ms, 10000);
	CHECK(c.threads >= 1);
	ady_gateway_config_clear(&c);
}

CASE(everything_can_be_set)
{
	static const char text[] =
	    "{\"listen\":[\"tcp:0.0.0.0:443\",\"unix:/run/a\"],"
	    "\"tls\":{\"cert\":\"c\",\"key\":\"k\",\"client_ca\":\"a\"},"
	    "\"enclave\":[\"hybrid:/run/"
	    "v:5000\",\"vsock:17:5000\"],\"threads\":3,\"request_timeout_ms\":500,"
	    "\"access_log\":true,\"relay\":{\"listen\":\"vsock:any:8000\",\"allow\":"
	    "[{\"host\":\"kms.eu-west-1.amazonaws.com\"},{\"host\":\"localhost\",\"port\":4566}]},"
	    "\"aws\":{\"region\":\"r\",\"endpoint\":\"https://localhost:4566\",\"ca_file\":\"ca\","
	    "\"imds\":\"http://127.0.0.1:1\",\"credentials\":\"imds\",\"assume_role\":"
	    "{\"role_arn\":\"arn:x\",\"session_policy\":\"{}\",\"seconds\":1200}},"
	    "\"store\":{\"prefix\":\"a/b/\",\"cache_ms\":0}}";
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(text), &f), ADY_OK);
	CHECK_INT(c.listen_n, 2);
	CHECK_STR(c.tls.client_ca, "a");
	CHECK_INT(c.enclaves_n, 2);
	CHECK_INT(c.enclaves[1].cid, 17);
	CHECK_INT(c.relay.allow_n, 2);
	CHECK_INT(c.relay.allow[0].port, 443);
	CHECK_INT(c.relay.allow[1].port, 4566);
	CHECK_INT(c.aws.source, ADY_FROM_IMDS);
	CHECK_STR(c.aws.role_arn, "arn:x");
	CHECK_INT(c.aws.role_seconds, 1200);
	CHECK_INT(c.threads, 3);
	CHECK(c.access_log);
	ady_gateway_config_clear(&c);
}

/* The minimal file with one member replaced or added. */
static void refused(const char *member, const char *value, const char *where, const char *detail)
{
	struct ady_gateway_config c;
	struct ady_fault f = {0};
	json_t *root = json_loads(minimal, 0, NULL), *v = json_loads(value, JSON_DECODE_ANY, NULL);
	char *text;

	CHECK(v != NULL);
	json_object_set_new(root, member, v);
	text = json_dumps(root, 0);
	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(text), &f), ADY_E_CONFIG);
	CHECK_STR(f.where, where);
	if (!CHECK(strstr(f.detail, detail) != NULL))
		fprintf(stderr, "%s: %s\n", value, f.detail);
	CHECK(c.root == NULL);
	free(text);
	json_decref(root);
}

CASE(each_fault_is_named_with_its_path)
{
	refused("lisen", "1", "lisen", "not known");
	refused("listen", "[]", "listen", "no list");
	refused("listen", "\"tcp:127.0.0.1:1\"", "listen", "no list");
	refused("listen", "[1]", "listen[0]", "no string");
	refused("listen", "[\"tcp:127.0.0.1:1\",\"vsock:any:1\"]", "listen[1]", "neither");
	refused("listen", "[\"tcp:0.0.0.0:1\"]", "listen[0]", "beyond loopback");
	refused("listen", "[\"tcp:[::]:1\"]", "listen[0]", "");
	refused("listen", "[\"bogus\"]", "listen[0]", "");
	refused("enclave", "\"\"", "enclave", "");
	refused("enclave", "5", "enclave", "no string");
	refused("enclave", "[]", "enclave", "1 to 8");
	refused("enclave", "[\"vsock:16:5000\",5]", "enclave[1]", "no string");
	refused("enclave", "[\"vsock:16:5000\",\"x:y\"]", "enclave[1]", "");
	refused("enclave", "[1,2,3,4,5,6,7,8,9]", "enclave", "1 to 8");
	refused("enclave", "\"x:y\"", "enclave", "");
	refused("tls", "{\"cert\":\"c\"}", "tls.key", "required");
	refused("tls", "{\"cert\":\"c\",\"key\":\"k\",\"ca\":\"a\"}", "tls.ca", "not known");
	refused("tls", "[]", "tls", "no object");
	refused("relay", "{\"allow\":[]}", "relay.listen", "required");
	refused("relay", "{\"listen\":\"unix:/x\",\"allow\":[]}", "relay.allow", "no list");
	refused("relay", "{\"listen\":\"tcp:127.0.0.1:1\",\"allow\":[{\"host\":\"a\"}]}",
	        "relay.listen", "anyone");
	refused("relay", "{\"listen\":\"unix:/x\",\"allow\":[{\"host\":\"A\"}]}",
	        "relay.allow[0].host", "lower case");
	refused("relay", "{\"listen\":\"unix:/x\",\"allow\":[{\"host\":\"a\",\"port\":0}]}",
	        "relay.allow[0].port", "between");
	refused("relay", "{\"listen\":\"unix:/x\",\"allow\":[{\"host\":\"a\",\"x\":0}]}",
	        "relay.allow[0].x", "not known");
	refused("aws", "{}", "aws.region", "required");
	refused("aws", "{\"region\":\"r\",\"endpoint\":\"http://example.com\"}", "aws.endpoint",
	        "no https");
	refused("aws", "{\"region\":\"r\",\"endpoint\":\"http://localhost.example.com\"}",
	        "aws.endpoint", "no https");
	refused("aws", "{\"region\":\"r\",\"imds\":\"ftp://x\"}", "aws.imds", "no http");
	refused("aws", "{\"region\":\"r\",\"credentials\":\"none\"}", "aws.credentials", "none of");
	refused("aws", "{\"region\":\"r\",\"assume_role\":{}}", "aws.assume_role.role_arn",
	        "required");
	refused("aws", "{\"region\":\"r\",\"assume_role\":{\"role_arn\":\"a\",\"seconds\":1}}",
	        "aws.assume_role.seconds", "between");
	refused("store", "{\"prefix\":\"a b\"}", "store.prefix", "no part");
	refused("store", "{\"cache_ms\":-1}", "store.cache_ms", "between");
	refused("store", "{\"cache\":1}", "store.cache", "not known");
	refused("store", "{\"sqlite\":\"\"}", "store.sqlite", "empty");
	refused("store", "{\"folder\":\"\"}", "store.folder", "empty");
	refused("store", "{\"sqlite\":\"a\",\"folder\":\"b\"}", "store.sqlite", "choose one");
	refused("store", "{\"sqlite\":\"a\",\"postgres\":\"\"}", "store.sqlite", "choose one");
	refused("store", "{\"cache_mib\":0}", "store.cache_mib", "between");
	refused("store", "{\"index_ms\":1}", "store.index_ms", "between");
	refused("store", "{\"connections\":65}", "store.connections", "between");
	refused("threads", "1.5", "threads", "no integer");
	refused("threads", "65", "threads", "between");
	refused("request_timeout_ms", "0", "request_timeout_ms", "between");
	refused("access_log", "1", "access_log", "neither");
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

CASE(faults_of_callers_are_named_with_their_path)
{
	refused("callers", "[]", "callers", "no list");
	refused("callers", "{}", "callers", "no list");
	refused("callers", "[1]", "callers[0]", "no object");
	refused("callers", "[{\"token_sha256\":\"" HASH "\"}]", "callers[0].tenant", "required");
	refused("callers", "[{\"tenant\":\"a b\",\"token_sha256\":\"" HASH "\"}]",
	        "callers[0].tenant", "no name");
	refused("callers", "[{\"tenant\":\"a\"}]", "callers[0].token_sha256", "missing");
	refused("callers", "[{\"tenant\":\"a\",\"token_sha256\":\"00\"}]",
	        "callers[0].token_sha256", "32 bytes");
	refused("callers", "[{\"tenant\":\"a\",\"token\":\"secret\"}]", "callers[0].token",
	        "not known");
	refused("callers", "[{\"tenant\":\"a\",\"certificate_sha256\":\"" HASH "\"}]",
	        "callers[0].certificate_sha256", "client_ca");
	refused("callers", "[{\"tenant\":\"a\",\"subject\":\"CN=x\"}]", "callers[0].subject",
	        "client_ca");
	refused("callers", "[{\"admin\":true,\"manage\":false,\"token_sha256\":\"" HASH "\"}]",
	        "callers[0].manage", "administrator");
	refused("callers",
	        "[{\"tenant\":\"a\",\"token_sha256\":\"" HASH "\"},"
	        "{\"tenant\":\"b\",\"token_sha256\":\"" HASH "\"}]",
	        "callers[1]", "twice");
}

CASE(a_high_watermark_has_both_parts)
{
	static const char text[] =
	    "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"vsock:16:5000\","
	    "\"aws\":{\"region\":\"r\"},\"validators\":{\"states\":\"memory\","
	    "\"high_watermark\":{\"slot\":64,\"epoch\":2}}}";
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(text), &f), ADY_OK);
	CHECK(c.validators.has_high);
	CHECK_INT(c.validators.until_slot, 64);
	CHECK_INT(c.validators.until_epoch, 2);
	CHECK_STR(c.states, "memory");
	ady_gateway_config_clear(&c);
	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(minimal), &f), ADY_OK);
	CHECK(!c.validators.has_high && c.validators.until_slot == UINT64_MAX &&
	      c.validators.until_epoch == UINT64_MAX);
	ady_gateway_config_clear(&c);
}

static void states_of(const char *more, const char *want)
{
	struct ady_gateway_config c;
	struct ady_fault f;
	char text[512];

	snprintf(text, sizeof text,
	         "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"vsock:16:5000\","
	         "\"aws\":{\"region\":\"r\"}%s}",
	         more);
	if (!CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(text), &f), ADY_OK))
		return;
	if (want)
		CHECK_STR(c.states, want);
	else
		CHECK(!c.states);
	CHECK_INT(c.validators.on, strstr(more, "validators") != NULL);
	ady_gateway_config_clear(&c);
}

CASE(states_are_beside_the_records_where_nothing_is_said)
{
	static const char two[] =
	    "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"vsock:16:5000\","
	    "\"aws\":{\"region\":\"r\"},\"validators\":{\"states\":\"memory\"},"
	    "\"states\":\"sqlite:/s.db\"}";
	struct ady_gateway_config c;
	struct ady_fault f;

	states_of("", NULL); /* Secrets Manager has no place for them */
	states_of(",\"store\":{\"folder\":\"/f\"}", NULL);
	states_of(",\"store\":{\"sqlite\":\"/k.db\"}", "sqlite:/k.db");
	states_of(",\"store\":{\"postgres\":\"host=h\"}", "postgres:host=h");
	states_of(",\"store\":{\"sqlite\":\"/k.db\"},\"states\":\"memory\"", "memory");
	states_of(",\"states\":\"sqlite:/s.db\"", "sqlite:/s.db");
	states_of(",\"store\":{\"sqlite\":\"/k.db\"},\"validators\":{\"states\":\"memory\"}",
	          "memory");
	states_of(",\"states\":\"memory\",\"validators\":{\"states\":\"memory\"}", "memory");
	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(two), &f), ADY_E_CONFIG);
	CHECK_STR(f.where, "states");
	CHECK_STR(f.detail, "is not validators.states");
	refused("states", "1", "states", "");
}

CASE(faults_of_validators_are_named_with_their_path)
{
	refused("validators", "[]", "validators", "no object");
	refused("validators", "{}", "validators.states", "required");
	refused("validators", "{\"states\":\"memory\",\"x\":1}", "validators.x", "not known");
	refused("validators", "{\"states\":\"memory\",\"high_watermark\":{\"slot\":1}}",
	        "validators.high_watermark.epoch", "required");
	refused("validators", "{\"states\":\"memory\",\"high_watermark\":{\"epoch\":1}}",
	        "validators.high_watermark.slot", "required");
	refused("validators",
	        "{\"states\":\"memory\",\"high_watermark\":{\"epoch\":1,\"slot\":-1}}",
	        "validators.high_watermark.slot", "between");
}

#define PCR                                                                \
	"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f" \
	"202122232425262728292a2b2c2d2e2f"

CASE(the_enclave_that_is_sealed_to)
{
	static const char text[] =
	    "{\"listen\":[\"unix:/a\"],\"enclave\":\"unix:/e\",\"aws\":{\"region\":\"r\"},"
	    "\"attestation\":{\"pcr0\":[\"" PCR "\",\"" PCR "\"],\"pcr8\":[\"" PCR
	    "\"],\"root\":\"r.pem\"}}";
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(text), &f), ADY_OK);
	CHECK(c.attestation.on && c.attestation.pcr0_n == 2 && c.attestation.pcr8_n == 1);
	CHECK_INT(c.attestation.pcr0[1][47], 0x2f);
	CHECK_STR(c.attestation.root, "r.pem");
	ady_gateway_config_clear(&c);
	refused("attestation", "[]", "attestation", "no object");
	refused("attestation", "{}", "attestation.pcr0", "which enclave");
	refused("attestation", "{\"root\":\"x\"}", "attestation.pcr0", "which enclave");
	refused("attestation", "{\"pcr1\":[]}", "attestation.pcr1", "not known");
	refused("attestation", "{\"pcr0\":[]}", "attestation.pcr0", "1 to 8");
	refused("attestation", "{\"pcr0\":\"" PCR "\"}", "attestation.pcr0", "1 to 8");
	refused("attestation", "{\"pcr0\":[\"00\"]}", "attestation.pcr0", "96 hex digits");
	refused("attestation", "{\"pcr8\":[\"" PCR "00\"]}", "attestation.pcr8", "96 hex digits");
	refused("attestation", "{\"pcr8\":[7]}", "attestation.pcr8", "96 hex digits");
}

/* The minimal file with states and these members of keymanager. */
static void no_keymanager(const char *members, const char *where, const char *words)
{
	char text[1024];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_gateway_config c;
	struct ady_fault f;

	ady_buf_printf(&b, "%.*s,\"validators\":{\"states\":\"memory\"},\"keymanager\":%s}",
	               (int)sizeof minimal - 2, minimal, members);
	CHECK_ERR(ady_gateway_config_parse(&c, ady_buf_bytes(&b), &f), ADY_E_CONFIG);
	CHECK_STR(f.where, where);
	CHECK(strstr(f.detail, words) != NULL);
}

CASE(faults_of_keymanager_are_named_with_their_path)
{
	refused("keymanager", "{\"token_file\":\"t\"}", "keymanager", "needs validators.states");
	no_keymanager("[]", "keymanager", "no object");
	no_keymanager("{}", "keymanager.token_file", "required");
	no_keymanager("{\"token_file\":1}", "keymanager.token_file", "no path");
	no_keymanager("{\"token_file\":\"\"}", "keymanager.token_file", "no path");
	no_keymanager("{\"token_files\":[]}", "keymanager.token_files", "no object");
	no_keymanager("{\"token_files\":{}}", "keymanager.token_file", "required");
	no_keymanager("{\"token_files\":{\"\":\"x\"}}", "keymanager.token_files.", "no name");
	no_keymanager("{\"token_file\":\"t\",\"token_files\":{\"default\":\"x\"}}",
	              "keymanager.token_files.default", "by token_file");
	no_keymanager("{\"token_file\":\"t\",\"x\":1}", "keymanager.x", "not known");
	no_keymanager("{\"token_file\":\"t\",\"fee_recipient\":\"0x12\"}",
	              "keymanager.fee_recipient", "no address");
	no_keymanager("{\"token_file\":\"t\",\"gas_limit\":0}", "keymanager.gas_limit", "between");
	no_keymanager("{\"token_file\":\"t\",\"graffiti\":\"123456789012345678901234567890123\"}",
	              "keymanager.graffiti", "32 bytes");
}

CASE(faults_of_the_beacon_node_are_named)
{
	refused("validators", "{\"states\":\"memory\",\"beacon\":\"ws://x\"}", "validators.beacon",
	        "http");
	refused("validators", "{\"states\":\"memory\",\"beacon\":\"x\"}", "validators.beacon", "");
	refused("validators", "{\"states\":\"memory\",\"beacon\":\"http://x/?a=b\"}",
	        "validators.beacon", "query");
	refused("validators",
	        "{\"states\":\"memory\",\"beacon\":\"http://"
	        "x\",\"beacon_authorization\":\"a\\nb\"}",
	        "validators.beacon_authorization", "character");
}

#define MODULE(id, signing) \
	"{\"id\":\"" id "\",\"secret_file\":\"s\",\"signing_id\":\"0x" signing "\"}"
#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"

/* The minimal file with validators and these members of commit_boost. */
static void no_commit_boost(const char *members, const char *where, const char *words)
{
	char text[2048];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_gateway_config c;
	struct ady_fault f;

	ady_buf_printf(&b, "%.*s,\"validators\":{\"states\":\"memory\"},\"commit_boost\":%s}",
	               (int)sizeof minimal - 2, minimal, members);
	CHECK_ERR(ady_gateway_config_parse(&c, ady_buf_bytes(&b), &f), ADY_E_CONFIG);
	CHECK_STR(f.where, where);
	CHECK(strstr(f.detail, words) != NULL);
}

CASE(faults_of_commit_boost_are_named_with_their_path)
{
	static const char m[] = "commit_boost.modules[0]";
	char where[64];

	refused("commit_boost", "{\"chain_id\":1,\"modules\":[" MODULE("A", ID_1) "]}",
	        "commit_boost", "needs validators");
	no_commit_boost("[]", "commit_boost", "no object");
	no_commit_boost("{}", "commit_boost.chain_id", "required");
	no_commit_boost("{\"chain_id\":0}", "commit_boost.chain_id", "between");
	no_commit_boost("{\"chain_id\":1}", "commit_boost.modules", "no list");
	no_commit_boost("{\"chain_id\":1,\"x\":1}", "commit_boost.x", "not known");
	snprintf(where, sizeof where, "%s.id", m);
	no_commit_boost("{\"chain_id\":1,\"modules\":[" MODULE("a/b", ID_1) "]}", where, "no name");
	no_commit_boost(
	    "{\"chain_id\":1,\"modules\":[" MODULE("A", ID_1) "," MODULE("A", ID_2) "]}",
	    "commit_boost.modules[1].id", "another module");
	no_commit_boost(
	    "{\"chain_id\":1,\"modules\":[" MODULE("A", ID_1) "," MODULE("B", ID_1) "]}",
	    "commit_boost.modules[1].signing_id", "another module");
	snprintf(where, sizeof where, "%s.signing_id", m);
	no_commit_boost("{\"chain_id\":1,\"modules\":[" MODULE("A", "12") "]}", where, "64 hex");
	snprintf(where, sizeof where, "%s.keys", m);
	no_commit_boost("{\"chain_id\":1,\"modules\":[{\"id\":\"A\",\"secret_file\":\"s\","
	                "\"signing_id\":\"0x" ID_1 "\",\"keys\":[\"0x12\"]}]}",
	                where, "no public key");
}

CASE(faults_of_quotas_are_named_with_their_path)
{
	refused("quotas", "[]", "quotas", "no object");
	refused("quotas", "{\"a\":{}}", "quotas.a", "tenant of no caller");
	refused("quotas", "{\"*\":{\"rate\":0}}", "quotas.*.rate", "between");
	refused("quotas", "{\"*\":{\"burst\":1}}", "quotas.*.burst", "without rate");
	refused("quotas", "{\"*\":{\"weight\":1001}}", "quotas.*.weight", "between");
	refused("quotas", "{\"*\":{\"keys\":0}}", "quotas.*.keys", "between");
	refused("quotas", "{\"*\":{\"x\":1}}", "quotas.*.x", "not known");
	refused("quotas", "{\"*\":1}", "quotas.*", "no object");
}

CASE(what_is_not_strict_json_is_refused)
{
	static const char *const bad[] = {"", "[]", "{\"listen\":[],\"listen\":[]}", "{}x", "{"};
	struct ady_gateway_config c;
	struct ady_fault f;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(bad[i]), &f), ADY_E_CONFIG);
	CHECK_ERR(ady_gateway_config_read(&c, "/nowhere/x.json", &f), ADY_E_CONFIG);
	CHECK(strstr(f.detail, "/nowhere/x.json") != NULL);
}

CASE(plain_http_beyond_loopback_must_be_asked_for)
{
	static const char text[] = "{\"listen\":[\"tcp:0.0.0.0:80\"],\"enclave\":\"unix:/e\","
	                           "\"aws\":{\"region\":\"r\"},\"plain_anywhere\":true}";
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(ady_gateway_config_parse(&c, ady_bytes_str(text), &f), ADY_OK);
	ady_gateway_config_clear(&c);
}

int main(void)
{
	RUN(a_minimal_file_has_defaults);
	RUN(everything_can_be_set);
	RUN(each_fault_is_named_with_its_path);
	RUN(faults_of_callers_are_named_with_their_path);
	RUN(a_high_watermark_has_both_parts);
	RUN(states_are_beside_the_records_where_nothing_is_said);
	RUN(faults_of_validators_are_named_with_their_path);
	RUN(the_enclave_that_is_sealed_to);
	RUN(faults_of_keymanager_are_named_with_their_path);
	RUN(faults_of_the_beacon_node_are_named);
	RUN(faults_of_commit_boost_are_named_with_their_path);
	RUN(faults_of_quotas_are_named_with_their_path);
	RUN(what_is_not_strict_json_is_refused);
	RUN(plain_http_beyond_loopback_must_be_asked_for);
	return test_end();
}
