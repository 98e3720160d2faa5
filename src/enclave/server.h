/* SPDX-License-Identifier: Apache-2.0
 *
 * The enclave's side of the wire (doc/protocol.md): lanes, each a thread with a loop, share the
 * gateway's connections; frames are dispatched by type; answers go out in any order. A server lives
 * as long as the process. */
#ifndef ADY_ENCLAVE_SERVER_H
#define ADY_ENCLAVE_SERVER_H

#include "enclave/keeper.h"
#include "enclave/signing.h"
#include "enclave/validators.h"

enum { ADY_SERVER_CONNECTIONS_MAX = 256 };

struct ady_server;

struct ady_server_config {
	const struct ady_enclave_config *config;
	const char *module_id;
	size_t lanes; /* 1..64 */
	size_t depth; /* requests that may wait for KMS */
	int listener; /* non-blocking, listening; taken over */
	struct ady_credentials *credentials;
	struct ady_recipient *recipient;
	struct ady_status *status;
	const struct ady_time_watch *watch; /* NULL: nobody watches the clock */
	struct ady_keeper *keeper;
	struct ady_keyroom *room;
	struct ady_signing *signing;
	struct ady_validators *validators;
};

/* Start the lanes; nobody is accepted yet. Returns ADY_E_MEMORY or ADY_E_IO. */
enum ady_err ady_server_open(struct ady_server **s, const struct ady_server_config *config);

/* Begin to accept connections. */
void ady_server_accept(struct ady_server *s);

#endif
