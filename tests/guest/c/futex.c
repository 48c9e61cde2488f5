/* futex: wait, wake, timeouts, requeue, bit sets, sharing. */
#include "tap.h"
#include <linux/futex.h>
#include <pthread.h>

static uint32_t word, second;
static volatile int woken;

static long futex(uint32_t *at, int op, uint32_t value, const struct timespec *timeout, uint32_t *other, uint32_t value3) {
    return syscall(SYS_futex, at, op, value, timeout, other, value3);
}

static void *waiter(void *bits) {
    long result = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(long)bits);
    if (result == 0) __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Starts threads and gives them time to wait. */
static void start(pthread_t *threads, int number, long bits) {
    woken = 0;
    for (int i = 0; i < number; i++) need(pthread_create(&threads[i], NULL, waiter, (void *)bits) == 0);
    sleep_ms(60);
}

static void test_errors(void) {
    struct timespec short_time = {0, 20000000}, bad = {0, 2000000000};
    word = 1;
    fails(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EAGAIN, "a changed word is EAGAIN");
    long long before = now_ms();
    fails(futex(&word, FUTEX_WAIT_PRIVATE, 1, &short_time, NULL, 0), ETIMEDOUT, "a relative timeout is ETIMEDOUT");
    ok(now_ms() - before >= 19, "and takes its time");
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += 20000000;
    if (deadline.tv_nsec >= 1000000000) deadline.tv_sec++, deadline.tv_nsec -= 1000000000;
    fails(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, &deadline, NULL, 1), ETIMEDOUT, "so is an absolute one");
    fails(futex(&word, FUTEX_WAIT_PRIVATE, 1, &bad, NULL, 0), EINVAL, "a bad time is EINVAL");
    fails(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, NULL, NULL, 0), EINVAL, "an empty bit set is EINVAL");
    fails(futex((uint32_t *)((char *)&word + 1), FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EINVAL, "an unaligned word is EINVAL");
    fails(futex((uint32_t *)16, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0), EFAULT, "a bad address is EFAULT");
    fails(futex(&word, 0x3f, 0, NULL, NULL, 0), ENOSYS, "an unknown operation is ENOSYS");
    is(futex(&word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0, "waking nobody wakes 0");
}

static void test_wakes(void) {
    pthread_t threads[4];
    word = 0;
    start(threads, 4, -1);
    is(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1, "one is woken");
    is(futex(&word, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0), 2, "then two");
    is(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 1, "then the rest");
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    is(woken, 4, "and all return 0");
    start(threads, 2, 1);
    is(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 5, NULL, NULL, 2), 0, "other bits wake nobody");
    is(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 5, NULL, NULL, 3), 2, "shared bits do");
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    start(threads, 3, -1);
    fails(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)2, &second, 99), EAGAIN, "FUTEX_CMP_REQUEUE compares");
    is(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &second, 0), 2, "it wakes one and moves one");
    is(futex(&second, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), 1, "the moved one waits on the other word");
    is(futex(&word, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), 1, "the third stayed");
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
}

static void test_shared(void) {
    uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t child = fork();
    if (child == 0) _exit(futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
    sleep_ms(60);
    is(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "a shared word wakes another process");
    waitpid(child, &status, 0);
    ok(exited_with(status, 0), "which returns 0");
    write_file("word", "\0\0\0\0", 4, 0644);
    int fd = open("word", O_RDWR);
    uint32_t *one = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t *other = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    child = fork();
    if (child == 0) _exit(futex(one, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
    sleep_ms(60);
    is(futex(other, FUTEX_WAKE, 1, NULL, NULL, 0), 1, "the file decides, not the address");
    waitpid(child, &status, 0);
    ok(exited_with(status, 0), "and the waiter returns");
}

static void nothing(int number UNUSED) {}
static void *poke(void *target) {
    sleep_ms(40);
    pthread_kill(*(pthread_t *)target, SIGUSR1);
    return NULL;
}

int main(void) {
    plan(26);
    enter_scratch();
    test_errors();
    test_wakes();
    test_shared();
    pthread_t self = pthread_self(), thread;
    on_signal(SIGUSR1, nothing, 0);
    word = 0;
    pthread_create(&thread, NULL, poke, &self);
    fails(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EINTR, "a signal ends the wait with EINTR");
    pthread_join(thread, NULL);
    fails(futex(&word, FUTEX_WAKE_PRIVATE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS, "a clock flag without a wait is ENOSYS");
    return done();
}
