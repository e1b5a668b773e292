/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/err_slot.h"
#include "ev/timer.h"
#include "http/client_private.h"

enum { ATTEMPT_MAX_MS = 5000 }; /* for one of several addresses to connect */

/* From here on the call knows neither client nor origin. */
static void
call_unlink(struct client_call *call)
{
	TAILQ_REMOVE(&call->client->calls, call, entry);
	call->origin->calls--;
	task_cancel(&call->task);
	timer_free(call->timer);
	timer_free(call->attempt);
}

static void
call_free(struct client_call *call)
{
	if (call->request != NULL)
		evhttp_request_free(call->request);
	free(call->target);
	free(call->content_type);
	free(call->accept);
	free(call->body);
	free(call->answer_body);
	free(call->addresses);
	err_slot_clear(&call->error);
	free(call);
}

static void
drop_connection(struct client_call *call)
{
	struct client_connection *conn = call->connection;

	call->connection = NULL;
	conn->call = NULL;
	connection_drop(conn);
}

/* Lets go of whatever the call waits for. */
static void
call_detach(struct client_call *call)
{
	switch (call->state) {
	case CALL_WAITING:
		origin_leave_queue(call->origin, call);
		break;
	case CALL_RESOLVING:
		op_cancel(&call->resolve);
		origin_release_place(call->origin);
		break;
	case CALL_CONNECTING:
	case CALL_SENT:
		drop_connection(call);
		break;
	case CALL_FINISHED:
		break;
	}
	call->state = CALL_FINISHED;
}

void
call_cancel(struct op *op)
{
	struct client_call *call = (struct client_call *)op;

	call_detach(call);
	call_unlink(call);
	call_free(call);
}

static void
call_complete(void *arg)
{
	struct client_call *call = arg;

	call_unlink(call); /* the completion may free the client */
	op_end(&call->op);
	call->done(call->arg, &call->answer, call->answer.status != 0 ? NULL : call->error);
	call_free(call);
}

/* For those who may still be inside http_call_start(). */
static void
call_complete_later(struct client_call *call)
{
	call->state = CALL_FINISHED;
	task_post(call->client->loop, &call->task, call_complete, call);
}

void
call_deadline(void *arg)
{
	struct client_call *call = arg;
	const char *name = call->origin->name;
	struct err e;

	err_clear(&e);
	switch (call->state) {
	case CALL_WAITING:
		err_set(&e, ERR_UNREACHABLE, "all connections to %s are busy", name);
		break;
	case CALL_RESOLVING:
	case CALL_CONNECTING:
		err_set(&e, ERR_UNREACHABLE, "cannot connect to %s: it does not answer", name);
		break;
	case CALL_SENT:
		err_set(&e, ERR_UNREACHABLE, "%s does not answer in time", name);
		break;
	case CALL_FINISHED:
		break; /* the result is there, and comes now */
	}
	if (e.kind != ERR_NONE)
		err_slot_set(&call->error, &e);
	call_detach(call);
	call_complete(call);
}

/* To the next of its addresses. */
static void
connect_next(struct client_call *call)
{
	const struct resolved *r = call->addresses;
	size_t i = call->next_address++;
	int64_t ms;

	call->state = CALL_CONNECTING;
	call->connection = connection_open(call->origin, call, &r->addrs[i], r->lens[i]);
	if (call->next_address == r->count)
		return; /* the last one has all the time there is */
	ms = (call->deadline - clock_mono_ms()) / 2;
	timer_start(call->attempt, ms < ATTEMPT_MAX_MS ? ms : ATTEMPT_MAX_MS);
}

static void
try_next_address(struct client_call *call)
{
	timer_stop(call->attempt);
	drop_connection(call);
	call->origin->places++; /* nobody else had the chance to take it */
	connect_next(call);
}

void
call_attempt_over(void *arg)
{
	struct client_call *call = arg;

	if (call->state == CALL_CONNECTING && !call->connection->connected)
		try_next_address(call);
}

static void
resolved(void *arg, const struct resolved *answer, const struct err *e)
{
	struct client_call *call = arg;

	if (answer == NULL) {
		err_slot_set(&call->error, e);
		call_detach(call);
		call_complete_later(call);
		return;
	}
	call->addresses = xmemdup(answer, sizeof(*answer));
	connect_next(call);
}

void
call_connect(struct client_call *call)
{
	const struct uri *uri = &call->origin->uri;

	call->state = CALL_RESOLVING;
	resolve_start(call->client->resolver, uri->host, uri->port,
	    call->deadline - clock_mono_ms(), resolved, call, &call->resolve);
}

void
call_send(struct client_call *call, struct client_connection *conn)
{
	call->state = CALL_SENT;
	call->connection = conn;
	connection_send(conn, call);
}

static bool
has_body(const struct client_call *call, int status)
{
	return !call->head && status != 204 && status != 304;
}

/* evhttp takes an answer on a connection that stays for an empty one if it says nothing about its
 * length. */
static bool
length_is_known(const struct evkeyvalq *headers)
{
	const char *connection = evhttp_find_header(headers, "Connection");

	return evhttp_find_header(headers, "Content-Length") != NULL ||
	    evhttp_find_header(headers, "Transfer-Encoding") != NULL || connection == NULL ||
	    strcasecmp(connection, "close") == 0;
}

static bool
check_answer(const struct client_call *call, struct evhttp_request *req, struct err *e)
{
	int status = evhttp_request_get_response_code(req);
	const char *name = call->origin->name;

	if (status < 200 || status > 599)
		return err_set(e, ERR_UPSTREAM, "%s answers with status %d", name, status);
	if (has_body(call, status) && !length_is_known(evhttp_request_get_input_headers(req)))
		return err_set(e, ERR_UPSTREAM, "%s answers without a length", name);
	return true;
}

static void
take_answer(struct client_call *call, struct evhttp_request *req)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(body);

	call->request = req;
	call->answer_body = xmalloc(len + 1);
	evbuffer_remove(body, call->answer_body, len);
	call->answer_body[len] = '\0';
	call->answer.status = evhttp_request_get_response_code(req);
	call->answer.body = call->answer_body;
	call->answer.body_len = len;
	call->answer.headers = evhttp_request_get_input_headers(req);
}

static void
call_answered(struct client_call *call, struct client_connection *conn)
{
	struct evhttp_request *req = conn->answer;
	struct err e;
	bool good = check_answer(call, req, &e);

	conn->answer = NULL;
	if (good) {
		take_answer(call, req);
	} else {
		err_slot_set(&call->error, &e);
		evhttp_request_free(req);
	}
	if (good && connection_reusable(conn)) {
		call->connection = NULL;
		conn->call = NULL;
		origin_keep(call->origin, conn);
	} else {
		drop_connection(call);
	}
	call->state = CALL_FINISHED;
	call_complete(call);
}

static void
call_failed(struct client_call *call, struct client_connection *conn)
{
	struct err e;

	if (!conn->reached && !conn->reused && call->addresses != NULL &&
	    call->next_address < call->addresses->count) {
		try_next_address(call);
		return;
	}
	connection_explain(conn, &e);
	err_slot_set(&call->error, &e);
	call->answer.stale = conn->reused && conn->received == 0 && conn->failure == EVREQ_HTTP_EOF;
	drop_connection(call);
	call->state = CALL_FINISHED;
	call_complete(call);
}

void
call_settled(struct client_call *call, struct client_connection *conn)
{
	timer_stop(call->attempt);
	if (conn->answer != NULL)
		call_answered(call, conn);
	else
		call_failed(call, conn);
}
