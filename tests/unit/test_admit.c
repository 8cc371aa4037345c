/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which frames of an interface go out, and what is learned from them. */
#include "core/data/admit.h"
#include "edge_data_test.h"

#define FLOOD_BURST 1000 /* of one source, to addresses that nobody knows */
#define PER_S	    500

static const struct mac host = {{0x52, 0x54, 0, 0, 0, 1}};
static const struct mac other = {{0x52, 0x54, 0, 0, 0, 2}};
static const struct mac unknown = {{0x52, 0x54, 0, 0, 0, 3}};
static const struct mac all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};

/* Our interface has its address by now, and is a bridge's or not. */
static void be(struct fixture *f, bool bridge)
{
	struct view_editor *e = &f->rig.node.core.view;
	static const uint8_t key[FDB_KEY_LEN] = {1, 2, 3};

	if (e->community[0].next.fdb == NULL)
		e->community[0].next.fdb = fdb_create(64, key);
	assert_non_null(e->community[0].next.fdb);
	view_set_interface(e, 0, mac_number(&own), bridge);
	assert_int_equal(view_put_owner(e, 0, mac_number(&own), &port_nobody), 0);
	f->view = rig_view(&f->rig);
}

static int setup_bridge(void **state)
{
	int rc = setup(state);

	be(*state, true);
	return rc;
}

static int teardown_bridge(void **state)
{
	struct fixture *f = *state;

	fdb_destroy(f->rig.node.core.view.community[0].next.fdb);
	return teardown(state);
}

/* Returns how many datagrams it became. */
static size_t send_at(
	struct fixture *f, const struct mac *to, const struct mac *from, uint64_t now_ms)
{
	struct frame *frame = &f->frames[f->n];

	*frame = (struct frame){.data = f->slots[f->n++] + SLOT_HEADROOM};
	frame->len = plain_frame(frame->data, to, from, 1, FRAME_MIN);
	f->n_sent = 0;
	edge_frames_out(&f->w, f->view, 0, f->frames, f->n, now_ms);
	f->n = 0;
	return f->n_sent;
}

static size_t send(struct fixture *f, const struct mac *to, const struct mac *from)
{
	return send_at(f, to, from, START_MS);
}

/* To be sent with the next one. */
static void queue(struct fixture *f, const struct mac *to, const struct mac *from)
{
	struct frame *frame = &f->frames[f->n];

	*frame = (struct frame){.data = f->slots[f->n++] + SLOT_HEADROOM};
	frame->len = plain_frame(frame->data, to, from, 2, FRAME_MIN);
}

static uint64_t dropped(const struct fixture *f, enum drop why)
{
	return drops_get(&f->w.drops, why);
}

static void what_is_at_our_interface_stays_there(void **state)
{
	const struct mac peer = mac_of(0);
	struct fixture *f = *state;

	assert_int_equal(send(f, &host, &own), PEERS);
	assert_int_equal(send(f, &peer, &host), 1);
	assert_int_equal(send(f, &host, &own), 0);
	assert_int_equal(send(f, &host, &other), 0);
	assert_int_equal(send(f, &other, &host), 0);
	assert_drops(f, DROP_LOCAL, 3);
	/* In a batch with others, which go. */
	queue(f, &peer, &host);
	queue(f, &other, &host);
	queue(f, &other, &host);
	assert_int_equal(send(f, &peer, &host), 2);
	assert_drops(f, DROP_LOCAL, 5);
	/* Our own address is no host's behind us, and what it sends is never looked at. */
	assert_int_equal(send(f, &peer, &own), 1);
	assert_int_equal(fdb_find(f->view->community[0].fdb, mac_number(&own)), PORT_FLOOD);
}

static void a_host_is_where_it_was_heard_last(void **state)
{
	struct fixture *f = *state;
	struct link *bridge = &f->end[2].s->link;
	const struct mac peer = mac_of(0);

	atomic_store(&bridge->roles, ROLE_BRIDGE);
	assert_true(view_learn(f->view, bridge, mac_number(&host)));
	assert_int_equal(send(f, &host, &own), 1);
	assert_true(way_same_remote(&f->sent[0].way, &link_path(bridge)->way));
	/* It comes here: the first frame that it sends says so. */
	assert_int_equal(send(f, &peer, &host), 1);
	assert_int_equal(send(f, &host, &own), 0);
	assert_drops(f, DROP_LOCAL, 1);
	/* And back. */
	assert_true(view_learn(f->view, bridge, mac_number(&host)));
	assert_int_equal(send(f, &host, &own), 1);
	assert_drops(f, DROP_LOCAL, 1);
}

static void members_speak_for_themselves(void **state)
{
	const struct mac peer = mac_of(0), victim = mac_of(1);
	struct fixture *f = *state;

	assert_int_equal(send(f, &peer, &victim), 0);
	assert_int_equal(send(f, &all, &victim), 0);
	queue(f, &peer, &victim);
	queue(f, &peer, &host);
	queue(f, &peer, &victim);
	assert_int_equal(send(f, &peer, &own), 2);
	assert_drops(f, DROP_CLAIMED_SOURCE, 4);
	/* Its frames go to it as before. */
	assert_int_equal(send(f, &victim, &host), 1);
	/* Word of it is left once a second: it may be the claim that is wrong. */
	assert_int_equal(f->n_notes, 1);
}

static void who_is_no_bridge_carries_its_own_frames_only(void **state)
{
	const struct mac peer = mac_of(0);
	struct fixture *f = *state;

	be(f, false);
	assert_int_equal(send(f, &peer, &own), 1);
	assert_int_equal(f->n_notes, 0);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(send(f, &peer, &host), 0);
	queue(f, &peer, &own);
	queue(f, &peer, &host);
	queue(f, &peer, &own);
	assert_int_equal(send(f, &peer, &host), 2);
	assert_drops(f, DROP_FOREIGN_SOURCE, 7);
	/* Which is told once a second, with who it was. */
	assert_int_equal(f->n_notes, 1);
	assert_int_equal(f->note[0].kind, NOTE_FOREIGN);
	assert_int_equal(f->note[0].to.generation, GENERATION);
	assert_int_equal(f->note[0].len, sizeof(host.b));
	assert_memory_equal(f->note[0].data, host.b, sizeof(host.b));
	assert_int_equal(send_at(f, &peer, &other, START_MS + 999), 0);
	assert_int_equal(f->n_notes, 1);
	assert_int_equal(send_at(f, &peer, &other, START_MS + 1000), 0);
	assert_int_equal(f->n_notes, 2);
	assert_memory_equal(f->note[1].data, other.b, sizeof(other.b));
	/* Nothing is learned there. */
	assert_int_equal(fdb_count(f->view->community[0].fdb), 0);
}

/* Each frame counts once, however many it goes to; groups do not count, nor what is known. */
static void frames_to_unknown_addresses_have_a_budget(void **state)
{
	const struct mac peer = mac_of(0);
	struct fixture *f = *state;
	unsigned passed = 0;

	for (unsigned i = 0; i < 3 * FLOOD_BURST; i++) {
		size_t n = send(f, &unknown, &own);

		assert_true(n == 0 || n == PEERS);
		passed += n > 0;
	}
	assert_int_equal(passed, FLOOD_BURST);
	assert_drops(f, DROP_FLOOD, 2 * FLOOD_BURST);
	assert_int_equal(send(f, &all, &own), PEERS);
	assert_int_equal(send(f, &peer, &own), 1);
	/* A second later there is that of a second. */
	for (unsigned i = 0; i < 3 * PER_S; i++)
		passed += send_at(f, &unknown, &own, START_MS + 1000) > 0;
	assert_int_equal(passed, FLOOD_BURST + PER_S);
	/* The other community has its own. */
	queue(f, &unknown, &own);
	f->n_sent = 0;
	edge_frames_out(&f->w, f->view, 1, f->frames, f->n, START_MS + 1000);
	f->n = 0;
	assert_int_equal(f->n_sent, 1);
	/* Once somebody has said where it is, nothing holds it back. */
	assert_true(dropped(f, DROP_FLOOD) > 0);
	atomic_store(&f->end[2].s->link.roles, ROLE_BRIDGE);
	assert_true(view_learn(f->view, &f->end[2].s->link, mac_number(&unknown)));
	for (unsigned i = 0; i < 3 * FLOOD_BURST; i++)
		assert_int_equal(send_at(f, &unknown, &own, START_MS + 1000), 1);
}

/* From one frame to the next of a batch nothing is looked up, so a batch is all that is late. */
static void learning_follows_the_step(void **state)
{
	struct fixture *f = *state;
	const struct mac peer = mac_of(0);
	struct fdb_entry e;
	uint32_t at = 0;

	assert_int_equal(send(f, &peer, &host), 1);
	(void)view_next_step(&f->rig.node.core.view, 0);
	f->view = rig_view(&f->rig);
	assert_int_equal(send(f, &peer, &host), 1);
	assert_true(fdb_next(f->view->community[0].fdb, 1, &at, &e));
	assert_int_equal(e.age, 0);
	assert_int_equal(e.port, PORT_HERE);
	assert_false(fdb_next(f->view->community[0].fdb, 1, &at, &e));
}

/* ---- frames that pass as the one before ---- */

enum {
	IP_TCP = 6,
	IP_UDP = 17,
	OUR_PORT = 7001,
	IP_LEN = 100
};

/* From host to other. */
static struct frame ip_frame(uint8_t *data, bool v6, uint8_t proto, uint16_t from, uint16_t to)
{
	uint8_t *ip = data + 14, *l4 = ip + (v6 ? 40 : 20);

	memset(data, 0, IP_LEN);
	memcpy(data, other.b, sizeof(other.b));
	memcpy(data + 6, host.b, sizeof(host.b));
	store_be16(data + 12, v6 ? 0x86dd : 0x0800);
	ip[0] = v6 ? 0x60 : 0x45;
	ip[v6 ? 6 : 9] = proto;
	store_be16(l4, from);
	store_be16(l4 + 2, to);
	return (struct frame){.data = data, .len = IP_LEN};
}

static void only_plain_frames_pass_as_the_last(void **state)
{
	struct own_sockets sockets = {.port_v4 = OUR_PORT, .port_v6 = OUR_PORT + 1};
	const struct view v = {.own = &sockets};
	const struct view none = {.own = NULL};

	(void)state;
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const uint16_t port = (uint16_t)(OUR_PORT + v6), client = v6 ? 546 : 68;
		uint8_t first[IP_LEN], second[IP_LEN];
		const struct frame before = ip_frame(first, v6, IP_TCP, 1, 2);
		struct frame f = ip_frame(second, v6, IP_TCP, port, client);

		assert_false(admit_out_again(&v, &f, NULL));
		assert_true(admit_out_again(&v, &f, &before));
		for (unsigned at = 0; at < 14; at++) {
			second[at] ^= 1;
			assert_false(admit_out_again(&v, &f, &before));
			second[at] ^= 1;
		}
		f.len = FRAME_MAX + 1;
		assert_false(admit_out_again(&v, &f, &before));
		f.len = (v6 ? FIRST_HOP_V6_MIN : FIRST_HOP_V4_MIN) - 1;
		assert_false(admit_out_again(&v, &f, &before));
		f = ip_frame(second, v6, IP_UDP, 1, port);
		assert_true(admit_out_again(&v, &f, &before));
		f = ip_frame(second, v6, IP_UDP, port, 1);
		assert_false(admit_out_again(&v, &f, &before));
		assert_true(admit_out_again(&none, &f, &before));
		f = ip_frame(second, v6, IP_UDP, 1, client);
		assert_false(admit_out_again(&v, &f, &before));
		second[14]++; /* other version or options */
		second[14 + (v6 ? 6 : 9)] = v6 ? 58 : IP_TCP;
		assert_false(admit_out_again(&v, &f, &before));
	}
}

static void what_has_a_type_of_its_own_is_asked_each_time(void **state)
{
	const uint16_t types[] = {0x0806, 0x8100, 0x88a8, 0x88b5, 0x0026};
	uint8_t data[IP_LEN];
	struct frame f = ip_frame(data, false, IP_TCP, 1, 2);
	const struct view v = {.own = NULL};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		store_be16(data + 12, types[i]);
		assert_false(admit_out_again(&v, &f, &f));
	}
}

static void links_pass_frames_for_themselves(void **state)
{
	struct link one, two;
	uint8_t data[IP_LEN];
	struct frame f = ip_frame(data, false, IP_TCP, 1, 2);
	struct rx before = {.data = f.data, .len = f.len, .link = &one}, x = before;

	(void)state;
	assert_true(admit_in_again(&x, &before));
	assert_false(admit_in_again(&x, NULL));
	x.link = &two;
	assert_false(admit_in_again(&x, &before));
	/* Those for many are counted, each. */
	x.link = &one;
	data[0] |= 1;
	assert_false(admit_in_again(&x, &before));
}

/* ---- what comes in ---- */

/* To be sent with the next one: UDP or TCP over IPv4, of a kind that is in the middle of a stream.
 */
static void queue_ip(struct fixture *f, const struct mac *from, uint8_t protocol,
	const struct endpoint *at, uint16_t to_port)
{
	const struct mac peer = mac_of(0);
	struct frame *frame = &f->frames[f->n];
	uint8_t *ip;

	queue(f, &peer, from);
	frame->len = 14 + IP4_LEN + 400;
	memset(frame->data + 14, 0, frame->len - 14);
	store_be16(frame->data + 12, 0x0800);
	ip = frame->data + 14;
	ip[0] = 0x45;
	ip[9] = protocol;
	store_be16(ip + 2, (uint16_t)(frame->len - 14));
	memcpy(ip + 12, at->ip + 12, 4);
	ip[16] = 10;
	store_be16(ip + IP4_LEN, at->port);
	store_be16(ip + IP4_LEN + 2, to_port);
	store_be16(ip + IP4_LEN + 4, (uint16_t)(frame->len - 14 - IP4_LEN));
}

/* A stream is asked next to nothing; what hides in it is found all the same. */
static void nothing_passes_for_being_like_the_frame_before(void **state)
{
	const struct endpoint ours = endpoint_v4(0x0a4d0001, 7777), any = {.port = 1000};
	struct view_editor *e = &((struct fixture *)*state)->rig.node.core.view;
	const struct mac peer = mac_of(0);
	struct fixture *f = *state;

	e->own = own_create(&ours, 1);
	assert_non_null(e->own);
	be(f, false);
	for (unsigned udp = 0; udp < 2; udp++) {
		uint8_t protocol = udp ? FIRST_HOP_UDP : FIRST_HOP_TCP;

		queue_ip(f, &own, protocol, &any, 2000);
		queue_ip(f, &own, protocol, &any, 2000);
		queue_ip(f, &own, FIRST_HOP_UDP, &ours, 2000);		     /* our own datagram */
		queue_ip(f, &own, FIRST_HOP_UDP, &any, FIRST_HOP_CLIENT_V4); /* a DHCP server's */
		queue_ip(f, &host, protocol, &any, 2000);		     /* of another host */
		queue_ip(f, &own, protocol, &any, 2000);
		assert_int_equal(send(f, &peer, &own), 4);
	}
	assert_int_equal(dropped(f, DROP_OWN_DATAGRAM), 2);
	assert_int_equal(dropped(f, DROP_OWN_DHCP), 2);
	assert_int_equal(dropped(f, DROP_FOREIGN_SOURCE), 2);
}

/* Where another bridge serves what is untagged, a stream in a VLAN lets nothing else pass. */
static void what_is_shut_stays_shut_behind_a_stream_that_passes(void **state)
{
	static struct vlans_seen seen;
	static const struct gate gate = {
		.bridge = true, .shut = true, .standby = {1}, .seen = &seen};
	const struct endpoint any = {.port = 1000};
	const struct mac peer = mac_of(0);
	struct fixture *f = *state;
	uint8_t *data;

	f->rig.node.core.view.community[0].next.gate = &gate;
	be(f, true);
	for (unsigned i = 0; i < 4; i++) {
		queue_ip(f, &own, FIRST_HOP_TCP, &any, 2000);
		if (i % 2 == 1)
			continue;
		data = f->frames[f->n - 1].data;
		memmove(data + 16, data + 12, f->frames[f->n - 1].len - 16);
		store_be32(data + 12, 0x81000005);
	}
	queue(f, &peer, &own);
	f->n_sent = 0;
	edge_frames_out(&f->w, f->view, 0, f->frames, f->n, START_MS);
	assert_int_equal(f->n_sent, 2);
	f->n = 0;
}

/* A frame with this source came by a peer's link. */
static enum verdict come(struct fixture *f, struct rx *x, unsigned peer, const struct mac *from,
	const struct rx *before)
{
	uint8_t *data = f->slots[f->n++] + SLOT_HEADROOM;

	*x = (struct rx){.link = &f->end[peer].s->link,
		.data = data,
		.len = plain_frame(data, &own, from, 1, FRAME_MIN),
		.verdict = VERDICT_FRAME};
	admit_in(&f->w, f->view, x, before, START_MS);
	return x->verdict;
}

/* What the frame before may is no word for another peer, or for another source. */
static void who_may_send_from_an_address_is_asked_of_each_peer(void **state)
{
	const struct mac victim = mac_of(0);
	struct fixture *f = *state;
	struct rx x[2];

	atomic_store(&f->end[2].s->link.roles, ROLE_BRIDGE);
	assert_int_equal(come(f, &x[0], 2, &host, NULL), VERDICT_FRAME);
	assert_int_equal(come(f, &x[1], 2, &host, &x[0]), VERDICT_FRAME);
	assert_int_equal(come(f, &x[1], 1, &host, &x[0]), VERDICT_DROP);
	assert_int_equal(come(f, &x[1], 2, &victim, &x[0]), VERDICT_DROP);
	assert_int_equal(come(f, &x[1], 2, &own, &x[0]), VERDICT_DROP);
	assert_drops(f, DROP_SOURCE_MAC, 3);
	assert_int_equal(
		fdb_find(f->view->community[0].fdb, mac_number(&host)), f->port[2]->number);
	assert_int_equal(come(f, &x[1], 2, &other, &x[0]), VERDICT_FRAME);
	assert_int_equal(
		fdb_find(f->view->community[0].fdb, mac_number(&other)), f->port[2]->number);
}

#define BRIDGED(name) cmocka_unit_test_setup_teardown(name, setup_bridge, teardown_bridge)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_plain_frames_pass_as_the_last),
		cmocka_unit_test(what_has_a_type_of_its_own_is_asked_each_time),
		cmocka_unit_test(links_pass_frames_for_themselves),
		BRIDGED(what_is_at_our_interface_stays_there),
		BRIDGED(a_host_is_where_it_was_heard_last),
		BRIDGED(members_speak_for_themselves),
		BRIDGED(who_is_no_bridge_carries_its_own_frames_only),
		BRIDGED(frames_to_unknown_addresses_have_a_budget),
		BRIDGED(learning_follows_the_step),
		BRIDGED(nothing_passes_for_being_like_the_frame_before),
		BRIDGED(what_is_shut_stays_shut_behind_a_stream_that_passes),
		BRIDGED(who_may_send_from_an_address_is_asked_of_each_peer),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
