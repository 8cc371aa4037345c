/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the TAP interface in a network namespace of its own; needs root and /dev/net/tun. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feature_sets.h"
#include "os/linux/tap_inside.h"
#include "os/netif.h"
#include "os/poll.h"

#include <cmocka.h>

static struct os_error err;

/* An interface made behind tap.h's back; returns its descriptor. */
static int raw_interface(const char *name, int flags, bool persistent)
{
	struct ifreq ifr = {.ifr_flags = (short)flags};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	assert_true(fd >= 0);
	strcpy(ifr.ifr_name, name);
	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	assert_int_equal(ioctl(fd, TUNSETPERSIST, persistent), 0);
	return fd;
}

static void delete_interface(const char *name)
{
	char command[64];

	snprintf(command, sizeof(command), "ip link delete %s", name);
	assert_int_equal(system(command), 0);
}

static void a_name_that_no_interface_may_have_is_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a/b", "a b", "a:b", "tap%d", "a\n", "1234567890123456"};
	struct tap *tap;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(tap_open(&tap, bad[i], FEATURES_OF_TAP, &err), N2N_EINVAL);
		assert_non_null(strstr(err.text, "cannot name an interface; give 1 to 15"));
	}
	tap_close(NULL);
}

static void an_interface_goes_with_its_last_queue(void **state)
{
	struct tap *tap;

	(void)state;
	assert_int_equal(tap_open(&tap, "123456789012345", FEATURES_OF_TAP, &err), 0);
	assert_string_equal(tap_name(tap), "123456789012345");
	assert_int_not_equal(if_nametoindex("123456789012345"), 0);
	tap_close(tap);
	assert_int_equal(if_nametoindex("123456789012345"), 0);
}

static bool in_use_elsewhere(const char *name, unsigned use)
{
	struct tap *tap;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(tap_open(&tap, name, use, &err) == N2N_EEXIST &&
					strstr(err.text, "is in use by another process") != NULL
				? 0
				: 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	return status == 0;
}

static void an_interface_in_use_is_not_taken(void **state)
{
	struct tap *tap, *second;

	(void)state;
	for (unsigned use = 0; use <= FEATURES_OF_TAP; use = next_set(use, FEATURES_OF_TAP)) {
		assert_int_equal(tap_open(&tap, "t0", use, &err), 0);
		for (unsigned other = 0; other <= FEATURES_OF_TAP;
			other = next_set(other, FEATURES_OF_TAP)) {
			assert_int_equal(tap_open(&second, "t0", other, &err), N2N_EEXIST);
			assert_string_equal(err.text,
				"interface \"t0\" is in use by another process; stop that one or "
				"choose another name");
			assert_int_equal(err.setting, SETTING_INTERFACE);
			assert_true(in_use_elsewhere("t0", other));
		}
		tap_close(tap);
	}
	assert_int_equal(tap_open(&second, "lo", FEATURES_OF_TAP, &err), N2N_EEXIST);
	assert_string_equal(err.text, "interface \"lo\" exists and is not a free TAP; remove it or "
				      "choose another name");
	assert_int_equal(err.setting, SETTING_INTERFACE);
	assert_int_equal(system("ip link add v0 type veth peer name v1"), 0);
	assert_int_equal(tap_open(&second, "v0", 0, &err), N2N_EEXIST);
	assert_non_null(strstr(err.text, "is not a free TAP"));
	delete_interface("v0");
}

/* A persistent interface has one queue or several, as it was made; one process may have it. */
static void a_persistent_one_is_taken_over_if_free(void **state)
{
	(void)state;
	for (int several = 0; several < 2; several++)
		for (unsigned use = 0; use <= FEATURES_OF_TAP;
			use = next_set(use, FEATURES_OF_TAP)) {
			struct tap *tap, *second;
			int fd = raw_interface(
				"t1", IFF_TAP | IFF_NO_PI | (several ? IFF_MULTI_QUEUE : 0), true);

			assert_int_equal(tap_open(&tap, "t1", use, &err), N2N_EEXIST);
			assert_non_null(strstr(err.text, "is in use by another process"));
			close(fd);
			assert_int_equal(tap_open(&tap, "t1", use, &err), 0);
			assert_int_equal((tap_uses(tap) & FEATURE_QUEUES) != 0, several);
			assert_int_equal(tap_open(&second, "t1", use, &err), N2N_EEXIST);
			assert_true(in_use_elsewhere("t1", use));
			assert_int_equal(netif_tap_queues(NULL, "t1"), several);
			tap_close(tap);
			assert_int_not_equal(if_nametoindex("t1"), 0);
			delete_interface("t1");
		}
}

static void a_persistent_tun_is_refused(void **state)
{
	struct tap *tap;

	(void)state;
	close(raw_interface("t2", IFF_TUN | IFF_NO_PI, true));
	assert_int_equal(tap_open(&tap, "t2", FEATURES_OF_TAP, &err), N2N_EEXIST);
	assert_non_null(strstr(err.text, "is not a free TAP"));
	delete_interface("t2");
}

static void queues_are_joined_and_left(void **state)
{
	struct tap *tap, *more, *third;

	(void)state;
	assert_int_equal(tap_open(&tap, "t5", FEATURES_OF_TAP, &err), 0);
	if (!(tap_uses(tap) & FEATURE_QUEUES)) {
		tap_close(tap);
		print_message("this system lacks TAPs with several queues\n");
		skip();
	}
	assert_int_equal(netif_tap_queues(NULL, "t5"), 1);
	assert_int_equal(tap_join(&more, tap, &err), 0);
	assert_int_equal(netif_tap_queues(NULL, "t5"), 2);
	assert_string_equal(tap_name(more), "t5");
	assert_int_equal(tap_uses(more), tap_uses(tap));
	assert_int_equal(tap_kinds(more), tap_kinds(tap));
	assert_int_not_equal(tap_fd(more), tap_fd(tap));
	assert_true(in_use_elsewhere("t5", FEATURES_OF_TAP));
	tap_close(tap);
	assert_int_not_equal(if_nametoindex("t5"), 0);
	assert_int_equal(tap_join(&tap, more, &err), 0);
	delete_interface("t5");
	assert_int_equal(tap_join(&third, more, &err), N2N_ENOENT);
	assert_int_equal(if_nametoindex("t5"), 0);
	tap_close(more);
	tap_close(tap);
}

/* Reads until a frame of the ethertype comes; the kernel sends some of its own accord. */
static int read_type(struct tap *tap, uint8_t *frame, size_t cap, uint16_t type)
{
	struct pollfd p = {.fd = tap_fd(tap), .events = POLLIN};
	int len;

	do {
		struct offload offload;

		assert_int_equal(poll(&p, 1, 2000), 1);
		len = tap_read(tap, frame, cap, &offload);
		assert_true(len >= 14);
	} while ((frame[12] << 8 | frame[13]) != type);
	return len;
}

static int write_plain(struct tap *tap, const uint8_t *frame, size_t len)
{
	struct slice piece = {frame, len};

	return tap_write(tap, &piece, 1, &(struct offload){0});
}

static void check_frames(unsigned use)
{
	static const uint8_t request[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,
		9, /* */
		8, 6, 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 1, 2, 9, 0, 0, 0, 0, 0, 0, 10,
		1, 2, 1};
	const struct mac mac = {{2, 0, 0, 0, 0, 1}};
	struct endpoint ip = endpoint_v4(0x0a010201, 0);
	uint8_t frame[2000];
	struct tap *tap;
	struct offload offload;

	assert_int_equal(tap_open(&tap, "t3", use, &err), 0);
	assert_int_equal(tap_read(tap, frame, sizeof(frame), &offload), N2N_EAGAIN);
	assert_int_equal(write_plain(tap, request, sizeof(request)), N2N_EIO); /* still down */
	assert_int_equal(netif_set_mac(NULL, "t3", &mac, &err), 0);
	assert_int_equal(netif_add_address(NULL, "t3", &ip, 24, &err), 0);
	assert_int_equal(netif_set_up(NULL, "t3", &err), 0);

	/* An ARP request for our address is answered by the kernel, with the MAC we gave it. */
	assert_int_equal(write_plain(tap, request, sizeof(request)), 0);
	assert_true(read_type(tap, frame, sizeof(frame), 0x0806) >= 42);
	assert_memory_equal(frame, request + 6, 6);
	assert_memory_equal(frame + 6, mac.b, 6);
	assert_int_equal(frame[21], 2);

	/* A frame is cut to the room there is. */
	assert_int_equal(write_plain(tap, request, sizeof(request)), 0);
	assert_int_equal(read_type(tap, frame, 20, 0x0806), 20);

	assert_int_equal(write_plain(tap, request, 5), N2N_EIO); /* no whole header */
	assert_int_equal(system("ip link set t3 down"), 0);
	assert_int_equal(write_plain(tap, request, sizeof(request)), N2N_EIO);
	assert_int_equal(netif_set_up(NULL, "t3", &err), 0);
	assert_int_equal(write_plain(tap, request, sizeof(request)), 0); /* it lives on */

	delete_interface("t3");
	assert_int_equal(write_plain(tap, request, sizeof(request)), N2N_ENOENT);
	assert_int_equal(tap_read(tap, frame, sizeof(frame), &offload), N2N_ENOENT);
	tap_close(tap);
}

static void frames_come_and_go(void **state)
{
	(void)state;
	check_frames(0);
	check_frames(FEATURE_QUEUES);
	check_frames(FEATURE_VNET_HDR);
	check_frames(FEATURES_OF_TAP);
}

static struct tap *adopt(int fd, unsigned use)
{
	struct tap *tap;

	assert_int_equal(tap_adopt(&tap, (struct os_handle){fd}, use, &err), 0);
	return tap;
}

/* The kernel asks for its neighbour's address by ARP: a frame comes out, and is waited for. */
static void check_a_frame_comes(struct tap *tap)
{
	struct endpoint ip = endpoint_v4(0x0a010201, 0);
	uint8_t frame[2000];
	struct poll *p;
	unsigned tag = 0;

	assert_int_equal(poll_create(&p), 0);
	assert_int_equal(poll_add_tap(p, tap, 7), 0);
	assert_int_equal(poll_add_tap(p, tap, 8), N2N_EEXIST);
	assert_int_equal(netif_add_address(NULL, tap_name(tap), &ip, 24, &err), 0);
	assert_int_equal(netif_set_up(NULL, tap_name(tap), &err), 0);
	assert_int_not_equal(system("ping -c 1 -W 1 -q 10.1.2.9 > /dev/null 2>&1"), 0);
	assert_int_equal(poll_wait(p, 2000, &tag, 1), 1);
	assert_int_equal(tag, 7);
	assert_true(read_type(tap, frame, sizeof(frame), 0x0806) >= 42);
	poll_destroy(p);
}

static void a_queue_that_another_opened_is_used_like_ones_own(void **state)
{
	int fd = raw_interface("t6", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, false);
	struct tap *tap;

	(void)state;
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0); /* as its opener may have left it */
	tap = adopt(fd, FEATURES_OF_TAP);
	assert_string_equal(tap_name(tap), "t6");
	assert_int_equal(tap_fd(tap), fd);
	assert_true(tap_uses(tap) & FEATURE_VNET_HDR);
	assert_false(tap_uses(tap) & FEATURE_QUEUES);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	check_a_frame_comes(tap);
	tap_close(tap);
	assert_int_equal(if_nametoindex("t6"), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void an_adopted_queue_has_headers_only_if_it_was_opened_so(void **state)
{
	struct tap *tap;

	(void)state;
	tap = adopt(raw_interface("t7", IFF_TAP | IFF_NO_PI, false), FEATURES_OF_TAP);
	assert_int_equal(tap_uses(tap), 0);
	assert_int_equal(tap_kinds(tap), 0);
	check_a_frame_comes(tap);
	tap_close(tap);
	tap = adopt(raw_interface("t7", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, false), 0);
	assert_int_equal(tap_uses(tap), FEATURE_VNET_HDR);
	check_a_frame_comes(tap);
	tap_close(tap);
}

static void an_adopted_queue_can_be_joined(void **state)
{
	struct tap *tap, *more;

	(void)state;
	tap = adopt(
		raw_interface("t8", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE, false), FEATURE_QUEUES);
	assert_int_equal(tap_uses(tap), FEATURE_QUEUES);
	assert_int_equal(tap_join(&more, tap, &err), 0);
	assert_int_equal(netif_tap_queues(NULL, "t8"), 2);
	tap_close(more);
	tap_close(tap);
}

static void what_is_no_tap_is_not_adopted(void **state)
{
	int fd[] = {-1, open("/dev/null", O_RDWR), open("/dev/net/tun", O_RDWR),
		raw_interface("t9", IFF_TUN | IFF_NO_PI, false),
		raw_interface("t9d", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE, false)};
	const struct ifreq detach = {.ifr_flags = IFF_DETACH_QUEUE};
	struct tap *tap = NULL;

	(void)state;
	assert_int_equal(ioctl(fd[4], TUNSETQUEUE, &detach), 0);
	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		assert_int_equal(tap_adopt(&tap, (struct os_handle){fd[i]}, FEATURES_OF_TAP, &err),
			N2N_EINVAL);
		assert_non_null(strstr(err.text, "given as a TAP, is none"));
		if (fd[i] >= 0)
			assert_int_equal(close(fd[i]), 0); /* it stayed ours */
	}
}

static void without_rights_the_advice_is_a_capability(void **state)
{
	struct tap *tap;
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		if (setuid(65534))
			_exit(2);
		_exit(tap_open(&tap, "t4", FEATURES_OF_TAP, &err) == N2N_EPERM &&
					strstr(err.text, "CAP_NET_ADMIN") != NULL
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_no_interface_may_have_is_refused),
		cmocka_unit_test(an_interface_goes_with_its_last_queue),
		cmocka_unit_test(an_interface_in_use_is_not_taken),
		cmocka_unit_test(a_persistent_one_is_taken_over_if_free),
		cmocka_unit_test(a_persistent_tun_is_refused),
		cmocka_unit_test(queues_are_joined_and_left),
		cmocka_unit_test(frames_come_and_go),
		cmocka_unit_test(a_queue_that_another_opened_is_used_like_ones_own),
		cmocka_unit_test(an_adopted_queue_has_headers_only_if_it_was_opened_so),
		cmocka_unit_test(an_adopted_queue_can_be_joined),
		cmocka_unit_test(what_is_no_tap_is_not_adopted),
		cmocka_unit_test(without_rights_the_advice_is_a_capability),
	};

	if (unshare(CLONE_NEWNET) || access("/dev/net/tun", R_OK | W_OK)) {
		print_message("skipped: needs root and /dev/net/tun\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
