/* SPDX-License-Identifier: Apache-2.0
 *
 * What the enclave answers: who it is, how KMS is, signatures and what is refused instead. */
#include "enclave/server.h"

#include "server_world.h"

CASE(hello_says_who_it_is)
{
	int fd = dial();
	struct ady_wire_head head;
	struct ady_wire_hello m;
	struct ady_bytes body;

	CHECK(say(fd, ADY_WIRE_HELLO, 7, 1000, ady_bytes("\xa0", 1)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.id, 7);
	CHECK_INT(head.type, ADY_WIRE_HELLO | ADY_WIRE_ANSWER);
	CHECK_ERR(ady_wire_read_hello(&m, body), ADY_OK);
	CHECK(ady_bytes_is(m.module_id, "i-fake-enc0"));
	CHECK(m.config_hash.p[0] == 0x5a && m.lanes == 2 && m.depth == 4);
	close(fd);
}

CASE(without_credentials_signing_is_refused_and_health_unknown)
{
	int fd = dial();
	struct ady_wire_status m;
	struct ady_fault f;

	status_now(fd, &m);
	CHECK_INT(m.kms, ADY_KMS_UNKNOWN);
	CHECK_INT(m.has_credentials, 0);
	CHECK(say_sign(fd, 1, 3000, request));
	CHECK_ERR(hear_fault(fd, 1, &f), ADY_E_CREDENTIALS);
	close(fd);
}

CASE(credentials_bring_a_probe_at_once)
{
	struct ady_wire_status s;
	int fd = dial();

	give_credentials(fd, &s);
	CHECK_INT(s.has_credentials, 1);
	CHECK_INT(s.kms_calls, 1); /* of the case before; probes are not counted */
	close(fd);
}

CASE(a_transaction_is_signed)
{
	int fd = dial();
	struct ady_wire_status m;

	CHECK(say_sign(fd, 3, 5000, request));
	hear_signed(fd, 3);
	status_now(fd, &m);
	CHECK_INT(m.signed_n, 1);
	CHECK(m.kms_us > 0 && m.sign_us > 0 && m.prepare_us > 0);
	close(fd);
}

CASE(a_request_is_refused_before_kms_is_asked)
{
	int fd = dial(), before = atomic_load(&w.kms.requests);
	struct ady_fault f;

	CHECK(say_sign(fd, 4, 5000, "{\"transaction\":{}}"));
	CHECK_ERR(hear_fault(fd, 4, &f), ADY_E_FIELD_MISSING);
	CHECK(strncmp(f.where, "transaction.", 12) == 0);
	CHECK_INT(atomic_load(&w.kms.requests), before);
	close(fd);
}

CASE(a_nonce_is_attested)
{
	int fd = dial();
	uint8_t space[600], nonce[ADY_WIRE_NONCE_MAX + 1] = {1};
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_head head;
	struct ady_bytes body, document;
	struct ady_fault f;

	ady_wire_put_blob(&b, ady_bytes(nonce, ADY_WIRE_NONCE_MAX));
	CHECK(say(fd, ADY_WIRE_ATTEST, 40, 2000, ady_buf_bytes(&b)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.type, ADY_WIRE_ATTEST | ADY_WIRE_ANSWER);
	CHECK_ERR(ady_wire_read_blob(&document, ADY_WIRE_DOCUMENT_MAX, body), ADY_OK);
	CHECK(document.n > 200 && memcmp(document.p, "doc:", 4) == 0);
	CHECK_INT(atomic_load(&w.nsm.user_data_n), 48);
	b.n = 0;
	ady_wire_put_blob(&b, ady_bytes(nonce, sizeof nonce));
	CHECK(say(fd, ADY_WIRE_ATTEST, 41, 2000, ady_buf_bytes(&b)));
	CHECK_ERR(hear_fault(fd, 41, &f), ADY_E_PROTOCOL);
	close(fd);
}

CASE(a_key_that_is_none_is_refused)
{
	int fd = dial();
	struct ady_fault f;

	memset(w.kms.plaintext, 0, sizeof one);
	CHECK(say_sign(fd, 90, 5000, request));
	CHECK_ERR(hear_fault(fd, 90, &f), ADY_E_KEY_RANGE);
	memcpy(w.kms.plaintext, "not a key", 9);
	w.kms.plaintext_n = 9;
	CHECK(say_sign(fd, 91, 5000, request));
	CHECK_ERR(hear_fault(fd, 91, &f), ADY_E_KEY_FORM);
	memcpy(w.kms.plaintext, one, sizeof one);
	w.kms.plaintext_n = sizeof one;
	close(fd);
}

int main(void)
{
	start_world();
	RUN(hello_says_who_it_is);
	RUN(without_credentials_signing_is_refused_and_health_unknown);
	RUN(credentials_bring_a_probe_at_once);
	RUN(a_transaction_is_signed);
	RUN(a_request_is_refused_before_kms_is_asked);
	RUN(a_nonce_is_attested);
	RUN(a_key_that_is_none_is_refused);
	return end_world();
}
