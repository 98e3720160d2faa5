/* SPDX-License-Identifier: Apache-2.0
 *
 * The rotation of a tenant's data key: the enclave has KMS make a new one, and every record of the
 * tenant is re-wrapped under it, a page after the other, while keys go on signing. A record takes
 * the place of the old one only if nobody has changed that meanwhile; else the next pass does it.
 * What was done is noted in the store (gateway/rotation_note.h) after each page. Thread rule: the
 * shard's thread. */
#ifndef ADY_GATEWAY_ROTATION_H
#define ADY_GATEWAY_ROTATION_H

#include "gateway/op.h"
#include "gateway/rotation_note.h"

enum { ADY_ROTATION_PAGE = 100, ADY_ROTATION_STALE_S = 30 };

struct ady_rotation;
struct ady_rotations;

/* POST /v1/tenants/{id}/rotate: begin, and answer op once the new data key is there and noted.
 * kms_key: ARN, or empty for the enclave's first. */
void ady_rotation_begin(struct ady_op *op, const char *tenant, const char *kms_key);

/* Go on with one that a gateway has noted, and not gone on with for ADY_ROTATION_STALE_S. */
void ady_rotation_adopt(struct ady_shard *shard, const struct ady_rotation_note *note);

/* Whether this shard works on a rotation of that tenant. */
bool ady_rotation_is_here(const struct ady_shard *shard, const char *tenant);

/* Free those that are under way. The loop does not run any more. */
void ady_rotation_free_all(struct ady_shard *shard);

/* The routes of rotations, and the look at the store's notes from time to time. In rotations.c. */
void ady_rotations_post(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* See ady_rotations_post. */
void ady_rotations_show(struct ady_shard *shard, struct ady_http_request *req, struct ady_bytes id);

/* Look at the notes from now on. On the first shard, before its loop runs. */
void ady_rotations_watch(struct ady_shard *shard);

/* Free what looks at them. NULL is allowed. */
void ady_rotations_close(struct ady_rotations *watch);

/* Milliseconds until every gateway has seen a note that was written now. */
int64_t ady_rotations_seen_ms(const struct ady_shard *shard);

#endif
