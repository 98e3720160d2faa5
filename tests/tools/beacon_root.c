/* SPDX-License-Identifier: Apache-2.0
 *
 * The signing root of each request on standard input (one line of JSON each), for other
 * implementations to compare with.
 * Usage: beacon_root NETWORK [strict]     NETWORK: a name, or an object as in the configuration
 * Answers: "TYPE ROOT SLOT SOURCE TARGET", or "CODE WHERE: detail".
 *        beacon_root NETWORK slots        of each time in seconds since 1970: its slot */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "chain/beacon_duty.h"

enum { TOKENS = 1 << 16 };

static struct ady_json_tok toks[TOKENS];

static void fault(const struct ady_fault *f)
{
	printf("%s %s: %s\n", ady_err_code(f->err), f->where, f->detail);
}

static void read_network(struct ady_beacon_network *net, const char *text)
{
	char quoted[64];
	struct ady_fault f = {0};
	struct ady_json doc;

	snprintf(quoted, sizeof quoted, "\"%.40s\"", text);
	text = text[0] == '{' ? text : quoted;
	if (ady_json_parse(&doc, toks, TOKENS, ady_bytes_str(text), &f) == ADY_OK &&
	    ady_beacon_network_read(net, &doc, 0, &f) == ADY_OK)
		return;
	fault(&f);
	exit(2);
}

static void answer(const struct ady_beacon_network *net, struct ady_bytes line, bool strict)
{
	struct ady_fault f = {0};
	struct ady_json doc;
	struct ady_duty duty;
	char hex[65];

	if (ady_json_parse(&doc, toks, TOKENS, line, &f) != ADY_OK ||
	    ady_duty_read(&duty, net, &doc, 0, strict, &f) != ADY_OK) {
		fault(&f);
		return;
	}
	ady_hex_encode(hex, ady_bytes(duty.root, sizeof duty.root));
	printf("%s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", ady_duty_name(duty.type), hex,
	       duty.slot, duty.source, duty.target);
}

int main(int argc, char **argv)
{
	struct ady_beacon_network net;
	bool strict = argc > 2 && strcmp(argv[2], "strict") == 0;
	bool slots = argc > 2 && strcmp(argv[2], "slots") == 0;
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (argc < 2)
		return 2;
	read_network(&net, argv[1]);
	while ((n = getline(&line, &cap, stdin)) > 0)
		if (slots)
			printf("%" PRIu64 "\n", ady_beacon_slot_at(&net, strtoull(line, NULL, 10)));
		else
			answer(&net, ady_bytes(line, (size_t)n - 1), strict);
	free(line);
	return 0;
}
