/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/enclave_beat.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* after sys/socket.h */
#include <linux/vm_sockets.h>

#include "base/clock.h"
#include "cli/enclave.h"

enum { TAKE_MS = 1000 };

enum ady_err ady_beat_open(struct ady_beat *beat, const char *endpoint, struct ady_fault *f)
{
	enum ady_err err;

	beat->fd = -1;
	err = ady_endpoint_parse(&beat->endpoint, endpoint, f);
	return err == ADY_OK ? ady_listen(&beat->fd, &beat->endpoint, f) : err;
}

/* Any process of the parent can dial its own vsock port. */
static bool is_enclave(int fd, const struct ady_endpoint *e, uint32_t cid)
{
	struct sockaddr_vm peer = {0};
	socklen_t n = sizeof peer;

	if (e->kind != ADY_VSOCK)
		return true;
	return getpeername(fd, (struct sockaddr *)&peer, &n) == 0 && peer.svm_family == AF_VSOCK &&
	       peer.svm_cid == cid;
}

bool ady_beat_take(struct ady_beat *beat, uint32_t cid)
{
	const int64_t deadline_ms = ady_mono_ms() + TAKE_MS;
	uint8_t byte = 0;
	int fd = beat->fd >= 0 ? ady_accept(beat->fd) : -1;
	bool ok;

	if (fd < 0)
		return false;
	ok = is_enclave(fd, &beat->endpoint, cid) &&
	     ady_read_exact(fd, &byte, 1, deadline_ms) == ADY_OK && byte == ADY_BEAT_BYTE &&
	     ady_write_all(fd, &byte, 1, deadline_ms) == ADY_OK;
	close(fd);
	return ok;
}

void ady_beat_close(struct ady_beat *beat)
{
	char path[sizeof beat->endpoint.path + 16];

	if (beat->fd < 0)
		return;
	close(beat->fd);
	beat->fd = -1;
	if (beat->endpoint.kind != ADY_HYBRID)
		return;
	snprintf(path, sizeof path, "%s_%u", beat->endpoint.path, beat->endpoint.port);
	(void)unlink(path);
}
