/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests what a parent does for its child, what it refuses, and how the two end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/feature.h"
#include "os/linux/parent_inside.h"
#include "os/parent.h"
#include "os/posix/address.h"
#include "os/rights.h"
#include "os/udp.h"

#include <cmocka.h>

#define DONE	 7  /* what a child returns that found all well */
#define WARNED	 32 /* added by its parent if it warned once */
#define REPORTED 64 /* added by its parent for an error line */
#define TWICE	 99
#define FLOOD	 20000

/* The child's part of a test: DONE, or the number of the line where something is wrong. */
typedef int (*child_part)(struct parent *p);

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return complain(__LINE__);                                                 \
	} while (0)

static int complain(int line)
{
	fprintf(stderr, "line %d\n", line);
	return 1;
}

struct lines {
	int warnings, errors;
};

static void count_line(void *ctx, enum log_level level, const char *line)
{
	struct lines *n = ctx;

	(void)line;
	n->warnings += level == LOG_WARN;
	n->errors += level == LOG_ERROR;
}

static int serve(struct parent *p)
{
	struct lines n = {0};
	const struct log log = {.level = LOG_DEBUG, .sink = count_line, .ctx = &n};
	struct os_error err;
	int status = parent_serve(p, &log, &err);

	parent_destroy(p);
	if (n.warnings > 1 || n.errors > 1)
		return TWICE;
	return status + (n.warnings ? WARNED : 0) + (n.errors ? REPORTED : 0);
}

/* In a network of its own, where every port is free. */
static int part(const struct parent_setup *setup, child_part run)
{
	struct parent *p;
	struct os_error err;

	if (unshare(CLONE_NEWNET) != 0 || parent_fork(&p, setup, &err) != 0)
		return complain(__LINE__);
	return parent_is_here(p) ? serve(p) : run(p);
}

static void need_own_network(void)
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(geteuid() != 0 || unshare(CLONE_NEWNET) != 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0) {
		print_message("needs root and a network of its own\n");
		skip();
	}
}

/* Runs a test's two processes and returns what the parent's exited with. */
static int run(const struct parent_setup *setup, child_part child)
{
	int status;
	pid_t pid;

	need_own_network();
	pid = fork();
	if (pid == 0)
		_exit(part(setup, child));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int ask_udp(struct parent *p, uint32_t family, uint32_t port)
{
	const struct parent_request r = {.kind = REQUEST_UDP, .family = family, .port = port};
	struct parent_answer a;
	int fd = parent_ask(p, &r, &a);

	return fd >= 0 ? fd : -a.error;
}

/* ---- what is configured is done ---- */

static int bind_low_port(struct parent *p)
{
	for (uint32_t family = UDP_V4; family < UDP_FAMILIES; family++) {
		union address at;
		socklen_t len = sizeof(at);
		int type, fd = ask_udp(p, family, 443);

		CHECK(fd >= 0 && getsockname(fd, &at.any, &len) == 0);
		CHECK(address_get(&at).port == 443);
		len = sizeof(type);
		CHECK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM);
	}
	CHECK(ask_udp(p, UDP_V4, 443) == -EADDRINUSE);
	return DONE;
}

static void the_configured_port_is_bound(void **state)
{
	const struct parent_setup s = {.local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, bind_low_port), DONE);
}

static int open_without_rights(struct parent *p)
{
	const struct endpoint at = {.port = 443};
	struct udp *first, *second;
	struct os_error err;

	CHECK(rights_drop(0, &err) == 0);
	CHECK(udp_open(&first, &at, FEATURES_OF_UDP, &err) == N2N_EPERM);
	CHECK(udp_open_by(&first, p, &at, FEATURES_OF_UDP, &err) == 0);
	CHECK(udp_join(&second, first, &err) == 0);
	CHECK(udp_port(first, UDP_V4) == 443 && udp_port(second, UDP_V6) == 443);
	udp_close(first);
	udp_close(second);
	parent_destroy(p);
	return DONE;
}

static void sockets_are_opened_and_joined_through_it(void **state)
{
	const struct parent_setup s = {.local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, open_without_rights), DONE);
}

static int open_interface(struct parent *p)
{
	const struct parent_request r = {
		.kind = REQUEST_TAP, .use = ~0u, .interface = {"mine", "", false}};
	struct parent_answer a;
	struct ifreq now = {0};
	int fd = parent_ask(p, &r, &a);

	CHECK(fd >= 0 && a.why.code == 0);
	CHECK(ioctl(fd, TUNGETIFF, &now) == 0 && strcmp(now.ifr_name, "mine") == 0);
	CHECK(now.ifr_flags & IFF_TAP);
	return DONE;
}

static void the_configured_interface_is_opened(void **state)
{
	const struct parent_setup s = {
		.interfaces = {1, {{"mine", "", false}}}, .local = {.port = 443}};

	(void)state;
	if (access("/dev/net/tun", R_OK | W_OK) != 0) {
		print_message("needs /dev/net/tun\n");
		skip();
	}
	assert_int_equal(run(&s, open_interface), DONE);
}

static bool mine_by_now(void *ctx, struct parent_interfaces *out)
{
	(void)ctx;
	*out = (struct parent_interfaces){1, {{"mine", "", false}}};
	return true;
}

/* The parent sees by itself what the user wants: what the child says of that counts for nothing. */
static int open_new_interface(struct parent *p)
{
	static const struct parent_interface others[] = {
		{"former", "", false}, {"other", "", false}, {"mine", "elsewhere", false}};

	CHECK(open_interface(p) == DONE);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct parent_request r = {.kind = REQUEST_TAP, .interface = others[i]};
		struct parent_answer a;

		CHECK(parent_ask(p, &r, &a) == -1 && a.error == EPERM);
	}
	return DONE;
}

static void an_interface_that_is_wanted_by_now_is_opened(void **state)
{
	const struct parent_setup s = {
		.interfaces = {1, {{"former", "", false}}}, .reread = mine_by_now};

	(void)state;
	if (access("/dev/net/tun", R_OK | W_OK) != 0) {
		print_message("needs /dev/net/tun\n");
		skip();
	}
	assert_int_equal(run(&s, open_new_interface), DONE + WARNED);
}

/* The user changes it again at once. */
static bool mine_for_a_moment(void *ctx, struct parent_interfaces *out)
{
	bool *over = ctx;

	*out = (struct parent_interfaces){.n = 0};
	if (!*over)
		*out = (struct parent_interfaces){1, {{"mine", "", false}}};
	*over = true;
	return true;
}

static int open_after_it_was_reread(struct parent *p)
{
	parent_reread(p);
	parent_reread(NULL);
	return open_interface(p);
}

static void what_was_wanted_when_it_was_reread_counts(void **state)
{
	bool over = false;
	const struct parent_setup s = {.reread = mine_for_a_moment, .ctx = &over};

	(void)state;
	if (access("/dev/net/tun", R_OK | W_OK) != 0) {
		print_message("needs /dev/net/tun\n");
		skip();
	}
	assert_int_equal(run(&s, open_after_it_was_reread), DONE);
}

/* ---- what is not is refused ---- */

static int ask_for_other_ports(struct parent *p)
{
	static const uint32_t ports[] = {0, 1, 442, 444, 7654, 65535, 65536 + 443, ~0u};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		CHECK(ask_udp(p, UDP_V4, ports[i]) == -EPERM);
	CHECK(ask_udp(p, UDP_FAMILIES, 443) == -EPERM && ask_udp(p, ~0u, 443) == -EPERM);
	CHECK(ask_udp(p, UDP_V4, 443) >= 0);
	return DONE;
}

static void other_ports_are_refused_with_one_line(void **state)
{
	const struct parent_setup s = {.local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, ask_for_other_ports), DONE + WARNED);
}

static int ask_for_any_port(struct parent *p)
{
	CHECK(ask_udp(p, UDP_V4, 0) >= 0 && ask_udp(p, UDP_V6, 1024) >= 0);
	CHECK(ask_udp(p, UDP_V4, 443) == -EPERM && ask_udp(p, UDP_V4, 1023) == -EPERM);
	CHECK(ask_udp(p, UDP_V4, 65536) == -EPERM);
	return DONE;
}

static void any_port_is_none_of_the_low_ones(void **state)
{
	const struct parent_setup s = {.local = {.port = 0}};

	(void)state;
	assert_int_equal(run(&s, ask_for_any_port), DONE + WARNED);
}

static int ask_for_another_address(struct parent *p)
{
	const struct endpoint loopback = endpoint_v4(0x7f000001, 443);
	union address at;
	socklen_t len = sizeof(at);
	struct endpoint got;
	int fd = ask_udp(p, UDP_V4, 443);

	CHECK(fd >= 0 && getsockname(fd, &at.any, &len) == 0);
	got = address_get(&at);
	CHECK(endpoint_equal(&got, &loopback));
	CHECK(ask_udp(p, UDP_V6, 443) == -EPERM);
	return DONE;
}

static void another_address_is_refused(void **state)
{
	const struct parent_setup s = {.local = endpoint_v4(0x7f000001, 443)};

	(void)state;
	assert_int_equal(run(&s, ask_for_another_address), DONE + WARNED);
}

static int ask_for_other_things(struct parent *p)
{
	static const uint32_t kinds[] = {0, REQUEST_TAP, REQUEST_DHCP, REQUEST_DHCP + 1, ~0u};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct parent_request r = {.kind = kinds[i], .port = 443};
		struct parent_answer a;

		CHECK(parent_ask(p, &r, &a) == -1 && a.error == EPERM);
		CHECK(a.why.code == N2N_EPERM);
	}
	return DONE;
}

static void an_interface_that_nobody_named_is_refused(void **state)
{
	const struct parent_setup s = {.local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, ask_for_other_things), DONE + WARNED);
}

static int ask_for_a_client(struct parent *p)
{
	const struct parent_request r = {.kind = REQUEST_DHCP, .interface = {"mine", "", true}};
	struct parent_answer a;

	CHECK(parent_ask(p, &r, &a) == -1 && a.error == EPERM && a.why.code == N2N_EPERM);
	return DONE;
}

/* What the child says of itself counts for nothing. */
static void a_dhcp_client_where_none_is_to_be_is_refused(void **state)
{
	const struct parent_setup s = {.interfaces = {1, {{"mine", "", false}}}};

	(void)state;
	assert_int_equal(run(&s, ask_for_a_client), DONE + WARNED);
}

/* The child's end of the socket is the last descriptor it opened. */
static int channel(void)
{
	for (int fd = 64; fd > STDERR_FILENO; fd--) {
		int type;
		socklen_t len = sizeof(type);

		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET)
			return fd;
	}
	return -1;
}

static int ask_without_a_free_number(struct parent *p)
{
	const struct parent_request r = {.kind = REQUEST_TAP, .interface = {"mine", "", false}};
	const struct rlimit few = {16, 16};
	struct parent_answer a;

	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	while (dup(STDERR_FILENO) >= 0)
		continue;
	CHECK(ask_udp(p, UDP_V4, 443) == -EMFILE);
	CHECK(parent_ask(p, &r, &a) == -1 && a.why.code != 0);
	return DONE;
}

static void a_descriptor_that_does_not_arrive_is_an_error(void **state)
{
	const struct parent_setup s = {
		.interfaces = {1, {{"mine", "", false}}}, .local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, ask_without_a_free_number), DONE);
}

static int send_nonsense(struct parent *p)
{
	static const char zeros[4096];
	struct parent_request r = {.kind = REQUEST_UDP, .family = UDP_V4, .port = 443};
	struct parent_answer a;
	int fd = channel();

	CHECK(fd >= 0);
	for (size_t len = 1; len < sizeof(zeros); len += len < 64 ? 1 : 997) {
		CHECK(send(fd, len < sizeof(r) ? (const char *)&r : zeros, len, 0) == (ssize_t)len);
		CHECK(recv(fd, &a, sizeof(a), 0) == sizeof(a) && a.error == EPERM);
	}
	CHECK(ask_udp(p, UDP_V4, 443) >= 0);
	return DONE;
}

static void requests_of_another_length_are_refused(void **state)
{
	const struct parent_setup s = {.local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, send_nonsense), DONE + WARNED);
}

static unsigned descriptors_of(pid_t pid)
{
	char path[32];
	unsigned n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* Sends a request and a descriptor beside it. */
static bool pass(int fd, const struct parent_request *r)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			     .cmsg_type = SCM_RIGHTS}};
	union {
		const void *read;
		void *base;
	} data = {r};
	struct iovec iov = {data.base, sizeof(*r)};
	const struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(fd, &m, 0) == sizeof(*r);
}

static int pass_descriptors(struct parent *p)
{
	struct parent_answer a;
	int fd = channel();
	unsigned before = 0;

	(void)p;
	CHECK(fd >= 0);
	for (uint32_t kind = 0; kind < 1000; kind++) {
		const struct parent_request r = {.kind = kind == REQUEST_UDP ? UINT32_MAX : kind,
			.family = kind,
			.port = UINT32_MAX,
			.join = UINT32_MAX,
			.use = UINT32_MAX};

		CHECK(pass(fd, &r));
		CHECK(recv(fd, &a, sizeof(a), 0) == sizeof(a));
		CHECK(a.error == (kind == REQUEST_REREAD ? EALREADY : EPERM));
		/* Who has answered has opened what it needs for that. */
		if (kind == 0)
			before = descriptors_of(getppid());
	}
	CHECK(before > 0 && descriptors_of(getppid()) == before);
	/* It takes that for the end of requests, and still waits for the child. */
	CHECK(send(fd, &a, 0, 0) == 0);
	(void)poll(NULL, 0, 50);
	return DONE;
}

static void descriptors_passed_to_it_are_not_kept(void **state)
{
	const struct parent_setup s = {.local = {.port = 443}};

	(void)state;
	assert_int_equal(run(&s, pass_descriptors), DONE + WARNED);
}

static int ask_and_not_listen(struct parent *p)
{
	const struct parent_request r = {.kind = REQUEST_UDP, .family = UDP_V4, .port = 0};
	int fd = channel();

	(void)p;
	for (int i = 0; i < FLOOD; i++)
		CHECK(send(fd, &r, sizeof(r), 0) == sizeof(r));
	CHECK(close(fd) == 0);
	return DONE;
}

static void answers_that_nobody_takes_block_nothing(void **state)
{
	const struct parent_setup s = {.local = {.port = 0}};

	(void)state;
	assert_int_equal(run(&s, ask_and_not_listen), DONE);
}

/* ---- life ---- */

static int end_at_once(struct parent *p)
{
	(void)p;
	_exit(DONE);
}

static int die(struct parent *p)
{
	(void)p;
	(void)kill(getpid(), SIGKILL);
	return 0;
}

static int be_told_to_end(struct parent *p)
{
	(void)p;
	(void)kill(getppid(), SIGTERM);
	(void)pause();
	return 0;
}

/* Started by something that does not care for its children. */
static void a_child_that_ends_at_once_is_noticed(void **state)
{
	const struct parent_setup s = {.local = {.port = 0}};
	void (*before)(int);
	int ends[2];
	uint8_t status = 0;

	(void)state;
	need_own_network();
	before = signal(SIGCHLD, SIG_IGN);
	assert_int_equal(pipe(ends), 0);
	if (fork() == 0) {
		status = (uint8_t)part(&s, end_at_once);
		_exit(write(ends[1], &status, 1) != 1);
	}
	assert_int_equal(read(ends[0], &status, 1), 1);
	assert_int_equal(status, DONE);
	(void)signal(SIGCHLD, before);
	close(ends[0]);
	close(ends[1]);
}

static void its_status_tells_how_the_child_ended(void **state)
{
	const struct parent_setup s = {.local = {.port = 0}};

	(void)state;
	assert_int_equal(run(&s, die), 128 + SIGKILL + REPORTED);
	assert_int_equal(run(&s, be_told_to_end), 128 + SIGTERM);
}

static int end_of_pipe;

static int wait_for_the_end(struct parent *p)
{
	(void)p;
	CHECK(write(end_of_pipe, "x", 1) == 1);
	(void)pause();
	return 0;
}

static void the_child_ends_with_its_parent(void **state)
{
	const struct parent_setup s = {.local = {.port = 0}};
	int ends[2];
	char byte;
	pid_t pid;

	(void)state;
	need_own_network();
	assert_int_equal(pipe(ends), 0);
	end_of_pipe = ends[1];
	pid = fork();
	if (pid == 0)
		_exit(part(&s, wait_for_the_end));
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody has the other end any more */
	close(ends[0]);
}

static int part_with_few_rights(void)
{
	const struct parent_setup s = {.keep = RIGHT_INTERFACES};
	struct parent *p;
	struct os_error err;

	CHECK(rights_exceed(RIGHT_INTERFACES) && rights_exceed(0));
	CHECK(rights_drop(RIGHT_INTERFACES, &err) == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	CHECK(!rights_exceed(RIGHT_INTERFACES) && rights_exceed(0));
	CHECK(parent_fork(&p, &s, &err) == 0 && p == NULL && !parent_is_here(p));
	CHECK(rights_drop(RIGHT_FILES, &err) == 0 && !rights_exceed(0));
	parent_destroy(p);
	return DONE;
}

/* Rights that are given up do not come back: in a process of its own. */
static void assert_done_apart(int (*what)(void))
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), DONE);
}

static void who_has_few_rights_has_no_parent(void **state)
{
	(void)state;
	assert_done_apart(part_with_few_rights);
}

/* A sandbox in which capset fails. */
static int forbid_capset(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_capset, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static int drop_in_a_sandbox(void)
{
	struct os_error err;

	CHECK(forbid_capset() == 0);
	CHECK(rights_drop(0, &err) == N2N_EPERM);
	CHECK(strstr(err.text, "cannot give up") && strstr(err.text, "allow capset"));
	CHECK(rights_exceed(0));
	return DONE;
}

static void rights_that_stay_are_an_error(void **state)
{
	(void)state;
	assert_done_apart(drop_in_a_sandbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configured_port_is_bound),
		cmocka_unit_test(sockets_are_opened_and_joined_through_it),
		cmocka_unit_test(the_configured_interface_is_opened),
		cmocka_unit_test(an_interface_that_is_wanted_by_now_is_opened),
		cmocka_unit_test(what_was_wanted_when_it_was_reread_counts),
		cmocka_unit_test(other_ports_are_refused_with_one_line),
		cmocka_unit_test(any_port_is_none_of_the_low_ones),
		cmocka_unit_test(another_address_is_refused),
		cmocka_unit_test(an_interface_that_nobody_named_is_refused),
		cmocka_unit_test(a_dhcp_client_where_none_is_to_be_is_refused),
		cmocka_unit_test(a_descriptor_that_does_not_arrive_is_an_error),
		cmocka_unit_test(requests_of_another_length_are_refused),
		cmocka_unit_test(descriptors_passed_to_it_are_not_kept),
		cmocka_unit_test(answers_that_nobody_takes_block_nothing),
		cmocka_unit_test(a_child_that_ends_at_once_is_noticed),
		cmocka_unit_test(its_status_tells_how_the_child_ended),
		cmocka_unit_test(the_child_ends_with_its_parent),
		cmocka_unit_test(who_has_few_rights_has_no_parent),
		cmocka_unit_test(rights_that_stay_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
