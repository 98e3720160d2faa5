/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/rng.h"
#include "gateway/keymanager.h"

enum { TOKEN_MIN = 64, FILE_MAX = 1024 };

static enum ady_err refuse(struct ady_fault *f, const char *path, const char *why)
{
	return ady_fail(f, ADY_E_CONFIG, "keymanager", "%s: %s", path, why);
}

/* A new file for its owner alone, whole before anybody can read it under its name. */
static enum ady_err make(const char *path, struct ady_fault *f)
{
	char hex[TOKEN_MIN + 1], temporary[4096];
	uint8_t random[TOKEN_MIN / 2];
	int fd;
	bool ok;

	if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary)
		return refuse(f, path, "is too long");
	ady_random(random, sizeof random);
	ady_hex_encode(hex, ady_bytes(random, sizeof random));
	(void)unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse(f, path, strerror(errno));
	ok = write(fd, hex, TOKEN_MIN) == TOKEN_MIN && fsync(fd) == 0;
	close(fd);
	ady_zero(hex, sizeof hex);
	ady_zero(random, sizeof random);
	/* link and not rename: another gateway's token is not written over. */
	ok = ok && (link(temporary, path) == 0 || errno == EEXIST);
	(void)unlink(temporary);
	if (!ok)
		return refuse(f, path, "cannot be written");
	ADY_INFO("keymanager token made", "file=%s", path);
	return ADY_OK;
}

/* 64 hex digits or more; prefixes as validator clients write them. */
static bool is_token(const char *s)
{
	static const char *const prefixes[] = {"api-token-0x", "0x"};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(s, prefixes[i], strlen(prefixes[i])) == 0) {
			s += strlen(prefixes[i]);
			break;
		}
	return strlen(s) >= TOKEN_MIN && strspn(s, "0123456789abcdefABCDEF") == strlen(s);
}

static enum ady_err read_file(int fd, const char *path, uint8_t sha256[static 32],
                              struct ady_fault *f)
{
	char text[FILE_MAX + 1];
	struct stat st;
	ssize_t n = read(fd, text, FILE_MAX);
	struct ady_bytes token;
	bool ok;

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		n--;
	text[n > 0 ? n : 0] = '\0';
	ok = is_token(text);
	token = ady_bytes_str(text);
	if (ok)
		ady_sha256(sha256, &token, 1);
	ady_zero(text, sizeof text);
	if (!ok)
		return refuse(f, path, "has no token of at least 64 hex digits");
	if (fstat(fd, &st) == 0 && st.st_mode & 077)
		ADY_WARN("the keymanager token can be read by others", "file=%s", path);
	return ADY_OK;
}

static enum ady_err load(const char *path, uint8_t sha256[static 32], struct ady_fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum ady_err err;

	if (fd < 0 && errno == ENOENT) {
		if ((err = make(path, f)) != ADY_OK)
			return err;
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0)
		return refuse(f, path, strerror(errno));
	err = read_file(fd, path, sha256, f);
	close(fd);
	return err;
}

/* Whoever holds a token must be of one tenant. */
static enum ady_err check_twice(const struct ady_keymanager *km, const char *path,
                                struct ady_fault *f)
{
	for (size_t i = 0; i + 1 < km->n; i++)
		if (memcmp(km->tokens[i].sha256, km->tokens[km->n - 1].sha256, 32) == 0)
			return refuse(f, path, "has the token of another tenant");
	return ADY_OK;
}

enum ady_err ady_keymanager_open(struct ady_keymanager **out,
                                 const struct ady_gateway_config *config, struct ady_fault *f)
{
	const struct ady_config_keymanager *c = &config->keymanager;
	struct ady_keymanager *km = calloc(1, sizeof *km);
	enum ady_err err = ADY_OK;

	*out = NULL;
	if (km)
		km->tokens = calloc(c->n, sizeof *km->tokens);
	if (!km || !km->tokens)
		ADY_BUG("out of memory");
	for (size_t i = 0; i < c->n && err == ADY_OK; i++) {
		km->tokens[i].tenant = c->tokens[i].tenant;
		err = load(c->tokens[i].file, km->tokens[i].sha256, f);
		km->n = i + 1;
		if (err == ADY_OK)
			err = check_twice(km, c->tokens[i].file, f);
	}
	if (err == ADY_OK)
		*out = km;
	else
		ady_keymanager_close(km);
	return err;
}

void ady_keymanager_close(struct ady_keymanager *km)
{
	if (!km)
		return;
	ady_zero(km->tokens, km->n * sizeof *km->tokens);
	free(km->tokens);
	free(km);
}

enum ady_err ady_keymanager_caller(const struct ady_keymanager *km,
                                   const struct ady_http_request *req, struct ady_caller *caller,
                                   struct ady_fault *f)
{
	struct ady_bytes token;
	uint8_t sha256[32];

	*caller = (struct ady_caller){0};
	if (!ady_caller_bearer(req, &token))
		return ady_fail(f, ADY_E_UNAUTHORIZED, NULL, "a bearer token is required");
	ady_sha256(sha256, &token, 1);
	for (size_t i = 0; i < km->n; i++)
		if (ady_secret_eq_ct(km->tokens[i].sha256, sha256, sizeof sha256))
			*caller =
			    (struct ady_caller){.tenant = km->tokens[i].tenant, .manage = true};
	return caller->tenant ? ADY_OK
	                      : ady_fail(f, ADY_E_DENIED, NULL, "the token is not the right one");
}
