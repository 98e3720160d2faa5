/* SPDX-License-Identifier: Apache-2.0
 *
 * An exhaustive model of slashing protection: every interleaving of a small world in which the real
 * rules of src/policy/slashing.c decide. Requests for every message there is, in any order;
 * enclaves that crash at any point and start again with a clock that is wrong by one slot either
 * way; conditional writes that are lost, delayed, or answered to nobody. The invariant: no two
 * messages that conflict are ever signed. Three worlds:
 *
 *   store   two enclaves at once, one store that keeps what it was given. Rows may be stale.
 *   clocks  the same for longer, and the clocks of the two may differ by a slot.
 *   parent  one enclave at a time, any number one after the other, and a parent that lies: it
 *           presents any row that an enclave ever made, rolls back, and answers what it likes.
 *
 * Each rule is then broken in turn, and the model must find the two messages. One world more is
 * known to be lost and is shown to be: two enclaves at once with a store that is rolled back.
 * Bounds: 5 slots of true time (store: 3), 2 (attestations) or 3 writes, 2 roots, one
 * slot an epoch.
 * Usage: slashing_model      Exit: 0 all as it must be, 1 not. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/slashing.h"
#include "test.h"

enum { ROWS = 4, ENCLAVES = 2, PENDING = 2, NONE = 0xff, ROOTS = 2, SEEN_BITS = 23 };

enum stage { FREE, SENT, APPLIED, CONFLICTED, ORPHAN };

struct enclave {
	uint8_t up, clock_late, floor, last; /* last: index of a row, or NONE */
	struct {
		uint8_t stage, row;
	} pending[PENDING];
};

/* A state of the world, without padding: it is hashed and compared as bytes. */
struct world {
	uint8_t now, rows, stored, witness; /* witness: a message that was signed, or NONE */
	uint8_t version[ROWS], message[ROWS];
	uint8_t was_stored; /* bit of each row */
	struct enclave enclave[ENCLAVES];
};

enum breakage {
	NOTHING,
	NO_FLOOR,
	SHORT_FLOOR,
	NO_FUTURE_BOUND,
	FORGETFUL,
	REPEAT_BELOW_FLOOR,
	UNKNOWN_IS_SIGNED,
	UNCONDITIONAL_WRITE,
	SIGN_BEFORE_WRITE,
	LAGGING_SOURCE,
	SOURCE_MAY_FALL,
	TARGET_MAY_STAY,
	BREAKAGES,
};

static const char *const breakage_names[BREAKAGES] = {
    "as it is",
    "without the floor in time",
    "with a floor that ignores the error of clocks",
    "without the bound on the future",
    "with an enclave that forgets what it has seen",
    "with repeats below the floor",
    "when an unknown outcome is signed",
    "with writes that are not conditional",
    "when the key is used before the write",
    "with lagging sources allowed",
    "when the source may fall",
    "when the target may stay",
};

static struct {
	bool blocks, lying, two, rollback;
	unsigned slots; /* of true time */
	int error;      /* of clocks that are late, in slots; what the floor allows for */
	int early;      /* of the others */
	uint8_t targets, max_rows;
	unsigned in_flight; /* writes of one enclave */
	enum breakage broken;
	bool found;
	uint64_t states;
} model;

static struct world *seen, *todo;
static size_t todo_n, todo_cap, seen_n;

/* Messages are numbers: source, target and root, or slot and root. */
static unsigned messages(void)
{
	return (model.blocks ? model.targets : model.targets * model.targets) * ROOTS;
}

static struct ady_slash_ask ask_of(unsigned m)
{
	unsigned k = m / ROOTS;

	if (model.blocks)
		return (struct ady_slash_ask){
		    .is_block = true, .slot = k + 1, .root = {(uint8_t)(m % ROOTS + 1)}};
	return (struct ady_slash_ask){.source = k / model.targets,
	                              .target = k % model.targets + 1,
	                              .root = {(uint8_t)(m % ROOTS + 1)}};
}

static bool conflict(unsigned a, unsigned b)
{
	struct ady_slash_ask x = ask_of(a), y = ask_of(b);

	if (a == b)
		return false;
	if (model.blocks)
		return x.slot == y.slot;
	return x.target == y.target || (x.source < y.source && y.target < x.target) ||
	       (y.source < x.source && x.target < y.target);
}

static struct ady_slash_state state_of(const struct world *w, uint8_t row)
{
	struct ady_slash_state s = {0};
	struct ady_slash_ask ask;

	if (row == NONE)
		return s;
	if (w->message[row] != NONE) {
		ask = ask_of(w->message[row]);
		ady_slash_raise(&s, &ask);
	}
	s.version = w->version[row];
	return s;
}

static uint64_t hash_of(const struct world *w)
{
	const uint8_t *p = (const uint8_t *)w;
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < sizeof *w; i++)
		h = (h ^ p[i]) * 1099511628211U;
	return h ^ h >> 29;
}

/* Queue a world that has not been seen. An empty place in the table has now = 0. */
static void reach(const struct world *w)
{
	size_t mask = ((size_t)1 << SEEN_BITS) - 1, i = hash_of(w) & mask;

	if (model.found)
		return;
	for (; seen[i].now; i = (i + 1) & mask)
		if (memcmp(&seen[i], w, sizeof *w) == 0)
			return;
	seen[i] = *w;
	if (++seen_n > mask / 4 * 3) {
		printf("not ok slashing model: more states than there is room for\n");
		exit(1);
	}
	if (todo_n == todo_cap) {
		todo_cap = todo_cap ? 2 * todo_cap : 1 << 16;
		todo = realloc(todo, todo_cap * sizeof *todo);
		if (!todo)
			abort();
	}
	todo[todo_n++] = *w;
}

/* A signature leaves. One of all signed messages is the witness, whichever: both are tried. */
static void sign(struct world w, uint8_t message)
{
	if (w.witness != NONE && conflict(w.witness, message))
		model.found = true;
	reach(&w);
	if (w.witness == NONE) {
		w.witness = message;
		reach(&w);
	}
}

static int clock_of(const struct world *w, unsigned e)
{
	return w->now + (w->enclave[e].clock_late ? -model.error : model.early);
}

static struct ady_slash_time time_of(const struct world *w, unsigned e)
{
	int clock = clock_of(w, e);

	return (struct ady_slash_time){
	    .has_floor = true,
	    .last_slot = model.broken == NO_FUTURE_BOUND ? model.targets
	                 : clock < 0                     ? 0
	                                                 : (unsigned)clock,
	    .slots_per_epoch = 1,
	    .lagging_source = model.broken == LAGGING_SOURCE,
	};
}

static void boot(struct world w, unsigned e, bool late)
{
	static const struct enclave fresh = {.up = 1, .last = NONE};
	struct enclave *x = &w.enclave[e];
	int floor;

	for (unsigned k = 0; k < PENDING; k++)
		if (x->pending[k].stage == SENT)
			return; /* it was made an orphan when the enclave ended */
	x->up = fresh.up;
	x->last = fresh.last;
	x->clock_late = late;
	floor = clock_of(&w, e) + (model.broken == SHORT_FLOOR ? model.error : 2 * model.error);
	x->floor = model.broken == NO_FLOOR ? 0 : (uint8_t)floor;
	reach(&w);
}

static void crash(struct world w, unsigned e)
{
	struct enclave *x = &w.enclave[e];

	x->up = x->clock_late = x->floor = 0;
	x->last = NONE;
	for (unsigned k = 0; k < PENDING; k++) {
		if (x->pending[k].stage == SENT)
			x->pending[k].stage = ORPHAN;
		else if (x->pending[k].stage != ORPHAN)
			x->pending[k].stage = FREE, x->pending[k].row = 0;
	}
	reach(&w);
}

/* The index of a row with this content, made when there is none; NONE when there is no room. */
static uint8_t row_of(struct world *w, uint64_t version, uint8_t message)
{
	for (uint8_t k = 0; k < w->rows; k++)
		if (w->version[k] == version && w->message[k] == message)
			return k;
	if (w->rows == model.max_rows)
		return NONE;
	w->version[w->rows] = (uint8_t)version;
	w->message[w->rows] = message;
	return w->rows++;
}

/* The rules as they are, or with one of them broken. */
static enum ady_err begin(struct ady_slash_memory *m, struct ady_slash_state *row,
                          const struct ady_slash_ask *ask, struct ady_slash_time time,
                          struct ady_slash_state *next, bool *repeat)
{
	struct ady_slash_time no_floor = {.last_slot = UINT64_MAX, .slots_per_epoch = 1};

	if (model.broken == FORGETFUL)
		m->last = (struct ady_slash_state){0};
	if (model.broken == SOURCE_MAY_FALL)
		row->source = m->last.source = 0;
	if (model.broken == TARGET_MAY_STAY && row->target == ask->target)
		row->target--;
	if (model.broken == TARGET_MAY_STAY && m->last.target == ask->target)
		m->last.target--;
	if (model.broken == TARGET_MAY_STAY && m->last.slot == ask->slot)
		m->last.slot--;
	if (model.broken == TARGET_MAY_STAY && row->slot == ask->slot)
		row->slot--;
	if (model.broken == REPEAT_BELOW_FLOOR &&
	    ady_slash_check(row->version > m->last.version ? row : &m->last, ask, &no_floor, repeat,
	                    NULL) == ADY_OK &&
	    *repeat)
		return ADY_OK;
	return ady_slash_begin(m, row, ask, time, next, repeat, NULL);
}

static void request(struct world w, unsigned e, uint8_t message, uint8_t row)
{
	struct enclave *x = &w.enclave[e];
	struct ady_slash_memory m = {.floor_slot = x->floor, .last = state_of(&w, x->last)};
	struct ady_slash_state given = state_of(&w, row), next;
	struct ady_slash_ask ask = ask_of(message);
	uint8_t made;
	bool repeat;
	unsigned k = 0;

	if (begin(&m, &given, &ask, time_of(&w, e), &next, &repeat) != ADY_OK)
		return;
	if (x->last == NONE || w.version[row] > w.version[x->last])
		x->last = row;
	if (repeat) {
		sign(w, message);
		return;
	}
	while (k < model.in_flight && x->pending[k].stage != FREE)
		k++;
	if (k == model.in_flight || (made = row_of(&w, next.version, message)) == NONE)
		return;
	x->pending[k].stage = SENT;
	x->pending[k].row = made;
	if (model.broken == SIGN_BEFORE_WRITE)
		sign(w, message);
	reach(&w);
}

static void finish(struct world w, unsigned e, unsigned k, enum ady_slash_outcome outcome)
{
	struct enclave *x = &w.enclave[e];
	uint8_t row = x->pending[k].row;
	struct ady_slash_memory m = {.floor_slot = x->floor, .last = state_of(&w, x->last)};
	struct ady_slash_state next = state_of(&w, row);
	enum ady_err err;

	if (model.broken == FORGETFUL)
		m.last = (struct ady_slash_state){0};
	err = ady_slash_end(&m, &next, outcome, NULL);
	if (model.broken == UNKNOWN_IS_SIGNED && outcome == ADY_SLASH_UNKNOWN)
		err = ADY_OK;
	x->pending[k].stage = x->pending[k].stage == SENT && !model.lying ? ORPHAN : FREE;
	if (x->pending[k].stage == FREE)
		x->pending[k].row = 0;
	if (err != ADY_OK) {
		reach(&w);
		return;
	}
	if (m.last.version == next.version && outcome == ADY_SLASH_WRITTEN)
		x->last = row;
	sign(w, w.message[row]);
}

/* The store takes a conditional write, from an enclave that still waits or from nobody. */
static void apply(struct world w, unsigned e, unsigned k)
{
	uint8_t *stage = &w.enclave[e].pending[k].stage, *row = &w.enclave[e].pending[k].row;
	bool ok = w.version[w.stored] + 1 == w.version[*row] || model.broken == UNCONDITIONAL_WRITE;

	if (ok) {
		w.stored = *row;
		w.was_stored |= (uint8_t)(1U << *row);
	}
	if (*stage == ORPHAN)
		*stage = FREE, *row = 0;
	else
		*stage = ok ? APPLIED : CONFLICTED;
	reach(&w);
}

static void drop(struct world w, unsigned e, unsigned k)
{
	w.enclave[e].pending[k].stage = FREE;
	w.enclave[e].pending[k].row = 0;
	reach(&w);
}

static void step_pending(const struct world *w, unsigned e, unsigned k)
{
	enum stage stage = (enum stage)w->enclave[e].pending[k].stage;

	if (stage == FREE)
		return;
	if (model.lying) {
		if (stage == ORPHAN) {
			drop(*w, e, k);
			return;
		}
		finish(*w, e, k, ADY_SLASH_WRITTEN);
		finish(*w, e, k, ADY_SLASH_CONFLICT);
		finish(*w, e, k, ADY_SLASH_UNKNOWN);
		return;
	}
	if (stage == SENT || stage == ORPHAN)
		apply(*w, e, k);
	if (stage == ORPHAN)
		drop(*w, e, k);
	else
		finish(*w, e, k, ADY_SLASH_UNKNOWN);
	if (stage == APPLIED)
		finish(*w, e, k, ADY_SLASH_WRITTEN);
	if (stage == CONFLICTED)
		finish(*w, e, k, ADY_SLASH_CONFLICT);
}

static void step_enclave(const struct world *w, unsigned e)
{
	for (unsigned k = 0; k < PENDING; k++)
		step_pending(w, e, k);
	if (!w->enclave[e].up) {
		boot(*w, e, false);
		if (model.error)
			boot(*w, e, true);
		return;
	}
	crash(*w, e);
	for (uint8_t row = 0; row < w->rows; row++)
		for (unsigned m = 0; m < messages() && (model.lying || w->was_stored >> row & 1);
		     m++)
			request(*w, e, (uint8_t)m, row);
}

static void step(const struct world *w)
{
	struct world next = *w;

	for (unsigned e = 0; e < (model.two ? ENCLAVES : 1); e++)
		step_enclave(w, e);
	if (w->now < model.slots) {
		next.now++;
		reach(&next);
	}
	for (uint8_t row = 0; row < w->rows && model.rollback; row++) {
		next = *w;
		next.stored = row;
		if (w->was_stored >> row & 1)
			reach(&next);
	}
}

/* A lying parent needs time to pass and clocks that differ; a store needs concurrency. */
static void world(bool lying)
{
	model.lying = lying;
	model.two = !lying;
	model.slots = lying ? 5 : 3;
	model.early = model.error = lying ? 1 : 0;
	model.targets = (uint8_t)(model.slots + (unsigned)model.error);
	model.max_rows = ROWS - (model.blocks ? 0 : 1);
	model.in_flight = lying ? PENDING : 1;
}

/* Two enclaves at once, the clock of each right or a slot late. Messages of later slots than the
 * fourth could be signed by one of them only before time ends. */
static void world_of_clocks(void)
{
	world(false);
	model.slots = 5;
	model.error = 1;
	model.targets = 4;
}

/* Whether two messages that conflict can be signed. */
static bool can_be_slashed(void)
{
	struct world first = {.now = 1, .rows = 1, .was_stored = 1, .witness = NONE};

	memset(seen, 0, sizeof *seen << SEEN_BITS);
	todo_n = seen_n = 0;
	model.found = false;
	first.version[0] = 1;
	first.message[0] = NONE;
	for (unsigned e = 0; e < ENCLAVES; e++)
		first.enclave[e].last = NONE;
	reach(&first);
	while (todo_n > 0 && !model.found) {
		struct world w = todo[--todo_n];

		step(&w);
	}
	model.states = seen_n;
	return model.found;
}

static int failed;

static void expect(bool slashed, const char *world, const char *what)
{
	bool got = can_be_slashed();

	failed |= got != slashed;
	printf("%s slashing model, %s, %s %s: %s (%llu states)\n", got == slashed ? "ok" : "not ok",
	       world, model.blocks ? "blocks" : "attestations", what,
	       got ? "two conflicting messages can be signed" : "no two conflicting messages",
	       (unsigned long long)model.states);
	fflush(stdout);
}

/* Which world shows that a rule is missed. */
static void break_rules(bool blocks)
{
	for (enum breakage b = NO_FLOOR; b < BREAKAGES; b++) {
		bool by_store =
		    b == UNCONDITIONAL_WRITE || b == UNKNOWN_IS_SIGNED || b == SIGN_BEFORE_WRITE;

		if (blocks && (b == LAGGING_SOURCE || b == SOURCE_MAY_FALL))
			continue;
		model.blocks = blocks;
		model.broken = b;
		world(!by_store);
		/* It takes a restart between two signatures: more time than this world has for
		 * floors that allow for the error of clocks. */
		if (b == LAGGING_SOURCE)
			model.error = model.early = 0;
		expect(true, by_store ? "store" : "parent", breakage_names[b]);
		if (by_store) {
			world_of_clocks();
			expect(true, "clocks", breakage_names[b]);
		}
	}
	model.broken = NOTHING;
}

int main(void)
{
	seen = calloc((size_t)1 << SEEN_BITS, sizeof *seen);
	if (!seen)
		return 2;
	for (int blocks = 1; blocks >= 0; blocks--) {
		model.blocks = blocks;
		world(true);
		expect(false, "parent", breakage_names[NOTHING]);
		world(false);
		expect(false, "store", breakage_names[NOTHING]);
		world_of_clocks();
		expect(false, "clocks", breakage_names[NOTHING]);
		break_rules(blocks);
	}
	model.blocks = model.rollback = true;
	world(false);
	expect(true, "store", "rolled back under two enclaves at once (not promised)");
	free(seen);
	free(todo);
	return failed;
}
