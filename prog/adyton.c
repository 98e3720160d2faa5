/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line tool; all of it is in src/cli. */
#include "cli/commands.h"

int main(int argc, char **argv)
{
	return ady_cli_main(argc, argv);
}
