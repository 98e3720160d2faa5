/* SPDX-License-Identifier: Apache-2.0
 *
 * The way out for the enclave, which has no network: it opens a stream, names host and port in one
 * frame (ADY_WIRE_RELAY), and when they are on the list the bytes are passed on in both directions.
 * TLS is between the enclave and the host; nothing is read here. Takes the place of AWS's
 * vsock-proxy. Thread rule: one thread of its own; open, report and close from others. */
#ifndef ADY_GATEWAY_RELAY_H
#define ADY_GATEWAY_RELAY_H

#include "gateway/config.h"

struct ady_relay;

/* The bounds; 0 stands for the usual value. For tests, but for the usual ones. */
struct ady_relay_limits {
	size_t streams; /* 256: streams connected or connecting */
	int frame_ms;   /* 5000: until the first frame is complete */
	int resolve_ms; /* 5000 */
	int connect_ms; /* 3000: for each address */
	int idle_ms;    /* 300000: without a byte in either direction */
};

struct ady_relay_report {
	uint64_t open, streams, refused, to_host_bytes, to_enclave_bytes;
};

/* Listen and serve. config must outlive the relay. Returns ADY_E_IO or ADY_E_MEMORY with the reason
 * in f. */
enum ady_err ady_relay_open(struct ady_relay **relay, const struct ady_config_relay *config,
                            const struct ady_relay_limits *limits, struct ady_fault *f);

/* Counters since the start. Any thread. */
void ady_relay_report(struct ady_relay *relay, struct ady_relay_report *report);

/* Cut every stream, end the thread, free. NULL is allowed. */
void ady_relay_close(struct ady_relay *relay);

#endif
