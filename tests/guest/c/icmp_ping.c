/* Echo requests to the loopback interface, over raw sockets and over ping
 * sockets. Both need rights that a Linux machine may deny to the test: raw
 * sockets CAP_NET_RAW, ping sockets a group within
 * /proc/sys/net/ipv4/ping_group_range. What is denied is skipped, which the
 * name of the check says. */
#include "tap.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/socket.h>

static struct sockaddr_in self(void) {
    struct sockaddr_in addr = {.sin_family = AF_INET};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return addr;
}

static uint16_t checksum(const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    uint32_t sum = 0;
    for (size_t i = 0; i < length; i++) sum += i % 2 ? at[i] : (uint32_t)at[i] << 8;
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

struct message {
    struct icmphdr header;
    char data[48];
};

static struct message request(int sequence) {
    struct message message = {.header = {.type = ICMP_ECHO}};
    message.header.un.echo.id = htons(4660);
    message.header.un.echo.sequence = htons((uint16_t)sequence);
    for (size_t i = 0; i < sizeof message.data; i++) message.data[i] = (char)i;
    message.header.checksum = checksum(&message, sizeof message);
    return message;
}

static int readable(int fd) {
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, 2000) == 1;
}

static void raw(void) {
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (fd < 0 && (errno == EPERM || errno == EACCES)) return skip(6, "raw sockets are denied");
    need(fd >= 0);
    struct sockaddr_in addr = self(), from;
    int replies = 0, headers = 0, bodies = 0, sums = 0, senders = 0;
    for (int i = 0; i < 5; i++) {
        struct message message = request(i);
        need(sendto(fd, &message, sizeof message, 0, (struct sockaddr *)&addr, sizeof addr) == sizeof message);
        while (readable(fd)) {
            char buffer[256];
            socklen_t length = sizeof from;
            ssize_t count = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &length);
            struct iphdr *ip = (struct iphdr *)buffer;
            struct message *got = (struct message *)(buffer + ip->ihl * 4);
            /* The request itself passes by here as well. */
            if (got->header.type != ICMP_ECHOREPLY) continue;
            replies++;
            headers += ip->version == 4 && ip->protocol == IPPROTO_ICMP && ntohs(ip->tot_len) == count;
            bodies += got->header.un.echo.sequence == htons((uint16_t)i) && !memcmp(got->data, message.data, 48);
            sums += checksum(got, sizeof *got) == 0;
            senders += from.sin_addr.s_addr == addr.sin_addr.s_addr;
            break;
        }
    }
    is(replies, 5, "five requests have five replies");
    is(headers, 5, "with IP headers");
    is(bodies, 5, "that give back what was sent");
    is(sums, 5, "with right checksums");
    is(senders, 5, "from whom they were sent to");
    uint32_t all = ~0U;
    need(setsockopt(fd, SOL_RAW, 1, &all, sizeof all) == 0);
    struct message message = request(9);
    need(sendto(fd, &message, sizeof message, 0, (struct sockaddr *)&addr, sizeof addr) == sizeof message);
    sleep_ms(20);
    char byte;
    fails(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN, "ICMP_FILTER keeps everything away");
    close(fd);
}

static void ping_socket(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    if (fd < 0 && (errno == EPERM || errno == EACCES)) return skip(6, "ping sockets are denied");
    need(fd >= 0);
    struct sockaddr_in addr = self(), from, own;
    struct message message = request(3), got = {0};
    is(sendto(fd, &message, sizeof message, 0, (struct sockaddr *)&addr, sizeof addr), sizeof message, "a ping");
    ok(readable(fd), "is answered");
    socklen_t length = sizeof from;
    is(recvfrom(fd, &got, sizeof got, 0, (struct sockaddr *)&from, &length), sizeof got, "without an IP header");
    ok(got.header.type == ICMP_ECHOREPLY && !memcmp(got.data, message.data, 48), "with what was sent");
    length = sizeof own;
    need(getsockname(fd, (struct sockaddr *)&own, &length) == 0);
    is(got.header.un.echo.id, own.sin_port, "the identifier is the socket's port");
    message.header.type = ICMP_ECHOREPLY;
    fails(sendto(fd, &message, sizeof message, 0, (struct sockaddr *)&addr, sizeof addr), EINVAL,
          "only requests may be sent");
    close(fd);
}

int main(void) {
    plan(12);
    raw();
    ping_socket();
    return done();
}
