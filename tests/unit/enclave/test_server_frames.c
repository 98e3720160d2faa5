/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that are none, and connections that the enclave ends. */
#include "enclave/server.h"

#include "server_world.h"

CASE(unknown_types_and_malformed_bodies_are_answered)
{
	static const uint8_t types[] = {0, ADY_WIRE_RELAY, 17, 0x7f};
	static const uint8_t known[] = {
	    ADY_WIRE_HELLO,      ADY_WIRE_CREDENTIALS,  ADY_WIRE_SIGN,  ADY_WIRE_ATTEST,
	    ADY_WIRE_STATUS,     ADY_WIRE_CREATE,       ADY_WIRE_LOCK,  ADY_WIRE_IMPORT,
	    ADY_WIRE_IMPORT_KEY, ADY_WIRE_CREATE_BATCH, ADY_WIRE_REWRAP};
	int fd = dial();
	struct ady_fault f;

	for (size_t i = 0; i < sizeof types; i++) {
		CHECK(say(fd, types[i], 50 + i, 1000, ady_bytes("\xa0", 1)));
		CHECK_ERR(hear_fault(fd, 50 + i, &f), ADY_E_PROTOCOL);
		CHECK_STR(f.detail, "the type of the message is not known");
	}
	for (size_t i = 0; i < sizeof known; i++) {
		CHECK(say(fd, known[i], 60 + i, 1000, ady_bytes("\xa1\x09\x00", 3)));
		CHECK_ERR(hear_fault(fd, 60 + i, &f), ADY_E_PROTOCOL);
	}
	CHECK(say(fd, ADY_WIRE_SIGN, 70, 1000, ady_bytes("", 0)));
	CHECK_ERR(hear_fault(fd, 70, &f), ADY_E_PROTOCOL);
	close(fd);
}

/* Whether the enclave ends the connection instead of answering. */
static bool is_ended(int fd)
{
	uint8_t byte;
	enum ady_err err = ady_read_exact(fd, &byte, 1, ady_mono_ms() + 3000);

	close(fd);
	return err == ADY_E_IO;
}

CASE(broken_frames_end_the_connection)
{
	struct ady_wire_head head = {.length = 1, .type = ADY_WIRE_HELLO, .deadline_ms = 1000};
	uint8_t raw[ADY_WIRE_HEAD];
	static const struct {
		size_t at;
		uint8_t value;
	} breaks[] = {{4, 2}, {0, 0xff}, {6, 1}, {23, 1}, {16, 0xff}};

	for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
		int fd = dial();

		ady_wire_put_head(raw, &head);
		raw[breaks[i].at] = breaks[i].value;
		CHECK_ERR(ady_write_all(fd, raw, sizeof raw, ady_mono_ms() + 1000), ADY_OK);
		CHECK(is_ended(fd));
	}
}

CASE(an_answer_nobody_asked_for_ends_the_connection)
{
	int fd = dial();

	CHECK(say(fd, ADY_WIRE_SIGN | ADY_WIRE_ANSWER, 1, 0, ady_bytes("\xa0", 1)));
	CHECK(is_ended(fd));
	fd = dial();
	CHECK(say(fd, ADY_WIRE_ERROR, 1, 0, ady_bytes("\xa0", 1)));
	CHECK(is_ended(fd));
}

CASE(more_connections_than_allowed_are_closed)
{
	static int fds[ADY_SERVER_CONNECTIONS_MAX + 8];
	size_t open_n = 0;

	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		fds[i] = dial();
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		struct ady_wire_head head;
		struct ady_bytes body;

		if (say(fds[i], ADY_WIRE_HELLO, 1, 1000, ady_bytes("\xa0", 1)) &&
		    hear(fds[i], &head, &body))
			open_n++;
	}
	CHECK_INT(open_n, ADY_SERVER_CONNECTIONS_MAX);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
}

int main(void)
{
	start_world_with_credentials();
	RUN(unknown_types_and_malformed_bodies_are_answered);
	RUN(broken_frames_end_the_connection);
	RUN(an_answer_nobody_asked_for_ends_the_connection);
	RUN(more_connections_than_allowed_are_closed);
	return end_world();
}
