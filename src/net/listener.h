/* SPDX-License-Identifier: Apache-2.0
 *
 * A listening socket on a loop that hands out what it accepts. Thread rule: the loop's thread. */
#ifndef ADY_NET_LISTENER_H
#define ADY_NET_LISTENER_H

#include "net/loop.h"
#include "net/transport.h"

struct ady_listener;

/* Listen at *at (see ady_listen); accepted gets each descriptor, which is its own then. Returns
 * ADY_E_IO or ADY_E_MEMORY with the reason in f. */
enum ady_err ady_listener_open(struct ady_listener **listener, struct ady_loop *loop,
                               struct ady_endpoint *at, void (*accepted)(void *ctx, int fd),
                               void *ctx, struct ady_fault *f);

/* Stop listening and free. The file of a Unix socket is removed. NULL is allowed. */
void ady_listener_close(struct ady_listener *listener);

#endif
