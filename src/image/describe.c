/* SPDX-License-Identifier: Apache-2.0 */
#include "image/describe.h"

#include <stdio.h>

#include "base/text.h"
#include "codec/utf8.h"
#include "crypto/hash.h"
#include "image/metadata.h"
#include "image/ramdisk.h"

enum ady_err ady_image_read(struct ady_image *image, struct ady_bytes file, struct ady_fault *f)
{
	const struct ady_eif_section *s;
	char where[ADY_EIF_WHERE];
	enum ady_err err;

	*image = (struct ady_image){0};
	if ((err = ady_eif_read(&image->eif, file, f)) != ADY_OK)
		return err;
	s = ady_eif_find(&image->eif, ADY_EIF_SIGNATURE);
	if (s) {
		ady_eif_where(where, &image->eif, (size_t)(s - image->eif.sections));
		err = ady_image_signature_read(&image->signature, s->data, where, f);
		if (err != ADY_OK)
			return err;
		image->is_signed = true;
	}
	ady_image_measure(&image->pcrs, &image->eif, ady_dyn_bytes(&image->signature.der));
	return ADY_OK;
}

enum ady_err ady_image_check(const struct ady_image *image, int64_t at_unix_s, struct ady_fault *f)
{
	const struct ady_eif *eif = &image->eif;
	enum ady_err err;

	if (eif->crc_stored != eif->crc_computed)
		return ady_fail(f, ADY_E_IMAGE, "header.crc32",
		                "is %08x, but the image has %08x: it was changed or damaged",
		                eif->crc_stored, eif->crc_computed);
	if (!image->is_signed)
		return ADY_OK;
	err = ady_image_signature_verify(&image->signature, image->pcrs.pcr[0], f);
	return err == ADY_OK ? ady_image_signature_time(&image->signature, at_unix_s, f) : err;
}

void ady_image_clear(struct ady_image *image)
{
	ady_image_signature_clear(&image->signature);
}

/* How many bytes of b from i on are one character to hide: a control character of ASCII, one of
 * U+0080 to U+009F, which some terminals obey as well, or anything beyond ASCII in what is not
 * UTF-8. */
static size_t hidden(struct ady_bytes b, size_t i, bool utf8)
{
	if (b.p[i] < 0x20 || b.p[i] == 0x7f || (b.p[i] >= 0x80 && !utf8))
		return 1;
	return b.p[i] == 0xc2 && b.p[i + 1] < 0xa0 ? 2 : 0;
}

json_t *ady_image_text(struct ady_bytes b)
{
	bool utf8 = ady_utf8_valid(b);
	struct ady_dyn text = {0};
	json_t *out;

	for (size_t i = 0; i < b.n;) {
		size_t n = hidden(b, i, utf8);

		if (n == 0)
			ady_dyn_put(&text, b.p + i++, 1);
		for (; n > 0; n--)
			ady_dyn_printf(&text, "\\x%02x", b.p[i++]);
	}
	out = json_string(ady_dyn_cstr(&text));
	ady_dyn_free(&text);
	return out;
}

static json_t *hex(struct ady_bytes b)
{
	char text[2 * 48 + 1];

	ady_hex_encode(text, b);
	return json_string(text);
}

static json_t *sha384(struct ady_bytes b)
{
	uint8_t hash[48];

	ady_sha384(hash, &b, 1);
	return hex(ady_bytes(hash, sizeof hash));
}

static bool is_zero(const uint8_t pcr48[static 48])
{
	static const uint8_t zero48[48];

	return ady_bytes_eq(ady_bytes(pcr48, 48), ady_bytes(zero48, 48));
}

json_t *ady_image_measurements(const struct ady_image_pcrs *pcrs)
{
	json_t *out = json_object();
	char name[16];

	json_object_set_new(out, "HashAlgorithm", json_string("Sha384 { ... }"));
	for (size_t i = 0; i < ADY_IMAGE_PCRS; i++) {
		if (ady_image_pcr_index[i] == 8 && is_zero(pcrs->pcr[i]))
			continue;
		snprintf(name, sizeof name, "PCR%u", ady_image_pcr_index[i]);
		json_object_set_new(out, name, hex(ady_bytes(pcrs->pcr[i], 48)));
	}
	return out;
}

static json_t *crc(uint32_t v)
{
	char text[16];

	snprintf(text, sizeof text, "%08x", v);
	return json_string(text);
}

static json_t *sections(const struct ady_eif *eif)
{
	json_t *out = json_array();

	for (size_t i = 0; i < eif->n; i++) {
		const struct ady_eif_section *s = &eif->sections[i];

		json_array_append_new(out,
		                      json_pack("{ss,sI,sI,so}", "Type", ady_eif_type_name(s->type),
		                                "Offset", (json_int_t)s->at, "Size",
		                                (json_int_t)s->data.n, "Sha384", sha384(s->data)));
	}
	return out;
}

static enum ady_err ramdisks(json_t *out, const struct ady_eif *eif, struct ady_fault *f)
{
	json_t *list = json_array();
	enum ady_err err = ADY_OK;

	for (size_t i = 0; i < eif->n && err == ADY_OK; i++) {
		struct ady_bytes data = eif->sections[i].data;
		const char *compression = ady_ramdisk_compression(data);
		char where[ADY_EIF_WHERE];
		json_t *entries = NULL;

		if (eif->sections[i].type != ADY_EIF_RAMDISK)
			continue;
		if (!compression)
			err = ady_ramdisk_list(&entries, data, ady_eif_where(where, eif, i), f);
		json_array_append_new(
		    list, json_pack("{ss?,so?}", "Compression", compression, "Entries", entries));
	}
	json_object_set_new(out, "Ramdisks", list);
	return err;
}

static json_t *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());
	json_t *out = NULL;
	char *p = NULL;
	long n;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(bio, &p);
		out = ady_image_text(ady_bytes(p, n > 0 ? (size_t)n : 0));
	}
	BIO_free(bio);
	return out ? out : json_string("");
}

static json_t *time_text(const ASN1_TIME *at)
{
	struct tm t;
	char text[32] = "unreadable";

	if (ASN1_TIME_to_tm(at, &t) == 1)
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t);
	return json_string(text);
}

static void signature(json_t *out, const struct ady_image *image, int64_t at_unix_s)
{
	const struct ady_image_signature *s = &image->signature;
	struct ady_fault bad = {0};
	enum ady_err err;

	json_object_set_new(out, "IsSigned", json_boolean(image->is_signed));
	if (!image->is_signed)
		return;
	err = ady_image_signature_verify(s, image->pcrs.pcr[0], &bad);
	json_object_set_new(out, "SignatureCheck", json_boolean(err == ADY_OK));
	if (err == ADY_OK)
		err = ady_image_signature_time(s, at_unix_s, &bad);
	if (err != ADY_OK)
		json_object_set_new(out, "SignatureFault",
		                    json_sprintf("%s %s", bad.where, bad.detail));
	json_object_set_new(out, "SigningCertificate",
	                    json_pack("{so,so,so,so,so}", "SubjectName",
	                              name_text(X509_get_subject_name(s->certificate)),
	                              "IssuerName", name_text(X509_get_issuer_name(s->certificate)),
	                              "NotBefore", time_text(X509_get0_notBefore(s->certificate)),
	                              "NotAfter", time_text(X509_get0_notAfter(s->certificate)),
	                              "Sha384", sha384(ady_dyn_bytes(&s->der))));
}

static json_t *header(const struct ady_image *image)
{
	const struct ady_eif *eif = &image->eif;

	return json_pack("{si,ss,sI,sI,sb,so,so,so,so,so}", "EifVersion", ADY_EIF_VERSION,
	                 "Architecture", eif->aarch64 ? "aarch64" : "x86_64", "DefaultMemory",
	                 (json_int_t)eif->default_memory, "DefaultCpus",
	                 (json_int_t)eif->default_cpus, "CheckCRC",
	                 eif->crc_stored == eif->crc_computed, "CrcStored", crc(eif->crc_stored),
	                 "CrcComputed", crc(eif->crc_computed), "Measurements",
	                 ady_image_measurements(&image->pcrs), "Sections", sections(eif),
	                 "CommandLine", ady_image_text(ady_eif_data(eif, ADY_EIF_CMDLINE)));
}

static enum ady_err metadata(json_t *out, const struct ady_eif *eif, struct ady_fault *f)
{
	const struct ady_eif_section *s = ady_eif_find(eif, ADY_EIF_METADATA);
	char where[ADY_EIF_WHERE];
	json_t *json;
	enum ady_err err = ady_image_metadata_read(
	    &json, s->data, ady_eif_where(where, eif, (size_t)(s - eif->sections)), f);

	if (err == ADY_OK)
		json_object_set_new(out, "Metadata", json);
	return err;
}

enum ady_err ady_image_describe(json_t **out, const struct ady_image *image, int64_t at_unix_s,
                                struct ady_fault *f)
{
	json_t *json = header(image);
	enum ady_err err;

	*out = NULL;
	if (!json)
		return ady_fail(f, ADY_E_MEMORY, NULL, "the image cannot be described");
	signature(json, image, at_unix_s);
	err = metadata(json, &image->eif, f);
	if (err == ADY_OK)
		err = ramdisks(json, &image->eif, f);
	if (err == ADY_OK)
		*out = json;
	else
		json_decref(json);
	return err;
}
