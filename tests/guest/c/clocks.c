/* Clocks, sleeping and timers. */
#include "tap.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

static volatile int expirations;
static volatile siginfo_t last;
static void expire(int number UNUSED, siginfo_t *info, void *context UNUSED) {
    expirations++;
    last = *info;
}

static long long nanoseconds(clockid_t clock) {
    struct timespec now;
    need(clock_gettime(clock, &now) == 0);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void test_clocks(void) {
    long long before = nanoseconds(CLOCK_MONOTONIC), previous = before;
    int right = 1;
    for (int i = 0; i < 100000; i++) {
        long long now = nanoseconds(CLOCK_MONOTONIC);
        right &= now >= previous;
        previous = now;
    }
    ok(right && previous > before, "the monotonic clock never goes back");
    struct timespec raw;
    ok(syscall(SYS_clock_gettime, CLOCK_REALTIME, &raw) == 0 && llabs(raw.tv_sec - nanoseconds(CLOCK_REALTIME) / 1000000000) <= 1, "the call and the vDSO agree");
    ok(nanoseconds(CLOCK_REALTIME) / 1000000000 > 1600000000, "the real time is this century's");
    struct timeval day;
    ok(gettimeofday(&day, NULL) == 0 && llabs(day.tv_sec - time(NULL)) <= 1, "gettimeofday and time agree");
    ok(nanoseconds(CLOCK_BOOTTIME) >= before - 1000000000LL * 3600 && nanoseconds(CLOCK_MONOTONIC_COARSE) > 0 && nanoseconds(CLOCK_REALTIME_COARSE) > 0, "the other clocks are there");
    ok(clock_getres(CLOCK_MONOTONIC, &raw) == 0 && raw.tv_sec == 0 && raw.tv_nsec <= 10000000, "clock_getres");
    fails(clock_gettime(12345, &raw), EINVAL, "a bad clock is EINVAL");
    long long cpu = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    volatile long work = 0;
    for (long long start = now_ms(); now_ms() - start < 30;) work = work + 1;
    ok(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) > cpu && nanoseconds(CLOCK_THREAD_CPUTIME_ID) > 0, "work costs processor time");
    struct rusage usage;
    struct tms ticks;
    ok(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_utime.tv_sec + usage.ru_utime.tv_usec > 0, "getrusage tells it");
    ok(times(&ticks) != (clock_t)-1, "times");
}

static void test_sleeping(void) {
    long long before = nanoseconds(CLOCK_MONOTONIC);
    struct timespec rest = {0, 30000000}, bad = {0, 1000000000};
    is(nanosleep(&rest, NULL), 0, "nanosleep");
    long long took = nanoseconds(CLOCK_MONOTONIC) - before;
    ok(took >= 30000000 && took < 2000000000, "takes its time and not much more");
    fails(nanosleep(&bad, NULL), EINVAL, "a bad time is EINVAL");
    long long target = nanoseconds(CLOCK_MONOTONIC) + 20000000;
    struct timespec absolute = {target / 1000000000, target % 1000000000};
    is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &absolute, NULL), 0, "an absolute sleep");
    ok(nanoseconds(CLOCK_MONOTONIC) >= target, "ends after its moment");
    is(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &absolute, NULL), 0, "and at once if that is past");
    is(clock_nanosleep(12345, 0, &rest, NULL), EINVAL, "a bad clock is EINVAL");
}

static void test_timers(void) {
    on_siginfo(SIGUSR1, expire, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    timer_t timer;
    need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    struct itimerspec times = {{0, 10000000}, {0, 10000000}}, now;
    need(timer_settime(timer, 0, &times, NULL) == 0);
    for (long long start = now_ms(); expirations < 3 && now_ms() - start < 5000;) sleep_ms(5);
    ok(expirations >= 3 && last.si_code == SI_TIMER && last.si_value.sival_int == 77, "a timer signals with its value");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sleep_ms(60);
    siginfo_t info;
    ok(sigwaitinfo(&set, &info) == SIGUSR1 && info.si_overrun >= 2, "missed expirations are overruns");
    ok(timer_gettime(timer, &now) == 0 && now.it_interval.tv_nsec == 10000000, "timer_gettime");
    is(timer_delete(timer), 0, "timer_delete");
    struct timespec zero = {0, 0};
    while (sigtimedwait(&set, &info, &zero) > 0) {}
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    fails(timer_gettime(timer, &now), EINVAL, "a deleted timer is EINVAL");
    struct itimerval old, alarm_time = {{0, 0}, {100, 0}};
    setitimer(ITIMER_REAL, &alarm_time, NULL);
    ok(getitimer(ITIMER_REAL, &old) == 0 && old.it_value.tv_sec >= 98, "getitimer");
    ok(alarm(0) >= 98, "alarm shares it");
    on_siginfo(SIGVTALRM, expire, 0);
    expirations = 0;
    struct itimerval virtual = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_VIRTUAL, &virtual, NULL);
    for (long long start = now_ms(); !expirations && now_ms() - start < 5000;) {}
    is(expirations, 1, "a virtual timer counts processor time");
}

int main(void) {
    plan(25);
    test_clocks();
    test_sleeping();
    test_timers();
    return done();
}
