/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "crypto/hash.h"

const char *ady_audit_fault_word(enum ady_audit_fault fault)
{
	static const char *const words[] = {
#define ADY_AUDIT_FAULT_WORD(name, word) word,
	    ADY_AUDIT_FAULTS(ADY_AUDIT_FAULT_WORD)
#undef ADY_AUDIT_FAULT_WORD
	};

	return words[fault];
}

static void *more(void *p, size_t n, size_t size)
{
	void *longer = realloc(p, n * size);

	if (!longer)
		ADY_BUG("out of memory");
	return longer;
}

static __attribute__((format(printf, 5, 6))) void find(struct ady_audit_check *c,
                                                       enum ady_audit_fault fault,
                                                       const struct ady_audit_place *at,
                                                       const uint8_t *public32, const char *fmt,
                                                       ...)
{
	struct ady_audit_finding *f;
	va_list args;

	c->findings = more(c->findings, c->findings_n + 1, sizeof *c->findings);
	f = &c->findings[c->findings_n++];
	*f = (struct ady_audit_finding){.fault = fault, .in_chain = public32 != NULL};
	if (at)
		f->at = *at;
	if (public32)
		memcpy(f->public, public32, sizeof f->public);
	va_start(args, fmt);
	vsnprintf(f->detail, sizeof f->detail, fmt, args);
	va_end(args);
}

static struct ady_audit_chain_seen *chain_of(struct ady_audit_check *c, const uint8_t *public32)
{
	for (size_t i = 0; i < c->chains_n; i++)
		if (memcmp(c->chains[i].public, public32, 32) == 0)
			return &c->chains[i];
	c->chains = more(c->chains, c->chains_n + 1, sizeof *c->chains);
	c->chains[c->chains_n] = (struct ady_audit_chain_seen){0};
	memcpy(c->chains[c->chains_n].public, public32, 32);
	return &c->chains[c->chains_n++];
}

/* --- line by line --- */

/* Whether the signature over the proof's head holds. The entries of one signature follow each
 * other: it is verified once, as long as key, head and signature are the very same. */
static bool holds(struct ady_audit_check *c, const struct ady_proof *p,
                  const uint8_t head32[static 32])
{
	const struct ady_bytes parts[] = {p->public, ady_bytes(head32, 32), p->signature};
	uint8_t what[32], *known;

	ady_sha256(what, parts, sizeof parts / sizeof *parts);
	known = c->good[what[0] % (sizeof c->good / sizeof *c->good)];
	if (memcmp(known, what, 32) == 0)
		return true;
	if (!ady_proof_verify(p))
		return false;
	memcpy(known, what, 32);
	return true;
}

static void keep(struct ady_audit_chain_seen *chain, const struct ady_audit_seen *seen)
{
	if (chain->n == chain->cap) {
		chain->cap = chain->cap ? 2 * chain->cap : 64;
		chain->entries = more(chain->entries, chain->cap, sizeof *chain->entries);
	}
	chain->entries[chain->n++] = *seen;
}

/* Lines stand in the order of their entries, but for those that are marked as late. */
static void check_order(struct ady_audit_check *c, struct ady_audit_chain_seen *chain,
                        const struct ady_audit_place *at, char kind, uint64_t sequence)
{
	bool same_file = chain->file == at->file;

	if (kind == 'L') {
		c->late++;
		return;
	}
	if (same_file && sequence < chain->last)
		find(c, ADY_AUDIT_REORDERED, at, chain->public,
		     "entry %" PRIu64 " stands behind entry %" PRIu64, sequence, chain->last);
	chain->file = at->file;
	chain->last = sequence;
}

static void take_proof(struct ady_audit_check *c, const struct ady_audit_place *at, char kind,
                       struct ady_bytes content)
{
	struct ady_audit_seen seen = {.at = *at};
	struct ady_audit_chain_seen *chain;
	struct ady_audit_entry e;
	struct ady_proof p;
	uint8_t head[32];

	if (ady_proof_read(&p, &e, content) != ADY_OK) {
		find(c, ADY_AUDIT_MALFORMED, at, NULL, "is no entry");
		return;
	}
	ady_proof_heads(seen.after, head, &p);
	memcpy(seen.before, p.before.p, 32);
	seen.sequence = e.sequence;
	seen.time_ms = e.time_ms;
	seen.bad = !holds(c, &p, head);
	chain = chain_of(c, p.public.p);
	if (seen.bad)
		find(c, ADY_AUDIT_CHANGED, at, chain->public,
		     "entry %" PRIu64 " is not what the enclave has signed", e.sequence);
	else
		check_order(c, chain, at, kind, e.sequence);
	keep(chain, &seen);
}

static const uint8_t spki_head[] = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};

static void take_document(struct ady_audit_check *c, const struct ady_audit_place *at,
                          struct ady_bytes content)
{
	struct ady_audit_chain_seen *chain;
	struct ady_attestation att;
	struct ady_fault f = {0};

	if (ady_attestation_verify(&att, content, &c->trust->rules, &f) != ADY_OK ||
	    ady_attest_check(&att, &c->trust->expected, &f) != ADY_OK) {
		find(c, ADY_AUDIT_ATTESTATION, at, NULL, "%s%s%s", f.where, f.where[0] ? " " : "",
		     f.detail);
		return;
	}
	if (att.public_key.n != sizeof spki_head + 32 ||
	    memcmp(att.public_key.p, spki_head, sizeof spki_head) != 0) {
		find(c, ADY_AUDIT_ATTESTATION, at, NULL, "is of no response key");
		return;
	}
	chain = chain_of(c, att.public_key.p + sizeof spki_head);
	chain->attested = true;
	(void)ady_bytes_to_str(chain->module, sizeof chain->module, att.module_id);
	if (att.pcrs[0].n == 48)
		ady_hex_encode(chain->pcr0, att.pcrs[0]);
	ady_time_rfc3339(chain->time, att.timestamp_ms / 1000);
}

void ady_audit_check_line(void *ctx, const struct ady_audit_place *at, char kind,
                          struct ady_bytes content)
{
	struct ady_audit_check *c = ctx;

	if (kind == 'A')
		take_document(c, at, content);
	else if (kind == 'P' || kind == 'L')
		take_proof(c, at, kind, content);
	else if (kind == '-')
		c->torn++;
	else
		find(c, ADY_AUDIT_MALFORMED, at, NULL, "is no line of an audit log");
}

/* --- all of them --- */

static int by_sequence(const void *a, const void *b)
{
	const struct ady_audit_seen *x = a, *y = b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	return (int)x->bad - (int)y->bad;
}

static const struct ady_audit_pin *pin_at(const struct ady_audit_check *c, const uint8_t *public32,
                                          uint64_t entries)
{
	for (size_t i = 0; i < c->pins_n; i++)
		if (c->pins[i].entries == entries && memcmp(c->pins[i].public, public32, 32) == 0)
			return &c->pins[i];
	return NULL;
}

/* A log may begin where a pinned head is: what was before is kept elsewhere. */
static void check_start(struct ady_audit_check *c, const struct ady_audit_chain_seen *chain)
{
	const struct ady_audit_seen *first = &chain->entries[0];
	const struct ady_audit_pin *pin = pin_at(c, chain->public, first->sequence);
	uint8_t start[32];

	ady_audit_chain_start(start, chain->public);
	if (first->bad)
		return;
	if (first->sequence == 0 && memcmp(first->before, start, 32) != 0)
		find(c, ADY_AUDIT_CHANGED, &first->at, chain->public,
		     "entry 0 does not begin the chain of its key");
	if (first->sequence > 0 && (!pin || memcmp(pin->head, first->before, 32) != 0))
		find(c, ADY_AUDIT_REMOVED, &first->at, chain->public,
		     "entries 0 to %" PRIu64 " are missing before it", first->sequence - 1);
}

static void check_pair(struct ady_audit_check *c, const struct ady_audit_chain_seen *chain,
                       const struct ady_audit_seen *a, const struct ady_audit_seen *b)
{
	if (a->sequence == b->sequence) {
		if (a->bad || b->bad)
			return; /* one of them is said to be changed */
		if (memcmp(a->after, b->after, 32) != 0)
			find(c, ADY_AUDIT_FORKED, &b->at, chain->public,
			     "there are two entries %" PRIu64 ", and both are signed", b->sequence);
		else if (a->at.file == b->at.file)
			find(c, ADY_AUDIT_DUPLICATED, &b->at, chain->public,
			     "entry %" PRIu64 " stands twice: first in line %zu", b->sequence,
			     a->at.line);
	} else if (b->sequence - a->sequence == 2) {
		find(c, ADY_AUDIT_REMOVED, &b->at, chain->public,
		     "entry %" PRIu64 " is missing before it", a->sequence + 1);
	} else if (b->sequence - a->sequence > 2) {
		find(c, ADY_AUDIT_REMOVED, &b->at, chain->public,
		     "entries %" PRIu64 " to %" PRIu64 " are missing before it", a->sequence + 1,
		     b->sequence - 1);
	} else if (!a->bad && !b->bad && memcmp(a->after, b->before, 32) != 0) {
		find(c, ADY_AUDIT_FORKED, &b->at, chain->public,
		     "entry %" PRIu64 " follows another entry %" PRIu64, b->sequence, a->sequence);
	}
}

static void check_chain(struct ady_audit_check *c, struct ady_audit_chain_seen *chain)
{
	if (chain->n == 0)
		return; /* a key of which nothing was decided */
	qsort(chain->entries, chain->n, sizeof *chain->entries, by_sequence);
	check_start(c, chain);
	for (size_t i = 1; i < chain->n; i++)
		check_pair(c, chain, &chain->entries[i - 1], &chain->entries[i]);
	if (!chain->attested && !c->trust->unattested)
		find(c, ADY_AUDIT_UNATTESTED, &chain->entries[0].at, chain->public,
		     "no document in the log vouches for the key that signed");
}

/* The entry that a pin's head was after; NULL: it is not there. */
static const struct ady_audit_seen *pinned(const struct ady_audit_check *c,
                                           const struct ady_audit_pin *pin)
{
	for (size_t i = 0; i < c->chains_n; i++) {
		const struct ady_audit_chain_seen *chain = &c->chains[i];

		for (size_t k = 0; k < chain->n; k++)
			if (memcmp(chain->public, pin->public, 32) == 0 && !chain->entries[k].bad &&
			    chain->entries[k].sequence + 1 == pin->entries)
				return &chain->entries[k];
	}
	return NULL;
}

static void check_pin(struct ady_audit_check *c, const struct ady_audit_pin *pin)
{
	const struct ady_audit_seen *seen = pinned(c, pin);
	uint64_t end = 0;

	if (seen && memcmp(seen->after, pin->head, 32) != 0)
		find(c, ADY_AUDIT_HEAD, &seen->at, pin->public,
		     "after entry %" PRIu64 " the head is not the one that was pinned",
		     seen->sequence);
	for (size_t i = 0; i < c->chains_n; i++)
		if (memcmp(c->chains[i].public, pin->public, 32) == 0 && c->chains[i].n > 0)
			end = c->chains[i].entries[c->chains[i].n - 1].sequence + 1;
	if (end < pin->entries)
		find(c, ADY_AUDIT_TRUNCATED, NULL, pin->public,
		     "the chain had %" PRIu64 " entries when it was pinned; the log ends after "
		     "%" PRIu64,
		     pin->entries, end);
}

void ady_audit_check_finish(struct ady_audit_check *c)
{
	for (size_t i = 0; i < c->chains_n; i++)
		check_chain(c, &c->chains[i]);
	for (size_t i = 0; i < c->pins_n; i++)
		check_pin(c, &c->pins[i]);
}

static bool take_hex(uint8_t out32[static 32], const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	size_t n;

	return text && ady_hex_decode(out32, 32, &n, ady_bytes_str(text)) == ADY_OK && n == 32;
}

enum ady_err ady_audit_check_pins(struct ady_audit_check *c, struct ady_bytes text,
                                  struct ady_fault *f)
{
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		json_t *o = json_loadb((const char *)text.p, n, JSON_REJECT_DUPLICATES, NULL);
		json_t *entries = json_object_get(o, "entries");
		struct ady_audit_pin pin = {.entries = (uint64_t)json_integer_value(entries)};
		bool ok = json_is_integer(entries) && json_integer_value(entries) > 0 &&
		          take_hex(pin.public, o, "chain") && take_hex(pin.head, o, "head");

		json_decref(o);
		if (!ok)
			return ady_fail(f, ADY_E_JSON, "--head",
			                "has a line that is none of adyton audit head");
		c->pins = more(c->pins, c->pins_n + 1, sizeof *c->pins);
		c->pins[c->pins_n++] = pin;
		text = ady_bytes_sub(text, n + 1, text.n > n ? text.n - n - 1 : 0);
	}
	return ADY_OK;
}

void ady_audit_check_free(struct ady_audit_check *c)
{
	for (size_t i = 0; i < c->chains_n; i++)
		free(c->chains[i].entries);
	free(c->chains);
	free(c->findings);
	free(c->pins);
}
