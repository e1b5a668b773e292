/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Raw bytes into a server whose handler does what the path says: /now answers at once, /task after
 * this turn, /later when the input has it so; /large is more than a socket takes, /close ends the
 * connection, /free frees the server from within its handler. See peers.h for what the input is.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <strings.h>

#include "answers.h"
#include "base/queue.h"
#include "ev/loop.h"
#include "http/server.h"
#include "peers.h"

enum {
	MAX_HEADERS = 512, /* small, so that small inputs come to the limits */
	MAX_BODY = 256,
	RECEIVE_MS = 30 * 1000,
	IDLE_MS = 60 * 1000,
	LARGE = 256 * 1024,
	LARGE_MAX = 4, /* in one run */
	EXCHANGES = 4096,
};

enum state { UNKNOWN = 0, WAITING, ANSWERED, HUNG_UP, RECEIVED };

struct waiting {
	TAILQ_ENTRY(waiting) entry;
	struct http_exchange *x;
	size_t id;
	struct task task;
};

static struct loop *loop;
static struct listener *listener;
static struct http_server *server;
static TAILQ_HEAD(waiting_head, waiting) all = TAILQ_HEAD_INITIALIZER(all);
static enum state states[EXCHANGES];
static size_t owners[EXCHANGES]; /* the client that got the reply, from 1 */
static bool lasts[EXCHANGES];    /* what comes behind it is not to be taken for a request */
static size_t begun, larges;

/* ---- replies ---- */

static void
reply(struct http_exchange *x, size_t id, int status, size_t len, bool close)
{
	static char body[LARGE];
	char number[24], reason[] = "as\tyou like\r\nit";

	snprintf(number, sizeof(number), "%zu", id);
	must(states[id] == UNKNOWN || states[id] == WAITING);
	states[id] = ANSWERED;
	http_exchange_reply(x,
	    &(struct http_reply){
		.status = status,
		.reason = status == 599 ? reason : NULL,
		.content_type = len > 0 ? "text/plain" : NULL,
		.body = body,
		.body_len = len,
		.headers = {{"X-Id", number}},
		.close = close,
	    });
}

static void
take_off(struct waiting *w)
{
	TAILQ_REMOVE(&all, w, entry);
	task_cancel(&w->task);
	free(w);
}

static void
hung_up(void *arg)
{
	struct waiting *w = arg;

	must(states[w->id] == WAITING);
	states[w->id] = HUNG_UP;
	/* What a handler might do in its confusion. */
	http_exchange_reply(w->x, &(struct http_reply){.status = 200});
	take_off(w);
}

static void
answer_later(void *arg)
{
	struct waiting *w = arg;

	reply(w->x, w->id, 200, 5, false);
	take_off(w);
}

static bool
answer(bool newest)
{
	struct waiting *w = newest ? TAILQ_LAST(&all, waiting_head) : TAILQ_FIRST(&all);

	if (w != NULL)
		answer_later(w);
	return w != NULL;
}

/* ---- requests ---- */

static size_t
new_id(void)
{
	must(begun < EXCHANGES);
	return begun++;
}

static void
wait_for_it(struct http_exchange *x, size_t id, bool task)
{
	struct waiting *w = xcalloc(1, sizeof(*w));

	w->x = x;
	w->id = id;
	states[id] = WAITING;
	TAILQ_INSERT_TAIL(&all, w, entry);
	http_exchange_on_hangup(x, hung_up, w);
	if (task)
		task_post(loop, &w->task, answer_later, w);
}

static void
check_request(const struct http_exchange *x, size_t id)
{
	const char *length = http_exchange_header(x, "Content-Length");
	const char *body;
	size_t len;

	must(http_exchange_method(x)[0] != '\0' && http_exchange_target(x)[0] == '/');
	must(http_exchange_header(x, "Transfer-Encoding") == NULL);
	must(strcmp(http_exchange_peer_text(x), "unix") == 0);
	body = http_exchange_body(x, &len);
	must(body != NULL && len <= MAX_BODY);
	if (strcmp(http_exchange_method(x), "POST") == 0)
		must(length != NULL && strtoul(length, NULL, 10) == len);
	else
		must(len == 0 || (length != NULL && strtoul(length, NULL, 10) == len));
	lasts[id] = length != NULL && strtoul(length, NULL, 10) != len;
}

static bool
path_is(const struct http_exchange *x, const char *path)
{
	return strncmp(http_exchange_target(x), path, strlen(path)) == 0;
}

static void restart(void);

static void
handle(void *arg, struct http_exchange *x)
{
	size_t id = new_id();

	check_request(x, id);
	if (path_is(x, "/free")) {
		wait_for_it(x, id, false);
		restart();
		must(states[id] == HUNG_UP);
	} else if (path_is(x, "/later") || path_is(x, "/task")) {
		wait_for_it(x, id, path_is(x, "/task"));
	} else if (path_is(x, "/large") && larges++ < LARGE_MAX) {
		reply(x, id, 200, LARGE, false);
	} else if (path_is(x, "/status")) {
		reply(x, id, 599, 0, false);
	} else {
		reply(x, id, 200, 5, path_is(x, "/close"));
	}
}

static void
refuse(void *arg, int status, const char *detail, struct http_exchange *x)
{
	size_t id = new_id();

	must(status >= 400 && status <= 505 && detail != NULL && detail[0] != '\0');
	lasts[id] = true;
	reply(x, id, status, strlen(detail), false);
}

/* ---- the server ---- */

static void
serve(void)
{
	server = http_server_new(loop,
	    &(struct http_server_conf){
		.max_headers = MAX_HEADERS,
		.max_body = MAX_BODY,
		.receive_ms = RECEIVE_MS,
		.idle_ms = IDLE_MS,
		.need_length = true,
		.handler = handle,
		.refuse = refuse,
	    });
	must(http_server_serve(server, listener, NULL));
}

static void
restart(void)
{
	http_server_free(server);
	must(TAILQ_EMPTY(&all));
	serve();
}

/* Each reply was made for one client and reaches no other, and once. */
static void
received(size_t n, const struct answer *a)
{
	long id = answer_number(a, "X-Id");

	must(id >= 0 && (size_t)id < begun && states[id] == ANSWERED);
	must(!lasts[id] || answer_closes(a));
	states[id] = RECEIVED;
	owners[id] = n + 1;
	for (size_t later = (size_t)id + 1; later < begun; later++)
		must(owners[later] != n + 1);
}

static struct peers_server under_test = {
    .answer = answer,
    .restart = restart,
    .received = received,
};

static void
start(void)
{
	listener = peers_listen(&under_test);
	loop = under_test.loop;
	serve();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (loop == NULL)
		start();
	/* A request has more than 16 octets. */
	if (size > EXCHANGES * 8)
		return 0;
	memset(states, 0, sizeof(states));
	memset(owners, 0, sizeof(owners));
	memset(lasts, 0, sizeof(lasts));
	begun = larges = 0;
	must(peers_play(&under_test, data, size) <= begun);
	must(TAILQ_EMPTY(&all) && http_server_pending(server) == 0);
	for (size_t i = 0; i < begun; i++)
		must(states[i] != UNKNOWN && states[i] != WAITING);
	return 0;
}
