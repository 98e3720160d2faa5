/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/key.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/p256.h"
#include "crypto/rng.h"
#include "signer/stamp.h"

enum { KEY_FILE_MAX = 256, LIFE_S = 60, POLICY_LIFE_S = 86400, BODY_MAX = 1 << 20 };

static const char ed25519_head[] = "adyton-stamp-key ed25519 ";
static const char p256_head[] = "adyton-stamp-key p256 ";

struct secret {
	bool p256;
	struct ady_seckey key;
	char by[ADY_STAMP_KEY_TEXT_MAX]; /* the public key as records name it */
};

static enum ady_err derive(struct secret *s)
{
	uint8_t pub[33];
	size_t n = s->p256 ? 33 : 32;
	char hex[67];

	if (!s->p256)
		ady_ed25519_public(pub, &s->key);
	else if (ady_p256_public(pub, &s->key) != ADY_OK)
		return ADY_E_KEY_RANGE;
	ady_hex_encode(hex, ady_bytes(pub, n));
	snprintf(s->by, sizeof s->by, "%s:%s", s->p256 ? "p256" : "ed25519", hex);
	return ADY_OK;
}

static bool starts(struct ady_bytes text, const char *head)
{
	return text.n >= strlen(head) && memcmp(text.p, head, strlen(head)) == 0;
}

static enum ady_err load(struct secret *s, const char *path, struct ady_fault *f)
{
	struct ady_dyn text = {0};
	enum ady_err err = ady_file_read(&text, path, KEY_FILE_MAX, f);
	struct ady_bytes line = ady_dyn_bytes(&text);
	size_t head;

	if (err == ADY_OK) {
		while (line.n > 0 && (line.p[line.n - 1] == '\n' || line.p[line.n - 1] == '\r'))
			line.n--;
		s->p256 = starts(line, p256_head);
		head = strlen(s->p256 ? p256_head : ed25519_head);
		if ((!s->p256 && !starts(line, ed25519_head)) || line.n != head + 64 ||
		    ady_hex_decode32_ct(s->key.b, ady_bytes_sub(line, head, 64)) != ADY_OK ||
		    derive(s) != ADY_OK)
			err = ady_fail(f, ADY_E_FIELD_INVALID, path,
			               "holds no key of adyton stamp keygen");
	}
	ady_file_wipe(&text);
	return err;
}

static enum ady_err put_signature(struct ady_buf *b, const struct secret *s, struct ady_bytes input)
{
	uint8_t sig[64];

	if (!s->p256)
		ady_ed25519_sign(sig, input, &s->key);
	else if (ady_p256_sign(sig, input, &s->key) != ADY_OK)
		return ADY_E_CRYPTO;
	ady_buf_u8(b, '.');
	ady_base64url_put(b, ady_bytes(sig, sizeof sig));
	return ADY_OK;
}

static enum ady_err make(struct ady_dyn *stamp, const struct secret *s,
                         const struct ady_stamp_want *want)
{
	static const size_t prefix = sizeof "adyton-stamp-1." - 1;
	uint8_t space[8192], random[16];
	struct ady_buf b = ady_buf(space, sizeof space);
	enum ady_err err;
	char id[33];

	ady_random(random, sizeof random);
	ady_hex_encode(id, ady_bytes(random, sizeof random));
	ady_stamp_put_input(&b, want, s->by, id);
	err = put_signature(&b, s, ady_buf_bytes(&b));
	if (err != ADY_OK || b.full)
		return ADY_E_CRYPTO;
	ady_dyn_put(stamp, b.p + prefix, b.n - prefix);
	return ADY_OK;
}

enum ady_err ady_stamp_make(struct ady_dyn *stamp, const struct ady_stamp_order *order,
                            const char *id, struct ady_bytes body, struct ady_fault *f)
{
	const char *aud = order->aud ? order->aud : getenv("ADYTON_DEPLOYMENT");
	const bool policy = order->op && strcmp(order->op, "policy") == 0;
	struct ady_stamp_want want = {.aud = aud ? aud : "dev",
	                              .tenant = order->tenant ? order->tenant : "default",
	                              .key = ady_bytes_str(id),
	                              .op = order->op ? order->op : "sign",
	                              .now_s = (uint64_t)(ady_wall_ms() / 1000),
	                              .life_s = policy ? POLICY_LIFE_S : LIFE_S};
	struct secret s = {0};
	enum ady_err err = load(&s, order->key_file, f);

	ady_sha256(want.body32, &body, 1);
	if (err == ADY_OK && make(stamp, &s, &want) != ADY_OK)
		err = ady_fail(f, ADY_E_CRYPTO, NULL, "the stamp could not be made");
	ady_zero(&s.key, sizeof s.key);
	ady_stack_wipe();
	return err;
}

int ady_cmd_stamp_make(const struct ady_command *self, int argc, char **argv)
{
	struct ady_stamp_order order = {0};
	struct ady_dyn body = {0}, stamp = {0};
	const char *file = NULL;
	bool policy = false, derive = false;
	struct ady_values rest;
	struct ady_fault f = {0};
	const struct ady_option options[] = {
	    {"request", "FILE", "the body as it will be sent; -: standard input", .text = &file},
	    {"stamp-key", "FILE", "the key (adyton stamp keygen)", .text = &order.key_file},
	    {"deployment", "NAME", ADY_STAMP_AUD_HELP, .text = &order.aud},
	    {"tenant", "NAME", "whose key it is (default)", .text = &order.tenant},
	    {"policy", NULL, "it is a change of the key's policy (adyton policy change)",
	     .flag = &policy},
	    {"derive", NULL, "it is for keys of a wallet (adyton wallet derive)", .flag = &derive},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (rest.n != 1 || !ady_key_id_valid(rest.v[0]) || !file || !order.key_file)
		return ady_cli_usage(self, "give the ID of a key, --request and --stamp-key");
	if (policy && derive)
		return ady_cli_usage(self, "--policy and --derive are two things");
	order.op = policy ? "policy" : derive ? "derive" : NULL;
	if (ady_file_read(&body, file, BODY_MAX, &f) != ADY_OK ||
	    ady_stamp_make(&stamp, &order, rest.v[0], ady_dyn_bytes(&body), &f) != ADY_OK) {
		status = ady_cli_fault(&f, "stamp the request", NULL);
	} else {
		puts(ady_dyn_cstr(&stamp));
		status = ADY_EXIT_OK;
	}
	ady_dyn_free(&body);
	ady_dyn_free(&stamp);
	return status;
}

/* Draw a key, write it, print who it is. */
static int keygen(bool p256, const char *path)
{
	struct ady_fault f = {0};
	struct secret s = {.p256 = p256};
	char line[128], hex[65];
	enum ady_err err;

	do {
		ady_random(s.key.b, sizeof s.key.b);
	} while (derive(&s) != ADY_OK);
	ady_hex_encode(hex, ady_bytes(s.key.b, sizeof s.key.b));
	snprintf(line, sizeof line, "%s%s\n", p256 ? p256_head : ed25519_head, hex);
	err = ady_file_write(path, 0600, ady_bytes_str(line), &f);
	ady_zero(hex, sizeof hex);
	ady_zero(line, sizeof line);
	ady_zero(&s.key, sizeof s.key);
	ady_stack_wipe();
	if (err != ADY_OK)
		return ady_cli_fault(&f, "write the key", NULL);
	puts(s.by);
	return ADY_EXIT_OK;
}

int ady_cmd_stamp_keygen(const struct ady_command *self, int argc, char **argv)
{
	const char *type = NULL, *path = NULL;
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"type", "TYPE", "ed25519 (default) or p256", .text = &type},
	    {"output", "FILE", "where the private key goes, for you alone", .text = &path},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0)
		return status;
	if (!type)
		type = "ed25519";
	if (rest.n > 0 || !path || (strcmp(type, "ed25519") != 0 && strcmp(type, "p256") != 0))
		return ady_cli_usage(self, "give --output FILE, and --type ed25519 or p256");
	return keygen(strcmp(type, "p256") == 0, path);
}
