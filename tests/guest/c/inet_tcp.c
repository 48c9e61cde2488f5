/* TCP over the loopback interface: making connections, moving bytes, ending
 * connections in every order, and the errors on the way. */
#include "tap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return addr;
}

static int port_of(int fd) {
    struct sockaddr_in addr;
    socklen_t length = sizeof addr;
    need(getsockname(fd, (struct sockaddr *)&addr, &length) == 0);
    return ntohs(addr.sin_port);
}

static int listener(int backlog) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(fd >= 0);
    struct sockaddr_in addr = loopback(0);
    need(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    need(listen(fd, backlog) == 0);
    return fd;
}

static int connect_to(int fd, int port) {
    struct sockaddr_in addr = loopback(port);
    return connect(fd, (struct sockaddr *)&addr, sizeof addr);
}

static void pair(int *one, int *other) {
    int server = listener(5);
    *one = socket(AF_INET, SOCK_STREAM, 0);
    need(connect_to(*one, port_of(server)) == 0);
    *other = accept(server, NULL, NULL);
    need(*other >= 0);
    close(server);
}

static int revents(int fd, int timeout) {
    struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};
    need(poll(&item, 1, timeout) >= 0);
    return item.revents;
}

/* Waits until poll shows all of `wanted`. */
static int becomes(int fd, int wanted) {
    for (int i = 0; i < 200; i++) {
        if ((revents(fd, 0) & wanted) == wanted) return 1;
        sleep_ms(10);
    }
    return 0;
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t length = sizeof value;
    need(getsockopt(fd, level, name, &value, &length) == 0);
    return value;
}

static void set_option(int fd, int level, int name, int value) {
    need(setsockopt(fd, level, name, &value, sizeof value) == 0);
}

static void making(void) {
    int server = listener(5), port = port_of(server);
    ok(port >= 1024, "port 0 gives a free port");
    is(option(server, SOL_SOCKET, SO_ACCEPTCONN), 1, "a listener says so");
    is(revents(server, 0), 0, "a listener that nobody has connected to is not ready");
    int client = socket(AF_INET, SOCK_STREAM, 0);
    is(revents(client, 0), POLLOUT | POLLHUP, "a new socket hangs up");
    fails(recv(client, &port, 1, 0), ENOTCONN, "receiving needs a connection");
    fails(shutdown(client, SHUT_WR), ENOTCONN, "so does shutting down");
    struct sockaddr_in addr;
    socklen_t length = sizeof addr;
    fails(getpeername(client, (struct sockaddr *)&addr, &length), ENOTCONN, "so does asking for the peer");
    is(connect_to(client, port), 0, "connecting succeeds before accepting");
    is(becomes(server, POLLIN), 1, "the listener becomes ready");
    length = sizeof addr;
    int conn = accept(server, (struct sockaddr *)&addr, &length);
    ok(conn >= 0, "the connection is accepted");
    is(length, sizeof addr, "the peer's address has its length");
    is(ntohs(addr.sin_port), port_of(client), "it is the client's");
    is(port_of(conn), port, "the connection has the listener's port");
    length = sizeof addr;
    is(getpeername(client, (struct sockaddr *)&addr, &length), 0, "the client knows its peer");
    is(ntohs(addr.sin_port), port, "which is the listener's address");
    fails(connect_to(client, port), EISCONN, "who is connected cannot connect");
    fails(listen(client, 1), EINVAL, "nor listen");
    fails(accept(client, NULL, NULL), EINVAL, "nor accept");
    is(revents(client, 0), POLLOUT, "a fresh connection is writable");
    is(option(conn, SOL_SOCKET, SO_TYPE), SOCK_STREAM, "SO_TYPE");
    is(option(conn, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP, "SO_PROTOCOL");
    is(option(conn, SOL_SOCKET, SO_DOMAIN), AF_INET, "SO_DOMAIN");
    is(fcntl(conn, F_GETFL) & O_NONBLOCK, 0, "an accepted socket waits");
    close(conn);
    int second = socket(AF_INET, SOCK_STREAM, 0);
    need(connect_to(second, port) == 0);
    conn = accept4(server, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ok(fcntl(conn, F_GETFL) & O_NONBLOCK, "accept4 can make it not wait");
    is(fcntl(conn, F_GETFD), FD_CLOEXEC, "and close it on exec");
    char byte;
    fails(recv(conn, &byte, 1, 0), EAGAIN, "then nothing to read is EAGAIN");
    set_option(server, SOL_SOCKET, SO_REUSEADDR, 0);
    fcntl(server, F_SETFL, O_NONBLOCK);
    fails(accept(server, NULL, NULL), EAGAIN, "nobody to accept is EAGAIN");
    close(conn), close(second), close(client), close(server);
    fails(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT, "a stream cannot be UDP");
    fails(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT, "there is no such type");
    int two[2];
    fails(socketpair(AF_INET, SOCK_STREAM, 0, two), EOPNOTSUPP, "there are no pairs");
}

static void binding(void) {
    int server = listener(1), port = port_of(server);
    int other = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in addr = loopback(port);
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE, "a port that is listened on is taken");
    set_option(other, SOL_SOCKET, SO_REUSEADDR, 1);
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE, "also for who would share it");
    addr.sin_addr.s_addr = htonl(0x7f000002);
    is(bind(other, (struct sockaddr *)&addr, sizeof addr), 0, "another address of the loopback network is free");
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EINVAL, "binding twice is EINVAL");
    close(other);
    other = socket(AF_INET, SOCK_STREAM, 0);
    addr.sin_addr.s_addr = htonl(0xc0000201);
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRNOTAVAIL, "an address of nobody here");
    fails(bind(other, (struct sockaddr *)&addr, 8), EINVAL, "a short address");
    addr.sin_family = AF_INET6;
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EAFNOSUPPORT, "an address of another family");
    close(other), close(server);

    /* Two that share a port share the connections. */
    int shared[2];
    for (int i = 0; i < 2; i++) {
        shared[i] = socket(AF_INET, SOCK_STREAM, 0);
        set_option(shared[i], SOL_SOCKET, SO_REUSEPORT, 1);
        addr = loopback(i ? port_of(shared[0]) : 0);
        is(bind(shared[i], (struct sockaddr *)&addr, sizeof addr), 0, "SO_REUSEPORT lets two bind");
        is(listen(shared[i], 64), 0, "and listen");
    }
    int clients[16], got = 0;
    for (int i = 0; i < 16; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        need(connect_to(clients[i], port_of(shared[0])) == 0);
    }
    for (int i = 0; i < 2; i++) {
        fcntl(shared[i], F_SETFL, O_NONBLOCK);
        for (int fd; (fd = accept(shared[i], NULL, NULL)) >= 0; got++) close(fd);
    }
    is(got, 16, "all connections arrive at one or the other");
    for (int i = 0; i < 16; i++) close(clients[i]);
    close(shared[0]), close(shared[1]);

    /* The end that closes first keeps the port for a while. */
    server = listener(1), port = port_of(server);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    need(connect_to(client, port) == 0);
    int conn = accept(server, NULL, NULL);
    close(conn), close(server);
    char byte;
    is(read(client, &byte, 1), 0, "the client sees the end");
    close(client);
    sleep_ms(50);
    addr = loopback(port);
    other = socket(AF_INET, SOCK_STREAM, 0);
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE, "a connection that has ended holds its port");
    close(other);
}

static void refused(void) {
    int server = listener(1), port = port_of(server);
    close(server);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    fails(connect_to(fd, port), ECONNREFUSED, "nobody listens");
    is(option(fd, SOL_SOCKET, SO_ERROR), 0, "the error has been told");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fails(connect_to(fd, port), EINPROGRESS, "a socket that does not wait tries again");
    ok(becomes(fd, POLLERR | POLLHUP), "and learns that it failed");
    is(option(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED, "SO_ERROR says why");
    is(option(fd, SOL_SOCKET, SO_ERROR), 0, "and is cleared");
    close(fd);
    server = listener(1);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    fails(connect_to(fd, port_of(server)), EINPROGRESS, "connecting without waiting");
    ok(becomes(fd, POLLOUT), "becomes writable");
    is(option(fd, SOL_SOCKET, SO_ERROR), 0, "without an error");
    is(connect_to(fd, port_of(server)), 0, "connect tells the success once");
    fails(connect_to(fd, port_of(server)), EISCONN, "and then that it is connected");
    struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    is(connect(fd, &unspecified, sizeof unspecified), 0, "AF_UNSPEC disconnects");
    fails(send(fd, "x", 1, MSG_NOSIGNAL), ECONNRESET, "who still sends is told");
    fails(send(fd, "x", 1, MSG_NOSIGNAL), EPIPE, "and can send nothing");
    close(fd), close(server);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in addr = loopback(1);
    addr.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    fails(connect(fd, (struct sockaddr *)&addr, sizeof addr), ENETUNREACH, "nobody connects to everybody");
    close(fd);
}

static void moving(void) {
    int one, other;
    char buffer[64] = "";
    pair(&one, &other);
    is(send(one, "hello", 5, 0), 5, "bytes are sent");
    ok(becomes(other, POLLIN), "and arrive");
    int count = 0;
    is(ioctl(other, FIONREAD, &count), 0, "FIONREAD works");
    is(count, 5, "and counts them");
    is(recv(other, buffer, 3, MSG_PEEK), 3, "a look leaves them there");
    is(recv(other, buffer, sizeof buffer, 0), 5, "they are received");
    is(memcmp(buffer, "hello", 5), 0, "as they were sent");
    fails(recv(other, buffer, 1, MSG_DONTWAIT), EAGAIN, "MSG_DONTWAIT does not wait");
    need(write(one, "abcdef", 6) == 6);
    is(recv(other, NULL, 2, MSG_TRUNC), 2, "MSG_TRUNC drops bytes");
    struct iovec parts[2] = {{buffer, 1}, {buffer + 10, 10}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};
    is(recvmsg(other, &header, 0), 4, "recvmsg fills several buffers");
    is(buffer[0] == 'c' && memcmp(buffer + 10, "def", 3) == 0, 1, "in order");
    header.msg_iov = (struct iovec[]){{"xy", 2}, {"z", 1}};
    is(sendmsg(one, &header, 0), 3, "sendmsg sends several");
    is(recv(other, buffer, 3, MSG_WAITALL), 3, "MSG_WAITALL gets all");
    is(memcmp(buffer, "xyz", 3), 0, "in order");
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 4; i++) sleep_ms(20), write(one, "part", 4);
        _exit(0);
    }
    is(recv(other, buffer, 16, MSG_WAITALL), 16, "MSG_WAITALL waits for all");
    waitpid(child, NULL, 0);
    struct timeval limit = {0, 60000};
    need(setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    long long start = now_ms();
    fails(recv(other, buffer, 1, 0), EAGAIN, "SO_RCVTIMEO ends the wait");
    ok(now_ms() - start >= 55, "after that time");
    close(one), close(other);
}

enum { AMOUNT = 3 << 20 };

static uint32_t mix(uint32_t x) {
    x ^= x << 13, x ^= x >> 17, x ^= x << 5;
    return x;
}

static void *writes_much(void *argument) {
    int fd = *(int *)argument;
    static __thread uint32_t block[4099];
    uint32_t x = 1;
    for (size_t sent = 0; sent < AMOUNT;) {
        size_t count = sizeof block < AMOUNT - sent ? sizeof block : AMOUNT - sent;
        for (size_t i = 0; i < count / 4; i++) block[i] = x = mix(x);
        for (size_t at = 0; at < count;) {
            ssize_t done = write(fd, (char *)block + at, count - at);
            if (done <= 0) return (void *)1;
            at += (size_t)done;
        }
        sent += count;
    }
    shutdown(fd, SHUT_WR);
    return NULL;
}

static int reads_much(int fd) {
    static uint32_t block[8192];
    uint32_t x = 1;
    size_t held = 0, total = 0;
    for (;;) {
        ssize_t done = read(fd, (char *)block + held, sizeof block - held);
        if (done < 0) return 0;
        if (done == 0) break;
        held += (size_t)done, total += (size_t)done;
        for (size_t i = 0; i < held / 4; i++)
            if (block[i] != (x = mix(x))) return 0;
        memmove(block, (char *)block + held / 4 * 4, held % 4);
        held %= 4;
    }
    return total == AMOUNT;
}

static void much(void) {
    int one, other;
    pair(&one, &other);
    pthread_t thread[2];
    need(pthread_create(&thread[0], NULL, writes_much, &one) == 0);
    need(pthread_create(&thread[1], NULL, writes_much, &other) == 0);
    ok(reads_much(other), "3 MiB arrive as they were sent");
    ok(reads_much(one), "and 3 MiB the other way at the same time");
    void *result = NULL;
    pthread_join(thread[0], &result);
    ok(result == NULL, "the writer was not disturbed");
    pthread_join(thread[1], &result);
    close(one), close(other);

    /* A reader that does not read stops the writer. */
    pair(&one, &other);
    fcntl(one, F_SETFL, O_NONBLOCK);
    static char block[65536];
    size_t sent = 0;
    ssize_t done;
    int rounds = 0;
    do {
        while ((done = write(one, block, sizeof block)) > 0) sent += (size_t)done;
        sleep_ms(20);
    } while (rounds++ < 10 && (done = write(one, block, sizeof block)) > 0 && (sent += (size_t)done));
    is(done < 0 && errno == EAGAIN, 1, "a full connection takes no more");
    is(revents(one, 0) & POLLOUT, 0, "and is not writable");
    size_t received = 0;
    int became = 0;
    while (received < sent) {
        done = read(other, block, sizeof block);
        if (done <= 0) break;
        received += (size_t)done;
        became |= (revents(one, 0) & POLLOUT) != 0;
    }
    is((long long)received, (long long)sent, "all of it is read");
    ok(became || becomes(one, POLLOUT), "and there is room again");
    close(one), close(other);
}

static void ending(void) {
    int one, other;
    char buffer[16];
    pair(&one, &other);
    need(write(one, "last", 4) == 4);
    is(shutdown(one, SHUT_WR), 0, "one side is shut down");
    ok(becomes(other, POLLIN | POLLRDHUP), "the other hears of it");
    is(revents(other, 0) & POLLHUP, 0, "which is no hang-up yet");
    is(read(other, buffer, sizeof buffer), 4, "what was sent before is there");
    is(read(other, buffer, sizeof buffer), 0, "then comes the end");
    is(read(other, buffer, sizeof buffer), 0, "as often as one looks");
    fails(send(one, "x", 1, MSG_NOSIGNAL), EPIPE, "nothing more is sent this way");
    is(write(other, "reply", 5), 5, "but the other way");
    is(recv(one, buffer, 5, MSG_WAITALL), 5, "where it arrives");
    need(shutdown(other, SHUT_WR) == 0);
    ok(becomes(one, POLLHUP), "both ways shut is a hang-up");
    is(read(one, buffer, 1), 0, "and the end");
    close(one), close(other);

    pair(&one, &other);
    need(write(one, "unread", 6) == 6);
    ok(becomes(other, POLLIN), "bytes arrive");
    close(other);
    ok(becomes(one, POLLERR | POLLHUP | POLLIN), "closing with bytes unread resets the connection");
    fails(read(one, buffer, 1), ECONNRESET, "a reader is told");
    is(read(one, buffer, 1), 0, "once");
    fails(send(one, "x", 1, MSG_NOSIGNAL), EPIPE, "then it is just closed");
    close(one);

    pair(&one, &other);
    struct linger now = {1, 0};
    need(setsockopt(other, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    close(other);
    ok(becomes(one, POLLERR), "SO_LINGER of 0 resets");
    is(option(one, SOL_SOCKET, SO_ERROR), ECONNRESET, "SO_ERROR tells");
    close(one);

    pair(&one, &other);
    close(other);
    ok(becomes(one, POLLIN), "closing ends");
    is(write(one, "x", 1), 1, "the first write to who has closed succeeds");
    ok(becomes(one, POLLERR | POLLHUP), "then the reset comes");
    on_signal(SIGPIPE, SIG_IGN, 0);
    ssize_t result = write(one, "x", 1);
    ok(result == -1 && errno == EPIPE, "and the next one fails");
    on_signal(SIGPIPE, SIG_DFL, 0);
    close(one);

    /* What was sent before closing is delivered. */
    pair(&one, &other);
    static char block[100000];
    memset(block, 7, sizeof block);
    pid_t child = fork();
    if (child == 0) {
        close(one);
        size_t got = 0;
        sleep_ms(50);
        for (ssize_t done; (done = read(other, block, sizeof block)) > 0; got += (size_t)done) {
        }
        _exit(got == sizeof block ? 0 : 1);
    }
    close(other);
    is(write(one, block, sizeof block), sizeof block, "much is sent");
    close(one);
    int status;
    waitpid(child, &status, 0);
    ok(exited_with(status, 0), "and arrives though the sender has closed");

    /* A listener that goes takes along who was not accepted. */
    int server = listener(3);
    one = socket(AF_INET, SOCK_STREAM, 0);
    need(connect_to(one, port_of(server)) == 0);
    close(server);
    ok(becomes(one, POLLERR | POLLHUP), "who was not accepted is reset");
    fails(read(one, buffer, 1), ECONNRESET, "and told");
    close(one);
}

static int dies_of_pipe(void) {
    int one, other;
    pair(&one, &other);
    shutdown(one, SHUT_WR);
    write(one, "x", 1);
    return 0;
}

static void interrupting(int number) {
    (void)number;
}

static void waiting(void) {
    ok(killed_by(status_of(dies_of_pipe), SIGPIPE), "writing past the end is SIGPIPE");
    int server = listener(5), port = port_of(server);
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(60);
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        connect_to(fd, port);
        sleep_ms(60);
        write(fd, "!", 1);
        _exit(0);
    }
    int conn = accept(server, NULL, NULL);
    ok(conn >= 0, "accept waits for somebody");
    char byte = 0;
    is(read(conn, &byte, 1), 1, "read waits for a byte");
    is(byte, '!', "which is the one that was sent");
    is(read(conn, &byte, 1), 0, "the end of the process ends the connection");
    waitpid(child, NULL, 0);
    close(conn);
    on_signal(SIGALRM, interrupting, 0);
    struct itimerspec soon = {.it_value = {0, 50000000}};
    timer_t timer;
    need(timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
    need(timer_settime(timer, 0, &soon, NULL) == 0);
    fails(accept(server, NULL, NULL), EINTR, "a signal interrupts accept");
    int one, other;
    pair(&one, &other);
    need(timer_settime(timer, 0, &soon, NULL) == 0);
    fails(read(one, &byte, 1), EINTR, "and read");
    struct timeval limit = {0, 50000};
    need(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    fails(accept(server, NULL, NULL), EAGAIN, "SO_RCVTIMEO is for accept too");
    close(one), close(other);
    close(server);
}

static void options(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    is(option(fd, IPPROTO_TCP, TCP_NODELAY), 0, "TCP_NODELAY is off");
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    is(option(fd, IPPROTO_TCP, TCP_NODELAY), 1, "and can be turned on");
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 100);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    is(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1, "SO_KEEPALIVE");
    is(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 100, "TCP_KEEPIDLE");
    is(option(fd, IPPROTO_TCP, TCP_KEEPINTVL), 10, "TCP_KEEPINTVL");
    is(option(fd, IPPROTO_TCP, TCP_KEEPCNT), 3, "TCP_KEEPCNT");
    set_option(fd, SOL_SOCKET, SO_RCVBUF, 30000);
    is(option(fd, SOL_SOCKET, SO_RCVBUF), 60000, "SO_RCVBUF is doubled");
    set_option(fd, SOL_SOCKET, SO_SNDBUF, 30000);
    is(option(fd, SOL_SOCKET, SO_SNDBUF), 60000, "SO_SNDBUF is doubled");
    set_option(fd, IPPROTO_IP, IP_TTL, 17);
    is(option(fd, IPPROTO_IP, IP_TTL), 17, "IP_TTL");
    int value = 0;
    fails(setsockopt(fd, IPPROTO_IP, IP_TTL, &value, sizeof value), EINVAL, "a time to live of 0");
    fails(setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof value), ENOPROTOOPT, "an unknown option");
    fails(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, 3), EINVAL, "a short value");
    fails(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, (void *)1, sizeof value), EFAULT, "a bad pointer");
    struct linger linger = {1, 5};
    socklen_t length = sizeof linger;
    need(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger) == 0);
    linger = (struct linger){0, 0};
    need(getsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, &length) == 0);
    ok(linger.l_onoff == 1 && linger.l_linger == 5, "SO_LINGER");
    close(fd);
}

/* Many connections, one after another and side by side. */
static void many(void) {
    int server = listener(64), port = port_of(server), failures = 0;
    for (int i = 0; i < 300; i++) {
        int client = socket(AF_INET, SOCK_STREAM, 0);
        char byte = 0;
        if (connect_to(client, port) != 0) failures++;
        int conn = accept(server, NULL, NULL);
        if (write(client, "q", 1) != 1 || read(conn, &byte, 1) != 1 || byte != 'q') failures++;
        close(i % 2 ? client : conn);
        if (read(i % 2 ? conn : client, &byte, 1) != 0) failures++;
        close(i % 2 ? conn : client);
    }
    is(failures, 0, "300 connections, one after another");
    int clients[40], conns[40];
    for (int i = 0; i < 40; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (connect_to(clients[i], port) != 0) failures++;
    }
    for (int i = 0; i < 40; i++) conns[i] = accept(server, NULL, NULL);
    for (int i = 0; i < 40; i++) {
        if (write(clients[i], &i, sizeof i) != sizeof i) failures++;
    }
    int sum = 0;
    for (int i = 0; i < 40; i++) {
        int value = 0;
        if (read(conns[i], &value, sizeof value) != sizeof value) failures++;
        sum += value;
    }
    is(failures, 0, "40 connections at once");
    is(sum, 780, "with the right bytes");
    for (int i = 0; i < 40; i++) close(clients[i]), close(conns[i]);
    close(server);
}

int main(void) {
    plan(134);
    making();
    binding();
    refused();
    moving();
    much();
    ending();
    waiting();
    options();
    many();
    return done();
}
