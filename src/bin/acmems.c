/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "app/program.h"
#include "config.h"

static const char usage[] =
    "usage: acmems [--check] CONFIG...\n"
    "       acmems --version | --help\n"
    "\n"
    "Takes certificate signing requests over HTTP and returns certificate chains.\n"
    "\n"
    "  --check    test the configuration and the directories, then end\n"
    "  --version  print the version\n"
    "  --help     print this\n"
    "\n"
    "See acmems(8) and acmems.conf(5).\n";

enum action { SERVE, CHECK };

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"check", no_argument, NULL, 'c'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	enum action action = SERVE;
	int c;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			action = CHECK;
			break;
		case 'V':
			puts("acmems " ACMEMS_VERSION);
			return EXIT_OK;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			fputs(usage, stderr);
			return EXIT_CONFIG;
		}
	}
	if (optind == argc) {
		fputs("acmems: no configuration file given\n", stderr);
		fputs(usage, stderr);
		return EXIT_CONFIG;
	}
	size_t count = (size_t)(argc - optind);
	return action == CHECK ? program_check(argv + optind, count)
			       : program_serve(argv + optind, count);
}
