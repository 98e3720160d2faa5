/* SPDX-License-Identifier: Apache-2.0
 *
 * Good records, member by member, for the tests of what reads them. */
#ifndef ADY_TEST_RECORD_TEXT_H
#define ADY_TEST_RECORD_TEXT_H

#include <string.h>

#include "signer/record.h"
#include "test.h"

#define PUB "0x0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define ID "team/hot-1"
#define M_VERSION "\"adyton\":1"
#define M_WRAPPING "\"wrapping\":\"direct\""
#define M_ID "\"id\":\"" ID "\""
#define M_TENANT "\"tenant\":\"team\""
#define M_CURVE "\"curve\":\"secp256k1\""
#define M_PUBLIC "\"public_key\":\"" PUB "\""
#define M_TEXT "\"ciphertext\":\"AQIDBA==\""
#define GOOD \
	"{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC "," M_TEXT "}"

#define WITH(members)                                                                          \
	"{" M_VERSION "," M_WRAPPING "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC "," M_TEXT \
	"," members "}"

#define M_ENVELOPE "\"wrapping\":\"envelope\""
#define M_DATA_KEY "\"data_key\":\"BQYH\""
#define SEALED                                                                     \
	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1" \
	"Njc4OTo7"
#define M_SEALED "\"ciphertext\":\"" SEALED "\""
#define ENVELOPE                                                                                   \
	"{" M_VERSION "," M_ENVELOPE "," M_ID "," M_TENANT "," M_CURVE "," M_PUBLIC "," M_DATA_KEY \
	"," M_SEALED "}"

static struct ady_record rec;
static struct ady_fault fault;

/* Read text into rec. */
static inline enum ady_err parse(const char *text)
{
	fault = (struct ady_fault){0};
	return ady_record_parse(&rec, ady_bytes_str(text), ady_bytes_str(ID), &fault);
}

/* text must be refused with where as the place of the fault. */
static inline void check_refused(const char *text, const char *where)
{
	if (!CHECK_ERR(parse(text), ADY_E_RECORD) || !CHECK_STR(fault.where, where))
		printf("# %s\n", text);
	CHECK_ERR(fault.err, ADY_E_RECORD);
	CHECK(fault.detail[0] != '\0');
}

/* GOOD with more members before its end. */
static inline const char *with(const char *more)
{
	static char json[2048];

	snprintf(json, sizeof json, "%.*s,%s}", (int)strlen(GOOD) - 1, GOOD, more);
	return json;
}

/* rec must be written as text. */
static inline void check_round(const char *text)
{
	static char out[16384];
	struct ady_buf b = ady_buf(out, sizeof out - 1);

	ady_record_put(&b, &rec);
	out[b.n] = '\0';
	CHECK_STR(out, text);
}

#endif
