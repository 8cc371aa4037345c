/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the way of the community's secret into the program. */
#include "edge/secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

#define WEAK_BITS 40

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* In tenths of a bit per character: people's letters come in words, other characters less so. */
#define LETTER_BITS 25
#define DIGIT_BITS  33
#define OTHER_BITS  50

unsigned secret_bits(const char *passphrase)
{
	unsigned tenths = 0;
	char last = 0;

	for (const char *p = passphrase; *p != 0; p++) {
		unsigned char c = (unsigned char)*p;

		if (*p == last)
			continue;
		last = *p;
		if (isalpha(c))
			tenths += LETTER_BITS;
		else
			tenths += isdigit(c) ? DIGIT_BITS : OTHER_BITS;
	}
	return tenths / 10;
}

/* The command line overrides the environment, so what differs from it came from there. */
static bool came_from_arguments(const struct community_conf *conf, const char *env)
{
	return conf->key[0] != 0 && (env == NULL || strcmp(env, conf->key) != 0);
}

void secret_forget(struct community_conf *conf)
{
	char *env = getenv("N2N_KEY");

	if (env != NULL)
		crypto_wipe(env, strlen(env));
	community_conf_wipe(conf);
}

static int read_text(
	struct secret *s, struct community_conf *conf, const struct log *log, struct os_error *err)
{
	size_t len;
	int rc = 0;

	if (came_from_arguments(conf, getenv("N2N_KEY")))
		log_warn(log, "-k shows the key to other users of this host until it is wiped; use "
			      "N2N_KEY, -K FILE or \"-K -\"");
	if (conf->key_file != NULL && file_is_open_to_others(conf->key_file))
		log_warn(log,
			"others can read or change the file \"%.120s\" with the key; chmod it to "
			"600",
			conf->key_file);
	if (conf->key_file != NULL)
		rc = file_read(conf->key_file, s->passphrase, sizeof(s->passphrase), &len, err);
	else
		memcpy(s->passphrase, conf->key, sizeof(s->passphrase));
	secret_forget(conf);
	return rc;
}

/* ---- what editors and copying do to it ---- */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/*
 * Takes away what nobody means: a byte order mark, blanks and line ends around the text. Returns
 * true when there were blanks among them.
 */
static bool trim(char *text)
{
	size_t begin = strncmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0, end = strlen(text);
	bool blanks = false;

	while (is_blank(text[begin]))
		begin++;
	while (end > begin && is_blank(text[end - 1])) {
		end--;
		blanks = blanks || (text[end] != '\r' && text[end] != '\n');
	}
	blanks = blanks || (begin > 0 && is_blank(text[begin - 1]));
	memmove(text, text + begin, end - begin);
	crypto_wipe(text + (end - begin), strlen(text + (end - begin)));
	return blanks;
}

/* A key stays one when a terminal or a mail has wrapped it. */
static void join(char joined[COMMUNITY_SECRET_MAX + 1], const char *text)
{
	size_t n = 0;

	for (; *text != 0; text++)
		if (!is_blank(*text))
			joined[n++] = *text;
	joined[n] = 0;
}

/* Leaves it in *s as it was meant; blanks: a passphrase had some around it. */
static int look_at(struct secret *s, bool *blanks, struct os_error *err)
{
	char joined[COMMUNITY_SECRET_MAX + 1];
	int rc = 0;

	*blanks = trim(s->passphrase);
	join(joined, s->passphrase);
	s->is_key = community_key_looks_like(joined);
	if (s->is_key)
		memcpy(s->passphrase, joined, sizeof(joined));
	else if (community_key_is_damaged(s->passphrase) || community_key_is_damaged(joined))
		rc = os_error_set(err, N2N_EAUTH,
			"this is no passphrase but a damaged community key: those start with "
			"\"%s\" and have %d characters; copy it again. If you made it up "
			"yourself, put a blank in it",
			COMMUNITY_KEY_PREFIX, (int)COMMUNITY_KEY_TEXT_LEN);
	else if (strpbrk(s->passphrase, "\r\n") != NULL)
		rc = os_error_set(
			err, N2N_EINVAL, "the passphrase has more than one line; write it on one");
	crypto_wipe(joined, sizeof(joined));
	return rc;
}

/* ---- what it is ---- */

static int parse_key(struct secret *s, struct os_error *err)
{
	int rc = community_key_parse(&s->key, s->passphrase);

	if (rc == N2N_EAUTH)
		return os_error_set(err, rc,
			"the community key has a typing error (its checksum is "
			"wrong); copy it again, all %d characters",
			(int)COMMUNITY_KEY_TEXT_LEN);
	if (rc == N2N_ENOSYS)
		return os_error_set(err, rc,
			"the community key is of a newer version than this "
			"program; update it");
	if (rc != 0)
		return os_error_set(err, rc,
			"the key starts with \"%s\" as a community key does, "
			"but is none; copy it again, all %d characters",
			COMMUNITY_KEY_PREFIX, (int)COMMUNITY_KEY_TEXT_LEN);
	crypto_wipe(s->passphrase, sizeof(s->passphrase));
	return 0;
}

int secret_read(
	struct secret *s, struct community_conf *conf, const struct log *log, struct os_error *err)
{
	int rc = read_text(s, conf, log, err);
	bool blanks = false;

	if (rc == 0)
		rc = look_at(s, &blanks, err);
	if (rc != 0)
		return rc;
	if (s->is_key)
		return parse_key(s, err);
	if (s->passphrase[0] == 0)
		return os_error_set(err, N2N_EINVAL,
			"the key is empty; give a passphrase, or a key made with \"n2n key new\"");
	if (conf->name == NULL)
		return os_error_set(err, N2N_EINVAL,
			"no community; name it with -c (only a key made with \"n2n key new\" can "
			"do "
			"without)");
	if (blanks)
		log_warn(log, "blanks around the passphrase are no part of it");
	if (secret_bits(s->passphrase) < WEAK_BITS)
		log_warn(log,
			"the passphrase is easy to guess; \"n2n key new %s\" makes a key that "
			"nobody can guess",
			conf->name);
	return 0;
}

void secret_wipe(struct secret *s)
{
	crypto_wipe(s, sizeof(*s));
}
