/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/get_page.h"
#include "codec/chain.h"

static size_t
count(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text += strlen(what);
	}
	return n;
}

/* As a CA might put it that means harm. */
static void
test_escaped(void **state)
{
	struct identifier names[] = {{.value = "www.example.org"}, {.value = "<i>\"&'"}};
	struct chain chain = {
	    .pem = (char *)"-----BEGIN <script>\n",
	    .pem_len = 20,
	    .leaf = {.not_before = 0,
		.not_after = 86400,
		.serial = "0A1B",
		.issuer = "</td><script>alert(1)</script>\x1b[2J\xff"},
	    .names = {names, 2},
	};
	size_t len;
	char *page = get_page(&chain, false, &len);

	assert_int_equal(strlen(page), len);
	assert_int_equal(count(page, "<script"), 0);
	assert_int_equal(count(page, "<i>"), 0);
	assert_null(strchr(page, 0x1b));
	assert_null(strchr(page, 0xff));
	assert_non_null(strstr(page, "<td>&lt;i&gt;&quot;&amp;&#39;</td>"));
	assert_non_null(strstr(page, "&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;?[2J?"));
	assert_non_null(strstr(page, "<pre>-----BEGIN &lt;script&gt;\n</pre>"));
	assert_non_null(strstr(page, "<td>www.example.org</td>"));
	assert_non_null(strstr(page, "<td>0A1B</td>"));
	assert_non_null(strstr(page, "<td>1970-01-01T00:00:00Z</td>"));
	assert_non_null(strstr(page, "<td>1970-01-02T00:00:00Z</td>"));
	assert_non_null(strstr(page, "<th>Revoked</th><td>no</td>"));
	free(page);
	page = get_page(&chain, true, &len);
	assert_non_null(strstr(page, "<th>Revoked</th><td>yes</td>"));
	free(page);
}

/* What a chain may hold at most has room, were every byte of it to be escaped. */
static void
test_largest(void **state)
{
	static struct identifier names[IDENTIFIERS_MAX];
	struct chain chain = {
	    .pem = malloc(CHAIN_MAX_BYTES + 1), .names = {names, IDENTIFIERS_MAX}};
	size_t len;
	char *page;

	for (size_t i = 0; i < IDENTIFIERS_MAX; i++)
		memset(names[i].value, '"', IDENTIFIER_MAX);
	memset(chain.pem, '"', CHAIN_MAX_BYTES);
	chain.pem[CHAIN_MAX_BYTES] = '\0';
	page = get_page(&chain, false, &len);
	assert_int_equal(count(page, "&quot;"),
	    (size_t)CHAIN_MAX_BYTES + (size_t)IDENTIFIERS_MAX * IDENTIFIER_MAX);
	assert_string_equal(page + len - 8, "</html>\n");
	free(page);
	free(chain.pem);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_escaped),
	    cmocka_unit_test(test_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
