/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/fault.h"

#include <stdio.h>
#include <string.h>

#include "cli/options.h"

/* What to do next, by stable code. A code that is not here speaks for itself. */
static const struct {
	const char *code, *next;
} advice[] = {
    {"field_missing", "Give the field and try again."},
    {"field_unknown", "Check the spelling; fields are named as in Ethereum's JSON-RPC."},
    {"address_checksum", "Copy the address again: one character is wrong."},
    {"chain_id_zero", "Give the chain with --chain, such as 1 or 11155111."},
    {"fee_inversion", "Raise --max-fee or lower --max-priority-fee."},
    {"from_mismatch", "Another key is stored under this id: check the id, or leave out from."},
    {"not_found", "adyton key list shows the keys that are there; adyton key create makes one."},
    {"unauthorized", "The gateway wants to know who calls: see doc/cli.md."},
    {"record_mismatch", "The stored record is not of this key. Restore it from a backup and find "
                        "out who changed it."},
    {"record_malformed", "The secret is no key record. Store it again: adyton key put --replace"},
    {"key_malformed", "The secret holds no key of 64 hex digits or 32 bytes. Store it again."},
    {"password_wrong", "Check the password and its file; EIP-2335 and geth tell no more."},
    {"keystore_malformed", "Keystores of geth (version 3) and EIP-2335 (version 4) are taken."},
    {"kms_refused", "Compare PCR0 of `adyton attestation get` with the key policy, and its other "
                    "conditions; `aws kms get-key-policy` shows it."},
    {"kms_unavailable", "Look at /readyz of the gateway, and at the relay's allow-list."},
    {"tls_failed", "The enclave does not trust the certificate of KMS: compare kms.roots_pem in "
                   "its configuration."},
    {"credentials_unavailable", "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the "
                                "instance a role; a local stack: eval \"$(adyton dev env)\""},
    {"store_unavailable", "Check the address, --ca and the network; a local stack: "
                          "adyton dev up"},
    {"enclave_unavailable", "Look at the enclave's log; the gateway resumes when it returns."},
    {"overloaded", "Try again in a second."},
    {"deadline_exceeded", "Try again; if it stays, look at /metrics of the gateway."},
};

const char *ady_cli_advice(const char *code)
{
	for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
		if (strcmp(advice[i].code, code) == 0)
			return advice[i].next;
	return NULL;
}

/* Whether the error is an answer (no) or the lack of one. */
static bool is_failure(enum ady_err err)
{
	static const enum ady_err failures[] = {
	    ADY_E_IO,     ADY_E_STORE,    ADY_E_KMS_UNAVAILABLE, ADY_E_ENCLAVE, ADY_E_BUSY,
	    ADY_E_MEMORY, ADY_E_DEADLINE, ADY_E_CREDENTIALS,     ADY_E_CONFIG};

	for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
		if (failures[i] == err)
			return true;
	return false;
}

int ady_cli_fault(const struct ady_fault *f, const char *doing, const char *next)
{
	const char *detail = f->detail[0] ? f->detail : ady_err_text(f->err);
	const char *what = next ? next : ady_cli_advice(ady_err_code(f->err));

	fprintf(stderr, "adyton: cannot %s: %s%s%s", doing, f->where, f->where[0] ? " " : "",
	        detail);
	fprintf(stderr, " (%s%s%s)\n", ady_err_code(f->err), f->cause[0] ? ", " : "", f->cause);
	if (what)
		fprintf(stderr, "  %s\n", what);
	return is_failure(f->err) ? ADY_EXIT_FAILED : ADY_EXIT_REFUSED;
}
