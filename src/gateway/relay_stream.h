/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the relay, shared by relay.c (listener, names), relay_stream.c (one stream from
 * first frame to end) and relay_pipe.c (bytes in both directions). Thread rule: the relay's loop,
 * but for the atomics and resolve_work. */
#ifndef ADY_GATEWAY_RELAY_STREAM_H
#define ADY_GATEWAY_RELAY_STREAM_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "base/pool.h"
#include "codec/wire.h"
#include "gateway/relay.h"
#include "net/loop.h"

enum { ADY_RELAY_ADDRESSES = 8, ADY_RELAY_BUFFER = 64 * 1024, ADY_RELAY_FRAME = 24 + 320 };

struct ady_relay_address {
	struct sockaddr_storage at;
	socklen_t n;
};

/* The addresses of one allowed destination, kept for a short time. */
struct ady_relay_names {
	struct ady_relay_address all[ADY_RELAY_ADDRESSES];
	size_t n;
	int64_t until_ms;
};

struct ady_relay_stream;

/* One end of a stream. */
struct ady_relay_side {
	struct ady_io io;
	struct ady_relay_stream *stream;
	struct ady_dyn out; /* waits to be written to this side */
	bool watched, eof;  /* eof: this side sends no more */
	bool shut;          /* and neither do we send to it */
};

enum ady_relay_stage {
	ADY_RELAY_FIRST,   /* the frame is being read */
	ADY_RELAY_RESOLVE, /* the name is being looked up */
	ADY_RELAY_CONNECT,
	ADY_RELAY_PIPE,
	ADY_RELAY_REFUSED, /* the refusal is being written */
};

struct ady_relay_stream {
	struct ady_relay *relay;
	struct ady_relay_stream *next, *prev;
	struct ady_relay_side enclave, host;
	enum ady_relay_stage stage;
	struct ady_timer timer;
	int64_t active_ms; /* of the last byte */
	uint8_t frame[ADY_RELAY_FRAME];
	size_t frame_n;
	struct ady_wire_head head;
	size_t target, address; /* places in the allow-list and in names.all */
	struct ady_relay_names names;
	struct ady_work work; /* resolving */
	struct ady_task task;
	bool resolving, gone; /* gone: ended while it was being resolved */
};

struct ady_relay {
	const struct ady_config_relay *config;
	struct ady_relay_limits limits;
	struct ady_loop *loop;
	struct ady_pool *pool;
	pthread_t thread;
	struct ady_io listener;
	struct ady_endpoint at;
	struct ady_relay_stream *streams; /* all of them */
	size_t accepted, connected;       /* all; those past their first frame */
	struct ady_relay_names names[ADY_GATEWAY_ALLOW_MAX];
	uint8_t scratch[ADY_RELAY_BUFFER];
	_Atomic uint64_t open_n, streams_n, refused_n, to_host, to_enclave;
};

/* Serve an accepted descriptor. */
void ady_relay_stream_open(struct ady_relay *relay, int fd);

/* End a stream at once: both descriptors are closed, the stream is freed (or left to its lookup).
 */
void ady_relay_stream_end(struct ady_relay_stream *s);

/* Look the stream's target up on the pool; ady_relay_stream_resolved is called on the loop.
 * Returns ADY_E_BUSY. */
enum ady_err ady_relay_resolve(struct ady_relay_stream *s);

/* The lookup has ended; s->names holds what it found. */
void ady_relay_stream_resolved(struct ady_relay_stream *s);

/* Begin to pass bytes on: both sides are connected, the answer lies in enclave.out. */
void ady_relay_pipe_begin(struct ady_relay_stream *s);

/* Write what waits for a side. False: the side is broken. */
bool ady_relay_flush(struct ady_relay_side *side);

/* Watch a side for events, or stop watching it (0). False: the kernel refused. */
bool ady_relay_watch(struct ady_relay_side *side, uint32_t events);

#endif
