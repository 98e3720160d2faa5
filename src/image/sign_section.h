/* SPDX-License-Identifier: Apache-2.0
 *
 * The CBOR of a signature section. Bytes stand in it as arrays of numbers, because its first writer
 * was a Rust program with a Vec<u8>. For image/sign.c only. */
#ifndef ADY_IMAGE_SIGN_SECTION_H
#define ADY_IMAGE_SIGN_SECTION_H

#include "base/bytes.h"

enum { ADY_SIGN_PAYLOAD_MAX = 160 };

/* Write {"register_index": 0, "register_value": [48 numbers]}; b has room for
 * ADY_SIGN_PAYLOAD_MAX bytes. */
void ady_sign_payload_put(struct ady_buf *b, const uint8_t pcr0[static 48]);

/* Read it. False for anything else. */
bool ady_sign_payload_read(uint8_t pcr0[static 48], struct ady_bytes payload);

/* Append a section with the COSE_Sign1 of payload and signature. Returns ADY_E_TOO_LARGE, with the
 * reason in f, when it would exceed what an image may hold; out is as before then. */
enum ady_err ady_sign_section_put(struct ady_dyn *out, struct ady_bytes pem,
                                  struct ady_bytes payload, const uint8_t sig96[static 96],
                                  struct ady_fault *f);

/* Read a section of one element; pem and cose are appended to. False for anything else. */
bool ady_sign_section_read(struct ady_bytes section, struct ady_dyn *pem, struct ady_dyn *cose);

#endif
