/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/enclaves.h"

#include <stdlib.h>

/* A connection's number is that of its link, and below it the link's place. */
enum { PLACE_BITS = 8 };

struct place {
	struct ady_enclaves *all;
	struct ady_link *link;
	struct ady_audit_fetch *fetch; /* NULL: none */
	size_t i;
};

struct ady_enclaves {
	struct ady_enclaves_config config;
	struct place places[ADY_GATEWAY_ENCLAVES_MAX];
	size_t turn;         /* who is first among equals */
	uint64_t connection; /* of the question that is told */
	struct ady_credentials_watch watch;
	void (*stopped)(void *ctx);
	size_t running; /* links that have not stopped */
};

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

static void on_question(void *ctx, const struct ady_wire_head *head, struct ady_bytes body)
{
	const struct place *p = ctx;
	struct ady_enclaves *e = p->all;

	e->connection = ady_link_connection(p->link) << PLACE_BITS | p->i;
	e->config.question(e->config.ctx, head, body);
}

static void on_refresh(struct ady_credentials_watch *w)
{
	struct ady_enclaves *e = OWNER(w, struct ady_enclaves, watch);

	for (size_t i = 0; i < e->config.n; i++)
		ady_link_refresh(e->places[i].link);
	if (e->config.refreshed)
		e->config.refreshed(e->config.ctx);
}

static enum ady_err open_links(struct ady_enclaves *e)
{
	struct ady_link_config link = {.loop = e->config.loop,
	                               .dialers = e->config.dialers,
	                               .credentials = e->config.credentials,
	                               .audit = e->config.audit,
	                               .proof = e->config.proof,
	                               .question = e->config.question ? on_question : NULL};
	enum ady_err err = ADY_OK;

	for (size_t i = 0; err == ADY_OK && i < e->config.n; i++) {
		struct place *p = &e->places[i];

		*p = (struct place){.all = e, .i = i};
		link.endpoint = e->config.at[i];
		link.gate = &e->config.gates[i];
		link.ctx = p;
		err = ady_link_open(&p->link, &link);
		if (err == ADY_OK && e->config.audit && e->config.fetches)
			err = ady_audit_fetch_open(&p->fetch, link.loop, p->link, link.audit);
	}
	return err;
}

enum ady_err ady_enclaves_open(struct ady_enclaves **enclaves,
                               const struct ady_enclaves_config *config)
{
	struct ady_enclaves *e = calloc(1, sizeof *e);

	*enclaves = e;
	if (!e)
		return ADY_E_MEMORY;
	e->config = *config;
	if (config->credentials) {
		e->watch.loop = config->loop;
		e->watch.fn = on_refresh;
		ady_credentials_watch(config->credentials, &e->watch);
	}
	return open_links(e);
}

static uint32_t in_flight(const struct ady_enclaves *e, size_t i)
{
	return atomic_load_explicit(&e->config.gates[i].in_flight, memory_order_relaxed);
}

/* Those whose KMS fails come behind all others. */
static uint64_t burden(const struct ady_enclaves *e, size_t i)
{
	return (uint64_t)ady_link_is_ailing(e->places[i].link) << 32 | in_flight(e, i);
}

/* The place to ask, but for those that were tried (a bit each); n: there is none. */
static size_t choose(const struct ady_enclaves *e, unsigned tried)
{
	size_t best = e->config.n;

	for (size_t k = 0; k < e->config.n; k++) {
		size_t i = (e->turn + k) % e->config.n;

		if (ady_link_is_up(e->places[i].link) && !(tried & 1u << i) &&
		    (best == e->config.n || burden(e, i) < burden(e, best)))
			best = i;
	}
	return best;
}

enum ady_err ady_enclaves_ask_other(struct ady_enclaves *e, struct ady_call *call, uint8_t type,
                                    struct ady_bytes body, uint32_t deadline_ms, unsigned *tried)
{
	enum ady_err err = ADY_E_ENCLAVE;
	size_t i;

	/* One that was killed just now is found out by asking it. */
	for (e->turn++; err != ADY_OK && (i = choose(e, *tried)) < e->config.n; *tried |= 1u << i)
		err = ady_link_ask(e->places[i].link, call, type, body, deadline_ms);
	return err;
}

enum ady_err ady_enclaves_ask(struct ady_enclaves *e, struct ady_call *call, uint8_t type,
                              struct ady_bytes body, uint32_t deadline_ms)
{
	unsigned tried = 0;

	return ady_enclaves_ask_other(e, call, type, body, deadline_ms, &tried);
}

enum ady_err ady_enclaves_ask_at(struct ady_enclaves *e, size_t i, struct ady_call *call,
                                 uint8_t type, struct ady_bytes body, uint32_t deadline_ms)
{
	return ady_link_ask(e->places[i].link, call, type, body, deadline_ms);
}

size_t ady_enclaves_n(const struct ady_enclaves *e)
{
	return e->config.n;
}

bool ady_enclaves_up(const struct ady_enclaves *e)
{
	for (size_t i = 0; i < e->config.n; i++)
		if (ady_link_is_up(e->places[i].link))
			return true;
	return false;
}

/* When none is up there is nothing to wait for: the question is asked, and refused. */
bool ady_enclaves_have_room(const struct ady_enclaves *e)
{
	for (size_t i = 0; i < e->config.n; i++)
		if (ady_link_is_up(e->places[i].link) &&
		    in_flight(e, i) <
		        atomic_load_explicit(&e->config.gates[i].limit, memory_order_relaxed) / 2)
			return true;
	return !ady_enclaves_up(e);
}

/* Its link knows it by its id; to the others it is none of theirs. */
void ady_enclaves_forget(struct ady_enclaves *e, struct ady_call *call)
{
	for (size_t i = 0; i < e->config.n; i++)
		ady_link_forget(e->places[i].link, call);
}

uint64_t ady_enclaves_credentials(const struct ady_enclaves *e)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < e->config.n; i++) {
		uint64_t v = ady_link_credentials(e->places[i].link);

		if (ady_link_is_up(e->places[i].link) && v < least)
			least = v;
	}
	return least == UINT64_MAX ? 0 : least;
}

uint64_t ady_enclaves_connection(const struct ady_enclaves *e)
{
	return e->connection;
}

void ady_enclaves_reply(struct ady_enclaves *e, uint64_t connection, uint64_t id, uint8_t type,
                        struct ady_bytes body)
{
	const size_t i = connection & ((1u << PLACE_BITS) - 1);

	ady_link_reply(e->places[i].link, connection >> PLACE_BITS, id, type, body);
}

void ady_enclaves_report(struct ady_enclaves *e, size_t i, struct ady_link_report *report)
{
	ady_link_report(e->places[i].link, report);
}

static void on_stopped(void *ctx)
{
	const struct place *p = ctx;
	struct ady_enclaves *e = p->all;

	if (--e->running == 0)
		e->stopped(e->config.ctx);
}

void ady_enclaves_stop(struct ady_enclaves *e, void (*stopped)(void *ctx))
{
	e->stopped = stopped;
	e->running = e->config.n;
	for (size_t i = 0; i < e->config.n; i++) {
		ady_audit_fetch_stop(e->places[i].fetch);
		ady_link_stop(e->places[i].link, on_stopped);
	}
}

void ady_enclaves_close(struct ady_enclaves *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->config.n; i++) {
		ady_audit_fetch_close(e->places[i].fetch);
		ady_link_close(e->places[i].link);
	}
	free(e);
}
