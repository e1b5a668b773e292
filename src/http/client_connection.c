/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "ev/timer.h"
#include "http/client_private.h"

enum {
	NO_TIMEOUT_S = 24 * 3600, /* evhttp's own timeouts are out of the way; ours hold */
	INPUT_SLACK = 65536,      /* framing, beside headers and body */
};

static struct bufferevent *
new_bufferevent(struct client_connection *conn)
{
	const struct http_client *c = conn->origin->client;
	struct event_base *base = loop_base(c->loop);

	if (!conn->origin->uri.https)
		return bufferevent_socket_new(base, -1, 0);
	conn->ssl = client_tls_new(conn);
	/* No dirty shutdown: an answer that ends with the connection could be cut short. */
	return bufferevent_openssl_socket_new(
	    base, -1, conn->ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
}

/* evhttp has closed the socket, for whatever reason. A request on it comes back as failed. */
static void
closed(struct evhttp_connection *evcon, void *arg)
{
	struct client_connection *conn = arg;

	conn->closed = true;
	if (conn->idle)
		connection_drop(conn);
}

static void
settle(void *arg)
{
	struct client_connection *conn = arg;

	call_settled(conn->call, conn);
}

static void
settle_later(struct client_connection *conn)
{
	task_post(conn->origin->client->loop, &conn->settle, settle, conn);
}

/* The line with the size of a chunk has no limit of evhttp's. (Nor would a high watermark do: above
 * it libevent calls the read callback again and again.) */
static void
count_input(struct evbuffer *input, const struct evbuffer_cb_info *info, void *arg)
{
	struct client_connection *conn = arg;
	const struct http_client_conf *conf = &conn->origin->client->conf;

	conn->received += info->n_added;
	if (evbuffer_get_length(input) <= conf->max_headers + conf->max_body + INPUT_SLACK)
		return;
	bufferevent_disable(conn->bev, EV_READ);
	conn->failure = EVREQ_HTTP_DATA_TOO_LONG;
	if (conn->call != NULL)
		settle_later(conn);
}

static void
request_error(enum evhttp_request_error error, void *arg)
{
	struct client_connection *conn = arg;

	conn->failure = (int)error;
	if (!conn->connected && conn->connect_errno == 0)
		conn->connect_errno = errno;
}

/* The funnel: an answer; a failed connect, which comes with status 0; or any other failure, which
 * comes without a request after request_error(). Perhaps from within evhttp_make_request(), always
 * from the depths of evhttp: so only noted here. */
static void
request_done(struct evhttp_request *req, void *arg)
{
	struct client_connection *conn = arg;

	if (req != NULL && evhttp_request_get_response_code(req) != 0) {
		evhttp_request_own(req);
		conn->answer = req;
	}
	settle_later(conn);
}

static void
add_request_headers(struct evhttp_request *req, const struct client_call *call)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

	evhttp_add_header(headers, "Host", call->origin->name);
	evhttp_add_header(headers, "User-Agent", call->client->conf.user_agent);
	if (call->accept != NULL)
		evhttp_add_header(headers, "Accept", call->accept);
	if (call->content_type != NULL)
		evhttp_add_header(headers, "Content-Type", call->content_type);
}

/* Each piece of the output would become a TLS record and a segment of its own. */
static void
join_output(struct client_connection *conn)
{
	struct evbuffer *output = bufferevent_get_output(conn->bev);

	if (evbuffer_get_length(output) > 0)
		evbuffer_pullup(output, -1);
}

static void
make_request(struct client_connection *conn, struct client_call *call)
{
	struct evhttp_request *req = evhttp_request_new(request_done, conn);
	enum evhttp_cmd_type type = call->head ? EVHTTP_REQ_HEAD : EVHTTP_REQ_GET;

	if (req == NULL)
		abort();
	if (call->post)
		type = EVHTTP_REQ_POST;
	conn->call = call;
	conn->received = 0;
	conn->failure = -1;
	evhttp_request_set_error_cb(req, request_error);
	add_request_headers(req, call);
	if (call->body_len > 0)
		evbuffer_add(evhttp_request_get_output_buffer(req), call->body, call->body_len);
	/* The request is evhttp's from here on, also if this fails. */
	if (evhttp_make_request(conn->evcon, req, type, call->target) != 0)
		settle_later(conn);
	else
		join_output(conn);
}

void
connection_send(struct client_connection *conn, struct client_call *call)
{
	conn->reused = true;
	make_request(conn, call);
}

/* Stands in front of evhttp's callback while connecting, because evhttp forgets why that failed. */
static void
connect_event(struct bufferevent *bev, short what, void *arg)
{
	struct client_connection *conn = arg;
	int error = errno;

	if (what & BEV_EVENT_CONNECTED) {
		conn->connected = true;
		conn->reached = true;
		conn->call->state = CALL_SENT;
	} else {
		conn->connect_errno = error;
		if (conn->ssl != NULL && client_tls_reached(conn->ssl)) {
			conn->reached = true;
			client_tls_explain(conn, bufferevent_get_openssl_error(bev));
		}
	}
	errno = error; /* evhttp looks at it */
	conn->evhttp_event(bev, what, conn->evcon);
	if (what & BEV_EVENT_CONNECTED)
		join_output(conn);
}

static void
watch_connect(struct client_connection *conn)
{
	bufferevent_data_cb read_cb;
	bufferevent_data_cb write_cb;
	void *arg;
	const int on = 1;
	int fd = bufferevent_getfd(conn->bev);

	if (fd < 0)
		return; /* failed already */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	bufferevent_getcb(conn->bev, &read_cb, &write_cb, &conn->evhttp_event, &arg);
	bufferevent_setcb(conn->bev, read_cb, write_cb, connect_event, conn);
}

struct client_connection *
connection_open(struct client_origin *o, struct client_call *call,
    const struct sockaddr_storage *sa, socklen_t len)
{
	const struct http_client_conf *conf = &o->client->conf;
	struct client_connection *conn = xcalloc(1, sizeof(*conn));
	char address[NI_MAXHOST];

	if (getnameinfo((const struct sockaddr *)sa, len, address, sizeof(address), NULL, 0,
		NI_NUMERICHOST) != 0)
		abort();
	conn->origin = o;
	o->client->stats.opened++;
	conn->idle_timer = timer_new(o->client->loop, connection_idle_over, conn);
	conn->bev = new_bufferevent(conn);
	if (conn->bev == NULL)
		abort();
	conn->evcon = evhttp_connection_base_bufferevent_new(
	    loop_base(o->client->loop), NULL, conn->bev, address, o->uri.port);
	if (conn->evcon == NULL)
		abort();
	evhttp_connection_set_family(conn->evcon, sa->ss_family);
	evhttp_connection_set_max_headers_size(conn->evcon, (ev_ssize_t)conf->max_headers);
	evhttp_connection_set_max_body_size(conn->evcon, (ev_ssize_t)conf->max_body);
	evhttp_connection_set_timeout(conn->evcon, NO_TIMEOUT_S);
	evhttp_connection_set_closecb(conn->evcon, closed, conn);
	conn->input_cb = evbuffer_add_cb(bufferevent_get_input(conn->bev), count_input, conn);
	make_request(conn, call);
	watch_connect(conn);
	return conn;
}

bool
connection_reusable(const struct client_connection *conn)
{
	return !conn->closed && evbuffer_get_length(bufferevent_get_input(conn->bev)) == 0;
}

void
connection_idle_over(void *arg)
{
	connection_drop(arg);
}

static void
explain_failure(const struct client_connection *conn, struct err *e)
{
	const struct http_client_conf *conf = &conn->origin->client->conf;
	const char *name = conn->origin->name;

	switch ((enum evhttp_request_error)conn->failure) {
	case EVREQ_HTTP_INVALID_HEADER:
		err_set(e, ERR_UPSTREAM,
		    "the answer of %s is not HTTP, or has headers of more than %zu bytes", name,
		    conf->max_headers);
		break;
	case EVREQ_HTTP_DATA_TOO_LONG:
		err_set(e, ERR_UPSTREAM, "the answer of %s is malformed, or larger than %zu bytes",
		    name, conf->max_body);
		break;
	case EVREQ_HTTP_EOF:
	case EVREQ_HTTP_BUFFER_ERROR:
	case EVREQ_HTTP_REQUEST_CANCEL:
	case EVREQ_HTTP_TIMEOUT:
	default:
		err_set(e, ERR_UNREACHABLE, "%s closed the connection %s", name,
		    conn->received > 0 ? "in the middle of its answer" : "without an answer");
		break;
	}
}

void
connection_explain(const struct client_connection *conn, struct err *e)
{
	if (conn->tls_error[0] != '\0') {
		err_set(e, ERR_UNREACHABLE, "%s", conn->tls_error);
	} else if (!conn->connected) {
		/* evhttp loses the reason of a connect that fails at once, which is this one. */
		err_errno(e, ERR_UNREACHABLE,
		    conn->connect_errno != 0 ? conn->connect_errno : ECONNREFUSED,
		    "cannot connect to %s", conn->origin->name);
	} else {
		explain_failure(conn, e);
	}
}

static void
destroy(void *ptr)
{
	struct client_connection *conn = ptr;

	if (conn->ssl != NULL && conn->connected && !conn->closed)
		client_tls_goodbye(conn->ssl);
	evhttp_connection_free(conn->evcon);
	free(conn);
}

void
connection_drop(struct client_connection *conn)
{
	struct client_origin *o = conn->origin;

	if (conn->idle)
		TAILQ_REMOVE(&o->idle, conn, entry);
	o->client->stats.closed++;
	task_cancel(&conn->settle);
	timer_free(conn->idle_timer);
	evbuffer_remove_cb_entry(bufferevent_get_input(conn->bev), conn->input_cb);
	evhttp_connection_set_closecb(conn->evcon, NULL, NULL);
	bufferevent_setcb(conn->bev, NULL, NULL, NULL, NULL);
	bufferevent_disable(conn->bev, EV_READ | EV_WRITE);
	if (conn->ssl != NULL)
		client_tls_forget(conn->ssl);
	if (conn->answer != NULL)
		evhttp_request_free(conn->answer);
	loop_dispose(o->client->loop, destroy, conn);
	origin_release_place(o);
}
