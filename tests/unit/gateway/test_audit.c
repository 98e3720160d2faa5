/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit log's writer: what is known of chains, the files, and that nobody is called back before
 * the disk has it. */
#include "gateway/audit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "gateway/audit_file.h"
#include "gateway/audit_known.h"
#include "test.h"

static char dir[] = "/tmp/adyton-audit-XXXXXX";
static const uint8_t one[32] = {1}, two[32] = {2};

CASE(an_entry_is_known_once)
{
	static struct ady_audit_known k;

	CHECK_INT(ady_audit_known_lacks(&k, one), 0);
	CHECK(ady_audit_known_add(&k, one, 0));
	CHECK(!ady_audit_known_add(&k, one, 0));
	CHECK(ady_audit_known_add(&k, two, 0));
	CHECK(ady_audit_known_add(&k, one, 3));
	CHECK_INT(ady_audit_known_lacks(&k, one), 1);
	CHECK(ady_audit_known_add(&k, one, 1));
	CHECK(ady_audit_known_add(&k, one, 2));
	CHECK_INT(ady_audit_known_lacks(&k, one), 4);
	CHECK_INT(ady_audit_known_lacks(&k, two), 1);
	CHECK(!ady_audit_known_add(&k, one, UINT64_MAX));
}

CASE(what_has_left_the_window_counts_as_there)
{
	static struct ady_audit_known k;

	CHECK(ady_audit_known_add(&k, one, 5));
	CHECK(ady_audit_known_add(&k, one, 5 + 3 * (uint64_t)ADY_AUDIT_WINDOW));
	CHECK(!ady_audit_known_add(&k, one, 6));
	CHECK_INT(ady_audit_known_lacks(&k, one), 6 + 2 * (long long)ADY_AUDIT_WINDOW);
	CHECK(ady_audit_known_add(&k, one, 6 + 2 * (uint64_t)ADY_AUDIT_WINDOW));
	CHECK(ady_audit_known_add(&k, one, 6 + 3 * (uint64_t)ADY_AUDIT_WINDOW));
	CHECK_INT(ady_audit_known_lacks(&k, one), 7 + 2 * (long long)ADY_AUDIT_WINDOW);
}

CASE(the_chain_unused_for_longest_gives_way)
{
	static struct ady_audit_known k;
	uint8_t key[32] = {0};

	for (uint8_t i = 1; i <= ADY_AUDIT_CHAINS + 1; i++) {
		key[0] = i;
		CHECK(ady_audit_known_add(&k, key, 7));
	}
	CHECK(!ady_audit_known_add(&k, key, 7));
	key[0] = 1;
	CHECK(ady_audit_known_add(&k, key, 7)); /* forgotten */
}

/* --- files --- */

static bool file_has(const char *path, const char *what)
{
	struct ady_bytes text = test_read_file(path);
	bool has = text.p && strstr((const char *)text.p, what);

	free((void *)(uintptr_t)text.p);
	return has;
}

static size_t lines_seen;
static char last_line[64];

static void count(void *ctx, struct ady_bytes line)
{
	(void)ctx;
	lines_seen++;
	(void)ady_bytes_to_str(last_line, sizeof last_line, line);
}

static const char *folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static enum ady_err reopen(struct ady_audit_file *file, const char *name, uint64_t rotate,
                           struct ady_fault *f)
{
	lines_seen = 0;
	last_line[0] = '\0';
	return ady_audit_file_open(file, folder(name), rotate, count, NULL, f);
}

static void append_raw(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

CASE(lines_stay_and_a_torn_one_is_cut_off)
{
	struct ady_audit_file file;
	struct ady_fault f = {0};
	char path[160];

	CHECK_ERR(reopen(&file, "torn", 1 << 20, &f), ADY_OK);
	CHECK(ady_audit_file_is_new(&file));
	CHECK_ERR(ady_audit_file_append(&file, ady_bytes_str("P one\nP two\n"), &f), ADY_OK);
	CHECK(!ady_audit_file_is_new(&file));
	ady_audit_file_close(&file);
	snprintf(path, sizeof path, "%s/00000001.log", folder("torn"));
	append_raw(path, "P thr");
	CHECK_ERR(reopen(&file, "torn", 1 << 20, &f), ADY_OK);
	CHECK_INT(lines_seen, 2);
	CHECK_STR(last_line, "P two");
	CHECK_ERR(ady_audit_file_append(&file, ady_bytes_str("P three\n"), &f), ADY_OK);
	ady_audit_file_close(&file);
	CHECK(file_has(path, "P one\nP two\nP three\n"));
}

CASE(a_long_file_is_ended)
{
	struct ady_audit_file file;
	struct ady_fault f = {0};

	CHECK_ERR(reopen(&file, "ended", 10, &f), ADY_OK);
	CHECK_ERR(ady_audit_file_append(&file, ady_bytes_str("P 0123456789\n"), &f), ADY_OK);
	CHECK(ady_audit_file_is_new(&file));
	CHECK_ERR(ady_audit_file_append(&file, ady_bytes_str("P next\n"), &f), ADY_OK);
	CHECK_INT(file.number, 2);
	ady_audit_file_close(&file);
	CHECK_ERR(reopen(&file, "ended", 10, &f), ADY_OK);
	CHECK_INT(file.number, 2);
	CHECK_INT(lines_seen, 2); /* of the file before, too */
	CHECK_STR(last_line, "P next");
	ady_audit_file_close(&file);
}

/* Who tidies up a folder does not tell the gateway. */
CASE(a_file_that_was_taken_away_or_cut_is_ended)
{
	struct ady_audit_file file;
	struct ady_fault f = {0};
	char path[160], away[176];

	CHECK_ERR(reopen(&file, "taken", 1 << 20, &f), ADY_OK);
	for (unsigned i = 1; i <= 4; i++) {
		CHECK_ERR(ady_audit_file_append(&file, ady_bytes_str("P one\n"), &f), ADY_OK);
		ady_audit_file_look(&file);
		CHECK(!ady_audit_file_is_new(&file));
		CHECK_INT(file.number, i);
		snprintf(path, sizeof path, "%s/%08u.log", folder("taken"), i);
		snprintf(away, sizeof away, "%s.away", path);
		if (i == 1)
			CHECK(unlink(path) == 0);
		else if (i == 2)
			CHECK(rename(path, away) == 0);
		else
			CHECK(truncate(path, 3) == 0);
		ady_audit_file_look(&file);
		CHECK(ady_audit_file_is_new(&file));
	}
	ady_audit_file_close(&file);
}

CASE(a_log_has_one_writer)
{
	struct ady_audit_file file, other;
	struct ady_fault f = {0};

	CHECK_ERR(reopen(&file, "locked", 10, &f), ADY_OK);
	CHECK_ERR(reopen(&other, "locked", 10, &f), ADY_E_IO);
	CHECK(strstr(f.detail, "in use by another gateway"));
	ady_audit_file_close(&other);
	ady_audit_file_close(&file);
	CHECK_ERR(reopen(&file, "locked", 10, &f), ADY_OK);
	ady_audit_file_close(&file);
}

/* --- the writer --- */

struct waiter {
	struct ady_audit_wait wait; /* first */
	int called;
	bool there; /* what the file had when it was called */
};

static struct ady_loop *loop;
static int awaited;

static char log_path[160], wanted[2048];

static void on_written(struct ady_task *task)
{
	struct waiter *w = (struct waiter *)task;

	w->called++;
	w->there = file_has(log_path, wanted);
	if (--awaited == 0)
		ady_loop_stop(loop);
}

/* A proof of no signature that holds: the writer does not verify. */
static struct ady_bytes proof_of(uint8_t *space, size_t cap, uint64_t sequence)
{
	static const uint8_t zero[64];
	uint8_t entry[ADY_AUDIT_ENTRY_MAX];
	struct ady_buf e = ady_buf(entry, sizeof entry), b = ady_buf(space, cap);
	struct ady_audit_entry m = {.sequence = sequence,
	                            .time_ms = 1,
	                            .op = 3,
	                            .request = ady_bytes(zero, 32),
	                            .result = ady_bytes(zero, 32)};

	ady_audit_put(&e, &m);
	ady_proof_put(&b, &(struct ady_proof){.public = ady_bytes(one, 32),
	                                      .before = ady_bytes(zero, 32),
	                                      .entry = ady_buf_bytes(&e),
	                                      .signature = ady_bytes(zero, 64)});
	return ady_buf_bytes(&b);
}

static void want_line(char kind, struct ady_bytes proof)
{
	struct ady_buf b = ady_buf(wanted, sizeof wanted - 1);

	ady_buf_u8(&b, (uint8_t)kind);
	ady_buf_u8(&b, ' ');
	ady_base64url_put(&b, proof);
	ady_buf_u8(&b, '\n');
	wanted[b.n] = '\0';
}

/* Have entry `sequence` written, wait for it, and look whether its line was there by then. */
static void write_one(struct ady_audit *a, uint64_t sequence, char kind)
{
	uint8_t space[ADY_PROOF_MAX];
	struct ady_bytes proof = proof_of(space, sizeof space, sequence);
	struct waiter w = {.wait = {.task.fn = on_written, .loop = loop}};

	want_line(kind, proof);
	awaited = 1;
	CHECK_ERR(ady_audit_write(a, proof, &w.wait), ADY_OK);
	ady_loop_run(loop);
	CHECK_INT(w.called, 1);
	CHECK_ERR(w.wait.err, ADY_OK);
	CHECK(w.there);
}

CASE(nobody_is_called_before_the_line_is_there)
{
	struct ady_config_audit config = {.folder = folder("written"), .rotate_mib = 1};
	struct ady_audit_report r;
	struct ady_fault f = {0};
	struct ady_audit *a;

	snprintf(log_path, sizeof log_path, "%s/00000001.log", config.folder);
	CHECK_ERR(ady_audit_open(&a, &config, &f), ADY_OK);
	write_one(a, 1, 'P');
	write_one(a, 4, 'P');
	write_one(a, 2, 'L'); /* behind a later one */
	write_one(a, 4, 'P'); /* again: once is enough */
	CHECK_INT(ady_audit_lacks(a, one), 0);
	ady_audit_report(a, &r);
	CHECK_INT(r.entries, 3);
	CHECK(!r.failing && r.waiting == 0 && ady_audit_ready(a));
	CHECK_ERR(ady_audit_write(a, ady_bytes_str("no proof"), NULL), ADY_E_PROTOCOL);
	ady_audit_close(a);
}

CASE(what_was_written_before_is_known_after_a_start)
{
	struct ady_config_audit config = {.folder = folder("written"), .rotate_mib = 1};
	struct ady_audit_report r;
	struct ady_fault f = {0};
	struct ady_audit *a;

	CHECK_ERR(ady_audit_open(&a, &config, &f), ADY_OK);
	write_one(a, 4, 'P');
	write_one(a, 3, 'L');
	ady_audit_report(a, &r);
	CHECK_INT(r.entries, 1);
	ady_audit_close(a);
}

CASE(a_line_is_written_where_it_can_be_found)
{
	struct ady_config_audit config = {.folder = folder("found"), .rotate_mib = 1};
	struct ady_fault f = {0};
	struct ady_audit *a;

	snprintf(log_path, sizeof log_path, "%s/00000001.log", config.folder);
	CHECK_ERR(ady_audit_open(&a, &config, &f), ADY_OK);
	write_one(a, 1, 'P');
	CHECK(unlink(log_path) == 0);
	snprintf(log_path, sizeof log_path, "%s/00000002.log", config.folder);
	write_one(a, 2, 'P');
	ady_audit_close(a);
}

CASE(a_folder_that_cannot_be_made_is_refused)
{
	struct ady_config_audit config = {.folder = "/proc/none/audit", .rotate_mib = 1};
	struct ady_fault f = {0};
	struct ady_audit *a;

	CHECK_ERR(ady_audit_open(&a, &config, &f), ADY_E_IO);
	CHECK_STR(f.where, "audit");
	CHECK(a == NULL);
}

int main(void)
{
	int status;

	if (!mkdtemp(dir) || ady_loop_open(&loop) != ADY_OK)
		return 1;
	RUN(an_entry_is_known_once);
	RUN(what_has_left_the_window_counts_as_there);
	RUN(the_chain_unused_for_longest_gives_way);
	RUN(lines_stay_and_a_torn_one_is_cut_off);
	RUN(a_long_file_is_ended);
	RUN(a_file_that_was_taken_away_or_cut_is_ended);
	RUN(a_log_has_one_writer);
	RUN(nobody_is_called_before_the_line_is_there);
	RUN(what_was_written_before_is_known_after_a_start);
	RUN(a_line_is_written_where_it_can_be_found);
	RUN(a_folder_that_cannot_be_made_is_refused);
	status = test_end();
	ady_loop_close(loop);
	return status;
}
