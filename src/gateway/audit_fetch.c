/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit_fetch.h"

#include <stdlib.h>
#include <string.h>

#include "aws/attestation.h"
#include "base/log.h"
#include "codec/wire_audit.h"

enum { FIRST_MS = 20, LOOK_MS = 250, ASK_MS = 3000, SPKI = 44, KEY = 32 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct ady_audit_fetch {
	struct ady_loop *loop;
	struct ady_link *link;
	struct ady_audit *audit;
	struct ady_timer timer;
	struct ady_call call;
	uint64_t connection, doubts; /* for which all was fetched */
	uint64_t now_connection, now_doubts;
	bool attested;       /* a document said so of public; else the entries' answer does */
	uint8_t public[KEY]; /* of the enclave behind the connection */
	uint64_t end;        /* of its chain when it was fetched last */
	uint64_t floor;      /* when it was before that: what is missing below is gone */
	bool stopped;
};

static void ask(struct ady_audit_fetch *f, uint8_t type, const struct ady_buf *body)
{
	(void)ady_link_ask(f->link, &f->call, type, ady_buf_bytes(body), ASK_MS);
}

static void on_audited(struct ady_call *call, struct ady_bytes body, const struct ady_fault *fault);

static void ask_entries(struct ady_audit_fetch *f, uint64_t from)
{
	uint8_t space[16];
	struct ady_buf b = ady_buf(space, sizeof space);

	ady_wire_put_audit(&b, from);
	f->call.done = on_audited;
	ask(f, ADY_WIRE_AUDIT, &b);
}

/* An entry that two fetches did not bring is not kept any more. */
static void ask_missing(struct ady_audit_fetch *f)
{
	uint64_t from = ady_audit_lacks(f->audit, f->public);

	ask_entries(f, from > f->floor ? from : f->floor);
}

/* Entries of another chain than the connection's would be those of another enclave. */
static bool take_proofs(struct ady_audit_fetch *f, struct ady_bytes proofs)
{
	while (proofs.n > 0) {
		size_t n = ady_proof_length(proofs);

		if (n == 0 || ady_audit_write(f->audit, ady_bytes(proofs.p, n), NULL) != ADY_OK)
			return false;
		proofs = ady_bytes_sub(proofs, n, proofs.n - n);
	}
	return true;
}

static void set_public(struct ady_audit_fetch *f, const uint8_t *public32)
{
	if (memcmp(f->public, public32, KEY) != 0)
		f->floor = f->end = 0;
	memcpy(f->public, public32, KEY);
}

static void on_audited(struct ady_call *call, struct ady_bytes body, const struct ady_fault *fault)
{
	struct ady_audit_fetch *f = OWNER(call, struct ady_audit_fetch, call);
	struct ady_wire_audited m;

	if (f->stopped || fault)
		return; /* it is tried again */
	if (ady_wire_read_audited(&m, body) != ADY_OK ||
	    (f->attested && memcmp(m.public.p, f->public, KEY) != 0) || !take_proofs(f, m.proofs)) {
		ADY_WARN("the enclave's entries cannot be read", "bytes=%zu", body.n);
	} else if (m.next < m.end && m.proofs.n > 0) {
		ask_entries(f, m.next);
		return;
	} else {
		set_public(f, m.public.p);
		f->floor = f->end;
		f->end = m.end;
	}
	f->connection = f->now_connection;
	f->doubts = f->now_doubts;
}

static void on_key(struct ady_call *call, struct ady_bytes body, const struct ady_fault *fault)
{
	struct ady_audit_fetch *f = OWNER(call, struct ady_audit_fetch, call);
	struct ady_attestation att;
	struct ady_bytes document;
	struct ady_fault ignored;

	if (f->stopped || fault)
		return;
	if (ady_wire_read_blob(&document, ADY_WIRE_DOCUMENT_MAX, body) != ADY_OK ||
	    ady_attestation_parse(&att, document, &ignored) != ADY_OK || att.public_key.n != SPKI) {
		ADY_WARN("the document of the response key cannot be read: nothing in the audit "
		         "log vouches for the entries of this enclave",
		         "bytes=%zu", body.n);
		f->attested = false;
		ask_entries(f, 0);
		return;
	}
	f->attested = true;
	set_public(f, att.public_key.p + SPKI - KEY);
	ady_audit_key(f->audit, f->public, document);
	ask_missing(f);
}

/* A connection is to one enclave, whose key does not change. */
static void begin(struct ady_audit_fetch *f)
{
	uint8_t space[16];
	struct ady_buf b = ady_buf(space, sizeof space);

	f->now_connection = ady_link_connection(f->link);
	f->now_doubts = ady_audit_doubts(f->audit);
	if (f->connection == f->now_connection) {
		ask_missing(f);
		return;
	}
	ady_wire_put_blob(&b, ady_bytes(NULL, 0));
	f->call.done = on_key;
	ask(f, ADY_WIRE_RESPONSE_KEY, &b);
}

static void on_timer(struct ady_timer *timer)
{
	struct ady_audit_fetch *f = OWNER(timer, struct ady_audit_fetch, timer);

	if (f->stopped)
		return;
	if (f->call.id == 0 && (f->connection != ady_link_connection(f->link) ||
	                        f->doubts != ady_audit_doubts(f->audit)))
		begin(f);
	ady_timer_set(f->loop, &f->timer, f->connection ? LOOK_MS : FIRST_MS);
}

enum ady_err ady_audit_fetch_open(struct ady_audit_fetch **out, struct ady_loop *loop,
                                  struct ady_link *link, struct ady_audit *audit)
{
	struct ady_audit_fetch *f = calloc(1, sizeof *f);

	*out = f;
	if (!f)
		return ADY_E_MEMORY;
	f->loop = loop;
	f->link = link;
	f->audit = audit;
	f->timer.fn = on_timer;
	ady_timer_set(loop, &f->timer, FIRST_MS);
	return ADY_OK;
}

void ady_audit_fetch_stop(struct ady_audit_fetch *f)
{
	if (!f)
		return;
	f->stopped = true;
	ady_timer_cancel(f->loop, &f->timer);
	ady_link_forget(f->link, &f->call);
}

void ady_audit_fetch_close(struct ady_audit_fetch *f)
{
	free(f);
}
