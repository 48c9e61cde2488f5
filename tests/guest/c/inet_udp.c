/* UDP over the loopback interface: datagrams, connected sockets, errors that
 * come back, and what is told beside the bytes. */
#include "tap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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

static int bound(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    need(fd >= 0);
    struct sockaddr_in addr = loopback(0);
    need(bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
    return fd;
}

static int revents(int fd) {
    struct pollfd item = {.fd = fd, .events = POLLIN | POLLOUT};
    need(poll(&item, 1, 0) >= 0);
    return item.revents;
}

static ssize_t send_to(int fd, int port, const void *bytes, size_t count) {
    struct sockaddr_in addr = loopback(port);
    return sendto(fd, bytes, count, 0, (struct sockaddr *)&addr, sizeof addr);
}

static void datagrams(void) {
    int one = bound(), other = bound();
    char buffer[64];
    is(revents(one), POLLOUT, "a new socket is writable");
    is(send_to(one, port_of(other), "first", 5), 5, "a datagram is sent");
    is(send_to(one, port_of(other), "", 0), 0, "an empty one");
    is(send_to(one, port_of(other), "third", 5), 5, "and another");
    is(revents(other), POLLIN | POLLOUT, "they arrive");
    int count = 0;
    need(ioctl(other, FIONREAD, &count) == 0);
    is(count, 5, "FIONREAD counts the first");
    is(recv(other, buffer, 2, MSG_PEEK | MSG_TRUNC), 5, "MSG_TRUNC tells the whole length");
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    is(recvfrom(other, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length), 5, "a look leaves it there");
    is(length, sizeof from, "the sender's address has its length");
    is(ntohs(from.sin_port), port_of(one), "and is the sender's");
    is(recv(other, buffer, sizeof buffer, 0), 0, "the empty datagram");
    is(recv(other, buffer, 2, 0), 2, "a short buffer cuts");
    fails(recv(other, buffer, sizeof buffer, MSG_DONTWAIT), EAGAIN, "and what is cut is lost");
    struct iovec part = {buffer, 2};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    need(send_to(one, port_of(other), "long", 4) == 4);
    is(recvmsg(other, &header, 0), 2, "recvmsg cuts, too");
    is(header.msg_flags & MSG_TRUNC, MSG_TRUNC, "and tells");
    fails(send(one, "x", 1, 0), EDESTADDRREQ, "who is not connected needs an address");
    fails(send_to(one, 0, "x", 1), EINVAL, "port 0 is no destination");
    static char large[70000];
    fails(send_to(one, port_of(other), large, sizeof large), EMSGSIZE, "no datagram is that long");
    memset(large, 5, 65507);
    is(send_to(one, port_of(other), large, 65507), 65507, "the longest one");
    static char got[70000];
    is(recv(other, got, sizeof got, 0), 65507, "arrives");
    is(memcmp(got, large, 65507), 0, "as it was sent");
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_of(other))};
    is(sendto(one, "any", 3, 0, (struct sockaddr *)&addr, sizeof addr), 3, "the address of nobody is this machine");
    is(recv(other, buffer, sizeof buffer, 0), 3, "where it arrives");
    struct timeval limit = {0, 50000};
    need(setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    long long start = now_ms();
    fails(recv(other, buffer, 1, 0), EAGAIN, "SO_RCVTIMEO ends the wait");
    ok(now_ms() - start >= 45, "after that time");
    close(one), close(other);
}

static void connected(void) {
    int one = bound(), other = bound(), stranger = bound();
    char buffer[16];
    struct sockaddr_in addr = loopback(port_of(other));
    is(connect(one, (struct sockaddr *)&addr, sizeof addr), 0, "a socket is connected");
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    is(getpeername(one, (struct sockaddr *)&peer, &length), 0, "and has a peer");
    is(ntohs(peer.sin_port), port_of(other), "the right one");
    is(send(one, "hi", 2, 0), 2, "it needs no address");
    is(recv(other, buffer, sizeof buffer, 0), 2, "to be heard");
    need(send_to(stranger, port_of(one), "strange", 7) == 7);
    need(send_to(other, port_of(one), "mine", 4) == 4);
    is(recv(one, buffer, sizeof buffer, 0), 4, "it hears its peer alone");
    fails(recv(one, buffer, 1, MSG_DONTWAIT), EAGAIN, "and nobody else");
    close(other);
    is(send(one, "x", 1, 0), 1, "sending to nobody succeeds");
    sleep_ms(20);
    is(revents(one) & POLLERR, POLLERR, "but an error comes back");
    fails(recv(one, buffer, 1, MSG_DONTWAIT), ECONNREFUSED, "nobody is there");
    fails(recv(one, buffer, 1, MSG_DONTWAIT), EAGAIN, "which is told once");
    need(send(one, "x", 1, 0) == 1);
    sleep_ms(20);
    fails(send(one, "x", 1, 0), ECONNREFUSED, "or to the next one who sends");
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    is(connect(one, &none, sizeof none), 0, "AF_UNSPEC disconnects");
    length = sizeof peer;
    fails(getpeername(one, (struct sockaddr *)&peer, &length), ENOTCONN, "there is no peer then");
    is(port_of(one), 0, "and no port, as none was asked for");
    addr = loopback(port_of(stranger));
    is(sendto(one, "again", 5, 0, (struct sockaddr *)&addr, sizeof addr), 5, "sending gives it another");
    need(send_to(stranger, port_of(one), "again", 5) == 5);
    is(recv(one, buffer, sizeof buffer, 0), 5, "where everybody is heard");
    int fresh = socket(AF_INET, SOCK_DGRAM, 0);
    addr = loopback(port_of(one));
    need(connect(fresh, (struct sockaddr *)&addr, sizeof addr) == 0);
    length = sizeof peer;
    need(getsockname(fresh, (struct sockaddr *)&peer, &length) == 0);
    is(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK, "connecting gives an address");
    ok(peer.sin_port != 0, "and a port");
    is(shutdown(fresh, SHUT_WR), 0, "a connected socket can be shut down");
    fails(send(fresh, "x", 1, MSG_NOSIGNAL), EPIPE, "and sends no more");
    close(one), close(stranger), close(fresh);
}

static void binding(void) {
    int one = bound(), other = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;
    struct sockaddr_in addr = loopback(port_of(one));
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE, "a port has one owner");
    need(setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
    fails(bind(other, (struct sockaddr *)&addr, sizeof addr), EADDRINUSE, "unless both agree");
    need(setsockopt(one, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
    is(bind(other, (struct sockaddr *)&addr, sizeof addr), 0, "SO_REUSEADDR of both is enough");
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    is(bind(tcp, (struct sockaddr *)&addr, sizeof addr), 0, "TCP has ports of its own");
    close(one), close(other), close(tcp);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    addr = loopback(9);
    addr.sin_addr.s_addr = htonl(0x7fffffff);
    fails(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof addr), EACCES, "a broadcast needs SO_BROADCAST");
    need(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0);
    is(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof addr), 1, "which allows it");
    fails(listen(fd, 1), EOPNOTSUPP, "datagram sockets do not listen");
    fails(accept(fd, NULL, NULL), EOPNOTSUPP, "nor accept");
    close(fd);
    is(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), -1, "a datagram socket cannot be TCP");
}

static void beside(void) {
    int one = bound(), other = bound(), yes = 1, ttl = 33;
    need(setsockopt(other, IPPROTO_IP, IP_RECVTTL, &yes, sizeof yes) == 0);
    need(setsockopt(other, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes) == 0);
    need(setsockopt(one, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl) == 0);
    need(send_to(one, port_of(other), "x", 1) == 1);
    char buffer[8], control[256];
    struct iovec part = {buffer, sizeof buffer};
    struct sockaddr_in from;
    struct msghdr header = {.msg_name = &from,
                            .msg_namelen = sizeof from,
                            .msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control};
    is(recvmsg(other, &header, 0), 1, "a message with control messages");
    is(ntohs(from.sin_port), port_of(one), "and its sender");
    int found_ttl = 0, found_info = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
        if (c->cmsg_level != IPPROTO_IP) continue;
        if (c->cmsg_type == IP_TTL) memcpy(&found_ttl, CMSG_DATA(c), sizeof found_ttl);
        if (c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            found_info = ntohl(info.ipi_addr.s_addr) == INADDR_LOOPBACK && info.ipi_ifindex == 1;
        }
    }
    is(found_ttl, 33, "IP_RECVTTL");
    is(found_info, 1, "IP_PKTINFO");
    struct mmsghdr two[2] = {{.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}},
                             {.msg_hdr = {.msg_iov = &part, .msg_iovlen = 1}}};
    struct sockaddr_in addr = loopback(port_of(other));
    need(connect(one, (struct sockaddr *)&addr, sizeof addr) == 0);
    is(sendmmsg(one, two, 2, 0), 2, "sendmmsg sends several");
    is(recvmmsg(other, two, 2, 0, NULL), 2, "recvmmsg receives them");
    is(two[1].msg_len, sizeof buffer, "with their lengths");
    /* Nobody reads: what there is no room for is lost, and nobody waits. */
    int size = 4096, sent = 0, got = 0;
    need(setsockopt(other, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    for (int i = 0; i < 200; i++) sent += send(one, buffer, sizeof buffer, MSG_DONTWAIT) == sizeof buffer;
    while (recv(other, buffer, sizeof buffer, MSG_DONTWAIT) > 0) got++;
    is(sent, 200, "sending does not wait for the receiver");
    ok(got > 0 && got < 200, "what does not fit is dropped");
    close(one), close(other);
}

int main(void) {
    plan(64);
    datagrams();
    connected();
    binding();
    beside();
    return done();
}
