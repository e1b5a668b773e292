/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fuzz.h"

#include "codec/uri.h"

static void
check_uri(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *rebuilt = NULL;
	char host[HOST_MAX + 16];
	struct uri u, again;
	struct err e;

	if (!uri_parse((const char *)data, size, &u, &e)) {
		must(e.kind == ERR_UPSTREAM);
		return;
	}
	must(u.port != 0 && u.host[0] != '\0' && u.target[0] == '/');
	uri_host_header(&u, host);
	uri_is_loopback(&u);
	rebuilt = xasprintf("%s://%s%s", u.https ? "https" : "http", host, u.target);
	if (strlen(rebuilt) >= URI_MAX)
		return;
	must(uri_parse(rebuilt, strlen(rebuilt), &again, &e));
	must(uri_same_origin(&u, &again) && strcmp(u.target, again.target) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = as_text(data, size);
	struct host_port hp;

	check_uri(data, size);
	if (host_port_parse(text, 0, &hp, NULL))
		must(hp.port != 0 && hp.host[0] != '\0');
	if (host_port_parse(text, 53, &hp, NULL))
		must(hp.port != 0 && hp.host[0] != '\0');
	return 0;
}
