/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one-shot client. */
#include <stdio.h>

#include "app/get.h"
#include "app/get_options.h"
#include "app/get_progress.h"
#include "app/program.h"
#include "config.h"

int
main(int argc, char **argv)
{
	struct get_options o;
	int code = EXIT_OK;
	struct err e;

	switch (get_options_parse(&o, argc, argv, &e)) {
	case GET_WISH_RUN:
		code = get_run(&o);
		break;
	case GET_WISH_HELP:
		fputs(get_options_usage, stdout);
		break;
	case GET_WISH_VERSION:
		puts("acme-get " ACMEMS_VERSION);
		break;
	case GET_WISH_WRONG:
		get_progress_error(e.detail);
		fputs("acme-get --help says how it is used\n", stderr);
		code = EXIT_CONFIG;
		break;
	}
	get_options_done(&o);
	return code;
}
