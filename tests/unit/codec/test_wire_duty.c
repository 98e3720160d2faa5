/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/wire_duty.h"

#include "test.h"

static uint8_t space[ADY_WIRE_LARGE_MAX], filler[ADY_WIRE_LARGE_MAX];

static const struct ady_wire_duty duty = {.key_id = {(const uint8_t *)"v0", 2},
                                          .record = {filler, 300},
                                          .state = {filler, 184},
                                          .strict = 1,
                                          .request = {filler, 700},
                                          .stamp = {filler, 90},
                                          .until_slot = UINT64_MAX,
                                          .until_epoch = 9};
static const struct ady_wire_watermark marks = {.op = ADY_WATERMARK_RETIRE,
                                                .key_id = {(const uint8_t *)"v0", 2},
                                                .record = {filler, 300},
                                                .state = {filler, 184},
                                                .genesis_root = {filler, 32},
                                                .marks = 3,
                                                .slot = 5,
                                                .source = 6,
                                                .target = 7};
static const struct ady_wire_state_cas cas = {
    .key = {filler, 48}, .version = 7, .state = {filler, 184}};
static const struct ady_wire_state_outcome outcome = {.written = 0, .state = {filler, 184}};

static bool read_duty(struct ady_bytes body)
{
	struct ady_wire_duty m;

	return ady_wire_read_duty(&m, body) == ADY_OK && ady_bytes_eq(m.request, duty.request) &&
	       m.state.n == 184 && m.strict == 1 && m.stamp.n == 90 && m.until_slot == UINT64_MAX &&
	       m.until_epoch == 9;
}

static bool read_marks(struct ady_bytes body)
{
	struct ady_wire_watermark m;

	return ady_wire_read_watermark(&m, body) == ADY_OK && m.op == 1 && m.slot == 5 &&
	       m.source == 6 && m.target == 7 && m.marks == 3;
}

static bool read_cas(struct ady_bytes body)
{
	struct ady_wire_state_cas m;

	return ady_wire_read_state_cas(&m, body) == ADY_OK && m.version == 7 && m.state.n == 184;
}

static bool read_outcome(struct ady_bytes body)
{
	struct ady_wire_state_outcome m;

	return ady_wire_read_state_outcome(&m, body) == ADY_OK && m.written == 0 &&
	       m.state.n == 184;
}

/* Written and read; cut anywhere, or with a byte behind, refused. */
static void round_trip(const struct ady_buf *b, bool (*read)(struct ady_bytes))
{
	CHECK(!b->full && read(ady_buf_bytes(b)));
	for (size_t n = 0; n < b->n; n += 7)
		CHECK(!read(ady_bytes(space, n)));
	space[b->n] = 0;
	CHECK(!read(ady_bytes(space, b->n + 1)));
}

CASE(bodies_go_round)
{
	struct ady_buf b = ady_buf(space, sizeof space - 1);

	ady_wire_put_duty(&b, &duty);
	round_trip(&b, read_duty);
	b.n = 0;
	ady_wire_put_watermark(&b, &marks);
	round_trip(&b, read_marks);
	b.n = 0;
	ady_wire_put_state_cas(&b, &cas);
	round_trip(&b, read_cas);
	b.n = 0;
	ady_wire_put_state_outcome(&b, &outcome);
	round_trip(&b, read_outcome);
}

static enum ady_err watermark_is(const struct ady_wire_watermark *m, struct ady_wire_watermark *got)
{
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_watermark(&b, m);
	return ady_wire_read_watermark(got, ady_buf_bytes(&b));
}

CASE(marks_of_a_watermark)
{
	struct ady_wire_watermark w = marks, got;

	w.marks = 1; /* an attestation's epochs without its mark */
	CHECK_ERR(watermark_is(&w, &got), ADY_E_PROTOCOL);
	CHECK_INT(got.slot, 0);
	w = marks;
	w.op = 3;
	CHECK_ERR(watermark_is(&w, &got), ADY_E_PROTOCOL);
}

CASE(marks_are_of_a_network)
{
	struct ady_wire_watermark w = marks, got;

	w.genesis_root.n = 0;
	CHECK_ERR(watermark_is(&w, &got), ADY_E_PROTOCOL);
	w = (struct ady_wire_watermark){
	    .op = ADY_WATERMARK_REVIVE, .key_id = marks.key_id, .record = marks.record};
	CHECK_ERR(watermark_is(&w, &got), ADY_OK);
	CHECK(got.op == ADY_WATERMARK_REVIVE && got.genesis_root.n == 0);
	w.genesis_root = ady_bytes(filler, 31);
	CHECK_ERR(watermark_is(&w, &got), ADY_E_PROTOCOL);
}

static enum ady_err cas_is(const struct ady_wire_state_cas *m)
{
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_state_cas got;

	ady_wire_put_state_cas(&b, m);
	return ady_wire_read_state_cas(&got, ady_buf_bytes(&b));
}

CASE(bounds_of_a_state)
{
	struct ady_wire_state_cas c = cas;

	c.key.n = 31;
	CHECK_ERR(cas_is(&c), ADY_E_PROTOCOL);
	c = cas;
	c.version = UINT64_MAX; /* the next one would be 0 */
	CHECK_ERR(cas_is(&c), ADY_E_PROTOCOL);
}

static enum ady_err duty_is(const struct ady_wire_duty *m)
{
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_duty got;

	ady_wire_put_duty(&b, m);
	return ady_wire_read_duty(&got, ady_buf_bytes(&b));
}

CASE(bounds_of_a_duty)
{
	struct ady_buf b = ady_buf(space, sizeof space);
	struct ady_wire_duty d = duty;

	d.request.n = ADY_WIRE_DUTY_MAX + 1;
	CHECK_ERR(duty_is(&d), ADY_E_PROTOCOL);
	d = duty;
	d.request.n = ADY_WIRE_DUTY_MAX;
	d.record.n = ADY_WIRE_RECORD_MAX;
	d.stamp.n = ADY_WIRE_STAMP_MAX;
	ady_wire_put_duty(&b, &d); /* all of them at their longest fit a frame */
	CHECK(!b.full && b.n <= ady_wire_body_max(ADY_WIRE_DUTY));
	CHECK_ERR(duty_is(&d), ADY_OK);
	d.stamp.n++;
	CHECK_ERR(duty_is(&d), ADY_E_PROTOCOL);
	d = duty;
	d.state.n = ADY_WIRE_STATE_MAX + 1;
	CHECK_ERR(duty_is(&d), ADY_E_PROTOCOL);
}

int main(void)
{
	memset(filler, 0x5a, sizeof filler);
	RUN(bodies_go_round);
	RUN(marks_of_a_watermark);
	RUN(marks_are_of_a_network);
	RUN(bounds_of_a_state);
	RUN(bounds_of_a_duty);
	return test_end();
}
