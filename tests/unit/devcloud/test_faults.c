/* SPDX-License-Identifier: Apache-2.0 */
#include "devcloud/faults.h"

#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char path[] = "/tmp/test-faults-XXXXXX";

static void write_rules(const char *text)
{
	FILE *file = fopen(path, "w");

	CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static bool take(struct ady_dev_faults *f, const char *target)
{
	struct ady_dev_effect e;

	return ady_dev_faults_take(f, target, &e);
}

CASE(rules_are_counted_and_matched)
{
	struct ady_dev_effect e;
	struct ady_dev_faults *f;

	write_rules(
	    "[{\"target\":\"TrentService.Dec*\",\"times\":2,\"error\":\"X\",\"status\":500},"
	    "{\"target\":\"*\",\"times\":1,\"delay_ms\":7}]");
	CHECK_ERR(ady_dev_faults_open(&f, path), ADY_OK);
	CHECK(ady_dev_faults_take(f, "TrentService.Decrypt", &e));
	CHECK_STR(e.error, "X");
	CHECK_INT(e.status, 500);
	CHECK(take(f, "TrentService.Decrypt"));
	CHECK(ady_dev_faults_take(f, "TrentService.Decrypt", &e));
	CHECK_INT(e.delay_ms, 7);
	CHECK(!e.error);
	CHECK(!take(f, "TrentService.Decrypt"));
	ady_dev_faults_close(f);
	CHECK(!take(NULL, "x"));
}

CASE(the_file_may_come_change_and_go)
{
	struct ady_dev_faults *f;

	unlink(path);
	CHECK_ERR(ady_dev_faults_open(&f, path), ADY_OK);
	CHECK(!take(f, "a"));
	write_rules("[{\"target\":\"a\",\"expired_token\":true}]");
	CHECK(take(f, "a"));
	write_rules("[{\"target\":\"b\",\"wrong_key_id\":true,\"times\":1}]");
	CHECK(!take(f, "a"));
	CHECK(take(f, "b"));
	CHECK(!take(f, "b"));
	unlink(path);
	CHECK(!take(f, "b"));
	ady_dev_faults_close(f);
}

CASE(files_that_are_no_rules_do_nothing)
{
	static const char *const bad[] = {"{", "{\"target\":\"a\"}", "[{\"error\":\"X\"}]",
	                                  "[{\"target\":\"a\",\"eror\":\"X\"}]", "[1]"};
	struct ady_dev_faults *f;

	CHECK_ERR(ady_dev_faults_open(&f, path), ADY_OK);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		write_rules(bad[i]);
		CHECK(!take(f, "a"));
	}
	ady_dev_faults_close(f);
}

int main(void)
{
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	close(fd);
	RUN(rules_are_counted_and_matched);
	RUN(the_file_may_come_change_and_go);
	RUN(files_that_are_no_rules_do_nothing);
	unlink(path);
	return test_end();
}
