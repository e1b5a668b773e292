/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dns-01 (RFC 8555 8.4): a TXT question over UDP to the one server we are told, CNAMEs followed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/util.h>
#include <ldns/ldns.h>

#include "base/alloc.h"
#include "ca.h"
#include "options.h"
#include "probe.h"

enum { DATAGRAM_MAX = 4096, QUESTIONS_MAX = 8 };

static void ask(struct probe *p, const char *name);

/* Whether one of the strings of a TXT record is this text. */
static bool
has_value(const ldns_rr *rr, const char *wanted)
{
	size_t n = strlen(wanted);

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		const ldns_rdf *rdf = ldns_rr_rdf(rr, i);

		if (ldns_rdf_size(rdf) == n + 1 && memcmp(ldns_rdf_data(rdf) + 1, wanted, n) == 0)
			return true;
	}
	return false;
}

/* The target of the last CNAME, or NULL. */
static char *
alias(const ldns_rr_list *answer)
{
	char *name = NULL;

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_CNAME)
			continue;
		free(name);
		name = ldns_rdf2str(ldns_rr_rdf(rr, 0));
	}
	return name;
}

static void
judge(struct probe *p, const ldns_pkt *packet)
{
	const ldns_rr_list *answer = ldns_pkt_answer(packet);
	char *wanted = probe_digest(p), *next;
	bool found = false, any = false;

	for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(answer, i);

		if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_TXT)
			continue;
		any = true;
		found = found || has_value(rr, wanted);
	}
	free(wanted);
	next = any ? NULL : alias(answer);
	if (found)
		probe_end(p, NULL, "right");
	else if (next != NULL && p->questions < QUESTIONS_MAX)
		ask(p, next);
	else if (ldns_pkt_get_rcode(packet) != LDNS_RCODE_NOERROR)
		probe_end(p, "dns", "dns-01: rcode %d", (int)ldns_pkt_get_rcode(packet));
	else
		probe_end(p, "unauthorized", "dns-01: %s",
		    any ? "other values, not ours" : "there is no TXT record");
	free(next);
}

static void
on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct probe *p = arg;
	uint8_t bytes[DATAGRAM_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
	ldns_pkt *packet;

	if (n < 0) {
		probe_end(p, "dns", "dns-01: no name server at %s", p->ca->options->dns_server);
		return;
	}
	if (ldns_wire2pkt(&packet, bytes, (size_t)n) != LDNS_STATUS_OK)
		return;
	judge(p, packet);
	ldns_pkt_free(packet);
}

static bool
send_question(struct probe *p, const char *name)
{
	ldns_rdf *owner = ldns_dname_new_frm_str(name);
	ldns_pkt *packet = ldns_pkt_query_new(owner, LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, LDNS_RD);
	uint8_t *wire = NULL;
	size_t len;
	bool sent;

	ldns_pkt_set_random_id(packet);
	ldns_pkt_set_edns_udp_size(packet, DATAGRAM_MAX);
	sent = ldns_pkt2wire(&wire, packet, &len) == LDNS_STATUS_OK &&
	    send(p->fd, wire, len, 0) == (ssize_t)len;
	free(wire);
	ldns_pkt_free(packet);
	return sent;
}

static void
open_socket(struct probe *p)
{
	struct sockaddr_storage ss;
	int len = sizeof(ss);

	if (evutil_parse_sockaddr_port(p->ca->options->dns_server, (struct sockaddr *)&ss, &len) !=
	    0)
		return;
	p->fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&ss, (socklen_t)len) != 0)
		return;
	p->readable = event_new(p->ca->base, p->fd, EV_READ | EV_PERSIST, on_answer, p);
	event_add(p->readable, NULL);
}

/* A new socket for each, so that no late answer is taken for another question's. */
static void
ask(struct probe *p, const char *name)
{
	if (p->readable != NULL)
		event_free(p->readable);
	p->readable = NULL;
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->questions++;
	open_socket(p);
	if (p->readable == NULL || !send_question(p, name))
		probe_end(p, "dns", "dns-01: cannot ask %s", p->ca->options->dns_server);
}

void
probe_dns(struct probe *p)
{
	char *name = xasprintf("_acme-challenge.%s.", p->identifier.value);

	ask(p, name);
	free(name);
}
