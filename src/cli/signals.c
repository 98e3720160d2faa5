/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum ady_err ady_signals_open(struct ady_signals *s)
{
	sigset_t set;

	*s = (struct ady_signals){.fd = -1};
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ADY_E_IO;
	s->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->fd >= 0 ? ADY_OK : ADY_E_IO;
}

bool ady_signals_wait(struct ady_signals *s, int fd, int ms)
{
	struct pollfd p[2] = {{.fd = s->fd, .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	struct signalfd_siginfo info;

	if (poll(p, 2, ms) <= 0)
		return false;
	while (read(s->fd, &info, sizeof info) == sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		s->again = s->stopping;
		s->stopping = true;
	}
	return p[1].revents != 0;
}
