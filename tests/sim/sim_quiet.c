/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks where an address is, who hears it, and who answers. */
#include <stdio.h>

#include "sim_hosts.h"

#define FEW 4

static void start(struct hosts *h)
{
	sim_start_all(h->s);
	assert_true(sim_until(h->s, 30000, sim_all_up, h->s));
	sim_run(h->s, 10000);
}

static void what_members_claim_nobody_else_is_asked_for(void **state)
{
	struct hosts h;

	(void)state;
	hosts_init(&h, FEW);
	start(&h);
	assert_int_equal(host_uses(&h, 1, 2), KNOWS_REACHABLE);
	hosts_check(&h);
	assert_int_equal(h.replies, 1);
	hosts_run(&h, 5000);
	assert_int_equal(h.heard, 0);
	/* Asked again of that host alone, it answers by itself. */
	hosts_run(&h, REACHABLE_MS);
	assert_int_equal(host_uses(&h, 1, 2), KNOWS_DELAY);
	hosts_run(&h, 10000);
	assert_int_equal(h.revalidated, 1);
	assert_int_equal(entry_of(&h, 1, 2)->how, KNOWS_REACHABLE);
	assert_int_equal(h.heard, 0);
	hosts_fini(&h);
}

/* One that nobody claims is asked for of all, as are probes for one that is claimed. */
static void all_hear_what_is_for_all(void **state)
{
	static const uint8_t nobody[4], other[4] = {10, 0, 9, 9};
	uint8_t claimed[4], own[4];
	struct hosts h;

	(void)state;
	hosts_init(&h, FEW);
	start(&h);
	address_of(own, 1);
	address_of(claimed, 2);
	say_arp(h.s->nodes[1], &to_everybody, 1, own, other);
	hosts_run(&h, 500);
	assert_int_equal(h.heard, FEW - 1);
	assert_int_equal(h.replies, 0);
	say_arp(h.s->nodes[1], &to_everybody, 1, nobody, claimed);
	hosts_run(&h, 500);
	assert_int_equal(h.heard, 2 * (FEW - 1));
	assert_int_equal(h.replies, 1); /* of who has it, to who probes */
	h.announced = 0;
	say_arp(h.s->nodes[1], &to_everybody, 1, own, own);
	hosts_run(&h, 500);
	assert_int_equal(h.announced, FEW - 1);
	hosts_fini(&h);
}

/* After the first frame that it did not answer. */
static void a_dead_member_is_not_answered_for(void **state)
{
	struct hosts h;

	(void)state;
	hosts_init(&h, FEW);
	start(&h);
	sim_stop(h.s->nodes[2], false);
	hosts_run(&h, 1000);
	assert_int_equal(host_uses(&h, 1, 2), KNOWS_REACHABLE); /* nobody knows yet */
	(void)sim_send(h.s->nodes[1], h.s->nodes[3]);
	host_asks(&h, 1, 2, &entry_of(&h, 1, 2)->mac); /* to that host alone */
	hosts_run(&h, 4000);
	*entry_of(&h, 1, 2) = (struct entry){.how = KNOWS_NOT};
	h.replies = 0;
	assert_int_equal(host_uses(&h, 1, 2), KNOWS_INCOMPLETE);
	hosts_run(&h, 5000);
	assert_int_equal(entry_of(&h, 1, 2)->how, KNOWS_NOT);
	assert_int_equal(h.failed, 1);
	assert_int_equal(h.replies, 0);
	assert_int_equal(h.heard, 0); /* nor is anybody else bothered */
	/* It is back. */
	sim_start(h.s->nodes[2]);
	hosts_run(&h, 5000);
	(void)host_uses(&h, 1, 2);
	hosts_run(&h, 3000);
	assert_int_equal(entry_of(&h, 1, 2)->how, KNOWS_REACHABLE);
	hosts_fini(&h);
}

/* Whoever is asked again after a long silence is met by the question, and answers himself. */
static void who_has_no_keys_any_more_is_asked(void **state)
{
	struct hosts h;

	(void)state;
	hosts_init(&h, FEW);
	start(&h);
	hosts_run(&h, 600000);
	assert_null(session_sending(sim_session(h.s->nodes[1], h.s->nodes[2]), h.s->now_ms));
	(void)host_uses(&h, 1, 2);
	hosts_run(&h, 1000);
	assert_int_equal(entry_of(&h, 1, 2)->how, KNOWS_REACHABLE);
	assert_int_equal(h.heard, 1);
	hosts_check(&h);
	hosts_fini(&h);
}

static void two_who_claim_it_are_both_asked(void **state)
{
	struct hosts h;

	(void)state;
	hosts_init(&h, FEW);
	h.s->nodes[3]->setup.address[0] = h.s->nodes[2]->setup.address[0];
	start(&h);
	(void)host_uses(&h, 1, 2);
	hosts_run(&h, 500);
	assert_int_equal(h.heard, FEW - 1);
	assert_int_equal(sim_drops(h.s->nodes[1], DROP_ANSWERED), 0);
	hosts_fini(&h);
}

/* Hosts hear at once that a member has another MAC address, bridges or not. */
static void nobody_keeps_an_old_mac_address(void **state)
{
	const struct mac other = {{0x52, 0x54, 0, 0, 0, 7}};
	struct hosts h;

	for (unsigned named = 0; named < 2; named++) {
		struct trusted bridge = {.roles = ROLE_BRIDGE};

		(void)state;
		hosts_init(&h, FEW);
		for (unsigned i = 1; named && i <= FEW; i++) {
			h.s->nodes[i]->setup.trusted[0] = bridge;
			h.s->nodes[i]->setup.n_trusted = 1;
		}
		start(&h);
		(void)host_uses(&h, 1, 2);
		hosts_run(&h, 500);
		assert_int_equal(entry_of(&h, 1, 2)->how, KNOWS_REACHABLE);
		assert_int_equal(edge_set_mac(h.s->nodes[2]->edge, 0, &other, h.s->now_ms), 0);
		hosts_run(&h, 500);
		assert_memory_equal(entry_of(&h, 1, 2)->mac.b, other.b, 6);
		hosts_check(&h);
		hosts_fini(&h);
	}
}

/* While it is not known whether a LAN has it, everybody is asked. */
static void a_claim_on_trial_is_not_answered_for(void **state)
{
	struct hosts h;

	(void)state;
	hosts_init(&h, FEW);
	h.s->nodes[1]->setup.trusted[0] = (struct trusted){.roles = ROLE_BRIDGE};
	h.s->nodes[1]->setup.n_trusted = 1;
	start(&h);
	(void)host_uses(&h, 1, 2);
	hosts_run(&h, 500);
	assert_int_equal(h.heard, FEW - 1);
	assert_int_equal(entry_of(&h, 1, 2)->how, KNOWS_REACHABLE);
	h.heard = 0;
	hosts_run(&h, 351000);
	(void)host_uses(&h, 1, 3);
	hosts_run(&h, 1500);
	assert_true(h.heard <= 1);
	assert_int_equal(entry_of(&h, 1, 3)->how, KNOWS_REACHABLE);
	hosts_fini(&h);
}

/* Each host says something to four others every minute and a half. */
static void an_idle_network_carries_no_arp(unsigned edges, uint64_t ms)
{
	struct hosts h;
	uint64_t begin_ms;

	hosts_init(&h, edges);
	start(&h);
	begin_ms = h.s->now_ms;
	for (unsigned round = 0; h.s->now_ms < begin_ms + ms; round++) {
		for (unsigned i = 1 + round % 90; i < h.n; i += 90)
			for (unsigned k = 1; k <= 4; k++)
				(void)host_uses(&h, i, 1 + (i + k * 7) % edges);
		hosts_run(&h, 1000);
	}
	printf("%u hosts: %.2f questions a second, heard %.1f times a second by others\n", edges,
		(double)h.asked * 1000 / (double)ms, (double)h.heard * 1000 / (double)ms);
	assert_true(h.asked > 0);
	assert_int_equal(h.failed, 0);
	/* Only of who had no keys, and by that one alone. */
	assert_true(h.heard <= h.asked);
	assert_true(h.heard * 1000 <= 10 * ms);
	hosts_check(&h);
	hosts_fini(&h);
}

static void an_idle_network_is_quiet(void **state)
{
	(void)state;
	an_idle_network_carries_no_arp(60, 270000);
}

static void an_idle_network_of_200_is_quiet(void **state)
{
	(void)state;
	an_idle_network_carries_no_arp(200, 180000);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_members_claim_nobody_else_is_asked_for),
		cmocka_unit_test(all_hear_what_is_for_all),
		cmocka_unit_test(a_dead_member_is_not_answered_for),
		cmocka_unit_test(who_has_no_keys_any_more_is_asked),
		cmocka_unit_test(two_who_claim_it_are_both_asked),
		cmocka_unit_test(nobody_keeps_an_old_mac_address),
		cmocka_unit_test(a_claim_on_trial_is_not_answered_for),
		cmocka_unit_test(an_idle_network_is_quiet),
	};
	const struct CMUnitTest full[] = {
		cmocka_unit_test(an_idle_network_of_200_is_quiet),
	};

	(void)argv;
	if (crypto_start() != 0)
		return 1;
	if (argc > 1)
		return sim_end(cmocka_run_group_tests(full, NULL, NULL));
	return sim_end(cmocka_run_group_tests(tests, NULL, NULL));
}
