/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/relay.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/relay_stream.h"
#include "net/transport.h"

enum { RESOLVERS = 4, RESOLVE_QUEUE = 256, NAMES_MS = 30000, SPARE_STREAMS = 64 };

#define OWNER(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* getaddrinfo(3) blocks, for many seconds when a name server is silent: never on the loop. */
static void resolve_work(struct ady_work *work, size_t worker)
{
	struct ady_relay_stream *s = OWNER(work, struct ady_relay_stream, work);
	const struct ady_relay_target *target = &s->relay->config->allow[s->target];
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                               .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
	struct addrinfo *list = NULL;
	char port[8];

	(void)worker;
	snprintf(port, sizeof port, "%u", target->port);
	s->names.n = 0;
	if (getaddrinfo(target->host, port, &hints, &list) == 0)
		for (struct addrinfo *a = list; a && s->names.n < ADY_RELAY_ADDRESSES;
		     a = a->ai_next) {
			struct ady_relay_address *to = &s->names.all[s->names.n++];

			memcpy(&to->at, a->ai_addr, a->ai_addrlen);
			to->n = a->ai_addrlen;
		}
	if (list)
		freeaddrinfo(list);
	ady_loop_post(s->relay->loop, &s->task);
}

static void on_resolved(struct ady_task *task)
{
	struct ady_relay_stream *s = OWNER(task, struct ady_relay_stream, task);

	s->resolving = false;
	if (s->names.n > 0) {
		s->names.until_ms = ady_mono_ms() + NAMES_MS;
		s->relay->names[s->target] = s->names;
	}
	ady_relay_stream_resolved(s);
}

enum ady_err ady_relay_resolve(struct ady_relay_stream *s)
{
	enum ady_err err;

	s->work.fn = resolve_work;
	s->task.fn = on_resolved;
	err = ady_pool_submit(s->relay->pool, &s->work);
	s->resolving = err == ADY_OK;
	return err;
}

/* Beyond the cap a few more are accepted, to be told so; what comes on top of that is closed. */
static void on_accept(struct ady_io *io, uint32_t ready)
{
	struct ady_relay *r = OWNER(io, struct ady_relay, listener);

	(void)ready;
	for (int i = 0; i < 64; i++) {
		int fd = ady_accept(io->fd);

		if (fd < 0)
			return;
		if (r->accepted >= r->limits.streams + SPARE_STREAMS)
			close(fd);
		else
			ady_relay_stream_open(r, fd);
	}
}

static void *relay_main(void *arg)
{
	struct ady_relay *r = arg;

	ady_loop_run(r->loop);
	return NULL;
}

static void set_limits(struct ady_relay *r, const struct ady_relay_limits *limits)
{
	if (limits)
		r->limits = *limits;
	if (!r->limits.streams)
		r->limits.streams = 256;
	if (!r->limits.frame_ms)
		r->limits.frame_ms = 5000;
	if (!r->limits.resolve_ms)
		r->limits.resolve_ms = 5000;
	if (!r->limits.connect_ms)
		r->limits.connect_ms = 3000;
	if (!r->limits.idle_ms)
		r->limits.idle_ms = 300000;
}

static enum ady_err start(struct ady_relay *r, struct ady_fault *f)
{
	enum ady_err err = ady_listen(&r->listener.fd, &r->at, f);

	if (err != ADY_OK)
		return err;
	r->listener.fn = on_accept;
	err = ady_loop_open(&r->loop);
	if (err == ADY_OK)
		err = ady_pool_open(&r->pool, RESOLVERS, RESOLVE_QUEUE);
	if (err == ADY_OK)
		err = ady_loop_add(r->loop, &r->listener, EPOLLIN);
	if (err == ADY_OK && pthread_create(&r->thread, NULL, relay_main, r) != 0)
		err = ADY_E_MEMORY;
	return err == ADY_OK ? ADY_OK : ady_fail(f, err, "relay", "the relay cannot be started");
}

static void release(struct ady_relay *r)
{
	if (r->listener.fd >= 0)
		close(r->listener.fd);
	ady_pool_close(r->pool); /* before the streams that its work points to */
	while (r->streams) {
		struct ady_relay_stream *s = r->streams;

		s->resolving = false;
		ady_relay_stream_end(s);
	}
	ady_loop_close(r->loop);
	free(r);
}

enum ady_err ady_relay_open(struct ady_relay **relay, const struct ady_config_relay *config,
                            const struct ady_relay_limits *limits, struct ady_fault *f)
{
	struct ady_relay *r = calloc(1, sizeof *r);
	enum ady_err err;

	*relay = NULL;
	if (!r)
		return ady_fail(f, ADY_E_MEMORY, "relay", "out of memory");
	r->config = config;
	r->at = config->listen;
	r->listener.fd = -1;
	set_limits(r, limits);
	err = start(r, f);
	if (err == ADY_OK)
		*relay = r;
	else
		release(r);
	return err;
}

void ady_relay_report(struct ady_relay *r, struct ady_relay_report *report)
{
	*report = (struct ady_relay_report){
	    .open = atomic_load(&r->open_n),
	    .streams = atomic_load(&r->streams_n),
	    .refused = atomic_load(&r->refused_n),
	    .to_host_bytes = atomic_load(&r->to_host),
	    .to_enclave_bytes = atomic_load(&r->to_enclave),
	};
}

void ady_relay_close(struct ady_relay *r)
{
	if (!r)
		return;
	ady_loop_stop(r->loop);
	pthread_join(r->thread, NULL);
	release(r);
}
