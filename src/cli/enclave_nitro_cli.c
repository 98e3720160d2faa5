/* SPDX-License-Identifier: Apache-2.0
 *
 * An enclave through AWS's nitro-cli, for who wants the tool that AWS supports: it loads the image,
 * waits for the heartbeat itself, and keeps a process of its own for the enclave. */
#include "cli/enclave.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum { TOOL_MS = 400000, DESCRIBE_MS = 20000, LOOK_EVERY_MS = 5000 };

/* Run nitro-cli with args (ended by NULL) and read the JSON that it prints, to its end. */
static enum ady_err tool(const struct ady_machine *m, const char *const *args, int timeout_ms,
                         json_t **reply, struct ady_fault *f)
{
	struct ady_child c;
	struct ady_dyn text = {0};
	char program[PATH_MAX], log[PATH_MAX];
	enum ady_err err = ady_program_find(program, "ADYTON_NITRO_CLI", "nitro-cli", f);

	*reply = NULL;
	if (err != ADY_OK)
		return err;
	snprintf(log, sizeof log, "%s/nitro-cli.log", m->plan->dir);
	ady_child_init(&c, "nitro-cli", program, log);
	for (; *args && err == ADY_OK; args++)
		err = ady_child_arg(&c, *args);
	if (err == ADY_OK)
		err = ady_child_start(&c, true, f);
	if (err == ADY_OK)
		(void)ady_child_output(&c, &text, timeout_ms);
	ady_child_stop(&c, 1000, false);
	*reply = json_loadb((const char *)text.p, text.n, JSON_DISABLE_EOF_CHECK, NULL);
	ady_dyn_free(&text);
	if (!*reply)
		(void)ady_fail(f, ADY_E_IO, "nitro-cli", "did not do it; see %s", log);
	ady_child_clear(&c);
	return *reply ? ADY_OK : ADY_E_IO;
}

static void stop(struct ady_machine *m)
{
	const char *args[] = {"terminate-enclave", "--enclave-id", m->id, NULL};
	struct ady_fault f = {0};
	json_t *reply = NULL;

	if (m->id[0])
		(void)tool(m, args, DESCRIBE_MS, &reply, &f);
	json_decref(reply);
	m->id[0] = 0;
}

static enum ady_err start(struct ady_machine *m, struct ady_fault *f)
{
	const struct ady_enclave_plan *p = m->plan;
	char memory[16], cpus[16], cid[16];
	const char *args[] = {"run-enclave", "--eif-path",
	                      p->image_path, "--memory",
	                      memory,        "--cpu-count",
	                      cpus,          "--enclave-cid",
	                      cid,           p->debug ? "--debug-mode" : NULL,
	                      NULL};
	json_t *reply;
	enum ady_err err;

	snprintf(memory, sizeof memory, "%u", p->memory_mib);
	snprintf(cpus, sizeof cpus, "%u", p->cpus);
	snprintf(cid, sizeof cid, "%u", p->cid);
	err = tool(m, args, TOOL_MS, &reply, f);
	if (err != ADY_OK)
		return err;
	snprintf(m->id, sizeof m->id, "%s",
	         json_string_value(json_object_get(reply, "EnclaveID")) ?: "");
	m->cid = (uint32_t)json_integer_value(json_object_get(reply, "EnclaveCID"));
	m->looked_ms = ady_mono_ms();
	json_decref(reply);
	if (m->id[0] && m->cid)
		return ADY_OK;
	stop(m);
	return ady_fail(f, ADY_E_PROTOCOL, "nitro-cli", "names no EnclaveID and EnclaveCID");
}

/* Whether the list of describe-enclaves has ours, running. */
static bool listed(const json_t *list, const char *id)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *its = json_string_value(json_object_get(one, "EnclaveID"));
		const char *state = json_string_value(json_object_get(one, "State"));

		if (its && state && strcmp(its, id) == 0)
			return strcmp(state, "RUNNING") == 0;
	}
	return false;
}

/* It is asked every five seconds. When it cannot answer, that says nothing about the enclave. */
static bool ended(struct ady_machine *m)
{
	const char *args[] = {"describe-enclaves", NULL};
	struct ady_fault f = {0};
	json_t *list;
	bool gone;

	if (!m->id[0] || ady_mono_ms() - m->looked_ms < LOOK_EVERY_MS)
		return !m->id[0];
	m->looked_ms = ady_mono_ms();
	if (tool(m, args, DESCRIBE_MS, &list, &f) != ADY_OK)
		return false;
	gone = !listed(list, m->id);
	json_decref(list);
	return gone;
}

static int descriptor(const struct ady_machine *m)
{
	(void)m;
	return -1;
}

static void last_words(const struct ady_machine *m, struct ady_dyn *out)
{
	ady_dyn_printf(out, "see %s/nitro-cli.log and /var/log/nitro_enclaves", m->plan->dir);
}

static void endpoint(const struct ady_machine *m, bool listen, unsigned port, char *out, size_t cap)
{
	ady_machine_nitro.endpoint(m, listen, port, out, cap);
}

const struct ady_machine_kind ady_machine_nitro_cli = {
    .name = "nitro-cli",
    .default_cid = 16,
    .default_cpus = 2,
    .start = start,
    .ended = ended,
    .descriptor = descriptor,
    .stop = stop,
    .last_words = last_words,
    .endpoint = endpoint,
};
