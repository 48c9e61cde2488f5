/* poll, select, epoll, and descriptors that carry events. */
#include "tap.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static volatile int handled;

static void count(int number) {
    (void)number;
    handled++;
}

static void test_poll(void) {
    int fds[2];
    need(pipe(fds) == 0);
    struct pollfd entries[3] = {{fds[0], POLLIN, 0}, {fds[1], POLLOUT, 0}, {-1, POLLIN, 9}};
    is(poll(entries, 3, 0), 1, "an empty pipe can be written only");
    ok(entries[0].revents == 0 && entries[1].revents == POLLOUT && entries[2].revents == 0, "each entry says so");
    need(write(fds[1], "x", 1) == 1);
    is(poll(entries, 1, -1), 1, "a byte makes the other end readable");
    close(fds[1]);
    entries[0].revents = 0;
    poll(entries, 1, 0);
    is(entries[0].revents, POLLIN | POLLHUP, "without a writer there is a hang-up, too");
    entries[0].fd = 500;
    is(poll(entries, 1, 0), 1, "a closed descriptor counts");
    is(entries[0].revents, POLLNVAL, "as POLLNVAL");
    close(fds[0]);
    long long start = now_ms();
    is(poll(NULL, 0, 30), 0, "poll of nothing is a sleep");
    ok(now_ms() - start >= 29, "of the given length");
    int file = open("/proc/self/exe", O_RDONLY);
    struct pollfd regular = {file, POLLIN | POLLOUT, 0};
    poll(&regular, 1, -1);
    is(regular.revents, POLLIN | POLLOUT, "a regular file is always ready");
    close(file);
}

static void *write_later(void *fd) {
    sleep_ms(30);
    need(write(*(int *)fd, "y", 1) == 1);
    return NULL;
}

static void test_select(void) {
    int fds[2];
    need(pipe(fds) == 0);
    fd_set read_set;
    FD_ZERO(&read_set);
    FD_SET(fds[0], &read_set);
    struct timeval soon = {0, 20000};
    is(select(fds[0] + 1, &read_set, NULL, NULL, &soon), 0, "select times out");
    ok(!FD_ISSET(fds[0], &read_set), "and clears the set");
    FD_SET(fds[0], &read_set);
    pthread_t writer;
    need(pthread_create(&writer, NULL, write_later, &fds[1]) == 0);
    is(select(fds[0] + 1, &read_set, NULL, NULL, NULL), 1, "select wakes for another thread's byte");
    pthread_join(writer, NULL);
    close(fds[0]);
    close(fds[1]);
    FD_ZERO(&read_set);
    FD_SET(2, &read_set);
    int copy = dup(2);
    close(2);
    fails(select(3, &read_set, NULL, NULL, &soon), EBADF, "a closed descriptor is EBADF");
    dup2(copy, 2);
    close(copy);
}

static void test_masks(void) {
    sigset_t blocked, none;
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    on_signal(SIGUSR1, count, SA_RESTART);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR1);
    handled = 0;
    fails(ppoll(NULL, 0, NULL, &none), EINTR, "ppoll lets a pending signal through");
    is(handled, 1, "and its handler runs");
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    ok(sigismember(&now, SIGUSR1), "the mask is as it was");
    raise(SIGUSR1);
    int fd = eventfd(1, 0);
    struct pollfd entry = {fd, POLLIN, 0};
    is(ppoll(&entry, 1, NULL, &none), 1, "what is ready wins over a signal");
    raise(SIGUSR1);
    int ep = epoll_create1(0);
    struct epoll_event event;
    fails(epoll_pwait(ep, &event, 1, -1, &none), EINTR, "epoll_pwait lets it through");
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    close(ep);
    close(fd);
}

static int wait_events(int ep) {
    struct epoll_event events[8];
    return epoll_wait(ep, events, 8, 0);
}

static void test_epoll(void) {
    int ep = epoll_create1(EPOLL_CLOEXEC), fds[2];
    need(ep >= 0 && pipe(fds) == 0);
    struct epoll_event event = {EPOLLIN, {.u64 = 0x1122334455667788}}, got;
    is(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), 0, "a pipe is watched");
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event), EEXIST, "twice is EEXIST");
    fails(epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &event), ENOENT, "an unwatched one is ENOENT");
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, ep, &event), EINVAL, "an epoll in itself is EINVAL");
    int file = open("/proc/self/exe", O_RDONLY);
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, file, &event), EPERM, "a regular file is EPERM");
    close(file);
    is(wait_events(ep), 0, "nothing is ready");
    need(write(fds[1], "abc", 3) == 3);
    is(epoll_wait(ep, &got, 1, -1), 1, "a byte is an event");
    ok(got.events == EPOLLIN && got.data.u64 == 0x1122334455667788, "with its data");
    is(wait_events(ep), 1, "and stays one until it is read");
    event.events = EPOLLIN | EPOLLET;
    epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event);
    is(wait_events(ep), 1, "an edge is told");
    is(wait_events(ep), 0, "once");
    need(write(fds[1], "d", 1) == 1);
    is(wait_events(ep), 1, "and again after the next write");
    event.events = EPOLLIN | EPOLLONESHOT;
    epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event);
    is(wait_events(ep), 1, "a one-shot is told");
    need(write(fds[1], "e", 1) == 1);
    is(wait_events(ep), 0, "and then sleeps");
    int outer = epoll_create1(0);
    event.events = EPOLLIN;
    epoll_ctl(ep, EPOLL_CTL_MOD, fds[0], &event);
    is(epoll_ctl(outer, EPOLL_CTL_ADD, ep, &event), 0, "an epoll watches another");
    is(wait_events(outer), 1, "and sees its events");
    fails(epoll_ctl(ep, EPOLL_CTL_ADD, outer, &event), ELOOP, "but not in a circle");
    close(outer);
    int again = dup(fds[0]);
    close(fds[0]);
    is(wait_events(ep), 1, "an open duplicate keeps the watch");
    close(again);
    is(wait_events(ep), 0, "the last close ends it");
    close(fds[1]);
    close(ep);
}

static void *add_later(void *fd) {
    sleep_ms(20);
    eventfd_write(*(int *)fd, 5);
    return NULL;
}

static void test_event_files(void) {
    eventfd_t value;
    int fd = eventfd(3, EFD_CLOEXEC);
    eventfd_write(fd, 4);
    is(eventfd_read(fd, &value), 0, "an eventfd is read");
    is(value, 7, "and gives the sum");
    pthread_t adder;
    need(pthread_create(&adder, NULL, add_later, &fd) == 0);
    is(eventfd_read(fd, &value), 0, "a read waits for a write");
    is(value, 5, "and gives it");
    pthread_join(adder, NULL);
    close(fd);
    fd = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE);
    fails(eventfd_read(fd, &value), EAGAIN, "a non-blocking one gives EAGAIN");
    close(fd);

    fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = {{0, 10000000}, {0, 10000000}}, now;
    is(timerfd_settime(fd, 0, &spec, NULL), 0, "a timerfd is set");
    struct pollfd entry = {fd, POLLIN, 0};
    is(poll(&entry, 1, 2000), 1, "it becomes readable");
    sleep_ms(25);
    uint64_t ticks = 0;
    is(read(fd, &ticks, 8), 8, "and is read");
    ok(ticks >= 3 && ticks < 1000, "with the number of expirations");
    timerfd_gettime(fd, &now);
    is(now.it_interval.tv_nsec, 10000000, "its setting can be read");
    fails(read(fd, &ticks, 4), EINVAL, "four bytes are too few");
    close(fd);

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK);
    struct signalfd_siginfo info;
    fails(read(fd, &info, sizeof info), EAGAIN, "no signal is pending");
    kill(getpid(), SIGUSR2);
    entry.fd = fd;
    is(poll(&entry, 1, 1000), 1, "a signal makes the signalfd readable");
    is(read(fd, &info, sizeof info), sizeof info, "and is read from it");
    ok(info.ssi_signo == SIGUSR2 && info.ssi_pid == (uint32_t)getpid(), "with number and sender");
    sigpending(&set);
    ok(!sigismember(&set, SIGUSR2), "it is pending no longer");
    close(fd);
}

int main(void) {
    plan(53);
    test_poll();
    test_select();
    test_masks();
    test_epoll();
    test_event_files();
    return done();
}
