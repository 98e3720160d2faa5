/* SPDX-License-Identifier: Apache-2.0
 *
 * Fills a store with keys that a running enclave makes (CREATE_BATCH): bench-0, bench-1, .. of
 * tenant "default". The records are as good as any; what is left out is the gateway. Usage:
 * fill_store ENCLAVE_ENDPOINT (sqlite:PATH | postgres:CONNINFO) COUNT */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/wire.h"
#include "net/transport.h"
#include "signer/record.h"
#include "store/postgres.h"
#include "store/sqlite.h"

enum { BATCH = 1000, DIAL_MS = 5000, ANSWER_MS = 60000, TEXT_MAX = 4096, PUB = 33 };

static int fd;
static uint8_t body[ADY_WIRE_BODY_MAX];
static uint8_t data_key[ADY_WIRE_DATA_KEY_MAX];
static size_t data_key_n;
static struct ady_entry entries[BATCH], *list[BATCH];

static void die(const char *what, const struct ady_fault *f)
{
	fprintf(stderr, "fill_store: %s%s%s\n", what, f ? ": " : "", f ? f->detail : "");
	exit(1);
}

static void read_all(void *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = read(fd, (uint8_t *)p + got, n - got);

		if (r <= 0)
			die("the enclave has ended the connection", NULL);
		got += (size_t)r;
	}
}

static void send_question(uint8_t type, struct ady_bytes question, uint64_t id)
{
	const struct ady_wire_head head = {
	    .length = (uint32_t)question.n, .type = type, .id = id, .deadline_ms = ANSWER_MS};
	uint8_t space[ADY_WIRE_HEAD];

	ady_wire_put_head(space, &head);
	if (write(fd, space, sizeof space) != (ssize_t)sizeof space ||
	    write(fd, question.p, question.n) != (ssize_t)question.n)
		die("the enclave takes no question", NULL);
}

/* The answer to the question of that type, in body. */
static struct ady_bytes receive(uint8_t type)
{
	struct ady_wire_head head;
	uint8_t space[ADY_WIRE_HEAD];
	struct ady_fault f = {0};

	read_all(space, sizeof space);
	if (ady_wire_read_head(&head, space) != ADY_OK)
		die("the enclave's answer is malformed", NULL);
	read_all(body, head.length);
	if (head.type != (type | ADY_WIRE_ANSWER)) {
		(void)ady_wire_read_fault(&f, ady_bytes(body, head.length - head.proof));
		die("the enclave refuses", &f);
	}
	return ady_bytes(body, head.length - head.proof);
}

static void make_entry(struct ady_record *rec, const struct ady_wire_batched *m, size_t i,
                       uint64_t number)
{
	const uint8_t *at = m->keys.p + i * (PUB + ADY_WIRE_SEALED_KEY);
	char text[TEXT_MAX];
	struct ady_buf b = ady_buf(text, sizeof text);
	struct ady_fault f = {0};

	snprintf(rec->id, sizeof rec->id, "bench-%llu", (unsigned long long)number);
	memcpy(rec->pub, at, PUB);
	memcpy(rec->ciphertext, at + PUB, ADY_WIRE_SEALED_KEY);
	rec->ciphertext_n = ADY_WIRE_SEALED_KEY;
	rec->created = m->created;
	memcpy(rec->data_key, m->data_key.p, m->data_key.n);
	rec->data_key_n = m->data_key.n;
	ady_record_bind(rec);
	ady_record_put(&b, rec);
	if (b.full || ady_entry_read(&entries[i], rec->id, ady_buf_bytes(&b), &f) != ADY_OK)
		die("a record cannot be written", &f);
}

static const char options[] = "{\"id\":\"bench-\"}";

static void ask(uint64_t first, uint64_t n)
{
	uint8_t space[2048];
	struct ady_buf b = ady_buf(space, sizeof space);
	const struct ady_wire_batch q = {.create = {.curve = ADY_CURVE_SECP256K1,
	                                            .tenant = ady_bytes_str("default"),
	                                            .options = ady_bytes_str(options),
	                                            .data_key = ady_bytes(data_key, data_key_n)},
	                                 .first = first,
	                                 .count = n};

	ady_wire_put_batch(&b, &q);
	send_question(ADY_WIRE_CREATE_BATCH, ady_buf_bytes(&b), first + 1);
}

static void take(uint64_t first, uint64_t n)
{
	static struct ady_record rec;
	struct ady_wire_batched m;
	struct ady_fault f = {0};

	if (ady_wire_read_batched(&m, receive(ADY_WIRE_CREATE_BATCH)) != ADY_OK ||
	    m.keys.n != n * (PUB + ADY_WIRE_SEALED_KEY) ||
	    ady_record_begin(&rec, ADY_CURVE_SECP256K1, ady_bytes_str("default"),
	                     ady_bytes_str(options), &f) != ADY_OK)
		die("the enclave's answer is malformed", &f);
	memcpy(data_key, m.data_key.p, m.data_key.n);
	data_key_n = m.data_key.n;
	for (size_t i = 0; i < n; i++)
		make_entry(&rec, &m, i, first + i);
}

static void store(struct ady_records *records, size_t n)
{
	struct ady_fault f = {0};

	if (ady_records_create(records, 0, list, n, &f) != ADY_OK)
		die("the store refuses", &f);
}

static struct ady_records *open_store(const char *spec)
{
	struct ady_records *r = NULL;
	struct ady_fault f = {0};
	enum ady_err err = ADY_E_CONFIG;

	if (strncmp(spec, "sqlite:", 7) == 0)
		err = ady_sqlite_open(&r, spec + 7, 1, &f);
	else if (strncmp(spec, "postgres:", 9) == 0)
		err = ady_postgres_open(&r, spec + 9, 1, &f);
	if (err != ADY_OK)
		die("the store cannot be opened", &f);
	return r;
}

int main(int argc, char **argv)
{
	struct ady_endpoint at;
	struct ady_records *stores[8];
	struct ady_fault f = {0};
	const size_t stores_n = argc > 3 ? (size_t)argc - 3 : 0;
	int64_t began = ady_mono_ms();
	uint64_t count = stores_n ? strtoull(argv[2], NULL, 10) : 0;

	if (count == 0 || stores_n > 8) {
		fprintf(stderr, "usage: fill_store ENDPOINT COUNT (sqlite:PATH | "
		                "postgres:CONNINFO)..\n");
		return 2;
	}
	if (ady_endpoint_parse(&at, argv[1], &f) != ADY_OK || ady_dial(&fd, &at, DIAL_MS) != ADY_OK)
		die("the enclave cannot be reached", &f);
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	for (size_t i = 0; i < stores_n; i++)
		stores[i] = open_store(argv[3 + i]);
	for (size_t i = 0; i < BATCH; i++)
		list[i] = &entries[i];
	/* While a batch is stored the enclave makes the next one. */
	ask(0, count < BATCH ? count : BATCH);
	for (uint64_t n = 0; n < count; n += BATCH) {
		const uint64_t now = count - n < BATCH ? count - n : BATCH, left = count - n - now;

		take(n, now);
		if (left > 0)
			ask(n + now, left < BATCH ? left : BATCH);
		for (size_t i = 0; i < stores_n; i++)
			store(stores[i], now);
		for (size_t i = 0; i < now; i++)
			ady_entry_clear(&entries[i]);
	}
	for (size_t i = 0; i < stores_n; i++)
		ady_records_close(stores[i]);
	printf("{\"keys\":%llu,\"ms\":%lld}\n", (unsigned long long)count,
	       (long long)(ady_mono_ms() - began));
	return 0;
}
