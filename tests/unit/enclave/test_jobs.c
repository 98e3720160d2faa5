/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs, and the shares of tenants in those that make or change keys. */
#include "enclave/jobs.h"

#include <stdio.h>
#include <sys/socket.h>

#include "test.h"

enum { JOBS = 32 };

static struct ady_jobs *jobs;
static struct ady_channel *channel;
static const struct ady_channel_events events = {0};

static struct ady_job *take(const char *tenant)
{
	const struct ady_wire_head head = {.type = ADY_WIRE_CREATE, .deadline_ms = 1000};
	struct ady_job *job = ady_jobs_take(jobs, NULL, channel, &head, ady_bytes(NULL, 0));

	if (!job)
		return NULL;
	/* nothing is left of who had it before */
	CHECK(!job->sign.record.id[0] && !job->sign.record.tenant[0]);
	snprintf(job->sign.record.id, sizeof job->sign.record.id, "key-of-%s", tenant);
	snprintf(job->sign.record.tenant, sizeof job->sign.record.tenant, "%s", tenant);
	return job;
}

/* Take jobs for a tenant that makes keys until it has its share; how many it had. */
static size_t make_all(const char *tenant, struct ady_job **all)
{
	struct ady_fault f = {0};
	size_t n = 0;

	while ((all[n] = take(tenant)) && ady_jobs_share(jobs, all[n], &f) == ADY_OK)
		n++;
	CHECK_ERR(f.err, ADY_E_BUSY);
	CHECK_STR(f.detail, "the tenant has its share of what makes or changes keys");
	ady_jobs_give(jobs, all[n]);
	return n;
}

CASE(who_makes_keys_leaves_half_to_who_signs)
{
	struct ady_job *a[JOBS + 1], *b[JOBS + 1], *rest[JOBS + 1];
	size_t an, bn, n = 0;

	CHECK_ERR(ady_jobs_open(&jobs, JOBS), ADY_OK);
	an = make_all("a", a);
	bn = make_all("b", b);
	CHECK_INT(an, 12); /* of 16 */
	CHECK_INT(bn, 3);
	while ((rest[n] = take("a"))) /* to sign */
		n++;
	CHECK_INT(n, JOBS - an - bn);
	while (n > 0)
		ady_jobs_give(jobs, rest[--n]);
	for (size_t i = 0; i < bn; i++)
		ady_jobs_give(jobs, b[i]);
	for (size_t i = 0; i < an; i++)
		ady_jobs_give(jobs, a[i]);
	an = make_all("b", b); /* what was given back is there for others */
	CHECK_INT(an, 12);
	while (an > 0)
		ady_jobs_give(jobs, b[--an]);
	ady_jobs_close(jobs);
}

CASE(one_job_is_enough_to_make_a_key)
{
	struct ady_fault f = {0};
	struct ady_job *job;

	CHECK_ERR(ady_jobs_open(&jobs, 1), ADY_OK);
	job = take("a");
	CHECK_ERR(ady_jobs_share(jobs, job, &f), ADY_OK);
	CHECK(!take("b"));
	ady_jobs_give(jobs, job);
	ady_jobs_close(jobs);
	ady_jobs_close(NULL);
}

int main(void)
{
	struct ady_loop *loop;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0 ||
	    ady_loop_open(&loop) != ADY_OK ||
	    ady_channel_open(&channel, loop, fds[0], &events, NULL) != ADY_OK)
		return 1;
	RUN(who_makes_keys_leaves_half_to_who_signs);
	RUN(one_job_is_enough_to_make_a_key);
	return test_end();
}
