/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/replay.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"

/* The places where a stamp may be: ADY_REPLAY_WAYS of them, by its hash. */
static struct ady_replay_place *places_of(struct ady_replay *replay, const uint8_t hash[static 32])
{
	size_t sets = ADY_REPLAY_PLACES / ADY_REPLAY_WAYS;

	return &replay->place[ady_be32(hash + 16) % sets * ADY_REPLAY_WAYS];
}

static void hash_of(uint8_t hash[static 32], const struct ady_replay *replay,
                    const struct ady_stamp *stamp)
{
	/* neither text has a zero byte */
	const struct ady_bytes parts[] = {
	    ady_bytes(replay->secret, sizeof replay->secret),
	    ady_bytes(stamp->by, strlen(stamp->by) + 1),
	    ady_bytes_str(stamp->id),
	};

	ady_sha256(hash, parts, sizeof parts / sizeof *parts);
}

/* The place that has the stamp, else a free one (expired ones are), else NULL. */
static struct ady_replay_place *find(struct ady_replay_place *set, const uint8_t *id,
                                     uint64_t now_s)
{
	struct ady_replay_place *found = NULL;

	for (size_t i = 0; i < ADY_REPLAY_WAYS; i++) {
		if (set[i].expires_s <= now_s)
			found = &set[i];
		else if (memcmp(set[i].id, id, sizeof set[i].id) == 0)
			return &set[i];
	}
	return found;
}

static enum ady_err use(struct ady_replay *replay, const struct ady_stamp *stamp,
                        const uint8_t request32[static 32], uint64_t now_s, bool *again,
                        const char *where, struct ady_fault *f)
{
	struct ady_replay_place *place;
	uint8_t hash[32];

	hash_of(hash, replay, stamp);
	place = find(places_of(replay, hash), hash, now_s);
	if (!place)
		return ady_fail(f, ADY_E_BUSY, where,
		                "finds no place among the stamps that were used");
	if (place->expires_s > now_s) {
		if (memcmp(place->request, request32, sizeof place->request) != 0)
			return ady_fail(f, ADY_E_UNAUTHORIZED, where,
			                "was used for another request");
		return ADY_OK;
	}
	*again = false;
	memcpy(place->id, hash, sizeof place->id);
	memcpy(place->request, request32, sizeof place->request);
	place->expires_s = stamp->expires_s;
	return ADY_OK;
}

enum ady_err ady_replay_use(struct ady_replay *replay, const struct ady_stamp *stamps, size_t n,
                            const uint8_t request32[static 32], uint64_t now_s, bool *again,
                            struct ady_fault *f)
{
	enum ady_err err = ADY_OK;
	char where[40];

	*again = n > 0;
	for (size_t i = 0; err == ADY_OK && i < n; i++) {
		snprintf(where, sizeof where, "stamp[%zu].id", i);
		err = use(replay, &stamps[i], request32, now_s, again, where, f);
	}
	return err;
}
