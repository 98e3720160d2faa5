/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/answer.h"

bool ady_answer(const struct ady_asker *to, enum ady_wire_type type, struct ady_bytes body)
{
	struct ady_wire_head head = {
	    .length = (uint32_t)body.n, .type = (uint8_t)type, .id = to->id};

	head.type |= ADY_WIRE_ANSWER;
	return ady_channel_send(to->ch, &head, body) == ADY_OK;
}

bool ady_answer_fault(const struct ady_asker *to, const struct ady_fault *f)
{
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_fault(&b, f);
	return ady_answer(to, ADY_WIRE_ERROR, ady_buf_bytes(&b));
}
