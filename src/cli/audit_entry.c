/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audit_entry.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/text.h"
#include "codec/wire.h"

const char *ady_audit_op_text(uint64_t op)
{
	static const char *const words[] = {
	    [0] = "start",
	    [ADY_WIRE_SIGN] = "sign",
	    [ADY_WIRE_CREATE] = "create",
	    [ADY_WIRE_LOCK] = "lock",
	    [ADY_WIRE_CREATE_BATCH] = "create batch",
	    [ADY_WIRE_REWRAP] = "rewrap",
	    [ADY_WIRE_IMPORT] = "import",
	    [ADY_WIRE_DUTY] = "duty",
	    [ADY_WIRE_WATERMARK] = "watermark",
	    [14] = "policy change",
	    [15] = "derive",
	    [18] = "backup",
	};
	static char other[16];

	if (op < sizeof words / sizeof *words && words[op])
		return words[op];
	snprintf(other, sizeof other, "op %u", (unsigned)op);
	return other;
}

static void put_hex(json_t *o, const char *name, struct ady_bytes b)
{
	char hex[2 * 64 + 1];

	if (b.n == 0 || b.n > 64)
		return;
	ady_hex_encode(hex, b);
	json_object_set_new(o, name, json_string(hex));
}

static void put_text(json_t *o, const char *name, struct ady_bytes b)
{
	if (b.n > 0)
		json_object_set_new(o, name, json_stringn((const char *)b.p, b.n));
}

json_t *ady_audit_entry_json(const struct ady_proof *p, const struct ady_audit_entry *e)
{
	json_t *o = json_object();
	char time[21];

	ady_time_rfc3339(time, (int64_t)(e->time_ms / 1000));
	put_hex(o, "chain", p->public);
	json_object_set_new(o, "sequence", json_integer((json_int_t)e->sequence));
	json_object_set_new(o, "time", json_string(time));
	json_object_set_new(o, "time_ms", json_integer((json_int_t)e->time_ms));
	json_object_set_new(o, "op", json_string(ady_audit_op_text(e->op)));
	put_text(o, "key", e->key);
	put_text(o, "tenant", e->tenant);
	put_hex(o, "request_sha256", e->request);
	put_hex(o, "result_sha256", e->result);
	put_text(o, "code", e->code);
	put_text(o, "where", e->where);
	put_hex(o, "public", e->public);
	put_hex(o, "digest", e->digest);
	return o;
}
