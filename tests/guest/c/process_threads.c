/* Threads: clone, exit, thread groups, robust and clear-tid words. */
#include "tap.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int counter, turn;
static __thread int local = 5;

static void *add_many(void *unused UNUSED) {
    for (int i = 0; i < 10000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return (void *)(long)local++;
}

static void *take_turns(void *me) {
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != (int)(long)me) pthread_cond_wait(&condition, &mutex);
        turn = !turn;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *own_ids(void *out) {
    ((pid_t *)out)[0] = getpid();
    ((pid_t *)out)[1] = (pid_t)syscall(SYS_gettid);
    return NULL;
}

static void *wait_forever(void *unused UNUSED) {
    for (;;) pause();
    return NULL;
}

static void *exit_group_7(void *unused UNUSED) { _exit(7); }

static int group_exit(void) {
    pthread_t thread;
    for (int i = 0; i < 3; i++) pthread_create(&thread, NULL, wait_forever, NULL);
    pthread_create(&thread, NULL, exit_group_7, NULL);
    wait_forever(NULL);
    return 1;
}

static void *late_exit(void *unused UNUSED) {
    sleep_ms(30);
    _exit(9);
}

static int leader_leaves(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, late_exit, NULL);
    pthread_exit(NULL);
}

static int all_leave(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, own_ids, (pid_t[2]){0, 0});
    pthread_join(thread, NULL);
    syscall(SYS_exit, 3);
    return 1;
}

static void *crash(void *unused UNUSED) {
    *(volatile int *)16 = 0;
    return NULL;
}

static int thread_crashes(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, crash, NULL);
    wait_forever(NULL);
    return 0;
}

static void test_pthreads(void) {
    pthread_t threads[8];
    void *result;
    int right = 1;
    for (int i = 0; i < 8; i++) need(pthread_create(&threads[i], NULL, add_many, NULL) == 0);
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], &result);
        right &= result == (void *)5;
    }
    is(counter, 80000, "a mutex keeps increments apart");
    ok(right && local == 5, "each thread has its own thread-local values");
    for (long i = 0; i < 2; i++) need(pthread_create(&threads[i], NULL, take_turns, (void *)i) == 0);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    ok(1, "two threads alternate on a condition");
    pid_t ids[2];
    pthread_create(&threads[0], NULL, own_ids, ids);
    pthread_join(threads[0], NULL);
    ok(ids[0] == getpid() && ids[1] != getpid() && ids[1] > 0, "threads share the pid and have their own tid");
    right = 1;
    for (int i = 0; i < 500; i++) {
        right &= pthread_create(&threads[0], NULL, own_ids, ids) == 0;
        pthread_join(threads[0], NULL);
    }
    ok(right, "500 threads come and go");
}

static void test_groups(void) {
    ok(exited_with(status_of(group_exit), 7), "exit_group from a thread ends all threads");
    ok(exited_with(status_of(leader_leaves), 9), "the process outlives its leader");
    ok(exited_with(status_of(all_leave), 3), "the last thread's status is the process's");
    ok(killed_by(status_of(thread_crashes), SIGSEGV), "a fault in a thread ends the process");
}

static int plain_child(void *flag) {
    *(int *)flag = 33;
    return 4;
}

static void test_raw_clone(void) {
    static char stack[65536] __attribute__((aligned(16)));
    static int flag, tid_word;
    int status;
    pid_t child = clone(plain_child, stack + sizeof stack, CLONE_VM | SIGCHLD, &flag);
    waitpid(child, &status, 0);
    ok(exited_with(status, 4) && flag == 33, "CLONE_VM shares memory");
    flag = 0;
    child = clone(plain_child, stack + sizeof stack, SIGCHLD, &flag);
    waitpid(child, &status, 0);
    ok(exited_with(status, 4) && flag == 0, "without CLONE_VM memory is copied");
    child = clone(plain_child, stack + sizeof stack, CLONE_VM, &flag);
    fails(waitpid(child, &status, 0), ECHILD, "a clone without a signal is no ordinary child");
    is(waitpid(child, &status, __WALL), child, "__WALL waits for it");
    fails(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL, "CLONE_THREAD without CLONE_SIGHAND is EINVAL");
    fails(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL, "CLONE_SIGHAND without CLONE_VM is EINVAL");
    child = clone(plain_child, stack + sizeof stack, CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, &flag, &tid_word, NULL, &tid_word);
    while (__atomic_load_n(&tid_word, __ATOMIC_SEQ_CST) != 0) syscall(SYS_futex, &tid_word, FUTEX_WAIT, child, NULL, NULL, 0);
    waitpid(child, &status, 0);
    ok(exited_with(status, 4), "the clear-tid word is zeroed and woken at exit");
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } args = {.exit_signal = SIGCHLD};
    child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) _exit(6);
    waitpid(child, &status, 0);
    ok(child > 0 && exited_with(status, 6), "clone3 forks");
    args.flags = CLONE_THREAD;
    fails(syscall(SYS_clone3, &args, sizeof args), EINVAL, "clone3 checks flags");
    fails(syscall(SYS_clone3, &args, 8), EINVAL, "clone3 checks its size");
}

static pthread_mutex_t robust;
static void *die_holding(void *unused UNUSED) {
    pthread_mutex_lock(&robust);
    return NULL;
}

static void test_robust(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&robust, &attributes);
    pthread_t thread;
    pthread_create(&thread, NULL, die_holding, NULL);
    pthread_join(thread, NULL);
    is(pthread_mutex_lock(&robust), EOWNERDEAD, "a dead thread's robust mutex says so");
    pthread_mutex_consistent(&robust);
    pthread_mutex_unlock(&robust);
    pthread_mutex_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutex_init(shared, &attributes);
    pid_t child = fork();
    if (child == 0) {
        pthread_mutex_lock(shared);
        kill(getpid(), SIGKILL);
    }
    waitpid(child, NULL, 0);
    is(pthread_mutex_lock(shared), EOWNERDEAD, "and so does a killed process's");
}

int main(void) {
    plan(21);
    test_pthreads();
    test_groups();
    test_raw_clone();
    test_robust();
    return done();
}
