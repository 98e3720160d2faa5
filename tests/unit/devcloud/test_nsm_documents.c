/* SPDX-License-Identifier: Apache-2.0
 *
 * The documents of the development NSM: they verify like AWS's, under its own root only. */
#include "devcloud/nsm.h"

#include "base/clock.h"
#include "nsm_fixture.h"

CASE(attestation_fields_hold_1024_bytes)
{
	static uint8_t big[1025];
	const struct ady_bytes most = ady_bytes(big, 1024), more = ady_bytes(big, 1025);
	const struct ady_bytes one = ady_bytes(big, 1), none = {0};
	int fd = module_of("{}");

	CHECK(bytes_in(ask_attestation(fd, most, most, most), "Attestation", "document").n > 4096);
	CHECK(bytes_in(ask_attestation(fd, none, none, one), "Attestation", "document").n > 1000);
	CHECK_STR(error_of(ask_attestation(fd, more, one, one)), "InputTooLarge");
	CHECK_STR(error_of(ask_attestation(fd, one, more, one)), "InputTooLarge");
	CHECK_STR(error_of(ask_attestation(fd, one, one, more)), "InputTooLarge");
	CHECK_STR(error_of(ask_attestation(fd, one, one, none)), "InvalidArgument");
	close(fd);
}

CASE(documents_verify)
{
	const int64_t now = ady_wall_ms() / 1000;
	struct ady_attestation att;
	struct ady_fault f = {0};
	int fd = module_of("{}");
	struct ady_bytes document =
	    bytes_in(ask_attestation(fd, ady_bytes_str("user"), ady_bytes_str("nonce"),
	                             ady_bytes_str("key")),
	             "Attestation", "document");

	CHECK_ERR(verify(&att, document, now, &f), ADY_OK);
	CHECK_STR(f.detail, "");
	CHECK(ady_bytes_is(att.user_data, "user") && ady_bytes_is(att.nonce, "nonce") &&
	      ady_bytes_is(att.public_key, "key"));
	CHECK_INT(att.cabundle_n, 3);
	CHECK(att.timestamp_ms / 1000 >= now && att.timestamp_ms / 1000 <= now + 60);
	/* Three hours live: the leaf is past, the day's instance certificate is not. */
	CHECK_ERR(verify(&att, document, now + 3 * 3600 - 60, &f), ADY_OK);
	CHECK_ERR(verify(&att, document, now + 3 * 3600 + 60, &f), ADY_E_ATTESTATION);
	CHECK_ERR(verify(&att, document, now - 3600, &f), ADY_E_ATTESTATION);
	close(fd);
}

CASE(documents_do_not_verify_against_aws)
{
	struct ady_attestation att;
	struct ady_fault f = {0};
	const struct ady_attestation_rules rules = {.root = ady_nitro_root_g1(),
	                                            .at_unix_s = ady_wall_ms() / 1000};
	int fd = module_of("{}");

	CHECK_ERR(ady_attestation_verify(
	              &att, bytes_in(ask_document(fd), "Attestation", "document"), &rules, &f),
	          ADY_E_ATTESTATION);
	CHECK_STR(f.where, "cabundle[0]");
	close(fd);
}

CASE(a_flipped_bit_breaks_the_document)
{
	static uint8_t copy[8192];
	const int64_t now = ady_wall_ms() / 1000;
	struct ady_attestation att;
	struct ady_fault f = {0};
	int fd = module_of("{}");
	struct ady_bytes document = bytes_in(ask_document(fd), "Attestation", "document");

	CHECK(document.n < sizeof copy);
	for (size_t i = 0; i < document.n; i += 211) {
		memcpy(copy, document.p, document.n);
		copy[i] ^= 1;
		CHECK(verify(&att, ady_bytes(copy, document.n), now, &f) == ADY_E_ATTESTATION);
	}
	close(fd);
}

CASE(documents_hold_locked_pcrs_only)
{
	struct ady_attestation att;
	struct ady_fault f = {0};
	int fd = module_of("{}");
	uint8_t pcr[48];

	(void)ask_extend(fd, 18, ady_bytes_str("x"));
	(void)ask_extend(fd, 19, ady_bytes_str("y"));
	(void)ask_number(fd, "LockPCR", "index", 18);
	(void)pcr_of(fd, 18, pcr);
	CHECK_ERR(verify(&att, bytes_in(ask_document(fd), "Attestation", "document"),
	                 ady_wall_ms() / 1000, &f),
	          ADY_OK);
	for (unsigned i = 0; i < 32; i++)
		CHECK_INT(att.pcrs[i].n, i < 16 || i == 18 ? 48 : 0);
	CHECK(ady_bytes_eq(att.pcrs[18], ady_bytes(pcr, 48)));
	close(fd);
}

CASE(the_root_survives_a_restart)
{
	const int64_t now = ady_wall_ms() / 1000;
	struct ady_attestation att;
	struct ady_fault f = {0};
	static uint8_t before[1024];
	struct ady_bytes root = read_root();
	size_t n = root.n;
	int fd;

	memcpy(before, root.p, n);
	stop();
	CHECK(access(path, F_OK) != 0);
	CHECK_ERR(start(&f), ADY_OK);
	CHECK(ady_bytes_eq(read_root(), ady_bytes(before, n)));
	fd = module_of("{}");
	CHECK_ERR(verify(&att, bytes_in(ask_document(fd), "Attestation", "document"), now, &f),
	          ADY_OK);
	close(fd);
}

static void cases(void)
{
	RUN(attestation_fields_hold_1024_bytes);
	RUN(documents_verify);
	RUN(documents_do_not_verify_against_aws);
	RUN(a_flipped_bit_breaks_the_document);
	RUN(documents_hold_locked_pcrs_only);
	RUN(the_root_survives_a_restart);
}

int main(void)
{
	return with_module(cases);
}
