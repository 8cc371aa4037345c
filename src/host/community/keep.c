/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the files of the state directory: their names and forms. */
#include "host/community/keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"

#define SUPERNODES_FILE	   "supernodes"
#define SUPERNODES_MAX_LEN 16384
#define FRESHNESS_FILE	   "freshness"
#define MASK_LIFE_MS	   (24u * 3600 * 1000)
#define PEERS_VERSION	   2
#define PEERS_HEADER_LEN   (1 + COMMUNITY_TAG_LEN)
#define PEER_LEN	   (KEY_LEN + 8 + 18)

#define OWNERS_VERSION	  2
#define OWNERS_HEADER_LEN (1 + COMMUNITY_TAG_LEN + 2)
#define OWNER_LEN	  (6 + KEY_LEN + 1 + 8)
#define OWNERS_CAP	  (OWNERS_HEADER_LEN + MAC_OWNERS_MAX * OWNER_LEN)

#define TAG_SHOWN 8 /* bytes of the tag that are in a name */
#define NAME_CAP  (sizeof("owners-") + 2 * TAG_SHOWN)

/* The name of a file about one community. */
static const char *name_of(
	char name[NAME_CAP], const char *what, const uint8_t tag[COMMUNITY_TAG_LEN])
{
	int len = snprintf(name, NAME_CAP, "%s-", what);

	for (unsigned i = 0; i < TAG_SHOWN; i++)
		len += snprintf(name + len, NAME_CAP - (size_t)len, "%02x", tag[i]);
	return name;
}

/* Reads a file of exactly this length. */
static bool read_exactly(struct state *st, const char *name, void *buf, size_t len)
{
	struct os_error err;
	size_t got;

	return st != NULL && state_read(st, name, buf, len, &got, &err) == 0 && got == len;
}

static int write_file(
	struct state *st, const char *name, const void *data, size_t len, struct os_error *err)
{
	return st != NULL ? state_write(st, name, data, len, err) : 0;
}

int keep_secret(struct state *st, const char *name, uint8_t secret[KEY_LEN],
	const struct random *rnd, struct os_error *err)
{
	size_t len = 0;
	int rc = st != NULL ? state_read(st, name, secret, KEY_LEN, &len, err) : N2N_ENOENT;

	if (rc == 0 && len == KEY_LEN)
		return 0;
	if (rc == 0 || rc == N2N_ENOSPC)
		return os_error_set(err, N2N_EINVAL,
			"the file \"%s/%s\" is damaged: it should have %d bytes; restore it, or "
			"delete it for a new identity",
			state_dir(st), name, KEY_LEN);
	if (rc != N2N_ENOENT)
		return N2N_EINVAL;
	random_bytes(rnd, secret, KEY_LEN);
	return write_file(st, name, secret, KEY_LEN, err);
}

/* ---- keys of supernodes ---- */

/* The whole file; a missing one is an empty one, and so is any on failure. */
static int read_supernodes(struct state *st, char text[SUPERNODES_MAX_LEN], struct os_error *err)
{
	size_t len = 0;
	int rc = st != NULL
			 ? state_read(st, SUPERNODES_FILE, text, SUPERNODES_MAX_LEN - 1, &len, err)
			 : N2N_ENOENT;

	/* What is behind it would not be seen, and not be written again. */
	if (rc == 0 && memchr(text, 0, len) != NULL)
		rc = os_error_set(err, N2N_EINVAL,
			"the file \"%s/%s\" is damaged: it holds a zero byte; correct or delete it",
			state_dir(st), SUPERNODES_FILE);
	text[rc == 0 ? len : 0] = 0;
	return rc == N2N_ENOENT ? 0 : rc;
}

/* Reads the key in "HOST:PORT KEY"; false when there is none, or the line has another form. */
static bool parse_line(const char *line, uint8_t key[KEY_LEN])
{
	size_t name = strcspn(line, " \n");
	char word[PUBLIC_KEY_TEXT_LEN + 1];
	size_t len;

	if (name == 0 || line[name] != ' ')
		return false;
	line += name + 1;
	len = strcspn(line, "\n");
	if (len != PUBLIC_KEY_TEXT_LEN)
		return false;
	memcpy(word, line, len);
	word[len] = 0;
	return public_key_parse(key, word) == 0;
}

int keep_check_supernodes(struct state *st, struct os_error *err)
{
	char text[SUPERNODES_MAX_LEN];
	const char *line = text;
	uint8_t key[KEY_LEN];
	int rc = read_supernodes(st, text, err);

	for (unsigned number = 1; rc == 0 && *line != 0; number++) {
		if (!parse_line(line, key))
			rc = os_error_set(err, N2N_EINVAL,
				"line %u of the file \"%s/%s\" is damaged; correct or delete it",
				number, state_dir(st), SUPERNODES_FILE);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return rc;
}

/* The line that starts with name and a blank, or NULL. */
static const char *find_line(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (*text != 0) {
		const char *end = strchr(text, '\n');

		if (strncmp(text, name, len) == 0 && text[len] == ' ')
			return text;
		if (end == NULL)
			break;
		text = end + 1;
	}
	return NULL;
}

bool keep_find_supernode(struct state *st, const char *name, uint8_t key[KEY_LEN])
{
	char text[SUPERNODES_MAX_LEN];
	struct os_error err;
	const char *line;

	if (read_supernodes(st, text, &err) != 0)
		return false;
	line = find_line(text, name);
	return line != NULL && parse_line(line, key);
}

int keep_supernode(
	struct state *st, const char *name, const uint8_t key[KEY_LEN], struct os_error *err)
{
	char text[SUPERNODES_MAX_LEN], word[PUBLIC_KEY_TEXT_LEN + 1];
	char changed[SUPERNODES_MAX_LEN];
	const char *old, *rest = "";
	int len, rc = read_supernodes(st, text, err);

	if (rc != 0)
		return rc;
	old = find_line(text, name);
	public_key_format(key, word);
	if (old != NULL) {
		const char *end = strchr(old, '\n');

		rest = end != NULL ? end + 1 : "";
	}
	len = snprintf(changed, sizeof(changed), "%.*s%s %s\n%s",
		(int)(old != NULL ? (size_t)(old - text) : strlen(text)), text, name, word, rest);
	if (len < 0 || (size_t)len >= sizeof(changed))
		return os_error_set(err, N2N_ENOSPC,
			"the file \"%s/%s\" is full; delete what is not needed in it",
			st != NULL ? state_dir(st) : "", SUPERNODES_FILE);
	return write_file(st, SUPERNODES_FILE, changed, (size_t)len, err);
}

/* ---- freshness and mask ---- */

uint64_t keep_read_freshness(struct state *st)
{
	uint8_t buf[8];

	return read_exactly(st, FRESHNESS_FILE, buf, sizeof(buf)) ? load_be64(buf) : 0;
}

int keep_freshness(struct state *st, uint64_t freshness, struct os_error *err)
{
	uint8_t buf[8];

	store_be64(buf, freshness);
	return write_file(st, FRESHNESS_FILE, buf, sizeof(buf), err);
}

bool keep_read_mask(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], uint64_t wall_ms,
	uint8_t mask[MASK_LEN])
{
	uint8_t buf[8 + COMMUNITY_TAG_LEN + MASK_LEN];
	char name[NAME_CAP];
	uint64_t at;

	if (!read_exactly(st, name_of(name, "mask", tag), buf, sizeof(buf)) ||
		memcmp(buf + 8, tag, COMMUNITY_TAG_LEN) != 0)
		return false;
	at = load_be64(buf);
	memcpy(mask, buf + 8 + COMMUNITY_TAG_LEN, MASK_LEN);
	return at <= wall_ms && wall_ms - at <= MASK_LIFE_MS;
}

int keep_mask(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], uint64_t wall_ms,
	const uint8_t mask[MASK_LEN], struct os_error *err)
{
	uint8_t buf[8 + COMMUNITY_TAG_LEN + MASK_LEN];
	char name[NAME_CAP];

	store_be64(buf, wall_ms);
	memcpy(buf + 8, tag, COMMUNITY_TAG_LEN);
	memcpy(buf + 8 + COMMUNITY_TAG_LEN, mask, MASK_LEN);
	return write_file(st, name_of(name, "mask", tag), buf, sizeof(buf), err);
}

/* ---- peers ---- */

void keep_remember_peers(
	struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], struct edge *e, unsigned community)
{
	size_t cap = PEERS_HEADER_LEN + COMMUNITY_MEMBERS_MAX * PEER_LEN, len = 0;
	uint8_t *buf = malloc(cap), of[COMMUNITY_TAG_LEN];
	char name[NAME_CAP];
	struct os_error err;
	struct reader r;

	if (buf == NULL || st == NULL ||
		state_read(st, name_of(name, "peers", tag), buf, cap, &len, &err) != 0)
		len = 0;
	reader_init(&r, buf, len);
	if (reader_u8(&r) != PEERS_VERSION)
		goto out;
	reader_copy(&r, of, sizeof(of));
	if (memcmp(of, tag, sizeof(of)) != 0)
		goto out;
	while (reader_left(&r) >= PEER_LEN) {
		struct known_peer k;

		reader_copy(&r, k.remote, KEY_LEN);
		k.freshness = reader_u64(&r);
		reader_copy(&r, k.direct.ip, sizeof(k.direct.ip));
		k.direct.port = reader_u16(&r);
		edge_remember(e, community, &k);
	}
out:
	free(buf);
}

int keep_peers(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], const struct edge *e,
	unsigned community, struct os_error *err)
{
	size_t cap = PEERS_HEADER_LEN + COMMUNITY_MEMBERS_MAX * PEER_LEN;
	struct known_peer *known = calloc(COMMUNITY_MEMBERS_MAX, sizeof(*known));
	uint8_t *buf = malloc(cap);
	char name[NAME_CAP];
	struct writer w;
	int rc = N2N_ENOMEM;
	size_t n;

	if (known == NULL || buf == NULL) {
		os_error_set(err, rc, "no memory to save the peers; free some");
		goto out;
	}
	n = edge_known_peers(e, community, known, COMMUNITY_MEMBERS_MAX);
	writer_init(&w, buf, cap);
	writer_u8(&w, PEERS_VERSION);
	writer_copy(&w, tag, COMMUNITY_TAG_LEN);
	for (size_t i = 0; i < n; i++) {
		writer_copy(&w, known[i].remote, KEY_LEN);
		writer_u64(&w, known[i].freshness);
		writer_copy(&w, known[i].direct.ip, sizeof(known[i].direct.ip));
		writer_u16(&w, known[i].direct.port);
	}
	rc = write_file(st, name_of(name, "peers", tag), buf, writer_len(&w), err);
out:
	free(known);
	free(buf);
	return rc;
}

/* ---- owners of addresses ---- */

static void read_owner(struct reader *r, struct known_owner *k)
{
	reader_copy(r, k->mac.b, sizeof(k->mac.b));
	reader_copy(r, k->remote, KEY_LEN);
	k->trial = reader_u8(r) != 0;
	k->absent_ms = reader_u64(r);
}

/* The number of records, if the file is whole; else, or if it is another community's, -1. */
static int owners_header(struct reader *r, const uint8_t tag[COMMUNITY_TAG_LEN])
{
	uint8_t version = reader_u8(r), of[COMMUNITY_TAG_LEN];
	uint16_t count;

	reader_copy(r, of, sizeof(of));
	count = reader_u16(r);
	if (!reader_ok(r) || version != OWNERS_VERSION || memcmp(of, tag, sizeof(of)) != 0 ||
		reader_left(r) != (size_t)count * OWNER_LEN)
		return -1;
	return count;
}

int keep_remember_owners(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], struct edge *e,
	unsigned community, struct os_error *err)
{
	uint8_t *buf = st != NULL ? malloc(OWNERS_CAP) : NULL;
	char name[NAME_CAP];
	struct reader r;
	size_t len = 0;
	int rc, count;

	if (st == NULL)
		return 0;
	if (buf == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory to read whose addresses are whose");
	rc = state_read(st, name_of(name, "owners", tag), buf, OWNERS_CAP, &len, err);
	if (rc == 0) {
		reader_init(&r, buf, len);
		count = owners_header(&r, tag);
		for (int i = 0; i < count; i++) {
			struct known_owner k;

			read_owner(&r, &k);
			edge_remember_owner(e, community, &k);
		}
		if (count < 0)
			rc = os_error_set(err, N2N_EINVAL, "the file \"%s/%s\" is damaged",
				state_dir(st), name);
	}
	free(buf);
	return rc == N2N_ENOENT ? 0 : rc;
}

int keep_owners(struct state *st, const uint8_t tag[COMMUNITY_TAG_LEN], const struct edge *e,
	unsigned community, struct os_error *err)
{
	struct known_owner *known = calloc(MAC_OWNERS_MAX, sizeof(*known));
	uint8_t *buf = malloc(OWNERS_CAP);
	char name[NAME_CAP];
	struct writer w;
	int rc = N2N_ENOMEM;
	size_t n;

	if (known == NULL || buf == NULL) {
		os_error_set(err, rc, "no memory to save whose addresses are whose; free some");
		goto out;
	}
	n = edge_known_owners(e, community, known, MAC_OWNERS_MAX);
	writer_init(&w, buf, OWNERS_CAP);
	writer_u8(&w, OWNERS_VERSION);
	writer_copy(&w, tag, COMMUNITY_TAG_LEN);
	writer_u16(&w, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		writer_copy(&w, known[i].mac.b, sizeof(known[i].mac.b));
		writer_copy(&w, known[i].remote, KEY_LEN);
		writer_u8(&w, known[i].trial);
		writer_u64(&w, known[i].absent_ms);
	}
	rc = write_file(st, name_of(name, "owners", tag), buf, writer_len(&w), err);
out:
	free(known);
	free(buf);
	return rc;
}
