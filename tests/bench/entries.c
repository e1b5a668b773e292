/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * entries --csrs FILE --model FOLDER --out FOLDER
 *
 * Fills a file store: an entry for each request of the file, with the certificate and the
 * description of the model, which is one entry a daemon wrote.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "kit.h"

struct model {
	const char *out;
	char *cert, *meta;
};

static void
write_file(const char *folder, const char *name, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		kit_die("%s: %s", path, strerror(errno));
}

static void
make_folder(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		kit_die("%s: %s", path, strerror(errno));
}

static void
write_entry(const struct model *m, const char *csr)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char key[2 * EVP_MAX_MD_SIZE + 1], path[PATH_MAX];
	unsigned int len = 0;

	EVP_Digest(csr, strlen(csr), digest, &len, EVP_sha384(), NULL);
	kit_hex(digest, len, key);
	snprintf(path, sizeof(path), "%s/%.2s", m->out, key);
	make_folder(path);
	snprintf(path, sizeof(path), "%s/%.2s/%s", m->out, key, key + 2);
	make_folder(path);
	write_file(path, "csr.pem", csr);
	write_file(path, "meta.json", m->meta);
	write_file(path, "cert.pem", m->cert);
}

static char *
part(const char *folder, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return kit_read(path);
}

int
main(int argc, char **argv)
{
	const char *csrs = kit_text(argv, "csrs", NULL), *folder = kit_text(argv, "model", NULL);
	struct model m = {.out = kit_text(argv, "out", NULL)};

	(void)argc;
	if (csrs == NULL || folder == NULL || m.out == NULL)
		kit_die("usage: entries --csrs FILE --model FOLDER --out FOLDER");
	m.cert = part(folder, "cert.pem");
	m.meta = part(folder, "meta.json");
	make_folder(m.out);
	struct kit_texts texts = kit_read_pems(csrs);
	for (size_t i = 0; i < texts.count; i++)
		write_entry(&m, texts.items[i]);
	return 0;
}
