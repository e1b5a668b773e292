/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "app/register_say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "acme/ca.h"
#include "base/log_line.h"
#include "codec/json.h"

static bool begun; /* a line that wants its end */

static void
put(FILE *to, const char *fmt, va_list ap)
{
	struct log_line line;
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	log_line_plain(&line, NULL, text);
	fputs(line.text, to);
}

static void
end_line(const char *how)
{
	if (begun)
		puts(how);
	fflush(stdout);
	begun = false;
}

void
say_step(const char *fmt, ...)
{
	va_list ap;

	end_line("done");
	va_start(ap, fmt);
	put(stdout, fmt, ap);
	va_end(ap);
	fputs(" ... ", stdout);
	fflush(stdout);
	begun = true;
}

void
say_done(void)
{
	end_line("done");
}

void
say_failed(void)
{
	end_line("failed");
}

void
say_line(const char *fmt, ...)
{
	va_list ap;

	end_line("failed");
	va_start(ap, fmt);
	put(stdout, fmt, ap);
	va_end(ap);
	puts("");
	fflush(stdout);
}

void
say_error(const char *fmt, ...)
{
	va_list ap;

	/* On a terminal it is a line of its own. */
	if (begun && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO))
		puts("");
	fflush(stdout);
	fputs("acme-register: ", stderr);
	va_start(ap, fmt);
	put(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
}

/* ---- the account ---- */

static void
say_contacts(const struct json *list)
{
	size_t count = json_array_count(list);

	if (count == 0)
		say_line("Contacts: none that the CA tells");
	for (size_t i = 0; i < count; i++) {
		const char *contact = json_array_string(list, i);

		say_line("%s %s", i == 0 ? "Contacts:" : "         ",
		    contact != NULL ? contact : "(not understood)");
	}
}

static const char *
or_nothing(const char *text)
{
	return text != NULL ? text : "not told by the CA";
}

void
say_account(const struct ca *ca, const struct json *account)
{
	const char *terms = ca_terms_url(ca);

	say_line("Account:  %s", ca_account_url(ca));
	say_line("Status:   %s", or_nothing(json_string(account, "status")));
	say_contacts(json_member(account, "contact"));
	say_line("Orders:   %s", or_nothing(json_string(account, "orders")));
	say_line("Terms:    %s", terms != NULL ? terms : "none");
	say_line("Key:      thumbprint %s", key_thumbprint(ca_key(ca)));
}
