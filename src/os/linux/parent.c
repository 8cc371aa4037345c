/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the parting in two processes, what passes between them, and the parent's life. */
#define _GNU_SOURCE
#include "os/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/dhcp_clients.h"
#include "os/linux/netns_inside.h"
#include "os/linux/parent_inside.h"
#include "os/linux/tap_inside.h"
#include "os/linux/udp_inside.h"
#include "os/rights.h"
#include "os/sys.h"

#define NAME		"n2n-parent" /* in process listings, at most 15 bytes */
#define SHELL_SIGNAL	128
#define UNPRIVILEGED	1024
#define SIGNALS_AT_ONCE 8

struct parent {
	struct parent_setup setup;
	int home;    /* parent: the namespace it is in; -1: it enters no other */
	int channel; /* this process's end */
	int signals; /* parent: what it hands on, and SIGCHLD */
	pid_t child; /* 0: this is the child */
	pid_t parent;
	sigset_t handed_on;
	struct dhcp_clients clients;
	bool may_packets; /* it kept the rights that they take */
	bool refused;	  /* something, which was told */
};

/* ---- parting ---- */

/* What the parent hands on, and word of the child. */
static sigset_t taken_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	return set;
}

static void become_child(struct parent *p, int channel, pid_t parent, const sigset_t *mask)
{
	/* One that can be taken as a wish to end, and is not ignored as what starts us may do. */
	(void)signal(SIGTERM, SIG_DFL);
	/* The parent may have died before it could be waited for. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 || getppid() != parent)
		_exit(SHELL_SIGNAL + SIGKILL);
	p->channel = channel;
	p->child = 0;
	p->parent = parent;
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
}

/* 0 or an errno. */
static int part(struct parent *p)
{
	const sigset_t taken = taken_signals();
	pid_t self = getpid();
	sigset_t before;
	int ends[2], error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return errno;
	/* Who ignores it, as what starts us may have done, cannot wait for a child. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, &taken, &before);
	p->child = fork();
	error = p->child < 0 ? errno : 0;
	if (error != 0)
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
	close(ends[p->child == 0 ? 0 : 1]);
	if (p->child == 0)
		become_child(p, ends[1], self, &before);
	else
		p->channel = ends[0];
	return error;
}

int parent_fork(struct parent **out, const struct parent_setup *setup, struct os_error *err)
{
	struct parent *p;
	int error;

	*out = NULL;
	if (!rights_exceed(setup->keep))
		return 0;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return os_error_set(err, N2N_ENOMEM, "no memory for a second process; free some");
	p->setup = *setup;
	p->signals = p->channel = p->home = -1;
	error = part(p);
	if (error != 0) {
		parent_destroy(p);
		return os_error_set(err, os_errno(error),
			"cannot start a second process: %s; free memory or raise the limit of "
			"processes (ulimit -u)",
			strerror(error));
	}
	*out = p;
	return 0;
}

bool parent_is_here(const struct parent *p)
{
	return p != NULL && p->child != 0;
}

unsigned parent_number(const struct parent *p)
{
	return p != NULL ? (unsigned)p->parent : 0;
}

bool parent_is_gone(const struct parent *p)
{
	return p != NULL && p->child == 0 && getppid() != p->parent;
}

void parent_destroy(struct parent *p)
{
	if (p == NULL)
		return;
	if (p->channel >= 0)
		close(p->channel);
	if (p->signals >= 0)
		close(p->signals);
	if (p->home >= 0)
		close(p->home);
	free(p);
}

/* ---- the child's side ---- */

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

static int descriptor_in(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int parent_ask(struct parent *p, const struct parent_request *request, struct parent_answer *answer)
{
	struct iovec iov = {answer, sizeof(*answer)};
	union control control;
	struct msghdr m = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control)};
	ssize_t got = -1;
	int fd = -1;

	if (send(p->channel, request, sizeof(*request), MSG_NOSIGNAL) == sizeof(*request))
		do
			got = recvmsg(p->channel, &m, MSG_CMSG_CLOEXEC);
		while (got < 0 && errno == EINTR);
	if (got == sizeof(*answer))
		fd = descriptor_in(&m);
	if (got == sizeof(*answer) && (fd >= 0 || answer->error != 0 || answer->why.code != 0))
		return fd;
	memset(answer, 0, sizeof(*answer));
	answer->error = got == sizeof(*answer) ? EMFILE : EPIPE;
	(void)os_error_set(&answer->why, os_errno(answer->error),
		"nothing came from the parent process: %s; start the program again, or raise the "
		"limit of open files (ulimit -n)",
		strerror(answer->error));
	return -1;
}

void parent_reread(struct parent *p)
{
	const struct parent_request r = {.kind = REQUEST_REREAD};
	struct parent_answer a;

	if (p != NULL)
		(void)parent_ask(p, &r, &a);
}

/* ---- the parent's side: namespaces ---- */

/* 0 or an errno. Empty: it is there already. */
static int visit(const struct parent *p, const char *netns)
{
	if (netns[0] == 0)
		return 0;
	return p->home >= 0 ? netns_go(netns) : EPERM;
}

/* Who does not get home would do the rest in the wrong place. */
static void come_home(const struct parent *p, const char *netns)
{
	if (netns[0] != 0 && p->home >= 0 && setns(p->home, CLONE_NEWNET) != 0)
		_exit(SHELL_SIGNAL + SIGABRT);
}

static bool wants_namespaces(const struct parent_setup *s)
{
	bool any = s->underlay_netns[0] != 0;

	for (unsigned i = 0; i < s->interfaces.n; i++)
		any = any || s->interfaces.at[i].netns[0] != 0;
	return any;
}

/* ---- the parent's side: requests ---- */

/* A port that anybody may open is not refused where any will do. */
static bool udp_is_configured(const struct parent *p, const struct parent_request *r)
{
	const struct endpoint *at = &p->setup.local;

	if (r->family >= UDP_FAMILIES ||
		(!endpoint_is_none(at) && endpoint_is_v4(at) != (r->family == UDP_V4)))
		return false;
	if (at->port != 0)
		return r->port == at->port;
	return r->port == 0 || (r->port >= UNPRIVILEGED && r->port <= UINT16_MAX);
}

static int answer_udp(
	const struct parent *p, const struct parent_request *r, struct parent_answer *a)
{
	struct endpoint at = p->setup.local;
	int fd = -1;

	at.port = (uint16_t)r->port;
	if (endpoint_is_none(&at))
		memset(at.ip, 0, sizeof(at.ip));
	a->error = visit(p, p->setup.underlay_netns);
	if (a->error == 0)
		a->error = udp_make_socket(&fd, (enum udp_family)r->family, &at, r->join != 0);
	come_home(p, p->setup.underlay_netns);
	return fd;
}

/* dhcp: one for a client. */
static bool has_interface(
	const struct parent_interfaces *all, const struct parent_interface *i, bool dhcp)
{
	for (unsigned k = 0; k < all->n; k++)
		if (strcmp(all->at[k].name, i->name) == 0 &&
			strcmp(all->at[k].netns, i->netns) == 0 && (all->at[k].dhcp || !dhcp))
			return true;
	return false;
}

static bool reread(struct parent *p)
{
	struct parent_interfaces now = {.n = 0};

	if (p->setup.reread == NULL || !p->setup.reread(p->setup.ctx, &now))
		return false;
	p->setup.interfaces = now;
	return true;
}

/* One that is not known yet may be one that the user wants by now. */
static bool interface_is_configured(struct parent *p, struct parent_request *r)
{
	bool dhcp = r->kind == REQUEST_DHCP;

	r->interface.name[sizeof(r->interface.name) - 1] = 0;
	r->interface.netns[sizeof(r->interface.netns) - 1] = 0;
	if (has_interface(&p->setup.interfaces, &r->interface, dhcp))
		return true;
	return reread(p) && has_interface(&p->setup.interfaces, &r->interface, dhcp);
}

static int answer_tap(
	const struct parent *p, const struct parent_request *r, struct parent_answer *a)
{
	const char *netns = r->interface.netns;
	int fd = -1, error = visit(p, netns);

	if (error != 0)
		(void)netns_explain(&a->why, error, netns);
	else
		a->why.code = tap_make_queue(&fd, r->interface.name, r->use, r->join != 0, &a->why);
	come_home(p, netns);
	return fd;
}

/* One that an interface is in, or we. */
static bool netns_is_configured(const struct parent *p, struct parent_request *r)
{
	r->interface.name[sizeof(r->interface.name) - 1] = 0;
	r->interface.netns[sizeof(r->interface.netns) - 1] = 0;
	r->setting[sizeof(r->setting) - 1] = 0;
	for (unsigned i = 0; i < p->setup.interfaces.n; i++)
		if (strcmp(p->setup.interfaces.at[i].netns, r->interface.netns) == 0)
			return true;
	return false;
}

static int open_setting(const struct parent_request *r)
{
	char path[128];

	if (strchr(r->interface.name, '/') != NULL || strchr(r->setting, '/') != NULL ||
		r->interface.name[0] == 0 || r->interface.name[0] == '.') {
		errno = EINVAL;
		return -1;
	}
	snprintf(
		path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", r->interface.name, r->setting);
	return open(path, O_RDWR | O_CLOEXEC);
}

/* What the child does with interfaces where it is it does by itself. */
static int answer_there(
	const struct parent *p, const struct parent_request *r, struct parent_answer *a)
{
	const char *netns = r->interface.netns;
	int fd = -1;

	a->error = visit(p, netns);
	if (a->error == 0) {
		fd = r->kind == REQUEST_NETLINK
			     ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)
			     : open_setting(r);
		a->error = fd < 0 ? errno : 0;
	}
	come_home(p, netns);
	return fd;
}

static int answer_dhcp(struct parent *p, const struct parent_request *r, struct parent_answer *a)
{
	int fd = -1, error;

	if (!p->may_packets)
		a->why.code = os_error_set(&a->why, N2N_ENOSYS,
			"a DHCP client for interface \"%.15s\" takes rights that this program gave "
			"up when it was started without one; start it again",
			r->interface.name);
	else if ((error = visit(p, r->interface.netns)) != 0)
		a->why.code = netns_explain(&a->why, error, r->interface.netns);
	else
		fd = dhcp_clients_add(&p->clients, &r->interface, &a->why);
	come_home(p, r->interface.netns);
	if (fd < 0 && a->why.code == 0)
		a->error = EIO;
	return fd;
}

/* Does what a request asks for, if it is configured, and returns the descriptor or -1. */
static int answer(struct parent *p, struct parent_request *r, struct parent_answer *a)
{
	memset(a, 0, sizeof(*a));
	if (r->kind == REQUEST_UDP && udp_is_configured(p, r))
		return answer_udp(p, r, a);
	if (r->kind == REQUEST_TAP && interface_is_configured(p, r))
		return answer_tap(p, r, a);
	if (r->kind == REQUEST_DHCP && interface_is_configured(p, r))
		return answer_dhcp(p, r, a);
	if ((r->kind == REQUEST_NETLINK || r->kind == REQUEST_SETTING) && netns_is_configured(p, r))
		return answer_there(p, r, a);
	if (r->kind == REQUEST_REREAD) {
		(void)reread(p);
		a->error = EALREADY;
		return -1;
	}
	a->error = EPERM;
	(void)os_error_set(&a->why, N2N_EPERM, "the parent process refuses what is not configured");
	return -1;
}

/* A child that does not take its answers gets none. */
static void send_answer(const struct parent *p, struct parent_answer *a, int fd)
{
	struct iovec iov = {a, sizeof(*a)};
	union control control = {.align = {.cmsg_len = CMSG_LEN(sizeof(fd)),
					 .cmsg_level = SOL_SOCKET,
					 .cmsg_type = SCM_RIGHTS}};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof(control);
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	}
	(void)!sendmsg(p->channel, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (fd >= 0)
		close(fd);
}

/* Serves one request; false when the child has closed its end. */
static bool serve_request(struct parent *p, const struct log *log)
{
	struct parent_request r = {0};
	struct parent_answer a;
	ssize_t got = recv(p->channel, &r, sizeof(r), MSG_DONTWAIT | MSG_TRUNC);
	int fd;

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	if (got != sizeof(r))
		memset(&r, 0, sizeof(r));
	fd = answer(p, &r, &a);
	if (fd < 0 && a.error == EPERM && a.why.code == N2N_EPERM && !p->refused) {
		p->refused = true;
		log_warn(log, "the process that has no rights asked for what is not configured, "
			      "and was refused; it may have been broken into");
	}
	send_answer(p, &a, fd);
	return true;
}

/* ---- the parent's side: life ---- */

static int explain_end(const struct parent *p, int status, const struct log *log)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (!sigismember(&p->handed_on, WTERMSIG(status)))
		log_error(log,
			"killed by signal %d (%s); nothing was saved or said to others at the end",
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	return SHELL_SIGNAL + WTERMSIG(status);
}

/* Hands on what came; true when the child has ended, with its status. */
static bool take_signals(struct parent *p, int *status)
{
	struct signalfd_siginfo came[SIGNALS_AT_ONCE];
	ssize_t got = read(p->signals, came, sizeof(came));

	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(came[0]); i++) {
		if (came[i].ssi_signo == SIGCHLD)
			continue;
		sigaddset(&p->handed_on, (int)came[i].ssi_signo);
		(void)kill(p->child, (int)came[i].ssi_signo);
	}
	return waitpid(p->child, status, WNOHANG) == p->child;
}

/* What a program ignores is not to end its parent, either. */
static int settle(struct parent *p, struct os_error *err)
{
	const sigset_t taken = taken_signals();
	unsigned keep = RIGHT_INTERFACES | RIGHT_LOW_PORTS;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	(void)prctl(PR_SET_NAME, NAME, 0, 0, 0);
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	sys_open_standard();
	p->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p->signals < 0)
		return os_error_set(err, os_errno(errno),
			"cannot wait for signals: %s; raise the limit of open files (ulimit -n)",
			strerror(errno));
	/* The driver's device may belong to another user. */
	if (p->setup.interfaces.n > 0)
		keep |= RIGHT_FILES;
	for (unsigned i = 0; i < p->setup.interfaces.n; i++)
		p->may_packets = p->may_packets || p->setup.interfaces.at[i].dhcp;
	if (p->may_packets)
		keep |= RIGHT_PACKETS | RIGHT_HELPERS;
	if (wants_namespaces(&p->setup)) {
		p->home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		keep |= RIGHT_NAMESPACES;
	}
	return rights_drop(keep, err);
}

/* Waits for what comes next, and looks after the clients. False: none of these is left. */
static bool wait_for_more(struct parent *p, struct pollfd on[2 + COMMUNITIES_MAX])
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		const struct dhcp_client *c = &p->clients.at[i];

		on[2 + i] = (struct pollfd){
			.fd = c->used && !c->ending ? c->words : -1, .events = POLLIN};
	}
	on[0].revents = on[1].revents = 0;
	(void)poll(on, 2 + COMMUNITIES_MAX, dhcp_clients_wait_ms(&p->clients, sys_now_ms()));
	return dhcp_clients_look(&p->clients, sys_now_ms());
}

/* They have no tunnel any more, but addresses to give back. */
static void end_clients(struct parent *p, struct pollfd on[2 + COMMUNITIES_MAX])
{
	struct signalfd_siginfo came[SIGNALS_AT_ONCE];

	on[1].fd = -1;
	dhcp_clients_end(&p->clients, sys_now_ms());
	while (dhcp_clients_look(&p->clients, sys_now_ms())) {
		(void)wait_for_more(p, on);
		(void)!read(p->signals, came, sizeof(came));
	}
}

int parent_serve(struct parent *p, const struct log *log, struct os_error *err)
{
	int rc = settle(p, err), status = 0;
	struct pollfd on[2 + COMMUNITIES_MAX] = {
		{.fd = p->signals, .events = POLLIN}, {.fd = p->channel, .events = POLLIN}};

	sigemptyset(&p->handed_on);
	if (rc != 0) {
		(void)kill(p->child, SIGKILL);
		(void)waitpid(p->child, NULL, 0);
		return rc;
	}
	while (!take_signals(p, &status)) {
		if (on[1].revents != 0 && !serve_request(p, log))
			on[1].fd = -1;
		(void)wait_for_more(p, on);
	}
	end_clients(p, on);
	return explain_end(p, status, log);
}
