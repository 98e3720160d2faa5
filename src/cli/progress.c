/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { FIRST_S = 2, NEXT_S = 5 };

static const char *volatile waiting_for;

/* Only what may be called in a signal handler. */
static void say(int signal)
{
	static const char before[] = "adyton: still waiting for ", after[] = "\n";
	const char *what = waiting_for;
	const int saved = errno;

	(void)signal;
	if (what && write(STDERR_FILENO, before, sizeof before - 1) > 0 &&
	    write(STDERR_FILENO, what, strlen(what)) > 0)
		(void)!write(STDERR_FILENO, after, 1);
	errno = saved;
}

static void set_timer(int first_s)
{
	const struct itimerval timer = {.it_value.tv_sec = first_s,
	                                .it_interval.tv_sec = first_s ? NEXT_S : 0};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

void ady_progress_begin(const char *what)
{
	struct sigaction action = {.sa_handler = say, .sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	waiting_for = what;
	if (sigaction(SIGALRM, &action, NULL) == 0)
		set_timer(FIRST_S);
}

void ady_progress_end(void)
{
	set_timer(0);
	waiting_for = NULL;
}
