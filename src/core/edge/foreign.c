/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of other hosts that our interface brings, though we are no bridge: told while they come.
 */
#include "core/edge/edge_state.h"

/* What an interface says before it has its address, or between two, is over by then. */
#define LASTS_MS 3000u
/* Word of them comes once a second at most, and hosts that have little to say say that by then. */
#define GAP_MS	60000u
#define OVER_MS 300000u

static void tell(const struct community *c, bool holds)
{
	core_event(core_of(c), &(struct event){
				       .kind = EVENT_FOREIGN_SOURCE,
				       .community = c->index,
				       .value = holds,
				       .mac = c->foreign.source,
			       });
}

void foreign_came(struct community *c, const struct mac *source)
{
	uint64_t now_ms = core_of(c)->now_ms;

	/* Its interface has this address by now. */
	if (mac_equal(source, &c->mac))
		return;
	if (!c->foreign.told && now_ms >= c->foreign.last_ms + GAP_MS)
		c->foreign.first_ms = now_ms;
	c->foreign.last_ms = now_ms;
	c->foreign.source = *source;
	if (c->foreign.told || now_ms < c->foreign.first_ms + LASTS_MS)
		return;
	c->foreign.told = true;
	tell(c, true);
}

void foreign_end(struct community *c)
{
	if (c->foreign.told)
		tell(c, false);
	c->foreign = (struct foreign){.told = false};
}

void foreign_tick(struct community *c)
{
	if (c->foreign.told && core_of(c)->now_ms >= c->foreign.last_ms + OVER_MS)
		foreign_end(c);
}
