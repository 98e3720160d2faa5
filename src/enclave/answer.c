/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/answer.h"

#include <string.h>

#include "crypto/hash.h"
#include "enclave/outcome.h"

struct ady_asker ady_asker(struct ady_desk *desk, struct ady_channel *ch,
                           const struct ady_wire_head *head, struct ady_bytes body)
{
	struct ady_asker to = {.ch = ch, .id = head->id, .op = head->type};

	to.desk = ady_wire_decides(head->type) ? desk : NULL;
	if (head->type != ADY_WIRE_SIGN && head->type != ADY_WIRE_DUTY)
		ady_asker_request(&to, body);
	return to;
}

void ady_asker_request(struct ady_asker *to, struct ady_bytes request)
{
	if (to->desk)
		ady_sha256(to->request, &request, 1);
}

void ady_asker_key(struct ady_asker *to, struct ady_bytes name)
{
	size_t from = name.n > ADY_AUDIT_KEY_MAX ? name.n - ADY_AUDIT_KEY_MAX : 0;

	while (from > 0 && from < name.n && (name.p[from] & 0xc0) == 0x80)
		from++; /* a character is whole or not there */
	(void)ady_bytes_to_str(to->key, sizeof to->key, ady_bytes_sub(name, from, name.n - from));
}

static bool answer(const struct ady_asker *to, enum ady_wire_type type, struct ady_bytes body,
                   const struct ady_fault *f)
{
	const struct ady_wire_head head = {
	    .length = (uint32_t)body.n, .type = (uint8_t)(type | ADY_WIRE_ANSWER), .id = to->id};
	struct ady_outcome outcome;

	if (!to->desk)
		return ady_channel_send(to->ch, &head, body) == ADY_OK;
	ady_outcome(&outcome, to, type, body, f);
	ady_desk_leave(to->desk, to->ch, &head, body, &outcome.entry);
	return true;
}

bool ady_answer(const struct ady_asker *to, enum ady_wire_type type, struct ady_bytes body)
{
	return answer(to, type, body, NULL);
}

bool ady_answer_fault(const struct ady_asker *to, const struct ady_fault *f)
{
	uint8_t space[512];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_fault(&b, f);
	return answer(to, ADY_WIRE_ERROR, ady_buf_bytes(&b), f);
}
