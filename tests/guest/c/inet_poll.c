/* Readiness of internet sockets as poll and epoll tell it, and the edges at
 * which epoll tells it anew. */
#include "tap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static int port_of(int fd) {
    struct sockaddr_in addr;
    socklen_t length = sizeof addr;
    need(getsockname(fd, (struct sockaddr *)&addr, &length) == 0);
    return ntohs(addr.sin_port);
}

static int local_socket(int type, int port, int (*call)(int, const struct sockaddr *, socklen_t)) {
    int fd = socket(AF_INET, type, 0);
    need(fd >= 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    need(call(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    return fd;
}

static int watch(int epoll, int fd, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* The events of one ready descriptor, or 0. */
static int next(int epoll, int timeout) {
    struct epoll_event event;
    int count = epoll_wait(epoll, &event, 1, timeout);
    need(count >= 0);
    return count ? (int)event.events : 0;
}

static void edges(void) {
    int server = local_socket(SOCK_STREAM, 0, bind);
    need(listen(server, 4) == 0);
    int epoll = epoll_create1(0);
    is(watch(epoll, server, EPOLLIN), 0, "a listener is watched");
    is(next(epoll, 0), 0, "nobody has connected");
    int client = local_socket(SOCK_STREAM, port_of(server), connect);
    is(next(epoll, 1000), EPOLLIN, "somebody has");
    int conn = accept(server, NULL, NULL);
    is(next(epoll, 0), 0, "nobody else");
    need(watch(epoll, conn, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) == 0);
    is(next(epoll, 1000), EPOLLOUT, "a connection can be written to");
    is(next(epoll, 0), 0, "an edge is told once");
    need(write(client, "one", 3) == 3);
    is(next(epoll, 1000) & EPOLLIN, EPOLLIN, "bytes are an edge");
    is(next(epoll, 0), 0, "they are told once though nobody reads");
    need(write(client, "two", 3) == 3);
    is(next(epoll, 1000) & EPOLLIN, EPOLLIN, "more bytes are another edge");
    need(shutdown(client, SHUT_WR) == 0);
    is(next(epoll, 1000) & (EPOLLIN | EPOLLRDHUP), EPOLLIN | EPOLLRDHUP, "and so is the end");
    close(conn), close(client), close(server), close(epoll);
}

static void levels(void) {
    int one = local_socket(SOCK_DGRAM, 0, bind), other = local_socket(SOCK_DGRAM, port_of(one), connect);
    int epoll = epoll_create1(0);
    need(watch(epoll, one, EPOLLIN | EPOLLONESHOT) == 0);
    is(next(epoll, 0), 0, "no datagram has come");
    need(send(other, "x", 1, 0) == 1);
    is(next(epoll, 1000), EPOLLIN, "one has");
    is(next(epoll, 0), 0, "a one-shot is spent");
    struct epoll_event again = {.events = EPOLLIN, .data.fd = one};
    need(epoll_ctl(epoll, EPOLL_CTL_MOD, one, &again) == 0);
    is(next(epoll, 0), EPOLLIN, "and can be renewed");
    char byte;
    need(recv(one, &byte, 1, 0) == 1);
    is(next(epoll, 0), 0, "a level goes away");
    close(one), close(other), close(epoll);
}

/* A poll that waits is woken by what it waits for. */
static void waking(void) {
    int server = local_socket(SOCK_STREAM, 0, bind);
    need(listen(server, 4) == 0);
    int client = local_socket(SOCK_STREAM, port_of(server), connect), conn = accept(server, NULL, NULL);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        sleep_ms(50);
        need(write(client, "!", 1) == 1);
        need(read(client, &byte, 1) == 1);
        sleep_ms(50);
        _exit(0);
    }
    close(client);
    struct pollfd items[2] = {{.fd = server, .events = POLLIN}, {.fd = conn, .events = POLLIN}};
    is(poll(items, 2, 5000), 1, "poll waits until bytes come");
    is(items[1].revents, POLLIN, "for the socket that has them");
    char byte;
    need(read(conn, &byte, 1) == 1);
    need(write(conn, "?", 1) == 1);
    items[1].revents = 0;
    is(poll(items, 2, 5000), 1, "poll waits for the end of the other process");
    is(items[1].revents & POLLIN, POLLIN, "which is readable");
    is(read(conn, &byte, 1), 0, "as the end");
    waitpid(child, NULL, 0);
    long long start = now_ms();
    is(poll(items, 1, 60), 0, "poll gives up in time");
    ok(now_ms() - start >= 55, "but not before");
    close(conn), close(server);
}

int main(void) {
    plan(22);
    edges();
    levels();
    waking();
    return done();
}
