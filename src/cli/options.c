/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HELP_COLUMN = 34 };

void ady_cli_say(const char *fmt, ...)
{
	va_list ap;

	fputs("adyton: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* In single quotes a shell reads everything as it stands but the quote itself. */
void ady_cli_put_quoted(const char *text)
{
	putchar('\'');
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else
			putchar(*text);
	}
	putchar('\'');
}

int ady_cli_usage(const struct ady_command *command, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "adyton %s: ", command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nSee: adyton %s --help\n", command->name);
	return ADY_EXIT_USAGE;
}

static void print_help(const struct ady_command *command, const struct ady_option *options)
{
	printf("%s\n\nUsage: adyton %s%s%s [options]\n\nOptions:\n", command->summary,
	       command->name, command->arguments[0] ? " " : "", command->arguments);
	for (const struct ady_option *o = options; o->name; o++) {
		char left[64], letter[8] = "    ";

		if (o->letter)
			snprintf(letter, sizeof letter, "-%c, ", o->letter);
		snprintf(left, sizeof left, "  %s--%s %s", letter, o->name,
		         o->argument ? o->argument : "");
		printf("%-*s %s\n", HELP_COLUMN, left, o->help);
	}
	printf("%-*s %s\n", HELP_COLUMN, "  -h, --help", "this text");
	if (command->more[0])
		printf("\n%s", command->more);
}

static const struct ady_option *find(const struct ady_option *options, const char *name, size_t n)
{
	for (; options->name; options++)
		if (strlen(options->name) == n && memcmp(options->name, name, n) == 0)
			return options;
	return NULL;
}

static const struct ady_option *find_letter(const struct ady_option *options, char letter)
{
	for (; options->name; options++)
		if (options->letter == letter)
			return options;
	return NULL;
}

static bool add(struct ady_values *values, const char *value)
{
	if (values->n == ADY_CLI_VALUES)
		return false;
	values->v[values->n++] = value;
	return true;
}

/* Store the value of option o, which is value or, when that is NULL, the next argument. */
static int store(const struct ady_command *command, const struct ady_option *o, const char *value,
                 int *i, int argc, char **argv)
{
	if (o->flag) {
		if (value)
			return ady_cli_usage(command, "--%s takes no value", o->name);
		*o->flag = true;
		return -1;
	}
	if (!value && *i + 1 >= argc)
		return ady_cli_usage(command, "--%s needs a value (%s)", o->name, o->argument);
	if (!value)
		value = argv[++*i];
	if (o->values)
		return add(o->values, value)
		           ? -1
		           : ady_cli_usage(command, "--%s is given too often", o->name);
	if (*o->text)
		return ady_cli_usage(command, "--%s is given twice", o->name);
	*o->text = value;
	return -1;
}

static int read_one(const struct ady_command *command, const struct ady_option *options, int *i,
                    int argc, char **argv)
{
	const char *arg = argv[*i];
	const struct ady_option *o;
	const char *value = NULL;

	if (arg[1] == '-') {
		const char *equals = strchr(arg, '=');

		o = find(options, arg + 2, equals ? (size_t)(equals - arg - 2) : strlen(arg + 2));
		value = equals ? equals + 1 : NULL;
	} else {
		o = arg[2] == 0 ? find_letter(options, arg[1]) : NULL;
	}
	if (!o)
		return ady_cli_usage(command, "there is no option %s", arg);
	return store(command, o, value, i, argc, argv);
}

int ady_options_read(const struct ady_command *command, const struct ady_option *options, int argc,
                     char **argv, struct ady_values *rest)
{
	bool ended = false;

	rest->n = 0;
	for (int i = 0; i < argc; i++) {
		int status = -1;

		if (!ended && (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)) {
			print_help(command, options);
			return ADY_EXIT_OK;
		}
		if (!ended && strcmp(argv[i], "--") == 0)
			ended = true;
		else if (!ended && argv[i][0] == '-' && argv[i][1])
			status = read_one(command, options, &i, argc, argv);
		else if (!add(rest, argv[i]))
			status = ady_cli_usage(command, "there are too many arguments");
		if (status >= 0)
			return status;
	}
	return -1;
}
