/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/importing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "crypto/rng.h"
#include "gateway/shard.h"
#include "store/seal.h"

static enum ady_err ask_document(struct ady_importing *i);

static uint32_t left_ms(const struct ady_importing *i)
{
	int64_t left = i->due_ms - ady_mono_ms();

	return left > 1 ? (uint32_t)left : 1;
}

/* --- the import key --- */

static bool is_one_of(struct ady_bytes pcr, const uint8_t (*list)[48], size_t n)
{
	bool found = n == 0;

	for (size_t k = 0; k < n; k++)
		found |= ady_bytes_eq(pcr, ady_bytes(list[k], 48));
	return found;
}

/* The import key in a document that the configured enclave has made for our nonce. */
static enum ady_err take_key(struct ady_importing *i, struct ady_bytes document,
                             struct ady_fault *f)
{
	const struct ady_gateway *g = i->shard->gateway;
	const struct ady_config_attestation *want = &g->config->attestation;
	const struct ady_attestation_rules rules = {
	    .root = g->attestation_root_n ? ady_bytes(g->attestation_root, g->attestation_root_n)
	                                  : ady_nitro_root_g1(),
	    .at_unix_s = ady_wall_ms() / 1000};
	struct ady_attestation att;
	enum ady_err err = ady_attestation_verify(&att, document, &rules, f);

	if (err != ADY_OK)
		return err;
	if (!ady_bytes_eq(att.nonce, ady_bytes(i->nonce, sizeof i->nonce)))
		return ady_fail(f, ADY_E_ATTESTATION, "nonce", "is another one");
	if (!is_one_of(att.pcrs[0], want->pcr0, want->pcr0_n))
		return ady_fail(f, ADY_E_ATTESTATION, "PCR0", "is not what was expected");
	if (!is_one_of(att.pcrs[8], want->pcr8, want->pcr8_n))
		return ady_fail(f, ADY_E_ATTESTATION, "PCR8", "is not what was expected");
	if (att.public_key.n != sizeof i->shard->import_key)
		return ady_fail(f, ADY_E_ATTESTATION, "public_key", "is no import key");
	memcpy(i->shard->import_key, att.public_key.p, att.public_key.n);
	i->shard->import_known = true;
	return ADY_OK;
}

/* --- sealing and asking --- */

/* What was sealed to an enclave that has gone is sealed anew, once. */
static void on_imported(struct ady_creating *c, const struct ady_wire_created *m,
                        const struct ady_fault *f)
{
	struct ady_importing *i =
	    (struct ady_importing *)((char *)c - offsetof(struct ady_importing, creating));
	const bool another = f && f->err == ADY_E_FIELD_INVALID && strcmp(f->where, "sealed") == 0;

	if (another && !i->again) {
		i->again = true;
		i->shard->import_known = false;
		if (ask_document(i) == ADY_OK)
			return;
	}
	i->done(i, m, f);
}

static enum ady_err seal_and_ask(struct ady_importing *i, struct ady_fault *f)
{
	const struct ady_seal to = {.import_key = i->shard->import_key,
	                            .tenant = i->tenant,
	                            .options = ady_dyn_bytes(&i->options)};
	struct ady_sealed *out = calloc(1, sizeof *out);
	struct ady_wire_import m = {0};
	enum ady_err err;

	if (!out)
		return ady_fail(f, ADY_E_MEMORY, NULL, "%s", ady_err_text(ADY_E_MEMORY));
	err = ady_seal_keystore(out, &m.form, &to, ady_dyn_bytes(&i->keystore),
	                        ady_dyn_bytes(&i->password), f);
	if (err == ADY_OK) {
		m.create = (struct ady_wire_create){
		    .curve = m.form == ADY_IMPORT_V3 ? ADY_CURVE_SECP256K1 : ADY_CURVE_BLS12_381,
		    .tenant = ady_bytes_str(i->tenant),
		    .options = to.options};
		m.enc = ady_bytes(out->enc, sizeof out->enc);
		m.sealed = ady_bytes(out->sealed, out->sealed_n);
		i->creating.done = on_imported;
		err = ady_creating_import(&i->creating, i->shard, &m, left_ms(i));
		if (err != ADY_OK)
			(void)ady_fail(f, err, NULL, "%s", ady_err_text(err));
	}
	free(out);
	return err;
}

static void on_document(struct ady_call *call, struct ady_bytes body, const struct ady_fault *f)
{
	struct ady_importing *i =
	    (struct ady_importing *)((char *)call - offsetof(struct ady_importing, call));
	struct ady_bytes document;
	struct ady_fault mine;

	if (f) {
		i->done(i, NULL, f);
		return;
	}
	if (ady_wire_read_blob(&document, ADY_WIRE_DOCUMENT_MAX, body) != ADY_OK)
		(void)ady_fail(&mine, ADY_E_PROTOCOL, NULL,
		               "the answer of the enclave is malformed");
	else if (take_key(i, document, &mine) == ADY_OK && seal_and_ask(i, &mine) == ADY_OK)
		return;
	i->done(i, NULL, &mine);
}

static enum ady_err ask_document(struct ady_importing *i)
{
	uint8_t space[64];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_random(i->nonce, sizeof i->nonce);
	ady_wire_put_blob(&b, ady_bytes(i->nonce, sizeof i->nonce));
	i->call.done = on_document;
	return ady_enclaves_ask(i->shard->enclaves, &i->call, ADY_WIRE_IMPORT_KEY,
	                        ady_buf_bytes(&b), left_ms(i));
}

/* --- --- */

struct ady_importing *ady_importing_new(struct ady_shard *shard, const char *tenant,
                                        struct ady_bytes options, struct ady_bytes keystore,
                                        struct ady_bytes password)
{
	struct ady_importing *i = calloc(1, sizeof *i);

	if (!i)
		ADY_BUG("out of memory");
	i->shard = shard;
	snprintf(i->tenant, sizeof i->tenant, "%s", tenant);
	ady_dyn_put(&i->options, options.p, options.n);
	ady_dyn_put(&i->keystore, keystore.p, keystore.n);
	ady_dyn_put(&i->password, password.p, password.n);
	return i;
}

enum ady_err ady_importing_start(struct ady_importing *i, uint32_t deadline_ms, struct ady_fault *f)
{
	enum ady_err err;

	if (!i->shard->gateway->config->attestation.on)
		return ady_fail(f, ADY_E_DENIED, NULL,
		                "the gateway takes no keystores: it is not told which enclave "
		                "(attestation)");
	i->due_ms = ady_mono_ms() + deadline_ms;
	if (i->shard->import_known)
		return seal_and_ask(i, f);
	err = ask_document(i);
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, NULL, "%s", ady_err_text(err));
}

void ady_importing_free(struct ady_importing *i)
{
	if (!i)
		return;
	ady_enclaves_forget(i->shard->enclaves, &i->call);
	ady_creating_drop(&i->creating);
	if (i->keystore.p)
		ady_zero(i->keystore.p, i->keystore.cap);
	if (i->password.p)
		ady_zero(i->password.p, i->password.cap);
	ady_dyn_free(&i->options);
	ady_dyn_free(&i->keystore);
	ady_dyn_free(&i->password);
	free(i);
}
