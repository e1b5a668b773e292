/* SPDX-License-Identifier: GPL-3.0-or-later */
/* [logging], [status], [process] */
#include <string.h>
#include <strings.h>

#include "app/conf_build.h"
#include "app/conf_listen.h"
#include "app/conf_value.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- level ---- */

static const struct level_row {
	const char *name;
	enum log_level level;
	bool higher; /* there is no such level here; the next lower one is taken */
} levels[] = {
    {"debug", LOG_LEVEL_DEBUG},
    {"info", LOG_LEVEL_INFO},
    {"warning", LOG_LEVEL_WARNING},
    {"error", LOG_LEVEL_ERROR},
    {"notset", LOG_LEVEL_DEBUG},
    {"warn", LOG_LEVEL_WARNING},
    {"critical", LOG_LEVEL_ERROR, true},
    {"fatal", LOG_LEVEL_ERROR, true},
};

static bool
set_level(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	const char *names[COUNT(levels)];

	for (size_t i = 0; i < COUNT(levels); i++) {
		names[i] = levels[i].name;
		if (strcasecmp(levels[i].name, in->value) != 0)
			continue;
		*(enum log_level *)out = levels[i].level;
		if (levels[i].higher)
			conf_note(b, in->place,
			    "level: %s counts as error, the highest level here; the original left "
			    "errors out",
			    in->value);
		return true;
	}
	conf_error(b, in->place, "level: unknown \"%s\"%s", in->value,
	    conf_did_you_mean(in->value, names, COUNT(levels)));
	return false;
}

/* ---- destination ---- */

static const char *const destinations[] = {
    [LOG_TO_STDERR] = "stderr",
    [LOG_TO_STDOUT] = "stdout",
    [LOG_TO_FILE] = NULL,
    [LOG_TO_SYSLOG] = "syslog",
    [LOG_TO_JOURNAL] = "journalctl",
};

static int
parse_destination(const char *value)
{
	for (size_t i = 0; i < COUNT(destinations); i++)
		if (destinations[i] != NULL && strcmp(destinations[i], value) == 0)
			return (int)i;
	return LOG_TO_FILE;
}

static void
warn_of_file(struct conf_build *b, const struct conf_entry *in)
{
	static const char *const words[] = {
	    "stderr", "stdout", "syslog", "journalctl", "journal", "journald"};
	const char *hint = conf_did_you_mean(in->value, words, COUNT(words));

	if (hint[0] != '\0' && strchr(in->value, '/') == NULL)
		conf_warn(b, in->place, "destination: \"%s\" is taken for a file%s", in->value,
		    strncasecmp(in->value, "journal", 7) == 0 ? "; did you mean \"journalctl\"?"
							      : hint);
}

static bool
set_destination(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	struct log_conf *log = out;

	log->destination = (enum log_destination)parse_destination(in->value);
	if (log->destination == LOG_TO_FILE) {
		warn_of_file(b, in);
		log->path = conf_keep_text(b->conf, in->value);
	}
	if (log->destination == LOG_TO_JOURNAL && !log_journal_available()) {
		conf_error(b, in->place,
		    "destination: journalctl needs a build with libsystemd, which this one is not; "
		    "syslog reaches the journal too");
		return false;
	}
	return true;
}

/* ---- format ---- */

static bool
set_format(
    struct conf_build *b, const struct conf_entry *in, const struct conf_setter *how, void *out)
{
	static const char *const words[] = {"text", "json"};

	if (strcasecmp(in->value, "json") == 0)
		*(bool *)out = true;
	else if (strchr(in->value, '%') != NULL)
		conf_note(b, in->place,
		    "format: a format string of Python's logging is ignored; lines are text");
	else if (strcasecmp(in->value, "text") != 0)
		conf_error(b, in->place, "format: \"%s\" is neither text nor json%s", in->value,
		    conf_did_you_mean(in->value, words, COUNT(words)));
	return true;
}

/* ---- audit ---- */

static void
set_audit(struct conf_build *b, const struct conf_entry *in)
{
	struct log_conf *log = &b->conf->log;

	log->audit = conf_keep_text(b->conf, in->value);
	if (log->destination == LOG_TO_FILE && strcmp(log->audit, log->path) == 0)
		conf_error(
		    b, in->place, "audit: %s is the log's own file; name another", in->value);
}

/* ---- the sections ---- */

static const struct conf_setter setters[] = {
    {"level", set_level, offsetof(struct log_conf, level)},
    {"destination", set_destination, 0},
    {"format", set_format, offsetof(struct log_conf, json)},
};

void
conf_build_logging(struct conf_build *b)
{
	const struct conf_section *s = conf_sections_one(&b->sections, "logging");
	const struct conf_entry *python = conf_entry_find(s, "config-file");
	const struct conf_entry *audit = conf_entry_find(s, "audit");

	conf_set(b, s, "logging", NULL, setters, COUNT(setters), &b->conf->log);
	b->conf->destination_at = conf_at(b, s, "destination");
	if (python != NULL)
		conf_warn(b, python->place,
		    "config-file belonged to the Python program; it is ignored, and level, "
		    "destination and format count");
	b->conf->audit_at = conf_at(b, s, "audit");
	if (audit != NULL)
		set_audit(b, audit);
}

void
conf_build_status(struct conf_build *b)
{
	const struct conf_section *s = conf_sections_one(&b->sections, "status");
	struct conf *c = b->conf;

	c->status_listeners =
	    conf_listeners(b, s, "status", NULL, true, &c->status_listener_count, NULL);
}

void
conf_build_process(struct conf_build *b)
{
	const struct conf_section *s = conf_sections_one(&b->sections, "process");
	const struct conf_entry *user = conf_entry_find(s, "user");

	if (user == NULL)
		return;
	b->conf->user = conf_keep_text(b->conf, user->value);
	b->conf->user_at = conf_at(b, s, "user");
}
