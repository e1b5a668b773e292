/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the stores hold. One that has not been counted yet is left out. */
#include "mgmt/metrics_private.h"

/* Which of a store's figures; false: there is none. */
typedef bool pick_fn(const struct store_figures *f, double *ret);

static void
each_store(struct scrape *s, pick_fn *pick)
{
	double value;

	for (size_t i = 0; i < s->store_count; i++)
		if (s->stores[i].figures.known && pick(&s->stores[i].figures, &value))
			metrics_value(&s->text, LABELS({"storage", s->stores[i].name}), value);
}

static bool
held(const struct store_figures *f, double *ret)
{
	*ret = (double)f->held;
	return true;
}

void
metrics_held(struct scrape *s)
{
	each_store(s, held);
}

static bool
expired(const struct store_figures *f, double *ret)
{
	*ret = (double)f->expired;
	return true;
}

void
metrics_expired(struct scrape *s)
{
	each_store(s, expired);
}

static bool
nearest_expiry(const struct store_figures *f, double *ret)
{
	*ret = (double)f->nearest_expiry;
	return f->held > 0;
}

void
metrics_nearest_expiry(struct scrape *s)
{
	each_store(s, nearest_expiry);
}

static bool
due(const struct store_figures *f, double *ret)
{
	*ret = (double)f->due;
	return true;
}

void
metrics_due(struct scrape *s)
{
	each_store(s, due);
}

static bool
due_since(const struct store_figures *f, double *ret)
{
	*ret = (double)f->due_since;
	return f->due > 0;
}

void
metrics_due_since(struct scrape *s)
{
	each_store(s, due_since);
}
