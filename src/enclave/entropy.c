/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/entropy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/secret.h"

enum { SEED = 256 };

/* struct rand_pool_info of linux/random.h, with its array's length. */
struct pool_info {
	int entropy_count; /* bits */
	int size;          /* bytes */
	uint8_t seed[SEED];
};
_Static_assert(offsetof(struct pool_info, seed) == offsetof(struct rand_pool_info, buf),
               "the layout of the kernel's header");

/* The kernel counts what root adds by the ioctl, and only mixes what is written: random(4). */
static bool give(int fd, struct pool_info *pool)
{
	if (ioctl(fd, RNDADDENTROPY, pool) == 0)
		return true;
	return errno == EPERM && write(fd, pool->seed, sizeof pool->seed) == SEED;
}

enum ady_err ady_entropy_mix(struct ady_nsm *nsm, struct ady_fault *f)
{
	struct pool_info pool = {.entropy_count = SEED * 8, .size = SEED};
	enum ady_err err = ady_nsm_random(nsm, pool.seed, sizeof pool.seed, f);
	int fd;

	if (err != ADY_OK)
		return err;
	fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || !give(fd, &pool))
		err = ady_fail(f, ADY_E_IO, "", "the kernel does not take randomness: %s",
		               strerrordesc_np(errno));
	if (fd >= 0)
		close(fd);
	ady_zero(&pool, sizeof pool);
	return err;
}

enum ady_err ady_entropy_check(struct ady_fault *f)
{
	uint8_t one;

	if (getrandom(&one, sizeof one, GRND_NONBLOCK) != sizeof one)
		return ady_fail(f, ADY_E_CRYPTO, "", "getrandom: %s", strerrordesc_np(errno));
	return ADY_OK;
}
