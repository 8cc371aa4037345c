/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pool of embryos. */
#include "core/session/embryo.h"

#include <stdlib.h>
#include <string.h>

#include "base/resident.h"
#include "core/link/link.h"

/* A confirmation is sent 5 times within 3 s; what was on its way when its sender died comes at
 * once. */
#define MISFIT_PACKETS 3
#define MISFIT_MS      1000u
#define HONEST_MS      1000u /* who has not confirmed by then may lose its place */

int embryos_init(struct embryos *p, unsigned n, const struct random *rnd)
{
	p->n = n;
	p->at = resident_calloc(n, sizeof(*p->at));
	random_bytes(rnd, p->cookie_secret, sizeof(p->cookie_secret));
	return p->at != NULL ? 0 : N2N_ENOMEM;
}

void embryos_fini(struct embryos *p)
{
	if (p->at != NULL)
		crypto_wipe(p->at, p->n * sizeof(*p->at));
	free(p->at);
	crypto_wipe(p, sizeof(*p));
}

void embryos_expire_by(struct embryos *p, uint64_t at_ms)
{
	if (p->expire_ms == 0 || at_ms < p->expire_ms)
		p->expire_ms = at_ms;
}

struct embryo *embryo_find(
	const struct embryos *p, const struct party *self, const uint8_t remote[KEY_LEN])
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->at[i].party == self && memcmp(p->at[i].remote, remote, KEY_LEN) == 0)
			return &p->at[i];
	return NULL;
}

struct embryo *embryo_by_index(const struct embryos *p, uint32_t index)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->at[i].party != NULL && p->at[i].result.rx_index == index)
			return &p->at[i];
	return NULL;
}

struct embryo *embryo_by_id(const struct embryos *p, uint32_t id)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->at[i].party != NULL && INDEX_ID(p->at[i].result.rx_index) == id)
			return &p->at[i];
	return NULL;
}

bool embryo_strange(struct embryo *e, uint64_t now_ms)
{
	if (e->strange == 0)
		e->strange_ms = now_ms;
	if (e->strange < UINT8_MAX)
		e->strange++;
	if (e->misfit || e->strange < MISFIT_PACKETS || now_ms < e->strange_ms + MISFIT_MS)
		return false;
	e->misfit = true;
	return true;
}

struct embryo *embryo_place(const struct embryos *p, bool known, uint64_t now_ms)
{
	unsigned places = known ? p->n : p->n - p->n / 4;
	struct embryo *oldest = NULL;

	for (unsigned i = 0; i < places; i++) {
		struct embryo *e = &p->at[i];

		if (e->party == NULL)
			return e;
		if (oldest == NULL || e->born_ms < oldest->born_ms)
			oldest = e;
	}
	return oldest != NULL && now_ms >= oldest->born_ms + HONEST_MS ? oldest : NULL;
}
