/* Clocks, sleeps, interval timers and POSIX timers. */
#include "tap.h"
#include <sys/time.h>
#include <sys/times.h>

static volatile int alarms;
static volatile int last_overrun, last_value;

static void count(int number) {
    (void)number;
    alarms++;
}

static void note_timer(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    alarms++;
    last_overrun = info->si_overrun;
    last_value = info->si_value.sival_int;
}

static void burn_ms(long milliseconds) {
    struct timespec start, now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    volatile unsigned sum = 0;
    do {
        for (int i = 0; i < 10000; i++) sum += i;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

static void test_clocks(void) {
    struct timespec a, b, res;
    struct timeval tv;
    static const int clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
                                 CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID,
                                 CLOCK_THREAD_CPUTIME_ID};
    int good = 1;
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        good &= clock_gettime(clocks[i], &a) == 0 && clock_getres(clocks[i], &res) == 0;
        good &= syscall(SYS_clock_gettime, clocks[i], &b) == 0;
        good &= b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec);
        good &= res.tv_sec == 0 && res.tv_nsec > 0;
    }
    ok(good, "every clock can be read and does not go back, by library and by system call");
    gettimeofday(&tv, NULL);
    clock_gettime(CLOCK_REALTIME, &a);
    ok(a.tv_sec - tv.tv_sec <= 1, "gettimeofday and CLOCK_REALTIME agree");
    fails(clock_gettime(999, &a), EINVAL, "an unknown clock is EINVAL");
    fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (void *)8), EFAULT, "a bad pointer is EFAULT");
    fails(syscall(SYS_nanosleep, &(struct timespec){0, 1000000000}, NULL), EINVAL, "a billion nanoseconds is EINVAL");
}

static void test_sleep(void) {
    long long start = now_ms();
    sleep_ms(30);
    long long slept = now_ms() - start;
    ok(slept >= 30 && slept < 3000, "nanosleep takes its time");
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, until.tv_sec++;
    start = now_ms();
    is(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), 0, "an absolute sleep ends");
    ok(now_ms() - start >= 19, "at its time");
    is(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL), 0, "a time in the past does not sleep");
}

static void test_interrupted_sleep(void) {
    on_signal(SIGALRM, count, SA_RESTART);
    struct itimerval once = {.it_value = {0, 20000}};
    setitimer(ITIMER_REAL, &once, NULL);
    struct timespec request = {5, 0}, left = {0, 0};
    fails(nanosleep(&request, &left), EINTR, "a handler ends nanosleep, SA_RESTART or not");
    ok(left.tv_sec == 4 && left.tv_nsec > 0, "what was left is stored");
    pid_t child = fork();
    if (child == 0) {
        long long start = now_ms();
        struct timespec rest = {0, 300000000};
        int result = nanosleep(&rest, &rest);
        long long slept = now_ms() - start;
        _exit(result == 0 && slept >= 290 && slept < 3000 ? 0 : 1);
    }
    sleep_ms(50);
    kill(child, SIGSTOP);
    sleep_ms(50);
    kill(child, SIGCONT);
    int status;
    waitpid(child, &status, 0);
    ok(exited_with(status, 0), "a stop and continue neither end nor prolong a sleep");
}

static void test_interval(void) {
    on_signal(SIGALRM, count, 0);
    alarms = 0;
    struct itimerval timer = {{0, 10000}, {0, 10000}}, old;
    setitimer(ITIMER_REAL, &timer, NULL);
    while (alarms < 3) pause();
    getitimer(ITIMER_REAL, &old);
    is(old.it_interval.tv_usec, 10000, "the interval can be read");
    ok(old.it_value.tv_usec > 0 && old.it_value.tv_usec <= 10000, "so can the time left");
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    int before = alarms;
    sleep_ms(40);
    is(alarms, before, "a timer that is switched off is silent");
    on_signal(SIGVTALRM, count, 0);
    alarms = 0;
    timer = (struct itimerval){{0, 0}, {0, 20000}};
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
    sleep_ms(60);
    is(alarms, 0, "a virtual timer does not count sleep");
    burn_ms(60);
    is(alarms, 1, "but processor time");
    fails(setitimer(3, &timer, NULL), EINVAL, "there is no fourth interval timer");
    alarm(100);
    is(alarm(0), 100, "alarm gives the seconds that were left");
}

static void test_posix_timers(void) {
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 99};
    on_siginfo(SIGRTMIN + 1, note_timer, 0);
    alarms = 0;
    need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    struct itimerspec spec = {{0, 0}, {0, 10000000}}, now;
    is(timer_settime(timer, 0, &spec, NULL), 0, "a timer is set");
    while (alarms < 1) pause();
    is(last_value, 99, "its signal carries the value");
    sigset_t set, all;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, &all);
    spec = (struct itimerspec){{0, 5000000}, {0, 5000000}};
    timer_settime(timer, 0, &spec, NULL);
    sleep_ms(58);
    sigprocmask(SIG_SETMASK, &all, NULL);
    ok(last_overrun >= 8 && last_overrun < 500, "expirations while it was blocked are its overrun");
    ok(timer_getoverrun(timer) >= 0, "the overrun can be asked for");
    timer_gettime(timer, &now);
    ok(now.it_interval.tv_nsec == 5000000 && now.it_value.tv_nsec > 0, "the setting can be read");
    is(timer_delete(timer), 0, "a timer is deleted");
    int before = alarms;
    sleep_ms(20);
    is(alarms, before, "and is silent");
    fails(syscall(SYS_timer_delete, 12345), EINVAL, "an unknown timer is EINVAL");
    event.sigev_notify = SIGEV_NONE;
    need(timer_create(CLOCK_REALTIME, &event, &timer) == 0);
    spec = (struct itimerspec){{0, 0}, {0, 1000000}};
    timer_settime(timer, 0, &spec, NULL);
    sleep_ms(5);
    timer_gettime(timer, &now);
    ok(now.it_value.tv_sec == 0 && now.it_value.tv_nsec == 0, "a timer that tells nobody runs out all the same");
}

static void test_processor_time(void) {
    struct timespec process, thread;
    burn_ms(30);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &process);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &thread);
    ok(process.tv_sec > 0 || process.tv_nsec >= 30000000, "work shows on the process's clock");
    ok(thread.tv_sec > 0 || thread.tv_nsec >= 30000000, "and on the thread's");
    pid_t child = fork();
    if (child == 0) {
        burn_ms(50);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    struct tms tms;
    ok(times(&tms) != (clock_t)-1 && tms.tms_cutime + tms.tms_cstime >= 4, "a child's time is added when it is waited for");
}

int main(void) {
    plan(31);
    test_clocks();
    test_sleep();
    test_interrupted_sleep();
    test_interval();
    test_posix_timers();
    test_processor_time();
    return done();
}
