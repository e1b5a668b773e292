/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The account from the command line. */
#include <stdio.h>

#include "app/register.h"
#include "app/register_options.h"
#include "config.h"

int
main(int argc, char **argv)
{
	struct register_options options;
	int code = REGISTER_OK;

	if (!register_options_parse(&options, argc, argv)) {
		fputs(register_usage, stderr);
		code = REGISTER_CONFIG;
	} else if (options.help) {
		fputs(register_usage, stdout);
	} else if (options.version) {
		puts("acme-register " ACMEMS_VERSION);
	} else {
		code = register_run(&options);
	}
	register_options_done(&options);
	return code;
}
