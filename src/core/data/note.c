/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which verdict leaves which note, and how many of them one link may leave. */
#include "core/data/note.h"

#include <assert.h>
#include <string.h>

#include "core/frame/vital.h"

#define RECENT_MS    100 /* how long a link's notes count */
#define CONTROL_MAX  32	 /* of them in QUEUE_CONTROL */
#define ELSEWHERE_MS 100 /* between two notes that it was heard from elsewhere */
#define OWN_MS	     1000
#define LACKING_MS   1000
#define BARRED_MS    1000
#define FOREIGN_MS   1000
#define LOOP_MS	     100

static_assert(FRAME_MAX + MISSED_MAX * sizeof(uint16_t) <= SLOT_LEN, "they fit behind a frame");

void notes_init(struct notes *n, const struct note_sink *sink, struct drops *drops)
{
	memset(n, 0, sizeof(*n));
	n->sink = *sink;
	n->drops = drops;
}

static struct note *begin(struct notes *n, enum note_queue queue, enum note_kind kind,
	const uint8_t *data, size_t len)
{
	struct note *note = n->sink.next(n->sink.ctx, queue);

	if (note == NULL) {
		drops_add(n->drops, DROP_QUEUE_FULL, 1);
		return NULL;
	}
	note->kind = kind;
	note->index = 0;
	note->len = len;
	if (len > 0)
		memcpy(note->data, data, len);
	return note;
}

static void end(struct notes *n, enum note_queue queue)
{
	n->sink.push(n->sink.ctx, queue);
}

/*
 * A genuine packet that did not come the way the link's packets go: from a new address, or
 * through the relay although there is a direct path, which the other side may have lost.
 */
static bool came_another_way(const struct rx *x, uint64_t now_ms)
{
	const struct path *direct = link_direct(x->link);

	/* What goes to all of a set comes through the relay whatever the path. */
	if (x->header.group)
		return false;
	if (x->origin.hop_id != 0 ? direct == NULL
				  : direct != NULL && way_same_remote(&direct->way, &x->origin.way))
		return false;
	if (now_ms < link_word(&x->link->elsewhere_ms) + ELSEWHERE_MS)
		return false;
	atomic_store_explicit(&x->link->elsewhere_ms, now_ms, memory_order_relaxed);
	return true;
}

/*
 * At a supernode that holds for what it relayed as well: the hop MAC was genuine, so the packet
 * shows where its sender is, and that it has the keys.
 */
static void note_if_news(struct notes *n, const struct rx *x, uint64_t now_ms)
{
	struct note *note;
	bool first = !atomic_load_explicit(&x->keys->heard, memory_order_relaxed) &&
		     !atomic_exchange(&x->keys->heard, true);

	if (!first && !came_another_way(x, now_ms))
		return;
	note = begin(n, QUEUE_OWN, NOTE_HEARD, NULL, 0);
	if (note == NULL) {
		/* The next packet has to tell it. */
		if (first)
			atomic_store(&x->keys->heard, false);
		return;
	}
	note->index = x->keys->index;
	note->origin = x->origin;
	end(n, QUEUE_OWN);
}

/*
 * A flood wakes all peers at once. The frames that have to wait, and what is heard for the first
 * time, find room all the same; whom this leaves asleep the next frame wakes.
 */
static bool may_wake(struct notes *n)
{
	return n->sink.filled(n->sink.ctx, QUEUE_OWN) < n->sink.size[QUEUE_OWN] / 2;
}

static void note_if_awake(struct notes *n, struct link *l)
{
	struct note *note;

	if (atomic_load_explicit(&l->awake, memory_order_relaxed) || !may_wake(n) ||
		atomic_exchange_explicit(&l->awake, true, memory_order_relaxed))
		return;
	note = begin(n, QUEUE_OWN, NOTE_AWAKE, NULL, 0);
	if (note == NULL) {
		atomic_store_explicit(&l->awake, false, memory_order_relaxed);
		return;
	}
	note->index = l->id;
	end(n, QUEUE_OWN);
}

static void note_datagram(
	struct notes *n, enum note_queue queue, enum note_kind kind, const struct rx *x)
{
	struct note *note = begin(n, queue, kind, x->data, x->len);

	if (note == NULL)
		return;
	note->index = x->keys != NULL ? x->keys->index : 0;
	if (x->header.group)
		note->index = x->link->id << 2; /* its key is of no session */
	note->origin = x->origin;
	note->to = x->to;
	note->tried = x->tried;
	end(n, queue);
}

/*
 * No link may fill the queue that all of them share, and early frames leave most of it, and of the
 * link's own share, to control: what they wait for, the CLAIM, comes that way. Of workers that
 * count at the same time one may not be counted.
 */
static bool has_room(struct notes *n, enum note_kind kind, struct link *l, uint64_t now_ms)
{
	uint64_t counted = link_word(&l->noted);
	uint64_t since_ms = counted >> 8, count = counted & 0xff;
	bool early = kind == NOTE_EARLY;

	if (early && n->sink.filled(n->sink.ctx, QUEUE_CONTROL) >= n->sink.size[QUEUE_CONTROL] / 4)
		return false;
	if (now_ms >= since_ms + RECENT_MS) {
		since_ms = now_ms;
		count = 0;
	}
	if (count >= (early ? CONTROL_MAX / 2 : CONTROL_MAX))
		return false;
	atomic_store_explicit(&l->noted, since_ms << 8 | (count + 1), memory_order_relaxed);
	return true;
}

static void note_control(struct notes *n, enum note_kind kind, const struct rx *x, uint64_t now_ms)
{
	if (has_room(n, kind, x->link, now_ms))
		note_datagram(n, QUEUE_CONTROL, kind, x);
	else
		drops_add(n->drops, DROP_QUEUE_FULL, 1);
}

void notes_lacking(struct notes *n, struct link *link, uint64_t now_ms)
{
	struct note *note;

	if (now_ms < link_word(&link->lacking_ms) + LACKING_MS && link_word(&link->lacking_ms) != 0)
		return;
	atomic_store_explicit(&link->lacking_ms, now_ms, memory_order_relaxed);
	note = begin(n, QUEUE_OWN, NOTE_LACKING, NULL, 0);
	if (note == NULL)
		return;
	note->index = link->id;
	end(n, QUEUE_OWN);
}

static enum note_queue queue_of_strangers(const struct rx *x)
{
	if (x->verdict == VERDICT_ENVELOPE && x->to.kind == TO_ANY)
		return QUEUE_HELLO;
	return x->origin.hop_id != 0 ? QUEUE_RELAYED : QUEUE_UNKNOWN;
}

void notes_rx(struct notes *n, const struct rx *x, uint64_t now_ms)
{
	switch (x->verdict) {
	case VERDICT_FRAME:
	case VERDICT_HALF:
		note_if_awake(n, x->link);
		note_if_news(n, x, now_ms);
		break;
	case VERDICT_EMPTY:
		note_if_news(n, x, now_ms);
		break;
	case VERDICT_EARLY:
		note_if_news(n, x, now_ms);
		note_control(n, NOTE_EARLY, x, now_ms);
		break;
	case VERDICT_CONTROL: /* tells by itself that it was heard */
		note_control(n, NOTE_CONTROL, x, now_ms);
		break;
	case VERDICT_ENVELOPE:
		note_datagram(n, queue_of_strangers(x), NOTE_ENVELOPE, x);
		break;
	case VERDICT_UNKNOWN:
		note_datagram(n, queue_of_strangers(x), NOTE_UNKNOWN, x);
		break;
	case VERDICT_REFUSED:
		note_if_awake(n, x->link);
		break;
	case VERDICT_NONE:
	case VERDICT_RELAYED:
	case VERDICT_DROP:
		break;
	}
}

void notes_frame(
	struct notes *n, const struct addressee *of, const struct link *link, const struct frame *f)
{
	struct note *note = begin(n, QUEUE_OWN, NOTE_FRAME, f->data, f->len);

	if (note == NULL)
		return;
	note->index = link->id;
	note->to = *of;
	end(n, QUEUE_OWN);
}

void notes_missed(struct notes *n, const struct addressee *of, const struct missed *m,
	const uint16_t *ports, const struct frame *f)
{
	bool anybody = m->all || m->n > 0;
	struct note *note;

	if (!may_wake(n) && !(anybody && frame_is_vital(f->data, f->len))) {
		drops_add(n->drops, DROP_QUEUE_FULL, anybody);
		return;
	}
	note = begin(n, QUEUE_OWN, NOTE_FRAME, f->data, f->len);
	if (note == NULL)
		return;
	note->to = *of;
	note->missed = *m;
	if (m->all)
		note->missed.n = 0;
	else if (m->n > 0)
		memcpy(note->data + f->len, ports, m->n * sizeof(*ports));
	end(n, QUEUE_OWN);
}

/* Nobody misses one: datagrams that take the same way come again. */
void notes_own(
	struct notes *n, const struct addressee *of, const struct endpoint *to, uint64_t now_ms)
{
	uint64_t *due_ms = &n->own_ms[(to->ip[15] ^ to->port) % NOTES_OWN];
	struct note *note;

	if (now_ms < *due_ms || !may_wake(n) ||
		(note = begin(n, QUEUE_OWN, NOTE_OWN, NULL, 0)) == NULL)
		return;
	*due_ms = now_ms + OWN_MS;
	note->to = *of;
	note->origin = (struct origin){.way = way_to(to)};
	end(n, QUEUE_OWN);
}

void notes_barred(struct notes *n, const struct addressee *of, enum barred what, uint64_t now_ms)
{
	struct note *note;

	if (now_ms < n->barred_ms[what] || !may_wake(n) ||
		(note = begin(n, QUEUE_OWN, NOTE_BARRED, NULL, 0)) == NULL)
		return;
	n->barred_ms[what] = now_ms + BARRED_MS;
	note->to = *of;
	note->index = what;
	end(n, QUEUE_OWN);
}

/* Nobody misses one: there are more where it came from. */
void notes_foreign(struct notes *n, const struct addressee *of, uint64_t source, uint64_t now_ms)
{
	uint64_t *due_ms = &n->foreign_ms[of->community];
	const struct mac mac = mac_from_number(source);
	struct note *note;

	if (now_ms < *due_ms || !may_wake(n))
		return;
	note = begin(n, QUEUE_OWN, NOTE_FOREIGN, mac.b, sizeof(mac.b));
	if (note == NULL)
		return;
	*due_ms = now_ms + FOREIGN_MS;
	note->to = *of;
	end(n, QUEUE_OWN);
}

void notes_storm(struct notes *n, const struct addressee *of, uint64_t source, enum flood_kind kind,
	uint32_t per_s)
{
	const struct mac mac = mac_from_number(source);
	uint8_t data[NOTE_STORM_LEN];
	struct note *note;

	if (!may_wake(n))
		return;
	memcpy(data, mac.b, sizeof(mac.b));
	store_be32(data + sizeof(mac.b), per_s);
	note = begin(n, QUEUE_OWN, NOTE_STORM, data, sizeof(data));
	if (note == NULL)
		return;
	note->to = *of;
	note->index = kind;
	end(n, QUEUE_OWN);
}

/* What one peer brings is not in the way of another, in whichever community. */
static uint64_t *echo_due(struct notes *n, const struct link *from, unsigned slot)
{
	return &n->echo_ms[(from->port + from->community * 7u) % NOTES_ECHO][slot];
}

static uint64_t loop_due_ms(
	const struct notes *n, const struct gate_verdict *v, const uint64_t *echo_ms)
{
	if (v->due_ms != NULL)
		return link_word(v->due_ms);
	return echo_ms != NULL ? *echo_ms : n->loop_ms[v->slot];
}

static void loop_told(
	struct notes *n, const struct gate_verdict *v, uint64_t *echo_ms, uint64_t now_ms)
{
	if (v->due_ms != NULL)
		atomic_store_explicit(v->due_ms, now_ms + LOOP_MS, memory_order_relaxed);
	else if (echo_ms != NULL)
		*echo_ms = now_ms + LOOP_MS / 2;
	else
		n->loop_ms[v->slot] = now_ms + LOOP_MS;
}

/* Our own probes find room whatever others send. */
void notes_loop(struct notes *n, const struct addressee *of, const struct link *from,
	const struct gate_verdict *v, const struct frame *f, uint64_t now_ms)
{
	uint64_t *echo_ms = v->ours && from != NULL ? echo_due(n, from, v->slot) : NULL;
	struct note *note;

	if (now_ms < loop_due_ms(n, v, echo_ms))
		return;
	if (echo_ms == NULL &&
		n->sink.filled(n->sink.ctx, QUEUE_LOOP) >= n->sink.size[QUEUE_LOOP] * 3 / 4) {
		drops_add(n->drops, DROP_QUEUE_FULL, 1);
		return;
	}
	note = begin(n, QUEUE_LOOP, NOTE_LOOP, f->data, f->len);
	if (note == NULL)
		return;
	loop_told(n, v, echo_ms, now_ms);
	note->index = from != NULL ? from->id : 0;
	note->to = *of;
	end(n, QUEUE_LOOP);
}

bool notes_membership(struct notes *n, const struct addressee *of, const struct frame *f)
{
	struct note *note = begin(n, QUEUE_GROUPS, NOTE_MEMBERSHIP, f->data, f->len);

	if (note == NULL)
		return false;
	note->to = *of;
	end(n, QUEUE_GROUPS);
	return true;
}

void notes_sent(struct notes *n, struct link *link)
{
	note_if_awake(n, link);
}
