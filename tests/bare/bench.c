/* Measures a kernel from inside: runs as process 1 of a machine and prints one
 * line for each figure, `row NAME RATE`, where more is better. Then it serves
 * TCP on port 7000, so that the host can measure throughput: a connection
 * sends one letter, `r` for what the machine receives and `s` for what it
 * sends, and `q` turns the machine off. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 5, BLOCK = 65536, TRANSFER = 10 << 20 };

static char block[BLOCK];

static void off(void) {
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    _exit(1);
}

static void need(int condition, const char *what) {
    if (condition) return;
    printf("failed %s: %s\n", what, strerror(errno));
    off();
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median of the rates that `measure` gives. */
static void row(const char *name, double (*measure)(int)) {
    double rates[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) rates[i] = measure(i);
    qsort(rates, ROUNDS, sizeof *rates, ascending);
    printf("row %s %.1f\n", name, rates[ROUNDS / 2]);
    fflush(stdout);
}

static double calls(int round) {
    (void)round;
    const int count = 50000;
    double start = now();
    for (int i = 0; i < count; i++) syscall(SYS_getppid);
    return count / (now() - start);
}

static void wait_for(pid_t child, const char *what) {
    int status;
    need(waitpid(child, &status, 0) == child, what);
    need(WIFEXITED(status) && WEXITSTATUS(status) == 0, what);
}

static double forks(int round) {
    (void)round;
    const int count = 100;
    double start = now();
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0) _exit(0);
        wait_for(child, "wait");
    }
    return count / (now() - start);
}

static double spawns(int round) {
    (void)round;
    const int count = 50;
    double start = now();
    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        need(child >= 0, "fork");
        if (child == 0) {
            execl("/bench/bench", "bench", "nothing", (char *)NULL);
            _exit(127);
        }
        wait_for(child, "exec");
    }
    return count / (now() - start);
}

/* Bytes a second through a pipe between two processes. */
static double pipe_bytes(int round) {
    (void)round;
    const long total = 32 << 20;
    int ends[2];
    need(pipe(ends) == 0, "pipe");
    double start = now();
    pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        for (long sent = 0; sent < total; sent += BLOCK)
            if (write(ends[1], block, BLOCK) != BLOCK) _exit(1);
        _exit(0);
    }
    close(ends[1]);
    long got = 0;
    for (ssize_t part; (part = read(ends[0], block, BLOCK)) > 0;) got += part;
    need(got == total, "pipe");
    close(ends[0]);
    wait_for(child, "pipe");
    return (double)total / (now() - start);
}

/* Switches a second between two processes that answer each other. */
static double switches(int round) {
    (void)round;
    const int count = 5000;
    int there[2], back[2];
    char byte = 'x';
    need(pipe(there) == 0 && pipe(back) == 0, "pipe");
    pid_t child = fork();
    need(child >= 0, "fork");
    if (child == 0) {
        for (int i = 0; i < count; i++)
            if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1) _exit(1);
        _exit(0);
    }
    double start = now();
    for (int i = 0; i < count; i++) need(write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1, "switch");
    double rate = 2 * count / (now() - start);
    wait_for(child, "switch");
    close(there[0]), close(there[1]), close(back[0]), close(back[1]);
    return rate;
}

static double read_file(int number) {
    char name[32];
    snprintf(name, sizeof name, "/bench/file%d", number);
    int file = open(name, O_RDONLY);
    need(file >= 0, name);
    long got = 0;
    double start = now();
    for (ssize_t part; (part = read(file, block, BLOCK)) > 0;) got += part;
    double rate = (double)got / (now() - start);
    need(got > 0, name);
    close(file);
    return rate;
}

/* Gives the interface the address that QEMU expects, if it has none. */
static void network(void) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    need(fd >= 0, "socket");
    struct ifreq request = {.ifr_name = "eth0"};
    if (ioctl(fd, SIOCGIFADDR, &request) < 0) {
        struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
        *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.0.2.15")};
        need(ioctl(fd, SIOCSIFADDR, &request) == 0, "SIOCSIFADDR");
        address->sin_addr.s_addr = inet_addr("255.255.255.0");
        need(ioctl(fd, SIOCSIFNETMASK, &request) == 0, "SIOCSIFNETMASK");
    }
    need(ioctl(fd, SIOCGIFFLAGS, &request) == 0, "SIOCGIFFLAGS");
    request.ifr_flags |= IFF_UP;
    need(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "SIOCSIFFLAGS");
    close(fd);
}

/* Answers what was received with how many bytes it was and the sum of every 512th. */
static void receive_all(int connection) {
    uint64_t answer[2] = {0, 0};
    for (ssize_t part; (part = read(connection, block, BLOCK)) > 0;) {
        for (ssize_t i = (ssize_t)(-answer[0] % 512); i < part; i += 512) answer[1] += (unsigned char)block[i];
        answer[0] += (uint64_t)part;
    }
    need(write(connection, answer, sizeof answer) == sizeof answer, "answer");
}

static void send_all(int connection) {
    memset(block, 'b', sizeof block);
    for (long sent = 0; sent < TRANSFER; sent += BLOCK)
        for (ssize_t done = 0, part; done < BLOCK; done += part) {
            part = write(connection, block + done, (size_t)(BLOCK - done));
            need(part > 0, "send");
        }
}

static void serve(void) {
    network();
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(7000)};
    need(listener >= 0, "socket");
    need(bind(listener, (struct sockaddr *)&address, sizeof address) == 0, "bind");
    need(listen(listener, 4) == 0, "listen");
    puts("serving");
    fflush(stdout);
    for (char letter = 0; letter != 'q';) {
        int connection = accept(listener, NULL, NULL);
        need(connection >= 0, "accept");
        if (read(connection, &letter, 1) == 1) {
            if (letter == 'r') receive_all(connection);
            if (letter == 's') send_all(connection);
        }
        close(connection);
    }
}

int main(int count, char **words) {
    if (count > 1 && strcmp(words[1], "nothing") == 0) return 0;
    row("call", calls);
    row("fork", forks);
    row("spawn", spawns);
    row("pipe", pipe_bytes);
    row("switch", switches);
    row("read-cold", read_file);
    row("read-cached", read_file);
    serve();
    off();
}
