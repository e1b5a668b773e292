/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "codec/html.h"

static void
test_escape(void **state)
{
	static const struct {
		const char *text, *html;
	} cases[] = {
	    {"", ""},
	    {"www.example.org", "www.example.org"},
	    {"<script>alert(\"x\" + 'y') && 1</script>",
		"&lt;script&gt;alert(&quot;x&quot; + &#39;y&#39;) &amp;&amp; 1&lt;/script&gt;"},
	    {"a\nb\tc\rd\x1b[2J\x7f", "a\nb?c?d?[2J?"},
	    {"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\x92",
		"K\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x94\x92"},
	    /* Not UTF-8: a stray byte, an overlong "<", a C1 control, one that is cut off. */
	    {"\xff<", "?&lt;"},
	    {"\xc0\xbc", "??"},
	    {"\xc2\x9b", "??"},
	    {"\xe2\x82", "??"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b;

		buf_init(&b, 1000);
		buf_adds(&b, "");
		assert_true(html_escape(&b, cases[i].text));
		assert_string_equal(b.data, cases[i].html);
		buf_done(&b);
	}
}

static void
test_bounded(void **state)
{
	struct buf b;

	buf_init(&b, 8);
	assert_true(html_escape(&b, "<<"));
	assert_false(html_escape(&b, "<"));
	assert_true(buf_failed(&b));
	buf_done(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_escape),
	    cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
