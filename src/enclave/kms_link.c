/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/kms_link.h"

#include "enclave/relay.h"

void ady_kms_link_init(struct ady_kms_link *link, const struct ady_tls_client *client,
                       const struct ady_enclave_config *config)
{
	*link = (struct ady_kms_link){.client = client, .config = config, .tls = {.fd = -1}};
}

void ady_kms_link_close(struct ady_kms_link *link)
{
	ady_tls_close(&link->tls);
}

static enum ady_err open_link(struct ady_kms_link *link, int64_t deadline_ms, struct ady_fault *f)
{
	const struct ady_config_kms *kms = &link->config->kms;
	enum ady_err err;
	int fd;

	err = ady_relay_dial(&fd, &link->config->relay, kms->host, (uint16_t)kms->port, deadline_ms,
	                     f);
	if (err != ADY_OK)
		return err;
	return ady_tls_connect(&link->tls, link->client, fd, kms->host, deadline_ms, f);
}

/* One request over an open connection, which is closed unless it may be used again. */
static enum ady_err exchange(struct ady_kms_link *link, struct ady_bytes request,
                             struct ady_http_reply *reply, int64_t deadline_ms, struct ady_fault *f)
{
	enum ady_err err = ady_http_exchange(&link->tls, request, reply, deadline_ms, f);

	if (err != ADY_OK || !reply->keep_alive)
		ady_kms_link_close(link);
	return err;
}

/* What the network did is "unavailable"; what the peer did keeps its name. */
static enum ady_err name_it(enum ady_err err, struct ady_fault *f)
{
	if (err != ADY_E_IO && err != ADY_E_PROTOCOL)
		return err;
	f->err = ADY_E_KMS_UNAVAILABLE;
	return ADY_E_KMS_UNAVAILABLE;
}

enum ady_err ady_kms_link_call(struct ady_kms_link *link, struct ady_bytes request,
                               struct ady_http_reply *reply, int64_t deadline_ms,
                               struct ady_fault *f)
{
	enum ady_err err;

	if (link->tls.fd >= 0 && !ady_tls_fresh(&link->tls))
		ady_kms_link_close(link);
	if (link->tls.fd >= 0) {
		err = exchange(link, request, reply, deadline_ms, f);
		if (err != ADY_E_IO || reply->received > 0)
			return name_it(err, f);
	}
	if ((err = open_link(link, deadline_ms, f)) == ADY_OK)
		err = exchange(link, request, reply, deadline_ms, f);
	return name_it(err, f);
}
