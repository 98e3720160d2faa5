/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/heartbeat.h"

#include <unistd.h>

#include "base/clock.h"
#include "net/transport.h"

enum { PATIENCE_MS = 1000 };

static enum ady_err exchange(int fd, int64_t deadline_ms)
{
	uint8_t beat = ADY_HEARTBEAT_BYTE;
	enum ady_err err = ady_write_all(fd, &beat, sizeof beat, deadline_ms);

	if (err == ADY_OK)
		err = ady_read_exact(fd, &beat, sizeof beat, deadline_ms);
	return err == ADY_OK && beat != ADY_HEARTBEAT_BYTE ? ADY_E_PROTOCOL : err;
}

enum ady_err ady_heartbeat(uint32_t parent_cid)
{
	struct ady_endpoint parent = {
	    .kind = ADY_VSOCK, .cid = parent_cid, .port = ADY_HEARTBEAT_PORT};
	int64_t deadline_ms = ady_mono_ms() + PATIENCE_MS;
	enum ady_err err;
	int fd;

	if ((err = ady_dial(&fd, &parent, PATIENCE_MS)) != ADY_OK)
		return err;
	err = exchange(fd, deadline_ms);
	close(fd);
	return err;
}
