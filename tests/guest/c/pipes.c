/* Pipes, FIFOs and socket pairs. */
#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void nothing(int number UNUSED) {}

static void test_basics(void) {
    int fds[2], waiting;
    char text[16] = "";
    need(pipe2(fds, O_CLOEXEC) == 0);
    is(fcntl(fds[0], F_GETFD), FD_CLOEXEC, "pipe2 sets close-on-exec");
    ok(write(fds[1], "abcdef", 6) == 6 && read(fds[0], text, 3) == 3 && memcmp(text, "abc", 3) == 0, "bytes come out in order");
    ok(ioctl(fds[0], FIONREAD, &waiting) == 0 && waiting == 3, "FIONREAD counts what is left");
    close(fds[1]);
    ok(read(fds[0], text, 16) == 3 && read(fds[0], text, 16) == 0, "the rest, then the end");
    fails(lseek(fds[0], 0, SEEK_SET), ESPIPE, "a pipe cannot seek");
    fails(read(fds[0], NULL, 0) ? -1 : pread(fds[0], text, 1, 0), ESPIPE, "nor pread");
    close(fds[0]);
    need(pipe(fds) == 0);
    close(fds[0]);
    on_signal(SIGPIPE, SIG_IGN, 0);
    fails(write(fds[1], "x", 1), EPIPE, "writing to nobody is EPIPE");
    on_signal(SIGPIPE, SIG_DFL, 0);
    close(fds[1]);
    fails(pipe2(fds, 0x7), EINVAL, "bad flags are EINVAL");
}

static void test_capacity(void) {
    int fds[2];
    static char block[4096];
    long total = 0;
    need(pipe2(fds, O_NONBLOCK) == 0);
    for (long done; (done = write(fds[1], block, sizeof block)) > 0;) total += done;
    ok(errno == EAGAIN && total == 65536, "64 KiB fit, then EAGAIN");
    struct pollfd poller = {fds[1], POLLOUT, 0};
    is(poll(&poller, 1, 0), 0, "a full pipe is not writable");
    need(read(fds[0], block, 4096) == 4096);
    ok(poll(&poller, 1, 0) == 1 && poller.revents == POLLOUT, "after a page is read it is");
    is(fcntl(fds[1], F_GETPIPE_SZ), 65536, "F_GETPIPE_SZ");
    while (read(fds[0], block, sizeof block) > 0) {}
    ok(errno == EAGAIN, "an empty pipe is EAGAIN");
    close(fds[0]);
    poller.events = 0;
    ok(poll(&poller, 1, 0) == 1 && (poller.revents & POLLERR), "a pipe without readers polls POLLERR");
    close(fds[1]);
}

/* Blocks of PIPE_BUF bytes from several writers do not mix. */
static void test_atomicity(void) {
    int fds[2], right = 1;
    char block[512];
    need(pipe(fds) == 0);
    for (int writer = 0; writer < 4; writer++) {
        if (fork() == 0) {
            memset(block, 'a' + writer, sizeof block);
            for (int i = 0; i < 200; i++)
                if (write(fds[1], block, sizeof block) != sizeof block) _exit(1);
            _exit(0);
        }
    }
    close(fds[1]);
    long total = 0;
    for (;;) {
        long got = 0, more = 1;
        while (got < (long)sizeof block && (more = read(fds[0], block + got, sizeof block - (size_t)got)) > 0) got += more;
        if (got == 0) break;
        for (long i = 1; i < got; i++) right &= block[i] == block[0];
        total += got;
    }
    for (int writer = 0; writer < 4; writer++) wait(NULL);
    ok(right && total == 4 * 200 * 512, "small writes are atomic");
    close(fds[0]);
}

static void test_big_transfer(void) {
    int fds[2];
    static char block[300000];
    need(pipe(fds) == 0);
    if (fork() == 0) {
        close(fds[0]);
        for (size_t i = 0; i < sizeof block; i++) block[i] = (char)(i * 7);
        _exit(write(fds[1], block, sizeof block) == sizeof block ? 0 : 1);
    }
    close(fds[1]);
    int right = 1, status;
    size_t total = 0;
    for (long got; (got = read(fds[0], block, 1000)) > 0; total += (size_t)got)
        for (long i = 0; i < got; i++) right &= block[i] == (char)((total + (size_t)i) * 7);
    wait(&status);
    ok(right && total == sizeof block && exited_with(status, 0), "a blocking write of 300 kB arrives whole");
    close(fds[0]);
}

static void test_fifo(void) {
    char byte = 0;
    int status;
    need(mkfifo("fifo", 0600) == 0);
    fails(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO, "a FIFO without readers is ENXIO");
    int early = open("fifo", O_RDONLY | O_NONBLOCK);
    ok(early >= 0 && read(early, &byte, 1) == 0, "a reader opens at once and sees the end");
    close(early);
    pid_t child = fork();
    if (child == 0) {
        int fd = open("fifo", O_WRONLY);
        _exit(write(fd, "f", 1) == 1 ? 0 : 1);
    }
    int fd = open("fifo", O_RDONLY);
    ok(read(fd, &byte, 1) == 1 && byte == 'f', "open waits for the other side");
    is(read(fd, &byte, 1), 0, "and the end comes when the writer is gone");
    waitpid(child, &status, 0);
    close(fd);
    fd = open("fifo", O_RDWR);
    ok(fd >= 0 && write(fd, "x", 1) == 1 && read(fd, &byte, 1) == 1, "O_RDWR opens alone");
    close(fd);
}

static void test_socketpair(void) {
    int fds[2];
    char text[16];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) {
        skip(2, "there are no sockets");
        return;
    }
    ok(write(fds[0], "one", 3) == 3 && write(fds[1], "two", 3) == 3 && read(fds[1], text, 16) == 3 && text[0] == 'o' && read(fds[0], text, 16) == 3 && text[0] == 't', "a socket pair goes both ways");
    close(fds[1]);
    is(read(fds[0], text, 1), 0, "and ends");
    close(fds[0]);
}

static int blocked_reader(void) {
    int fds[2];
    char byte;
    need(pipe(fds) == 0);
    on_signal(SIGALRM, nothing, 0);
    alarm(1);
    return read(fds[0], &byte, 1) == -1 && errno == EINTR ? 0 : 1;
}

int main(void) {
    plan(24);
    enter_scratch();
    test_basics();
    test_capacity();
    test_atomicity();
    test_big_transfer();
    test_fifo();
    test_socketpair();
    ok(exited_with(status_of(blocked_reader), 0), "a signal ends a blocked read");
    return done();
}
