/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake_order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "acme/ca.h"
#include "base/alloc.h"
#include "base/queue.h"
#include "codec/key.h"
#include "ev/op.h"
#include "fake_cert.h"
#include "fake_clock.h"

struct fake_order {
	struct op op;
	TAILQ_ENTRY(fake_order) entry;
	struct acme_order_conf conf;
	uint8_t *der; /* of the CSR: conf.csr is only lent */
	size_t der_len;
	acme_order_done_fn *done;
	void *arg;
};

struct fake_acme fake_acme;
static TAILQ_HEAD(, fake_order) orders = TAILQ_HEAD_INITIALIZER(orders);

void
fake_acme_reset(void)
{
	struct key *key = fake_acme.key;

	assert(TAILQ_EMPTY(&orders));
	fake_acme = (struct fake_acme){
	    .directory_url = "https://ca.test/directory",
	    .key = key != NULL ? key : key_generate(KEY_EC256, NULL),
	    .days = 90,
	};
}

void
fake_acme_done(void)
{
	key_free(fake_acme.key);
	fake_acme.key = NULL;
}

/* ---- acme/ca.c ---- */

bool
ca_ready(const struct ca *ca, struct err *e)
{
	if (fake_acme.not_ready.kind == ERR_NONE)
		return true;
	*e = fake_acme.not_ready;
	return false;
}

struct ca *
ca_hold(struct ca *ca)
{
	return ca;
}

void
ca_free(struct ca *ca)
{
}

const char *
ca_directory_url(const struct ca *ca)
{
	return fake_acme.directory_url;
}

const char *
ca_account_url(const struct ca *ca)
{
	return "https://ca.test/account/1";
}

const char *
ca_profile(const struct ca *ca)
{
	return fake_acme.profile;
}

const struct key *
ca_key(const struct ca *ca)
{
	return fake_acme.key;
}

/* ---- acme/order.c ---- */

static void
order_free(struct fake_order *o)
{
	TAILQ_REMOVE(&orders, o, entry);
	free(o->der);
	free(o);
}

static void
order_cancel(struct op *op)
{
	fake_acme.cancelled++;
	order_free((struct fake_order *)op);
}

void
acme_order_start(struct ca *ca, const struct acme_order_conf *conf, acme_order_done_fn *done,
    void *arg, struct op **slot)
{
	struct fake_order *o = xcalloc(1, sizeof(*o));

	fake_acme.started++;
	o->conf = *conf;
	o->conf.csr = NULL;
	o->der = xmemdup(conf->csr->der, conf->csr->der_len);
	o->der_len = conf->csr->der_len;
	o->done = done;
	o->arg = arg;
	TAILQ_INSERT_TAIL(&orders, o, entry);
	op_begin(&o->op, slot, order_cancel);
	conf->moved(arg, "new-order");
}

/* ---- acme/revoke.c ---- */

static struct fake_revoke {
	struct op op;
	acme_revoke_done_fn *done;
	void *arg;
} revocation;

static void
revoke_cancel(struct op *op)
{
	fake_acme.revoking = false;
}

void
acme_revoke_start(struct ca *ca, const struct acme_revoke_conf *conf, acme_revoke_done_fn *done,
    void *arg, struct op **slot)
{
	assert(!fake_acme.revoking && conf->key == NULL);
	assert(conf->der_len <= sizeof(fake_acme.revoke_der));
	revocation = (struct fake_revoke){.done = done, .arg = arg};
	fake_acme.revoking = true;
	fake_acme.revocations++;
	fake_acme.reason = conf->reason;
	memcpy(fake_acme.revoke_der, conf->der, conf->der_len);
	fake_acme.revoke_der_len = conf->der_len;
	op_begin(&revocation.op, slot, revoke_cancel);
}

void
fake_revoke_end(bool already, const struct err *e)
{
	assert(fake_acme.revoking);
	fake_acme.revoking = false;
	op_end(&revocation.op);
	revocation.done(revocation.arg, already, e);
}

/* ---- what the scenario says ---- */

size_t
fake_orders_open(void)
{
	const struct fake_order *o;
	size_t n = 0;

	TAILQ_FOREACH (o, &orders, entry)
		n++;
	return n;
}

struct fake_order *
fake_order_at(size_t i)
{
	struct fake_order *o = TAILQ_FIRST(&orders);

	while (i-- > 0 && o != NULL)
		o = TAILQ_NEXT(o, entry);
	assert(o != NULL);
	return o;
}

const struct acme_order_conf *
fake_order_conf(const struct fake_order *o)
{
	return &o->conf;
}

static void
end(struct fake_order *o, struct chain *chain, const struct err *e)
{
	acme_order_done_fn *done = o->done;
	void *arg = o->arg;

	op_end(&o->op);
	order_free(o);
	done(arg, chain, chain == NULL ? NULL : "https://ca.test/certificate/1", e);
}

void
fake_order_issue(struct fake_order *o)
{
	struct err e;
	char *pem = fake_chain(o->der, o->der_len, fake_acme.days, fake_acme.flags);
	struct chain *chain = chain_parse(pem, strlen(pem), &e);

	assert(chain != NULL);
	free(pem);
	fake_clock_jump(fake_acme.clock_step);
	end(o, chain, NULL);
}

void
fake_order_fail(struct fake_order *o, enum err_kind kind, const char *text, int64_t retry_after)
{
	struct err e;

	err_set(&e, kind, "%s", text);
	e.retry_after = retry_after;
	end(o, NULL, &e);
}

void
fake_order_fail_with(struct fake_order *o, const struct err *e)
{
	end(o, NULL, e);
}

void
fake_order_challenge_error(struct fake_order *o, const char *text)
{
	struct err e;

	if (text != NULL)
		err_set(&e, ERR_VALIDATION, "%s", text);
	o->conf.challenge_error(o->arg, text == NULL ? NULL : &e);
}
