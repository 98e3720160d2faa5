/* SPDX-License-Identifier: Apache-2.0
 *
 * A connection that carries frames (codec/wire.h) in both directions on a loop. A broken header
 * ends the connection; bodies are the receiver's to judge. What is sent waits in a bounded buffer.
 * Thread rule: ady_channel_send, _ref and _unref from any thread; the rest on the loop's. */
#ifndef ADY_NET_CHANNEL_H
#define ADY_NET_CHANNEL_H

#include "codec/wire.h"
#include "net/loop.h"

struct ady_channel;

struct ady_channel_events {
	/* One frame; body is valid during the call only, and ends with head->proof bytes of proof.
	 */
	void (*frame)(void *ctx, struct ady_channel *ch, const struct ady_wire_head *head,
	              struct ady_bytes body);
	/* The connection has ended (once, never from inside ady_channel_open); why is ADY_OK at a
	 * clean end between frames, ADY_E_PROTOCOL for a broken header or an end within a frame,
	 * ADY_E_DEADLINE when something waited and the peer took nothing for 10 s, or when a large
	 * frame had room and was not there after 10 s; ADY_E_IO otherwise. The channel drops its
	 * own reference afterwards. */
	void (*closed)(void *ctx, struct ady_channel *ch, enum ady_err why);
};

/* How much memory the buffers of all connections of this process may have together, before any is
 * open; 512 MiB at first. A connection has its share of it (base/budget.h): what finds no room is
 * not read until there is some, or not queued. */
void ady_channels_memory(size_t bytes);

/* Take over fd (closed with the channel) and serve frames. The caller does not own a reference
 * unless it takes one. Returns ADY_E_MEMORY or ADY_E_IO; fd is then closed. */
enum ady_err ady_channel_open(struct ady_channel **ch, struct ady_loop *loop, int fd,
                              const struct ady_channel_events *events, void *ctx);

/* Queue one frame; its length is body.n, whatever head says. Returns ADY_E_BUSY when more than 8
 * MiB (and one large body) would wait, or there is no memory for it, ADY_E_IO when the connection
 * has ended, ADY_E_TOO_LARGE for a body above ady_wire_body_max; nothing is queued then. */
enum ady_err ady_channel_send(struct ady_channel *ch, const struct ady_wire_head *head,
                              struct ady_bytes body);

/* The same with a proof behind the body, of which head says nothing yet. */
enum ady_err ady_channel_send_proved(struct ady_channel *ch, const struct ady_wire_head *head,
                                     struct ady_bytes body, struct ady_bytes proof);

/* End the connection; events.closed is called with why at the end of the loop's round. With ADY_OK
 * what waits is written first, as far as the socket takes it at once. */
void ady_channel_end(struct ady_channel *ch, enum ady_err why);

/* When (ady_mono_ms) the peer last showed that it is there: it sent something, or took what had to
 * wait until it did. What the kernel takes for a peer that may have hung does not count. */
int64_t ady_channel_heard_ms(const struct ady_channel *ch);

/* Keep ch alive (not open) for a later send. */
void ady_channel_ref(struct ady_channel *ch);

/* Give a reference back. */
void ady_channel_unref(struct ady_channel *ch);

/* The context given at open. */
void *ady_channel_ctx(struct ady_channel *ch);

#endif
