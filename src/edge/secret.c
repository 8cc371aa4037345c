/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the way of a community's secret into the program. */
#include "edge/secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf/secret_source.h"
#include "os/file.h"

#define WEAK_BITS 40
#define PATH_CAP  4096

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

/* ---- where it is ---- */

static void wipe_variable(const char *name)
{
	char *value = getenv(name);

	if (value != NULL)
		crypto_wipe(value, strlen(value));
}

/* The text that may name a place; an option of a file goes without a word before the path, too. */
static int find(struct secret_source *from, const struct community_conf *conf, struct os_error *err)
{
	const char *text = conf->key_file != NULL ? conf->key_file : conf->key;
	char why[128];

	if (secret_source_parse(from, text, why, sizeof(why)) != 0)
		return os_error_set(err, N2N_EINVAL, "the key %s", why);
	if (from->kind == SECRET_GIVEN && conf->key_file != NULL)
		*from = (struct secret_source){.kind = SECRET_FILE, .name = conf->key_file};
	return 0;
}

void secret_forget(struct community_conf *conf)
{
	struct secret_source from;
	struct os_error err;

	wipe_variable("N2N_KEY");
	if (find(&from, conf, &err) == 0 && from.kind == SECRET_ENV)
		wipe_variable(from.name);
	if (!secret_source_is(conf->key))
		community_conf_wipe(conf);
}

void secret_close(const struct community_conf *conf)
{
	struct secret_source from;
	struct os_error err;

	if (find(&from, conf, &err) == 0 && from.kind == SECRET_FD)
		file_close(from.fd);
}

static int credential_path(char path[PATH_CAP], const char *name, struct os_error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (dir == NULL || *dir == 0)
		return os_error_set(err, N2N_EINVAL,
			"there are no credentials, such as \"%.60s\" for the key; have systemd "
			"start "
			"the program, with LoadCredential=%.60s:PATH in the unit",
			name, name);
	if ((size_t)snprintf(path, PATH_CAP, "%s/%s", dir, name) >= PATH_CAP)
		return os_error_set(err, N2N_EINVAL, "the path of credentials is too long");
	return 0;
}

/* A pipe that is opened again waits for somebody who writes into it. */
static bool is_read_once(const struct secret_source *from)
{
	char path[PATH_CAP];
	struct os_error err;

	if (from->kind == SECRET_FILE)
		return strcmp(from->name, "-") == 0 || file_is_read_once(from->name);
	return from->kind == SECRET_CRED && credential_path(path, from->name, &err) == 0 &&
	       file_is_read_once(path);
}

bool secret_is_gone(const struct community_conf *conf)
{
	struct secret_source from;
	struct os_error err;
	const char *value;

	if (find(&from, conf, &err) != 0)
		return false;
	if (from.kind == SECRET_ENV) {
		value = getenv(from.name);
		return value == NULL || *value == 0;
	}
	return from.kind == SECRET_FD || (from.kind == SECRET_GIVEN && conf->key[0] == 0) ||
	       is_read_once(&from);
}

static int read_variable(struct secret *s, const char *name, struct os_error *err)
{
	const char *value = getenv(name);
	size_t len = value != NULL ? strlen(value) : 0;

	if (len == 0)
		return os_error_set(err, N2N_EINVAL,
			"the variable \"%.60s\", where the key should be, is not set or empty; "
			"export it to the program",
			name);
	if (len > COMMUNITY_SECRET_MAX)
		return os_error_set(err, N2N_EINVAL,
			"the key in the variable \"%.60s\" has %zu bytes; give at most %d", name,
			len, COMMUNITY_SECRET_MAX);
	memcpy(s->passphrase, value, len + 1);
	return 0;
}

static int read_file(
	struct secret *s, const char *path, const struct log *log, struct os_error *err)
{
	size_t len;

	if (file_is_open_to_others(path))
		log_warn(log,
			"others can read or change the file \"%.120s\" with the key; chmod it to "
			"600",
			path);
	return file_read(path, s->passphrase, sizeof(s->passphrase), &len, err);
}

static int read_text(struct secret *s, const struct community_conf *conf, const struct log *log,
	struct os_error *err)
{
	struct secret_source from;
	char path[PATH_CAP];
	size_t len;
	int rc = find(&from, conf, err);

	if (rc != 0)
		return rc;
	switch (from.kind) {
	case SECRET_GIVEN:
		if (conf->key_place == KEY_IN_ARGUMENTS)
			log_warn(log, "-k shows the key to other users of this host until it is "
				      "wiped; use N2N_KEY, -K FILE or \"-K -\"");
		memcpy(s->passphrase, conf->key, sizeof(s->passphrase));
		return 0;
	case SECRET_FILE:
		return read_file(s, from.name, log, err);
	case SECRET_ENV:
		return read_variable(s, from.name, err);
	case SECRET_FD:
		return file_read_open(from.fd, s->passphrase, sizeof(s->passphrase), &len, err);
	case SECRET_CRED:
		rc = credential_path(path, from.name, err);
		return rc == 0 ? read_file(s, path, log, err) : rc;
	}
	return N2N_EINVAL;
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

/* What was read as it was written. */
static int judge(struct secret *s, const struct community_conf *conf, const struct log *log,
	struct os_error *err)
{
	bool blanks = false;
	int rc = look_at(s, &blanks, err);

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

int secret_read(struct secret *s, const struct community_conf *conf, const struct log *log,
	struct os_error *err)
{
	int rc = read_text(s, conf, log, err);

	return rc == 0 ? judge(s, conf, log, err) : rc;
}

/* ---- looking only ---- */

/* A file that is not there, or no file, is wrong whoever looks. */
static int check_file(struct secret *s, const struct community_conf *conf, const char *path,
	const struct log *log, struct os_error *err)
{
	size_t len = 0;
	int rc = file_load(path, s->passphrase, sizeof(s->passphrase) - 1, &len, err);

	if (rc == N2N_EPERM) {
		log_info(log, "the key in \"%.120s\" was not looked at: this user may not read it",
			path);
		return 0;
	}
	if (rc != 0)
		return rc;
	if (memchr(s->passphrase, 0, len) != NULL)
		return os_error_set(err, N2N_EINVAL,
			"\"%.120s\" is not a text file; check that it is the right file", path);
	return judge(s, conf, log, err);
}

int secret_check(const struct community_conf *conf, const struct log *log, struct os_error *err)
{
	struct secret s = {.is_key = false};
	struct secret_source from;
	int rc = find(&from, conf, err);

	if (rc == 0 && from.kind == SECRET_GIVEN) {
		memcpy(s.passphrase, conf->key, sizeof(s.passphrase));
		rc = judge(&s, conf, log, err);
	} else if (rc == 0 && from.kind == SECRET_FILE && strcmp(from.name, "-") != 0) {
		rc = check_file(&s, conf, from.name, log, err);
	}
	secret_wipe(&s);
	return rc;
}

void secret_wipe(struct secret *s)
{
	crypto_wipe(s, sizeof(*s));
}
