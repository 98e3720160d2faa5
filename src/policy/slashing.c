/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/slashing.h"

#include <string.h>

static enum ady_err refuse(struct ady_fault *f, const char *why)
{
	return ady_fail(f, ADY_E_SLASHING, NULL, "%s", why);
}

static bool same_root(const uint8_t a[static 32], const uint8_t b[static 32])
{
	return memcmp(a, b, 32) == 0;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t epoch_of(const struct ady_slash_ask *ask, const struct ady_slash_time *time)
{
	return ask->is_block ? ask->slot / time->slots_per_epoch : ask->target;
}

/* EIP-3076, conditions 1 and 2, with one block remembered. */
static enum ady_err check_block(const struct ady_slash_state *s, const struct ady_slash_ask *ask,
                                bool *repeat, struct ady_fault *f)
{
	if (!s->has_block || ask->slot > s->slot)
		return ADY_OK;
	*repeat = ask->slot == s->slot && s->has_block_root && same_root(ask->root, s->block_root);
	if (*repeat)
		return ADY_OK;
	return refuse(f, ask->slot == s->slot ? "another block of this slot was signed"
	                                      : "a block of a later slot was signed");
}

/* EIP-3076, conditions 3 to 5: the source may not fall and the target must rise, which leaves
 * neither a double vote nor a vote around another. A vote from an epoch to itself is none but at
 * genesis, and could be surrounded by one that the floor allows. */
static enum ady_err check_attestation(const struct ady_slash_state *s,
                                      const struct ady_slash_ask *ask, bool *repeat,
                                      struct ady_fault *f)
{
	if (ask->source > ask->target || (ask->source == ask->target && ask->target != 0))
		return refuse(f, "the source is not before the target");
	if (!s->has_attestation)
		return ADY_OK;
	if (ask->target == s->target && ask->source == s->source && s->has_attestation_root &&
	    same_root(ask->root, s->attestation_root)) {
		*repeat = true;
		return ADY_OK;
	}
	if (ask->target <= s->target)
		return refuse(f, "an attestation with this target or a later one was signed");
	if (ask->source < s->source)
		return refuse(f, "an attestation with a later source was signed");
	return ADY_OK;
}

/* The floor stands for what may have been signed and is not in the row: it would be surrounded by a
 * vote from before the epoch before. */
static enum ady_err check_time(const struct ady_slash_ask *ask, const struct ady_slash_time *time,
                               struct ady_fault *f)
{
	uint64_t floor_epoch = time->floor_slot / time->slots_per_epoch;

	if (epoch_of(ask, time) > time->last_slot / time->slots_per_epoch ||
	    (ask->is_block && ask->slot > time->last_slot))
		return refuse(f, "it is of the future");
	if (!time->has_floor)
		return ADY_OK;
	if (ask->is_block ? ask->slot <= time->floor_slot : ask->target <= floor_epoch)
		return ady_fail(f, ADY_E_SLASHING, ADY_SLASH_FLOOR,
		                "it is of a time before this enclave first used the key");
	if (!ask->is_block && !time->lagging_source && ask->source + 1 < floor_epoch)
		return ady_fail(f, ADY_E_SLASHING, ADY_SLASH_FLOOR,
		                "its source is of a time before this enclave first used the key");
	return ADY_OK;
}

enum ady_err ady_slash_check(const struct ady_slash_state *state, const struct ady_slash_ask *ask,
                             const struct ady_slash_time *time, bool *repeat, struct ady_fault *f)
{
	enum ady_err err;

	*repeat = false;
	if (state->version == 0)
		return refuse(f, "the key has no slashing protection state");
	if (state->retired)
		return refuse(f, "the key was exported or deleted and signs no more");
	if (epoch_of(ask, time) < state->from_epoch)
		return refuse(f, "the key is in quarantine");
	err = ask->is_block ? check_block(state, ask, repeat, f)
	                    : check_attestation(state, ask, repeat, f);
	return err == ADY_OK ? check_time(ask, time, f) : err;
}

void ady_slash_raise(struct ady_slash_state *state, const struct ady_slash_ask *ask)
{
	state->version++;
	if (ask->is_block) {
		state->has_block = state->has_block_root = true;
		state->slot = ask->slot;
		memcpy(state->block_root, ask->root, 32);
	} else {
		state->has_attestation = state->has_attestation_root = true;
		state->source = ask->source;
		state->target = ask->target;
		memcpy(state->attestation_root, ask->root, 32);
	}
}

void ady_slash_merge(struct ady_slash_state *state, const struct ady_slash_state *other)
{
	struct ady_slash_state old = *state;

	state->version++;
	state->retired |= other->retired;
	state->from_epoch = max(old.from_epoch, other->from_epoch);
	if (other->has_block && (!old.has_block || other->slot >= old.slot)) {
		state->has_block = true;
		state->has_block_root = false;
		state->slot = other->slot;
	}
	if (other->has_attestation &&
	    (!old.has_attestation || other->source > old.source || other->target >= old.target)) {
		state->has_attestation = true;
		state->has_attestation_root = false;
		state->source = max(old.source, other->source);
		state->target = max(old.target, other->target);
	}
	if (!state->has_block_root)
		memset(state->block_root, 0, 32);
	if (!state->has_attestation_root)
		memset(state->attestation_root, 0, 32);
}

void ady_slash_remember(struct ady_slash_memory *m, uint64_t floor_slot)
{
	*m = (struct ady_slash_memory){.floor_slot = floor_slot};
}

/* Whether two states of one version are one. The unused roots are zero, padding is never written.
 */
static bool same_state(const struct ady_slash_state *a, const struct ady_slash_state *b)
{
	return a->retired == b->retired && a->has_block == b->has_block &&
	       a->has_block_root == b->has_block_root && a->has_attestation == b->has_attestation &&
	       a->has_attestation_root == b->has_attestation_root && a->slot == b->slot &&
	       a->source == b->source && a->target == b->target && a->from_epoch == b->from_epoch &&
	       same_root(a->block_root, b->block_root) &&
	       same_root(a->attestation_root, b->attestation_root);
}

enum ady_err ady_slash_begin(struct ady_slash_memory *m, const struct ady_slash_state *row,
                             const struct ady_slash_ask *ask, struct ady_slash_time time,
                             struct ady_slash_state *next, bool *repeat, struct ady_fault *f)
{
	enum ady_err err;

	*repeat = false;
	*next = (struct ady_slash_state){0};
	if (row->version > 0 && row->version == m->last.version && !same_state(row, &m->last))
		return refuse(f, "the state's history has split: the store was rolled back");
	if (row->version > m->last.version)
		m->last = *row;
	time.has_floor = true;
	time.floor_slot = m->floor_slot;
	if ((err = ady_slash_check(&m->last, ask, &time, repeat, f)) != ADY_OK)
		return err;
	*next = m->last;
	if (!*repeat)
		ady_slash_raise(next, ask);
	return ADY_OK;
}

enum ady_err ady_slash_end(struct ady_slash_memory *m, const struct ady_slash_state *next,
                           enum ady_slash_outcome outcome, struct ady_fault *f)
{
	if (outcome == ADY_SLASH_UNKNOWN)
		return refuse(f,
		              "whether the state was written is not known: it counts as written");
	/* An answer that is overtaken by another, or one of a store that was rolled back: what is
	 * in the newest state may be signed again, and nothing else. */
	if (outcome == ADY_SLASH_CONFLICT || next->version <= m->last.version)
		return ADY_E_AGAIN;
	m->last = *next;
	return ADY_OK;
}
