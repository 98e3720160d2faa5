/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing.h"
#include "test.h"

/* The sanitizers move frames elsewhere and make mlock do nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNDER_SANITIZER 1
#endif

static bool all_zero(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		if (b[i])
			return false;
	return true;
}

/* Run fn in a child that says nothing; its wait status. */
static int status_of(void (*fn)(void *arg), void *arg)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		(void)close(STDERR_FILENO);
		fn(arg);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return status;
}

static bool aborts(void (*fn)(void *arg), void *arg)
{
	int status = status_of(fn, arg);

	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

CASE(zero_overwrites)
{
	uint8_t b[40];
	struct ady_seckey k;

	memset(b, 0xaa, sizeof b);
	ady_zero(b + 1, 38);
	CHECK(b[0] == 0xaa && b[39] == 0xaa && all_zero(b + 1, 38));
	memset(&k, 0xaa, sizeof k);
	ady_seckey_wipe(&k);
	CHECK(all_zero(&k, sizeof k));
}

CASE(equality_sees_every_bit)
{
	uint8_t a[32] = {1, 2, 3}, b[32];

	memcpy(b, a, sizeof b);
	CHECK(ady_secret_eq_ct(a, b, sizeof a));
	for (unsigned bit = 0; bit < 256; bit++) {
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		CHECK(!ady_secret_eq_ct(a, b, sizeof a));
		b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	CHECK(ady_secret_eq_ct(a, b, 0));
}

#ifndef UNDER_SANITIZER
enum { BELOW = 16 * 1024 };

/* Make a secret that no other memory holds: each byte is masked until it is on this stack. */
static void fill(struct ady_seckey *k)
{
	for (unsigned i = 0; i < sizeof k->b; i++)
		k->b[i] = (uint8_t)(i * 151 + 17);
}

/* Whether the secret is on the stack below the caller, where frames have returned. */
__attribute__((noinline)) static bool left_on_stack(void)
{
	const volatile uint8_t *end = __builtin_frame_address(0), *p = end - BELOW;

	for (; p < end - 32; p++) {
		unsigned i = 0;

		while (i < 32 && p[i] == (uint8_t)(i * 151 + 17))
			i++;
		if (i == 32)
			return true;
	}
	return false;
}

__attribute__((noinline)) static void use_plain(void)
{
	struct ady_seckey k;

	fill(&k);
	__asm__ volatile("" : : "r"(&k) : "memory");
}

__attribute__((noinline)) static void use_secret(void)
{
	ADY_SECRET struct ady_seckey k = {0};

	fill(&k);
	__asm__ volatile("" : : "r"(&k) : "memory");
}

/* Call fn so deep that the frame of the search does not cover what fn's frame held. */
__attribute__((noinline)) static void call_deep(void (*fn)(void))
{
	volatile uint8_t room[2048];

	room[0] = room[sizeof room - 1] = 0;
	fn();
	room[0] = 1;
}

/* The search finds what a plain local leaves; so it would find what ADY_SECRET left. */
CASE(a_secret_leaves_the_stack_with_its_scope)
{
	ady_stack_wipe();
	CHECK(!left_on_stack());
	call_deep(use_plain);
	CHECK(left_on_stack());
	ady_stack_wipe();
	CHECK(!left_on_stack());
	call_deep(use_secret);
	CHECK(!left_on_stack());
}
/* A key must not go to swap: without the right to lock memory there is no arena. */
static void open_without_locking(void *arg)
{
	const struct rlimit none = {0, 0};
	struct ady_arena *arena;

	(void)arg;
	if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
		_exit(2);
	if (ady_arena_open(&arena, 4, 4096) != ADY_E_MEMORY || arena)
		_exit(1);
}

CASE(memory_that_cannot_be_locked_is_refused)
{
	CHECK_INT(status_of(open_without_locking, NULL), 0);
}

#else
CASE(a_secret_leaves_the_stack_with_its_scope)
{
	test_skip("the stack is the sanitizer's");
}

CASE(memory_that_cannot_be_locked_is_refused)
{
	test_skip("mlock does nothing under the sanitizer");
}
#endif

CASE(slots_are_zero_apart_and_bounded)
{
	struct ady_arena *arena;
	uint8_t *slot[3];

	CHECK_ERR(ady_arena_open(&arena, 3, 100), ADY_OK);
	for (int i = 0; i < 3; i++) {
		slot[i] = ady_arena_take(arena);
		if (!CHECK(slot[i] && all_zero(slot[i], 112)))
			return;
		memset(slot[i], i + 1, 112); /* 100 rounded up to 16 */
	}
	CHECK(!ady_arena_take(arena));
	CHECK(slot[0][111] == 1 && slot[1][0] == 2 && slot[1][111] == 2 && slot[2][0] == 3);
	ady_arena_give(arena, slot[1]);
	CHECK(all_zero(slot[1], 112)); /* at once, not when it is taken again */
	CHECK(slot[0][111] == 1 && slot[2][0] == 3);
	CHECK(ady_arena_take(arena) == slot[1]);
	CHECK(!ady_arena_take(arena));
	ady_arena_give(arena, NULL);
	ady_arena_close(arena);
	ady_arena_close(NULL);
}

struct giving {
	struct ady_arena *arena;
	uint8_t *slot;
};

static void give(void *arg)
{
	struct giving *g = arg;

	ady_arena_give(g->arena, g->slot);
}

CASE(only_a_slot_that_was_taken_can_be_given)
{
	struct giving g;
	uint8_t *slot;

	CHECK_ERR(ady_arena_open(&g.arena, 2, 32), ADY_OK);
	slot = ady_arena_take(g.arena);
	g.slot = slot;
	CHECK_INT(status_of(give, &g), 0);
	g.slot = slot + 1;
	CHECK(aborts(give, &g));
	g.slot = slot + 32; /* a slot, but a free one */
	CHECK(aborts(give, &g));
	g.slot = slot + 64;
	CHECK(aborts(give, &g));
	g.slot = slot - 32;
	CHECK(aborts(give, &g));
	ady_arena_give(g.arena, slot);
	g.slot = slot; /* twice */
	CHECK(aborts(give, &g));
	ady_arena_close(g.arena);
}

static void write_behind(void *arg)
{
	volatile uint8_t *slot = arg;

	slot[32] = 1;
}

static void write_before(void *arg)
{
	volatile uint8_t *slot = arg;

	slot[-sysconf(_SC_PAGESIZE)] = 1; /* the slots fill the end of one page */
}

CASE(guard_pages_surround_the_arena)
{
	struct ady_arena *arena;
	uint8_t *slot;

	CHECK_ERR(ady_arena_open(&arena, 1, 32), ADY_OK);
	slot = ady_arena_take(arena);
	CHECK(status_of(write_behind, slot) != 0);
	CHECK(status_of(write_before, slot) != 0);
	ady_arena_close(arena);
}

/* calloc, then the mapping, then its lock. */
CASE(an_arena_that_cannot_be_had_is_refused)
{
	struct ady_arena *arena;

	for (unsigned n = 1; n <= 3; n++) {
		test_fail_at(n);
		CHECK_ERR(ady_arena_open(&arena, 2, 32), ADY_E_MEMORY);
		CHECK(test_fail_end() && !arena);
	}
	test_fail_at(4);
	CHECK_ERR(ady_arena_open(&arena, 2, 32), ADY_OK);
	CHECK(!test_fail_end());
	ady_arena_close(arena);
}

/* Each thread takes slots, finds them zero, marks them, finds its own mark, gives them back. */
static void *worker(void *arg)
{
	struct ady_arena *arena = arg;
	uintptr_t wrong = 0;

	for (unsigned i = 0; i < 2000; i++) {
		uint8_t *slot = ady_arena_take(arena);
		uint8_t mark = (uint8_t)(1 + i % 255);

		if (!slot)
			continue;
		wrong += !all_zero(slot, 64);
		memset(slot, mark, 64);
		wrong += slot[0] != mark || slot[63] != mark;
		ady_arena_give(arena, slot);
	}
	return (void *)wrong;
}

CASE(threads_share_an_arena)
{
	struct ady_arena *arena;
	pthread_t threads[4];
	void *wrong;

	CHECK_ERR(ady_arena_open(&arena, 3, 64), ADY_OK);
	for (int i = 0; i < 4; i++)
		CHECK_INT(pthread_create(&threads[i], NULL, worker, arena), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &wrong);
		CHECK(!wrong);
	}
	ady_arena_close(arena);
}

int main(void)
{
	RUN(zero_overwrites);
	RUN(equality_sees_every_bit);
	RUN(a_secret_leaves_the_stack_with_its_scope);
	RUN(slots_are_zero_apart_and_bounded);
	RUN(only_a_slot_that_was_taken_can_be_given);
	RUN(guard_pages_surround_the_arena);
	RUN(memory_that_cannot_be_locked_is_refused);
	RUN(an_arena_that_cannot_be_had_is_refused);
	RUN(threads_share_an_arena);
	return test_end();
}
