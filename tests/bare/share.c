/* Two processes count as fast as they can on one processor: `share
 * MILLISECONDS` prints how far each came. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct shared {
    _Atomic int state;
    _Atomic unsigned long counts[2][8];
};

enum { WAIT, GO, STOP };

static void count(struct shared *shared, int number) {
    while (atomic_load(&shared->state) == WAIT) sched_yield();
    unsigned long turns = 0;
    while (atomic_load_explicit(&shared->state, memory_order_relaxed) == GO) turns++;
    atomic_store(&shared->counts[number][0], turns);
    _exit(0);
}

int main(int argc, char **argv) {
    long milliseconds = argc > 1 ? atol(argv[1]) : 2000;
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 1;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child < 0) return 1;
        if (child == 0) count(shared, i);
    }
    atomic_store(&shared->state, GO);
    struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&rest, NULL);
    atomic_store(&shared->state, STOP);
    for (int i = 0; i < 2; i++) {
        int status;
        if (wait(&status) < 0 || status != 0) return 1;
    }
    printf("%lu %lu\n", shared->counts[0][0], shared->counts[1][0]);
    return 0;
}
