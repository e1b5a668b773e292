/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The program: options, loop, and the one line that says it is up. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <event2/event.h>

#include "base/alloc.h"
#include "base/file.h"
#include "ca.h"
#include "control.h"
#include "issuer.h"
#include "options.h"
#include "trust.h"

enum { EXIT_USAGE = 2 };

static void
stop(evutil_socket_t fd, short what, void *arg)
{
	event_base_loopbreak(arg);
}

static void
say_ready(const struct ca *ca, const struct control *control)
{
	printf("ready %s/dir control http://%s\n", ca->url, control_address(control));
	fflush(stdout);
}

static bool
write_pem(const struct options *o, const char *name, const char *text, struct err *e)
{
	char *path = xasprintf("%s/%s", o->dir, name);
	FILE *f = fopen(path, "w");
	bool done = f != NULL && fputs(text, f) >= 0;

	if (f != NULL && fclose(f) != 0)
		done = false;
	if (!done)
		err_set(e, ERR_CONFIG, "%s cannot be written", path);
	free(path);
	return done;
}

static bool
prepare(struct ca *ca, struct options *o, struct event_base *base, struct err *e)
{
	return ca_init(ca, o, base, e) && file_mkdirs(o->dir, 0755, e) &&
	    write_pem(o, "ca.pem", trust_root(ca->trust), e) &&
	    write_pem(o, "root.pem", issuer_root(ca->issuer), e) &&
	    (o->scenario == NULL || control_load(ca, o->scenario, e));
}

/* Its default, 1024 in most places, is less than a benchmark needs. */
static void
raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static bool
serve(struct options *o, struct err *e)
{
	struct event_base *base = event_base_new();
	struct event *term = evsignal_new(base, SIGTERM, stop, base);
	struct event *interrupt = evsignal_new(base, SIGINT, stop, base);
	struct control *control = NULL;
	struct ca ca;
	bool done = prepare(&ca, o, base, e);

	if (done)
		control = control_new(&ca, o->control, e);
	done = control != NULL;
	if (done) {
		event_add(term, NULL);
		event_add(interrupt, NULL);
		say_ready(&ca, control);
		event_base_dispatch(base);
	}
	control_free(control);
	ca_done(&ca);
	event_free(term);
	event_free(interrupt);
	event_base_free(base);
	return done;
}

static void
print_faults(void)
{
	json_t *list = fault_list();

	json_dumpf(list, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(list);
}

int
main(int argc, char **argv)
{
	struct options o;
	struct err e;
	bool done;

	signal(SIGPIPE, SIG_IGN);
	raise_descriptors();
	options_init(&o);
	done = options_parse(&o, argc, argv, &e);
	if (!done) {
		fprintf(stderr, "testca: %s\n", e.detail);
		options_done(&o);
		return EXIT_USAGE;
	}
	if (o.help)
		options_help();
	else if (o.list_faults)
		print_faults();
	else
		done = serve(&o, &e);
	if (!done)
		fprintf(stderr, "testca: %s\n", e.detail);
	options_done(&o);
	return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
