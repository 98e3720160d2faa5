/* SPDX-License-Identifier: Apache-2.0
 *
 * One dial and listen for all ways between parent and enclave, named by a text:
 *   vsock:CID:PORT   AF_VSOCK; CID "any" to listen
 *   unix:PATH        AF_UNIX stream
 *   hybrid:PATH:PORT Firecracker's and vhost-device-vsock's convention: dialling connects to PATH
 *                    and says "CONNECT PORT\n"; listening binds PATH_PORT
 *   tcp:HOST:PORT    numeric host or localhost, for HTTP listeners
 *
 * Every descriptor is close-on-exec and non-blocking. Thread rule: no state. */
#ifndef ADY_NET_TRANSPORT_H
#define ADY_NET_TRANSPORT_H

#include "base/bytes.h"

enum ady_endpoint_kind { ADY_VSOCK, ADY_UNIX, ADY_HYBRID, ADY_TCP };

struct ady_endpoint {
	enum ady_endpoint_kind kind;
	char path[108]; /* path or host */
	uint32_t cid, port;
	bool shared; /* tcp, to listen: others of this user may listen there too (SO_REUSEPORT) */
};

/* Read an endpoint's text. Returns ADY_E_CONFIG with the reason in f. */
enum ady_err ady_endpoint_parse(struct ady_endpoint *e, const char *text, struct ady_fault *f);

/* Connect within timeout_ms, the hybrid handshake included. Blocks. Returns ADY_E_IO or
 * ADY_E_DEADLINE; *fd is -1 then. */
enum ady_err ady_dial(int *fd, const struct ady_endpoint *e, int timeout_ms);

/* Bind and listen; a stale Unix socket is replaced, its mode 0600. A tcp port is
 * had alone unless shared, port 0 is filled in in *e. Returns ADY_E_IO with the reason in f. */
enum ady_err ady_listen(int *fd, struct ady_endpoint *e, struct ady_fault *f);

/* Accept one connection; -1 when none waits (errno EAGAIN) or none can be accepted now. */
int ady_accept(int listener);

/* Read exactly n bytes of a non-blocking socket until deadline (ady_mono_ms). ADY_E_IO at an
 * early end, ADY_E_DEADLINE. */
enum ady_err ady_read_exact(int fd, void *p, size_t n, int64_t deadline_ms);

/* Write all n bytes until deadline. Errors as ady_read_exact. */
enum ady_err ady_write_all(int fd, const void *p, size_t n, int64_t deadline_ms);

#endif
