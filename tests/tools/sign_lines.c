/* SPDX-License-Identifier: Apache-2.0
 *
 * The signer without the programs around it, for tests that compare thousands of signatures. Each
 * line of standard input is a private key in hex, a space, and the body of a signing request; each
 * gets one line of JSON on standard output, with the signature or the refusal. The code is what the
 * enclave runs: ady_sign_prepare and ady_sign_finish, with a record made for the key; only KMS is
 * left out, whose answer is the key itself.
 * Usage: sign_lines [digest] [unprotected]      (what the records allow) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "codec/json.h"
#include "signer/sign.h"

enum { KEY_HEX = 64 };

static struct ady_json_tok toks[ADY_DUTY_TOKENS];
static struct ady_sign_job job = {.toks = toks};
static struct ady_secp *secp;
static char out_space[4 * ADY_WIRE_RAW_MAX];

static void put_hex(struct ady_buf *b, const char *name, struct ady_bytes v)
{
	ady_buf_printf(b, ",\"%s\":\"0x", name);
	if (b->cap - b->n > 2 * v.n) {
		ady_hex_encode((char *)b->p + b->n, v);
		b->n += 2 * v.n;
	}
	ady_buf_str(b, "\"");
}

static void put_answer(struct ady_buf *b, const struct ady_wire_signed *s)
{
	ady_buf_printf(b, "{\"yParity\":%u", (unsigned)s->y_parity);
	put_hex(b, "raw", s->raw);
	put_hex(b, "hash", s->hash);
	put_hex(b, "from", s->from);
	put_hex(b, "r", s->r);
	put_hex(b, "s", s->s);
}

static void put_fault(struct ady_buf *b, const struct ady_fault *f)
{
	ady_buf_printf(b, "{\"code\":\"%s\",\"where\":", ady_err_code(f->err));
	ady_json_put_string(b, ady_bytes_str(f->where));
	ady_buf_str(b, ",\"detail\":");
	ady_json_put_string(b, ady_bytes_str(f->detail));
}

/* The stored form of a key, as `adyton key put` makes it. */
static bool make_record(struct ady_buf *text, struct ady_bytes key_hex, unsigned allow)
{
	struct ady_record rec = {
	    .id = "line", .tenant = "test", .allow = allow, .ciphertext = {1}, .ciphertext_n = 1};
	struct ady_seckey key;
	uint8_t pub65[65];

	if (ady_sign_read_key(&key, secp, key_hex) != ADY_OK ||
	    ady_secp_public(secp, pub65, &key) != ADY_OK)
		return false;
	ady_secp_compress(rec.pub, pub65);
	ady_record_bind(&rec);
	ady_record_put(text, &rec);
	return !text->full;
}

static void sign_line(struct ady_bytes line, unsigned allow)
{
	static uint8_t record_space[4096];
	struct ady_buf record = ady_buf(record_space, sizeof record_space);
	struct ady_buf out = ady_buf(out_space, sizeof out_space);
	struct ady_bytes key = ady_bytes_sub(line, 0, KEY_HEX);
	struct ady_wire_sign ask = {.form = ADY_FORM_NATIVE, .key_id = ady_bytes_str("line")};
	struct ady_wire_signed answer;
	struct ady_fault f = {0};

	if (line.n <= KEY_HEX || !make_record(&record, key, allow)) {
		fprintf(stderr, "sign_lines: a line is not KEY JSON\n");
		exit(2);
	}
	ask.record = ady_buf_bytes(&record);
	ask.request = ady_bytes_sub(line, KEY_HEX + 1, line.n - KEY_HEX - 1);
	if (ady_sign_prepare(&job, &ask, &f) == ADY_OK &&
	    ady_sign_finish(&job, secp, key, &answer, &f) == ADY_OK)
		put_answer(&out, &answer);
	else
		put_fault(&out, &f);
	ady_buf_str(&out, "}\n");
	fwrite(out.p, 1, out.n, stdout);
}

int main(int argc, char **argv)
{
	unsigned allow = 0;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	for (int i = 1; i < argc; i++)
		allow |= strcmp(argv[i], "digest") == 0        ? ADY_ALLOW_DIGEST
		         : strcmp(argv[i], "unprotected") == 0 ? ADY_ALLOW_UNPROTECTED
		                                               : 0u;
	if (ady_secp_open(&secp) != ADY_OK)
		return 1;
	while ((n = getline(&line, &room, stdin)) > 0)
		sign_line(ady_bytes(line, (size_t)n - (line[n - 1] == '\n')), allow);
	free(line);
	ady_secp_close(secp);
	return 0;
}
