/* SPDX-License-Identifier: Apache-2.0
 *
 * One keystore of a bulk import, on a thread of its own. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/file.h"
#include "cli/import_key.h"
#include "cli/keystore_run.h"
#include "codec/wire.h"
#include "store/seal.h"

enum { TIMEOUT_MS = 60000, PATIENCE_MS = 120000, PAUSE_MS = 250, PAUSE_MAX_MS = 4000 };

/* --- the run's state --- */

static bool is_stopped(struct ady_keystore_run *run)
{
	bool stopped;

	pthread_mutex_lock(&run->lock);
	stopped = run->stopped;
	pthread_mutex_unlock(&run->lock);
	return stopped;
}

static void stop(struct ady_keystore_run *run, const struct ady_fault *f)
{
	pthread_mutex_lock(&run->lock);
	if (!run->stopped) {
		run->stopped = true;
		run->why = *f;
	}
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

/* A request's place among those in flight. */
static void enter(struct ady_keystore_run *run)
{
	pthread_mutex_lock(&run->lock);
	while (run->in_flight >= run->limit && !run->stopped)
		pthread_cond_wait(&run->changed, &run->lock);
	run->in_flight++;
	pthread_mutex_unlock(&run->lock);
}

/* One more at once after each that was answered, half as many after one that was too many. */
static void leave(struct ady_keystore_run *run, bool answered, bool too_many)
{
	pthread_mutex_lock(&run->lock);
	run->in_flight--;
	if (answered && run->limit < run->m->jobs)
		run->limit++;
	if (too_many && run->limit > 1)
		run->limit /= 2;
	if (answered)
		run->answered_ms = ady_mono_ms();
	pthread_cond_broadcast(&run->changed);
	pthread_mutex_unlock(&run->lock);
}

/* Wait for a gateway or enclave that is not there; stop the run when that takes too long. */
static void pause_for(struct ady_keystore_run *run, const struct ady_fault *f, unsigned tries)
{
	int ms = tries < 5 ? PAUSE_MS << tries : PAUSE_MAX_MS;
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
	int64_t answered_ms;

	pthread_mutex_lock(&run->lock);
	answered_ms = run->answered_ms;
	pthread_mutex_unlock(&run->lock);
	if (ady_mono_ms() - answered_ms > PATIENCE_MS)
		stop(run, f);
	else
		(void)nanosleep(&t, NULL);
}

/* --- the import key --- */

/* A copy of the present one. Returns which it is. */
static unsigned import_key(struct ady_keystore_run *run, uint8_t key[static ADY_HPKE_KEY])
{
	unsigned generation;

	pthread_mutex_lock(&run->lock);
	memcpy(key, run->import_key, ADY_HPKE_KEY);
	generation = run->generation;
	pthread_mutex_unlock(&run->lock);
	return generation;
}

/* The key of that generation is no longer the enclave's: fetch and verify the next, once for all
 * threads. Another enclave than the expected one ends the run. */
static void renew(struct ady_keystore_run *run, unsigned generation)
{
	const struct ady_keystore_import *m = run->m;
	struct ady_fault f = {0};
	enum ady_err err;

	pthread_mutex_lock(&run->lock);
	if (run->generation == generation) {
		err = ady_import_key_fetch(run->import_key, &m->gateway, m->root, &m->expected, &f);
		if (err == ADY_OK)
			run->generation++;
		else if (err == ADY_E_ATTESTATION && !run->stopped) {
			run->stopped = true;
			run->why = f;
		}
	}
	pthread_mutex_unlock(&run->lock);
}

/* --- answers --- */

/* Whether asking again may help: nobody answered, or somebody is busy or starting. */
static bool is_passing(enum ady_err err)
{
	return err == ADY_E_STORE || err == ADY_E_ENCLAVE || err == ADY_E_BUSY ||
	       err == ADY_E_DEADLINE || err == ADY_E_KMS_UNAVAILABLE || err == ADY_E_CREDENTIALS ||
	       err == ADY_E_NSM || err == ADY_E_RATE;
}

/* Whether the key that the store has under the file's id is the file's. */
static bool is_same_key(const struct ady_keystore_file *file, const struct ady_gateway_reply *reply)
{
	json_t *key = json_loadb((const char *)reply->body.p, reply->body.n, 0, NULL);
	const bool v3 = file->form == ADY_IMPORT_V3;
	const char *text = json_string_value(json_object_get(key, v3 ? "address" : "public_key"));
	bool same = text && strcasecmp(text, file->key) == 0;

	json_decref(key);
	return same;
}

/* Look for the key: its outcome, or ADY_KEYSTORE_WAITS when it is not there. */
static enum ady_err look(struct ady_keystore_run *run, struct ady_keystore_file *file,
                         struct ady_fault *f)
{
	struct ady_gateway_reply reply = {0};
	struct ady_dyn path = {0};
	enum ady_err err;

	ady_dyn_str(&path, "/v1/keys/");
	ady_gateway_put_id(&path, file->id);
	err = ady_gateway_call(&run->m->gateway, ady_dyn_cstr(&path), NULL, TIMEOUT_MS, &reply, f);
	if (err == ADY_OK && reply.status == 200) {
		if (is_same_key(file, &reply))
			file->outcome = ADY_KEYSTORE_THERE;
		else
			err = ady_fail(f, ADY_E_EXISTS, "id", "%s",
			               file->key[0] ? "is that of another key in the store"
			                            : "is taken, and the keystore does not name "
			                              "its key: compare with adyton key show");
	} else if (err == ADY_OK && reply.status != 404) {
		err = ady_gateway_fault(&reply, f);
	}
	ady_dyn_free(&path);
	ady_dyn_free(&reply.body);
	return err;
}

/* --- asking --- */

static json_t *base64(struct ady_bytes b)
{
	char *text = malloc(ADY_BASE64_SIZE(b.n));
	json_t *value;

	if (!text)
		ADY_BUG("out of memory");
	value = json_stringn(text, ady_base64_encode(text, b));
	free(text);
	return value;
}

static enum ady_err post(struct ady_keystore_run *run, const struct ady_keystore_file *file,
                         const char *options, const struct ady_sealed *sealed, struct ady_fault *f)
{
	json_t *body = json_pack("{ssssssss}", "tenant", run->m->key.tenant, "curve",
	                         ady_keystore_curve(file->form), "options", options, "form",
	                         file->form == ADY_IMPORT_V3 ? "v3" : "eip2335");
	struct ady_gateway_reply reply = {0};
	struct ady_dyn request = {0};
	enum ady_err err;
	char *text;

	json_object_set_new(body, "enc", base64(ady_bytes(sealed->enc, sizeof sealed->enc)));
	json_object_set_new(body, "sealed", base64(ady_bytes(sealed->sealed, sealed->sealed_n)));
	text = json_dumps(body, JSON_COMPACT);
	ady_dyn_str(&request, text ? text : "");
	enter(run);
	err = ady_gateway_call(&run->m->gateway, "/v1/keys", &request, TIMEOUT_MS, &reply, f);
	if (err == ADY_OK && reply.status != 201)
		err = ady_gateway_fault(&reply, f);
	leave(run, !is_passing(err), err == ADY_E_BUSY || err == ADY_E_DEADLINE);
	ady_dyn_free(&reply.body);
	ady_dyn_free(&request);
	json_decref(body);
	free(text);
	return err;
}

/* Seal for the present enclave and ask. Out: generation, of the key that was sealed to. */
static enum ady_err seal_and_post(struct ady_keystore_run *run, struct ady_keystore_file *file,
                                  struct ady_bytes text, struct ady_bytes password,
                                  unsigned *generation, struct ady_fault *f)
{
	struct ady_key_options key = run->m->key;
	struct ady_sealed *sealed = calloc(1, sizeof *sealed);
	uint8_t public[ADY_HPKE_KEY];
	struct ady_dyn options = {0};
	struct ady_seal to = {.import_key = public, .tenant = key.tenant};
	enum ady_err err;

	if (!sealed)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	key.id = file->id;
	ady_key_options_put(&options, &key);
	to.options = ady_dyn_bytes(&options);
	*generation = import_key(run, public);
	err = ady_seal_keystore(sealed, &file->form, &to, text, password, f);
	if (err == ADY_OK)
		err = post(run, file, ady_dyn_cstr(&options), sealed, f);
	ady_dyn_free(&options);
	free(sealed);
	return err;
}

/* The id: the run's name with the file's key in it. */
static enum ady_err name(const struct ady_keystore_run *run, struct ady_keystore_file *file,
                         struct ady_fault *f)
{
	static const char mark[] = "{key}";
	const char *at = strstr(run->m->name, mark);
	int n;

	if (!at)
		n = snprintf(file->id, sizeof file->id, "%s", run->m->name);
	else if (!file->key[0])
		return ady_fail(f, ADY_E_KEYSTORE, NULL,
		                "names no key that it could be called by: import it alone, with "
		                "an ID");
	else
		n = snprintf(file->id, sizeof file->id, "%.*s%s%s", (int)(at - run->m->name),
		             run->m->name, file->key, at + sizeof mark - 1);
	if (n < 0 || (size_t)n >= sizeof file->id || !ady_key_id_valid(file->id))
		return ady_fail(f, ADY_E_FIELD_INVALID, "id", "would be no key id");
	return ADY_OK;
}

/* Ask until there is an answer; each time look first, because an answer may have been lost. What
 * came in between, of a command that was cut off, is looked at once more. */
static enum ady_err insist(struct ady_keystore_run *run, struct ady_keystore_file *file,
                           struct ady_bytes text, struct ady_bytes password, struct ady_fault *f)
{
	enum ady_err err = ADY_E_STORE;
	unsigned generation = 0, renewed = 0;
	bool between = false;

	for (unsigned tries = 0; !is_stopped(run); tries++) {
		err = look(run, file, f);
		if (err == ADY_OK && file->outcome == ADY_KEYSTORE_THERE)
			return ADY_OK;
		if (err == ADY_OK)
			err = seal_and_post(run, file, text, password, &generation, f);
		if (err == ADY_E_EXISTS && !between) {
			between = true;
			continue;
		}
		if (err == ADY_E_FIELD_INVALID && strcmp(f->where, "sealed") == 0 && renewed++ < 5)
			renew(run, generation);
		else if (is_passing(err))
			pause_for(run, f, tries);
		else
			return err;
	}
	return err;
}

void ady_keystore_post(struct ady_keystore_run *run, struct ady_keystore_file *file)
{
	struct ady_dyn text = {0}, password = {0};
	struct ady_fault *f = &file->fault;
	enum ady_err err = ady_keystore_file_read(file, &text, f);

	if (err == ADY_E_NOT_FOUND) {
		file->outcome = ADY_KEYSTORE_LEFT_OUT;
		ady_dyn_free(&text);
		return;
	}
	if (err == ADY_OK)
		err = name(run, file, f);
	if (err == ADY_OK && run->m->password)
		ady_dyn_put(&password, run->m->password->p, run->m->password->n);
	else if (err == ADY_OK)
		err = ady_keystore_password(&password, file, run->m->passwords,
		                            run->m->password_file, f);
	if (err == ADY_OK)
		err = insist(run, file, ady_dyn_bytes(&text), ady_dyn_bytes(&password), f);
	if (err != ADY_OK)
		file->outcome =
		    is_stopped(run) && is_passing(err) ? ADY_KEYSTORE_WAITS : ADY_KEYSTORE_FAILED;
	else if (file->outcome == ADY_KEYSTORE_WAITS)
		file->outcome = ADY_KEYSTORE_IMPORTED;
	ady_file_wipe(&password);
	ady_file_wipe(&text);
}
