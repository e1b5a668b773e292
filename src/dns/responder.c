/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "dns/responder.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "dns/responder_table.h"
#include "dns/responder_tcp.h"
#include "dns/responder_udp.h"
#include "ev/listener.h"

/* One address. */
struct place {
	struct listener *tcp;
	struct responder_udp *udp;
};

struct responder {
	struct loop *loop;
	struct responder_table *table;
	struct responder_tcp *tcp;
	struct place *places;
	size_t place_count;
};

static void
warn_left_out(const struct responder_conf *conf, const struct err *e)
{
	char *text = xasprintf("default listener left out: %s", e->detail);

	if (conf->warn != NULL)
		conf->warn(conf->warn_arg, text);
	free(text);
}

static struct place *
add_place(struct responder *r)
{
	r->places = xreallocarray(r->places, r->place_count + 1, sizeof(*r->places));
	r->places[r->place_count] = (struct place){0};
	return &r->places[r->place_count++];
}

/* TCP first: it says which port it got, if the configuration leaves that open. */
static bool
open_address(struct responder *r, const struct responder_conf *conf,
    const struct listen_address *addr, struct err *e)
{
	bool no_family = false;
	struct listener *l;
	struct place *place;

	if (addr->sa.ss_family == AF_UNIX)
		return err_set(e, ERR_CONFIG, "%s: a name server needs an IP address", addr->text);
	l = listener_open(r->loop, addr, &no_family, e);
	if (l == NULL && no_family && conf->skip_no_family) {
		warn_left_out(conf, e);
		return true;
	}
	if (l == NULL)
		return false;
	place = add_place(r);
	place->tcp = l;
	place->udp = responder_udp_open(r->loop, r->table, listener_address(l), e);
	return place->udp != NULL;
}

static bool
open_listener(
    struct responder *r, const struct responder_conf *conf, const char *spec, struct err *e)
{
	struct listen_address *addrs = NULL;
	size_t n = 0;
	bool ok = listen_addresses(spec, &addrs, &n, e);

	for (size_t i = 0; ok && i < n; i++)
		ok = open_address(r, conf, &addrs[i], e);
	free(addrs);
	return ok;
}

static bool
open_listeners(struct responder *r, const struct responder_conf *conf, struct err *e)
{
	for (size_t i = 0; i < conf->listener_count; i++)
		if (!open_listener(r, conf, conf->listeners[i], e))
			return err_prefix(e, "listener");
	if (r->place_count == 0)
		return err_set(e, ERR_CONFIG, "no listener could be opened");
	return true;
}

bool
responder_serve(struct responder *r, bool take, struct err *e)
{
	for (size_t i = 0; i < r->place_count; i++) {
		struct place *p = &r->places[i];

		if ((take || !listener_lent(p->tcp)) && !responder_tcp_serve(r->tcp, p->tcp, e))
			return false;
		if (!responder_udp_serve(p->udp, take, e))
			return false;
	}
	return true;
}

struct responder *
responder_new(struct loop *loop, const struct responder_conf *conf, struct err *e)
{
	struct responder *r = xcalloc(1, sizeof(*r));
	struct responder_table_conf table = {conf->zone, conf->ns, conf->record, conf->records};
	struct responder_tcp_conf tcp = {
	    conf->max_connections, conf->max_per_client, conf->idle_ms};
	struct err local = {0};

	e = e != NULL ? e : &local;
	r->loop = loop;
	r->table = responder_table_new(&table, e);
	if (r->table != NULL) {
		r->tcp = responder_tcp_new(loop, r->table, &tcp);
		if (open_listeners(r, conf, e))
			return r;
	}
	responder_free(r);
	return NULL;
}

void
responder_free(struct responder *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->place_count; i++) {
		listener_free(r->places[i].tcp);
		responder_udp_free(r->places[i].udp);
	}
	free(r->places);
	responder_tcp_free(r->tcp);
	responder_table_free(r->table);
	free(r);
}

struct responder_record *
responder_add(struct responder *r, const char *owner, const char *value, void (*fetched)(void *arg),
    void *arg, struct err *e)
{
	return responder_table_add(r->table, owner, value, fetched, arg, e);
}

void
responder_remove(struct responder *r, struct responder_record *record)
{
	responder_table_remove(r->table, record);
}

const struct listen_address *
responder_address(const struct responder *r, size_t i)
{
	return i < r->place_count ? listener_address(r->places[i].tcp) : NULL;
}
