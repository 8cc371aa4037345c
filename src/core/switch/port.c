/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers of ports, and how they become free. */
#include "core/switch/port.h"

#include <assert.h>
#include <string.h>

#include "core/switch/fdb.h"

#define WORDS (PORTS_MAX / 64)

const struct port port_all = {.kind = PORT_ALL, .number = PORT_FLOOD};
const struct port port_nobody = {.kind = PORT_NOBODY, .number = PORT_FLOOD};
const struct port port_here = {.kind = PORT_INTERFACE, .number = PORT_HERE};

void port_numbers_init(struct port_numbers *n)
{
	memset(n, 0, sizeof(*n));
	port_set_add(&n->taken, PORT_FLOOD);
	port_set_add(&n->taken, PORT_HERE);
}

int port_take(struct port_numbers *n)
{
	/* Round and round: the longer a number rests, the clearer are captures and logs. */
	for (unsigned i = 1; i <= PORTS_MAX; i++) {
		uint16_t number = (n->last + i) % PORTS_MAX;

		if (port_set_has(&n->taken, number))
			continue;
		port_set_add(&n->taken, number);
		n->last = number;
		return number;
	}
	return N2N_ENOSPC;
}

void port_release(struct port_numbers *n, uint16_t number)
{
	assert(number != PORT_FLOOD && port_set_has(&n->taken, number));
	assert(!port_set_has(&n->released, number) && !port_set_has(&n->hidden, number));
	port_set_add(&n->released, number);
}

void port_hidden(struct port_numbers *n)
{
	assert(!n->grace);
	for (unsigned i = 0; i < WORDS; i++)
		n->grace |= n->released.word[i] != 0;
	n->hidden = n->released;
	memset(&n->released, 0, sizeof(n->released));
}

void port_reclaim(struct port_numbers *n, struct fdb *f)
{
	if (!n->grace)
		return;
	if (f != NULL)
		fdb_forget(f, &n->hidden);
	for (unsigned i = 0; i < WORDS; i++)
		n->taken.word[i] &= ~n->hidden.word[i];
	memset(&n->hidden, 0, sizeof(n->hidden));
	n->grace = false;
}
