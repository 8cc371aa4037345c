/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The other members of a community: listed and unlisted by the roster, where they are, and when
 * they are forgotten. What they claim is test_claims.c's.
 */
#include "peer_test.h"

#define HANDLE	    0x1000u /* of ours */
#define FORGET_MS   60000u
#define GIVE_WAY_MS 1000u
#define AGAIN_MS    500u
#define SILENT_MS   15000u
#define AWAY_MS	    15000u
#define EPOCH	    (UINT64_C(1) << 32)
#define PEERS	    4

/* ---- the roster ---- */

static unsigned count_listed(const struct fixture *f)
{
	unsigned n = 0;

	for (const struct peer *p = f->c->peers; p != NULL; p = p->hh.next)
		n += p->listed;
	return n;
}

static void members_are_listed_and_unlisted(void **state)
{
	struct fixture *f = *state;

	go_up(f, HANDLE);
	list_all(f, VERSION(3), PEERS);
	assert_int_equal(count_listed(f), PEERS);
	assert_int_equal(f->c->hop.roster, VERSION(3));
	for (uint8_t i = 1; i <= PEERS; i++) {
		const struct peer *p = peer_of(f, i);

		assert_non_null(p);
		assert_int_equal(p->handle, handle_of(i));
		assert_ptr_equal(view_handle(view_of(f), f->c->hop.session->link.id, p->handle),
			&p->session->link);
		assert_ptr_equal(
			port_find(view_of(f)->community[0].ports, p->session->link.port), p->port);
		/* Relayed, as long as nothing better is known. */
		assert_ptr_equal(link_path(&p->session->link)->hop, &f->c->hop.session->link);
		assert_int_equal(link_path(&p->session->link)->handle, p->handle);
	}
	list_change(f, VERSION(3), VERSION(4), PEERS + 1, false);
	assert_int_equal(count_listed(f), PEERS + 1);
	list_change(f, VERSION(4), VERSION(5), 2, true);
	assert_int_equal(count_listed(f), PEERS);
	assert_null(peer_of(f, 2));
	assert_null(view_handle(view_of(f), f->c->hop.session->link.id, handle_of(2)));
	/* A new roster that does not name them ends others too. */
	list_all(f, VERSION(9), 1);
	assert_int_equal(count_listed(f), 1);
	assert_true(peer_of(f, 1)->listed);
}

static void we_are_no_peer_of_our_own(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.version = VERSION(1), .last = true, .n = 1};

	go_up(f, HANDLE);
	memcpy(m.entry[0].static_public, f->c->party.self.public, KEY_LEN);
	m.entry[0].handle = HANDLE;
	fake_roster(f, &f->fake[0], &m);
	assert_null(f->c->peers);
}

static void pages_repeated_or_out_of_order_change_nothing(void **state)
{
	struct fixture *f = *state;
	unsigned registers;

	go_up(f, HANDLE);
	/* No PING, whose silence makes it register again. */
	f->c->hop.ping_ms = f->core->now_ms + 60000;
	list_all(f, VERSION(5), 2);
	registers = f->fake[0].n[CONTROL_REGISTER];
	list_change(f, VERSION(4), VERSION(5), 1, true); /* repeated */
	list_change(f, VERSION(2), VERSION(3), 2, true); /* late */
	assert_int_equal(count_listed(f), 2);
	assert_int_equal(f->c->hop.roster, VERSION(5));
	run(f, 1000);
	assert_int_equal(f->fake[0].n[CONTROL_REGISTER], registers);
	/* One is missing, or its supernode began anew: it is asked for all that it has. */
	list_change(f, VERSION(7), VERSION(8), 1, true);
	assert_int_equal(count_listed(f), 2);
	run(f, 1000);
	assert_int_equal(f->fake[0].n[CONTROL_REGISTER], registers + 1);
	assert_int_equal(f->fake[0].registration.roster_version, VERSION(5));
	list_change(f, VERSION(5) + EPOCH, VERSION(6) + EPOCH, 1, true);
	run(f, 1000);
	list_change(f, VERSION(5) - EPOCH, VERSION(6) - EPOCH, 1, true);
	run(f, 1000);
	assert_int_equal(count_listed(f), 2);
	assert_int_equal(f->fake[0].n[CONTROL_REGISTER], registers + 3);
}

/* On several pages: who is on none of them goes with the last, not before. */
static void a_new_roster_is_complete_with_its_last_page(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.version = VERSION(11)};

	go_up(f, HANDLE);
	list_all(f, VERSION(5), PEERS);
	add_entry(&m, 1, false);
	fake_roster(f, &f->fake[0], &m);
	fake_roster(f, &f->fake[0], &m); /* its first page again */
	assert_int_equal(count_listed(f), PEERS);
	list_change(f, VERSION(11), VERSION(12), 3, false);
	assert_int_equal(count_listed(f), 2);
	assert_true(peer_of(f, 1)->listed && peer_of(f, 3)->listed);
}

/* Another registration of the same member has taken the place of the one that ended. */
static void a_departure_names_its_handle(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.base = VERSION(5), .version = VERSION(6), .last = true};

	go_up(f, HANDLE);
	list_all(f, VERSION(5), 1);
	add_entry(&m, 1, true);
	m.entry[0].handle++;
	fake_roster(f, &f->fake[0], &m);
	assert_true(peer_of(f, 1)->listed);
}

static void another_handle_is_followed(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.base = VERSION(5), .version = VERSION(6), .last = true};
	uint32_t hop_id;
	struct peer *p;

	go_up(f, HANDLE);
	hop_id = f->c->hop.session->link.id;
	list_all(f, VERSION(5), 2);
	p = peer_of(f, 1);
	add_entry(&m, 1, false);
	m.entry[0].handle = 0x777;
	fake_roster(f, &f->fake[0], &m);
	assert_int_equal(link_path(&p->session->link)->handle, 0x777);
	assert_ptr_equal(view_handle(view_of(f), hop_id, 0x777), &p->session->link);
	assert_null(view_handle(view_of(f), hop_id, handle_of(1)));
	assert_non_null(view_handle(view_of(f), hop_id, handle_of(2)));
}

/* The relay is gone: no path leads through it, and no view either. */
static void without_a_supernode_nobody_is_relayed(void **state)
{
	struct fixture *f = *state;
	uint32_t hop_id;

	go_up(f, HANDLE);
	hop_id = f->c->hop.session->link.id;
	list_all(f, VERSION(5), 2);
	hop_leave(f->c);
	for (uint8_t i = 1; i <= 2; i++) {
		assert_null(link_path(&peer_of(f, i)->session->link));
		assert_null(view_handle(view_of(f), hop_id, handle_of(i)));
	}
}

/* ---- whom to begin with ---- */

/* Of two that are listed together, the larger key lets the other begin. */
static void the_smaller_key_begins(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.version = VERSION(1), .last = true};

	go_up(f, HANDLE);
	assert_in_range(f->c->party.self.public[0], 2, 0xfe);
	add_entry(&m, 1, false);
	add_entry(&m, 0xff, false);
	fake_roster(f, &f->fake[0], &m);
	run(f, 2 * TICK_MS);
	assert_non_null(peer_of(f, 0xff)->session->attempt);
	assert_null(peer_of(f, 1)->session->attempt);
	assert_true(f->fake[0].relayed > 0);
	run(f, GIVE_WAY_MS);
	assert_non_null(peer_of(f, 1)->session->attempt);
}

/* ---- in the session ---- */

/* What was sent to a peer directly. */
struct heard {
	unsigned n[CONTROL_TYPES], empty;
	struct control_candidates candidates;
	struct control_claim claim;
};

static struct heard hear(struct fixture *f, uint8_t number, struct keyset *far)
{
	const struct origin at = from_host(number);
	struct heard heard = {.empty = 0};

	for (unsigned i = 0; i < f->n_sent; i++) {
		struct sent *d = &f->sent[i];
		struct aead_op op = {.text = d->data + DATA_HEADER_LEN,
			.len = d->len - DATA_OVERHEAD,
			.ad = d->data,
			.ad_len = DATA_HEADER_LEN};
		struct data_header h;
		struct control_msg m;
		struct reader r;

		if (!way_same_remote(&d->way, &at.way))
			continue;
		packet_mask(d->data, d->len, DATA_HEADER_LEN, far->rx.mask);
		assert_true(data_header_read(&h, d->data));
		key_nonce(op.nonce, far->rx.iv, h.counter);
		assert_int_equal(aead_open(far->rx.key, f->core->tx.aead, &op, 1), 1);
		heard.empty += control_is_empty(op.text, op.len);
		reader_init(&r, op.text, op.len);
		while (h.kind == KIND_CONTROL && control_next(&r, &m) == 1) {
			heard.n[m.type]++;
			if (m.type == CONTROL_CANDIDATES)
				assert_int_equal(
					control_candidates_decode(&heard.candidates, m.body), 0);
			if (m.type == CONTROL_CLAIM)
				assert_int_equal(control_claim_decode(&heard.claim, m.body), 0);
		}
	}
	f->n_sent = f->n_heard = 0;
	return heard;
}

static void keys_bring_word_of_what_we_are_and_where(void **state)
{
	struct fixture *f = *state;
	const struct endpoint own = test_endpoint(201, 4000), seen = observed();
	struct keyset *far;
	struct heard heard;

	go_up(f, HANDLE);
	edge_local_addresses(f->e, &own, 1, f->core->now_ms);
	list_all(f, VERSION(1), 1);
	f->n_sent = f->n_heard = 0;
	far = meet(f, 1);
	heard = hear(f, 1, far);
	assert_int_equal(heard.n[CONTROL_CLAIM], 1);
	assert_true(mac_equal(&heard.claim.mac, &f->c->mac));
	assert_int_equal(heard.n[CONTROL_CANDIDATES], 1);
	assert_memory_equal(heard.candidates.mask, f->c->mask, MASK_LEN);
	assert_int_equal(heard.candidates.n, 2);
	assert_int_equal(heard.candidates.candidate[0].kind, CANDIDATE_OBSERVED);
	assert_true(endpoint_equal(&heard.candidates.candidate[0].endpoint, &seen));
	assert_int_equal(heard.candidates.candidate[1].kind, CANDIDATE_LOCAL);
	assert_true(endpoint_equal(&heard.candidates.candidate[1].endpoint, &own));
	assert_int_equal(f->events[EVENT_PEER_UP], 1);
	assert_memory_equal(f->last[EVENT_PEER_UP].key, peer_of(f, 1)->remote, KEY_LEN);
	/* The same again with the next keys, but it was up already. */
	keyset_destroy(far);
	far = meet(f, 1);
	assert_int_equal(f->events[EVENT_PEER_UP], 1);
	keyset_destroy(far);
}

/* ---- candidates ---- */

static void tell(struct fixture *f, uint8_t number, uint32_t seq, const struct endpoint *at,
	uint8_t n, uint8_t mask)
{
	struct control_candidates m = {.port_count = 1, .n = n};
	uint8_t buf[CONTROL_MAX_LEN];
	struct writer w;

	memset(m.mask, mask, MASK_LEN);
	for (uint8_t i = 0; i < n; i++) {
		m.candidate[i].kind = CANDIDATE_LOCAL;
		m.candidate[i].endpoint = at[i];
	}
	writer_init(&w, buf, sizeof(buf));
	control_candidates_encode(&w, seq, &m);
	say(f, number, &w);
}

/* Where they lead decides, and not which range they lie in. */
static void addresses_inside_our_range_are_tried_too(void **state)
{
	struct fixture *f = *state;
	const struct endpoint at[] = {endpoint_v4(0x0a050001, 1), endpoint_v4(0x0a0500fe, 1),
		endpoint_v4(0x0a050101, 1), endpoint_v4(0x0b050001, 1)};
	struct keyset *far;

	f->c->n_addresses = 1;
	f->c->address[0].prefix = 24;
	memcpy(f->c->address[0].ip, at[0].ip, 16);
	f->overlay = 0xfe;
	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	tell(f, 1, 1, at, 4, 0x21);
	f->n_sent = 0;
	node_tick(f->node, f->core->now_ms + TICK_MS);
	for (unsigned i = 0; i < 4; i++) {
		bool sent = false;

		for (unsigned j = 0; j < f->n_sent; j++)
			sent = sent || endpoint_equal(&f->sent[j].way.remote, &at[i]);
		assert_int_equal(sent, i != 1);
	}
	keyset_destroy(far);
}

/* Of a router's table that changes all the time no tick has more than a few look-ups. */
static void when_routes_change_some_are_looked_up_at_a_time(void **state)
{
	struct fixture *f = *state;
	unsigned ticks = 0, asked = 0;

	for (unsigned i = 0; i < 300; i++) {
		struct known_peer k = {.remote = {1, (uint8_t)i, (uint8_t)(i >> 8)},
			.direct = test_endpoint((uint8_t)i, (uint16_t)(500 + i))};

		edge_remember(f->e, 0, &k);
	}
	run(f, 2 * TICK_MS);
	f->asked = 0;
	f->overlay = 7;
	edge_rerouted(f->e, f->core->now_ms);
	assert_int_equal(f->asked, 0);
	while (asked < 300 && ticks++ < 20) {
		f->asked = 0;
		tick(f);
		assert_in_range(f->asked, 0, 2 * 64);
		asked += f->asked;
	}
	assert_int_equal(asked, 300);
	assert_in_range(ticks, 300 / 128, 10);
	for (struct peer *p = f->c->peers; p != NULL; p = p->hh.next) {
		assert_int_equal(way_is_none(&p->session->route.direct), p->remote[1] == 7);
		assert_false(p->rerouted);
	}
}

static void its_mask_key_is_used_from_then_on(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;
	const struct path *p;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	assert_false(link_path(&peer_of(f, 1)->session->link)->mask_known);
	tell(f, 1, 1, NULL, 0, 0x21);
	p = link_path(&peer_of(f, 1)->session->link);
	assert_true(p->mask_known && p->mask[0] == 0x21 && p->mask[15] == 0x21);
	assert_int_equal(p->way.remote.ip[15], 1);
	tell(f, 1, 2, NULL, 0, 0x22);
	p = link_path(&peer_of(f, 1)->session->link);
	assert_int_equal(p->mask[0], 0x22);
	keyset_destroy(far);
}

/* Within some ticks it is told where we are. */
static struct heard hear_candidates(struct fixture *f, uint8_t number, struct keyset *far)
{
	struct heard heard = {.empty = 0};

	for (unsigned i = 0; i < 3 && heard.n[CONTROL_CANDIDATES] == 0; i++) {
		tick(f);
		heard = hear(f, number, far);
	}
	assert_int_equal(heard.n[CONTROL_CANDIDATES], 1);
	return heard;
}

static void new_addresses_of_ours_are_told(void **state)
{
	struct fixture *f = *state;
	const struct endpoint own = test_endpoint(77, 4000), seen = test_endpoint(251, 4001);
	struct keyset *far;
	struct heard heard;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	(void)hear(f, 1, far);
	edge_local_addresses(f->e, &own, 1, f->core->now_ms);
	heard = hear(f, 1, far);
	assert_int_equal(heard.empty, 1); /* whoever hears it from elsewhere asks back there */
	heard = hear_candidates(f, 1, far);
	assert_true(endpoint_equal(&heard.candidates.candidate[1].endpoint, &own));
	/* And how the supernode sees us. */
	run(f, 30000);
	(void)hear(f, 1, far);
	fake_registered(f, &f->fake[0], REGISTER_OK, HANDLE, &seen);
	heard = hear_candidates(f, 1, far);
	assert_true(endpoint_equal(&heard.candidates.candidate[0].endpoint, &seen));
	/* That is an address of another n2n network if it is inside one. */
	f->overlay = f->fake[0].at.ip[15];
	edge_local_addresses(f->e, &seen, 1, f->core->now_ms);
	(void)hear(f, 1, far);
	heard = hear_candidates(f, 1, far);
	assert_int_equal(heard.candidates.n, 1);
	assert_int_equal(heard.candidates.candidate[0].kind, CANDIDATE_LOCAL);
	keyset_destroy(far);
}

/* ---- probes and pings ---- */

static void probes_and_pings_are_answered_where_they_came_from(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[64];
	struct keyset *far;
	struct writer w;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	(void)hear(f, 1, far);
	writer_init(&w, buf, sizeof(buf));
	control_probe_encode(&w, &(struct control_probe){77});
	say(f, 1, &w);
	assert_int_equal(hear(f, 1, far).n[CONTROL_PATH_ECHO], 1);
	writer_init(&w, buf, sizeof(buf));
	control_ping_encode(&w, &(struct control_ping){77});
	say(f, 1, &w);
	assert_int_equal(hear(f, 1, far).n[CONTROL_PONG], 1);
	keyset_destroy(far);
}

/* ---- time ---- */

/* The other side may be a new process that knows nothing of us, and no roster says so. */
static void sending_into_silence_begins_a_handshake(void **state)
{
	struct fixture *f = *state;
	struct session *s;
	struct keyset *far;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	s = peer_of(f, 1)->session;
	s->link.rx_ms = f->core->now_ms;
	s->link.awake = true;
	for (uint64_t end = f->core->now_ms + SILENT_MS; f->core->now_ms < end;) {
		s->link.tx_frame_ms = f->core->now_ms;
		assert_null(s->attempt);
		tick(f);
	}
	s->link.tx_frame_ms = f->core->now_ms;
	run(f, 3 * TICK_MS);
	assert_non_null(s->attempt);
	keyset_destroy(far);
}

static void who_is_unlisted_and_has_no_keys_is_forgotten(void **state)
{
	struct fixture *f = *state;
	uint64_t unlisted_ms;
	uint32_t id;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 2);
	id = peer_of(f, 1)->session->link.id;
	peer_of(f, 1)->session->confirmed = true;
	list_change(f, VERSION(1), VERSION(2), 1, true);
	session_end_attempt(peer_of(f, 1)->session);
	peer_of(f, 1)->session->wanted = false;
	unlisted_ms = f->core->now_ms;
	while (peer_of(f, 1) != NULL && f->core->now_ms < unlisted_ms + 3 * FORGET_MS)
		tick(f);
	assert_in_range(f->core->now_ms - unlisted_ms, FORGET_MS, FORGET_MS + 2 * AGAIN_MS);
	assert_null(view_link(view_of(f), id));
	assert_int_equal(view_of(f)->community[0].ports->count, 1);
	assert_non_null(peer_of(f, 2));
}

/* Names in a roster that never were members leave nothing behind, however many come and go. */
static void who_never_confirmed_is_forgotten_when_unlisted(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.n = 1};
	uint64_t version = VERSION(1);

	go_up(f, HANDLE);
	list_all(f, version, 2);
	for (uint32_t n = 0; n < 2 * 2 * PEERS_MAX; n++) {
		struct roster_entry *r = &m.entry[0];

		*r = (struct roster_entry){.gone = n % 2 == 1, .handle = 9, .incarnation = n};
		store_be32(r->static_public, n / 2);
		r->static_public[31] = 1;
		m.base = version++;
		m.version = version;
		peers_roster(f->c, &m);
		if (n % 1000 == 999)
			tick(f);
	}
	assert_int_equal(HASH_COUNT(f->c->peers), 2);
	assert_int_equal(view_of(f)->community[0].ports->count, 2);
	list_change(f, version, version + 1, 3, false);
	assert_non_null(peer_of(f, 3));
}

static void who_has_keys_is_not_forgotten_until_they_end(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	list_change(f, VERSION(1), VERSION(2), 1, true);
	run(f, AWAY_MS - TICK_MS);
	assert_true(peer_of(f, 1)->up);
	run(f, 2 * TICK_MS);
	assert_false(peer_of(f, 1)->up);
	assert_int_equal(f->events[EVENT_PEER_DOWN], 1);
	run(f, 2 * FORGET_MS);
	assert_non_null(peer_of(f, 1));
	run(f, KEYS_REJECT_MS - 2 * FORGET_MS + 1000);
	assert_int_equal(f->events[EVENT_PEER_DOWN], 1);
	run(f, FORGET_MS);
	assert_null(peer_of(f, 1));
	keyset_destroy(far);
}

static void who_is_remembered_is_not_forgotten(void **state)
{
	struct fixture *f = *state;
	struct known_peer known = {.freshness = 55, .direct = test_endpoint(1, 500)}, out[2];
	const struct name name = name_of(1);

	memcpy(known.remote, name.key, KEY_LEN);
	edge_remember(f->e, 0, &known);
	run(f, 3 * FORGET_MS);
	assert_non_null(peer_of(f, 1));
	assert_true(peer_of(f, 1)->session->confirmed);
	assert_int_equal(edge_known_peers(f->e, 0, out, 2), 1);
	assert_memory_equal(out[0].remote, name.key, KEY_LEN);
	assert_int_equal(out[0].freshness, 55);
	assert_true(endpoint_equal(&out[0].direct, &known.direct));
}

/* Nobody fills the memory by registering ever new keys at a supernode. */
static void members_have_a_limit(void **state)
{
	struct fixture *f = *state;
	struct control_roster m = {.version = VERSION(1)};
	unsigned n = 0;

	go_up(f, HANDLE);
	for (unsigned page = 0; page < PEERS_MAX / ROSTER_PAGE_MAX + 5; page++) {
		m.base = page == 0 ? 0 : VERSION(page);
		m.version = VERSION(page + 1);
		for (m.n = 0; m.n < ROSTER_PAGE_MAX; n++) {
			struct roster_entry *r = &m.entry[m.n++];

			*r = (struct roster_entry){.handle = 1 + n, .incarnation = 1};
			store_be32(r->static_public, n);
			r->static_public[31] = 1;
		}
		peers_roster(f->c, &m);
	}
	assert_int_equal(HASH_COUNT(f->c->peers), PEERS_MAX);
}

static void a_goodbye_ends_it_at_once(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 1);
	far = meet(f, 1);
	goodbye(f, 1);
	assert_null(peer_of(f, 1)->session->current);
	assert_false(peer_of(f, 1)->listed);
	run(f, 2 * TICK_MS);
	assert_int_equal(f->events[EVENT_PEER_DOWN], 1);
	assert_false(peer_of(f, 1)->up);
	/* Nothing is begun by itself. */
	run(f, 20000);
	assert_null(peer_of(f, 1)->session->attempt);
	keyset_destroy(far);
}

/* All of it: sessions, ports, handles and addresses, and what workers may still see is retired. */
static void they_go_with_their_community(void **state)
{
	struct fixture *f = *state;
	struct keyset *far;
	uint32_t ids[3];

	go_up(f, HANDLE);
	list_all(f, VERSION(1), 3);
	far = meet(f, 1);
	claim(f, 1, 1, mac_of(1));
	for (uint8_t i = 0; i < 3; i++)
		ids[i] = peer_of(f, (uint8_t)(i + 1))->session->link.id;
	(void)hear(f, 1, far);
	edge_remove_community(f->e, 0, f->core->now_ms);
	f->c = NULL;
	assert_int_equal(hear(f, 1, far).n[CONTROL_BYE], 1);
	for (unsigned i = 0; i < 3; i++) {
		assert_null(session_by_id(f->core, ids[i]));
		assert_null(view_link(view_of(f), ids[i]));
	}
	assert_int_equal(view_of(f)->handles->count, 0);
	assert_int_equal(f->core->n_bound, 0);
	keyset_destroy(far);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_are_listed_and_unlisted),
		TEST(we_are_no_peer_of_our_own),
		TEST(pages_repeated_or_out_of_order_change_nothing),
		TEST(a_new_roster_is_complete_with_its_last_page),
		TEST(a_departure_names_its_handle),
		TEST(another_handle_is_followed),
		TEST(without_a_supernode_nobody_is_relayed),
		TEST(the_smaller_key_begins),
		TEST(keys_bring_word_of_what_we_are_and_where),
		TEST(addresses_inside_our_range_are_tried_too),
		TEST(when_routes_change_some_are_looked_up_at_a_time),
		TEST(its_mask_key_is_used_from_then_on),
		TEST(new_addresses_of_ours_are_told),
		TEST(probes_and_pings_are_answered_where_they_came_from),
		TEST(sending_into_silence_begins_a_handshake),
		TEST(who_is_unlisted_and_has_no_keys_is_forgotten),
		TEST(who_never_confirmed_is_forgotten_when_unlisted),
		TEST(who_has_keys_is_not_forgotten_until_they_end),
		TEST(who_is_remembered_is_not_forgotten),
		TEST(members_have_a_limit),
		TEST(a_goodbye_ends_it_at_once),
		TEST(they_go_with_their_community),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
