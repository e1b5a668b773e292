/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "app/program.h"
#include "config.h"

static const char usage[] =
    "usage: acmems [--check | --list [--json] | --forget NAME | --health] CONFIG...\n"
    "       acmems --version | --help\n"
    "\n"
    "Takes certificate signing requests over HTTP and returns certificate chains.\n"
    "\n"
    "  --check        test the configuration and the directories, then end\n"
    "  --list         print what certificates are held, then end; --json: as JSON\n"
    "  --forget NAME  drop those for NAME, so that the next request issues anew\n"
    "  --health       ask the daemon of this configuration whether it is alive\n"
    "  --version      print the version\n"
    "  --help         print this\n"
    "\n"
    "See acmems(8) and acmems.conf(5).\n";

enum action { SERVE, CHECK, LIST, FORGET, HEALTH };

static int
run(enum action action, char *const *paths, size_t count, bool json, const char *name)
{
	switch (action) {
	case SERVE:
		break;
	case CHECK:
		return program_check(paths, count);
	case LIST:
		return program_list(paths, count, json);
	case FORGET:
		return program_forget(paths, count, name);
	case HEALTH:
		return program_health(paths, count);
	}
	return program_serve(paths, count);
}

/* Two of them would mean that one is silently left out. */
static bool
choose(enum action *action, enum action chosen)
{
	bool first = *action == SERVE;

	*action = chosen;
	if (!first)
		fputs("acmems: --check, --list, --forget and --health: one of them, and once\n",
		    stderr);
	return first;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"check", no_argument, NULL, 'c'},
	    {"list", no_argument, NULL, 'l'},
	    {"json", no_argument, NULL, 'j'},
	    {"forget", required_argument, NULL, 'f'},
	    {"health", no_argument, NULL, 'H'},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	enum action action = SERVE;
	const char *name = NULL;
	bool json = false;
	int c;

	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			if (!choose(&action, CHECK))
				return EXIT_CONFIG;
			break;
		case 'l':
			if (!choose(&action, LIST))
				return EXIT_CONFIG;
			break;
		case 'j':
			json = true;
			break;
		case 'f':
			if (!choose(&action, FORGET))
				return EXIT_CONFIG;
			name = optarg;
			break;
		case 'H':
			if (!choose(&action, HEALTH))
				return EXIT_CONFIG;
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
	if (json && action != LIST) {
		fputs("acmems: --json goes with --list\n", stderr);
		return EXIT_CONFIG;
	}
	return run(action, argv + optind, (size_t)(argc - optind), json, name);
}
