/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys and ids as text. */
#include "crypto/keystring.h"

#include <ctype.h>
#include <string.h>

#include "base/bytes.h"

#define CHECK_LEN	  2
#define COMMUNITY_VERSION 1
#define COMMUNITY_RAW_LEN (1 + COMMUNITY_ID_LEN + KEY_LEN + CHECK_LEN)
#define PUBLIC_RAW_LEN	  (KEY_LEN + CHECK_LEN)

/* What passes for a damaged key. */
#define MEANT_MIN  40 /* characters behind the prefix: nobody begins a sentence so */
#define LENGTH_OFF 8
#define OTHERS_MAX 5 /* its own hyphen included */
#define DIGITS_MIN 4 /* of 82 random characters 15 are digits; two in 100,000 have fewer than 4 */

static const char community_label[] = "n2n4 community key check";
static const char public_label[] = "n2n4 public key check";

static void checksum(uint8_t check[CHECK_LEN], const char *label, const uint8_t *data, size_t len)
{
	const struct slice in[] = {{label, strlen(label)}, {data, len}};
	uint8_t hash[32];

	crypto_blake2b(hash, sizeof(hash), NULL, 0, in, 2);
	memcpy(check, hash, CHECK_LEN);
	crypto_wipe(hash, sizeof(hash));
}

/* Decodes raw_len bytes and tests the checksum, which are their last two. */
static int decode(uint8_t *raw, size_t raw_len, const char *text, const char *label)
{
	const size_t len = raw_len - CHECK_LEN;
	uint8_t check[CHECK_LEN];
	int rc = base32_decode(raw, raw_len, text, strlen(text));

	if (rc < 0) {
		return rc;
	}
	checksum(check, label, raw, len);
	return memcmp(check, raw + len, CHECK_LEN) == 0 ? N2N_OK : N2N_EAUTH;
}

bool community_key_looks_like(const char *text)
{
	for (const char *p = COMMUNITY_KEY_PREFIX; *p; p++, text++) {
		if (tolower((unsigned char)*text) != *p) {
			return false;
		}
	}
	return true;
}

static bool is_base32(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

static bool holds_key(const char *text)
{
	for (; *text != 0; text++) {
		const char *p = text + strlen(COMMUNITY_KEY_PREFIX);
		size_t n = 0;

		if (!community_key_looks_like(text)) {
			continue;
		}
		while (is_base32(p[n])) {
			n++;
		}
		if (n >= MEANT_MIN) {
			return true;
		}
	}
	return false;
}

static bool has_shape_of_key(const char *text)
{
	size_t lower = 0, upper = 0, digits = 0, others = 0, n;

	for (const char *p = text; *p != 0; p++) {
		if (*p >= 'a' && *p <= 'z') {
			lower++;
		} else if (*p >= 'A' && *p <= 'Z') {
			upper++;
		} else if (is_base32(*p)) {
			digits++;
		} else {
			others++;
		}
	}
	n = lower + upper + digits + others;
	others += lower < upper ? lower : upper;
	return n + LENGTH_OFF >= COMMUNITY_KEY_TEXT_LEN &&
	       n <= COMMUNITY_KEY_TEXT_LEN + LENGTH_OFF && others <= OTHERS_MAX &&
	       digits >= DIGITS_MIN;
}

bool community_key_is_damaged(const char *text)
{
	return holds_key(text) || has_shape_of_key(text);
}

int community_key_parse(struct community_key *k, const char *text)
{
	uint8_t raw[COMMUNITY_RAW_LEN];
	struct reader r;
	int rc = N2N_EINVAL;

	if (!community_key_looks_like(text)) {
		return rc;
	}
	rc = decode(raw, sizeof(raw), text + strlen(COMMUNITY_KEY_PREFIX), community_label);
	if (rc < 0) {
		goto out;
	}
	reader_init(&r, raw, sizeof(raw));
	if (reader_u8(&r) != COMMUNITY_VERSION) {
		rc = N2N_ENOSYS;
		goto out;
	}
	reader_copy(&r, k->id, sizeof(k->id));
	reader_copy(&r, k->key, sizeof(k->key));
out:
	crypto_wipe(raw, sizeof(raw));
	return rc;
}

void community_key_format(const struct community_key *k, char text[COMMUNITY_KEY_TEXT_LEN + 1])
{
	const size_t prefix_len = strlen(COMMUNITY_KEY_PREFIX);
	uint8_t raw[COMMUNITY_RAW_LEN];
	struct writer w;

	writer_init(&w, raw, sizeof(raw));
	writer_u8(&w, COMMUNITY_VERSION);
	writer_copy(&w, k->id, sizeof(k->id));
	writer_copy(&w, k->key, sizeof(k->key));
	checksum(w.p, community_label, raw, writer_len(&w));
	memcpy(text, COMMUNITY_KEY_PREFIX, prefix_len);
	base32_encode(text + prefix_len, raw, sizeof(raw));
	crypto_wipe(raw, sizeof(raw));
}

int public_key_parse(uint8_t key[KEY_LEN], const char *text)
{
	uint8_t raw[PUBLIC_RAW_LEN];
	int rc = decode(raw, sizeof(raw), text, public_label);

	if (rc == N2N_OK) {
		memcpy(key, raw, KEY_LEN);
	}
	return rc;
}

void public_key_format(const uint8_t key[KEY_LEN], char text[PUBLIC_KEY_TEXT_LEN + 1])
{
	uint8_t raw[PUBLIC_RAW_LEN];

	memcpy(raw, key, KEY_LEN);
	checksum(raw + KEY_LEN, public_label, raw, KEY_LEN);
	base32_encode(text, raw, sizeof(raw));
}

void edge_id(uint8_t id[EDGE_ID_LEN], const uint8_t static_public[KEY_LEN])
{
	uint8_t hash[32];

	crypto_blake2b(hash, sizeof(hash), NULL, 0, &(struct slice){static_public, KEY_LEN}, 1);
	memcpy(id, hash, EDGE_ID_LEN);
}

void edge_id_format(const uint8_t id[EDGE_ID_LEN], char text[EDGE_ID_TEXT_LEN + 1])
{
	base32_encode(text, id, EDGE_ID_LEN);
}
