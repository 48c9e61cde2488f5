/* Pseudo-terminals: the line discipline, job control, hang-up. */
#include "tap.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char name[64];

static void open_pair(void) {
    int unlock = 0, number;
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    need(master >= 0 && ioctl(master, TIOCSPTLCK, &unlock) == 0 && ioctl(master, TIOCGPTN, &number) == 0);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    slave = open(name, O_RDWR | O_NOCTTY);
    need(slave >= 0);
}

static void close_pair(void) {
    close(master);
    close(slave);
}

/* What can be read at once, as a string. */
static char *get(int fd) {
    static char text[8192];
    struct pollfd poller = {fd, POLLIN, 0};
    size_t length = 0;
    while (length < sizeof text - 1 && poll(&poller, 1, 50) == 1 && (poller.revents & POLLIN)) {
        ssize_t count = read(fd, text + length, sizeof text - 1 - length);
        if (count <= 0) break;
        length += (size_t)count;
    }
    text[length] = 0;
    return text;
}

static void put(int fd, const char *text) { need(write(fd, text, strlen(text)) == (ssize_t)strlen(text)); }

static void test_canonical(void) {
    struct termios settings;
    open_pair();
    ok(isatty(slave) && tcgetattr(slave, &settings) == 0 && (settings.c_lflag & (ICANON | ECHO | ISIG)) == (ICANON | ECHO | ISIG), "a terminal starts in canonical mode with echo");
    put(master, "hel");
    struct pollfd poller = {slave, POLLIN, 0};
    is(poll(&poller, 1, 20), 0, "part of a line cannot be read");
    put(master, "lo\r");
    is_str(get(slave), "hello\n", "return ends the line as a newline");
    is_str(get(master), "hello\r\n", "input is echoed");
    put(master, "abcd\x7f\x7fx\n");
    is_str(get(slave), "abx\n", "erase removes characters");
    is_str(get(master), "abcd\b \b\b \bx\r\n", "and echoes it");
    put(master, "a lot of text\x15kept\n");
    is_str(get(slave), "kept\n", "kill removes the line");
    get(master);
    put(master, "one two\x17three\n");
    is_str(get(slave), "one three\n", "word erase removes a word");
    get(master);
    char byte;
    put(master, "\x04");
    is(read(slave, &byte, 1), 0, "end-of-file on an empty line reads 0");
    put(master, "part\x04");
    char text[16] = "";
    ok(read(slave, text, 16) == 4 && memcmp(text, "part", 4) == 0, "and after text gives the text");
    get(master);
    put(master, "\x16\x03\n");
    is_str(get(slave), "\x03\n", "a quoted control character is data");
    get(master);
    put(master, "first\nsecond\n");
    sleep_ms(10);
    ok(read(slave, text, 16) == 6 && read(slave, text, 3) == 3 && read(slave, text, 16) == 4, "reads end at lines and continue within them");
    get(master);
    put(slave, "out\n");
    is_str(get(master), "out\r\n", "output newlines become return and newline");
    settings.c_oflag &= ~(tcflag_t)OPOST;
    settings.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(slave, TCSANOW, &settings);
    put(slave, "raw\n");
    is_str(get(master), "raw\n", "without OPOST they stay");
    put(master, "quiet\n");
    get(slave);
    is_str(get(master), "", "without ECHO nothing is echoed");
    close_pair();
}

static void test_raw(void) {
    struct termios settings;
    char text[16] = "";
    open_pair();
    tcgetattr(slave, &settings);
    cfmakeraw(&settings);
    tcsetattr(slave, TCSANOW, &settings);
    put(master, "\x03\x04\r");
    is_str(get(slave), "\x03\x04\r", "raw mode passes everything");
    settings.c_cc[VMIN] = 0;
    settings.c_cc[VTIME] = 0;
    tcsetattr(slave, TCSANOW, &settings);
    is(read(slave, text, 16), 0, "VMIN 0, VTIME 0 does not wait");
    settings.c_cc[VTIME] = 1;
    tcsetattr(slave, TCSANOW, &settings);
    long long before = now_ms();
    is(read(slave, text, 16), 0, "VTIME waits in tenths");
    ok(now_ms() - before >= 90, "of a second");
    settings.c_cc[VMIN] = 3;
    settings.c_cc[VTIME] = 0;
    tcsetattr(slave, TCSANOW, &settings);
    pid_t child = fork();
    if (child == 0) {
        put(master, "a");
        sleep_ms(20);
        put(master, "b");
        sleep_ms(20);
        put(master, "c");
        _exit(0);
    }
    is(read(slave, text, 16), 3, "VMIN waits for that many");
    waitpid(child, NULL, 0);
    fcntl(slave, F_SETFL, O_NONBLOCK);
    fails(read(slave, text, 16), EAGAIN, "O_NONBLOCK does not wait");
    int waiting = -1;
    put(master, "12345");
    sleep_ms(10);
    ok(ioctl(slave, FIONREAD, &waiting) == 0 && waiting == 5, "FIONREAD counts");
    is(tcflush(slave, TCIFLUSH), 0, "tcflush");
    fails(read(slave, text, 16), EAGAIN, "throws input away");
    close_pair();
}

static volatile int interrupts, resizes;
static void on_interrupt(int number) {
    if (number == SIGINT) interrupts++;
    else resizes++;
}

/* A session leader with the pair as its terminal. */
static int job_control(void) {
    struct winsize size = {40, 100, 0, 0}, got;
    int status, ready[2];
    need(pipe(ready) == 0);
    setsid();
    open_pair();
    if (ioctl(slave, TIOCSCTTY, 0) != 0) return 1;
    if (tcgetpgrp(slave) != getpgrp() || tcgetsid(slave) != getpid()) return 2;
    int tty = open("/dev/tty", O_RDWR);
    if (tty < 0) return 3;
    on_signal(SIGINT, on_interrupt, 0);
    on_signal(SIGWINCH, on_interrupt, 0);
    put(master, "\x03");
    for (int i = 0; i < 100 && !interrupts; i++) sleep_ms(2);
    if (interrupts != 1) return 4;
    if (ioctl(master, TIOCSWINSZ, &size) != 0) return 5;
    for (int i = 0; i < 100 && !resizes; i++) sleep_ms(2);
    if (resizes != 1 || ioctl(slave, TIOCGWINSZ, &got) != 0 || got.ws_row != 40 || got.ws_col != 100) return 6;
    /* A background reader stops with SIGTTIN, and goes on in the foreground. */
    pid_t child = fork();
    if (child == 0) {
        char byte;
        setpgid(0, 0);
        _exit(read(tty, &byte, 1) == 1 ? 17 : 18);
    }
    setpgid(child, child);
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTIN) return 7;
    if (tcsetpgrp(tty, child) != 0) return 8;
    kill(child, SIGCONT);
    put(master, "go\n");
    if (waitpid(child, &status, 0) != child || !exited_with(status, 17)) return 9;
    /* The shell itself is now in the background: taking the terminal back needs SIGTTOU ignored. */
    signal(SIGTTOU, SIG_IGN);
    if (tcsetpgrp(tty, getpgrp()) != 0) return 10;
    /* Suspend and interrupt reach the foreground group alone. */
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGINT, SIG_DFL);
        if (write(ready[1], "r", 1) != 1) _exit(1);
        for (;;) pause();
    }
    char byte;
    if (read(ready[0], &byte, 1) != 1) return 14;
    tcsetpgrp(tty, child);
    put(master, "\x1a");
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTSTP) return 11;
    kill(child, SIGCONT);
    interrupts = 0;
    put(master, "\x03");
    if (waitpid(child, &status, 0) != child || !killed_by(status, SIGINT) || interrupts) return 12;
    tcsetpgrp(tty, getpgrp());
    /* TOSTOP makes background output stop too. */
    struct termios settings;
    tcgetattr(tty, &settings);
    settings.c_lflag |= TOSTOP;
    tcsetattr(tty, TCSANOW, &settings);
    child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_DFL);
        _exit(write(tty, "x", 1) == 1 ? 0 : 1);
    }
    setpgid(child, child);
    if (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTOU) return 13;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return 0;
}

/* When a session leader dies, its foreground group is hung up. */
static int leader_dies(void) {
    int report[2];
    char byte;
    need(pipe(report) == 0);
    pid_t leader = fork();
    if (leader == 0) {
        setsid();
        open_pair();
        ioctl(slave, TIOCSCTTY, 0);
        close(report[0]);
        if (fork() == 0) for (;;) pause();
        _exit(0);
    }
    close(report[1]);
    waitpid(leader, NULL, 0);
    return read(report[0], &byte, 1) == 0 ? 0 : 1;
}

static int master_closes(void) {
    setsid();
    open_pair();
    ioctl(slave, TIOCSCTTY, 0);
    signal(SIGHUP, SIG_IGN);
    close(master);
    char byte;
    if (read(slave, &byte, 1) != 0) return 1;
    return write(slave, "x", 1) == -1 && errno == EIO ? 0 : 2;
}

int main(void) {
    plan(32);
    test_canonical();
    test_raw();
    int status = status_of(job_control);
    ok(exited_with(status, 0), "a controlling terminal signals, stops and continues groups");
    if (!exited_with(status, 0)) note("stopped at step %d (status %x)", WEXITSTATUS(status), status);
    ok(exited_with(status_of(leader_dies), 0), "a leader's death hangs its foreground up");
    ok(exited_with(status_of(master_closes), 0), "a closed master reads as the end and writes as EIO");
    open_pair();
    char byte;
    close(slave);
    fails(read(master, &byte, 1), EIO, "a master without slaves is EIO");
    slave = open(name, O_RDWR | O_NOCTTY);
    ok(slave >= 0, "until one is opened");
    close_pair();
    fails(open(name, O_RDWR | O_NOCTTY), ENOENT, "the slave's name goes with its master");
    fails(ioctl(open("/dev/null", O_RDWR), TCGETS, &byte), ENOTTY, "/dev/null is no terminal");
    struct stat info;
    ok(stat("/dev/ptmx", &info) == 0 && S_ISCHR(info.st_mode) && stat("/dev/tty", &info) == 0 && S_ISCHR(info.st_mode), "the devices are there");
    return done();
}
