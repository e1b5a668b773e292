/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The responder's sockets: datagrams, connections, and the bounds of both. */
#include "tests/unit/ev/pump.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codec/ip.h"
#include "dns/responder.h"
#include "ev/listener.h"
#include "ev/loop.h"
#include "tests/unit/dns/ports.h"

static const char VALUE[] = "LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ";
static const char NAME[] = "_acme-challenge.example.org";

enum { REPLY_MAX = 65537, PER_CLIENT = 3, IN_ALL = 4, IDLE_MS = 300 };

struct world {
	struct loop *loop;
	struct responder *responder;
	struct responder_record *record;
	unsigned fetched;
	bool remove_when_fetched;
};

static void
fetched(void *arg)
{
	struct world *w = arg;

	w->fetched++;
	if (w->remove_when_fetched) {
		responder_remove(w->responder, w->record);
		w->record = NULL;
	}
}

static struct world *
world_new(const char *host, int64_t idle_ms)
{
	static struct world w;
	char listener[64], *listeners[] = {listener};
	struct responder_conf conf = {
	    .listeners = listeners,
	    .listener_count = 1,
	    .max_connections = IN_ALL,
	    .max_per_client = PER_CLIENT,
	    .idle_ms = idle_ms,
	};
	struct err e;

	snprintf(listener, sizeof(listener), "%s:%u", host, free_port());
	w = (struct world){0};
	w.loop = loop_new(&e);
	w.responder = responder_new(w.loop, &conf, &e);
	if (w.responder == NULL || !responder_serve(w.responder, true, &e))
		fail_msg("%s", e.detail);
	w.record = responder_add(w.responder, NAME, VALUE, fetched, &w, &e);
	assert_non_null(w.record);
	return &w;
}

static void
world_free(struct world *w)
{
	responder_free(w->responder);
	loop_free(w->loop);
}

/* ---- a client ---- */

static uint16_t
port_of(const struct world *w)
{
	const struct listen_address *a = responder_address(w->responder, 0);

	return ntohs(a->sa.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&a->sa)->sin6_port
						 : ((const struct sockaddr_in *)&a->sa)->sin_port);
}

static int
client_from(const struct world *w, int type, const char *from, const char *to)
{
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	struct sockaddr_in sin = {.sin_family = AF_INET};

	inet_pton(AF_INET, from, &sin.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	sin.sin_port = htons(port_of(w));
	inet_pton(AF_INET, to, &sin.sin_addr);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

static int
client(const struct world *w, int type)
{
	return client_from(w, type, "127.0.0.1", "127.0.0.1");
}

struct message {
	uint8_t bytes[REPLY_MAX]; /* with the length in front */
	size_t len;
};

static void
make_query(struct message *m, uint16_t id)
{
	ldns_pkt *pkt =
	    ldns_pkt_query_new(ldns_dname_new_frm_str(NAME), LDNS_RR_TYPE_TXT, LDNS_RR_CLASS_IN, 0);
	uint8_t *bytes;

	ldns_pkt_set_id(pkt, id);
	assert_int_equal(ldns_pkt2wire(&bytes, pkt, &m->len), LDNS_STATUS_OK);
	m->bytes[0] = (uint8_t)(m->len >> 8);
	m->bytes[1] = (uint8_t)m->len;
	memcpy(m->bytes + 2, bytes, m->len);
	m->len += 2;
	free(bytes);
	ldns_pkt_free(pkt);
}

static void
send_all(struct world *w, int fd, const uint8_t *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		} else {
			pump_once(w->loop);
		}
	}
}

/* Reads n bytes, turning the loop meanwhile; false at the end of the stream. */
static bool
receive(struct world *w, int fd, uint8_t *bytes, size_t n)
{
	int64_t end = clock_mono_ms() + PUMP_MAX_MS;

	while (n > 0) {
		ssize_t got = recv(fd, bytes, n, 0);

		assert_true(clock_mono_ms() < end);
		if (got > 0) {
			bytes += got;
			n -= (size_t)got;
		} else if (got == 0 || (errno != EAGAIN && errno != ENOTCONN)) {
			return false;
		} else {
			pump_once(w->loop);
		}
	}
	return true;
}

static bool
closed(struct world *w, int fd)
{
	uint8_t byte;

	return !receive(w, fd, &byte, 1);
}

static void
check_answer(const uint8_t *bytes, size_t len, uint16_t id)
{
	ldns_pkt *pkt = NULL;

	assert_int_equal(ldns_wire2pkt(&pkt, bytes, len), LDNS_STATUS_OK);
	assert_int_equal(ldns_pkt_id(pkt), id);
	assert_int_equal(ldns_pkt_ancount(pkt), 1);
	ldns_pkt_free(pkt);
}

static void
expect_tcp(struct world *w, int fd, uint16_t id)
{
	static struct message m;

	assert_true(receive(w, fd, m.bytes, 2));
	m.len = (size_t)m.bytes[0] << 8 | m.bytes[1];
	assert_true(receive(w, fd, m.bytes, m.len));
	check_answer(m.bytes, m.len, id);
}

static void
ask_tcp(struct world *w, int fd, uint16_t id)
{
	struct message m;

	make_query(&m, id);
	send_all(w, fd, m.bytes, m.len);
	expect_tcp(w, fd, id);
}

static void
ask_udp(struct world *w, int fd, uint16_t id)
{
	struct message m;
	ssize_t n = -1;

	make_query(&m, id);
	assert_int_equal(send(fd, m.bytes + 2, m.len - 2, 0), m.len - 2);
	PUMP_UNTIL(w->loop, (n = recv(fd, m.bytes, sizeof(m.bytes), 0)) >= 0);
	check_answer(m.bytes, (size_t)n, id);
}

/* ---- UDP ---- */

static void
udp(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_DGRAM);

	for (uint16_t id = 1; id < 10; id++)
		ask_udp(w, fd, id);
	PUMP_UNTIL(w->loop, w->fetched > 0);
	close(fd);
	world_free(w);
}

/* A connected socket takes answers only from the address it asked. */
static void
udp_from_the_address_asked(void **state)
{
	struct world *w = world_new("0.0.0.0", 0);
	int fd = client_from(w, SOCK_DGRAM, "127.0.0.1", "127.0.0.7");

	ask_udp(w, fd, 77);
	close(fd);
	world_free(w);
}

static void
udp_ipv6(void **state)
{
	struct world *w = world_new("[::1]", 0);
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6,
	    .sin6_port = htons(port_of(w)),
	    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&sin6, sizeof(sin6)), 0);
	ask_udp(w, fd, 66);
	close(fd);
	world_free(w);
}

/* No answer to an answer, to nothing, or to less than a header; and the next one is served. */
static void
udp_silence(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_DGRAM);
	struct message m;

	make_query(&m, 5);
	m.bytes[4] |= 0x80;
	send(fd, m.bytes + 2, m.len - 2, 0);
	send(fd, m.bytes, 0, 0);
	send(fd, m.bytes + 2, 11, 0);
	ask_udp(w, fd, 6);
	assert_int_equal(recv(fd, m.bytes, sizeof(m.bytes), 0), -1);
	close(fd);
	world_free(w);
}

/* The record goes while its own callback runs. */
static void
fetched_may_remove(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_DGRAM);

	w->remove_when_fetched = true;
	ask_udp(w, fd, 1);
	PUMP_UNTIL(w->loop, w->fetched > 0);
	assert_null(w->record);
	close(fd);
	world_free(w);
}

/* ---- TCP ---- */

static void
tcp(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_STREAM);

	for (uint16_t id = 1; id < 10; id++)
		ask_tcp(w, fd, id);
	PUMP_UNTIL(w->loop, w->fetched > 0);
	close(fd);
	pump_quiet(w->loop);
	world_free(w);
}

static void
tcp_byte_by_byte(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_STREAM);
	struct message m;

	make_query(&m, 9);
	for (size_t i = 0; i < m.len; i++) {
		send_all(w, fd, m.bytes + i, 1);
		pump_once(w->loop);
	}
	expect_tcp(w, fd, 9);
	close(fd);
	world_free(w);
}

/* Many questions before the first answer is read, then the end of what the client sends. */
static void
tcp_pipelined(void **state)
{
	enum { QUERIES = 500 };
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_STREAM);
	struct message m;

	for (uint16_t id = 0; id < QUERIES; id++) {
		make_query(&m, id);
		send_all(w, fd, m.bytes, m.len);
	}
	shutdown(fd, SHUT_WR);
	for (uint16_t id = 0; id < QUERIES; id++)
		expect_tcp(w, fd, id);
	assert_true(closed(w, fd));
	close(fd);
	world_free(w);
}

/* Who asks and never reads gets no memory of ours: at some point nothing is taken from him. */
static void
tcp_never_reads(void **state)
{
	struct world *w = world_new("127.0.0.1", IDLE_MS);
	int fd = client(w, SOCK_STREAM), small = 4096;
	int64_t end = clock_mono_ms() + PUMP_MAX_MS;
	struct message m;
	struct err e;
	char value[44];

	for (int i = 0; i < 150; i++) {
		snprintf(value, sizeof(value), "%043d", i);
		assert_non_null(responder_add(w->responder, NAME, value, NULL, NULL, &e));
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	make_query(&m, 1);
	/* Until the connection is ended because no question was answered for so long. */
	for (;;) {
		ssize_t n = send(fd, m.bytes, m.len, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN && errno != ENOTCONN && errno != EINPROGRESS)
			break;
		assert_true(clock_mono_ms() < end);
		pump_once(w->loop);
	}
	close(fd);
	world_free(w);
}

static void
tcp_nonsense(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_STREAM);

	send_all(w, fd, (const uint8_t *)"GET / HTTP/1.1\r\n\r\n", 18);
	assert_true(closed(w, fd));
	close(fd);
	world_free(w);
}

static void
tcp_short_frames(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fd = client(w, SOCK_STREAM);

	send_all(w, fd, (const uint8_t *)"\0\0\0\1x\0\0", 7);
	ask_tcp(w, fd, 3);
	close(fd);
	world_free(w);
}

/* ---- bounds ---- */

static void
tcp_idle(void **state)
{
	struct world *w = world_new("127.0.0.1", IDLE_MS);
	int silent = client(w, SOCK_STREAM), trickling = client(w, SOCK_STREAM);
	int64_t start = clock_mono_ms();
	struct message m;

	make_query(&m, 1);
	for (size_t i = 0; clock_mono_ms() - start < IDLE_MS / 2; i++) {
		send(trickling, m.bytes + i, 1, MSG_NOSIGNAL);
		for (int k = 0; k < 5; k++)
			pump_once(w->loop);
	}
	assert_true(closed(w, silent));
	assert_true(closed(w, trickling));
	assert_true(clock_mono_ms() - start >= IDLE_MS - PUMP_TICK_MS);
	close(silent);
	close(trickling);
	world_free(w);
}

/* One client has so many places and no more; another one is served all the same. */
static void
tcp_per_client(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fds[PER_CLIENT + 1], other;

	for (int i = 0; i < PER_CLIENT; i++) {
		fds[i] = client(w, SOCK_STREAM);
		ask_tcp(w, fds[i], 1);
	}
	fds[PER_CLIENT] = client(w, SOCK_STREAM);
	assert_true(closed(w, fds[PER_CLIENT]));
	other = client_from(w, SOCK_STREAM, "127.0.0.2", "127.0.0.1");
	ask_tcp(w, other, 2);
	ask_tcp(w, fds[0], 3);
	/* A place that was left is free again. */
	close(fds[1]);
	pump_quiet(w->loop);
	fds[1] = client(w, SOCK_STREAM);
	ask_tcp(w, fds[1], 4);
	for (int i = 0; i <= PER_CLIENT; i++)
		close(fds[i]);
	close(other);
	world_free(w);
}

/* All places taken: the one whose last question is the longest ago goes. */
static void
tcp_in_all(void **state)
{
	struct world *w = world_new("127.0.0.1", 0);
	int fds[IN_ALL + 1];
	char from[] = "127.0.0.1";

	for (int i = 0; i < IN_ALL; i++) {
		from[8] = (char)('1' + i);
		fds[i] = client_from(w, SOCK_STREAM, from, "127.0.0.1");
		ask_tcp(w, fds[i], 1);
	}
	ask_tcp(w, fds[0], 2);
	fds[IN_ALL] = client_from(w, SOCK_STREAM, "127.0.0.9", "127.0.0.1");
	ask_tcp(w, fds[IN_ALL], 3);
	assert_true(closed(w, fds[1]));
	ask_tcp(w, fds[0], 4);
	ask_tcp(w, fds[2], 5);
	for (int i = 0; i <= IN_ALL; i++)
		close(fds[i]);
	world_free(w);
}

/* ---- configuration ---- */

static void
refused_configuration(void **state)
{
	static const struct {
		const char *listener;
		const char *zone;
		enum err_kind kind;
	} bad[] = {
	    {"unix:/tmp/acmems-no-such", NULL, ERR_CONFIG},
	    {"127.0.0.1:1", "acme..example", ERR_CONFIG},
	    {"192.0.2.77:1353", NULL, ERR_INTERNAL},
	};
	struct err e;
	struct loop *loop = loop_new(&e);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *listeners[] = {(char *)bad[i].listener};
		struct responder_conf conf = {
		    .listeners = listeners, .listener_count = 1, .zone = bad[i].zone};

		assert_null(responder_new(loop, &conf, &e));
		assert_int_equal(e.kind, bad[i].kind);
	}
	loop_free(loop);
}

/* The port is free for TCP and taken for UDP. */
static void
udp_port_taken(void **state)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char listener[32], *listeners[] = {listener};
	struct responder_conf conf = {.listeners = listeners, .listener_count = 1};
	struct err e;
	struct loop *loop = loop_new(&e);

	do
		sin.sin_port = htons((uint16_t)free_port());
	while (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0);
	snprintf(listener, sizeof(listener), "127.0.0.1:%u", ntohs(sin.sin_port));
	assert_null(responder_new(loop, &conf, &e));
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, "UDP"));
	close(fd);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(udp),
	    cmocka_unit_test(udp_from_the_address_asked),
	    cmocka_unit_test(udp_ipv6),
	    cmocka_unit_test(udp_silence),
	    cmocka_unit_test(fetched_may_remove),
	    cmocka_unit_test(tcp),
	    cmocka_unit_test(tcp_byte_by_byte),
	    cmocka_unit_test(tcp_pipelined),
	    cmocka_unit_test(tcp_never_reads),
	    cmocka_unit_test(tcp_nonsense),
	    cmocka_unit_test(tcp_short_frames),
	    cmocka_unit_test(tcp_idle),
	    cmocka_unit_test(tcp_per_client),
	    cmocka_unit_test(tcp_in_all),
	    cmocka_unit_test(refused_configuration),
	    cmocka_unit_test(udp_port_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
