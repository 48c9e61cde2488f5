/* Pseudo-terminals, the line discipline and job control. */
#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static volatile int caught;

static void count(int number) { caught = number; }

static void type(const char *text) { need(write(master, text, strlen(text)) == (ssize_t)strlen(text)); }

/* What comes out of a descriptor within a moment. */
static const char *out_of(int fd) {
    static char buf[512];
    size_t length = 0;
    struct pollfd entry = {fd, POLLIN, 0};
    while (length < sizeof buf - 1 && poll(&entry, 1, 30) == 1 && entry.revents & POLLIN) {
        ssize_t got = read(fd, buf + length, sizeof buf - 1 - length);
        if (got <= 0) break;
        length += (size_t)got;
    }
    buf[length] = 0;
    return buf;
}

static void open_pair(void) {
    master = posix_openpt(O_RDWR | O_NOCTTY);
    need(master >= 0 && grantpt(master) == 0);
    fails(open(ptsname(master), O_RDWR | O_NOCTTY), EIO, "a locked slave cannot be opened");
    need(unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    need(slave >= 0);
    ok(isatty(slave) && isatty(master), "both ends are terminals");
    is_str(ttyname(slave), ptsname(master), "ttyname finds the slave");
}

static void set_modes(tcflag_t clear, tcflag_t set, int min, int time) {
    struct termios modes;
    need(tcgetattr(slave, &modes) == 0);
    modes.c_lflag &= ~clear;
    modes.c_lflag |= set;
    if (min >= 0) modes.c_cc[VMIN] = (cc_t)min;
    if (time >= 0) modes.c_cc[VTIME] = (cc_t)time;
    need(tcsetattr(slave, TCSANOW, &modes) == 0);
}

static void test_lines(void) {
    type("hello\r");
    is_str(out_of(master), "hello\r\n", "typing is echoed");
    is_str(out_of(slave), "hello\n", "and read as a line");
    type("abx\177c\025new\n");
    is_str(out_of(slave), "new\n", "erase and kill edit the line");
    is_str(out_of(master), "abx\b \bc\b \b\b \b\b \bnew\r\n", "and the screen");
    type("one two\027three\026\003\n");
    is_str(out_of(slave), "one three\003\n", "word erase and literal next");
    out_of(master);
    type("\001\t\n");
    is_str(out_of(master), "^A\t\r\n", "control characters are echoed with a hat, tabs are not");
    out_of(slave);
    type("end\004");
    char buf[16];
    is(read(slave, buf, sizeof buf), 3, "end of file hands over what was typed");
    type("\004");
    is(read(slave, buf, sizeof buf), 0, "alone it is the end");
    need(write(slave, "a\nb\n", 4) == 4);
    out_of(master);
    set_modes(ECHO, 0, -1, -1);
    type("secret\n");
    is_str(out_of(master), "", "without ECHO nothing is echoed");
    is_str(out_of(slave), "secret\n", "but read");
    set_modes(0, ECHO, -1, -1);
    need(write(slave, "x\ny", 3) == 3);
    is_str(out_of(master), "x\r\ny", "newlines of programs become CR LF");
    int waiting;
    type("12345\n");
    // Linux hands what is typed to the line discipline a moment later.
    struct pollfd typed = {slave, POLLIN, 0};
    need(poll(&typed, 1, 1000) == 1);
    need(ioctl(slave, FIONREAD, &waiting) == 0);
    is(waiting, 6, "FIONREAD counts what can be read");
    need(tcflush(slave, TCIFLUSH) == 0);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    fails(read(slave, buf, 1), EAGAIN, "a flush drops it");
    fcntl(slave, F_SETFL, 0);
    out_of(master);
}

static void test_raw(void) {
    char buf[16];
    set_modes(ICANON | ECHO | ISIG, 0, 3, 0);
    type("ab");
    struct pollfd entry = {slave, POLLIN, 0};
    is(poll(&entry, 1, 20), 0, "two bytes do not satisfy VMIN 3");
    type("c");
    is(read(slave, buf, sizeof buf), 3, "three do");
    set_modes(0, 0, 0, 2);
    long long start = now_ms();
    is(read(slave, buf, sizeof buf), 0, "VTIME ends a read without input");
    ok(now_ms() - start >= 190, "after its time");
    set_modes(0, 0, 5, 1);
    type("xy");
    is(read(slave, buf, sizeof buf), 2, "between bytes it ends with what there is");
    set_modes(0, 0, 0, 0);
    is(read(slave, buf, sizeof buf), 0, "VMIN 0 and VTIME 0 never wait");
    set_modes(0, ICANON | ECHO | ISIG, 1, 0);
}

// Writes a byte at a time until that gives `wanted`, or for a second.
static long write_until(long wanted) {
    long result = 0;
    for (int tries = 0; tries < 1000; tries++) {
        result = write(slave, "x", 1);
        if (result == wanted) break;
        usleep(1000);
    }
    return result;
}

static void test_flow(void) {
    type("\023");
    fcntl(slave, F_SETFL, O_NONBLOCK);
    // Both take effect a moment later on Linux.
    is(write_until(-1), -1, "^S stops output");
    is(errno, EAGAIN, "and a write would wait");
    type("\021");
    is(write_until(1), 1, "^Q starts it");
    fcntl(slave, F_SETFL, 0);
    out_of(master);
    int on = 1;
    need(ioctl(master, TIOCPKT, &on) == 0);
    need(write(slave, "p", 1) == 1);
    char buf[8];
    is(read(master, buf, sizeof buf), 2, "packet mode puts a byte before data");
    ok(buf[0] == TIOCPKT_DATA && buf[1] == 'p', "which is zero");
    need(tcflush(slave, TCOFLUSH) == 0);
    is(read(master, buf, sizeof buf), 1, "a status comes alone");
    is(buf[0], TIOCPKT_FLUSHWRITE, "and tells of the flush");
    on = 0;
    need(ioctl(master, TIOCPKT, &on) == 0);
}

static void test_window(void) {
    struct winsize size = {33, 111, 0, 0}, got;
    need(ioctl(master, TIOCSWINSZ, &size) == 0 && ioctl(slave, TIOCGWINSZ, &got) == 0);
    ok(got.ws_row == 33 && got.ws_col == 111, "both ends share the window size");
}

/* In a session of its own: what job control does. */
static int in_session(void) {
    int failures = 0;
#define expect(condition)                                  \
    do {                                                   \
        if (!(condition)) {                                \
            failures++;                                    \
            note("line %d: %s (%d)", __LINE__, #condition, errno); \
        }                                                  \
    } while (0)
    expect(setsid() == getpid());
    expect(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO);
    expect(ioctl(slave, TIOCSCTTY, 0) == 0);
    expect(tcgetpgrp(slave) == getpgrp() && tcgetsid(slave) == getpid());
    int own = open("/dev/tty", O_RDWR);
    expect(own >= 0 && write(own, "tty\n", 4) == 4);
    on_signal(SIGINT, count, 0);
    on_signal(SIGWINCH, count, 0);
    caught = 0;
    type("\003");
    for (int i = 0; i < 100 && caught == 0; i++) sleep_ms(5);
    expect(caught == SIGINT);
    struct winsize size = {40, 90, 0, 0};
    caught = 0;
    ioctl(master, TIOCSWINSZ, &size);
    for (int i = 0; i < 100 && caught == 0; i++) sleep_ms(5);
    expect(caught == SIGWINCH);

    /* A background group that reads is stopped. */
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        char byte;
        _exit(read(slave, &byte, 1) == 1 && byte == 'j' ? 0 : 1);
    }
    setpgid(job, job);
    int status;
    expect(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
    expect(tcsetpgrp(slave, job) == 0);
    expect(kill(-job, SIGCONT) == 0);
    type("j\n");
    expect(waitpid(job, &status, 0) == job && exited_with(status, 0));

    /* Now this group is the one in the background. */
    signal(SIGTTOU, SIG_IGN);
    expect(tcsetpgrp(slave, getpgrp()) == 0);
    expect(tcsetpgrp(slave, 999999) == -1 && errno == ESRCH);

    /* ^Z stops the foreground job. */
    job = fork();
    if (job == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(slave, getpid());
        for (;;) pause();
    }
    setpgid(job, job);
    while (tcgetpgrp(slave) != job) sleep_ms(2);
    type("\032");
    expect(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP);
    kill(job, SIGKILL);
    waitpid(job, &status, 0);
    tcsetpgrp(slave, getpgrp());

    /* TOSTOP stops background output. */
    struct termios modes;
    tcgetattr(slave, &modes);
    modes.c_lflag |= TOSTOP;
    tcsetattr(slave, TCSANOW, &modes);
    job = fork();
    if (job == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_DFL);
        while (tcgetpgrp(slave) == getpid()) sleep_ms(2);
        _exit(write(slave, "z", 1) == 1 ? 0 : 1);
    }
    setpgid(job, job);
    expect(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
    kill(job, SIGKILL);
    waitpid(job, &status, 0);
    return failures;
}

/* The master goes: SIGHUP, and nothing more to read or write. */
static int hang_up(void) {
    setsid();
    if (ioctl(slave, TIOCSCTTY, 0) != 0) return 1;
    on_signal(SIGHUP, count, SA_RESTART);
    caught = 0;
    close(master);
    for (int i = 0; i < 100 && caught == 0; i++) sleep_ms(5);
    char byte;
    if (caught != SIGHUP) return 2;
    if (read(slave, &byte, 1) != 0) return 3;
    if (write(slave, "x", 1) != -1 || errno != EIO) return 4;
    if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO) return 5;
    return 0;
}

static void test_sessions(void) {
    int status = status_of(in_session);
    ok(exited_with(status, 0), "a session controls its terminal");
    if (!exited_with(status, 0)) note("status %#x", status);
    close(slave);
    out_of(master);
    char byte;
    fails(read(master, &byte, 1), EIO, "without a slave the master reads EIO");
    struct pollfd entry = {master, POLLIN, 0};
    poll(&entry, 1, 0);
    ok(entry.revents & POLLHUP, "and polls a hang-up");
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    need(slave >= 0);
    pid_t child = fork();
    if (child == 0) _exit(hang_up());
    close(master);
    waitpid(child, &status, 0);
    ok(exited_with(status, 0), "closing the master hangs up");
    if (!exited_with(status, 0)) note("status %#x", status);
}

int main(void) {
    plan(34);
    open_pair();
    test_lines();
    test_raw();
    test_flow();
    test_window();
    test_sessions();
    return done();
}
