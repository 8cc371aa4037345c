/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is signed of a group packet: one string of bytes, put together here. */
#include "core/keys/signing.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"

#define LABEL	  "n2n4 group"
#define LABEL_LEN (sizeof(LABEL) - 1)
#define TEXT_MAX  2048

struct signed_bytes {
	uint8_t at[LABEL_LEN + COMMUNITY_TAG_LEN + DATA_HEADER_LEN + TEXT_MAX];
	size_t len;
};

static void put_together(struct signed_bytes *b, const struct signing *s,
	const uint8_t header[DATA_HEADER_LEN], const uint8_t *text, size_t len)
{
	uint8_t *p = b->at;

	assert(len <= TEXT_MAX);
	memcpy(p, LABEL, LABEL_LEN);
	p += LABEL_LEN;
	memcpy(p, s->tag, COMMUNITY_TAG_LEN);
	p += COMMUNITY_TAG_LEN;
	memcpy(p, header, DATA_HEADER_LEN);
	p += DATA_HEADER_LEN;
	if (len > 0)
		memcpy(p, text, len);
	b->len = (size_t)(p - b->at) + len;
}

void signing_append(
	const struct signing *s, const uint8_t header[DATA_HEADER_LEN], uint8_t *text, size_t len)
{
	struct signed_bytes b;

	put_together(&b, s, header, text, len);
	crypto_ed25519_sign(text + len, b.at, b.len, s->secret);
}

bool signing_check(const struct signing *s, const uint8_t header[DATA_HEADER_LEN],
	const uint8_t *text, size_t len)
{
	struct signed_bytes b;

	if (len < SIGNATURE_LEN || len - SIGNATURE_LEN > TEXT_MAX)
		return false;
	put_together(&b, s, header, text, len - SIGNATURE_LEN);
	return crypto_ed25519_verify(text + len - SIGNATURE_LEN, b.at, b.len, s->public);
}
