/* SPDX-License-Identifier: Apache-2.0
 *
 * Small inputs of images: a bzImage of a header only, an ELF program of a header only, certificates
 * made on the spot. For the tests of this folder. */
#ifndef ADY_TEST_IMAGE_FIXTURE_H
#define ADY_TEST_IMAGE_FIXTURE_H

#include <elf.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "base/text.h"
#include "image/build.h"

#include "test.h"

#define TEST_PCR2_EMPTY                                                    \
	"21b9efbc184807662e966d34f390821309eeac6802309798826296bf3e8bec7c" \
	"10edb30948c90ba67310f7b964fc500a"

/* 1 KiB: the magic HdrS, and the version "6.1.2 (someone@host)" at 0x200 + 0x80. */
static inline struct ady_bytes test_kernel(void)
{
	static uint8_t kernel[1024];

	memcpy(kernel + 0x202, "HdrS", 4);
	kernel[0x20e] = 0x80;
	memcpy(kernel + 0x280, "6.1.2 (someone@host)", 21);
	return ady_bytes(kernel, sizeof kernel);
}

struct test_elf {
	Elf64_Ehdr e;
	Elf64_Phdr segments[3];
	Elf64_Dyn dynamic[2];
};

/* A static-pie: one loaded segment, a dynamic one that names no library. */
static inline struct test_elf test_elf(void)
{
	struct test_elf t = {0};

	memcpy(t.e.e_ident, ELFMAG, SELFMAG);
	t.e.e_ident[EI_CLASS] = ELFCLASS64;
	t.e.e_ident[EI_DATA] = ELFDATA2LSB;
	t.e.e_type = ET_DYN;
	t.e.e_machine = EM_X86_64;
	t.e.e_phoff = offsetof(struct test_elf, segments);
	t.e.e_phentsize = sizeof(Elf64_Phdr);
	t.e.e_phnum = 3;
	t.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_filesz = sizeof t};
	t.segments[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
	                             .p_offset = offsetof(struct test_elf, dynamic),
	                             .p_filesz = sizeof t.dynamic};
	t.segments[2] = (Elf64_Phdr){.p_type = PT_NOTE};
	t.dynamic[0].d_tag = DT_RELA;
	return t;
}

static inline struct ady_bytes test_init(void)
{
	static struct test_elf elf;

	elf = test_elf();
	return ady_bytes(&elf, sizeof elf);
}

static inline struct ady_image_recipe test_recipe(void)
{
	return (struct ady_image_recipe){.kernel = test_kernel(),
	                                 .init = test_init(),
	                                 .config = ady_bytes_str("{\"kms\":{}}"),
	                                 .cmdline = "console=ttyS0 panic=1",
	                                 .name = "test",
	                                 .version = "1"};
}

/* Build, or fail the case. */
static inline struct ady_image_pcrs test_build(struct ady_dyn *image,
                                               const struct ady_image_recipe *recipe)
{
	struct ady_image_pcrs pcrs = {0};
	struct ady_fault f = {0};

	image->n = 0;
	CHECK_ERR(ady_image_build(image, &pcrs, recipe, &f), ADY_OK);
	CHECK_STR(f.detail, "");
	return pcrs;
}

struct test_signer {
	EVP_PKEY *key;
	struct ady_dyn key_pem, cert_pem;
	struct ady_image_signer signer;
};

static inline void test_put_bio(struct ady_dyn *out, BIO *bio)
{
	char *p = NULL;
	long n = BIO_get_mem_data(bio, &p);

	ady_dyn_put(out, p, (size_t)n);
	BIO_free(bio);
}

/* A key of curve and a certificate of it by itself, valid from and to seconds from now. */
static inline void test_signer_make(struct test_signer *s, const char *curve, long from, long to)
{
	BIO *key = BIO_new(BIO_s_mem()), *cert = BIO_new(BIO_s_mem());
	X509 *x = X509_new();

	*s = (struct test_signer){.key = EVP_EC_gen(curve)};
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	X509_set_pubkey(x, s->key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
	                           (const uint8_t *)"release", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_sign(x, s->key, EVP_sha384());
	PEM_write_bio_PrivateKey(key, s->key, NULL, NULL, 0, NULL, NULL);
	PEM_write_bio_X509(cert, x);
	X509_free(x);
	test_put_bio(&s->key_pem, key);
	test_put_bio(&s->cert_pem, cert);
	s->signer = (struct ady_image_signer){.sign = ady_image_sign_file,
	                                      .context = s->key,
	                                      .certificate = ady_dyn_bytes(&s->cert_pem)};
}

static inline void test_signer_free(struct test_signer *s)
{
	EVP_PKEY_free(s->key);
	ady_dyn_free(&s->key_pem);
	ady_dyn_free(&s->cert_pem);
}

#endif
