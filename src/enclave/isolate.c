/* SPDX-License-Identifier: Apache-2.0 */
#include "enclave/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Any directory that exists does: it is covered only until the root is changed. */
static const char stage[] = "/tmp";

static bool refused(struct ady_isolation *d, const char *what)
{
	snprintf(d->why_not, sizeof d->why_not, "%s: %s", what, strerrordesc_np(errno));
	return false;
}

static bool write_file(const char *path, const char *text)
{
	size_t n = strlen(text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, n) == (ssize_t)n;
	close(fd);
	return ok;
}

/* user_namespaces(7): one identity is mapped, its own. */
static bool map_self(uid_t uid, gid_t gid)
{
	char uids[64], gids[64];

	snprintf(uids, sizeof uids, "%u %u 1\n", uid, uid);
	snprintf(gids, sizeof gids, "%u %u 1\n", gid, gid);
	return write_file("/proc/self/setgroups", "deny") &&
	       write_file("/proc/self/uid_map", uids) && write_file("/proc/self/gid_map", gids);
}

static bool leave_namespaces(struct ady_isolation *d, bool network)
{
	int flags = CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | (network ? CLONE_NEWNET : 0);
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(flags) == 0)
		return true;
	if (uid == 0 || unshare(flags | CLONE_NEWUSER) != 0)
		return refused(d, "unshare");
	return map_self(uid, gid) || refused(d, "uid_map");
}

/* Make the directories of an absolute path below the stage. */
static bool make_dirs(char target[static PATH_MAX], const char *dir)
{
	size_t skip = sizeof stage - 1;

	if (snprintf(target, PATH_MAX, "%s%s", stage, dir) >= PATH_MAX)
		return false;
	for (char *p = target + skip + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(target, 0755) != 0 && errno != EEXIST)
			return false;
		*p = '/';
	}
	return mkdir(target, 0755) == 0 || errno == EEXIST;
}

static bool fill_stage(struct ady_isolation *d, const char *keep_dir, int tree)
{
	char target[PATH_MAX];

	if (!keep_dir)
		return true;
	if (!make_dirs(target, keep_dir))
		return refused(d, "mkdir");
	return move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) == 0 ||
	       refused(d, "move_mount");
}

/* Go to the stage, whose mount becomes the root; pivot_root(2) describes this use of ".". */
static bool enter_stage(struct ady_isolation *d)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
	                                      MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};

	if (chdir(stage) != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
		return refused(d, "pivot_root");
	if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return refused(d, "umount of the old root");
	/* Writing to a socket is no writing to its file system. */
	return mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof attr) == 0 ||
	       refused(d, "mount_setattr");
}

static bool change_root(struct ady_isolation *d, const char *keep_dir)
{
	int tree = -1;
	bool ok;

	if (keep_dir && (tree = open_tree(AT_FDCWD, keep_dir,
	                                  OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)) < 0)
		return refused(d, "open_tree");
	ok = mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	     mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
	           "size=64k,mode=0755") == 0;
	if (!ok)
		(void)refused(d, "mount");
	else if (!(ok = fill_stage(d, keep_dir, tree) && enter_stage(d)))
		(void)umount2(stage, MNT_DETACH); /* what it covers may be needed */
	if (tree >= 0)
		close(tree);
	return ok;
}

void ady_isolate(struct ady_isolation *done, const char *keep_dir, bool network)
{
	*done = (struct ady_isolation){0};
	done->namespaces = leave_namespaces(done, network);
	if (done->namespaces)
		done->root = change_root(done, keep_dir);
}
