/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of a new key on the command line, whether the enclave makes it or takes it in. */
#ifndef ADY_CLI_KEY_OPTIONS_H
#define ADY_CLI_KEY_OPTIONS_H

#include <jansson.h>
#include <stdint.h>

#include "cli/gateway.h"
#include "cli/key.h"

struct ady_key_options {
	const char *id, *tenant, *curve, *policy, *label, *backup;
	struct ady_values chains, callers;
	struct ady_record checked;  /* what chains and callers are */
	struct ady_dyn policy_text; /* the policy as it stands in its file */
	bool allow_digest, allow_unprotected, allow_commitment;
};

/* The options of a command that names a new key or wallet k, but for the curve. */
#define ADY_KEY_RIGHTS(k)                                                                          \
	{"tenant", "NAME", "whose key it is (default)", .text = &(k).tenant},                      \
	    {"label", "TEXT", "a label, by which it is found", .text = &(k).label},                \
	    {"backup-key", "HEX", "let it be backed up to this key (adyton backup keygen)",        \
	     .text = &(k).backup},                                                                 \
	    {"chain", "ID", "let it sign for this chain (repeatable); else any",                   \
	     .values = &(k).chains},                                                               \
	    {"policy", "FILE", "what it may sign (doc/policy.md); else anything",                  \
	     .text = &(k).policy},                                                                 \
	    {"caller", "KEY", "whose stamp a request needs (repeatable); else none",               \
	     .values = &(k).callers},                                                              \
	    {"allow-digest", NULL, "let it sign any 32 bytes, unseen", .flag = &(k).allow_digest}, \
	    {"allow-commitment", NULL, "let it sign commitments of Commit-Boost",                  \
	     .flag = &(k).allow_commitment},                                                       \
	{                                                                                          \
		"allow-unprotected", NULL, "let it sign legacy transactions without chain id",     \
		    .flag = &(k).allow_unprotected                                                 \
	}

/* The options of a command that names a new key k. */
#define ADY_KEY_OPTIONS(k)                                                                \
	{"curve", "NAME", "secp256k1 (usual), ed25519 or bls12-381", .text = &(k).curve}, \
	    ADY_KEY_RIGHTS(k)

/* Check them, the one argument (the id) included, and read the policy.
 * Returns: -1 to go on (ady_key_options_free then), else the exit status; what is wrong was said.
 */
int ady_key_options_check(const struct ady_command *self, struct ady_key_options *k,
                          const struct ady_values *rest);

/* Append them as the JSON object that the enclave reads: id, allow, chains, callers, policy. */
void ady_key_options_put(struct ady_dyn *out, const struct ady_key_options *k);

/* The label, if there is one, as a member of what is sent to a gateway. */
void ady_key_options_label(json_t *body, const struct ady_key_options *k);

/* Free the policy. */
void ady_key_options_free(struct ady_key_options *k);

/* Post request to /v1/keys, and print what the gateway answers to the new key k: what ("created"),
 * its id, address if it has one, public key and tenant, or with json the answer. doing: for the
 * refusal ("make a wallet"). Returns the exit status. */
int ady_key_post(const struct ady_key_options *k, const struct ady_gateway *gateway,
                 const struct ady_dyn *request, int timeout_ms, const char *what, const char *doing,
                 bool json);

/* The same with the request as an object. */
int ady_key_post_object(const struct ady_key_options *k, const struct ady_gateway *gateway,
                        const json_t *request, int timeout_ms, const char *what, const char *doing,
                        bool json);

/* The same with the answer that came already. */
int ady_key_report(const struct ady_key_options *k, const char *what,
                   const struct ady_gateway_reply *reply, bool json);

/* How many of the n keys from number first on the gateway has from the first of them on: those of a
 * part are stored in their order. Returns -1 with *there, else the exit status; what is wrong was
 * said. */
int ady_key_there(const struct ady_gateway *gateway, const char *id, uint64_t first, uint64_t n,
                  int timeout_ms, uint64_t *there);

/* Append ,"label":"..", if there is one (not NULL). */
void ady_key_put_label(struct ady_dyn *out, const char *label);

#endif
