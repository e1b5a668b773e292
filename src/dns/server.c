/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/file.h"

enum { RESOLVCONF_MAX = 64 * 1024, RESOLVCONF_SERVERS = 3 };

void
dns_servers_append(struct dns_servers *to, const struct dns_server *server)
{
	struct dns_server copy = *server; /* it may be one of this list */

	if (to->count == DNS_SERVERS_MAX)
		return;
	to->items = xreallocarray(to->items, to->count + 1, sizeof(*to->items));
	to->items[to->count++] = copy;
}

void
dns_servers_append_at(struct dns_servers *to, const struct host_port *at, bool recursive)
{
	struct dns_server s = {.at = *at, .recursive = recursive};
	bool v6 = strchr(at->host, ':') != NULL;

	snprintf(s.text, sizeof(s.text), "%s%s%s:%u", v6 ? "[" : "", at->host, v6 ? "]" : "",
	    (unsigned)at->port);
	dns_servers_append(to, &s);
}

bool
dns_servers_add(struct dns_servers *to, const char *spec, bool recursive, struct err *e)
{
	struct host_port at;

	if (!host_port_parse(spec, DNS_PORT, &at, e))
		return false;
	if (to->count == DNS_SERVERS_MAX)
		return err_set(e, ERR_CONFIG, "more than %d name servers", DNS_SERVERS_MAX);
	dns_servers_append_at(to, &at, recursive);
	return true;
}

void
dns_servers_join(struct dns_servers *to, const struct dns_servers *from)
{
	for (size_t i = 0; i < from->count; i++)
		dns_servers_append(to, &from->items[i]);
}

void
dns_servers_done(struct dns_servers *s)
{
	free(s->items);
	*s = (struct dns_servers){0};
}

static void
resolvconf_line(struct dns_servers *to, char *line)
{
	static const char blanks[] = " \t\r";
	char *save = NULL;
	char *word = strtok_r(line, blanks, &save);
	char *address = word == NULL ? NULL : strtok_r(NULL, blanks, &save);

	/* A line that is not understood is skipped, as libc does. */
	if (address != NULL && strcmp(word, "nameserver") == 0 && to->count < RESOLVCONF_SERVERS)
		dns_servers_add(to, address, true, NULL);
}

void
dns_servers_resolvconf(struct dns_servers *to, const char *text)
{
	CLEANUP_FREE char *copy = xstrdup(text);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		resolvconf_line(to, line);
	if (to->count == 0)
		dns_servers_add(to, "127.0.0.1", true, NULL);
}

void
dns_servers_system(struct dns_servers *to, const char *path)
{
	CLEANUP_BUF struct buf text;

	buf_init(&text, RESOLVCONF_MAX);
	bool ok = file_read(path, &text, NULL);
	dns_servers_resolvconf(to, ok && text.data != NULL ? text.data : "");
}
