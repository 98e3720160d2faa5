/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err_row {
	const char *code;
	int status;
	const char *text;
};

#define ADY_ERR_ROW(name, code, status, text) {code, status, text},
static const struct err_row rows[] = {ADY_ERRS(ADY_ERR_ROW)};
#undef ADY_ERR_ROW

static const struct err_row *row_of(enum ady_err err)
{
	unsigned i = (unsigned)err;

	return &rows[i < ADY_ERR_COUNT ? i : ADY_E_INTERNAL];
}

const char *ady_err_code(enum ady_err err)
{
	return row_of(err)->code;
}

int ady_err_status(enum ady_err err)
{
	return row_of(err)->status;
}

const char *ady_err_text(enum ady_err err)
{
	return row_of(err)->text;
}

enum ady_err ady_err_from_code(const char *code)
{
	for (unsigned i = 0; i < ADY_ERR_COUNT; i++)
		if (strcmp(rows[i].code, code) == 0)
			return (enum ady_err)i;
	return ADY_E_INTERNAL;
}

/* What a peer sent may stand in a fault (a field's name): keep it one printable line. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if (*s < 0x20 || *s > 0x7e)
			*s = '?';
}

enum ady_err ady_fail(struct ady_fault *f, enum ady_err err, const char *where, const char *fmt,
                      ...)
{
	va_list ap;

	if (!f)
		return err;
	*f = (struct ady_fault){.err = err};
	snprintf(f->where, sizeof f->where, "%s", where ? where : "");
	va_start(ap, fmt);
	vsnprintf(f->detail, sizeof f->detail, fmt, ap);
	va_end(ap);
	make_printable(f->where);
	make_printable(f->detail);
	return err;
}

void ady_bug_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "adyton: bug at %s:%d: %s\n", file, line, what);
	abort();
}
