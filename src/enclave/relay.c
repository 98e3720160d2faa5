/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/relay.h"

#include <unistd.h>

#include "base/clock.h"
#include "codec/wire.h"

enum { ANSWER_MAX = 1024, STREAM_ID = 1 };

/* Milliseconds until deadline, for calls that count in int. */
static int left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - ady_mono_ms();

	if (left < 1)
		return 0;
	return left < ADY_WIRE_DEADLINE_MAX_MS ? (int)left : ADY_WIRE_DEADLINE_MAX_MS;
}

static enum ady_err ask(int fd, const char *host, uint16_t port, int64_t deadline_ms)
{
	uint8_t frame[ADY_WIRE_HEAD + 300];
	struct ady_buf body = ady_buf(frame + ADY_WIRE_HEAD, sizeof frame - ADY_WIRE_HEAD);
	struct ady_wire_head head = {.type = ADY_WIRE_RELAY, .id = STREAM_ID};

	ady_wire_put_relay(&body, ady_bytes_str(host), port);
	head.length = (uint32_t)body.n;
	head.deadline_ms = (uint32_t)left_ms(deadline_ms);
	if (body.full || head.deadline_ms == 0)
		return ADY_E_DEADLINE;
	ady_wire_put_head(frame, &head);
	return ady_write_all(fd, frame, ADY_WIRE_HEAD + body.n, deadline_ms);
}

/* The relay's words are shown as its own: nothing of them is believed. */
static enum ady_err refused(struct ady_bytes body, struct ady_fault *f)
{
	struct ady_fault said;

	if (ady_wire_read_fault(&said, body) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the relay's refusal is malformed");
	return ady_fail(f, ADY_E_IO, "", "the relay refuses: %s: %.90s", ady_err_code(said.err),
	                said.detail);
}

static enum ady_err hear(int fd, int64_t deadline_ms, struct ady_fault *f)
{
	uint8_t raw[ADY_WIRE_HEAD], body[ANSWER_MAX];
	struct ady_wire_head head;
	enum ady_err err = ady_read_exact(fd, raw, sizeof raw, deadline_ms);

	if (err != ADY_OK)
		return ady_fail(f, err, "", "the relay did not answer");
	if (ady_wire_read_head(&head, raw) != ADY_OK || head.id != STREAM_ID ||
	    head.length > sizeof body)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the relay's answer is malformed");
	if ((err = ady_read_exact(fd, body, head.length, deadline_ms)) != ADY_OK)
		return ady_fail(f, err, "", "the relay's answer breaks off");
	if (head.type == ADY_WIRE_ERROR)
		return refused(ady_bytes(body, head.length), f);
	if (head.type != (ADY_WIRE_RELAY | ADY_WIRE_ANSWER) ||
	    ady_wire_read_empty(ady_bytes(body, head.length)) != ADY_OK)
		return ady_fail(f, ADY_E_PROTOCOL, "", "the relay's answer is malformed");
	return ADY_OK;
}

enum ady_err ady_relay_dial(int *fd, const struct ady_endpoint *relay, const char *host,
                            uint16_t port, int64_t deadline_ms, struct ady_fault *f)
{
	enum ady_err err = ady_dial(fd, relay, left_ms(deadline_ms));

	if (err != ADY_OK)
		return ady_fail(f, err, "", "the relay cannot be reached");
	if ((err = ask(*fd, host, port, deadline_ms)) != ADY_OK)
		err = ady_fail(f, err, "", "the relay does not listen");
	else
		err = hear(*fd, deadline_ms, f);
	if (err != ADY_OK) {
		close(*fd);
		*fd = -1;
	}
	return err;
}
