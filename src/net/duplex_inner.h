/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a duplex: its bytes (duplex.c) and what they mean in each framing
 * (duplex_framing.c). Internal to net. Thread rule: the loop's thread. */
#ifndef ADY_NET_DUPLEX_INNER_H
#define ADY_NET_DUPLEX_INNER_H

#include "codec/json_stream.h"
#include "net/duplex.h"

/* OPEN; CLOSING: a close has been said or the stream is being ended, what comes is only looked at
 * for the peer's close; ENDED: only closed is still to be called. */
enum ady_duplex_stage { ADY_DUPLEX_OPEN, ADY_DUPLEX_CLOSING, ADY_DUPLEX_ENDED };

struct ady_duplex {
	struct ady_duplex_config config;
	enum ady_duplex_stage stage;
	struct ady_stream stream;
	struct ady_io io;
	struct ady_timer timer, again; /* again: read on, or tell closed, in the next round */
	uint32_t watched;
	struct ady_dyn in, out, text; /* text: of a message in several frames */
	size_t in_at, out_at, need;   /* need: bytes without which reading is of no use */
	struct ady_ws_reader ws;
	struct ady_json_stream json;
	bool held, readable, in_call, pinged, close_received;
	bool deaf;                            /* what comes has no meaning any more */
	int64_t heard_ms, written_ms, end_ms; /* end_ms: of the stage CLOSING */
	unsigned code;
	char why[128];
};

/* Take one frame or value from in. False: more bytes are needed, or the stage has changed. */
bool ady_duplex_take(struct ady_duplex *d);

/* Append a text to out in its framing. */
void ady_duplex_put_text(struct ady_duplex *d, struct ady_bytes text);

/* Append a ping to out (nothing, where there is none). */
void ady_duplex_put_ping(struct ady_duplex *d);

/* Append a close frame to out (nothing, where there is none). */
void ady_duplex_put_close(struct ady_duplex *d, unsigned code, const char *why);

/* Hand a text to the receiver. */
void ady_duplex_deliver(struct ady_duplex *d, struct ady_bytes text);

/* End for a fault of the peer: it is told, where that can be. */
void ady_duplex_fault(struct ady_duplex *d, enum ady_ws_code code, const char *why);

/* The peer has said that it ends. */
void ady_duplex_peer_closes(struct ady_duplex *d, unsigned code, struct ady_bytes why);

#endif
