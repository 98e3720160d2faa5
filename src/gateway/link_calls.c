/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/link_calls.h"

#include <stdlib.h>

static void grow(struct ady_calls *c)
{
	uint32_t cap = c->cap ? 2 * c->cap : 64;
	struct ady_call_slot *slots = realloc(c->slots, cap * sizeof *slots);

	if (!slots)
		ADY_BUG("out of memory");
	for (uint32_t i = c->cap; i < cap; i++)
		slots[i] = (struct ady_call_slot){.next = i + 1};
	c->slots = slots;
	c->free = c->cap;
	c->cap = cap;
}

void ady_calls_add(struct ady_calls *c, struct ady_call *call, uint8_t type, bool counted)
{
	struct ady_call_slot *slot;
	uint32_t at;

	if (c->free == c->cap)
		grow(c);
	at = c->free;
	slot = &c->slots[at];
	c->free = slot->next;
	slot->call = call;
	slot->type = type;
	slot->counted = counted;
	slot->uses++;
	call->id = (uint64_t)slot->uses << 32 | (at + 1); /* never 0 */
	c->n++;
}

struct ady_call_slot *ady_calls_find(struct ady_calls *c, uint64_t id)
{
	uint32_t at = (uint32_t)id - 1;

	if ((uint32_t)id == 0 || at >= c->cap)
		return NULL;
	return c->slots[at].call && c->slots[at].uses == id >> 32 ? &c->slots[at] : NULL;
}

struct ady_call *ady_calls_take(struct ady_calls *c, struct ady_call_slot *slot)
{
	struct ady_call *call = slot->call;

	slot->call = NULL;
	slot->next = c->free;
	c->free = (uint32_t)(slot - c->slots);
	c->n--;
	call->id = 0;
	return call;
}

void ady_calls_free(struct ady_calls *c)
{
	free(c->slots);
	*c = (struct ady_calls){0};
}
