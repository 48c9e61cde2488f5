/* Reading and writing: offsets, appending, holes, descriptors, locks. */
#include "tap.h"
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static void test_offsets(void) {
    char text[32] = "";
    int fd = open("data", O_RDWR | O_CREAT, 0644);
    is(write(fd, "hello world", 11), 11, "write");
    is(lseek(fd, 0, SEEK_CUR), 11, "moves the offset");
    is(lseek(fd, 6, SEEK_SET), 6, "SEEK_SET");
    ok(read(fd, text, 32) == 5 && strcmp(text, "world") == 0, "read to the end");
    is(read(fd, text, 32), 0, "then nothing");
    is(lseek(fd, -5, SEEK_END), 6, "SEEK_END");
    ok(pread(fd, text, 5, 0) == 5 && memcmp(text, "hello", 5) == 0 && lseek(fd, 0, SEEK_CUR) == 6, "pread leaves the offset");
    ok(pwrite(fd, "J", 1, 0) == 1 && lseek(fd, 0, SEEK_CUR) == 6, "so does pwrite");
    fails(lseek(fd, -100, SEEK_CUR), EINVAL, "a negative offset is EINVAL");
    fails(lseek(fd, 0, 99), EINVAL, "a bad whence is EINVAL");
    fails(pread(fd, text, 1, -1), EINVAL, "pread at -1 is EINVAL");
    struct iovec parts[2] = {{text, 2}, {text + 10, 3}};
    ok(preadv(fd, parts, 2, 0) == 5 && text[0] == 'J' && text[10] == 'l', "preadv scatters");
    parts[0].iov_base = "ab";
    parts[1].iov_base = "cde";
    ok(lseek(fd, 0, SEEK_END) == 11 && writev(fd, parts, 2) == 5, "writev gathers");
    fails(readv(fd, parts, -1), EINVAL, "a negative count is EINVAL");
    fails(write(open("data", O_RDONLY), "x", 1), EBADF, "writing a read-only descriptor is EBADF");
    close(fd);
    fails(read(fd, text, 1), EBADF, "a closed descriptor is EBADF");
    fails(close(fd), EBADF, "closing twice is EBADF");
}

static void test_holes(void) {
    char byte = 1;
    struct stat info;
    int fd = open("holes", O_RDWR | O_CREAT, 0644);
    ok(lseek(fd, 1000000, SEEK_SET) == 1000000 && write(fd, "x", 1) == 1, "writing beyond the end");
    ok(fstat(fd, &info) == 0 && info.st_size == 1000001, "makes the file longer");
    ok(pread(fd, &byte, 1, 500000) == 1 && byte == 0, "with a hole of zeros");
    ok(ftruncate(fd, 10) == 0 && fstat(fd, &info) == 0 && info.st_size == 10, "ftruncate cuts");
    ok(ftruncate(fd, 5000) == 0 && pread(fd, &byte, 1, 4999) == 1 && byte == 0, "and extends with zeros");
    fails(ftruncate(fd, -1), EINVAL, "a negative length is EINVAL");
    fails(truncate("absent", 0), ENOENT, "truncate of nothing is ENOENT");
    close(fd);
    ok(close(open("holes", O_WRONLY | O_TRUNC)) == 0 && stat("holes", &info) == 0 && info.st_size == 0, "O_TRUNC empties");
}

static void test_appending(void) {
    int one = open("log", O_WRONLY | O_CREAT | O_APPEND, 0644), two = open("log", O_WRONLY | O_APPEND);
    need(write(one, "aa", 2) == 2 && write(two, "bb", 2) == 2 && lseek(one, 0, SEEK_SET) == 0 && write(one, "cc", 2) == 2);
    char text[16] = "";
    int fd = open("log", O_RDONLY);
    ok(read(fd, text, 16) == 6 && strcmp(text, "aabbcc") == 0, "O_APPEND always writes at the end");
    is(fcntl(one, F_GETFL) & (O_ACCMODE | O_APPEND), O_WRONLY | O_APPEND, "F_GETFL tells the flags");
    ok(fcntl(one, F_SETFL, O_NONBLOCK) == 0 && !(fcntl(one, F_GETFL) & O_APPEND), "F_SETFL changes them");
    close(one);
    close(two);
    close(fd);
}

static void test_descriptors(void) {
    int fd = open("log", O_RDONLY | O_CLOEXEC), copy = dup(fd);
    char text[4];
    ok(fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(copy, F_GETFD) == 0, "dup clears close-on-exec");
    ok(read(fd, text, 2) == 2 && lseek(copy, 0, SEEK_CUR) == 2, "copies share the offset");
    is(dup2(fd, 77), 77, "dup2 to a number");
    is(dup2(fd, fd), fd, "dup2 to itself");
    fails(dup3(fd, fd, 0), EINVAL, "dup3 to itself is EINVAL");
    fails(dup2(fd, 1 << 30), EBADF, "dup2 too high is EBADF");
    is(fcntl(fd, F_DUPFD, 200), 200, "F_DUPFD starts at its argument");
    ok(fcntl(fd, F_DUPFD_CLOEXEC, 200) == 201 && fcntl(201, F_GETFD) == FD_CLOEXEC, "F_DUPFD_CLOEXEC");
    close(copy);
    int lowest = open("log", O_RDONLY);
    is(lowest, copy, "the lowest free number is taken");
    is(syscall(SYS_close_range, 200, 300, 0), 0, "close_range");
    fails(fcntl(201, F_GETFD), EBADF, "closes them");
    close(77);
    pid_t child = fork();
    if (child == 0) _exit(lseek(fd, 4, SEEK_SET) == 4 ? 0 : 1);
    waitpid(child, NULL, 0);
    is(lseek(fd, 0, SEEK_CUR), 4, "a child shares the offset");
    close(fd);
    close(lowest);
}

static void test_copies(void) {
    int in = open("log", O_RDONLY), out = open("copy", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char text[16] = "";
    off_t offset = 2;
    is(sendfile(out, in, &offset, 100), 4, "sendfile copies to the end");
    ok(offset == 6 && lseek(in, 0, SEEK_CUR) == 0, "and moves the given offset");
    ok(pread(out, text, 16, 0) == 4 && strcmp(text, "bbcc") == 0, "the bytes are right");
    loff_t from = 0, to = 4;
    is(syscall(SYS_copy_file_range, in, &from, out, &to, 6, 0), 6, "copy_file_range");
    memset(text, 0, sizeof text);
    ok(pread(out, text, 16, 0) == 10 && strcmp(text, "bbccaabbcc") == 0, "copies in the kernel");
    int memory = (int)syscall(SYS_memfd_create, "name", 0);
    ok(memory >= 0 && write(memory, "memory", 6) == 6, "memfd_create makes a file of memory");
    char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    ok(map != MAP_FAILED && memcmp(map, "memory", 6) == 0, "which can be mapped");
    close(in);
    close(out);
    close(memory);
}

static int try_lock(void) {
    int fd = open("log", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 2};
    if (fcntl(fd, F_SETLK, &lock) != -1 || (errno != EAGAIN && errno != EACCES)) return 1;
    lock.l_start = 10;
    if (fcntl(fd, F_SETLK, &lock) != 0) return 2;
    lock.l_start = 0;
    if (fcntl(fd, F_GETLK, &lock) != 0 || lock.l_type != F_WRLCK || lock.l_pid != getppid()) return 3;
    return flock(fd, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK ? 0 : 4;
}

static void test_locks(void) {
    int fd = open("log", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 4};
    is(fcntl(fd, F_SETLK, &lock), 0, "a record lock");
    is(flock(fd, LOCK_EX), 0, "and a file lock");
    int status = status_of(try_lock);
    ok(exited_with(status, 0), "keep another process out");
    if (!exited_with(status, 0)) note("status %x", status);
    close(fd);
}

int main(void) {
    plan(50);
    enter_scratch();
    test_offsets();
    test_holes();
    test_appending();
    test_descriptors();
    test_copies();
    test_locks();
    return done();
}
