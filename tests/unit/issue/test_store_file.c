/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "codec/csr.h"
#include "codec/json.h"
#include "ev/loop.h"
#include "ev/op.h"
#include "fake_cert.h"
#include "fake_clock.h"
#include "issue/store.h"
#include "issue/store_path.h"
#include "issue/store_sync.h"

enum { DAY = 86400, HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

static const char CA[] = "https://ca.example/directory";

struct fixture {
	struct loop *loop;
	struct store *store;
	char dir[64];
	int warnings;
	bool blocking; /* as store_file_conf */
};

/* Time that passes, and what the disk takes on top. Nothing but a sync under way makes the loop
 * watch a descriptor. */
static void
pass(struct fixture *f, int64_t ms)
{
	fake_clock_advance(f->loop, ms);
	while (event_base_get_num_events(loop_base(f->loop), EVENT_BASE_COUNT_ADDED) > 0) {
		loop_turn(f->loop, true);
		fake_clock_settle(f->loop);
	}
}

/* ---- a certificate to keep ---- */

struct cert {
	char key[SHA384_HEX];
	char *body;
	struct csr *csr;
	struct chain *chain;
};

static void
cert_make(struct cert *c, const char *names, int days)
{
	c->body = fake_csr(names, 0);
	c->csr = csr_parse(c->body, strlen(c->body), NULL);
	assert_non_null(c->csr);
	char *pem = fake_chain(c->csr->der, c->csr->der_len, days, 0);
	c->chain = chain_parse(pem, strlen(pem), NULL);
	assert_non_null(c->chain);
	free(pem);
	digest_sha384_hex(c->body, strlen(c->body), c->key);
}

static void
cert_done(struct cert *c)
{
	chain_free(c->chain);
	csr_free(c->csr);
	free(c->body);
}

/* ---- completions that are waited for ---- */

struct got {
	struct op *op;
	int calls;
	bool found;
	char key[SHA384_HEX];
	char *pem;
	bool has_meta;
	struct leaf_info leaf;
	char directory[128];
	char profile[32];
	char auth_block[32];
	char peer[32];
	size_t names;
	int64_t fetched;
	struct err error;
};

static void
copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text == NULL ? "" : text);
}

static void
got_entry(void *arg, const struct store_entry *entry, const struct err *e)
{
	struct got *g = arg;

	assert_null(g->op);
	g->calls++;
	if (e != NULL)
		g->error = *e;
	if (entry == NULL)
		return;
	g->found = true;
	copy(g->key, sizeof(g->key), entry->key);
	g->pem = strndup(entry->pem, entry->pem_len);
	g->has_meta = entry->has_meta;
	g->leaf = entry->meta.leaf;
	copy(g->directory, sizeof(g->directory), entry->meta.directory_url);
	copy(g->profile, sizeof(g->profile), entry->meta.profile);
	copy(g->auth_block, sizeof(g->auth_block), entry->meta.auth_block);
	copy(g->peer, sizeof(g->peer), entry->meta.peer);
	g->names = entry->meta.names == NULL ? 0 : entry->meta.names->count;
	g->fetched = entry->meta.fetched;
}

static void
put_done(void *arg, const struct err *e)
{
	struct got *g = arg;

	assert_null(g->op);
	g->calls++;
	if (e != NULL)
		g->error = *e;
}

static void
got_done(struct got *g)
{
	free(g->pem);
	memset(g, 0, sizeof(*g));
}

static void
get(struct fixture *f, const char *key, struct got *g)
{
	got_done(g);
	f->store->kind->get(f->store, key, got_entry, g, &g->op);
	assert_int_equal(g->calls, 0);
	pass(f, 0);
	assert_int_equal(g->calls, 1);
}

static bool
is_there(struct fixture *f, const char *key)
{
	struct got g = {0};

	get(f, key, &g);
	bool found = g.found;
	got_done(&g);
	return found;
}

static void
next(struct fixture *f, const char *cursor, struct got *g)
{
	got_done(g);
	f->store->kind->next(f->store, cursor, got_entry, g, &g->op);
	pass(f, 0);
	assert_int_equal(g->calls, 1);
}

static void
start_put(struct fixture *f, const struct cert *c, struct got *g)
{
	struct store_meta meta = {
	    .directory_url = CA,
	    .account_url = "https://ca.example/acct/1",
	    .auth_block = "web",
	    .verification = "http",
	    .certificate_url = "https://ca.example/cert/1",
	    .names = &c->csr->names,
	    .leaf = c->chain->leaf,
	    .issued = clock_wall(),
	};
	struct store_put put = {
	    .key = c->key,
	    .body = c->body,
	    .body_len = strlen(c->body),
	    .pem = c->chain->pem,
	    .pem_len = c->chain->pem_len,
	    .meta = &meta,
	};

	f->store->kind->put(f->store, &put, put_done, g, &g->op);
	assert_int_equal(g->calls, 0);
}

static void
put(struct fixture *f, const struct cert *c)
{
	struct got g = {0};

	start_put(f, c, &g);
	pass(f, 5);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.error.kind, ERR_NONE);
}

static const char *
part(const struct fixture *f, const char *key, enum store_part which)
{
	static struct store_path path;

	return store_path_part(&path, f->dir, key, which);
}

static void
write_file(const char *path, const char *text)
{
	assert_true(file_write_atomic(path, text, strlen(text), 0600, NULL));
}

/* As the original did it: no meta.json. */
static void
write_original(struct fixture *f, const struct cert *c)
{
	struct store_path path;

	assert_true(file_mkdirs(store_path_entry(&path, f->dir, c->key), 0755, NULL));
	write_file(part(f, c->key, STORE_CSR), c->body);
	write_file(part(f, c->key, STORE_CERT), c->chain->pem);
}

/* ---- what is parsed ---- */

static int parsed;

bool __real_chain_leaf_info(const char *pem, size_t len, struct leaf_info *ret, struct err *e);
bool __wrap_chain_leaf_info(const char *pem, size_t len, struct leaf_info *ret, struct err *e);
struct json *__real_json_parse(const char *text, size_t len, struct err *e);
struct json *__wrap_json_parse(const char *text, size_t len, struct err *e);

bool
__wrap_chain_leaf_info(const char *pem, size_t len, struct leaf_info *ret, struct err *e)
{
	parsed++;
	return __real_chain_leaf_info(pem, len, ret, e);
}

struct json *
__wrap_json_parse(const char *text, size_t len, struct err *e)
{
	parsed++;
	return __real_json_parse(text, len, e);
}

/* ---- a disk that takes its time ---- */

static int finishes;      /* waits for the disk */
static int64_t finish_ms; /* each takes that long */

static struct {
	int at; /* the sync with this number from now on is held; 0: none */
	bool is_held;
	struct store_sync *sync;
	struct store_sync_item *items;
	size_t count;
	store_sync_fn *done;
	void *arg;
	struct op **slot;
} hold;

void __real_store_sync_start(struct store_sync *s, struct store_sync_item *items, size_t count,
    store_sync_fn *done, void *arg, struct op **slot);
void __wrap_store_sync_start(struct store_sync *s, struct store_sync_item *items, size_t count,
    store_sync_fn *done, void *arg, struct op **slot);
void __real_store_sync_finish(struct store_sync *s);
void __wrap_store_sync_finish(struct store_sync *s);

void
__wrap_store_sync_start(struct store_sync *s, struct store_sync_item *items, size_t count,
    store_sync_fn *done, void *arg, struct op **slot)
{
	if (hold.at == 0 || --hold.at > 0) {
		__real_store_sync_start(s, items, count, done, arg, slot);
		return;
	}
	assert_false(hold.is_held);
	hold.is_held = true;
	hold.sync = s;
	hold.items = items;
	hold.count = count;
	hold.done = done;
	hold.arg = arg;
	hold.slot = slot;
}

static void
let_go(void)
{
	assert_true(hold.is_held);
	hold.is_held = false;
	__real_store_sync_start(hold.sync, hold.items, hold.count, hold.done, hold.arg, hold.slot);
}

void
__wrap_store_sync_finish(struct store_sync *s)
{
	finishes++;
	fake_clock_stall(finish_ms);
	if (hold.is_held)
		let_go();
	__real_store_sync_finish(s);
}

/* ---- set up ---- */

static void
warn(void *arg, const char *store, const char *text)
{
	((struct fixture *)arg)->warnings++;
}

static void
reopen(struct fixture *f, size_t index_max)
{
	struct store_file_conf conf = {
	    .directory = f->dir,
	    .keep = 30 * DAY,
	    .index_max = index_max,
	    .blocking = f->blocking,
	    .warn = warn,
	    .warn_arg = f,
	};
	struct err e;

	store_free(f->store);
	f->store = store_file_new(f->loop, "s", &conf, 14 * DAY, &e);
	assert_non_null(f->store);
}

static int
set_up(void **state, bool blocking)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->blocking = blocking;
	fake_clock_reset();
	umask(0);
	f->loop = loop_new(NULL);
	snprintf(f->dir, sizeof(f->dir), "/tmp/acmems-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	reopen(f, 100);
	*state = f;
	return 0;
}

static int
setup(void **state)
{
	return set_up(state, false);
}

static int
setup_blocking(void **state)
{
	return set_up(state, true);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char command[256];

	store_free(f->store);
	loop_free(f->loop);
	snprintf(command, sizeof(command), "chmod -R u+rwX %s && rm -r %s", f->dir, f->dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(fake_timers_alive(), 0);
	free(f);
	return 0;
}

/* ---- put and get ---- */

static void
test_put_and_get(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example,*.b.example,192.0.2.1", 90);
	assert_false(is_there(f, c.key));
	put(f, &c);
	/* From the index, and by a new process from the files. */
	for (int i = 0; i < 2; i++) {
		get(f, c.key, &g);
		assert_true(g.found);
		assert_string_equal(g.key, c.key);
		assert_string_equal(g.pem, c.chain->pem);
		assert_true(g.has_meta);
		assert_memory_equal(&g.leaf, &c.chain->leaf, sizeof(g.leaf));
		assert_string_equal(g.directory, CA);
		assert_string_equal(g.profile, "");
		reopen(f, 100);
	}
	assert_int_equal(f->warnings, 0);
	got_done(&g);
	cert_done(&c);
}

static void
test_hits_parse_nothing(void **state)
{
	struct fixture *f = *state;
	struct cert ours, original;

	cert_make(&ours, "a.example", 90);
	cert_make(&original, "b.example", 90);
	put(f, &ours);
	parsed = 0;
	assert_true(is_there(f, ours.key));
	assert_int_equal(parsed, 0);
	write_original(f, &original);
	assert_true(is_there(f, original.key));
	assert_int_equal(parsed, 1);
	assert_true(is_there(f, original.key));
	assert_int_equal(parsed, 1);
	/* Another file of the same name is another matter. */
	write_file(part(f, ours.key, STORE_CERT), ours.chain->pem);
	assert_true(is_there(f, ours.key));
	assert_int_equal(parsed, 3);
	cert_done(&ours);
	cert_done(&original);
}

static void
expect_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static size_t
files_in(const char *path)
{
	DIR *dir = opendir(path);
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n - 2;
}

static void
test_layout(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct store_path path;
	char expected[512];

	cert_make(&c, "a.example", 90);
	put(f, &c);
	snprintf(expected, sizeof(expected), "%s/%.2s/%s/cert.pem", f->dir, c.key, c.key + 2);
	assert_string_equal(part(f, c.key, STORE_CERT), expected);
	for (int i = 0; i < STORE_PARTS; i++)
		expect_mode(part(f, c.key, (enum store_part)i), 0600);
	expect_mode(store_path_entry(&path, f->dir, c.key), 0700);
	assert_int_equal(files_in(path.text), STORE_PARTS);
	expect_mode(store_path_prefix(&path, f->dir, c.key), 0700);

	struct buf body;
	buf_init(&body, 65536);
	assert_true(file_read(part(f, c.key, STORE_CSR), &body, NULL));
	assert_string_equal(body.data, c.body);
	buf_done(&body);
	cert_done(&c);
}

static void
test_replaced(void **state)
{
	struct fixture *f = *state;
	struct cert old;
	struct got g = {0};

	cert_make(&old, "a.example", 10);
	put(f, &old);
	struct cert new = old;
	char *pem = fake_chain(old.csr->der, old.csr->der_len, 90, 0);
	new.chain = chain_parse(pem, strlen(pem), NULL);
	put(f, &new);
	get(f, old.key, &g);
	assert_string_equal(g.pem, new.chain->pem);
	assert_string_equal(g.leaf.serial, new.chain->leaf.serial);
	got_done(&g);
	chain_free(new.chain);
	free(pem);
	cert_done(&old);
}

static void
test_entry_of_the_original(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example", 90);
	write_original(f, &c);
	for (int i = 0; i < 2; i++) {
		get(f, c.key, &g);
		assert_true(g.found);
		assert_false(g.has_meta);
		assert_string_equal(g.leaf.issuer, "Fake CA");
		assert_string_equal(g.pem, c.chain->pem);
	}
	/* There is no meta.json to note a fetch in, and none is made up. */
	f->store->kind->touch(f->store, c.key, clock_wall(), "192.0.2.1");
	f->store->kind->flush(f->store);
	assert_int_not_equal(access(part(f, c.key, STORE_META), F_OK), 0);
	assert_int_equal(f->warnings, 0);
	got_done(&g);
	cert_done(&c);
}

/* ---- changes behind our back ---- */

static void
test_removed_by_hand(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	char command[300];

	cert_make(&c, "a.example", 90);
	put(f, &c);
	assert_true(is_there(f, c.key));
	snprintf(command, sizeof(command), "rm -r %s/%.2s", f->dir, c.key);
	assert_int_equal(system(command), 0);
	assert_false(is_there(f, c.key));
	put(f, &c);
	assert_true(is_there(f, c.key));
	cert_done(&c);
}

static void
test_damaged(void **state)
{
	static const struct {
		enum store_part part;
		const char *text; /* NULL: the file is gone */
		int warnings;
	} rows[] = {
	    {STORE_CERT, NULL, 0},
	    {STORE_CERT, "", 1},
	    {STORE_CERT, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1},
	    {STORE_META, "{\"directory\": ", 1},
	    {STORE_META, "{}", 1},
	    {STORE_META, "", 1},
	    /* Put in place for a certificate that did not come any more. */
	    {STORE_META, "{\"directory\": \"https://ca.example/directory\", \"serial\": \"77\"}",
		1},
	    {STORE_CSR, NULL, 0},
	};
	struct fixture *f = *state;
	struct cert c;

	cert_make(&c, "a.example", 90);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *path = part(f, c.key, rows[i].part);

		put(f, &c);
		f->warnings = 0;
		if (rows[i].text == NULL)
			unlink(path);
		else
			write_file(path, rows[i].text);
		reopen(f, 100);
		if (is_there(f, c.key) || f->warnings != rows[i].warnings)
			fail_msg("row %zu: %d warnings", i, f->warnings);
	}
	cert_done(&c);
}

static void
test_meta_removed(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example", 90);
	put(f, &c);
	unlink(part(f, c.key, STORE_META));
	get(f, c.key, &g);
	assert_true(g.found);
	assert_false(g.has_meta);
	got_done(&g);
	cert_done(&c);
}

static void
test_unreadable(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example", 90);
	put(f, &c);
	/* Also for root. */
	unlink(part(f, c.key, STORE_CERT));
	assert_int_equal(symlink(part(f, c.key, STORE_CERT), part(f, c.key, STORE_CERT)), 0);
	get(f, c.key, &g);
	assert_false(g.found);
	assert_int_equal(g.error.kind, ERR_CONFIG);
	got_done(&g);
	cert_done(&c);
}

/* ---- writing ---- */

static void
test_groups(void **state)
{
	enum { PUTS = 40 };
	struct fixture *f = *state;
	struct cert certs[PUTS];
	struct got g[PUTS] = {0};

	for (int i = 0; i < PUTS; i++) {
		char name[32];
		snprintf(name, sizeof(name), "n%d.example", i);
		cert_make(&certs[i], name, 90);
		start_put(f, &certs[i], &g[i]);
	}
	/* One that nobody waits for is written all the same. */
	op_cancel(&g[3].op);
	pass(f, 10);
	for (int i = 0; i < PUTS; i++) {
		assert_int_equal(g[i].calls, i == 3 ? 0 : 1);
		assert_int_equal(g[i].error.kind, ERR_NONE);
		assert_true(is_there(f, certs[i].key));
		cert_done(&certs[i]);
	}
}

static void
test_same_key_twice(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g[2] = {0};

	cert_make(&c, "a.example", 90);
	start_put(f, &c, &g[0]);
	start_put(f, &c, &g[1]);
	pass(f, 10);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(g[i].calls, 1);
		assert_int_equal(g[i].error.kind, ERR_NONE);
	}
	assert_true(is_there(f, c.key));
	cert_done(&c);
}

static void
test_under_way(void **state)
{
	enum { NONE = 0, ONCE = 1 };
	struct fixture *f = *state;
	struct cert a, b;
	struct got first = {0}, second = {0}, other = {0}, left = {0};

	/* While the files of a group are synced there is nothing to be had; the loop goes on. */
	cert_make(&a, "a.example", 90);
	cert_make(&b, "b.example", 90);
	hold.at = 1;
	start_put(f, &a, &first);
	start_put(f, &b, &left);
	pass(f, 10);
	assert_true(hold.is_held);
	assert_false(is_there(f, a.key));
	/* The same key again, and one more: the next group. */
	start_put(f, &a, &second);
	start_put(f, &b, &other);
	op_cancel(&left.op);
	pass(f, 1000);
	assert_int_equal(first.calls + second.calls + other.calls, NONE);
	let_go();
	pass(f, 0);
	assert_int_equal(first.calls, ONCE);
	assert_int_equal(second.calls, ONCE);
	assert_int_equal(other.calls, ONCE);
	assert_int_equal(left.calls, NONE);
	assert_true(is_there(f, a.key));
	assert_true(is_there(f, b.key));

	/* On the way down the disk is waited for, and those who wait are told. */
	hold.at = 1;
	got_done(&first);
	start_put(f, &a, &first);
	pass(f, 10);
	start_put(f, &b, &left);
	assert_int_equal(first.calls, NONE);
	reopen(f, 100);
	assert_int_equal(first.calls, ONCE);
	assert_int_equal(left.calls, ONCE);
	assert_int_equal(first.error.kind, ERR_NONE);
	assert_true(is_there(f, a.key));
	cert_done(&a);
	cert_done(&b);
}

static void
test_read_under_way(void **state)
{
	struct fixture *f = *state;
	struct cert a, b;
	struct got put_a = {0}, put_b = {0}, read_a = {0}, left = {0};

	cert_make(&a, "a.example", 90);
	cert_make(&b, "b.example", 90);
	put(f, &b);
	/* In place, its directory not yet synced: it is read when it is durable. */
	hold.at = 2;
	start_put(f, &a, &put_a);
	pass(f, 10);
	assert_true(hold.is_held);
	assert_int_equal(access(part(f, a.key, STORE_CERT), F_OK), 0);
	f->store->kind->get(f->store, a.key, got_entry, &read_a, &read_a.op);
	f->store->kind->get(f->store, a.key, got_entry, &left, &left.op);
	assert_true(is_there(f, b.key));
	pass(f, 10);
	assert_int_equal(read_a.calls, 0);
	op_cancel(&left.op);
	start_put(f, &b, &put_b);
	let_go();
	pass(f, 0);
	assert_int_equal(put_a.calls, 1);
	assert_int_equal(put_b.calls, 1);
	assert_int_equal(read_a.calls, 1);
	assert_int_equal(left.calls, 0);
	assert_true(read_a.found);
	got_done(&read_a);
	cert_done(&a);
	cert_done(&b);
}

static void
test_written_on_the_way_down(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example", 90);
	start_put(f, &c, &g);
	op_cancel(&g.op);
	reopen(f, 100);
	assert_true(is_there(f, c.key));
	cert_done(&c);
}

static void
test_put_fails(void **state)
{
	struct fixture *f = *state;
	struct cert bad, good;
	struct got g[2] = {0};
	struct store_path path;

	cert_make(&bad, "a.example", 90);
	cert_make(&good, "b.example", 90);
	while (memcmp(good.key, bad.key, 2) == 0) {
		cert_done(&good);
		cert_make(&good, "b.example", 90);
	}
	/* A file where the directory should be: fails for root too. */
	write_file(store_path_prefix(&path, f->dir, bad.key), "x");
	start_put(f, &bad, &g[0]);
	start_put(f, &good, &g[1]);
	pass(f, 10);
	assert_int_equal(g[0].error.kind, ERR_CONFIG);
	assert_non_null(strstr(g[0].error.detail, f->dir));
	assert_int_equal(g[1].error.kind, ERR_NONE);
	assert_false(is_there(f, bad.key));
	assert_true(is_there(f, good.key));
	cert_done(&bad);
	cert_done(&good);
}

static void
test_remove(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};
	struct store_path path;

	cert_make(&c, "a.example", 90);
	put(f, &c);
	for (int i = 0; i < 2; i++) {
		got_done(&g);
		f->store->kind->remove(f->store, c.key, put_done, &g, &g.op);
		pass(f, 0);
		assert_int_equal(g.calls, 1);
		assert_int_equal(g.error.kind, ERR_NONE);
		assert_false(is_there(f, c.key));
	}
	assert_int_not_equal(access(store_path_prefix(&path, f->dir, c.key), F_OK), 0);
	cert_done(&c);
}

static void
test_cancelled(void **state)
{
	struct fixture *f = *state;
	struct got g = {0};
	char key[SHA384_HEX];

	digest_sha384_hex("x", 1, key);
	f->store->kind->get(f->store, key, got_entry, &g, &g.op);
	op_cancel(&g.op);
	pass(f, 0);
	assert_int_equal(g.calls, 0);
}

/* ---- walking ---- */

static void
test_next(void **state)
{
	enum { ENTRIES = 12 };
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};
	char cursor[SHA384_HEX] = "";
	int found = 0;

	next(f, "", &g);
	assert_false(g.found);
	for (int i = 0; i < ENTRIES; i++) {
		cert_make(&c, "a.example,192.0.2.1", 90);
		put(f, &c);
		if (i == 3)
			unlink(part(f, c.key, STORE_CERT)); /* passed over */
		cert_done(&c);
	}
	for (;;) {
		next(f, cursor, &g);
		if (!g.found)
			break;
		assert_true(strcmp(g.key, cursor) > 0);
		memcpy(cursor, g.key, sizeof(cursor));
		assert_int_equal(g.names, 2);
		assert_string_equal(g.auth_block, "web");
		assert_true(g.leaf.not_after > 0);
		found++;
	}
	assert_int_equal(found, ENTRIES - 1);
	got_done(&g);
}

static void
test_small_index(void **state)
{
	enum { ENTRIES = 4 };
	struct fixture *f = *state;
	struct cert c[ENTRIES];

	reopen(f, 1);
	for (int i = 0; i < ENTRIES; i++) {
		cert_make(&c[i], "a.example", 90);
		put(f, &c[i]);
	}
	for (int i = 0; i < 2 * ENTRIES; i++)
		assert_true(is_there(f, c[i % ENTRIES].key));
	for (int i = 0; i < ENTRIES; i++)
		cert_done(&c[i]);
}

/* What is in memory is given out as long as the file says it is the same. */
static void
test_chain_in_memory(void **state)
{
	struct fixture *f = *state;
	struct cert c, other;
	struct got g = {0};
	struct stat st;

	cert_make(&c, "a.example", 90);
	put(f, &c);
	get(f, c.key, &g);
	const char *path = part(f, c.key, STORE_CERT);
	int fd = open(path, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	const struct timespec same[2] = {st.st_atim, st.st_mtim};
	const struct timespec later[2] = {st.st_atim, {st.st_mtim.tv_sec + 1, 0}};
	assert_int_equal(pwrite(fd, "X", 1, 0), 1);
	assert_int_equal(futimens(fd, same), 0);
	get(f, c.key, &g);
	assert_true(g.found);
	assert_string_equal(g.pem, c.chain->pem);

	/* Now it is looked at, and found to be damaged; then replaced. */
	assert_int_equal(futimens(fd, later), 0);
	close(fd);
	get(f, c.key, &g);
	assert_false(g.found);
	cert_make(&other, "a.example", 60);
	unlink(part(f, c.key, STORE_META));
	write_file(part(f, c.key, STORE_CERT), other.chain->pem);
	for (int i = 0; i < 2; i++) {
		get(f, c.key, &g);
		assert_true(g.found);
		assert_string_equal(g.pem, other.chain->pem);
	}
	unlink(part(f, c.key, STORE_CERT));
	assert_false(is_there(f, c.key));
	got_done(&g);
	cert_done(&c);
	cert_done(&other);
}

/* ---- the note of the last fetch ---- */

static void
fetched(struct fixture *f, const char *key, struct got *g)
{
	next(f, "", g);
	assert_string_equal(g->key, key);
}

static void
test_touch(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example", 90);
	put(f, &c);
	int64_t first = clock_wall();
	f->store->kind->touch(f->store, c.key, first, "192.0.2.1");
	fetched(f, c.key, &g);
	assert_int_equal(g.fetched, 0); /* not on the way of an answer */
	pass(f, 2 * 60 * 1000);
	fetched(f, c.key, &g);
	assert_int_equal(g.fetched, first);
	assert_string_equal(g.peer, "192.0.2.1");
	assert_string_equal(g.auth_block, "web");

	/* At most once an hour. */
	is_there(f, c.key);
	f->store->kind->touch(f->store, c.key, clock_wall(), "192.0.2.2");
	pass(f, 50 * 60 * 1000);
	fetched(f, c.key, &g);
	assert_string_equal(g.peer, "192.0.2.1");
	pass(f, 20 * 60 * 1000);
	fetched(f, c.key, &g);
	assert_string_equal(g.peer, "192.0.2.2");

	/* And on the way down. */
	f->store->kind->touch(f->store, c.key, clock_wall(), "192.0.2.3");
	reopen(f, 100);
	fetched(f, c.key, &g);
	assert_string_equal(g.peer, "192.0.2.3");
	expect_mode(part(f, c.key, STORE_META), 0600);
	got_done(&g);
	assert_true(is_there(f, c.key));
	cert_done(&c);
}

static void
test_touch_under_way(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};
	struct got second = {0};

	/* A certificate that is put while the note about the former one is synced. */
	cert_make(&c, "a.example", 90);
	put(f, &c);
	f->store->kind->touch(f->store, c.key, clock_wall(), "192.0.2.1");
	hold.at = 1;
	pass(f, 2 * 60 * 1000);
	assert_true(hold.is_held);
	put(f, &c);
	let_go();
	pass(f, 0);
	fetched(f, c.key, &g);
	assert_int_equal(g.fetched, 0);
	assert_true(is_there(f, c.key));

	/* The other way round: it is noted when the put is done. */
	hold.at = 1;
	start_put(f, &c, &second);
	f->store->kind->touch(f->store, c.key, clock_wall(), "192.0.2.2");
	pass(f, 2 * 60 * 1000);
	assert_true(hold.is_held);
	let_go();
	pass(f, 0);
	pass(f, 2 * 60 * 1000);
	assert_int_equal(second.calls, 1);
	assert_int_equal(second.error.kind, ERR_NONE);
	fetched(f, c.key, &g);
	assert_string_equal(g.peer, "192.0.2.2");
	assert_true(is_there(f, c.key));

	/* And both at once, the note first to be done. */
	f->store->kind->touch(f->store, c.key, clock_wall(), "192.0.2.3");
	hold.at = 1;
	pass(f, 61 * 60 * 1000);
	assert_true(hold.is_held);
	got_done(&second);
	start_put(f, &c, &second);
	let_go();
	pass(f, 10);
	assert_int_equal(second.calls, 1);
	assert_int_equal(second.error.kind, ERR_NONE);
	assert_true(is_there(f, c.key));
	got_done(&g);
	cert_done(&c);
}

/* Many entries, each fetched once and not noted yet. */
static void
put_and_fetch(struct fixture *f, size_t count)
{
	struct got *done = calloc(count, sizeof(*done));
	char name[32];
	struct cert c;

	reopen(f, count);
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		cert_make(&c, name, 90);
		start_put(f, &c, &done[i]);
		cert_done(&c);
	}
	for (size_t i = 0; i < count; i++)
		while (done[i].calls == 0)
			pass(f, 5);
	free(done);
}

static size_t
noted(struct fixture *f, int64_t since, bool fetch)
{
	struct got g = {0};
	char cursor[SHA384_HEX] = "";
	size_t count = 0;

	for (;;) {
		next(f, cursor, &g);
		if (!g.found)
			break;
		memcpy(cursor, g.key, sizeof(cursor));
		count += g.fetched >= since;
		if (fetch) {
			assert_true(is_there(f, cursor));
			f->store->kind->touch(f->store, cursor, clock_wall(), "192.0.2.1");
		}
	}
	got_done(&g);
	return count;
}

/* At the end many are noted with one wait for the disk, and none that is too slow is waited for. */
static void
test_touched_at_the_end(void **state)
{
	enum { COUNT = 60 };
	struct fixture *f = *state;

	put_and_fetch(f, COUNT);
	assert_int_equal(noted(f, 1, true), 0);
	finishes = 0;
	f->store->kind->flush(f->store);
	assert_in_range(finishes, 1, 5);
	assert_int_equal(noted(f, 1, true), COUNT);

	int64_t before = clock_mono_ms();
	finish_ms = 3000;
	pass(f, 1000);
	int64_t again = clock_wall();
	noted(f, again, true);
	f->store->kind->flush(f->store);
	finish_ms = 0;
	assert_in_range(clock_mono_ms() - before, 6000, 8000);
	assert_int_equal(noted(f, again, false), 8 + 8);
	assert_int_equal(noted(f, 1, false), COUNT);
}

/* ---- keep ---- */

static void
test_keep(void **state)
{
	struct fixture *f = *state;
	struct cert soon, later, foreign;
	struct store_path path;

	cert_make(&soon, "a.example", 1);
	cert_make(&later, "b.example", 90);
	cert_make(&foreign, "c.example", 1);
	put(f, &soon);
	put(f, &later);
	write_original(f, &foreign);
	store_path_entry(&path, f->dir, foreign.key);
	strcat(path.text, "/note-of-the-operator");
	write_file(path.text, "mine");

	pass(f, (int64_t)30 * DAY_MS);
	assert_true(is_there(f, soon.key));
	pass(f, (int64_t)3 * DAY_MS);
	assert_false(is_there(f, soon.key));
	assert_false(is_there(f, foreign.key));
	assert_true(is_there(f, later.key));
	assert_int_equal(access(path.text, F_OK), 0);
	assert_int_not_equal(access(store_path_entry(&path, f->dir, soon.key), F_OK), 0);
	assert_int_equal(f->warnings, 0);
	cert_done(&soon);
	cert_done(&later);
	cert_done(&foreign);
}

static void
test_sweep_under_way(void **state)
{
	struct fixture *f = *state;
	struct cert c;
	struct got g = {0};

	/* Long expired, and about to be replaced. */
	cert_make(&c, "a.example", 1);
	put(f, &c);
	hold.at = 1;
	start_put(f, &c, &g);
	pass(f, (int64_t)40 * DAY_MS);
	assert_true(hold.is_held);
	let_go();
	pass(f, 0);
	assert_int_equal(g.calls, 1);
	assert_int_equal(g.error.kind, ERR_NONE);
	assert_true(is_there(f, c.key));
	cert_done(&c);
}

/* ---- barred keys ---- */

static void
bar(struct fixture *f, const uint8_t spki[32], struct got *g)
{
	got_done(g);
	store_bar_key(f->store, spki);
	f->store->kind->bar(f->store, spki, put_done, g, &g->op);
	assert_int_equal(g->calls, 0);
	pass(f, 0);
	assert_int_equal(g->calls, 1);
}

static void
test_barred(void **state)
{
	struct fixture *f = *state;
	uint8_t first[32] = {0xab, 0xcd}, second[32] = {1, 2, 3};
	char path[256];
	struct cert c;
	struct got g = {0};

	cert_make(&c, "a.example", 1);
	put(f, &c);
	assert_false(store_bars_key(f->store, first));
	bar(f, first, &g);
	bar(f, second, &g);
	bar(f, second, &g);
	assert_int_equal(g.error.kind, ERR_NONE);
	snprintf(path, sizeof(path), "%s/barred-keys", f->dir);
	expect_mode(path, 0700);
	snprintf(path, sizeof(path), "%s/barred-keys/abcd%060d", f->dir, 0);
	expect_mode(path, 0600);

	/* What has no such name is nobody's business. */
	snprintf(path, sizeof(path), "%s/barred-keys/README", f->dir);
	write_file(path, "mine");
	snprintf(path, sizeof(path), "%s/barred-keys/ABCD%060d", f->dir, 0);
	write_file(path, "");
	reopen(f, 100);
	assert_true(store_bars_key(f->store, first));
	assert_true(store_bars_key(f->store, second));
	assert_int_equal(map_count(f->store->barred), 2);

	/* They are no entries: not for a walk, and not for the sweep. */
	next(f, "", &g);
	assert_string_equal(g.key, c.key);
	next(f, c.key, &g);
	assert_false(g.found);
	pass(f, (int64_t)40 * DAY_MS);
	assert_false(is_there(f, c.key));
	reopen(f, 100);
	assert_true(store_bars_key(f->store, first));
	assert_int_equal(f->warnings, 0);

	/* Allowed again by hand. */
	snprintf(path, sizeof(path), "%s/barred-keys/abcd%060d", f->dir, 0);
	assert_int_equal(unlink(path), 0);
	reopen(f, 100);
	assert_false(store_bars_key(f->store, first));
	assert_true(store_bars_key(f->store, second));
	got_done(&g);
	cert_done(&c);
}

static void
test_bar_fails(void **state)
{
	struct fixture *f = *state;
	uint8_t spki[32] = {1};
	char path[128];
	struct got g = {0};
	struct store_file_conf conf = {.directory = f->dir};
	struct err e;

	snprintf(path, sizeof(path), "%s/barred-keys", f->dir);
	write_file(path, "in the way");
	bar(f, spki, &g);
	assert_int_equal(g.error.kind, ERR_CONFIG);
	assert_non_null(strstr(g.error.detail, path));
	/* Not to know them is no reason to go on without. */
	assert_null(store_file_new(f->loop, "again", &conf, 0, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	assert_non_null(strstr(e.detail, path));

	/* Cancelled while the disk works, and the desk gone with it. */
	unlink(path);
	got_done(&g);
	hold.at = 1;
	f->store->kind->bar(f->store, spki, put_done, &g, &g.op);
	assert_true(hold.is_held);
	let_go();
	op_cancel(&g.op);
	pass(f, 0);
	assert_int_equal(g.calls, 0);
	reopen(f, 100);
	assert_true(store_bars_key(f->store, spki));
}

/* ---- figures ---- */

static struct store_figures
figures(const struct fixture *f)
{
	struct store_figures ret;

	f->store->kind->figures(f->store, clock_wall(), &ret);
	return ret;
}

static void
test_figures(void **state)
{
	struct fixture *f = *state;
	struct store_path path;
	struct cert a, b, foreign;
	struct got g = {0};

	cert_make(&a, "a.example", 90);
	cert_make(&b, "b.example", 13);
	cert_make(&foreign, "c.example", 60);
	put(f, &a);
	put(f, &b);
	assert_int_equal(figures(f).held, 2);
	assert_int_equal(figures(f).due, 0);

	/* What was there before us is met by the walk, also what the original wrote. */
	write_original(f, &foreign);
	reopen(f, 100);
	assert_false(figures(f).known);
	pass(f, 5000);
	assert_true(figures(f).known);
	assert_int_equal(figures(f).held, 3);
	pass(f, (int64_t)10 * DAY_MS);
	assert_int_equal(figures(f).due, 1);

	/* Removed by us at once, by anybody at the next pass. */
	f->store->kind->remove(f->store, a.key, put_done, &g, &g.op);
	pass(f, 0);
	assert_int_equal(figures(f).held, 2);
	store_path_entry(&path, f->dir, b.key);
	assert_true(store_entry_remove(f->dir, b.key, NULL));
	pass(f, (int64_t)182 * 60 * 1000);
	assert_int_equal(figures(f).held, 1);
	assert_int_equal(figures(f).due, 0);
	cert_done(&a);
	cert_done(&b);
	cert_done(&foreign);
}

/* A look at it leaves no trace. */
static void
test_as_is(void **state)
{
	struct fixture *f = *state;
	struct store_file_conf conf = {.directory = f->dir, .blocking = true, .as_is = true};
	struct store_file_conf none = {.blocking = true, .as_is = true};
	char missing[80];
	struct cert c;
	struct got g = {0};
	struct err e;

	cert_make(&c, "a.example", 1);
	put(f, &c);
	store_free(f->store);
	f->store = store_file_new(f->loop, "s", &conf, 14 * DAY, &e);
	assert_non_null(f->store);
	pass(f, (int64_t)40 * DAY_MS);
	assert_true(is_there(f, c.key));

	snprintf(missing, sizeof(missing), "%s/no/such", f->dir);
	none.directory = missing;
	store_free(f->store);
	f->store = store_file_new(f->loop, "s", &none, 14 * DAY, &e);
	assert_non_null(f->store);
	next(f, "", &g);
	assert_int_equal(g.calls, 1);
	assert_false(g.found);
	assert_int_not_equal(access(missing, F_OK), 0);
	got_done(&g);
	cert_done(&c);
}

static void
test_umask(void **state)
{
	struct fixture *f = *state;
	struct store_path path;
	struct cert c;
	mode_t old = umask(0777);

	cert_make(&c, "a.example", 90);
	reopen(f, 100);
	put(f, &c);
	umask(old);
	expect_mode(store_path_prefix(&path, f->dir, c.key), 0700);
	expect_mode(store_path_entry(&path, f->dir, c.key), 0700);
	for (int i = 0; i < STORE_PARTS; i++)
		expect_mode(part(f, c.key, (enum store_part)i), 0600);
	cert_done(&c);
}

static void
test_directory_is_made(void **state)
{
	struct fixture *f = *state;
	char dir[128];
	struct store_file_conf conf = {.directory = dir};
	struct err e;

	snprintf(dir, sizeof(dir), "%s/deeper/still//", f->dir);
	struct store *s = store_file_new(f->loop, "deeper", &conf, 0, &e);
	assert_non_null(s);
	assert_int_equal(s->renew_within, 0);
	expect_mode(dir, 0700);
	store_free(s);

	snprintf(dir, sizeof(dir), "%s/file", f->dir);
	write_file(dir, "x");
	strcat(dir, "/below");
	assert_null(store_file_new(f->loop, "no", &conf, 0, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	dir[0] = '\0';
	assert_null(store_file_new(f->loop, "no", &conf, 0, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
}

#define TEST(name)                                                                                 \
	cmocka_unit_test_setup_teardown(name, setup, teardown),                                    \
	    cmocka_unit_test_setup_teardown(name, setup_blocking, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_put_and_get),
	    TEST(test_hits_parse_nothing),
	    TEST(test_layout),
	    TEST(test_replaced),
	    TEST(test_entry_of_the_original),
	    TEST(test_removed_by_hand),
	    TEST(test_damaged),
	    TEST(test_meta_removed),
	    TEST(test_unreadable),
	    TEST(test_groups),
	    TEST(test_same_key_twice),
	    TEST(test_under_way),
	    TEST(test_read_under_way),
	    TEST(test_touch_under_way),
	    TEST(test_sweep_under_way),
	    TEST(test_figures),
	    TEST(test_as_is),
	    TEST(test_written_on_the_way_down),
	    TEST(test_put_fails),
	    TEST(test_remove),
	    TEST(test_cancelled),
	    TEST(test_next),
	    TEST(test_small_index),
	    TEST(test_chain_in_memory),
	    TEST(test_touch),
	    TEST(test_touched_at_the_end),
	    TEST(test_keep),
	    TEST(test_directory_is_made),
	    TEST(test_umask),
	    TEST(test_barred),
	    TEST(test_bar_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
