/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole gateway between fakes (fakes.h): a fake enclave that signs nothing, a fake AWS. */
#ifndef ADY_TEST_WORLD_H
#define ADY_TEST_WORLD_H

#include "fakes.h"
#include "gateway/gateway.h"

struct world {
	struct fake_aws aws;
	struct fake_enclave enclave;
	struct ady_gateway_config config;
	struct ady_gateway *gateway;
	unsigned port;
};

/* store and more: members of the configuration. */
FAKE void start(struct world *w, const char *store, const char *more)
{
	struct ady_dyn ready = {0};
	struct ady_fault f = {0};
	char text[2048];
	const char *colon;

	snprintf(text, sizeof text,
	         "{\"listen\":[\"tcp:127.0.0.1:0\"],\"enclave\":\"unix:%s\",\"threads\":2,"
	         "\"aws\":{\"region\":\"us-east-1\",\"endpoint\":\"%s\",\"imds\":\"%s\","
	         "\"credentials\":\"imds\"},\"store\":{%s}%s}",
	         w->enclave.at.path, w->aws.url, w->aws.url, store, more);
	if (!CHECK_ERR(ady_gateway_config_parse(&w->config, ady_bytes_str(text), &f), ADY_OK))
		fprintf(stderr, "%s %s\n", f.where, f.detail);
	CHECK_ERR(ady_gateway_open(&w->gateway, &w->config, &f), ADY_OK);
	ady_gateway_put_ready(w->gateway, &ready);
	colon = strrchr(ady_dyn_cstr(&ready), ':');
	w->port = (unsigned)strtoul(colon + 1, NULL, 10);
	ady_dyn_free(&ready);
	/* both threads' links, with credentials */
	WAIT_FOR(atomic_load(&w->enclave.credentials) >= 2 &&
	         atomic_load(&w->enclave.statuses) >= 2);
}

FAKE void open_world(struct world *w, const char *store, const char *more)
{
	fake_aws_start(&w->aws);
	fake_enclave_start(&w->enclave);
	start(w, store, more);
}

FAKE void close_world(struct world *w)
{
	ady_gateway_close(w->gateway);
	ady_gateway_config_clear(&w->config);
	fake_enclave_stop(&w->enclave);
	fake_aws_stop(&w->aws);
}

#endif
