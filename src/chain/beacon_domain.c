/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/beacon_domain.h"

#include <string.h>

#include "crypto/hash.h"

static enum ady_err refuse_unknown(const struct ady_ssz_reader *r, uint32_t i,
                                   const char *const names[static 3], const char *where)
{
	for (uint32_t key = ady_json_first(r->doc, i); key; key = ady_json_after(r->doc, i, key)) {
		unsigned k = 0;

		while (k < 3 && names[k] && !ady_json_is(r->doc, key, names[k]))
			k++;
		if (k == 3 || !names[k])
			return ady_fail(r->f, ADY_E_FIELD_UNKNOWN, where,
			                "has a member that is not known");
	}
	return ADY_OK;
}

static enum ady_err missing(const struct ady_ssz_reader *r, const char *where)
{
	return ady_fail(r->f, ADY_E_FIELD_MISSING, where, "is required");
}

enum ady_err ady_beacon_read_fork_info(struct ady_beacon_fork_info *info,
                                       const struct ady_ssz_reader *r, uint32_t i, bool strict)
{
	static const char *const outer[3] = {"fork", "genesis_validators_root"};
	static const char *const inner[3] = {"previous_version", "current_version", "epoch"};
	uint32_t all = ady_json_get(r->doc, i, "fork_info"), fork, gvr, at[3];
	enum ady_err err;

	*info = (struct ady_beacon_fork_info){0};
	if (!all)
		return missing(r, "fork_info");
	if (!(fork = ady_json_get(r->doc, all, "fork")))
		return missing(r, "fork_info.fork");
	if (!(gvr = ady_json_get(r->doc, all, outer[1])))
		return missing(r, "fork_info.genesis_validators_root");
	for (unsigned k = 0; k < 3; k++)
		if (!(at[k] = ady_json_get(r->doc, fork, inner[k])))
			return missing(r, k == 0   ? "fork_info.fork.previous_version"
			                  : k == 1 ? "fork_info.fork.current_version"
			                           : "fork_info.fork.epoch");
	if (strict && ((err = refuse_unknown(r, all, outer, "fork_info")) != ADY_OK ||
	               (err = refuse_unknown(r, fork, inner, "fork_info.fork")) != ADY_OK))
		return err;
	if ((err = ady_ssz_read_bytes(r, info->previous, 4, at[0],
	                              "fork_info.fork.previous_version")) != ADY_OK ||
	    (err = ady_ssz_read_bytes(r, info->current, 4, at[1],
	                              "fork_info.fork.current_version")) != ADY_OK ||
	    (err = ady_ssz_read_u64(r, &info->epoch, at[2], "fork_info.fork.epoch")) != ADY_OK)
		return err;
	return ady_ssz_read_bytes(r, info->genesis_validators_root, 32, gvr,
	                          "fork_info.genesis_validators_root");
}

/* The index of a scheduled fork with that version, or ADY_FORKS. Of several the last. */
static unsigned scheduled(const struct ady_beacon_network *net, const uint8_t version[static 4])
{
	for (unsigned k = ADY_FORKS; k-- > 0;)
		if (net->fork[k].epoch != ADY_FORK_NEVER &&
		    memcmp(net->fork[k].version, version, 4) == 0)
			return k;
	return ADY_FORKS;
}

enum ady_err ady_beacon_version_at(const struct ady_beacon_network *net,
                                   const struct ady_beacon_fork_info *info, uint64_t epoch,
                                   uint8_t version4[static 4], struct ady_fault *f)
{
	enum ady_beacon_fork last = ady_beacon_fork_at(net, ADY_FORK_NEVER - 1);
	enum ady_beacon_fork now = ady_beacon_fork_at(net, epoch);
	bool known;

	memcpy(version4, epoch < info->epoch ? info->previous : info->current, 4);
	known = scheduled(net, version4) != ADY_FORKS;
	if (memcmp(version4, net->fork[now].version, 4) == 0 || (now == last && !known))
		return ADY_OK;
	return ady_fail(f, ADY_E_FIELD_INVALID, "fork_info.fork",
	                "gives a version that the network does not have in epoch %llu",
	                (unsigned long long)epoch);
}

enum ady_err ady_beacon_exit_version(const struct ady_beacon_network *net,
                                     const struct ady_beacon_fork_info *info, uint64_t epoch,
                                     uint8_t version4[static 4], struct ady_fault *f)
{
	unsigned now = scheduled(net, info->current);
	bool pinned = memcmp(info->current, info->previous, 4) == 0 && now == ADY_FORK_CAPELLA;

	if (net->fork[ADY_FORK_CAPELLA].epoch == ADY_FORK_NEVER ||
	    (now < ADY_FORK_DENEB && !pinned))
		return ady_beacon_version_at(net, info, epoch, version4, f);
	memcpy(version4, net->fork[ADY_FORK_CAPELLA].version, 4);
	return ADY_OK;
}

void ady_beacon_signing_root(uint8_t root32[static 32], const uint8_t domain_type4[static 4],
                             const uint8_t version4[static 4],
                             const uint8_t genesis_validators_root32[static 32])
{
	uint8_t version[32] = {0}, data_root[32], domain[32];

	memcpy(version, version4, 4);
	ady_sha256_pair(data_root, version, genesis_validators_root32);
	memcpy(domain, domain_type4, 4);
	memcpy(domain + 4, data_root, 28);
	ady_sha256_pair(root32, root32, domain);
}
