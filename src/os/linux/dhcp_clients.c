/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owns the processes of DHCP clients: which there are, how they are started and ended. */
#define _GNU_SOURCE
#include "os/linux/dhcp_clients.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/linux/netns_inside.h"

#define PAUSE_FIRST_MS 1000u
#define PAUSE_MAX_MS   60000u
#define LASTED_MS      60000u /* who ran so long begins with the first pause again */
#define RELEASE_MS     2000u
#define ARGS_MAX       20
#define PATH_CAP       4096
#define NAME_CAP       (INTERFACE_NAME_MAX + 64)

#define PATH "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

/*
 * In arguments %i is the interface, %h this program, %c a file with config in it. Nobody is asked
 * for more than an address: what a client asks for it may set.
 */
struct dhcp_program {
	const char *name;
	const char *package; /* Debian's */
	const char *start[ARGS_MAX];
	const char *release[ARGS_MAX]; /* a command that ends it, or ... */
	int signal;		       /* ... what does; sent to it as well as to nobody else */
	const char *config;
};

/* What AppArmor's profile lets dhclient read and write in /run are files with such names. */
#define DHCLIENT_FILES                                                                             \
	"-cf", "/run/nm-n2n-%i.conf", "-lf", "/run/dhclient.n2n-%i.leases", "-pf",                 \
		"/run/dhclient.n2n-%i.pid"

static const struct dhcp_program programs[] = {
	{
		.name = "udhcpc",
		.package = "udhcpc",
		.start = {"udhcpc", "-f", "-R", "-i", "%i", "-s", "%h", "-t", "4", "-T", "2", "-A",
			"3", "-o", "-O", "subnet"},
		.signal = SIGTERM,
	},
	{
		.name = "dhcpcd",
		.package = "dhcpcd-base",
		/* Without asking first whether the address is another's, which the server does, and
		 * without link-local addresses, routes and scripts. */
		.start = {"dhcpcd", "-B", "-q", "-4", "-f", "/dev/null", "-c", "/bin/true", "-A",
			"-G", "-L", "--nodelay", "-O", "interface_mtu", "%i"},
		.signal = SIGALRM,
	},
	{
		.name = "dhclient",
		.package = "isc-dhcp-client",
		.start = {"dhclient", "-d", "-q", "-4", DHCLIENT_FILES, "%i"},
		.release = {"dhclient", "-r", "-q", "-4", DHCLIENT_FILES, "%i"},
		.signal = SIGTERM,
		.config = "request subnet-mask, broadcast-address;\n"
			  "initial-interval 1;\nbackoff-cutoff 5;\nretry 3;\ntimeout 20;\n",
	},
};

#define CONFIG_FILE "/run/nm-n2n-%s.conf"

/* ---- which there is ---- */

/* Where a program is. */
static bool find_program(const char *name, char path[PATH_CAP])
{
	for (const char *at = PATH; *at != 0;) {
		size_t len = strcspn(at, ":");

		snprintf(path, PATH_CAP, "%.*s/%s", (int)len, at, name);
		if (access(path, X_OK) == 0)
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

static const struct dhcp_program *choose(void)
{
	char path[PATH_CAP];

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (find_program(programs[i].name, path))
			return &programs[i];
	return NULL;
}

/* ---- starting ---- */

/* This program, or what has replaced it since. */
static bool own_path(char path[PATH_CAP])
{
	static const char deleted[] = " (deleted)";
	ssize_t len = readlink("/proc/self/exe", path, PATH_CAP - 1);
	size_t tail = sizeof(deleted) - 1;

	if (len <= 0)
		return false;
	path[len] = 0;
	if ((size_t)len > tail && strcmp(path + (size_t)len - tail, deleted) == 0)
		path[(size_t)len - tail] = 0;
	return true;
}

static bool write_config(const struct dhcp_client *c)
{
	char name[NAME_CAP];
	size_t len;
	bool written;
	int fd;

	if (c->program->config == NULL)
		return true;
	snprintf(name, sizeof(name), CONFIG_FILE, c->at.name);
	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	len = strlen(c->program->config);
	written = write(fd, c->program->config, len) == (ssize_t)len;
	close(fd);
	return written;
}

/* In the new process: nothing of ours is left in it but its rights. */
_Noreturn static void become(
	const struct dhcp_client *c, const char *path, const char *const words[], pid_t parent)
{
	char names[ARGS_MAX][NAME_CAP], hook[PATH_CAP];
	char interface[sizeof(DHCP_HOOK_VARIABLE) + 1 + NAME_CAP];
	char *argv[ARGS_MAX + 1] = {NULL};
	char search[] = "PATH=" PATH;
	char *environment[] = {search, interface, NULL};
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	/* Ctrl-C is for us, who have it release its lease first. */
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != parent || null < 0 || !own_path(hook) || chdir("/") != 0)
		_exit(127);
	if (c->at.netns[0] != 0 && netns_go(c->at.netns) != 0)
		_exit(126);
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(null, fd);
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	for (int s = 1; s < SIGRTMIN; s++)
		(void)signal(s, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	snprintf(interface, sizeof(interface), "%s=%s", DHCP_HOOK_VARIABLE, c->at.name);
	for (unsigned i = 0; i < ARGS_MAX && words[i] != NULL; i++) {
		const char *mark = strstr(words[i], "%i");

		argv[i] = names[i];
		if (strcmp(words[i], "%h") == 0)
			argv[i] = hook;
		else if (mark != NULL)
			snprintf(names[i], NAME_CAP, "%.*s%s%s", (int)(mark - words[i]), words[i],
				c->at.name, mark + 2);
		else
			snprintf(names[i], NAME_CAP, "%s", words[i]);
	}
	(void)execve(path, argv, environment);
	_exit(127);
}

/* 0: it could not be started. */
static pid_t spawn(const struct dhcp_client *c, const char *const words[])
{
	char path[PATH_CAP];
	pid_t self = getpid(), pid;

	if (!find_program(words[0], path) || !write_config(c))
		return 0;
	pid = fork();
	if (pid == 0)
		become(c, path, words, self);
	return pid > 0 ? pid : 0;
}

static void tell(const struct dhcp_client *c, bool runs, int status)
{
	struct dhcp_news news = {.runs = runs, .status = status, .again_ms = c->pause_ms};

	snprintf(news.client, sizeof(news.client), "%s", c->program->name);
	(void)!send(c->words, &news, sizeof(news), MSG_NOSIGNAL | MSG_DONTWAIT);
}

int dhcp_clients_add(
	struct dhcp_clients *all, const struct parent_interface *interface, struct os_error *err)
{
	const struct dhcp_program *program = choose();
	struct dhcp_client *c = NULL;
	int ends[2];

	if (program == NULL)
		return os_error_choose(err, N2N_ENOENT, SETTING_ADDRESS,
			       "there is no DHCP client to get an address for interface \"%.15s\" "
			       "with; "
			       "install udhcpc, dhcpcd-base or isc-dhcp-client, or give it an "
			       "address",
			       interface->name),
		       -1;
	for (unsigned i = 0; c == NULL && i < COMMUNITIES_MAX; i++)
		if (!all->at[i].used)
			c = &all->at[i];
	if (c == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return os_error_set(err, N2N_ENOMEM,
			       "cannot start a DHCP client for interface \"%.15s\": %s; raise the "
			       "limit "
			       "of open files (ulimit -n)",
			       interface->name, strerror(c == NULL ? EBUSY : errno)),
		       -1;
	*c = (struct dhcp_client){
		.used = true, .program = program, .words = ends[0], .pause_ms = PAUSE_FIRST_MS};
	c->at = *interface;
	return ends[1];
}

/* ---- watching and ending ---- */

static int shell_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void ended(struct dhcp_client *c, int status, uint64_t now_ms)
{
	c->pid = 0;
	if (c->ending)
		return;
	if (now_ms >= c->started_ms + LASTED_MS)
		c->pause_ms = PAUSE_FIRST_MS;
	c->again_ms = now_ms + c->pause_ms;
	tell(c, false, status);
	c->pause_ms = c->pause_ms < PAUSE_MAX_MS / 2 ? 2 * c->pause_ms : PAUSE_MAX_MS;
}

static void start(struct dhcp_client *c, uint64_t now_ms)
{
	c->started_ms = now_ms;
	c->pid = spawn(c, c->program->start);
	if (c->pid == 0)
		ended(c, 127, now_ms);
	else
		tell(c, true, 0);
}

static void end(struct dhcp_client *c, uint64_t now_ms)
{
	if (c->ending)
		return;
	c->ending = true;
	c->kill_ms = now_ms + RELEASE_MS;
	if (c->pid == 0)
		return;
	if (c->program->release[0] != NULL)
		c->release = spawn(c, c->program->release);
	if (c->release == 0)
		(void)kill(c->pid, c->program->signal);
}

static bool is_wanted(const struct dhcp_client *c)
{
	char byte;
	ssize_t got = recv(c->words, &byte, sizeof(byte), MSG_DONTWAIT);

	return got < 0 && (errno == EAGAIN || errno == EINTR);
}

static void reap(struct dhcp_client *c, uint64_t now_ms)
{
	siginfo_t how = {.si_pid = 0};
	int status;

	/* Its group is not another's as long as it is not reaped: what it has left there ends. */
	if (c->pid != 0 && waitid(P_PID, (id_t)c->pid, &how, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		how.si_pid == c->pid)
		(void)kill(-c->pid, SIGKILL);
	if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
		ended(c, shell_status(status), now_ms);
	if (c->release != 0 && waitpid(c->release, &status, WNOHANG) == c->release)
		c->release = 0;
}

static void kill_rest(const struct dhcp_client *c)
{
	if (c->pid != 0)
		(void)kill(-c->pid, SIGKILL);
	if (c->release != 0)
		(void)kill(-c->release, SIGKILL);
}

static void look(struct dhcp_client *c, uint64_t now_ms)
{
	reap(c, now_ms);
	if (!c->ending && !is_wanted(c))
		end(c, now_ms);
	if (!c->ending && c->pid == 0 && now_ms >= c->again_ms)
		start(c, now_ms);
	if (c->ending && now_ms >= c->kill_ms)
		kill_rest(c);
	if (c->ending && c->pid == 0 && c->release == 0) {
		close(c->words);
		c->used = false;
	}
}

bool dhcp_clients_look(struct dhcp_clients *all, uint64_t now_ms)
{
	bool left = false;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		if (all->at[i].used)
			look(&all->at[i], now_ms);
		left = left || all->at[i].used;
	}
	return left;
}

int dhcp_clients_wait_ms(const struct dhcp_clients *all, uint64_t now_ms)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < COMMUNITIES_MAX; i++) {
		const struct dhcp_client *c = &all->at[i];
		uint64_t at_ms = c->ending ? c->kill_ms : c->again_ms;

		if (c->used && (c->ending || c->pid == 0) && at_ms < first)
			first = at_ms;
	}
	if (first == UINT64_MAX)
		return -1;
	/* What was killed may take a moment to be reaped. */
	return first > now_ms ? (int)(first - now_ms) : 50;
}

void dhcp_clients_end(struct dhcp_clients *all, uint64_t now_ms)
{
	for (unsigned i = 0; i < COMMUNITIES_MAX; i++)
		if (all->at[i].used)
			end(&all->at[i], now_ms);
}
