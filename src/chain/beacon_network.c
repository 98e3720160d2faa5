/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon_network.h"

#include <stdio.h>
#include <string.h>

#define MAINNET                      \
	{                            \
		64, 131072, 512, 128 \
	}
#define MINIMAL                \
	{                      \
		4, 8192, 32, 8 \
	}

static const struct ady_beacon_network networks[] = {
    {.name = "mainnet",
     .genesis_validators_root = {0x4b, 0x36, 0x3d, 0xb9, 0x4e, 0x28, 0x61, 0x20, 0xd7, 0x6e, 0xb9,
                                 0x05, 0x34, 0x0f, 0xdd, 0x4e, 0x54, 0xbf, 0xe9, 0xf0, 0x6b, 0xf3,
                                 0x3f, 0xf6, 0xcf, 0x5a, 0xd2, 0x7f, 0x51, 0x1b, 0xfe, 0x95},
     .genesis_time_s = 1606824023,
     .seconds_per_slot = 12,
     .slots_per_epoch = 32,
     .sizes = MAINNET,
     .fork = {{{0x00, 0x00, 0x00, 0x00}, 0},
              {{0x01, 0x00, 0x00, 0x00}, 74240},
              {{0x02, 0x00, 0x00, 0x00}, 144896},
              {{0x03, 0x00, 0x00, 0x00}, 194048},
              {{0x04, 0x00, 0x00, 0x00}, 269568},
              {{0x05, 0x00, 0x00, 0x00}, 364032},
              {{0x06, 0x00, 0x00, 0x00}, 411392},
              {{0x07, 0x00, 0x00, 0x00}, ADY_FORK_NEVER}}},
    {.name = "sepolia",
     .genesis_validators_root = {0xd8, 0xea, 0x17, 0x1f, 0x3c, 0x94, 0xae, 0xa2, 0x1e, 0xbc, 0x42,
                                 0xa1, 0xed, 0x61, 0x05, 0x2a, 0xcf, 0x3f, 0x92, 0x09, 0xc0, 0x0e,
                                 0x4e, 0xfb, 0xaa, 0xdd, 0xac, 0x09, 0xed, 0x9b, 0x80, 0x78},
     .genesis_time_s = 1655733600,
     .seconds_per_slot = 12,
     .slots_per_epoch = 32,
     .sizes = MAINNET,
     .fork = {{{0x90, 0x00, 0x00, 0x69}, 0},
              {{0x90, 0x00, 0x00, 0x70}, 50},
              {{0x90, 0x00, 0x00, 0x71}, 100},
              {{0x90, 0x00, 0x00, 0x72}, 56832},
              {{0x90, 0x00, 0x00, 0x73}, 132608},
              {{0x90, 0x00, 0x00, 0x74}, 222464},
              {{0x90, 0x00, 0x00, 0x75}, 272640},
              {{0x90, 0x00, 0x00, 0x76}, 353024}}},
    {.name = "hoodi",
     .genesis_validators_root = {0x21, 0x2f, 0x13, 0xfc, 0x4d, 0xf0, 0x78, 0xb6, 0xcb, 0x7d, 0xb2,
                                 0x28, 0xf1, 0xc8, 0x30, 0x75, 0x66, 0xdc, 0xec, 0xf9, 0x00, 0x86,
                                 0x74, 0x01, 0xa9, 0x20, 0x23, 0xd7, 0xba, 0x99, 0xcb, 0x5f},
     .genesis_time_s = 1742213400,
     .seconds_per_slot = 12,
     .slots_per_epoch = 32,
     .sizes = MAINNET,
     .fork = {{{0x10, 0x00, 0x09, 0x10}, 0},
              {{0x20, 0x00, 0x09, 0x10}, 0},
              {{0x30, 0x00, 0x09, 0x10}, 0},
              {{0x40, 0x00, 0x09, 0x10}, 0},
              {{0x50, 0x00, 0x09, 0x10}, 0},
              {{0x60, 0x00, 0x09, 0x10}, 2048},
              {{0x70, 0x00, 0x09, 0x10}, 50688},
              {{0x80, 0x00, 0x09, 0x10}, ADY_FORK_NEVER}}},
    {.name = "holesky",
     .genesis_validators_root = {0x91, 0x43, 0xaa, 0x7c, 0x61, 0x5a, 0x7f, 0x71, 0x15, 0xe2, 0xb6,
                                 0xaa, 0xc3, 0x19, 0xc0, 0x35, 0x29, 0xdf, 0x82, 0x42, 0xae, 0x70,
                                 0x5f, 0xba, 0x9d, 0xf3, 0x9b, 0x79, 0xc5, 0x9f, 0xa8, 0xb1},
     .genesis_time_s = 1695902400,
     .seconds_per_slot = 12,
     .slots_per_epoch = 32,
     .sizes = MAINNET,
     .fork = {{{0x01, 0x01, 0x70, 0x00}, 0},
              {{0x02, 0x01, 0x70, 0x00}, 0},
              {{0x03, 0x01, 0x70, 0x00}, 0},
              {{0x04, 0x01, 0x70, 0x00}, 256},
              {{0x05, 0x01, 0x70, 0x00}, 29696},
              {{0x06, 0x01, 0x70, 0x00}, 115968},
              {{0x07, 0x01, 0x70, 0x00}, 165120},
              {{0x08, 0x01, 0x70, 0x00}, ADY_FORK_NEVER}}},
    {.name = "gnosis",
     .genesis_validators_root = {0xf5, 0xdc, 0xb5, 0x56, 0x4e, 0x82, 0x9a, 0xab, 0x27, 0x26, 0x4b,
                                 0x9b, 0xec, 0xd5, 0xdf, 0xaa, 0x01, 0x70, 0x85, 0x61, 0x12, 0x24,
                                 0xcb, 0x30, 0x36, 0xf5, 0x73, 0x36, 0x8d, 0xbb, 0x9d, 0x47},
     .genesis_time_s = 1638993340,
     .seconds_per_slot = 5,
     .slots_per_epoch = 16,
     .sizes = MAINNET,
     .fork = {{{0x00, 0x00, 0x00, 0x64}, 0},
              {{0x01, 0x00, 0x00, 0x64}, 512},
              {{0x02, 0x00, 0x00, 0x64}, 385536},
              {{0x03, 0x00, 0x00, 0x64}, 648704},
              {{0x04, 0x00, 0x00, 0x64}, 889856},
              {{0x05, 0x00, 0x00, 0x64}, 1337856},
              {{0x06, 0x00, 0x00, 0x64}, 1714688},
              {{0x07, 0x00, 0x00, 0x64}, ADY_FORK_NEVER}}},
    {.name = "chiado",
     .genesis_validators_root = {0x9d, 0x64, 0x2d, 0xac, 0x73, 0x05, 0x8f, 0xbf, 0x39, 0xc0, 0xae,
                                 0x41, 0xab, 0x1e, 0x34, 0xe4, 0xd8, 0x89, 0x04, 0x3c, 0xb1, 0x99,
                                 0x85, 0x1d, 0xed, 0x70, 0x95, 0xbc, 0x99, 0xeb, 0x4c, 0x1e},
     .genesis_time_s = 1665396300,
     .seconds_per_slot = 5,
     .slots_per_epoch = 16,
     .sizes = MAINNET,
     .fork = {{{0x00, 0x00, 0x00, 0x6f}, 0},
              {{0x01, 0x00, 0x00, 0x6f}, 90},
              {{0x02, 0x00, 0x00, 0x6f}, 180},
              {{0x03, 0x00, 0x00, 0x6f}, 244224},
              {{0x04, 0x00, 0x00, 0x6f}, 516608},
              {{0x05, 0x00, 0x00, 0x6f}, 948224},
              {{0x06, 0x00, 0x00, 0x6f}, 1353216},
              {{0x07, 0x00, 0x00, 0x6f}, ADY_FORK_NEVER}}},
};

static const uint64_t mainnet_sizes[ADY_SIZES] = MAINNET, minimal_sizes[ADY_SIZES] = MINIMAL;

static const char *const fork_names[ADY_FORKS] = {"PHASE0", "ALTAIR",  "BELLATRIX", "CAPELLA",
                                                  "DENEB",  "ELECTRA", "FULU",      "GLOAS"};

const struct ady_beacon_network *ady_beacon_network_find(const char *name)
{
	for (size_t k = 0; k < sizeof networks / sizeof *networks; k++)
		if (strcmp(networks[k].name, name) == 0)
			return &networks[k];
	return NULL;
}

enum ady_beacon_fork ady_beacon_fork_at(const struct ady_beacon_network *net, uint64_t epoch)
{
	unsigned fork = ADY_FORKS - 1;

	while (fork > 0 &&
	       (net->fork[fork].epoch == ADY_FORK_NEVER || net->fork[fork].epoch > epoch))
		fork--;
	return (enum ady_beacon_fork)fork;
}

uint64_t ady_beacon_slot_at(const struct ady_beacon_network *net, uint64_t unix_s)
{
	return unix_s < net->genesis_time_s
	           ? 0
	           : (unix_s - net->genesis_time_s) / net->seconds_per_slot;
}

const char *ady_beacon_fork_name(enum ady_beacon_fork fork)
{
	return fork_names[fork];
}

static enum ady_err refuse(struct ady_fault *f, enum ady_err err, const char *where,
                           const char *why)
{
	return ady_fail(f, err, where, "%s", why);
}

static bool is_member(const struct ady_json *doc, uint32_t key, const char *const *names, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (ady_json_is(doc, key, names[k]))
			return true;
	return false;
}

static enum ady_err check_members(const struct ady_json *doc, uint32_t i, const char *const *names,
                                  size_t n, const char *where, struct ady_fault *f)
{
	if (ady_json_kind(doc, i) != ADY_JSON_OBJECT)
		return refuse(f, ADY_E_FIELD_INVALID, where, "must be an object");
	for (uint32_t key = ady_json_first(doc, i); key; key = ady_json_after(doc, i, key))
		if (!is_member(doc, key, names, n))
			return refuse(f, ADY_E_FIELD_UNKNOWN, where,
			              "has a member that is not known");
	return ADY_OK;
}

static enum ady_err read_fork(struct ady_beacon_network *net, unsigned k,
                              const struct ady_ssz_reader *r, uint32_t i)
{
	static const char *const names[] = {"version", "epoch"};
	uint32_t version = ady_json_get(r->doc, i, "version"),
	         epoch = ady_json_get(r->doc, i, "epoch");
	enum ady_err err;

	if ((err = check_members(r->doc, i, names, 2, "network.forks", r->f)) != ADY_OK)
		return err;
	if (!version)
		return refuse(r->f, ADY_E_FIELD_MISSING, "network.forks.version", "is required");
	err = ady_ssz_read_bytes(r, net->fork[k].version, 4, version, "network.forks.version");
	if (err != ADY_OK || !epoch)
		return err;
	err = ady_ssz_read_u64(r, &net->fork[k].epoch, epoch, "network.forks.epoch");
	if (err != ADY_OK)
		return err;
	if (k == 0 ? net->fork[0].epoch != 0 : net->fork[k].epoch < net->fork[k - 1].epoch)
		return refuse(r->f, ADY_E_FIELD_INVALID, "network.forks.epoch",
		              "must begin with 0 and not fall");
	return ADY_OK;
}

static enum ady_err read_forks(struct ady_beacon_network *net, const struct ady_ssz_reader *r,
                               uint32_t i)
{
	unsigned k = 0;
	enum ady_err err;

	for (unsigned n = 0; n < ADY_FORKS; n++)
		net->fork[n].epoch = ADY_FORK_NEVER;
	if (ady_json_kind(r->doc, i) != ADY_JSON_ARRAY || r->doc->toks[i].count < 1 ||
	    r->doc->toks[i].count > ADY_FORKS)
		return refuse(r->f, ADY_E_FIELD_INVALID, "network.forks",
		              "must be an array of 1 to 8 forks");
	for (uint32_t at = ady_json_first(r->doc, i); at; at = ady_json_after(r->doc, i, at))
		if ((err = read_fork(net, k++, r, at)) != ADY_OK)
			return err;
	if (net->fork[0].epoch != 0)
		return refuse(r->f, ADY_E_FIELD_INVALID, "network.forks",
		              "the first must have epoch 0");
	return ADY_OK;
}

static enum ady_err read_u32(const struct ady_ssz_reader *r, uint32_t *out, uint32_t i,
                             const char *where)
{
	uint64_t v;
	enum ady_err err = ady_ssz_read_u64(r, &v, i, where);

	*out = (uint32_t)v;
	if (err == ADY_OK && (v < 1 || v > 3600))
		err = refuse(r->f, ADY_E_FIELD_RANGE, where, "must be 1 to 3600");
	return err;
}

static enum ady_err read_object(struct ady_beacon_network *net, const struct ady_ssz_reader *r,
                                uint32_t i)
{
	static const char *const names[] = {"name",
	                                    "genesis_validators_root",
	                                    "genesis_time",
	                                    "seconds_per_slot",
	                                    "slots_per_epoch",
	                                    "preset",
	                                    "forks"};
	enum { NAMES = sizeof names / sizeof *names };
	uint32_t at[NAMES];
	enum ady_err err;
	size_t n;

	if ((err = check_members(r->doc, i, names, NAMES, "network", r->f)) != ADY_OK)
		return err;
	for (size_t k = 0; k < NAMES; k++) {
		char where[40];

		snprintf(where, sizeof where, "network.%s", names[k]);
		if (!(at[k] = ady_json_get(r->doc, i, names[k])))
			return refuse(r->f, ADY_E_FIELD_MISSING, where, "is required");
	}
	if (ady_json_string(r->doc, at[0], net->name, sizeof net->name, &n) != ADY_OK || n == 0)
		return refuse(r->f, ADY_E_FIELD_INVALID, "network.name",
		              "must be a text of 1 to 31 bytes");
	if (!ady_json_is(r->doc, at[5], "mainnet") && !ady_json_is(r->doc, at[5], "minimal"))
		return refuse(r->f, ADY_E_FIELD_INVALID, "network.preset",
		              "must be \"mainnet\" or \"minimal\"");
	memcpy(net->sizes, ady_json_is(r->doc, at[5], "minimal") ? minimal_sizes : mainnet_sizes,
	       sizeof net->sizes);
	if ((err = ady_ssz_read_bytes(r, net->genesis_validators_root, 32, at[1],
	                              "network.genesis_validators_root")) != ADY_OK ||
	    (err = ady_ssz_read_u64(r, &net->genesis_time_s, at[2], "network.genesis_time")) !=
	        ADY_OK ||
	    (err = read_u32(r, &net->seconds_per_slot, at[3], "network.seconds_per_slot")) !=
	        ADY_OK ||
	    (err = read_u32(r, &net->slots_per_epoch, at[4], "network.slots_per_epoch")) != ADY_OK)
		return err;
	return read_forks(net, r, at[6]);
}

enum ady_err ady_beacon_network_read(struct ady_beacon_network *net, const struct ady_json *doc,
                                     uint32_t i, struct ady_fault *f)
{
	struct ady_ssz_reader r = {.doc = doc, .presets = mainnet_sizes, .f = f};
	const struct ady_beacon_network *known;
	char name[32];
	size_t n;

	*net = (struct ady_beacon_network){0};
	if (ady_json_kind(doc, i) != ADY_JSON_STRING)
		return read_object(net, &r, i);
	if (ady_json_string(doc, i, name, sizeof name, &n) != ADY_OK ||
	    !(known = ady_beacon_network_find(name)))
		return refuse(f, ADY_E_FIELD_INVALID, "network", "is not the name of a network");
	*net = *known;
	return ADY_OK;
}
