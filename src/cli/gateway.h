/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls to a gateway's HTTP interface. */
#ifndef ADY_CLI_GATEWAY_H
#define ADY_CLI_GATEWAY_H

#include "base/bytes.h"

/* Where the gateway is: options of the command line, or NULL. */
struct ady_gateway {
	const char *url, *ca, *token_file, *cert, *cert_key;
	const char *stamp; /* the X-Adyton-Stamp header, or NULL */
	bool quiet;        /* no word while it is waited for: of one thread among several */
	bool wants_proof;  /* keep the proof of the answer */
	bool unverified;   /* take any certificate: only to see whether our own child is ready */
};

/* What the help says of the two. */
#define ADY_GATEWAY_URL_HELP "the gateway; else $ADYTON_GATEWAY, else http://127.0.0.1:8080"
#define ADY_GATEWAY_CA_HELP "certificates to trust (PEM); else $ADYTON_CA, else the system's"

#define ADY_GATEWAY_TOKEN_HELP "file with the bearer token; else $ADYTON_TOKEN"
#define ADY_GATEWAY_CERT_HELP "client certificate (PEM); else $ADYTON_CERT"
#define ADY_GATEWAY_KEY_HELP "its private key (PEM); else $ADYTON_CERT_KEY"

/* The options of a command that talks to a gateway g. */
#define ADY_GATEWAY_OPTIONS(g)                                                       \
	{"gateway", "URL", ADY_GATEWAY_URL_HELP, .text = &(g).url},                  \
	    {"ca", "FILE", ADY_GATEWAY_CA_HELP, .text = &(g).ca},                    \
	    {"token-file", "FILE", ADY_GATEWAY_TOKEN_HELP, .text = &(g).token_file}, \
	    {"cert", "FILE", ADY_GATEWAY_CERT_HELP, .text = &(g).cert},              \
	{                                                                            \
		"cert-key", "FILE", ADY_GATEWAY_KEY_HELP, .text = &(g).cert_key      \
	}

struct ady_gateway_reply {
	int status;
	char type[64];        /* media type, without parameters */
	struct ady_dyn proof; /* the X-Adyton-Proof header, or empty */
	struct ady_dyn body;
};

/* One request: body NULL is a GET, else a POST of JSON. path begins with "/".
 * Out:     reply; ady_dyn_free(&reply->body) in every case, and of whoever set
 *          gateway->wants_proof ady_dyn_free(&reply->proof).
 * Returns: ADY_OK with any HTTP status, or ADY_E_STORE when there was no answer. */
enum ady_err ady_gateway_call(const struct ady_gateway *gateway, const char *path,
                              const struct ady_dyn *body, int timeout_ms,
                              struct ady_gateway_reply *reply, struct ady_fault *f);

/* The same with any method; body NULL: none. */
enum ady_err ady_gateway_request(const struct ady_gateway *gateway, const char *method,
                                 const char *path, const struct ady_dyn *body, int timeout_ms,
                                 struct ady_gateway_reply *reply, struct ady_fault *f);

/* Say on standard error what a problem document (RFC 9457) in reply says, and what to do next.
 * Returns the exit status that fits. */
int ady_gateway_refusal(const struct ady_gateway_reply *reply);

/* What a problem document (RFC 9457) in reply says, as a fault. Returns its error: ADY_E_STORE when
 * the reply holds no such document. */
enum ady_err ady_gateway_fault(const struct ady_gateway_reply *reply, struct ady_fault *f);

/* Append id with all but unreserved characters escaped (RFC 3986 section 2.3). */
void ady_gateway_put_id(struct ady_dyn *path, const char *id);

#endif
