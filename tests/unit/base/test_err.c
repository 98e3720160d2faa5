/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

CASE(codes_are_stable_words_and_differ)
{
	for (int i = 0; i < ADY_ERR_COUNT; i++) {
		const char *code = ady_err_code((enum ady_err)i);

		CHECK_ERR(ady_err_from_code(code), (enum ady_err)i);
		CHECK(strspn(code, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(code));
		CHECK(ady_err_status((enum ady_err)i) >= 200 &&
		      ady_err_status((enum ady_err)i) < 600);
		CHECK((ady_err_status((enum ady_err)i) == 200) == (i == ADY_OK));
		CHECK(ady_err_text((enum ady_err)i)[0] != '\0');
	}
	CHECK_ERR(ady_err_from_code("no_such_code"), ADY_E_INTERNAL);
	CHECK_ERR(ady_err_from_code(""), ADY_E_INTERNAL);
	CHECK_STR(ady_err_code((enum ady_err)9999), "internal");
	CHECK_INT(ady_err_status((enum ady_err) - 1), 500);
}

CASE(a_fault_is_one_statement)
{
	struct ady_fault f = {.cause = "left from before"};

	CHECK_ERR(ady_fail(&f, ADY_E_FIELD_RANGE, "transaction.gas", "is above %d", 7),
	          ADY_E_FIELD_RANGE);
	CHECK_ERR(f.err, ADY_E_FIELD_RANGE);
	CHECK_STR(f.where, "transaction.gas");
	CHECK_STR(f.detail, "is above 7");
	CHECK_STR(f.cause, "");
	CHECK_ERR(ady_fail(&f, ADY_E_BUSY, NULL, "x"), ADY_E_BUSY);
	CHECK_STR(f.where, "");
	CHECK_ERR(ady_fail(NULL, ADY_E_IO, "a", "b"), ADY_E_IO);
}

CASE(a_fault_is_printable_and_cut)
{
	static char longer[1000];
	struct ady_fault f;

	memset(longer, 'x', sizeof longer - 1);
	CHECK_ERR(ady_fail(&f, ADY_E_JSON, longer, "%s", longer), ADY_E_JSON);
	CHECK_INT(strlen(f.where), sizeof f.where - 1);
	CHECK_INT(strlen(f.detail), sizeof f.detail - 1);
	CHECK_ERR(ady_fail(&f, ADY_E_JSON, "a\nb", "%s", "\x1b[0m\xff\x7f~ "), ADY_E_JSON);
	CHECK_STR(f.where, "a?b");
	CHECK_STR(f.detail, "?[0m??~ ");
}

CASE(a_bug_aborts)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		(void)close(STDERR_FILENO);
		ADY_BUG("on purpose");
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	RUN(codes_are_stable_words_and_differ);
	RUN(a_fault_is_one_statement);
	RUN(a_fault_is_printable_and_cut);
	RUN(a_bug_aborts);
	return test_end();
}
