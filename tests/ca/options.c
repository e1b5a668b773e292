/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum option_type { STRING, NUMBER, FLAG, LIST };

struct option {
	const char *name;
	enum option_type type;
	size_t offset;
	bool knob;
	const char *value; /* the default; of flags "1" */
	const char *help;
};

#define AT(member) offsetof(struct options, member)

static const struct option table[] = {
    {"listen", STRING, AT(listen), false, "127.0.0.1:0", "ADDRESS:PORT of the CA (HTTPS)"},
    {"control", STRING, AT(control), false, "127.0.0.1:0", "ADDRESS:PORT of the control (HTTP)"},
    {"dir", STRING, AT(dir), false, NULL, "folder for ca.pem and root.pem; must be given"},
    {"host", STRING, AT(host), false, NULL, "host in URLs instead of the listening address"},
    {"scenario", STRING, AT(scenario), false, NULL, "JSON file: {\"knobs\":{},\"rules\":[]}"},
    {"profile", LIST, AT(profiles), false, NULL, "NAME=SECONDS; again for more (see README.md)"},
    {"eab", LIST, AT(eab), false, NULL, "KID:base64url(HMAC key): binding is required then"},
    {"terms", FLAG, AT(terms), false, "1", "accounts must agree to the terms"},
    {"log-size", NUMBER, AT(log_size), false, "10000", "requests the log remembers"},
    {"help", FLAG, AT(help), false, NULL, "print this"},
    {"list-faults", FLAG, AT(list_faults), false, NULL, "print all faults and endpoints as JSON"},
    {"verify", FLAG, AT(verify), true, "1", "check signatures of requests and of CSRs"},
    {"validate", FLAG, AT(validate), true, NULL, "ask for the answers to challenges"},
    {"http-port", NUMBER, AT(http_port), true, "80", "where http-01 is asked for, on 127.0.0.1"},
    {"tls-port", NUMBER, AT(tls_port), true, "443", "where tls-alpn-01 is asked for"},
    {"dns-server", STRING, AT(dns_server), true, "127.0.0.1:53", "where dns-01 is asked for"},
    {"validation-delay", NUMBER, AT(validation_delay), true, "0",
	"ms until a challenge is decided"},
    {"validation-timeout", NUMBER, AT(validation_timeout), true, "5000", "ms for one question"},
    {"finalize-delay", NUMBER, AT(finalize_delay), true, "0", "ms an order is processing"},
    {"retry-after", NUMBER, AT(retry_after), true, "0", "seconds, on what is not decided yet"},
    {"validity", NUMBER, AT(validity), true, "7776000", "seconds, without a profile"},
    {"window-start", NUMBER, AT(window_start), true, "0", "renewal window, seconds from now"},
    {"window-end", NUMBER, AT(window_end), true, "0", "its end; both 0: at two thirds of the life"},
    {"renewal-retry", NUMBER, AT(renewal_retry), true, "21600", "Retry-After of renewalInfo"},
};

enum { OPTIONS = sizeof(table) / sizeof(*table) };

static void *
place(const struct options *o, const struct option *option)
{
	return (char *)(uintptr_t)o + option->offset;
}

static bool
set_number(long *place, const char *text)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0')
		return false;
	*place = value;
	return true;
}

static bool
set_text(struct options *o, const struct option *option, const char *text)
{
	struct option_list *list;
	char **string;

	switch (option->type) {
	case NUMBER:
		return set_number(place(o, option), text);
	case FLAG:
		*(bool *)place(o, option) = strcmp(text, "0") != 0;
		return true;
	case STRING:
		string = place(o, option);
		free(*string);
		*string = xstrdup(text);
		return true;
	case LIST:
		list = place(o, option);
		if (list->count == OPTION_LIST_MAX)
			return false;
		list->values[list->count++] = xstrdup(text);
		return true;
	}
	return false;
}

void
options_init(struct options *o)
{
	*o = (struct options){0};
	for (size_t i = 0; i < OPTIONS; i++)
		if (table[i].value != NULL)
			set_text(o, &table[i], table[i].value);
}

void
options_done(struct options *o)
{
	for (size_t i = 0; i < OPTIONS; i++) {
		if (table[i].type == STRING)
			free(*(char **)place(o, &table[i]));
		if (table[i].type != LIST)
			continue;
		struct option_list *list = place(o, &table[i]);

		for (size_t k = 0; k < list->count; k++)
			free(list->values[k]);
	}
}

static const struct option *
find(const char *name, size_t n)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (strlen(table[i].name) == n && strncmp(table[i].name, name, n) == 0)
			return &table[i];
	return NULL;
}

/* One of --name VALUE, --name=VALUE, --name, --no-name. */
static bool
parse_one(struct options *o, char ***argv, struct err *e)
{
	const char *arg = *(*argv)++, *name = arg + 2, *value;
	size_t n = strcspn(arg, "=");
	const struct option *option;

	if (strncmp(arg, "--", 2) != 0)
		return err_set(e, ERR_CONFIG, "%s is no option", arg);
	option = find(name, n - 2);
	if (option == NULL && strncmp(name, "no-", 3) == 0) {
		option = find(name + 3, n - 5);
		if (option != NULL && option->type == FLAG)
			return set_text(o, option, "0");
		option = NULL;
	}
	if (option == NULL)
		return err_set(e, ERR_CONFIG, "there is no option %s; see --help", arg);
	if (option->type == FLAG)
		return set_text(o, option, "1");
	value = arg[n] == '=' ? arg + n + 1 : *(*argv)++;
	if (value == NULL || !set_text(o, option, value))
		return err_set(e, ERR_CONFIG, "--%s has no good value", option->name);
	return true;
}

bool
options_parse(struct options *o, int argc, char **argv, struct err *e)
{
	char **end = argv + argc;

	for (argv++; argv < end && *argv != NULL;)
		if (!parse_one(o, &argv, e))
			return false;
	if (o->dir == NULL && !o->help && !o->list_faults)
		return err_set(e, ERR_CONFIG, "--dir is missing");
	return true;
}

static void
print_options(bool knobs)
{
	static const char *const values[] = {"VALUE", "NUMBER", "", "VALUE"};

	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *p = &table[i];
		char left[64];

		if (p->knob != knobs)
			continue;
		snprintf(left, sizeof(left), "--%s%s %s",
		    p->type == FLAG && p->value != NULL ? "[no-]" : "", p->name, values[p->type]);
		printf("  %-30s %s", left, p->help);
		if (p->value != NULL && p->type != FLAG)
			printf(" (%s)", p->value);
		putchar('\n');
	}
}

void
options_help(void)
{
	puts("usage: testca --dir FOLDER [OPTION...]\n\n"
	     "A certificate authority that speaks RFC 8555 and misbehaves on command. Once it\n"
	     "is up it prints \"ready https://... control http://...\". SIGTERM ends it.\n");
	print_options(false);
	puts(
	    "\nWhat can also be changed while it runs (POST /knobs, or a scenario's \"knobs\"):\n");
	print_options(true);
	puts("\nFlags that are on are turned off by --no-NAME. Rules, faults and the control\n"
	     "interface: see README.md beside the source, and --list-faults.");
}

static bool
set_json(struct options *o, const struct option *option, const json_t *value)
{
	if (option->type == NUMBER && json_is_integer(value)) {
		*(long *)place(o, option) = (long)json_integer_value(value);
		return true;
	}
	if (option->type == FLAG && json_is_boolean(value)) {
		*(bool *)place(o, option) = json_is_true(value);
		return true;
	}
	return option->type == STRING && json_is_string(value) &&
	    set_text(o, option, json_string_value(value));
}

bool
options_set_knobs(struct options *o, const json_t *knobs, struct err *e)
{
	const char *name;
	json_t *value;

	if (!json_is_object(knobs))
		return err_set(e, ERR_BAD_REQUEST, "knobs are an object");
	json_object_foreach((json_t *)knobs, name, value)
	{
		const struct option *option = find(name, strlen(name));

		if (option == NULL || !option->knob)
			return err_set(e, ERR_BAD_REQUEST, "there is no knob \"%s\"", name);
		if (!set_json(o, option, value))
			return err_set(e, ERR_BAD_REQUEST, "%s is of the wrong type", name);
	}
	return true;
}

json_t *
options_knobs(const struct options *o)
{
	json_t *object = json_object();

	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *p = &table[i];
		json_t *value;

		if (!p->knob)
			continue;
		if (p->type == NUMBER)
			value = json_integer(*(long *)place(o, p));
		else if (p->type == FLAG)
			value = json_boolean(*(bool *)place(o, p));
		else
			value = json_string(*(char **)place(o, p));
		json_object_set_new(object, p->name, value);
	}
	return object;
}
