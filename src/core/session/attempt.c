/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Our own handshakes: begun when wanted, sent until answered, kept up until confirmed. */
#include "core/session/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "core/session/send.h"

#define FIRST_MS	  400u
#define MAX_MS		  5000u
#define HOP_MAX_MS	  2000u /* a supernode that comes back is wanted at once */
#define WAITED_FOR_MAX_MS 1000u /* frames wait for it */
#define ALSO_DIRECTLY	  4u	/* messages that go where the peer was last heard directly, too */
#define CONFIRM_FIRST_MS  200u
#define CONFIRM_TRIES	  5
#define START_GAP_MS	  1000u /* between own starts to one peer */
#define FAILURE_FIRST_MS  UINT64_C(10000)
#define FAILURE_MAX_MS	  UINT64_C(300000)

static void start(struct core *core, struct session *s)
{
	struct attempt *a = malloc(sizeof(*a));
	const struct attempt_params params = {
		.remote = s->remote,
		.index = (s->link.id << 2) | session_free_position(core, s),
		.generation = session_generation(s) + 1,
		.freshness = s->told_freshness != 0 ? s->told_freshness++ : core_freshness(core),
		.result = s->result,
	};

	s->wanted = false;
	s->not_before_ms = core->now_ms + START_GAP_MS;
	if (a == NULL || attempt_start(a, s->party, &params, &core->io.random) != 0) {
		free(a);
		return;
	}
	s->attempt = a;
	s->attempt_ms = core->now_ms;
	s->attempt_next_ms = core->now_ms;
	s->attempt_tries = 0;
	s->attempt_quiet = false;
	s->attempt_also = (struct way){.remote = {.port = 0}};
}

bool attempt_is_due(const struct core *core, const struct session *s)
{
	struct origin to;

	return s->link.kind != LINK_MEMBER && s->attempt == NULL && s->wanted &&
	       core->now_ms >= s->not_before_ms && session_way(s, &to) &&
	       (s->embryo == NULL || s->embryo->stale ||
		       core->now_ms >= s->embryo->born_ms + EMBRYO_HOLD_MS);
}

static uint32_t longest_pause(const struct session *s)
{
	if (s->waiting.n > 0)
		return WAITED_FOR_MAX_MS;
	return s->link.kind == LINK_HOP ? HOP_MAX_MS : MAX_MS;
}

static void send_message1(struct core *core, struct session *s, const struct origin *to)
{
	uint8_t buf[RELAY_HEADER_LEN + ENVELOPE_MAX_LEN];
	size_t len =
		attempt_datagram(s->attempt, s->party, buf + RELAY_HEADER_LEN, &core->io.random);

	send_envelope(core, to, buf + RELAY_HEADER_LEN, len);
}

/*
 * The relay may be dead, and the address old: the first that leads to an answer wins. Not for long,
 * as what was heard from there need not have been sent from there.
 */
static bool goes_directly_too(
	const struct core *core, const struct session *s, const struct origin *to)
{
	return s->link.kind == LINK_PEER && to->hop_id != 0 && !way_is_none(&s->route.direct) &&
	       s->attempt_tries <= ALSO_DIRECTLY && core_is_underlay(core, &s->route.direct);
}

static void send_attempt(struct core *core, struct session *s)
{
	uint32_t cap = longest_pause(s);
	uint32_t wait = FIRST_MS << (s->attempt_tries < 5 ? s->attempt_tries : 5);
	struct origin to;

	s->attempt_next_ms =
		core->now_ms + random_jitter(&core->io.random, wait < cap ? wait : cap, 20);
	if (s->attempt_tries < UINT8_MAX)
		s->attempt_tries++;
	if (!session_way(s, &to))
		return;
	if (to.hop_id == 0)
		session_bind(core, s, true);
	if (goes_directly_too(core, s, &to)) {
		session_bind(core, s, true);
		s->attempt_also = s->route.direct;
		send_message1(core, s, &(struct origin){.way = s->route.direct});
	}
	/* Last: a cookie answers the last one, and is for good where the relay works. */
	send_message1(core, s, &to);
}

bool attempt_went_to(const struct session *s, const struct origin *from)
{
	return from->hop_id == 0 && !way_is_none(&s->attempt_also) &&
	       way_same_remote(&s->attempt_also, &from->way);
}

/*
 * Nothing came of it: wait longer each time before trying again without being asked, but for a
 * supernode, without which nothing goes.
 */
static void fail(struct core *core, struct session *s)
{
	uint64_t wait = FAILURE_FIRST_MS << (s->failures < 5 ? s->failures : 5);

	session_end_attempt(s);
	if (s->failures < UINT8_MAX)
		s->failures++;
	if (wait > FAILURE_MAX_MS)
		wait = FAILURE_MAX_MS;
	if (s->link.kind == LINK_HOP)
		wait = HOP_MAX_MS;
	s->not_before_ms = core->now_ms + wait;
}

/*
 * Looks after the sets that are not confirmed: lets go of what was not heard in time. Returns the
 * newest that still waits, or NULL.
 */
static struct keyset *newest_unconfirmed(struct core *core, struct session *s, unsigned *effects)
{
	struct keyset *newest = NULL;
	uint64_t lost_ms = 0; /* birth of the newest let go */

	for (unsigned i = 0; i < LINK_POSITIONS; i++) {
		struct keyset *k = s->keys[i];

		/* Word that it was heard is on its way. */
		if (k == NULL || k->confirmed ||
			atomic_load_explicit(&k->rx.heard, memory_order_relaxed))
			continue;
		if (core->now_ms >= k->born_ms + CONFIRM_GIVE_UP_MS) {
			lost_ms = k->born_ms > lost_ms ? k->born_ms : lost_ms;
			s->late_index = k->rx.index;
			memcpy(s->late_mask, k->rx.mask, MASK_LEN);
			session_drop_keys(core, s, i);
		} else if (newest == NULL || k->born_ms > newest->born_ms) {
			newest = k;
		}
	}
	if (lost_ms != 0 && newest == NULL &&
		(s->current == NULL || s->current->born_ms <= lost_ms)) {
		fail(core, s);
		*effects |= SESSION_UNFIT;
	}
	return newest;
}

/* The responder will not send before it has heard from us: be heard. */
static void confirm(struct core *core, struct session *s, unsigned *effects)
{
	struct keyset *k = newest_unconfirmed(core, s, effects);

	if (k == NULL)
		s->confirm_next_ms = 0;
	if (s->confirm_next_ms == 0 || core->now_ms < s->confirm_next_ms)
		return;
	send_empty_under(core, s, k);
	s->confirm_next_ms = s->confirm_tries < CONFIRM_TRIES
				     ? core->now_ms + (CONFIRM_FIRST_MS << s->confirm_tries)
				     : 0;
	s->confirm_tries++;
}

unsigned attempt_tick(struct core *core, struct session *s, bool begin)
{
	unsigned effects = 0;

	confirm(core, s, &effects);
	if (s->link.kind == LINK_MEMBER)
		return effects;
	if (s->attempt != NULL && core->now_ms >= s->attempt_ms + ATTEMPT_GIVE_UP_MS) {
		fail(core, s);
		effects |= SESSION_UNANSWERED;
	}
	if (begin && core->now_ms >= s->not_before_ms)
		start(core, s);
	if (s->attempt != NULL && !s->attempt_quiet && core->now_ms >= s->attempt_next_ms)
		send_attempt(core, s);
	return effects;
}

unsigned attempt_take(struct core *core, struct session *s, const struct handshake_result *result,
	const struct payload *theirs, const struct origin *from)
{
	struct keyset *k = session_make_keys(core, s->link.kind, result);

	session_end_attempt(s);
	s->wanted = false;
	if (k == NULL)
		return 0;
	k->incarnation = theirs->incarnation;
	session_learn(core, s, theirs, from);
	session_add_keys(core, s, k);
	s->confirm_tries = 0;
	s->confirm_next_ms = core->now_ms;
	return SESSION_KEYED;
}
