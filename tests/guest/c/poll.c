/* poll, select, epoll, eventfd, timerfd, signalfd. */
#include "tap.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int fds[2];

static void *write_later(void *unused UNUSED) {
    sleep_ms(40);
    if (write(fds[1], "x", 1) != 1) return (void *)1;
    return NULL;
}

static void nothing(int number UNUSED) {}

static void test_poll(void) {
    pthread_t thread;
    char byte;
    need(pipe(fds) == 0);
    struct pollfd set[3] = {{fds[0], POLLIN, 0}, {-1, POLLIN, 7}, {99, POLLIN, 0}};
    is(poll(set, 1, 0), 0, "nothing is ready");
    long long before = now_ms();
    is(poll(set, 1, 30), 0, "a timeout passes");
    ok(now_ms() - before >= 29, "and takes its time");
    pthread_create(&thread, NULL, write_later, NULL);
    ok(poll(set, 1, 5000) == 1 && set[0].revents == POLLIN, "a write wakes poll");
    pthread_join(thread, NULL);
    ok(poll(set, 3, 0) == 2 && set[1].revents == 0 && set[2].revents == POLLNVAL, "negative descriptors are skipped, bad ones are POLLNVAL");
    need(read(fds[0], &byte, 1) == 1);
    fd_set reads;
    FD_ZERO(&reads);
    FD_SET(fds[0], &reads);
    struct timeval short_time = {0, 10000};
    ok(select(fds[0] + 1, &reads, NULL, NULL, &short_time) == 0 && !FD_ISSET(fds[0], &reads), "select times out and clears the set");
    FD_SET(fds[0], &reads);
    need(write(fds[1], "x", 1) == 1);
    ok(select(fds[0] + 1, &reads, NULL, NULL, NULL) == 1 && FD_ISSET(fds[0], &reads), "select sees a byte");
    FD_ZERO(&reads);
    int gone = dup(fds[0]);
    close(gone);
    FD_SET(gone, &reads);
    fails(select(gone + 1, &reads, NULL, NULL, NULL), EBADF, "select of a bad descriptor is EBADF");
    need(read(fds[0], &byte, 1) == 1);
    on_signal(SIGUSR1, nothing, SA_RESTART);
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR1);
    struct timespec second = {1, 0};
    fails(ppoll(set, 1, &second, &none), EINTR, "ppoll changes the mask while it waits");
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    ok(sigismember(&now, SIGUSR1), "and puts it back");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    struct timespec bad = {0, -1};
    fails(ppoll(set, 1, &bad, NULL), EINVAL, "a bad time is EINVAL");
    close(fds[1]);
    ok(poll(set, 1, 0) == 1 && (set[0].revents & POLLHUP), "a closed pipe is POLLHUP");
    close(fds[0]);
}

static void test_epoll(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abc}, got[4];
    char byte;
    need(pipe(fds) == 0);
    int ep = epoll_create1(EPOLL_CLOEXEC);
    ok(ep >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event) == 0, "epoll_ctl adds");
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), EEXIST, "adding twice is EEXIST");
    fails(epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &event), ENOENT, "changing a stranger is ENOENT");
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event), EINVAL, "adding itself is EINVAL");
    int file = open("/proc/self/exe", O_RDONLY);
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, file, &event), EPERM, "a plain file is EPERM");
    close(file);
    is(epoll_wait(ep, got, 4, 0), 0, "nothing is ready");
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, NULL);
    ok(epoll_wait(ep, got, 4, 5000) == 1 && got[0].events == EPOLLIN && got[0].data.u64 == 0x123456789abc, "a write wakes epoll_wait with the data");
    pthread_join(thread, NULL);
    is(epoll_wait(ep, got, 4, 0), 1, "level-triggered: still ready");
    event.events = EPOLLIN | EPOLLET;
    need(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event) == 0);
    ok(epoll_wait(ep, got, 4, 0) == 1 && epoll_wait(ep, got, 4, 0) == 0, "edge-triggered: once");
    need(write(fds[1], "y", 1) == 1);
    is(epoll_wait(ep, got, 4, 0), 1, "and again after another write");
    event.events = EPOLLIN | EPOLLONESHOT;
    need(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event) == 0);
    ok(epoll_wait(ep, got, 4, 0) == 1 && write(fds[1], "z", 1) == 1 && epoll_wait(ep, got, 4, 0) == 0, "EPOLLONESHOT: disabled after one");
    need(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event) == 0);
    is(epoll_wait(ep, got, 4, 0), 1, "until it is armed again");
    event.events = EPOLLIN;
    need(epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event) == 0);
    struct pollfd poller = {ep, POLLIN, 0};
    ok(poll(&poller, 1, 0) == 1 && poller.revents == POLLIN, "an epoll descriptor can be polled");
    int outer = epoll_create1(0);
    ok(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &event) == 0 && epoll_wait(outer, got, 4, 0) == 1, "and nested");
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, outer, &event), ELOOP, "but not in a circle");
    close(fds[1]);
    for (int i = 0; i < 3; i++) need(read(fds[0], &byte, 1) == 1);
    ok(epoll_wait(ep, got, 4, 0) == 1 && (got[0].events & EPOLLHUP), "EPOLLHUP is always told");
    close(fds[0]);
    is(epoll_wait(ep, got, 4, 0), 0, "closing the descriptor removes it");
    fails(epoll_wait(ep, got, 0, 0), EINVAL, "room for no event is EINVAL");
    fails(epoll_wait(0x7fff, got, 1, 0), EBADF, "a bad descriptor is EBADF");
    close(ep);
    close(outer);
}

static void test_eventfd(void) {
    uint64_t value = 0;
    int fd = eventfd(3, EFD_NONBLOCK);
    ok(read(fd, &value, 8) == 8 && value == 3, "an eventfd gives its count");
    fails(read(fd, &value, 8), EAGAIN, "then blocks");
    value = 5;
    need(write(fd, &value, 8) == 8 && write(fd, &value, 8) == 8);
    ok(read(fd, &value, 8) == 8 && value == 10, "writes add up");
    value = UINT64_MAX;
    fails(write(fd, &value, 8), EINVAL, "the largest number is EINVAL");
    value = UINT64_MAX - 1;
    need(write(fd, &value, 8) == 8);
    value = 1;
    fails(write(fd, &value, 8), EAGAIN, "an overflow blocks");
    fails(read(fd, &value, 4), EINVAL, "a short read is EINVAL");
    close(fd);
    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    ok(read(fd, &value, 8) == 8 && value == 1 && read(fd, &value, 8) == 8 && value == 1 && read(fd, &value, 8) == -1, "a semaphore gives ones");
    close(fd);
}

static void test_timerfd(void) {
    uint64_t ticks = 0;
    struct itimerspec timer = {{0, 10000000}, {0, 10000000}}, now;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    fails(read(fd, &ticks, 8), EAGAIN, "a timerfd that is not set blocks");
    need(timerfd_settime(fd, 0, &timer, NULL) == 0);
    struct pollfd poller = {fd, POLLIN, 0};
    ok(poll(&poller, 1, 5000) == 1 && read(fd, &ticks, 8) == 8 && ticks >= 1, "it expires");
    sleep_ms(55);
    ok(read(fd, &ticks, 8) == 8 && ticks >= 4, "and counts what was missed");
    ok(timerfd_gettime(fd, &now) == 0 && now.it_interval.tv_nsec == 10000000 && now.it_value.tv_nsec <= 10000000, "timerfd_gettime tells what is left");
    memset(&timer, 0, sizeof timer);
    ok(timerfd_settime(fd, 0, &timer, &now) == 0 && poll(&poller, 1, 30) == 0, "zero disarms");
    fails(timerfd_create(12345, 0), EINVAL, "a bad clock is EINVAL");
    close(fd);
}

static void test_signalfd(void) {
    sigset_t set;
    struct signalfd_siginfo info;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    fails(read(fd, &info, sizeof info), EAGAIN, "no signal is pending");
    kill(getpid(), SIGUSR2);
    struct pollfd poller = {fd, POLLIN, 0};
    ok(poll(&poller, 1, 0) == 1 && read(fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGUSR2 && info.ssi_pid == (uint32_t)getpid(), "a signalfd gives it");
    fails(read(fd, &info, sizeof info), EAGAIN, "once");
    fails(read(fd, &info, 10), EINVAL, "a short read is EINVAL");
    close(fd);
}

int main(void) {
    plan(48);
    test_poll();
    test_epoll();
    test_eventfd();
    test_timerfd();
    test_signalfd();
    return done();
}
