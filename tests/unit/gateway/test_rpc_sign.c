/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that wait for the enclave or the store, in the whole gateway between fakes (fakes.h): they
 * are answered when the time is over, when the link ends, and when the gateway does. */
#include "gateway/rpc.h"

#include "store/sqlite.h"
#include "world.h"

/* of the private key 1; the address is what the fake enclave says that has signed, so the store
 * lies */
#define PUBLIC "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define ADDRESS "0xabcd000000000000000000000000000000000000"
#define UNCOMPRESSED                                                       \
	"79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" \
	"483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"

static char store[160];

/* A file of SQLite with one key. */
static void make_store(void)
{
	static const char text[] =
	    "{\"adyton\":1,\"wrapping\":\"direct\",\"id\":\"one\",\"tenant\":\"default\","
	    "\"curve\":\"secp256k1\",\"public_key\":\"" PUBLIC "\",\"ciphertext\":\"AAAA\"}";
	struct ady_records *records;
	static struct ady_entry e;
	struct ady_entry *const entries[] = {&e};
	struct ady_fault f = {0};
	char path[128];

	snprintf(path, sizeof path, "%s/keys.db", fake_dir());
	snprintf(store, sizeof store, "\"sqlite\":\"%s\"", path);
	CHECK_ERR(ady_sqlite_open(&records, path, 1, &f), ADY_OK);
	CHECK_ERR(ady_entry_read(&e, "one", ady_bytes_str(text), &f), ADY_OK);
	memset(e.address, 0, sizeof e.address);
	e.address[0] = 0xab;
	e.address[1] = 0xcd;
	CHECK_ERR(ady_records_create(records, 0, entries, 1, &f), ADY_OK);
	ady_records_close(records);
	ady_entry_clear(&e);
}

static const char sign[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"personal_sign\",\"params\":"
                           "[\"0x01\",\"" ADDRESS "\"]}";

static void post(struct world *w, const char *body, struct reply *r)
{
	http_do(w->port, "POST", "/", "", body, r);
	CHECK_INT(r->status, 200);
}

CASE(the_enclave_gets_the_native_request)
{
	struct world w;
	struct reply r;

	open_world(&w, store, "");
	post(&w, sign, &r);
	CHECK_INT(strlen(reply_text(&r, "result")), 132);
	CHECK_STR(w.enclave.key_id, "one");
	CHECK_STR(w.enclave.request, "{\"message\":{\"hex\":\"0x01\"}}");
	reply_free(&r);
	post(&w, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_accounts\"}", &r);
	CHECK_STR(r.body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[\"" ADDRESS "\"]}");
	reply_free(&r);
	http_do(w.port, "GET", "/api/v1/eth1/publicKeys", "", "", &r);
	CHECK_STR(r.body, "[\"0x" UNCOMPRESSED "\"]\n");
	reply_free(&r);
	http_do(w.port, "POST", "/api/v1/eth1/sign/" UNCOMPRESSED, "", "{\"data\":\"0x1901\"}", &r);
	CHECK_STR(w.enclave.request, "{\"data\":\"0x1901\"}");
	/* the key that has signed is not the one that was asked for */
	CHECK_INT(r.status, 422);
	CHECK_STR(reply_text(&r, "code"), "record_mismatch");
	reply_free(&r);
	http_do(w.port, "POST", "/api/v1/eth1/sign/" UNCOMPRESSED, "",
	        "{\"data\":\"0x02\",\"applyHash\":false}", &r);
	CHECK_STR(w.enclave.request, "{\"digest\":\"0x02\"}");
	reply_free(&r);
	close_world(&w);
}

CASE(a_signature_that_takes_too_long_is_an_error_of_its_call)
{
	struct world w;
	struct reply r;
	char batch[600];

	open_world(&w, store, ",\"request_timeout_ms\":300");
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	snprintf(batch, sizeof batch,
	         "[%s,{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"health_status\"}]", sign);
	post(&w, batch, &r);
	CHECK(strstr(r.body, "\"id\":1,\"error\":{\"code\":-32002") != NULL);
	CHECK(strstr(r.body, "\"code\":\"deadline_exceeded\"") != NULL);
	CHECK(strstr(r.body, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"OK\"}") != NULL);
	reply_free(&r);
	http_do(w.port, "POST", "/api/v1/eth1/sign/" UNCOMPRESSED, "", "{\"data\":\"0x1901\"}", &r);
	CHECK_INT(r.status, 504);
	reply_free(&r);
	close_world(&w);
}

CASE(the_end_of_the_link_is_an_error_of_its_calls)
{
	struct world w;
	struct reply r;
	int fd;

	open_world(&w, store, "");
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	fd = http_open(w.port);
	http_send(fd, "POST", "/", "", sign);
	WAIT_FOR(atomic_load(&w.enclave.signs) == 1);
	fake_enclave_cut(&w.enclave);
	CHECK(http_read(fd, &r));
	CHECK(strstr(r.body, "\"code\":\"enclave_unavailable\"") != NULL);
	reply_free(&r);
	close(fd);
	close_world(&w);
}

CASE(refusals_keep_their_codes)
{
	static const struct {
		enum ady_err err;
		const char *code, *denied; /* denied: of account_ methods, when it is another */
	} rows[] = {
	    {ADY_E_DENIED, "\"code\":4100", "\"code\":-32000,\"message\":\"request denied\""},
	    {ADY_E_FEES, "\"code\":-32602", NULL},
	    {ADY_E_BUSY, "\"code\":-32005", NULL},
	    {ADY_E_KMS, "\"code\":-32002", NULL},
	    {ADY_E_CRYPTO, "\"code\":-32603", NULL}};
	static const char signer[] =
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"account_signData\","
	    "\"params\":[\"text/plain\",\"" ADDRESS "\",\"0x01\"]}";
	struct world w;
	struct reply r;

	open_world(&w, store, "");
	atomic_store(&w.enclave.mode, FAKE_REFUSES);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		pthread_mutex_lock(&w.enclave.lock);
		w.enclave.fault = (struct ady_fault){.err = rows[i].err, .detail = "why"};
		pthread_mutex_unlock(&w.enclave.lock);
		post(&w, sign, &r);
		CHECK(strstr(r.body, rows[i].code) != NULL);
		reply_free(&r);
		post(&w, signer, &r);
		CHECK(strstr(r.body, rows[i].denied ? rows[i].denied : rows[i].code) != NULL);
		reply_free(&r);
	}
	close_world(&w);
}

CASE(the_end_of_the_gateway_answers_what_waits)
{
	struct world w;
	struct reply r;
	int fd;

	open_world(&w, store, "");
	atomic_store(&w.enclave.mode, FAKE_HOLDS);
	fd = http_open(w.port);
	http_send(fd, "POST", "/", "", sign);
	WAIT_FOR(atomic_load(&w.enclave.signs) == 1);
	close_world(&w);
	CHECK(!http_read(fd, &r) || r.status == 200);
	close(fd);
}

int main(void)
{
	make_store();
	RUN(the_enclave_gets_the_native_request);
	RUN(a_signature_that_takes_too_long_is_an_error_of_its_call);
	RUN(the_end_of_the_link_is_an_error_of_its_calls);
	RUN(refusals_keep_their_codes);
	RUN(the_end_of_the_gateway_answers_what_waits);
	return test_end();
}
