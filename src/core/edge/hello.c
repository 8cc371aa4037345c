/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which key does a supernode have, and which freshness does it take? */
#include "core/edge/hello.h"

#include <string.h>

#define FIRST_MS 400u
#define MAX_MS	 2000u

void hello_begin(struct hello *h)
{
	memset(h, 0, sizeof(*h));
}

void hello_settle(struct hello *h)
{
	h->heard = 0;
	h->n = h->next = 0;
	h->trying = false;
}

uint32_t hello_ask(struct hello *h, struct core *core, const struct way *to)
{
	uint32_t wait = FIRST_MS << (h->asked < 3 ? h->asked : 3);
	uint8_t body[ENVELOPE_BODY_MAX], out[ENVELOPE_MAX_LEN], key[KEY_LEN];
	size_t len, pad = random_below(&core->io.random, ENVELOPE_PAD_MAX + 1);

	len = msg_hello_encode(body, sizeof(body), &(struct msg_hello){0}, pad, &core->io.random);
	party_hello_key(key);
	envelope_seal(out, body, len, NULL, 0, key, &core->io.random);
	len += ENVELOPE_OVERHEAD;
	memcpy(h->tag[1], h->asked > 0 ? h->tag[0] : out + len - TAG_LEN, TAG_LEN);
	memcpy(h->tag[0], out + len - TAG_LEN, TAG_LEN);
	if (h->asked < UINT8_MAX)
		h->asked++;
	hello_settle(h);
	core->io.send(core->io.ctx, &(struct datagram){out, len, *to});
	return wait < MAX_MS ? wait : MAX_MS;
}

bool hello_is_answer(const struct hello *h, const uint8_t *data, size_t len, struct msg_hello *m)
{
	uint8_t body[ENVELOPE_BODY_MAX], key[KEY_LEN];

	if (h->asked == 0 || len < ENVELOPE_MIN_LEN || len > ENVELOPE_MAX_LEN)
		return false;
	party_hello_key(key);
	for (unsigned i = 0; i < 2; i++)
		if (envelope_open(body, data, len, h->tag[i], TAG_LEN, key) == 0)
			return msg_hello_decode(m, body, len - ENVELOPE_OVERHEAD) == 0;
	return false;
}

static bool is_known(const struct hello *h, const struct msg_hello *m)
{
	for (unsigned i = 0; i < h->n; i++)
		if (h->claim[i].freshness == m->freshness &&
			memcmp(h->claim[i].key, m->static_public, KEY_LEN) == 0)
			return true;
	return false;
}

void hello_claim(struct hello *h, const struct msg_hello *m, struct random *random)
{
	size_t at = h->n;

	if (is_known(h, m))
		return;
	if (h->heard < UINT32_MAX)
		h->heard++;
	if (h->n < HELLO_CLAIMS)
		h->n++;
	else
		at = random_below(random, h->heard);
	if (at < h->next || at >= HELLO_CLAIMS)
		return;
	memcpy(h->claim[at].key, m->static_public, KEY_LEN);
	h->claim[at].freshness = m->freshness;
}

const struct hello_claim *hello_next(struct hello *h)
{
	h->trying = h->next < h->n;
	return h->trying ? &h->claim[h->next++] : NULL;
}
