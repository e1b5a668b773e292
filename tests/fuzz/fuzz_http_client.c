/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Raw bytes as an answer to the HTTP client, over TCP on the loopback interface. A GET is under way
 * from the start. The input is what its server sends on the connection made last, as it is, but for
 * the octet 0xfe and a letter behind it:
 *
 *   s    what was written so far is sent, and the loop turns
 *   c    the server closes, orderly          R    it resets
 *   n P H F    another GET, POST, HEAD, GET on a fresh connection
 *   x    the oldest call is cancelled
 *   f    the client is freed, and another made
 *   N D  the next completion starts another call, or frees the client
 *   t    a second passes          T    two minutes
 *   0xfe the octet itself
 */
#include "fuzz.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "ev/resolve.h"
#include "fake_clock.h"
#include "http/client.h"

enum {
	MARK = 0xfe,
	CALLS = 32,
	CONNECTIONS = 64, /* accepted in one run */
	TURNS = 4,
	TURNS_MAX = 200,
	CALL_MS = 60 * 1000,
	IDLE_MS = 30 * 1000,
	MAX_BODY = 10000,
	MAX_HEADERS = 2000,
};

struct call {
	struct op *slot;
	bool cancelled;
	int done;
};

static struct loop *loop;
static struct resolver *resolver;
static struct http_client *client;
static struct uri uri;
static int listening = -1;

static struct {
	struct call calls[CALLS];
	size_t started;
	int fds[CONNECTIONS];
	size_t accepted;
	int now; /* -1: none */
	struct buf out;
	uint8_t then; /* what the next completion does: 'N', 'D' or nothing */
} play;

/* ---- the client ---- */

static void
check(const struct http_answer *answer, const struct err *e)
{
	must((answer->status == 0) == (e != NULL));
	if (e != NULL) {
		must(e->kind == ERR_UNREACHABLE || e->kind == ERR_UPSTREAM);
		must(e->detail[0] != '\0');
		return;
	}
	must(answer->status >= 200 && answer->status <= 599);
	must(answer->body_len <= MAX_BODY && answer->body[answer->body_len] == '\0');
	must(!answer->stale);
	http_answer_header(answer, "Replay-Nonce");
}

static void
make_client(void)
{
	client = http_client_new(loop, resolver,
	    &(struct http_client_conf){
		.user_agent = "acmems/fuzz",
		.max_connections = 2,
		.max_body = MAX_BODY,
		.max_headers = MAX_HEADERS,
		.idle_ms = IDLE_MS,
	    });
}

static void
replace_client(void)
{
	for (size_t i = 0; i < play.started; i++)
		play.calls[i].cancelled |= play.calls[i].slot != NULL;
	http_client_free(client);
	for (size_t i = 0; i < play.started; i++)
		must(play.calls[i].slot == NULL);
	make_client();
}

static void call(bool post, bool head, bool fresh);

static void
done(void *arg, const struct http_answer *answer, const struct err *e)
{
	struct call *c = arg;
	uint8_t then = play.then;

	must(c->slot == NULL && !c->cancelled && ++c->done == 1);
	play.then = 0;
	if (then == 'N')
		call(false, false, false);
	else if (then == 'D')
		replace_client();
	check(answer, e);
}

static void
call(bool post, bool head, bool fresh)
{
	static const char body[] = "{\"payload\": \"\"}";

	if (play.started == CALLS)
		return;
	struct call *c = &play.calls[play.started++];
	http_call_start(client,
	    &(struct http_call){
		.post = post,
		.head = head,
		.fresh = fresh,
		.uri = &uri,
		.content_type = post ? "application/jose+json" : NULL,
		.body = post ? body : NULL,
		.body_len = sizeof(body) - 1,
		.timeout_ms = CALL_MS,
	    },
	    done, c, &c->slot);
	must(c->done == 0 && c->slot != NULL);
}

static void
cancel_oldest(void)
{
	for (size_t i = 0; i < play.started; i++) {
		struct call *c = &play.calls[i];

		if (c->slot == NULL)
			continue;
		c->cancelled = true;
		op_cancel(&c->slot);
		return;
	}
}

/* ---- the server ---- */

static void
serve(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(listening >= 0 && bind(listening, (struct sockaddr *)&in, len) == 0);
	must(listen(listening, CALLS) == 0);
	must(getsockname(listening, (struct sockaddr *)&in, &len) == 0);
	CLEANUP_FREE char *text = xasprintf("http://127.0.0.1:%u/x", ntohs(in.sin_port));
	must(uri_parse(text, strlen(text), &uri, NULL));
}

static void
accept_all(void)
{
	int fd;

	while (play.accepted < CONNECTIONS &&
	    (fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		play.fds[play.accepted++] = fd;
		play.now = fd;
	}
}

static void
turn(void)
{
	static char requests[4096];

	for (int i = 0; i < TURNS; i++) {
		loop_turn(loop, false);
		accept_all();
	}
	while (play.now >= 0 && recv(play.now, requests, sizeof(requests), 0) > 0)
		continue;
}

/* The descriptor stays until the end of the run, so that no two connections share a number. */
static void
end(bool reset)
{
	const struct linger linger = {.l_onoff = 1};

	if (play.now < 0)
		return;
	if (reset) {
		setsockopt(play.now, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		for (size_t i = 0; i < play.accepted; i++)
			if (play.fds[i] == play.now)
				play.fds[i] = -1;
		close(play.now);
	} else {
		shutdown(play.now, SHUT_WR);
	}
	play.now = -1;
}

static void
flush(void)
{
	if (play.now >= 0 && play.out.len > 0)
		send(play.now, play.out.data, play.out.len, MSG_NOSIGNAL);
	play.out.len = 0;
	turn();
}

/* ---- the input ---- */

static void
act(uint8_t letter)
{
	flush();
	switch (letter) {
	case 'c':
	case 'R':
		end(letter == 'R');
		break;
	case 'n':
	case 'P':
	case 'H':
	case 'F':
		call(letter == 'P', letter == 'H', letter == 'F');
		break;
	case 'x':
		cancel_oldest();
		break;
	case 'f':
		replace_client();
		break;
	case 'N':
	case 'D':
		play.then = letter;
		break;
	case 't':
		fake_clock_advance(loop, 1000);
		break;
	case 'T':
		fake_clock_advance(loop, 2 * CALL_MS);
		break;
	default:
		break;
	}
	turn();
}

static void
speak(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] != MARK || i + 1 == size || data[i + 1] == MARK) {
			i += data[i] == MARK && i + 1 < size;
			must(buf_add(&play.out, &data[i], 1));
		} else {
			act(data[++i]);
		}
	}
	flush();
}

/* Every call has come to its end by its deadline, every connection by the end of its idle time. */
static void
go_home(void)
{
	play.then = 0;
	fake_clock_advance(loop, CALL_MS + 1);
	for (size_t i = 0; i < play.started; i++)
		must(play.calls[i].slot == NULL && play.calls[i].done == !play.calls[i].cancelled);
	accept_all();
	for (size_t i = 0; i < play.accepted; i++) {
		play.now = play.fds[i];
		end(true);
	}
	fake_clock_advance(loop, IDLE_MS + 1);
}

static void
start(void)
{
	loop = loop_new(NULL);
	resolver = resolver_new_files(loop, "/dev/null", "/dev/null", NULL);
	must(resolver != NULL);
	serve();
	make_client();
	loop_turn(loop, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (loop == NULL)
		start();
	size_t timers = fake_timers_alive();
	int before = event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED);

	memset(&play, 0, sizeof(play));
	play.now = -1;
	buf_init(&play.out, SIZE_MAX);
	call(false, false, false);
	turn();
	speak(data, size);
	go_home();
	buf_done(&play.out);
	for (int i = 0; fake_timers_alive() != timers ||
	     event_base_get_num_events(loop_base(loop), EVENT_BASE_COUNT_ADDED) != before;
	     i++) {
		must(i < TURNS_MAX);
		loop_turn(loop, false);
	}
	fake_clock_reset();
	return 0;
}
