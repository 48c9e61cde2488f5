/* Test Anything Protocol for guest tests: a declared plan, one line per check,
 * and an exit status that is zero only if every planned check ran and passed.
 *
 * Lines go out with write(2), so a forked child never repeats its parent's. */
#ifndef TAP_H
#define TAP_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

static int tap_planned, tap_count, tap_failures;

static void tap_write(const char *text, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(99);
        text += written;
        length -= (size_t)written;
    }
}

__attribute__((format(printf, 1, 2))) UNUSED static void note(const char *format, ...) {
    char line[512] = "# ";
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line + 2, sizeof line - 3, format, args);
    va_end(args);
    if (length > (int)sizeof line - 4) length = (int)sizeof line - 4;
    line[length + 2] = '\n';
    tap_write(line, (size_t)length + 3);
}

/* Declares how many checks this program makes. */
static void plan(int checks) {
    char line[32];
    tap_planned = checks;
    tap_write(line, (size_t)snprintf(line, sizeof line, "1..%d\n", checks));
}

__attribute__((format(printf, 2, 3))) static int ok(int passed, const char *format, ...) {
    char name[256], line[320];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    int saved = errno;
    tap_count++;
    if (!passed) tap_failures++;
    tap_write(line, (size_t)snprintf(line, sizeof line, "%sok %d - %s\n", passed ? "" : "not ", tap_count, name));
    errno = saved;
    return passed;
}

/* Compares integers and shows both when they differ. */
UNUSED static int is(long long got, long long want, const char *name) {
    if (!ok(got == want, "%s", name)) {
        note("got %lld (0x%llx), want %lld (0x%llx), errno %d", got, got, want, want, errno);
        return 0;
    }
    return 1;
}

UNUSED static int is_str(const char *got, const char *want, const char *name) {
    if (!ok(got && strcmp(got, want) == 0, "%s", name)) {
        note("got \"%s\", want \"%s\"", got ? got : "(null)", want);
        return 0;
    }
    return 1;
}

UNUSED static int fails_with(long result, int error, int want, const char *name) {
    if (!ok(result == -1 && error == want, "%s", name)) {
        note("got result %ld errno %d (%s), want errno %d (%s)", result, error, strerror(error), want,
             strerror(want));
        return 0;
    }
    return 1;
}

/* Checks that an expression returns -1 with one errno. */
#define fails(expression, want, name)                          \
    do {                                                       \
        errno = 0;                                             \
        long tap_result = (long)(expression);                  \
        fails_with(tap_result, errno, (want), (name));         \
    } while (0)

/* Passes `checks` checks for a stated reason. */
UNUSED static void skip(int checks, const char *reason) {
    for (int i = 0; i < checks; i++) ok(1, "# SKIP %s", reason);
}

/* Stops when the test itself cannot go on. */
#define need(condition)                                                                    \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            note("%s:%d: %s: %s", __FILE__, __LINE__, #condition, strerror(errno));        \
            tap_write("Bail out!\n", 10);                                                  \
            _exit(98);                                                                     \
        }                                                                                  \
    } while (0)

/* The exit status for main. */
static int done(void) {
    if (tap_count != tap_planned) note("planned %d checks but ran %d", tap_planned, tap_count);
    return tap_count == tap_planned && tap_failures == 0 ? 0 : 1;
}

/* Runs `body` in a child and returns its wait status. */
UNUSED static int status_of(int (*body)(void)) {
    int status;
    pid_t child = fork();
    need(child >= 0);
    if (child == 0) _exit(body());
    while (waitpid(child, &status, 0) < 0) need(errno == EINTR);
    return status;
}

#define exited_with(status, code) (WIFEXITED(status) && WEXITSTATUS(status) == (code))
#define killed_by(status, number) (WIFSIGNALED(status) && WTERMSIG(status) == (number))

UNUSED static void sleep_ms(long milliseconds) {
    struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&rest, &rest) < 0 && errno == EINTR) {
    }
}

UNUSED static long long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

UNUSED static void on_signal(int number, void (*handler)(int), int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    need(sigaction(number, &action, NULL) == 0);
}

UNUSED static void on_siginfo(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
    need(sigaction(number, &action, NULL) == 0);
}

/* Enters a fresh directory, so that tests can use fixed names. */
UNUSED static void enter_scratch(void) {
    char path[] = "/tmp/guest-XXXXXX";
    need(mkdtemp(path) != NULL);
    need(chdir(path) == 0);
}

UNUSED static void write_file(const char *path, const void *bytes, size_t length, mode_t mode) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    need(fd >= 0);
    need(write(fd, bytes, length) == (ssize_t)length);
    need(close(fd) == 0);
}
#endif
