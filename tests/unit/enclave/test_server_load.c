/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of questions when KMS is slow, when there are more than fit, and when their askers
 * go away. */
#include "enclave/server.h"

#include "server_world.h"

/* Occupy n KMS threads for two seconds with the questions id, id + 1, ...: back when KMS has them.
 */
static void occupy(int fd, int n, uint64_t id)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	int before = atomic_load(&w.kms.requests);

	atomic_store(&w.kms.first, FAKE_SLOW);
	atomic_store(&w.kms.n_first, n);
	for (int i = 0; i < n; i++)
		CHECK(say_sign(fd, id + (uint64_t)i, 8000, request));
	for (int i = 0; i < 4000 && atomic_load(&w.kms.requests) < before + n; i++)
		nanosleep(&pause, NULL);
	CHECK_INT(atomic_load(&w.kms.requests), before + n);
}

/* Hear n answers, signatures all but for `busy` that are refused at once, before all others. */
static void hear_many(int fd, int n, int busy)
{
	for (int i = 0; i < n; i++) {
		struct ady_wire_head head;
		struct ady_fault f = {0};
		struct ady_bytes body;

		if (!CHECK(hear(fd, &head, &body)))
			return;
		CHECK_INT(head.type == ADY_WIRE_ERROR, busy > 0);
		if (head.type != ADY_WIRE_ERROR)
			continue;
		CHECK_ERR(ady_wire_read_fault(&f, body), ADY_OK);
		CHECK_ERR(f.err, ADY_E_BUSY);
		busy--;
	}
	CHECK_INT(busy, 0);
}

/* A slow KMS holds up neither the lane nor other signatures. */
CASE(answers_come_out_of_order)
{
	int fd = dial();
	struct ady_wire_head head;
	struct ady_bytes body;

	occupy(fd, 1, 10);
	CHECK(say(fd, ADY_WIRE_HELLO, 11, 1000, ady_bytes("\xa0", 1)));
	CHECK(hear(fd, &head, &body));
	CHECK_INT(head.id, 11);
	CHECK(say_sign(fd, 12, 6000, request));
	hear_signed(fd, 12);
	hear_signed(fd, 10);
	close(fd);
}

/* Two KMS threads are busy, four places are in the queue: of six more two do not fit. */
CASE(what_does_not_fit_is_refused_at_once)
{
	int fd = dial();

	occupy(fd, 2, 20);
	for (uint64_t id = 22; id < 28; id++)
		CHECK(say_sign(fd, id, 8000, request));
	hear_many(fd, 8, 2);
	close(fd);
}

CASE(expired_work_is_dropped)
{
	int fd = dial(), before = atomic_load(&w.kms.requests);
	static const struct timespec pause = {.tv_nsec = 100000000};
	int other = dial();
	struct ady_fault f;

	occupy(fd, 2, 30);
	CHECK(say_sign(other, 32, 500, request));
	CHECK_ERR(hear_fault(other, 32, &f), ADY_E_DEADLINE);
	CHECK_STR(f.detail, "the time allowed passed before KMS");
	hear_many(fd, 2, 0);
	nanosleep(&pause, NULL);
	CHECK_INT(atomic_load(&w.kms.requests), before + 2);
	close(fd);
	close(other);
}

CASE(an_asker_that_goes_away_harms_nobody)
{
	int fd = dial();

	CHECK(say_sign(fd, 80, 5000, request));
	close(fd);
	fd = dial();
	CHECK(say_sign(fd, 81, 5000, request));
	hear_signed(fd, 81);
	close(fd);
}

int main(void)
{
	start_world_with_credentials();
	RUN(answers_come_out_of_order);
	RUN(what_does_not_fit_is_refused_at_once);
	RUN(expired_work_is_dropped);
	RUN(an_asker_that_goes_away_harms_nobody);
	return end_world();
}
