/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keystores.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "chain/beacon_network.h"
#include "cli/fault.h"
#include "cli/file.h"
#include "cli/import_key.h"

enum { JOBS = 8 };

struct counts {
	size_t imported, there, failed, left_out, waiting, given, bare;
};

/* --- what was asked --- */

/* The genesis validators root of a network's name, or of itself. */
static bool root_of(char out[static 67], const char *network)
{
	const struct ady_beacon_network *known = network ? ady_beacon_network_find(network) : NULL;
	uint8_t bytes[32];
	size_t n = 0;

	if (known)
		memcpy(bytes, known->genesis_validators_root, sizeof bytes);
	else if (!network || strncmp(network, "0x", 2) != 0 ||
	         ady_hex_decode(bytes, sizeof bytes, &n, ady_bytes_str(network + 2)) != ADY_OK ||
	         n != sizeof bytes)
		return false;
	out[0] = '0';
	out[1] = 'x';
	ady_hex_encode(out + 2, ady_bytes(bytes, sizeof bytes));
	return true;
}

static int check(const struct ady_command *self, struct ady_keystore_import *m,
                 const struct ady_keystores_asked *a, struct ady_keystore_history *h,
                 char root[static 67])
{
	char *end = NULL;

	if (a->file && a->folder)
		return ady_cli_usage(self, "give --keystore or --keystores, not both");
	if (a->folder && a->password_file && strcmp(a->password_file, "-") == 0)
		return ady_cli_usage(self, "--password-file - goes with one --keystore");
	if (a->passwords && a->password_file)
		return ady_cli_usage(self, "give --passwords or --password-file, not both");
	m->jobs = a->jobs ? strtoul(a->jobs, &end, 10) : JOBS;
	if ((a->jobs && (*end || a->jobs[0] < '1' || a->jobs[0] > '9')) ||
	    m->jobs > ADY_KEYSTORE_JOBS_MAX)
		return ady_cli_usage(self, "--jobs is 1 to 64");
	*h = (struct ady_keystore_history){.file = a->slashing, .fresh = a->fresh, .root = root};
	if (a->fresh && !a->slashing && !root_of(root, a->network))
		return ady_cli_usage(self, "--new needs --network: mainnet, hoodi, .., or the "
		                           "genesis validators root");
	return -1;
}

/* --- the summary --- */

static void count(struct counts *c, const struct ady_keystore_files *files)
{
	size_t *const of[] = {[ADY_KEYSTORE_WAITS] = &c->waiting,
	                      [ADY_KEYSTORE_IMPORTED] = &c->imported,
	                      [ADY_KEYSTORE_THERE] = &c->there,
	                      [ADY_KEYSTORE_FAILED] = &c->failed,
	                      [ADY_KEYSTORE_LEFT_OUT] = &c->left_out};

	for (size_t i = 0; i < files->n; i++)
		*of[files->v[i].outcome] += 1;
}

static json_t *failures(const struct ady_keystore_files *files)
{
	json_t *list = json_array();

	for (size_t i = 0; i < files->n; i++) {
		const struct ady_keystore_file *file = &files->v[i];
		json_t *item;

		if (file->outcome != ADY_KEYSTORE_FAILED)
			continue;
		item = json_pack("{ssssssss}", "file", file->path, "code",
		                 ady_err_code(file->fault.err), "where", file->fault.where,
		                 "message", file->fault.detail);
		json_array_append_new(list, item);
	}
	return list;
}

static void print_json(const struct counts *c, const struct ady_keystore_files *files, double s)
{
	json_t *keys = json_array(), *all;

	for (size_t i = 0; i < files->n; i++)
		if (files->v[i].outcome == ADY_KEYSTORE_IMPORTED)
			json_array_append_new(keys, json_string(files->v[i].id));
	all = json_pack("{sIsIsIsIsIsIsIsfsoso}", "files", (json_int_t)files->n, "imported",
	                (json_int_t)c->imported, "there_already", (json_int_t)c->there, "failed",
	                (json_int_t)c->failed, "left_out", (json_int_t)c->left_out, "not_tried",
	                (json_int_t)c->waiting, "with_history", (json_int_t)c->given, "seconds", s,
	                "keys", keys, "errors", failures(files));
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
}

static void print_table(const struct counts *c, const struct ady_keystore_files *files, double s)
{
	for (size_t i = 0; i < files->n; i++) {
		const struct ady_keystore_file *file = &files->v[i];

		if (file->outcome == ADY_KEYSTORE_FAILED)
			ady_cli_say("%s: %s%s%s (%s)", file->path, file->fault.where,
			            file->fault.where[0] ? " " : "", file->fault.detail,
			            ady_err_code(file->fault.err));
	}
	printf("imported    %zu keystores in %.1f s\nthere       %zu of them already\n"
	       "failed      %zu\nleft out    %zu files that are no keystores\n",
	       c->imported, s, c->there, c->failed, c->left_out);
	if (c->waiting > 0)
		printf("not tried   %zu: the same command goes on from there\n", c->waiting);
	if (files->n == 1 && files->v[0].outcome != ADY_KEYSTORE_FAILED && files->v[0].id[0])
		printf("key         %s\n", files->v[0].id);
	if (c->given > 0)
		printf("histories   %zu validators may sign\n", c->given);
	if (c->bare > 0)
		printf("waiting     %zu validators sign no blocks and attestations until they "
		       "have a history: --slashing FILE, or --new\n",
		       c->bare);
}

/* --- --- */

/* The password of one keystore, unless it is in a file. */
static enum ady_err ask_password(struct ady_keystore_import *m, const struct ady_keystores_asked *a,
                                 struct ady_dyn *password, struct ady_fault *f)
{
	enum ady_err err;

	if (!a->file || a->passwords || (a->password_file && strcmp(a->password_file, "-") != 0))
		return ADY_OK;
	err =
	    ady_file_read_hidden(password, "Password of the keystore: ", ADY_PASSWORD_FILE_MAX, f);
	ady_keystore_trim(password);
	m->password = password;
	return err;
}

static enum ady_err import_all(struct ady_keystore_import *m, const struct ady_keystores_asked *a,
                               const struct ady_keystore_history *h,
                               struct ady_keystore_files *files, struct counts *c,
                               struct ady_fault *f)
{
	struct ady_fault later;
	enum ady_err err = ady_keystore_history_check(h, f), given;

	if (err == ADY_OK && a->folder)
		err = ady_keystore_files_find(files, a->folder, f);
	else if (err == ADY_OK)
		ady_keystore_files_one(files, a->file);
	if (err != ADY_OK)
		return err;
	err = ady_keystores_import(files, m, f);
	given = ady_keystore_history_give(h, &m->gateway, files, &c->given, &c->bare, &later);
	if (err == ADY_OK && given != ADY_OK) {
		c->given = 0;
		*f = later;
	}
	count(c, files);
	return err == ADY_OK ? given : err;
}

int ady_keystores_run(const struct ady_command *self, struct ady_keystore_import *m,
                      const struct ady_keystores_asked *a, const struct ady_values *rest, bool json)
{
	const int64_t began_ms = ady_mono_ms();
	struct ady_keystore_files files = {0};
	struct ady_keystore_history h;
	struct ady_dyn password = {0};
	struct counts c = {0};
	struct ady_fault f = {0};
	char root[67];
	enum ady_err err;
	int status = check(self, m, a, &h, root);

	if (status >= 0)
		return status;
	m->name = rest->n > 0 ? rest->v[0] : "{key}";
	m->passwords = a->passwords;
	m->password_file = a->password_file;
	err = ask_password(m, a, &password, &f);
	if (err == ADY_OK)
		err = import_all(m, a, &h, &files, &c, &f);
	ady_file_wipe(&password);
	if (files.n > 0)
		(json ? print_json : print_table)(&c, &files,
		                                  (double)(ady_mono_ms() - began_ms) / 1000);
	if (err != ADY_OK)
		status = ady_cli_fault(&f, "import the keystores",
		                       f.err == ADY_E_ATTESTATION ? ADY_KEY_IMPORT_ROOT : NULL);
	else
		status = c.failed > 0 ? ADY_EXIT_REFUSED : ADY_EXIT_OK;
	ady_keystore_files_free(&files);
	return status;
}
