/* SPDX-License-Identifier: Apache-2.0 */
#include "failing.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <secp256k1.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/random.h>

static _Thread_local unsigned calls_left;
static _Thread_local bool failed;

void test_fail_at(unsigned n)
{
	calls_left = n;
	failed = false;
}

bool test_fail_end(void)
{
	calls_left = 0;
	return failed;
}

static bool fails(void)
{
	if (calls_left == 0 || --calls_left > 0)
		return false;
	failed = true;
	return true;
}

/* What ld's --wrap=NAME calls instead of NAME, and NAME itself. The names are ld's. */
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_sodium_malloc(size_t size);
void *__wrap_sodium_malloc(size_t size);
int __real_sodium_mlock(void *p, size_t n);
int __wrap_sodium_mlock(void *p, size_t n);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
ssize_t __real_getrandom(void *p, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags);
secp256k1_context *__real_secp256k1_context_create(unsigned flags);
secp256k1_context *__wrap_secp256k1_context_create(unsigned flags);
int __real_secp256k1_context_randomize(secp256k1_context *ctx, const unsigned char *seed);
int __wrap_secp256k1_context_randomize(secp256k1_context *ctx, const unsigned char *seed);

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_sodium_malloc(size_t size)
{
	return fails() ? NULL : __real_sodium_malloc(size);
}

int __wrap_sodium_mlock(void *p, size_t n)
{
	return fails() ? -1 : __real_sodium_mlock(p, n);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	return fails() ? -1 : __real_pthread_create(t, attr, fn, arg);
}

ssize_t __wrap_getrandom(void *p, size_t n, unsigned flags)
{
	if (!fails())
		return __real_getrandom(p, n, flags);
	errno = EINTR;
	return -1;
}

secp256k1_context *__wrap_secp256k1_context_create(unsigned flags)
{
	return fails() ? NULL : __real_secp256k1_context_create(flags);
}

int __wrap_secp256k1_context_randomize(secp256k1_context *ctx, const unsigned char *seed)
{
	return fails() ? 0 : __real_secp256k1_context_randomize(ctx, seed);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return fails() ? NULL : realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

bool test_fail_openssl(void)
{
	return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}
