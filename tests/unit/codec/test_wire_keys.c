/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages that make keys or bring them in. */
#include "wire_kind.h"

static const struct ady_wire_create create = {
    .curve = 1,
    .tenant = {(const uint8_t *)"team", 4},
    .options = {filler, 30},
    .data_key = {filler, 200},
};
static const struct ady_wire_created created = {
    .record = {filler, 500},
    .public_key = {filler, 33},
    .address = {filler, 20},
};
static const struct ady_wire_import import = {
    .create = {.tenant = {(const uint8_t *)"team", 4},
               .options = {filler, 30},
               .data_key = {filler, 0}},
    .form = ADY_IMPORT_SEALED,
    .enc = {filler, 32},
    .sealed = {filler, 48},
};
static const struct ady_wire_import keystore = {
    .create = {.curve = 2,
               .tenant = {(const uint8_t *)"team", 4},
               .options = {filler, 30},
               .data_key = {filler, 0}},
    .form = ADY_IMPORT_EIP2335,
    .enc = {filler, 32},
    .sealed = {filler, 900},
};
static const struct ady_wire_batch batch = {
    .create = {.tenant = {(const uint8_t *)"team", 4},
               .options = {filler, 30},
               .data_key = {filler, 200}},
    .first = 7,
    .count = 1000,
};
static const struct ady_wire_batched batched = {
    .created = 1764100000,
    .data_key = {filler, 200},
    .keys = {filler, 93},
};
static const struct ady_wire_backup backup = {
    .key_id = {(const uint8_t *)"k1", 2},
    .record = {filler, 300},
    .request = {filler, 2},
    .stamp = {filler, 100},
};
static const struct ady_wire_backed_up backed_up = {
    .enc = {filler, 32},
    .sealed = {filler, 48},
};
static const struct ady_wire_rewrap rewrap = {
    .key_id = {(const uint8_t *)"k1", 2},
    .record = {filler, 300},
    .data_key = {filler, 20},
    .kms_key = {(const uint8_t *)"arn", 3},
};

static const struct ady_wire_policy_change change = {
    .key_id = {(const uint8_t *)"k1", 2},
    .record = {filler, 300},
    .change = {filler, 100},
    .stamp = {filler, 40},
};

static void put_create(struct ady_buf *b, const void *m)
{
	ady_wire_put_create(b, m);
}

static enum ady_err read_create(struct ady_bytes body)
{
	struct ady_wire_create m;

	return ady_wire_read_create(&m, body);
}

static void put_import(struct ady_buf *b, const void *m)
{
	ady_wire_put_import(b, m);
}

static enum ady_err read_import(struct ady_bytes body)
{
	struct ady_wire_import m;

	return ady_wire_read_import(&m, body);
}

static void put_batch(struct ady_buf *b, const void *m)
{
	ady_wire_put_batch(b, m);
}

static enum ady_err read_batch(struct ady_bytes body)
{
	struct ady_wire_batch m;

	return ady_wire_read_batch(&m, body);
}

static void put_batched(struct ady_buf *b, const void *m)
{
	ady_wire_put_batched(b, m);
}

static enum ady_err read_batched(struct ady_bytes body)
{
	struct ady_wire_batched m;

	return ady_wire_read_batched(&m, body);
}

static void put_rewrap(struct ady_buf *b, const void *m)
{
	ady_wire_put_rewrap(b, m);
}

static enum ady_err read_rewrap(struct ady_bytes body)
{
	struct ady_wire_rewrap m;

	return ady_wire_read_rewrap(&m, body);
}

static void put_change(struct ady_buf *b, const void *m)
{
	ady_wire_put_policy_change(b, m);
}

static enum ady_err read_change(struct ady_bytes body)
{
	struct ady_wire_policy_change m;

	return ady_wire_read_policy_change(&m, body);
}

static void put_backup(struct ady_buf *b, const void *m)
{
	ady_wire_put_backup(b, m);
}

static enum ady_err read_backup(struct ady_bytes body)
{
	struct ady_wire_backup m;

	return ady_wire_read_backup(&m, body);
}

static void put_backed_up(struct ady_buf *b, const void *m)
{
	ady_wire_put_backed_up(b, m);
}

static enum ady_err read_backed_up(struct ady_bytes body)
{
	struct ady_wire_backed_up m;

	return ady_wire_read_backed_up(&m, body);
}

static void put_created(struct ady_buf *b, const void *m)
{
	ady_wire_put_created(b, m);
}

static enum ady_err read_created(struct ady_bytes body)
{
	struct ady_wire_created m;

	return ady_wire_read_created(&m, body);
}

enum {
	CREATE,
	CREATED,
	IMPORT,
	KEYSTORE,
	BATCH,
	BATCHED,
	REWRAP,
	CHANGE,
	BACKUP,
	BACKED_UP,
	KINDS
};

static const struct kind kinds[KINDS] = {
    [CREATE] = {"create", put_create, read_create, &create, sizeof create},
    [CREATED] = {"created", put_created, read_created, &created, sizeof created},
    [IMPORT] = {"import", put_import, read_import, &import, sizeof import},
    [KEYSTORE] = {"keystore", put_import, read_import, &keystore, sizeof keystore},
    [BATCH] = {"batch", put_batch, read_batch, &batch, sizeof batch},
    [BATCHED] = {"batched", put_batched, read_batched, &batched, sizeof batched},
    [REWRAP] = {"rewrap", put_rewrap, read_rewrap, &rewrap, sizeof rewrap},
    [CHANGE] = {"change", put_change, read_change, &change, sizeof change},
    [BACKUP] = {"backup", put_backup, read_backup, &backup, sizeof backup},
    [BACKED_UP] = {"backed up", put_backed_up, read_backed_up, &backed_up, sizeof backed_up},
};

CASE(every_bound)
{
	static const struct bound rows[] = {
	    {CREATE, FIELD(struct ady_wire_create, curve), 0, 3},
	    {CREATE, FIELD(struct ady_wire_create, tenant), 1, 63},
	    {CREATE, FIELD(struct ady_wire_create, options), 1, ADY_WIRE_REQUEST_MAX},
	    {CREATE, FIELD(struct ady_wire_create, data_key), 0, 1024},
	    {CREATED, FIELD(struct ady_wire_created, record), 1, ADY_WIRE_RECORD_MAX},
	    {CREATED, FIELD(struct ady_wire_created, public_key), 32, 48},
	    {CREATED, FIELD(struct ady_wire_created, address), 20, 20},
	    {BATCH, FIELD(struct ady_wire_batch, first), 0, 999999999},
	    {BATCH, FIELD(struct ady_wire_batch, count), 1, 1000},
	    {BATCHED, FIELD(struct ady_wire_batched, created), 0, ADY_WIRE_EXPIRY_MAX},
	    {BATCHED, FIELD(struct ady_wire_batched, data_key), 1, 1024},
	    {BATCHED, FIELD(struct ady_wire_batched, keys), 92, 108000},
	    {REWRAP, FIELD(struct ady_wire_rewrap, key_id), 1, ADY_WIRE_KEY_ID_MAX},
	    {REWRAP, FIELD(struct ady_wire_rewrap, record), 1, ADY_WIRE_RECORD_MAX},
	    {REWRAP, FIELD(struct ady_wire_rewrap, data_key), 0, 1024},
	    {REWRAP, FIELD(struct ady_wire_rewrap, kms_key), 0, 191},
	    {CHANGE, FIELD(struct ady_wire_policy_change, key_id), 1, ADY_WIRE_KEY_ID_MAX},
	    {CHANGE, FIELD(struct ady_wire_policy_change, record), 1, ADY_WIRE_RECORD_MAX},
	    {CHANGE, FIELD(struct ady_wire_policy_change, change), 1, ADY_WIRE_REQUEST_MAX},
	    {CHANGE, FIELD(struct ady_wire_policy_change, stamp), 0, ADY_WIRE_STAMP_MAX},
	    {BACKUP, FIELD(struct ady_wire_backup, key_id), 1, ADY_WIRE_KEY_ID_MAX},
	    {BACKUP, FIELD(struct ady_wire_backup, record), 1, ADY_WIRE_RECORD_MAX},
	    {BACKUP, FIELD(struct ady_wire_backup, request), 0, ADY_WIRE_BACKUP_BODY_MAX},
	    {BACKUP, FIELD(struct ady_wire_backup, stamp), 0, ADY_WIRE_STAMP_MAX},
	    {BACKED_UP, FIELD(struct ady_wire_backed_up, enc), 32, 32},
	    {BACKED_UP, FIELD(struct ady_wire_backed_up, sealed), 48, 113},
	    {IMPORT, FIELD(struct ady_wire_import, enc), 32, 32},
	    {IMPORT, FIELD(struct ady_wire_import, sealed), 1, 4096},
	    {KEYSTORE, FIELD(struct ady_wire_import, enc), 32, 32},
	    {KEYSTORE, FIELD(struct ady_wire_import, sealed), 1, 16384},
	};

	check_bounds(kinds, rows, sizeof rows / sizeof *rows);
}

/* A backup is of a key, or of a wallet: there are two sizes. */
CASE(a_backup_has_one_of_two_sizes)
{
	for (size_t n = 48; n <= 113; n++) {
		uint8_t body[256];
		struct ady_buf b = ady_buf(body, sizeof body);
		struct ady_wire_backed_up m = backed_up;

		m.sealed.n = n;
		put_backed_up(&b, &m);
		CHECK_ERR(read_backed_up(ady_buf_bytes(&b)),
		          n == 48 || n == 113 ? ADY_OK : ADY_E_PROTOCOL);
	}
}

CASE(every_truncation_and_any_byte_more_is_refused)
{
	check_truncations(kinds, KINDS);
}

CASE(missing_repeated_unsorted_unknown_and_mistyped_fields)
{
	check_fields(kinds, KINDS);
}

CASE(a_body_that_does_not_fit_is_full)
{
	check_full(kinds, KINDS);
}

int main(void)
{
	memset(filler, 'a', sizeof filler);
	RUN(every_truncation_and_any_byte_more_is_refused);
	RUN(missing_repeated_unsorted_unknown_and_mistyped_fields);
	RUN(every_bound);
	RUN(a_backup_has_one_of_two_sizes);
	RUN(a_body_that_does_not_fit_is_full);
	return test_end();
}
