/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Budgets of strangers: who draws on what, and that nobody else can use it up. */
#include "core/session/budget.h"
#include "core_test.h"

#define START_MS 5000u

static const uint8_t hash_key[SIPHASH_KEY_LEN] = {3, 1, 4};

static int setup(void **state)
{
	*state = budget_create(hash_key);
	assert_non_null(*state);
	return 0;
}

static int teardown(void **state)
{
	budget_destroy(*state);
	return 0;
}

static struct origin from_v4(uint32_t ip, uint16_t port)
{
	struct origin o = {.way.remote = {.ip = {[10] = 0xff, [11] = 0xff}, .port = port}};

	store_be32(o.way.remote.ip + 12, ip);
	return o;
}

static struct origin from_v6(uint64_t net, uint64_t host)
{
	struct origin o = {.way.remote.port = 7};

	store_be64(o.way.remote.ip, net);
	store_be64(o.way.remote.ip + 8, host);
	return o;
}

static unsigned datagrams(struct budget *b, const struct origin *from, unsigned tries, uint64_t ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += budget_datagram(b, from, ms);
	return n;
}

static unsigned handshakes(
	struct budget *b, const struct origin *from, bool shown, unsigned tries, uint64_t ms)
{
	unsigned n = 0;

	for (unsigned i = 0; i < tries; i++)
		n += budget_handshake(b, from, shown, ms) == BUDGET_GRANTED;
	return n;
}

static void datagrams_are_bounded_by_address_network_and_in_all(void **state)
{
	struct budget *b = *state;
	struct origin a = from_v4(0x0a000001, 1);
	unsigned n = 0;

	assert_int_equal(datagrams(b, &a, 100, START_MS), 50);
	a.way.remote.port = 2; /* another port is no other address */
	assert_int_equal(datagrams(b, &a, 100, START_MS), 0);
	assert_int_equal(datagrams(b, &a, 100, START_MS + 1000), 20);
	for (uint32_t host = 2; host < 200; host++) {
		a = from_v4(0x0a000000 + host, 1);
		n += datagrams(b, &a, 10, START_MS + 1000);
	}
	assert_in_range(n, 100, 200 - 20);
	for (uint32_t net = 1; net < 400; net++) {
		a = from_v4(0x0b000000 + (net << 8), 1);
		n += datagrams(b, &a, 10, START_MS + 1000);
	}
	assert_in_range(n, 980 - 50, 1000);
}

static void a_64_is_one_address(void **state)
{
	struct budget *b = *state;
	unsigned n = 0;

	for (uint64_t host = 0; host < 100; host++) {
		const struct origin a = from_v6(0x20010db800000001, host);

		n += budget_datagram(b, &a, START_MS);
	}
	assert_int_equal(n, 50);
}

/* Any number of forged addresses, each of them new. */
static void forge(struct budget *b, unsigned n, uint64_t now_ms)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct origin a = from_v4(0x0c000000 + i * 257, (uint16_t)i);

		(void)budget_datagram(b, &a, now_ms);
		(void)budget_handshake(b, &a, false, now_ms);
	}
}

static void forged_sources_spend_what_is_for_the_unproven_alone(void **state)
{
	struct budget *b = *state;
	const struct origin honest = from_v4(0x0a000001, 1);

	forge(b, 20000, START_MS);
	assert_int_equal(budget_handshake(b, &honest, false, START_MS), BUDGET_PROVE);
	assert_int_equal(handshakes(b, &honest, true, 1000, START_MS), 300);
	assert_int_equal(budget_handshake(b, &honest, true, START_MS), BUDGET_SPENT);
	assert_int_equal(handshakes(b, &honest, true, 1000, START_MS + 1000), 100);
	/* Quiet again. */
	assert_int_equal(budget_handshake(b, &honest, false, START_MS + 1000), BUDGET_GRANTED);
}

static void a_network_full_of_cookies_has_an_end(void **state)
{
	struct budget *b = *state;
	unsigned n = 0;

	for (uint32_t host = 1; host < 255; host++) {
		const struct origin a = from_v4(0x0a000000 + host, 1);

		n += handshakes(b, &a, true, 10, START_MS);
	}
	assert_int_equal(n, 600);
}

static void each_known_address_has_its_own(void **state)
{
	struct budget *b = *state;
	const struct origin noisy = from_v4(0x0a000001, 1), quiet = from_v4(0x0a000001, 2);

	budget_know(b, &noisy.way.remote);
	budget_know(b, &quiet.way.remote);
	forge(b, 20000, START_MS);
	assert_int_equal(handshakes(b, &noisy, false, 20000, START_MS), 200);
	/* Known as it is: it may be forged, and is asked for a cookie. */
	assert_int_equal(budget_handshake(b, &noisy, false, START_MS), BUDGET_PROVE);
	assert_int_equal(budget_handshake(b, &noisy, true, START_MS), BUDGET_GRANTED);
	/* To be told again of it is no refill. */
	budget_know(b, &noisy.way.remote);
	assert_int_equal(budget_handshake(b, &noisy, false, START_MS), BUDGET_PROVE);
	assert_int_equal(datagrams(b, &quiet, 1000, START_MS), 200);
	/* And as a stranger what any has. */
	assert_int_equal(datagrams(b, &quiet, 1000, START_MS + 1000), 100 + 20);
}

/* Who has many ports has no more for that. */
static void the_ports_of_one_address_share(void **state)
{
	struct budget *b = *state;
	unsigned n = 0;

	forge(b, 20000, START_MS);
	for (uint16_t port = 1; port <= 300; port++) {
		const struct origin at = from_v4(0x0a000001, port);

		budget_know(b, &at.way.remote);
		n += handshakes(b, &at, false, 100, START_MS);
	}
	assert_int_equal(n, 600);
}

static void each_handle_has_its_own(void **state)
{
	struct budget *b = *state;
	struct origin a = {.hop_id = 5, .handle = 1}, other = {.hop_id = 5, .handle = 3};
	unsigned n = 0;

	assert_int_equal(handshakes(b, &a, false, 100, START_MS), 6);
	assert_int_equal(budget_handshake(b, &a, false, START_MS), BUDGET_SPENT);
	assert_int_equal(handshakes(b, &a, false, 100, START_MS + 1000), 1);
	assert_int_equal(datagrams(b, &a, 100, START_MS + 1000), 50);
	assert_int_equal(handshakes(b, &other, false, 100, START_MS + 1000), 6);
	b->relayed_all = (struct bucket){.started = false};
	for (a.handle = 100; a.handle < 1100; a.handle++)
		n += handshakes(b, &a, false, 1, START_MS + 1000);
	assert_int_equal(n, 500); /* of all */
	assert_int_equal(budget_handshake(b, &a, false, START_MS + 1000), BUDGET_SPENT);
}

/* Three hundred that knock as fast as they can leave room for one who knocks as he should. */
static void many_handles_leave_room_for_another(void **state)
{
	struct budget *b = *state;
	unsigned granted = 0;

	for (uint64_t ms = START_MS; ms < START_MS + 10000; ms += 10) {
		/* One of them is honest, and comes at any moment. */
		const uint32_t honest = 1000 + (uint32_t)(ms / 1000 * 37 % 300);
		struct origin from = {.hop_id = 5};

		for (from.handle = 1000; from.handle < 1300; from.handle++) {
			(void)budget_handshake(b, &from, false, ms);
			if (ms % 1000 == 0 && from.handle == honest)
				granted += budget_handshake(b,
						   &(struct origin){.hop_id = 5, .handle = 1},
						   false, ms) == BUDGET_GRANTED;
		}
	}
	assert_in_range(granted, 5, 10);
}

static void answers_have_an_end(void **state)
{
	struct budget *b = *state;
	unsigned n = 0;

	for (unsigned i = 0; i < 3000; i++)
		n += budget_answer(b, START_MS);
	assert_int_equal(n, 1000);
	assert_true(budget_answer(b, START_MS + 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(datagrams_are_bounded_by_address_network_and_in_all),
		TEST(a_64_is_one_address),
		TEST(forged_sources_spend_what_is_for_the_unproven_alone),
		TEST(a_network_full_of_cookies_has_an_end),
		TEST(each_known_address_has_its_own),
		TEST(the_ports_of_one_address_share),
		TEST(each_handle_has_its_own),
		TEST(many_handles_leave_room_for_another),
		TEST(answers_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
