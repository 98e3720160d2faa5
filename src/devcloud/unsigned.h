/* SPDX-License-Identifier: Apache-2.0
 *
 * Attestation documents of QEMU's virtio-nsm: the fields of a real one, measured by the emulator,
 * and no proof: the protected header names the algorithm -1, certificate, the bundle's only entry
 * and signature are 64 zero bytes each. KMS would refuse them; devcloud takes them for tests of
 * the machine, when it was told to, and warns each time. */
#ifndef ADY_DEVCLOUD_UNSIGNED_H
#define ADY_DEVCLOUD_UNSIGNED_H

#include "aws/attestation.h"

/* How old such a document may be, and how far ahead: the life of a real one's certificate, and what
 * clocks differ by. */
enum { ADY_DEV_UNSIGNED_LIFE_S = 3 * 3600, ADY_DEV_UNSIGNED_AHEAD_S = 300 };

/* Whether a document says of itself that it is not signed: protected header {1: -1}. Nothing else
 * of it is looked at. */
bool ady_dev_unsigned_is(struct ady_bytes document);

/* Read an unsigned document as strictly as ady_attestation_verify reads a signed one, but for the
 * proof, whose place must hold the zeros above.
 * In:      at_unix_s, now. room: ADY_ATTESTATION_MAX bytes, which views of att point into.
 * Returns: ADY_E_ATTESTATION with field and reason in f; att is all zero then. */
enum ady_err ady_dev_unsigned_read(struct ady_attestation *att, uint8_t *room,
                                   struct ady_bytes document, int64_t at_unix_s,
                                   struct ady_fault *f);

#endif
