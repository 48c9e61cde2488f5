/* Paths: walking, links, renames, directories. */
#include "tap.h"
#include <dirent.h>

static int make(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
    return fd < 0 ? -1 : close(fd);
}

static void test_open(void) {
    is(make("file"), 0, "O_CREAT makes a file");
    fails(make("file"), EEXIST, "O_EXCL is EEXIST");
    fails(open("absent", O_RDONLY), ENOENT, "a missing file is ENOENT");
    fails(open("file/x", O_RDONLY), ENOTDIR, "a file as a directory is ENOTDIR");
    fails(open("file/", O_RDONLY), ENOTDIR, "a trailing slash wants a directory");
    fails(open("", O_RDONLY), ENOENT, "an empty path is ENOENT");
    fails(open(".", O_WRONLY), EISDIR, "writing a directory is EISDIR");
    fails(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY wants one");
    char name[NAME_MAX + 2], path[PATH_MAX + 2];
    memset(name, 'n', sizeof name);
    name[NAME_MAX + 1] = 0;
    fails(make(name), ENAMETOOLONG, "256 bytes are too long a name");
    name[NAME_MAX] = 0;
    ok(make(name) == 0 && unlink(name) == 0, "255 are not");
    memset(path, '/', sizeof path);
    path[PATH_MAX + 1] = 0;
    fails(open(path, O_RDONLY), ENAMETOOLONG, "a path of 4096 bytes is too long");
    ok(open("/../../..//./tmp/.", O_RDONLY | O_DIRECTORY) >= 0, "dots and slashes are walked");
}

static void test_directories(void) {
    struct stat info;
    is(mkdir("dir", 0755), 0, "mkdir");
    fails(mkdir("dir", 0755), EEXIST, "mkdir twice is EEXIST");
    fails(mkdir("no/dir", 0755), ENOENT, "mkdir without a parent is ENOENT");
    need(make("dir/inner") == 0);
    fails(rmdir("dir"), ENOTEMPTY, "rmdir of a full directory is ENOTEMPTY");
    fails(rmdir("file"), ENOTDIR, "rmdir of a file is ENOTDIR");
    fails(unlink("dir"), EISDIR, "unlink of a directory is EISDIR");
    fails(rmdir("dir/."), EINVAL, "rmdir of . is EINVAL");
    need(mkdir("dir/sub", 0700) == 0);
    ok(stat("dir", &info) == 0 && S_ISDIR(info.st_mode) && (info.st_mode & 0777) == 0755, "the mode is as asked");
    DIR *stream = opendir("dir");
    int seen = 0, types = 0;
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        if (strcmp(entry->d_name, "inner") == 0) seen |= 1, types |= entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;
        if (strcmp(entry->d_name, "sub") == 0) seen |= 2, types |= (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) << 1;
        if (strcmp(entry->d_name, ".") == 0) seen |= 4;
        if (strcmp(entry->d_name, "..") == 0) seen |= 8;
    }
    ok(seen == 15 && types == 3, "readdir lists everything with its type");
    rewinddir(stream);
    ok(readdir(stream) != NULL, "rewinddir starts again");
    closedir(stream);
    char here[PATH_MAX], inside[PATH_MAX];
    need(getcwd(here, sizeof here) != NULL);
    ok(chdir("dir/sub") == 0 && getcwd(inside, sizeof inside) && strcmp(inside + strlen(here), "/dir/sub") == 0, "chdir and getcwd");
    ok(chdir("../..") == 0 && getcwd(inside, sizeof inside) && strcmp(here, inside) == 0, "and back by dots");
    fails((long)syscall(SYS_getcwd, inside, 2UL), ERANGE, "a small buffer is ERANGE");
    int fd = open("dir", O_RDONLY | O_DIRECTORY);
    ok(fchdir(fd) == 0 && access("inner", F_OK) == 0 && chdir("..") == 0, "fchdir");
    ok(openat(fd, "inner", O_RDONLY) >= 0, "openat is relative to its descriptor");
    fails(openat(99, "inner", O_RDONLY), EBADF, "openat of a bad descriptor is EBADF");
    ok(openat(99, here, O_RDONLY) >= 0, "which does not matter for an absolute path");
    is(fstatat(fd, "", &info, AT_EMPTY_PATH), 0, "AT_EMPTY_PATH is the descriptor itself");
    char many[64 * 1024];
    for (int i = 0; i < 300; i++) {
        snprintf(inside, sizeof inside, "dir/sub/entry-with-a-long-name-%d", i);
        need(make(inside) == 0);
    }
    int sub = open("dir/sub", O_RDONLY), entries = 0;
    for (long got; (got = syscall(SYS_getdents64, sub, many, 1024)) > 0;)
        for (long at = 0; at < got; at += *(unsigned short *)(many + at + 16)) entries++;
    is(entries, 302, "getdents64 in small pieces loses nothing");
    need(lseek(sub, 0, SEEK_SET) == 0);
    fails(syscall(SYS_getdents64, sub, many, 8), EINVAL, "and is EINVAL if an entry does not fit") ;
    close(sub);
    close(fd);
}

static void test_links(void) {
    struct stat info;
    char text[64];
    is(symlink("file", "link"), 0, "symlink");
    ok(lstat("link", &info) == 0 && S_ISLNK(info.st_mode) && info.st_size == 4, "lstat sees the link");
    ok(stat("link", &info) == 0 && S_ISREG(info.st_mode), "stat follows it");
    is(readlink("link", text, sizeof text), 4, "readlink gives its text");
    is(readlink("link", text, 2), 2, "cut to the buffer");
    fails(readlink("file", text, sizeof text), EINVAL, "readlink of a file is EINVAL");
    fails(open("link", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW is ELOOP");
    need(symlink("loop2", "loop1") == 0 && symlink("loop1", "loop2") == 0);
    fails(open("loop1", O_RDONLY), ELOOP, "a loop is ELOOP");
    need(symlink("nowhere", "dangling") == 0);
    fails(open("dangling", O_RDONLY), ENOENT, "a dangling link is ENOENT");
    fails(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST, "O_EXCL does not follow it");
    ok(close(open("dangling", O_CREAT | O_WRONLY, 0644)) == 0 && access("nowhere", F_OK) == 0, "O_CREAT does");
    need(symlink("dir/sub", "deep") == 0);
    ok(stat("deep/..", &info) == 0 && access("deep/../inner", F_OK) == 0, "dots after a link are those of its target");
    is(link("file", "hard"), 0, "link");
    ok(stat("hard", &info) == 0 && info.st_nlink == 2, "makes a second name");
    fails(link("dir", "hard-dir"), EPERM, "a directory has no second name");
    is(unlink("link"), 0, "unlink removes the link");
    is(access("file", F_OK), 0, "and not its target");
}

static void test_renames(void) {
    struct stat a, b;
    need(make("one") == 0 && make("two") == 0 && stat("one", &a) == 0);
    ok(rename("one", "two") == 0 && stat("two", &b) == 0 && a.st_ino == b.st_ino, "rename replaces a file");
    fails(access("one", F_OK), ENOENT, "and the old name is gone");
    fails(rename("one", "x"), ENOENT, "a missing source is ENOENT");
    fails(rename("dir", "dir/sub/dir"), EINVAL, "a directory into itself is EINVAL");
    fails(rename("dir", "two"), ENOTDIR, "a directory over a file is ENOTDIR");
    fails(rename("two", "dir"), EISDIR, "a file over a directory is EISDIR");
    need(mkdir("empty", 0755) == 0 && mkdir("full", 0755) == 0 && make("full/x") == 0);
    fails(rename("empty", "full"), ENOTEMPTY, "over a full directory is ENOTEMPTY");
    ok(rename("full", "empty") == 0 && access("empty/x", F_OK) == 0, "over an empty one works");
    is(rename("file", "hard"), 0, "renaming between names of one file does nothing");
    is(access("file", F_OK), 0, "and both stay");
    fails(syscall(SYS_renameat2, AT_FDCWD, "two", AT_FDCWD, "file", 1), EEXIST, "RENAME_NOREPLACE is EEXIST");
    need(stat("two", &a) == 0);
    ok(syscall(SYS_renameat2, AT_FDCWD, "two", AT_FDCWD, "file", 2) == 0 && stat("file", &b) == 0 && a.st_ino == b.st_ino && access("two", F_OK) == 0, "RENAME_EXCHANGE swaps");
    unlink("two");
    int fd = open("two", O_RDWR | O_CREAT, 0644);
    need(write(fd, "kept", 4) == 4);
    char text[8] = "";
    ok(unlink("two") == 0 && pread(fd, text, 8, 0) == 4 && strcmp(text, "kept") == 0, "an open file outlives its name");
    ok(fstat(fd, &a) == 0 && a.st_nlink == 0, "with no links");
    close(fd);
}

static void test_modes(void) {
    struct stat info;
    mode_t old = umask(027);
    ok(close(open("masked", O_CREAT | O_WRONLY, 0666)) == 0 && stat("masked", &info) == 0 && (info.st_mode & 0777) == 0640, "umask masks");
    umask(old);
    ok(chmod("masked", 04711) == 0 && stat("masked", &info) == 0 && (info.st_mode & 07777) == 04711, "chmod sets every bit");
    ok(mkfifo("fifo", 0600) == 0 && stat("fifo", &info) == 0 && S_ISFIFO(info.st_mode), "mkfifo");
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    ok(utimensat(AT_FDCWD, "masked", times, 0) == 0 && stat("masked", &info) == 0 && info.st_mtim.tv_sec == 2000 && info.st_mtim.tv_nsec == 7 && info.st_atim.tv_sec == 1000, "utimensat sets both times");
    struct statx extended;
    ok(syscall(SYS_statx, AT_FDCWD, "masked", 0, 0x7ff, &extended) == 0 && extended.stx_size == 0 && extended.stx_mtime.tv_sec == 2000, "statx agrees");
    int path = open("masked", O_PATH);
    char byte;
    fails(read(path, &byte, 1), EBADF, "an O_PATH descriptor cannot be read");
    is(fstat(path, &info), 0, "but asked");
}

int main(void) {
    plan(70);
    enter_scratch();
    test_open();
    test_directories();
    test_links();
    test_renames();
    test_modes();
    return done();
}
