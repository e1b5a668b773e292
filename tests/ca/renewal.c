/* SPDX-License-Identifier: GPL-3.0-or-later */
/* renewalInfo (RFC 9773). */
#include "base/clock.h"
#include "ca.h"
#include "certs.h"
#include "handlers.h"
#include "options.h"
#include "order.h"

enum { MINUTE = 60, HOUR = 3600 };

/* Around two thirds of its life; at once if it is revoked; or as the knobs say. */
static void
window(const struct ca *ca, const struct cert *cert, int64_t *ret_start, int64_t *ret_end)
{
	const struct options *o = ca->options;
	int64_t now = clock_wall(), life = cert->end - cert->start;

	*ret_start = cert->start + life * 2 / 3;
	*ret_end = *ret_start + life / 50;
	if (cert->revoked) {
		*ret_start = now - HOUR;
		*ret_end = now - MINUTE;
	}
	if (o->window_start != 0 || o->window_end != 0) {
		*ret_start = now + o->window_start;
		*ret_end = now + o->window_end;
	}
}

void
handle_renewal_info(struct call *c)
{
	const struct cert *cert = cert_by_id(c->ca, c->rest);
	int64_t start, end;

	if (cert == NULL) {
		answer_problem(c->answer, 404, "malformed", "there is no such certificate");
		return;
	}
	window(c->ca, cert, &start, &end);
	answer_json(c->answer, 200,
	    json_pack("{s:{s:o, s:o}, s:s}", "suggestedWindow", "start", time_json(start), "end",
		time_json(end), "explanationURL", "https://testca.example/renewal"));
	answer_header(c->answer, "Retry-After", "%ld", c->ca->options->renewal_retry);
}
