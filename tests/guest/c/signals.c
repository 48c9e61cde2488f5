/* Signals: delivery, masks, queues, restarts, codes. */
#include "tap.h"
#include <pthread.h>
#include <sys/time.h>
#include <ucontext.h>

static volatile int count, order[16], nested_mask_ok;
static siginfo_t last;

static void tally(int number) {
    if (count < 16) order[count] = number;
    count++;
}
static void keep(int number, siginfo_t *info, void *context UNUSED) {
    last = *info;
    tally(number);
}

static sigset_t set_of(int first, int second) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, first);
    if (second) sigaddset(&set, second);
    return set;
}

static void test_delivery(void) {
    on_siginfo(SIGUSR1, keep, 0);
    count = 0;
    raise(SIGUSR1);
    ok(count == 1 && last.si_code == SI_TKILL && last.si_pid == getpid(), "raise is SI_TKILL");
    kill(getpid(), SIGUSR1);
    ok(count == 2 && last.si_code == SI_USER && last.si_uid == getuid(), "kill is SI_USER");
    union sigval value = {.sival_int = 4242};
    sigqueue(getpid(), SIGUSR1, value);
    ok(count == 3 && last.si_code == SI_QUEUE && last.si_value.sival_int == 4242, "sigqueue carries its value");
    pid_t child = fork();
    if (child == 0) {
        kill(getppid(), SIGUSR1);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    for (int i = 0; i < 100 && count < 4; i++) sleep_ms(1);
    ok(count == 4 && last.si_pid == child, "si_pid is the sender's");
    on_signal(SIGUSR1, SIG_IGN, 0);
    kill(getpid(), SIGUSR1);
    is(count, 4, "an ignored signal does nothing");
    fails(sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL), EINVAL, "SIGKILL cannot be ignored");
    fails(sigaction(SIGSTOP, &(struct sigaction){.sa_handler = tally}, NULL), EINVAL, "SIGSTOP cannot be caught");
    on_signal(SIGUSR1, tally, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    ok(now.sa_handler == SIG_DFL, "SA_RESETHAND resets");
}

static void test_masks(void) {
    sigset_t both = set_of(SIGUSR1, SIGUSR2), old, pending;
    on_signal(SIGUSR1, tally, 0);
    on_signal(SIGUSR2, tally, 0);
    sigprocmask(SIG_BLOCK, &both, &old);
    count = 0;
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigpending(&pending);
    ok(count == 0 && sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2), "blocked signals are pending");
    sigprocmask(SIG_SETMASK, &old, NULL);
    is(count, 2, "a standard signal queues once");
    sigprocmask(SIG_BLOCK, &both, NULL);
    raise(SIGUSR1);
    siginfo_t info;
    is(sigwaitinfo(&both, &info), SIGUSR1, "sigwaitinfo takes a pending signal");
    struct timespec zero = {0, 0}, short_time = {0, 20000000};
    fails(sigtimedwait(&both, &info, &zero), EAGAIN, "sigtimedwait polls");
    long long before = now_ms();
    fails(sigtimedwait(&both, &info, &short_time), EAGAIN, "and times out");
    ok(now_ms() - before >= 19, "after its time");
    count = 0;
    raise(SIGUSR1);
    sigset_t without = old;
    sigdelset(&without, SIGUSR1);
    fails(sigsuspend(&without), EINTR, "sigsuspend returns EINTR");
    is(count, 1, "after the handler has run");
    sigprocmask(SIG_BLOCK, NULL, &pending);
    ok(sigismember(&pending, SIGUSR1), "and puts the mask back");
    sigprocmask(SIG_SETMASK, &old, NULL);
    fails(sigprocmask(77, &both, NULL), EINVAL, "a bad how is EINVAL");
    sigset_t kill_set = set_of(SIGKILL, SIGSTOP);
    sigprocmask(SIG_BLOCK, &kill_set, NULL);
    sigprocmask(SIG_BLOCK, NULL, &pending);
    ok(!sigismember(&pending, SIGKILL) && !sigismember(&pending, SIGSTOP), "SIGKILL and SIGSTOP are never blocked");
}

static void test_realtime(void) {
    sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1), old;
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 3; i++) {
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 10 + i});
    }
    int right = 1;
    siginfo_t info;
    for (int i = 0; i < 6; i++) {
        int number = sigwaitinfo(&set, &info);
        right &= number == SIGRTMIN + (i >= 3) && info.si_value.sival_int == (i < 3 ? 10 + i : i - 3);
    }
    ok(right, "real-time signals queue in order, the lowest number first");
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static volatile int depth, deepest;
static void nest(int number) {
    depth++;
    if (depth > deepest) deepest = depth;
    if (depth < 3) raise(number);
    depth--;
}

static void raise_once(int number) {
    static int raised;
    depth++;
    if (depth > deepest) deepest = depth;
    if (!raised++) raise(number);
    depth--;
    count++;
}

static void mask_in_handler(int number, siginfo_t *info UNUSED, void *context) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    nested_mask_ok = sigismember(&now, number) && sigismember(&now, SIGHUP) && !sigismember(&((ucontext_t *)context)->uc_sigmask, SIGHUP);
}

static void test_handlers(void) {
    on_signal(SIGUSR1, nest, SA_NODEFER);
    deepest = 0;
    raise(SIGUSR1);
    is(deepest, 3, "SA_NODEFER allows nesting");
    on_signal(SIGUSR1, raise_once, 0);
    deepest = count = 0;
    raise(SIGUSR1);
    ok(deepest == 1 && count == 2, "without it the signal waits for the handler to return");
    struct sigaction action = {.sa_sigaction = mask_in_handler, .sa_flags = SA_SIGINFO};
    sigaddset(&action.sa_mask, SIGHUP);
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    ok(nested_mask_ok, "the handler's mask is in force, the old one is in the frame");
}

static void *poke_main(void *target) {
    sleep_ms(30);
    pthread_kill(*(pthread_t *)target, SIGUSR1);
    sleep_ms(30);
    pthread_kill(*(pthread_t *)target, SIGUSR2);
    return NULL;
}

static void test_restart(void) {
    int fds[2];
    char byte;
    pthread_t self = pthread_self(), thread;
    need(pipe(fds) == 0);
    on_signal(SIGUSR1, tally, SA_RESTART);
    on_signal(SIGUSR2, tally, 0);
    count = 0;
    pthread_create(&thread, NULL, poke_main, &self);
    fails(read(fds[0], &byte, 1), EINTR, "read restarts under SA_RESTART and not without");
    is(count, 2, "both handlers ran");
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, poke_main, &self);
    struct timespec second = {1, 0}, left = {0, 0};
    fails(nanosleep(&second, &left), EINTR, "nanosleep is interrupted even under SA_RESTART");
    ok(left.tv_sec == 0 && left.tv_nsec > 500000000, "and tells what is left");
    pthread_join(thread, NULL);
    on_signal(SIGALRM, tally, 0);
    count = 0;
    struct itimerval timer = {{0, 5000000 / 1000}, {0, 5000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    while (count < 3) pause();
    memset(&timer, 0, sizeof timer);
    setitimer(ITIMER_REAL, &timer, NULL);
    ok(1, "an interval timer repeats");
    alarm(1);
    fails(pause(), EINTR, "alarm ends pause");
    close(fds[0]);
    close(fds[1]);
}

static void test_children(void) {
    on_siginfo(SIGCHLD, keep, 0);
    pid_t child = fork();
    if (child == 0) _exit(6);
    while (waitpid(child, NULL, 0) < 0) {}
    ok(last.si_signo == SIGCHLD && last.si_code == CLD_EXITED && last.si_status == 6 && last.si_pid == child, "SIGCHLD tells of an exit");
    child = fork();
    if (child == 0) for (;;) pause();
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0) {}
    ok(last.si_code == CLD_KILLED && last.si_status == SIGKILL, "and of a death");
    on_siginfo(SIGCHLD, keep, SA_NOCLDSTOP);
    count = 0;
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(0);
    }
    while (waitpid(child, NULL, WUNTRACED) < 0) {}
    int stopped = count;
    kill(child, SIGCONT);
    while (waitpid(child, NULL, 0) < 0) {}
    ok(stopped == 0 && count == 1, "SA_NOCLDSTOP leaves stops out");
    on_signal(SIGCHLD, SIG_DFL, 0);
    int fds[2];
    need(pipe(fds) == 0);
    close(fds[0]);
    on_signal(SIGPIPE, tally, 0);
    count = 0;
    fails(write(fds[1], "x", 1), EPIPE, "writing to nobody is EPIPE");
    ok(count == 1 && order[0] == SIGPIPE, "and SIGPIPE");
}

static void *thread_target(void *unused UNUSED) {
    sigset_t set = set_of(SIGUSR1, 0);
    siginfo_t info;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return (void *)(long)sigwaitinfo(&set, &info);
}

static void test_threads(void) {
    sigset_t set = set_of(SIGUSR1, 0), old;
    pthread_sigmask(SIG_BLOCK, &set, &old);
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, thread_target, NULL);
    sleep_ms(20);
    kill(getpid(), SIGUSR1);
    pthread_join(thread, &result);
    is((long)result, SIGUSR1, "a signal to the process goes to a thread that waits for it");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    fails(syscall(SYS_tgkill, getpid(), 999999, SIGUSR1), ESRCH, "tgkill of a strange thread is ESRCH");
    fails(syscall(SYS_tgkill, -1, getpid(), SIGUSR1), EINVAL, "tgkill of a negative group is EINVAL");
}

int main(void) {
    plan(37);
    test_delivery();
    test_masks();
    test_realtime();
    test_handlers();
    test_restart();
    test_children();
    test_threads();
    return done();
}
