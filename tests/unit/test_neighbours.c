/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Questions where an address is: answered here, put to who has it, or to all. */
#include "core/data/neighbours.h"
#include "edge_data_test.h"

#define PEER 1 /* who has 10.1.2.3 */

static const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, 10, 1, 2, 3};

static int setup_claimed(void **state)
{
	int rc = setup(state);
	struct fixture *f = *state;
	struct view_editor *e = &f->rig.node.core.view;

	view_set_interface(e, 0, mac_number(&own), false);
	assert_int_equal(view_put_asked(e, 0, view_ip_key(e->hash_key, address), f->port[PEER]), 0);
	f->view = rig_view(&f->rig);
	return rc;
}

static struct frame *ask_of(struct fixture *f, const struct mac *from, uint8_t last)
{
	static const uint8_t head[] = {0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1};
	struct frame *frame = &f->frames[0];
	struct writer w;

	*frame = (struct frame){.data = f->slots[0] + SLOT_HEADROOM};
	writer_init(&w, frame->data, 60);
	writer_copy(&w, "\xff\xff\xff\xff\xff\xff", 6);
	writer_copy(&w, from->b, 6);
	writer_copy(&w, head, sizeof(head));
	writer_copy(&w, from->b, 6);
	writer_copy(&w, "\x0a\x01\x02\x09\0\0\0\0\0\0\x0a\x01\x02", 13);
	writer_u8(&w, last);
	writer_zero(&w, writer_left(&w));
	frame->len = 60;
	f->n_sent = f->n_written = f->n_notes = 0;
	return frame;
}

/* How many datagrams a question becomes; f->n_written tells whether it was answered. */
static size_t ask(struct fixture *f, const struct mac *from, uint8_t last)
{
	struct frame *frame = ask_of(f, from, last);

	edge_frames_out(&f->w, f->view, 0, frame, 1, START_MS);
	return f->n_sent;
}

static void a_claimed_address_is_answered_here(void **state)
{
	const struct mac its = mac_of(PEER);
	struct fixture *f = *state;

	assert_int_equal(ask(f, &own, 3), 0);
	assert_int_equal(f->n_written, 1);
	assert_int_equal(f->written[0].community, 0);
	assert_int_equal(f->written[0].len, 42);
	assert_memory_equal(f->written[0].data, own.b, 6);
	assert_memory_equal(f->written[0].data + 6, its.b, 6);
	assert_int_equal(load_be16(f->written[0].data + 20), 2);
	assert_drops(f, DROP_ANSWERED, 1);
}

static void any_other_goes_to_all(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, &own, 4), PEERS);
	assert_int_equal(f->n_written, 0);
	/* Behind a bridge that stands by it is another one that speaks for it. */
	atomic_store(&f->end[PEER].s->link.roles, ROLE_BRIDGE | ROLE_STANDBY);
	assert_int_equal(ask(f, &own, 3), PEERS);
	assert_int_equal(f->n_written, 0);
}

/* Nobody else is to hear that, and nothing is said for who may be gone. */
static void who_is_silent_is_asked_alone(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->end[PEER].s->link.unreached, true);
	assert_int_equal(ask(f, &own, 3), 1);
	assert_int_equal(f->n_written, 0);
	atomic_store(&f->end[PEER].s->link.unreached, false);
	assert_int_equal(ask(f, &own, 3), 0);
	assert_int_equal(f->n_written, 1);
}

static void one_without_keys_is_met(void **state)
{
	struct fixture *f = *state;
	struct send_keys *k = atomic_exchange(&f->end[PEER].s->link.tx, NULL);

	assert_int_equal(ask(f, &own, 3), 0);
	assert_int_equal(f->n_written, 0);
	assert_int_equal(f->n_notes, 1);
	assert_int_equal(f->note[0].kind, NOTE_FRAME);
	assert_int_equal(f->note[0].index, f->end[PEER].s->link.id);
	assert_int_equal(f->note[0].len, 60);
	atomic_store(&f->end[PEER].s->link.tx, k);
}

static void one_without_a_mac_address_says_it_himself(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->end[PEER].s->link.mac, LINK_MAC_REFUSED);
	assert_int_equal(ask(f, &own, 3), 1);
	atomic_store(&f->end[PEER].s->link.mac, 0);
	assert_int_equal(ask(f, &own, 3), 1);
	assert_int_equal(f->n_written, 0);
}

/* A host of our LAN asks there too, and may be answered there. */
static void for_hosts_of_our_lan_the_owner_answers(void **state)
{
	static const struct mac host = {{0x52, 0x54, 0, 0, 0, 1}};
	struct fixture *f = *state;

	view_set_interface(&f->rig.node.core.view, 0, mac_number(&own), true);
	f->view = rig_view(&f->rig);
	assert_int_equal(ask(f, &host, 3), 1);
	assert_int_equal(f->n_written, 0);
	assert_int_equal(ask(f, &own, 3), 0);
	assert_int_equal(f->n_written, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CLAIMED(name) cmocka_unit_test_setup_teardown(name, setup_claimed, teardown)
		CLAIMED(a_claimed_address_is_answered_here),
		CLAIMED(any_other_goes_to_all),
		CLAIMED(who_is_silent_is_asked_alone),
		CLAIMED(one_without_keys_is_met),
		CLAIMED(one_without_a_mac_address_says_it_himself),
		CLAIMED(for_hosts_of_our_lan_the_owner_answers),
	};

	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
