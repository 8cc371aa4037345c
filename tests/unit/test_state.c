/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests the directory of an instance: lock, files, permissions, paths. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/state.h"

#include <cmocka.h>

#define NOBODY 65534

/* A temporary directory, and a state opened below it. */
struct fixture {
	char dir[64];
	char path[128]; /* DIR/n2n0 */
	struct state *st;
	struct os_error err;
};

static int setup(void **state)
{
	static struct fixture f;
	char root[] = "/tmp/n2n-test-state-XXXXXX";

	*state = &f;
	if (mkdtemp(root) == NULL)
		return -1;
	snprintf(f.dir, sizeof(f.dir), "%s/a/b", root);
	snprintf(f.path, sizeof(f.path), "%s/n2n0", f.dir);
	return state_open(&f.st, f.dir, "n2n0", &f.err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];

	state_close(f->st);
	snprintf(command, sizeof(command), "rm -r %.*s", (int)strlen(f->dir) - 4, f->dir);
	return system(command);
}

static unsigned mode_of(const struct fixture *f, const char *name)
{
	struct stat info;
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	assert_int_equal(stat(path, &info), 0);
	return info.st_mode & 07777;
}

static void directories_are_made_private(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(state_dir(f->st), f->path);
	assert_int_equal(mode_of(f, "."), 0700);
	assert_int_equal(mode_of(f, ".."), 0700);
	assert_int_equal(mode_of(f, "../.."), 0700);
	assert_int_equal(mode_of(f, "lock"), 0600);
	state_close(NULL);
}

static void what_is_written_is_read_again(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[8];
	size_t len = 99;

	assert_int_equal(state_read(f->st, "key", buf, sizeof(buf), &len, &f->err), N2N_ENOENT);
	assert_int_equal(state_write(f->st, "key", "\0a\nb", 4, &f->err), 0);
	assert_int_equal(mode_of(f, "key"), 0600);
	assert_int_equal(state_read(f->st, "key", buf, sizeof(buf), &len, &f->err), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(buf, "\0a\nb", 4);

	assert_int_equal(state_write(f->st, "key", "12345678", 8, &f->err), 0);
	assert_int_equal(state_read(f->st, "key", buf, 8, &len, &f->err), 0);
	assert_int_equal(len, 8);
	assert_memory_equal(buf, "12345678", 8);
	assert_int_equal(state_read(f->st, "key", buf, 7, &len, &f->err), N2N_ENOSPC);
	assert_non_null(strstr(f->err.text, "is longer than 7 bytes"));

	assert_int_equal(state_write(f->st, "key", "", 0, &f->err), 0);
	assert_int_equal(state_read(f->st, "key", buf, 0, &len, &f->err), 0);
	assert_int_equal(len, 0);
}

static void no_temporary_file_stays(void **state)
{
	struct fixture *f = *state;
	struct dirent *e;
	DIR *d;
	int files = 0;

	assert_int_equal(state_write(f->st, "key", "1", 1, &f->err), 0);
	assert_int_equal(state_write(f->st, "key", "2", 1, &f->err), 0);
	d = opendir(f->path);
	assert_non_null(d);
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..")) {
			assert_true(!strcmp(e->d_name, "key") || !strcmp(e->d_name, "lock"));
			files++;
		}
	closedir(d);
	assert_int_equal(files, 2);
}

/* A reader never sees anything but a whole old or a whole new file. */
static void a_file_is_the_old_or_the_new_one(void **state)
{
	struct fixture *f = *state;
	static uint8_t data[60000];
	uint8_t buf[sizeof(data)];
	size_t len;
	int status;
	pid_t child;

	memset(data, 1, sizeof(data));
	assert_int_equal(state_write(f->st, "key", data, sizeof(data), &f->err), 0);
	child = fork();
	if (child == 0) {
		for (uint8_t i = 1; i < 100; i++) {
			memset(data, i, sizeof(data));
			if (state_write(f->st, "key", data, sizeof(data), &f->err))
				_exit(1);
		}
		_exit(0);
	}
	while (waitpid(child, &status, WNOHANG) == 0) {
		assert_int_equal(state_read(f->st, "key", buf, sizeof(buf), &len, &f->err), 0);
		assert_int_equal(len, sizeof(data));
		assert_memory_equal(buf, buf + 1, sizeof(buf) - 1);
	}
	assert_int_equal(status, 0);
}

static void what_a_crash_left_is_written_over(void **state)
{
	struct fixture *f = *state;
	char path[256];

	snprintf(path, sizeof(path), "%s/.new", f->path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(state_write(f->st, "key", "1", 1, &f->err), 0);
	assert_int_equal(mode_of(f, "key"), 0600);
	assert_int_equal(access(path, F_OK), -1);
}

static void a_file_open_to_others_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[192], expected[256], buf[8];
	size_t len;

	assert_int_equal(state_write(f->st, "key", "1", 1, &f->err), 0);
	snprintf(path, sizeof(path), "%s/key", f->path);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(state_read(f->st, "key", buf, 8, &len, &f->err), N2N_EPERM);
	snprintf(expected, sizeof(expected),
		"others can read \"%s\", which may hold a secret; chmod it to 600", path);
	assert_string_equal(f->err.text, expected);
}

static void a_second_process_is_told_of_the_first(void **state)
{
	struct fixture *f = *state;
	struct state *second;
	char expected[256];
	int status;
	pid_t child;

	snprintf(expected, sizeof(expected),
		"another process of this host, in whatever network namespace, already runs "
		"instance \"n2n0\" (pid %d)",
		(int)getpid());
	child = fork();
	if (child == 0) {
		if (state_open(&second, f->dir, "n2n0", &f->err) != N2N_EEXIST ||
			strcmp(f->err.text, expected))
			_exit(1);
		_exit(state_open(&second, f->dir, "n2n1", &f->err) ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);

	/* The lock goes with its owner, and the pid is that of the next. */
	state_close(f->st);
	f->st = NULL;
	child = fork();
	if (child == 0)
		_exit(state_open(&second, f->dir, "n2n0", &f->err) ? 1 : 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), 0);
}

/* ---- a process that lost its parent ---- */

enum told {
	ITS_PARENT,
	NO_PARENT
};

/* Takes the lock in a child of a child and is stopped; the one between waits for its end. */
static void hold(struct fixture *f, enum told told, int tell)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0) {
		(void)waitpid(pid, NULL, 0);
		_exit(0);
	}
	if (state_open(&f->st, f->dir, "n2n0", &f->err) != 0)
		_exit(1);
	state_note_parent(f->st, told == ITS_PARENT ? (unsigned)parent : 0);
	pid = getpid();
	(void)!write(tell, &pid, sizeof(pid));
	(void)raise(SIGSTOP);
	_exit(0);
}

/* The number of one that has the lock, and of its parent in *parent. */
static pid_t start_holder(struct fixture *f, enum told told, pid_t *parent)
{
	int ends[2];
	pid_t holder;

	state_close(f->st);
	f->st = NULL;
	assert_int_equal(pipe(ends), 0);
	*parent = fork();
	if (*parent == 0)
		hold(f, told, ends[1]);
	assert_int_equal(read(ends[0], &holder, sizeof(holder)), sizeof(holder));
	close(ends[0]);
	close(ends[1]);
	return holder;
}

static void end_parent(pid_t parent)
{
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
}

static void one_that_lost_its_parent_gives_way(void **state)
{
	struct fixture *f = *state;
	pid_t parent, holder = start_holder(f, ITS_PARENT, &parent);

	/* As long as that one lives, so does the other. */
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), N2N_EEXIST);
	assert_int_equal(kill(holder, 0), 0);
	end_parent(parent);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), 0);
	assert_int_equal(state_killed(f->st), holder);
}

static void one_that_had_none_does_not(void **state)
{
	struct fixture *f = *state;
	pid_t parent, holder = start_holder(f, NO_PARENT, &parent);

	end_parent(parent);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), N2N_EEXIST);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), 0);
	assert_int_equal(state_killed(f->st), 0);
}

/* A number that another process has by now, or in another PID namespace. */
static void another_of_that_number_does_not(void **state)
{
	struct fixture *f = *state;
	pid_t parent, other, holder = start_holder(f, ITS_PARENT, &parent);
	char path[256];
	FILE *lock;

	end_parent(parent);
	other = fork();
	if (other == 0)
		for (;;)
			(void)pause();
	snprintf(path, sizeof(path), "%s/lock", f->path);
	lock = fopen(path, "w");
	assert_non_null(lock);
	fprintf(lock, "%d %d\n", (int)other, (int)parent);
	assert_int_equal(fclose(lock), 0);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), N2N_EEXIST);
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	assert_int_equal(kill(other, SIGKILL), 0);
	assert_int_equal(waitpid(other, NULL, 0), other);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), 0);
}

static void a_directory_open_to_others_is_refused(void **state)
{
	struct fixture *f = *state;

	state_close(f->st);
	f->st = NULL;
	assert_int_equal(chmod(f->path, 0770), 0);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), N2N_EPERM);
	assert_non_null(strstr(f->err.text, "others can write to the directory"));
	assert_int_equal(chmod(f->path, 0755), 0);
	assert_int_equal(state_open(&f->st, f->dir, "n2n0", &f->err), 0);
}

/* ---- places that others can change ---- */

/* A directory below /tmp, or a link in it, and the state below: the path of what is in between. */
struct place {
	char root[48];
	char middle[96];
	char below[128];
};

static void make_place(struct place *p)
{
	strcpy(p->root, "/tmp/n2n-test-place-XXXXXX");
	assert_non_null(mkdtemp(p->root));
	snprintf(p->middle, sizeof(p->middle), "%s/middle", p->root);
	snprintf(p->below, sizeof(p->below), "%s/below", p->middle);
}

static void remove_all(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r %s", path);
	assert_int_equal(system(command), 0);
}

static void expect_refused(const char *dir, const char *says)
{
	struct os_error why = {0};
	struct state *st;

	assert_int_equal(state_open(&st, dir, "n2n0", &why), N2N_EPERM);
	if (strstr(why.text, says) == NULL)
		print_error("%s: %s\n", says, why.text);
	assert_non_null(strstr(why.text, says));
	assert_non_null(strstr(why.text, "name another state directory"));
	assert_int_equal(why.setting, SETTING_STATE_DIR);
}

static void expect_taken(const char *dir)
{
	struct os_error why = {0};
	struct state *st;

	if (state_open(&st, dir, "n2n0", &why) != 0)
		fail_msg("%s", why.text);
	state_close(st);
}

static void a_directory_that_others_can_write_to_is_refused_above_too(void **state)
{
	static const mode_t modes[] = {0777, 0757, 0707, 0733};
	struct place p;
	char says[160];

	(void)state;
	make_place(&p);
	assert_int_equal(mkdir(p.middle, 0700), 0);
	snprintf(says, sizeof(says), "others can write to the directory \"%s\"", p.middle);
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		assert_int_equal(chmod(p.middle, modes[i]), 0);
		expect_refused(p.below, says);
		assert_int_equal(access(p.below, F_OK), -1);
		/* As /tmp: nobody can take away or rename what is another's. */
		assert_int_equal(chmod(p.middle, modes[i] | S_ISVTX), 0);
		expect_taken(p.below);
		assert_int_equal(chmod(p.middle, modes[i]), 0);
		expect_refused(p.below, says);
		remove_all(p.below);
	}
	remove_all(p.root);
}

static void a_group_of_others_is_refused_and_ones_own_is_not(void **state)
{
	struct place p;

	(void)state;
	if (geteuid() != 0)
		skip();
	make_place(&p);
	assert_int_equal(mkdir(p.middle, 0700), 0);
	assert_int_equal(chmod(p.middle, 0775), 0);
	expect_taken(p.below);
	assert_int_equal(chown(p.middle, 0, NOBODY), 0);
	expect_refused(p.below, "others can write to the directory");
	remove_all(p.root);
}

static void a_directory_of_another_user_is_refused(void **state)
{
	struct place p;
	char below[192];

	(void)state;
	if (geteuid() != 0)
		skip();
	make_place(&p);
	assert_int_equal(mkdir(p.middle, 0755), 0);
	assert_int_equal(chown(p.middle, NOBODY, NOBODY), 0);
	expect_refused(p.middle, "belongs to user 65534");
	expect_refused(p.below, "belongs to user 65534");
	/* And if it was root's below that: the one above can be renamed. */
	assert_int_equal(mkdir(p.below, 0700), 0);
	snprintf(below, sizeof(below), "%s/n2n0", p.below);
	assert_int_equal(mkdir(below, 0700), 0);
	expect_refused(p.below, "belongs to user 65534");
	remove_all(p.root);
}

static void links_of_others_are_refused_and_ones_own_followed(void **state)
{
	struct place p;
	char real[96], dots[128], link_below[192];

	(void)state;
	make_place(&p);
	snprintf(real, sizeof(real), "%s/real", p.root);
	assert_int_equal(mkdir(real, 0700), 0);
	assert_int_equal(symlink("real", p.middle), 0);
	expect_taken(p.below);
	snprintf(dots, sizeof(dots), "%s/./real//below/", p.root);
	expect_taken(dots);
	assert_int_equal(unlink(p.middle), 0);
	assert_int_equal(symlink(real, p.middle), 0);
	expect_taken(p.below);
	/* The instance's own directory as a link. */
	snprintf(link_below, sizeof(link_below), "%s/below/n2n0", real);
	if (geteuid() == 0) {
		assert_int_equal(lchown(p.middle, NOBODY, NOBODY), 0);
		expect_refused(p.below, "symbolic link");
		assert_int_equal(lchown(p.middle, 0, 0), 0);
		remove_all(link_below);
		assert_int_equal(symlink("/tmp", link_below), 0);
		assert_int_equal(lchown(link_below, NOBODY, NOBODY), 0);
		expect_refused(p.below, "symbolic link");
	}
	remove_all(p.root);
}

static void what_a_link_leads_to_is_looked_at_too(void **state)
{
	struct place p;
	char open_dir[96], loop[96];
	struct os_error why;
	struct state *st;

	(void)state;
	make_place(&p);
	snprintf(open_dir, sizeof(open_dir), "%s/open", p.root);
	assert_int_equal(mkdir(open_dir, 0700), 0);
	assert_int_equal(chmod(open_dir, 0777), 0);
	assert_int_equal(symlink("open/../open", p.middle), 0);
	expect_refused(p.below, "others can write to the directory");
	snprintf(loop, sizeof(loop), "%s/loop", p.root);
	assert_int_equal(symlink("loop", loop), 0);
	assert_int_equal(state_open(&st, loop, "n2n0", &why), N2N_EIO);
	assert_non_null(strstr(why.text, "symbolic link"));
	remove_all(p.root);
}

static void files_that_others_put_there_are_refused(void **state)
{
	struct fixture *f = *state;
	char path[192], buf[8];
	size_t len;

	snprintf(path, sizeof(path), "%s/key", f->path);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	assert_int_not_equal(state_read(f->st, "key", buf, sizeof(buf), &len, &f->err), 0);
	assert_non_null(strstr(f->err.text, "in the place of the symbolic link"));
	assert_int_equal(unlink(path), 0);
	/* One that would wait for a writer for ever. */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(state_read(f->st, "key", buf, sizeof(buf), &len, &f->err), N2N_EPERM);
	assert_non_null(strstr(f->err.text, "remove it"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(state_write(f->st, "key", "1", 1, &f->err), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, NOBODY, NOBODY), 0);
		assert_int_equal(
			state_read(f->st, "key", buf, sizeof(buf), &len, &f->err), N2N_EPERM);
		assert_non_null(strstr(f->err.text, "no file of the user"));
	}
}

static int open_as_nobody(const char *dir)
{
	struct state *st;
	struct os_error err;

	if (geteuid() == 0 && setuid(65534))
		return 2;
	if (state_open(&st, dir, "n2n9", &err) != N2N_EPERM)
		return 1;
	return strstr(err.text, "another state directory") != NULL &&
			       err.setting == SETTING_STATE_DIR
		       ? 0
		       : 3;
}

static void a_denied_directory_is_explained(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(open_as_nobody(geteuid() == 0 ? f->dir : "/usr"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void places_that_are_none_are_refused(void **state)
{
	static const char *const names[] = {"", ".", "..", "a/b"};
	struct fixture *f = *state;
	struct state *st;
	char file[256], longer[STATE_PATH_MAX + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_int_equal(state_open(&st, f->dir, names[i], &f->err), N2N_EINVAL);
		assert_non_null(strstr(f->err.text, "cannot name an instance"));
	}
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(state_open(&st, longer, "n2n0", &f->err), N2N_EINVAL);
	assert_int_equal(state_open(&st, f->dir, longer, &f->err), N2N_EINVAL);

	snprintf(file, sizeof(file), "%s/lock", f->path);
	assert_int_equal(state_open(&st, file, "n2n0", &f->err), N2N_ENOENT); /* ENOTDIR */
	assert_non_null(strstr(f->err.text, "Not a directory"));
	assert_non_null(strstr(f->err.text, "a file is in its way; name a directory"));
}

/* On a file system without room, then on one that became read-only; 0 when all is well. */
static int fill_and_freeze(void)
{
	static const char zeros[40000];
	char dir[] = "/tmp/n2n-test-mount-XXXXXX", command[256], buf[8];
	struct state *st;
	struct os_error err;
	size_t len;

	if (unshare(CLONE_NEWNS) || mkdtemp(dir) == NULL)
		return 77;
	snprintf(command, sizeof(command),
		"mount --make-rprivate / && mount -t tmpfs -o size=16k none %s", dir);
	if (system(command))
		return 77;
	if (state_open(&st, dir, "n2n0", &err) || state_write(st, "key", "old", 3, &err))
		return 1;
	if (state_write(st, "key", zeros, sizeof(zeros), &err) != N2N_ENOSPC ||
		!strstr(err.text, "make room there") || err.setting != SETTING_NONE)
		return 2;
	if (state_read(st, "key", buf, sizeof(buf), &len, &err) || len != 3)
		return 3;
	state_close(st);
	snprintf(command, sizeof(command), "mount -o remount,ro %s", dir);
	if (system(command))
		return 4;
	if (state_open(&st, dir, "n2n1", &err) != N2N_EIO || strstr(err.text, "writable") == NULL ||
		err.setting != SETTING_STATE_DIR)
		return 5;
	snprintf(command, sizeof(command), "umount %s && rmdir %s", dir, dir);
	return system(command) ? 6 : 0;
}

static void full_and_read_only_disks_are_told_apart(void **state)
{
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(fill_and_freeze());
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("needs root and tmpfs\n");
		skip();
	}
	assert_int_equal(status, 0);
}

static void the_path_of_the_socket_has_its_limit(void **state)
{
	char path[STATE_SOCKET_MAX], dir[STATE_SOCKET_MAX];
	struct os_error err;

	(void)state;
	assert_int_equal(state_control_path(path, "/some/dir", "n2n0", &err), 0);
	assert_string_equal(path, "/some/dir/n2n0/control");
	assert_int_equal(state_control_path(path, "/some/dir", "a/b", &err), N2N_EINVAL);

	memset(dir, 'a', sizeof(dir));
	dir[0] = '/';
	dir[107 - strlen("/n2n0/control")] = 0;
	assert_int_equal(state_control_path(path, dir, "n2n0", &err), 0);
	assert_int_equal(strlen(path), 107);
	assert_int_equal(state_control_path(path, dir, "n2n00", &err), N2N_EINVAL);
	assert_non_null(strstr(err.text, "has a path of more than 107 bytes"));
}

static int defaults_as_root(void)
{
	char path[STATE_SOCKET_MAX];
	struct os_error err;

	return state_control_path(path, NULL, "n2n0", &err) ||
	       strcmp(path, "/run/n2n/n2n0/control");
}

/* dir is nobody's. */
static int defaults_as_nobody(char *dir)
{
	char path[STATE_SOCKET_MAX], expected[STATE_SOCKET_MAX];
	struct os_error err;
	struct state *st;

	if (geteuid() == 0 && setuid(65534))
		return 1;
	unsetenv("HOME");
	unsetenv("XDG_STATE_HOME");
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	if (state_control_path(path, NULL, "n2n0", &err) != N2N_ENOENT ||
		!strstr(err.text, "; name one") || err.setting != SETTING_STATE_DIR)
		return 2;
	if (state_open(&st, NULL, "n2n0", &err) != N2N_ENOENT)
		return 3;

	setenv("HOME", dir, 1);
	snprintf(expected, sizeof(expected), "%s/.local/state/n2n/n2n0/control", dir);
	if (state_control_path(path, NULL, "n2n0", &err) || strcmp(path, expected))
		return 4;
	setenv("XDG_STATE_HOME", "/state", 1);
	if (state_control_path(path, NULL, "n2n0", &err) || strcmp(path, "/state/n2n/n2n0/control"))
		return 5;
	setenv("XDG_RUNTIME_DIR", dir, 1);
	unsetenv("XDG_STATE_HOME");
	snprintf(expected, sizeof(expected), "%s/n2n/n2n0/control", dir);
	if (state_control_path(path, NULL, "n2n0", &err) || strcmp(path, expected))
		return 6;

	/* Opening makes both directories. */
	if (state_open(&st, NULL, "n2n0", &err))
		return 7;
	snprintf(expected, sizeof(expected), "%s/.local/state/n2n/n2n0", dir);
	if (strcmp(state_dir(st), expected))
		return 8;
	state_close(st);
	snprintf(expected, sizeof(expected), "%s/n2n/n2n0", dir);
	return access(expected, W_OK) ? 9 : 0;
}

static void the_environment_names_the_place(void **state)
{
	char dir[] = "/tmp/n2n-test-home-XXXXXX", command[64];
	int status;
	pid_t child;

	(void)state;
	if (geteuid() == 0)
		assert_int_equal(defaults_as_root(), 0);
	assert_non_null(mkdtemp(dir));
	if (geteuid() == 0)
		assert_int_equal(chown(dir, NOBODY, NOBODY), 0);
	child = fork();
	if (child == 0)
		_exit(defaults_as_nobody(dir));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(directories_are_made_private),
		TEST(what_is_written_is_read_again),
		TEST(no_temporary_file_stays),
		TEST(a_file_is_the_old_or_the_new_one),
		TEST(what_a_crash_left_is_written_over),
		TEST(a_file_open_to_others_is_refused),
		TEST(a_second_process_is_told_of_the_first),
		TEST(one_that_lost_its_parent_gives_way),
		TEST(one_that_had_none_does_not),
		TEST(another_of_that_number_does_not),
		TEST(a_directory_open_to_others_is_refused),
		cmocka_unit_test(a_directory_that_others_can_write_to_is_refused_above_too),
		cmocka_unit_test(a_group_of_others_is_refused_and_ones_own_is_not),
		cmocka_unit_test(a_directory_of_another_user_is_refused),
		cmocka_unit_test(links_of_others_are_refused_and_ones_own_followed),
		cmocka_unit_test(what_a_link_leads_to_is_looked_at_too),
		TEST(files_that_others_put_there_are_refused),
		TEST(a_denied_directory_is_explained),
		TEST(places_that_are_none_are_refused),
		cmocka_unit_test(full_and_read_only_disks_are_told_apart),
		cmocka_unit_test(the_path_of_the_socket_has_its_limit),
		cmocka_unit_test(the_environment_names_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
