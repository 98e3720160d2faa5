/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of the command line, their help, and what every command reports in the same way. */
#ifndef ADY_CLI_OPTIONS_H
#define ADY_CLI_OPTIONS_H

#include "base/bytes.h"

/* Exit codes of every command. */
enum ady_cli_exit {
	ADY_EXIT_OK = 0,
	ADY_EXIT_REFUSED = 1, /* the answer is no: a refusal, or a document that does not verify */
	ADY_EXIT_USAGE = 2,
	ADY_EXIT_FAILED = 3, /* no answer: a file, a process or the network failed */
};

enum { ADY_CLI_VALUES = 64 };

/* The values of an option that may be given several times, or the arguments without a name. */
struct ady_values {
	const char *v[ADY_CLI_VALUES];
	size_t n;
};

/* One option: exactly one of text, flag and values is set. letter: a short form, or 0. */
struct ady_option {
	const char *name, *argument, *help;
	const char **text;
	bool *flag;
	struct ady_values *values;
	char letter;
};

struct ady_command {
	const char *name;      /* "dev up" */
	const char *arguments; /* "ID", for the usage line */
	const char *summary;   /* one line */
	const char *more;      /* examples, exit codes; may be "" */
	int (*run)(const struct ady_command *self, int argc, char **argv);
};

/* Read argv[0..argc) by options (ended by one without a name). Names are "--name value",
 * "--name=value" or "-x value"; "--" ends them. "--help" prints help.
 * Out:     rest, what is no option.
 * Returns: -1 to go on, else the exit status, and what is wrong was said. */
int ady_options_read(const struct ady_command *command, const struct ady_option *options, int argc,
                     char **argv, struct ady_values *rest);

/* Say on standard error what is wrong with the command line and where help is. Returns
 * ADY_EXIT_USAGE. */
int ady_cli_usage(const struct ady_command *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Say "adyton: ..." on standard error. */
void ady_cli_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Print text so that a shell reads it as one word, exactly. */
void ady_cli_put_quoted(const char *text);

#endif
