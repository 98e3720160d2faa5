/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/config.h"
#include "test.h"

#define REST                                                                                \
	"\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:/tmp/e\",\"aws\":{\"region\":" \
	"\"us-east-1\"}"

static enum ady_err parse(struct ady_gateway_config *c, const char *members, struct ady_fault *f)
{
	static char text[4096];

	snprintf(text, sizeof text, "{" REST ",%s}", members);
	*f = (struct ady_fault){0};
	return ady_gateway_config_parse(c, ady_bytes_str(text), f);
}

CASE(nodes_are_read)
{
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(parse(&c,
	                "\"nodes\":[{\"chain\":1,\"url\":\"https://a.example/key\",\"ws\":"
	                "\"wss://a.example/key\",\"authorization\":\"Bearer x\",\"timeout_ms\":"
	                "500},{\"chain\":1,\"url\":\"http://b:8545\"}]",
	                &f),
	          ADY_OK);
	CHECK_INT(c.nodes_n, 2);
	CHECK_INT(c.default_chain, 1);
	CHECK_STR(c.nodes[0].url.host, "a.example");
	CHECK(c.nodes[0].has_ws && c.nodes[0].ws.tls && !c.nodes[1].has_ws);
	CHECK_INT(c.nodes[0].timeout_ms, 500);
	CHECK_INT(c.nodes[1].timeout_ms, 10000);
	CHECK_INT(c.nodes[1].stall_ms, 60000);
	CHECK_STR(c.nodes[0].authorization, "Bearer x");
	ady_gateway_config_clear(&c);
}

CASE(of_several_chains_one_may_be_the_default)
{
	static const char nodes[] = "\"nodes\":[{\"chain\":1,\"url\":\"http://a\"},{\"chain\":10,"
	                            "\"url\":\"http://b\"}]";
	struct ady_gateway_config c;
	struct ady_fault f;
	char text[300];

	CHECK_ERR(parse(&c, nodes, &f), ADY_OK);
	CHECK_INT(c.default_chain, 0);
	ady_gateway_config_clear(&c);
	snprintf(text, sizeof text,
	         "%s,\"default_chain\":10,\"ipc\":[{\"path\":\"/tmp/x.ipc\","
	         "\"chain\":1}]",
	         nodes);
	CHECK_ERR(parse(&c, text, &f), ADY_OK);
	CHECK_INT(c.default_chain, 10);
	CHECK_INT(c.ipc_n, 1);
	CHECK_INT(c.ipc[0].chain, 1);
	CHECK_STR(c.ipc[0].at.path, "/tmp/x.ipc");
	CHECK(!c.ipc[0].tenant);
	ady_gateway_config_clear(&c);
}

CASE(refusals_name_the_member)
{
	static const struct {
		const char *members, *where, *detail;
	} rows[] = {
	    {"\"nodes\":[]", "nodes", "is no list of 1 to 64 nodes"},
	    {"\"nodes\":[{\"url\":\"http://a\"}]", "nodes[0].chain", "is required"},
	    {"\"nodes\":[{\"chain\":0,\"url\":\"http://a\"}]", "nodes[0].chain",
	     "is not between 1 and 9223372036854775807"},
	    {"\"nodes\":[{\"chain\":1}]", "nodes[0].url", "is required"},
	    {"\"nodes\":[{\"chain\":1,\"url\":\"ws://a\"}]", "nodes[0].url",
	     "does not begin with http:// or https://"},
	    {"\"nodes\":[{\"chain\":1,\"url\":\"http://a\",\"ws\":\"http://a\"}]", "nodes[0].ws",
	     "does not begin with ws:// or wss://"},
	    {"\"nodes\":[{\"chain\":1,\"url\":\"http://u:p@a\"}]", "nodes[0].url",
	     "has user information, which belongs elsewhere"},
	    {"\"nodes\":[{\"chain\":1,\"url\":\"http://a\",\"authorization\":\"x\\r\\ny\"}]",
	     "nodes[0].authorization", "has a character that no field has"},
	    {"\"nodes\":[{\"chain\":1,\"url\":\"http://a\",\"retries\":3}]", "nodes[0].retries",
	     "is not known"},
	    {"\"default_chain\":1", "default_chain", "is not the chain of a node"},
	    {"\"ipc\":[{}]", "ipc[0].path", "is required"},
	    {"\"ipc\":[{\"path\":\"/a\",\"chain\":3}]", "ipc[0].chain",
	     "is not the chain of a node"},
	    {"\"ipc\":[{\"path\":\"/a\",\"tenant\":\"a b\"}]", "ipc[0].tenant",
	     "is not the tenant of a caller"},
	    {"\"ipc\":[{\"path\":\"/a\",\"tenant\":\"a\"}]", "ipc[0].tenant",
	     "is not the tenant of a caller"},
	    {"\"callers\":[{\"tenant\":\"a\",\"token_sha256\":"
	     "\"0000000000000000000000000000000000000000000000000000000000000000\"}],"
	     "\"ipc\":[{\"path\":\"/a\",\"tenant\":\"b\"}]",
	     "ipc[0].tenant", "is not the tenant of a caller"},
	    {"\"callers\":[{\"tenant\":\"a\",\"token_sha256\":"
	     "\"0000000000000000000000000000000000000000000000000000000000000000\"}],"
	     "\"ipc\":[{\"path\":\"/a\"}]",
	     "ipc[0].tenant", "is required where there are callers"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct ady_gateway_config c;
		struct ady_fault f;

		CHECK_ERR(parse(&c, rows[i].members, &f), ADY_E_CONFIG);
		CHECK_STR(f.where, rows[i].where);
		CHECK_STR(f.detail, rows[i].detail);
	}
}

CASE(a_socket_has_the_quota_of_its_tenant)
{
	struct ady_gateway_config c;
	struct ady_fault f;

	CHECK_ERR(parse(&c,
	                "\"callers\":[{\"tenant\":\"a\",\"token_sha256\":"
	                "\"0000000000000000000000000000000000000000000000000000000000000000\"},"
	                "{\"tenant\":\"b\",\"token_sha256\":"
	                "\"1000000000000000000000000000000000000000000000000000000000000000\"}],"
	                "\"ipc\":[{\"path\":\"/a\",\"tenant\":\"b\"}]",
	                &f),
	          ADY_OK);
	CHECK_STR(c.ipc[0].tenant, "b");
	CHECK_INT(c.ipc[0].tenant_index, 1);
	ady_gateway_config_clear(&c);
}

int main(void)
{
	RUN(nodes_are_read);
	RUN(of_several_chains_one_may_be_the_default);
	RUN(a_socket_has_the_quota_of_its_tenant);
	RUN(refusals_name_the_member);
	return test_end();
}
