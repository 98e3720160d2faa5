/* SPDX-License-Identifier: Apache-2.0
 *
 * adyton wallet create, derive, addresses. */
#include "cli/wallet.h"

#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/fault.h"
#include "cli/key_options.h"
#include "codec/hd_path.h"

enum { COUNT_MAX = 1000000 };

struct wallet {
	struct ady_wallet_order order;
	struct ady_key_options key;
	const char *words, *count, *first, *id;
	bool json;
};

/* --- create --- */

static int run_create(const struct wallet *w)
{
	struct ady_dyn request = {0};
	int status;

	ady_key_options_put(&request, &w->key);
	request.n--;
	ady_dyn_printf(&request, ",\"tenant\":\"%s\",\"curve\":\"wallet\"", w->key.tenant);
	if (w->words)
		ady_dyn_printf(&request, ",\"words\":%s", w->words);
	ady_key_put_label(&request, w->key.label);
	ady_dyn_str(&request, "}");
	status = ady_key_post(&w->key, &w->order.gateway, &request, ADY_WALLET_TIMEOUT_MS,
	                      "created", "make a wallet", w->json);
	ady_dyn_free(&request);
	return status;
}

int ady_cmd_wallet_create(const struct ady_command *self, int argc, char **argv)
{
	static const char *const sizes[] = {"12", "15", "18", "21", "24"};
	struct wallet w = {0};
	struct ady_values rest;
	const struct ady_option options[] = {
	    {"words", "N", "of its sentence: 12, 15, 18, 21 or 24 (usual)", .text = &w.words},
	    ADY_KEY_RIGHTS(w.key),
	    ADY_GATEWAY_OPTIONS(w.order.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &w.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);
	bool known = !w.words;

	if (status >= 0)
		return status;
	for (size_t i = 0; w.words && i < sizeof sizes / sizeof *sizes; i++)
		known = known || strcmp(w.words, sizes[i]) == 0;
	if (!known)
		return ady_cli_usage(self, "--words is 12, 15, 18, 21 or 24");
	if ((status = ady_key_options_check(self, &w.key, &rest)) >= 0)
		return status;
	status = run_create(&w);
	ady_key_options_free(&w.key);
	return status;
}

/* --- derive, addresses --- */

static const char *text(const json_t *key, const char *name)
{
	const char *t = json_string_value(json_object_get(key, name));

	return t ? t : "";
}

/* A line a key: its id where it has one, its path, its address or public key. */
static void print_keys(const json_t *keys)
{
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *key = json_array_get(keys, i);
		const char *id = text(key, "id"), *address = text(key, "address");

		printf("%s%s%s  %s\n", id, *id ? "  " : "", text(key, "path"),
		       *address ? address : text(key, "public_key"));
	}
}

static void report(const struct wallet *w, json_t *keys, uint64_t there)
{
	json_t *o = json_object();

	if (w->order.options) {
		json_object_set_new(o, "created", json_integer((json_int_t)json_array_size(keys)));
		json_object_set_new(o, "there_already", json_integer((json_int_t)there));
	}
	json_object_set(o, "keys", keys);
	if (w->json) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_keys(keys);
	}
	json_decref(o);
	if (there > 0 && !w->json)
		fprintf(stderr, "%llu of %llu were there already\n", (unsigned long long)there,
		        (unsigned long long)w->order.count);
}

static int run_derive(struct wallet *w)
{
	struct ady_dyn options = {0};
	json_t *keys = json_array();
	uint64_t there = 0;
	int status;

	if (w->id) {
		ady_key_options_put(&options, &w->key);
		w->order.options = ady_dyn_cstr(&options);
	}
	status = ady_wallet_derive(&w->order, w->id, keys, &there);
	if (status < 0) {
		report(w, keys, there);
		status = ADY_EXIT_OK;
	} else if (w->id && json_array_size(keys) > 0) {
		fprintf(stderr, "  %zu keys are made. The same command goes on from there.\n",
		        json_array_size(keys));
	}
	json_decref(keys);
	ady_dyn_free(&options);
	return status;
}

static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	char *end;

	*v = strtoull(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && !*end && strlen(text) <= 10 && *v >= min &&
	       *v <= max;
}

/* What the enclave would refuse is said here with the same words. Returns -1 to go on. */
static int check_path(const struct ady_command *self, struct wallet *w)
{
	struct ady_wallet_order *o = &w->order;
	enum ady_curve curve = ADY_CURVE_SECP256K1;
	struct ady_hd_path path;
	struct ady_fault f = {0};

	while (o->curve && curve < ADY_CURVE_WALLET && strcmp(o->curve, ady_curve_name(curve)) != 0)
		curve++;
	if (curve == ADY_CURVE_WALLET)
		return ady_cli_usage(self, "--curve is secp256k1, ed25519 or bls12-381");
	if (!o->path)
		return ady_cli_usage(self, "give --path, like m/44'/60'/0'/0/*");
	if (ady_hd_path_read(&path, ady_curve_path_kind(curve), ady_bytes_str(o->path), &f) !=
	    ADY_OK)
		return ady_cli_usage(self, "the path %s", f.detail);
	o->count = 1;
	if ((w->count && !read_number(w->count, 1, COUNT_MAX, &o->count)) ||
	    (w->first && !read_number(w->first, 0, UINT32_MAX, &o->first)))
		return ady_cli_usage(self, "--count is 1 to 1000000, --first is a number");
	if (ady_hd_path_counts(&path, o->first, o->count))
		return -1;
	return ady_cli_usage(self, path.star == path.n
	                               ? "--first and --count need a * in the path"
	                               : "--first and --count go beyond the numbers of a path");
}

static int check_wallet(const struct ady_command *self, struct wallet *w,
                        const struct ady_values *rest)
{
	if (rest->n != 1 || !ady_key_id_valid(rest->v[0]))
		return ady_cli_usage(self, "the ID of a wallet is needed");
	w->order.wallet = rest->v[0];
	return check_path(self, w);
}

#define PATH_OPTIONS(w)                                                                          \
	{"path", "PATH", "like m/44'/60'/0'/0/*; * stands for the number that counts",           \
	 .text = &(w).order.path},                                                               \
	    {"first", "N", "the first number (0)", .text = &(w).first},                          \
	    {"count", "N", "so many of them (1)", .text = &(w).count},                           \
	    {"curve", "NAME", "secp256k1 (usual), ed25519 or bls12-381",                         \
	     .text = &(w).order.curve},                                                          \
	    {"require-proof", NULL, "an attested enclave must have derived just these",          \
	     .flag = &(w).order.prove},                                                          \
	    {"root", "PEM", "of --require-proof: the root to trust; else AWS Nitro Enclaves G1", \
	     .text = &(w).order.trust.root},                                                     \
	    {"pcr0", "HEX", "of --require-proof: the enclave's; several times: any of them",     \
	     .values = &(w).order.trust.expected.pcrs[0]},                                       \
	    {"stamp-key", "FILE", ADY_STAMP_KEY_HELP, .text = &(w).order.stamp.key_file},        \
	{                                                                                        \
		"deployment", "NAME", ADY_STAMP_AUD_HELP, .text = &(w).order.stamp.aud           \
	}

int ady_cmd_wallet_derive(const struct ady_command *self, int argc, char **argv)
{
	struct wallet w = {.order.stamp.op = "derive"};
	struct ady_values rest, ids = {.n = 1};
	const struct ady_option options[] = {
	    {"id", "ID", "of the key; before its number where the path has a *", .text = &w.id},
	    PATH_OPTIONS(w),
	    ADY_KEY_RIGHTS(w.key),
	    ADY_GATEWAY_OPTIONS(w.order.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &w.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0 || (status = check_wallet(self, &w, &rest)) >= 0)
		return status;
	if (!w.id)
		return ady_cli_usage(self, "give --id: what the keys are to be called");
	ids.v[0] = w.id;
	if ((status = ady_key_options_check(self, &w.key, &ids)) >= 0)
		return status;
	w.order.stamp.tenant = w.key.tenant;
	status = run_derive(&w);
	ady_key_options_free(&w.key);
	return status;
}

int ady_cmd_wallet_addresses(const struct ady_command *self, int argc, char **argv)
{
	struct wallet w = {.order.stamp.op = "derive"};
	struct ady_values rest;
	const struct ady_option options[] = {
	    PATH_OPTIONS(w),
	    {"tenant", "NAME", "of the stamp: whose wallet it is (default)",
	     .text = &w.order.stamp.tenant},
	    ADY_GATEWAY_OPTIONS(w.order.gateway),
	    {"json", NULL, "one JSON object on one line", .flag = &w.json},
	    {0}};
	int status = ady_options_read(self, options, argc, argv, &rest);

	if (status >= 0 || (status = check_wallet(self, &w, &rest)) >= 0)
		return status;
	return run_derive(&w);
}
