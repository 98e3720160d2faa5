/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/audit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/text.h"
#include "gateway/audit_file.h"
#include "gateway/audit_known.h"

enum { RETRY_MS = 250, KEYS = ADY_AUDIT_CHAINS, DOCUMENT_MAX = 16 * 1024 };

_Static_assert((int)KEYS >= 2 * (int)ADY_GATEWAY_ENCLAVES_MAX,
               "no chain gives way to one that ended");

/* An entry that is not written yet. */
struct line {
	struct line *next;
	uint64_t sequence;
	uint8_t public[32];
	size_t n;
	uint8_t proof[];
};

/* The document of a chain's key, and the last file that has it. */
struct key {
	uint64_t used;    /* when: the one unused for longest gives way */
	uint64_t in_file; /* its number; 0: none */
	uint8_t public[32];
	uint64_t highest; /* sequence that was written; what is below is late */
	bool any, goes;   /* goes: its document is being written */
	size_t n;
	uint8_t document[DOCUMENT_MAX];
};

struct ady_audit {
	struct ady_audit_file file; /* the writer's */
	struct key keys[KEYS];      /* under lock */
	uint64_t key_clock;
	pthread_t thread;
	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct line *lines, **lines_end;
	struct ady_audit_wait *waits, **waits_end;
	bool stop, key_came;
	struct ady_audit_known known;
	struct ady_audit_report report;
	_Atomic bool failing;
	_Atomic uint64_t doubts;
	/* The writer's: what it is writing, or could not write. */
	struct line **group;
	size_t group_n, group_cap;
	struct ady_dyn text;
};

/* --- what comes in --- */

bool ady_audit_ready(const struct ady_audit *a)
{
	return !atomic_load_explicit(&a->failing, memory_order_relaxed);
}

void ady_audit_doubt(struct ady_audit *a)
{
	atomic_fetch_add(&a->doubts, 1);
}

uint64_t ady_audit_doubts(const struct ady_audit *a)
{
	return atomic_load(&a->doubts);
}

/* Queue a line; the lock is held. False: there is no room, and it is not known then. */
static bool push(struct ady_audit *a, const struct ady_proof *p, uint64_t sequence,
                 struct ady_bytes proof)
{
	struct line *line;

	if (a->report.waiting + proof.n > ADY_AUDIT_WAITING_MAX)
		return false;
	if (!ady_audit_known_add(&a->known, p->public.p, sequence))
		return true;
	line = malloc(sizeof *line + proof.n);
	if (!line)
		ADY_BUG("out of memory");
	*line = (struct line){.sequence = sequence, .n = proof.n};
	memcpy(line->public, p->public.p, sizeof line->public);
	memcpy(line->proof, proof.p, proof.n);
	*a->lines_end = line;
	a->lines_end = &line->next;
	a->report.waiting += proof.n;
	return true;
}

enum ady_err ady_audit_write(struct ady_audit *a, struct ady_bytes proof,
                             struct ady_audit_wait *wait)
{
	struct ady_audit_entry entry;
	struct ady_proof p;
	bool room, now;

	if (ady_proof_read(&p, &entry, proof) != ADY_OK)
		return ADY_E_PROTOCOL;
	pthread_mutex_lock(&a->lock);
	room = push(a, &p, entry.sequence, proof);
	now = wait && (!room || a->failing);
	if (wait && !now) {
		wait->next = NULL;
		*a->waits_end = wait;
		a->waits_end = &wait->next;
	}
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	if (!room)
		ady_audit_doubt(a);
	if (now) {
		wait->err = ADY_E_AUDIT;
		ady_loop_post(wait->loop, &wait->task);
	}
	return ADY_OK;
}

/* The place of a chain's key, or a new one. */
static struct key *key_of(struct ady_audit *a, const uint8_t *public32)
{
	struct key *oldest = &a->keys[0];

	for (size_t i = 0; i < KEYS; i++) {
		struct key *key = &a->keys[i];

		if (key->used > 0 && memcmp(key->public, public32, 32) == 0) {
			key->used = ++a->key_clock;
			return key;
		}
		if (key->used < oldest->used)
			oldest = key;
	}
	*oldest = (struct key){.used = ++a->key_clock};
	memcpy(oldest->public, public32, 32);
	return oldest;
}

void ady_audit_key(struct ady_audit *a, const uint8_t public32[static 32],
                   struct ady_bytes document)
{
	struct key *key;

	if (document.n == 0 || document.n > DOCUMENT_MAX)
		return;
	pthread_mutex_lock(&a->lock);
	key = key_of(a, public32);
	if (key->n == 0) {
		memcpy(key->document, document.p, document.n);
		key->n = document.n;
		a->key_came = true;
		pthread_cond_signal(&a->wake);
	}
	pthread_mutex_unlock(&a->lock);
}

uint64_t ady_audit_lacks(struct ady_audit *a, const uint8_t public32[static 32])
{
	uint64_t first;

	pthread_mutex_lock(&a->lock);
	first = ady_audit_known_lacks(&a->known, public32);
	pthread_mutex_unlock(&a->lock);
	return first;
}

void ady_audit_report(struct ady_audit *a, struct ady_audit_report *report)
{
	pthread_mutex_lock(&a->lock);
	*report = a->report;
	pthread_mutex_unlock(&a->lock);
	report->failing = atomic_load(&a->failing);
}

/* --- the writer --- */

static int by_place(const void *a, const void *b)
{
	const struct line *x = *(struct line *const *)a, *y = *(struct line *const *)b;
	int c = memcmp(x->public, y->public, sizeof x->public);

	return c ? c : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void put_line(struct ady_dyn *out, char kind, struct ady_bytes b)
{
	size_t cap = ADY_BASE64_SIZE(b.n) + 3;
	struct ady_buf to = ady_buf(ady_dyn_room(out, cap), cap);

	ady_buf_u8(&to, (uint8_t)kind);
	ady_buf_u8(&to, ' ');
	ady_base64url_put(&to, b);
	ady_buf_u8(&to, '\n');
	out->n += to.n;
}

/* The documents that the file lacks. A new file has none; what was there goes into it, too. */
static void put_keys(struct ady_audit *a)
{
	uint64_t number = a->file.number + ady_audit_file_is_new(&a->file);

	for (size_t i = 0; i < KEYS; i++) {
		struct key *key = &a->keys[i];

		key->goes = key->n > 0 && key->in_file != number;
		if (key->goes)
			put_line(&a->text, 'A', ady_bytes(key->document, key->n));
	}
}

/* They are written: the documents are in the file. */
static void keep_keys(struct ady_audit *a)
{
	for (size_t i = 0; i < KEYS; i++)
		if (a->keys[i].goes)
			a->keys[i].in_file = a->file.number;
}

/* The group as text, each chain in order; what comes behind a later entry says so. */
static void put_group(struct ady_audit *a)
{
	struct key *key = NULL;
	uint64_t highest = 0;
	bool any = false;

	if (a->group_n == 0)
		return; /* a document alone */
	qsort(a->group, a->group_n, sizeof(struct line *), by_place);
	for (size_t i = 0; i < a->group_n; i++) {
		const struct line *line = a->group[i];

		if (!key || memcmp(key->public, line->public, 32) != 0) {
			key = key_of(a, line->public);
			highest = key->highest;
			any = key->any;
		}
		put_line(&a->text, any && line->sequence < highest ? 'L' : 'P',
		         ady_bytes(line->proof, line->n));
		if (!any || line->sequence > highest)
			highest = line->sequence;
		any = true;
	}
}

/* The group is on the disk. */
static void keep_group(struct ady_audit *a)
{
	for (size_t i = 0; i < a->group_n; i++) {
		struct line *line = a->group[i];
		struct key *key = key_of(a, line->public);

		if (!key->any || line->sequence > key->highest)
			key->highest = line->sequence;
		key->any = true;
		a->report.waiting -= line->n;
		free(line);
	}
	a->report.entries += a->group_n;
	a->report.syncs++;
	a->group_n = 0;
}

/* Take what waits into the group; the lock is held. */
static void take_lines(struct ady_audit *a)
{
	for (struct line *line = a->lines; line; line = line->next) {
		if (a->group_n == a->group_cap) {
			a->group_cap = a->group_cap ? 2 * a->group_cap : 256;
			a->group = realloc(a->group, a->group_cap * sizeof(struct line *));
			if (!a->group)
				ADY_BUG("out of memory");
		}
		a->group[a->group_n++] = line;
	}
	a->lines = NULL;
	a->lines_end = &a->lines;
}

static void tell(struct ady_audit_wait *waits, enum ady_err err)
{
	for (struct ady_audit_wait *w = waits, *next; w; w = next) {
		next = w->next;
		w->err = err;
		ady_loop_post(w->loop, &w->task);
	}
}

/* What was written, or was not; the lock is held. */
static void settle(struct ady_audit *a, enum ady_err err, const struct ady_fault *f)
{
	const bool was = a->failing;

	atomic_store(&a->failing, err != ADY_OK);
	if (err != ADY_OK) {
		a->report.failures++;
		snprintf(a->report.why, sizeof a->report.why, "%s", f->detail);
		if (!was)
			ADY_ERROR("the audit log cannot be written: nothing is signed",
			          "reason=\"%s\" entries=%zu", f->detail, a->group_n);
		return;
	}
	keep_keys(a);
	keep_group(a);
	a->report.why[0] = '\0';
	if (was)
		ADY_INFO("the audit log is written again", "entries=%llu",
		         (unsigned long long)a->report.entries);
}

/* One group; the lock is held, but not while the disk works. */
static void write_group(struct ady_audit *a)
{
	struct ady_audit_wait *waits;
	struct ady_fault f = {0};
	enum ady_err err;

	take_lines(a);
	waits = a->waits;
	a->waits = NULL;
	a->waits_end = &a->waits;
	a->key_came = false;
	a->text.n = 0;
	ady_audit_file_look(&a->file);
	put_keys(a);
	put_group(a);
	pthread_mutex_unlock(&a->lock);
	err = a->text.n ? ady_audit_file_append(&a->file, ady_dyn_bytes(&a->text), &f) : ADY_OK;
	pthread_mutex_lock(&a->lock);
	settle(a, err, &f);
	tell(waits, err == ADY_OK ? ADY_OK : ADY_E_AUDIT);
}

static bool idle(const struct ady_audit *a)
{
	return !a->lines && !a->waits && !a->key_came;
}

/* Wait for work, or to try again what failed. */
static void rest(struct ady_audit *a)
{
	struct timespec at;

	if (!a->failing) {
		while (idle(a) && !a->stop)
			pthread_cond_wait(&a->wake, &a->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_nsec += RETRY_MS * 1000000L;
	at.tv_sec += at.tv_nsec / 1000000000L;
	at.tv_nsec %= 1000000000L;
	while (!a->stop && pthread_cond_timedwait(&a->wake, &a->lock, &at) == 0)
		;
}

static void *writer_main(void *arg)
{
	struct ady_audit *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop || !idle(a)) {
		rest(a);
		write_group(a);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* --- opening --- */

/* A line of before. Nothing in it is believed but what it says it is. */
static void remember(void *ctx, struct ady_bytes line)
{
	struct ady_audit *a = ctx;
	uint8_t space[ADY_PROOF_MAX];
	struct ady_buf text = ady_buf(space, sizeof space);
	struct ady_audit_entry e;
	struct ady_proof p;
	struct key *key;

	if (line.n < 2 || (line.p[0] != 'P' && line.p[0] != 'L') ||
	    ady_base64url_take(&text, ady_bytes_sub(line, 2, line.n - 2)) != ADY_OK ||
	    ady_proof_read(&p, &e, ady_buf_bytes(&text)) != ADY_OK)
		return;
	(void)ady_audit_known_add(&a->known, p.public.p, e.sequence);
	key = key_of(a, p.public.p);
	if (!key->any || e.sequence > key->highest)
		key->highest = e.sequence;
	key->any = true;
}

static enum ady_err start(struct ady_audit *a)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &attr);
	pthread_condattr_destroy(&attr);
	a->lines_end = &a->lines;
	a->waits_end = &a->waits;
	return pthread_create(&a->thread, NULL, writer_main, a) == 0 ? ADY_OK : ADY_E_MEMORY;
}

enum ady_err ady_audit_open(struct ady_audit **out, const struct ady_config_audit *config,
                            struct ady_fault *f)
{
	struct ady_audit *a = calloc(1, sizeof *a);
	enum ady_err err;

	*out = NULL;
	if (!a)
		return ady_fail(f, ADY_E_MEMORY, NULL, "out of memory");
	err = ady_audit_file_open(&a->file, config->folder, (uint64_t)config->rotate_mib << 20,
	                          remember, a, f);
	if (err == ADY_OK && (err = start(a)) != ADY_OK)
		err = ady_fail(f, err, NULL, "threads cannot be started");
	if (err != ADY_OK) {
		ady_audit_file_close(&a->file);
		free(a);
		return err;
	}
	*out = a;
	return ADY_OK;
}

void ady_audit_close(struct ady_audit *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	for (size_t i = 0; i < a->group_n; i++)
		free(a->group[i]);
	free(a->group);
	ady_dyn_free(&a->text);
	ady_audit_file_close(&a->file);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->wake);
	free(a);
}
