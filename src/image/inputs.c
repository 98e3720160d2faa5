/* SPDX-License-Identifier: Apache-2.0 */
#include "image/inputs.h"

#include <elf.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

/* The setup header begins at 0x1f1; offsets to texts count from 0x200. */
enum { SETUP_MAGIC = 0x202, SETUP_VERSION = 0x20e, SETUP_TEXTS = 0x200, SETUP_END = 0x210 };
enum { VERSION_MAX = 63, TOKENS = 512 };

static enum ady_err refuse(struct ady_fault *f, const char *where, const char *why)
{
	return ady_fail(f, ADY_E_IMAGE, where, "%s", why);
}

/* Characters of a version: it goes into metadata and onto terminals. */
static bool is_version(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
	       (c && strchr(".-+_~", c));
}

enum ady_err ady_kernel_version(char out[static 64], struct ady_bytes kernel, struct ady_fault *f)
{
	size_t at, n = 0;

	out[0] = '\0';
	if (kernel.n < SETUP_END || memcmp(kernel.p + SETUP_MAGIC, "HdrS", 4) != 0)
		return refuse(f, "kernel", "is no bzImage: it has no HdrS at 0x202");
	at = SETUP_TEXTS + (size_t)(kernel.p[SETUP_VERSION] | kernel.p[SETUP_VERSION + 1] << 8);
	while (at + n < kernel.n && n < VERSION_MAX && is_version(kernel.p[at + n]))
		n++;
	if (at == SETUP_TEXTS || n == 0 || n == VERSION_MAX)
		return refuse(f, "kernel", "names no version");
	memcpy(out, kernel.p + at, n);
	out[n] = '\0';
	return ADY_OK;
}

/* A table of n entries of size bytes lies in the file. */
static bool lies_in(struct ady_bytes file, uint64_t at, uint64_t n, size_t size)
{
	return at <= file.n && n <= (file.n - at) / size;
}

/* DT_NEEDED names a library; a static-pie has a dynamic section, for its relocations only. */
static bool needs_library(struct ady_bytes file, const Elf64_Phdr *dynamic)
{
	size_t n = dynamic->p_filesz / sizeof(Elf64_Dyn);

	if (!lies_in(file, dynamic->p_offset, n, sizeof(Elf64_Dyn)))
		return true;
	for (size_t i = 0; i < n; i++) {
		Elf64_Dyn d;

		memcpy(&d, file.p + dynamic->p_offset + i * sizeof d, sizeof d);
		if (d.d_tag == DT_NEEDED)
			return true;
	}
	return false;
}

static enum ady_err check_segment(struct ady_bytes program, const Elf64_Phdr *h,
                                  struct ady_fault *f)
{
	if (h->p_type == PT_INTERP)
		return refuse(f, "init",
		              "needs a loader, and the image has none: link it static-pie");
	if (h->p_type == PT_DYNAMIC && needs_library(program, h))
		return refuse(f, "init",
		              "needs a library, and the image has none: link it static-pie");
	if (h->p_type == PT_LOAD && !lies_in(program, h->p_offset, h->p_filesz, 1))
		return refuse(f, "init", "is cut off");
	return ADY_OK;
}

enum ady_err ady_init_check(struct ady_bytes program, struct ady_fault *f)
{
	Elf64_Ehdr e;

	if (program.n < sizeof e || memcmp(program.p, ELFMAG, SELFMAG) != 0)
		return refuse(f, "init", "is no ELF program");
	memcpy(&e, program.p, sizeof e);
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_ident[EI_DATA] != ELFDATA2LSB ||
	    e.e_machine != EM_X86_64)
		return refuse(f, "init", "is not for x86_64");
	if (e.e_type != ET_DYN)
		return refuse(f, "init", "is not position-independent: link it static-pie");
	if (e.e_phentsize != sizeof(Elf64_Phdr) ||
	    !lies_in(program, e.e_phoff, e.e_phnum, sizeof(Elf64_Phdr)))
		return refuse(f, "init", "has no readable program headers");
	for (size_t i = 0; i < e.e_phnum; i++) {
		Elf64_Phdr h;
		enum ady_err err;

		memcpy(&h, program.p + e.e_phoff + i * sizeof h, sizeof h);
		if ((err = check_segment(program, &h, f)) != ADY_OK)
			return err;
	}
	return ADY_OK;
}

/* Append every certificate of pem. Returns how many there are. */
static size_t put_certificates(struct ady_dyn *out, struct ady_bytes pem)
{
	BIO *in = pem.n <= INT_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
	BIO *text = BIO_new(BIO_s_mem());
	X509 *cert;
	size_t n = 0;
	char *p;
	long len;

	while (in && text && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		n += PEM_write_bio_X509(text, cert) == 1;
		X509_free(cert);
	}
	len = text ? BIO_get_mem_data(text, &p) : 0;
	if (len > 0)
		ady_dyn_put(out, p, (size_t)len);
	BIO_free(in);
	BIO_free(text);
	ERR_clear_error();
	return n;
}

/* The member as JSON, first in its object: "roots_pem": "..." */
static enum ady_err put_member(struct ady_dyn *out, struct ady_bytes roots, bool more,
                               struct ady_fault *f)
{
	struct ady_dyn pem = {0};
	struct ady_buf b;

	if (put_certificates(&pem, roots) == 0)
		return ady_fail(f, ADY_E_FIELD_INVALID, "roots", "hold no PEM certificate");
	ady_dyn_str(out, "\"roots_pem\":");
	b = ady_buf(ady_dyn_room(out, 6 * pem.n + 2), 6 * pem.n + 2); /* a newline becomes \u000a */
	ady_json_put_string(&b, ady_dyn_bytes(&pem));
	out->n += b.n;
	ady_dyn_free(&pem);
	if (more)
		ady_dyn_str(out, ",");
	return b.full ? ady_fail(f, ADY_E_INTERNAL, "roots", "do not fit") : ADY_OK;
}

static enum ady_err add_roots(struct ady_dyn *out, const struct ady_json *doc, uint32_t kms,
                              struct ady_bytes roots, struct ady_fault *f)
{
	struct ady_bytes text = doc->text;
	size_t begin = doc->toks[kms].at + 1; /* behind the brace */
	enum ady_err err;

	if (ady_json_get(doc, kms, "roots_pem"))
		return ady_fail(f, ADY_E_FIELD_INVALID, "kms.roots_pem",
		                "is in the configuration already");
	ady_dyn_put(out, text.p, begin);
	err = put_member(out, roots, doc->toks[kms].count > 0, f);
	ady_dyn_put(out, text.p + begin, text.n - begin);
	return err;
}

enum ady_err ady_image_config(struct ady_dyn *out, struct ady_bytes file, struct ady_bytes roots,
                              struct ady_fault *f)
{
	struct ady_json_tok toks[TOKENS];
	struct ady_json doc;
	enum ady_err err = ady_json_parse(&doc, toks, TOKENS, file, f);
	uint32_t kms;

	if (err != ADY_OK)
		return err;
	kms = ady_json_get(&doc, 0, "kms");
	if (!kms || ady_json_kind(&doc, kms) != ADY_JSON_OBJECT)
		return ady_fail(f, ADY_E_FIELD_MISSING, "kms", "is required");
	if (roots.n)
		return add_roots(out, &doc, kms, roots, f);
	if (!ady_json_get(&doc, kms, "roots_pem"))
		return ady_fail(f, ADY_E_FIELD_MISSING, "kms.roots_pem", "is required");
	ady_dyn_put(out, file.p, file.n);
	return ADY_OK;
}
