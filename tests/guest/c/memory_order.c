/* Litmus tests: what threads may see of each other's accesses.
 *
 * Each test is a few instructions for each thread and a question about what
 * they read. An outcome that the Arm architecture forbids must never be seen.
 * One that it allows may be; how often it was is printed. That store buffering
 * without barriers is seen at all shows that the test can see something:
 * `memory_order MILLISECONDS` demands it, and gives every test that long.
 *
 * Names are those of the literature; R, S and 2+2W and so on are there too. */
#include "tap.h"

#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>

#ifdef __aarch64__
#ifndef HWCAP_ATOMICS
#define HWCAP_ATOMICS (1 << 8)
#endif
#ifndef HWCAP_LRCPC
#define HWCAP_LRCPC (1 << 15)
#endif

enum { CELLS = 256, THREADS = 4, RESULTS = 2 };

/* The locations of one round, each in a cache line of its own. */
struct cell {
    _Alignas(128) volatile uint64_t x;
    _Alignas(128) volatile uint64_t y;
};

/* What a round left: what each thread read, and the memory. */
struct outcome {
    uint64_t r[THREADS][RESULTS];
    uint64_t x, y;
};

typedef void body(struct cell *cell, uint64_t *r);

struct test {
    const char *name;
    body *bodies[THREADS];
    /* True for the outcome in question. */
    int (*question)(const struct outcome *);
    /* The architecture allows it. */
    int allowed;
    unsigned long needs;
};

/* A thread's code: x and y are addresses, r0 and r1 what it read, one is 1. */
#define BODY(name, text)                                                                    \
    static void name(struct cell *cell, uint64_t *r) {                                      \
        uint64_t r0 = 0, r1 = 0, t;                                                         \
        __asm__ volatile(".arch armv8.3-a\n" text                                           \
                         : [r0] "+&r"(r0), [r1] "+&r"(r1), [t] "=&r"(t)                     \
                         : [x] "r"(&cell->x), [y] "r"(&cell->y), [one] "r"(1UL), [two] "r"(2UL), \
                           [ones] "r"(~0UL)                                                 \
                         : "memory", "cc");                                                 \
        r[0] = r0, r[1] = r1;                                                               \
    }

#define LOAD(r, at) "ldr %[" r "], [%[" at "]]\n"
#define STORE(value, at) "str %[" value "], [%[" at "]]\n"
#define ACQUIRE(r, at) "ldar %[" r "], [%[" at "]]\n"
#define ACQUIRE_PC(r, at) "ldapr %[" r "], [%[" at "]]\n"
#define RELEASE(value, at) "stlr %[" value "], [%[" at "]]\n"
#define DMB "dmb ish\n"
#define DMB_LD "dmb ishld\n"
#define DMB_ST "dmb ishst\n"

BODY(write_xy, STORE("one", "x") STORE("one", "y"))
BODY(write_x_dmb_y, STORE("one", "x") DMB STORE("one", "y"))
BODY(write_x_dmbst_y, STORE("one", "x") DMB_ST STORE("one", "y"))
BODY(write_x_release_y, STORE("one", "x") RELEASE("one", "y"))
BODY(write_x, STORE("one", "x"))
BODY(write_y, STORE("one", "y"))
BODY(release_x, RELEASE("one", "x"))
BODY(release_y, RELEASE("one", "y"))
BODY(read_yx, LOAD("r0", "y") LOAD("r1", "x"))
BODY(read_xy, LOAD("r0", "x") LOAD("r1", "y"))
BODY(read_y_dmb_x, LOAD("r0", "y") DMB LOAD("r1", "x"))
BODY(read_x_dmb_y, LOAD("r0", "x") DMB LOAD("r1", "y"))
BODY(read_y_dmbld_x, LOAD("r0", "y") DMB_LD LOAD("r1", "x"))
BODY(read_x_dmbld_y, LOAD("r0", "x") DMB_LD LOAD("r1", "y"))
BODY(acquire_y_read_x, ACQUIRE("r0", "y") LOAD("r1", "x"))
BODY(acquire_yx, ACQUIRE("r0", "y") ACQUIRE("r1", "x"))
BODY(acquire_xy, ACQUIRE("r0", "x") ACQUIRE("r1", "y"))
BODY(acquire_pc_y_read_x, ACQUIRE_PC("r0", "y") LOAD("r1", "x"))
BODY(read_y_address_x, LOAD("r0", "y") "eor %[t], %[r0], %[r0]\nldr %[r1], [%[x], %[t]]\n")
BODY(read_y_isb_x, LOAD("r0", "y") "cbz %[r0], 1f\n1: isb\n" LOAD("r1", "x"))
BODY(exclusive_y_read_x, "ldaxr %[r0], [%[y]]\n" LOAD("r1", "x") "clrex\n")
BODY(swap_y_read_x, "swpa xzr, %[r0], [%[y]]\n" LOAD("r1", "x"))
BODY(write_x_add_y, STORE("one", "x") "ldaddl %[one], %[t], [%[y]]\n")

BODY(write_x_read_y, STORE("one", "x") LOAD("r0", "y"))
BODY(write_y_read_x, STORE("one", "y") LOAD("r0", "x"))
BODY(write_x_dmb_read_y, STORE("one", "x") DMB LOAD("r0", "y"))
BODY(write_y_dmb_read_x, STORE("one", "y") DMB LOAD("r0", "x"))
BODY(write_x_dsbst_read_y, STORE("one", "x") "dsb ishst\n" LOAD("r0", "y"))
BODY(write_y_dsbst_read_x, STORE("one", "y") "dsb ishst\n" LOAD("r0", "x"))
BODY(release_x_acquire_y, RELEASE("one", "x") ACQUIRE("r0", "y"))
BODY(release_y_acquire_x, RELEASE("one", "y") ACQUIRE("r0", "x"))
BODY(release_x_acquire_pc_y, RELEASE("one", "x") ACQUIRE_PC("r0", "y"))
BODY(release_y_acquire_pc_x, RELEASE("one", "y") ACQUIRE_PC("r0", "x"))

BODY(read_x_write_y, LOAD("r0", "x") STORE("one", "y"))
BODY(read_y_write_x, LOAD("r0", "y") STORE("one", "x"))
BODY(read_x_data_y, LOAD("r0", "x") "eor %[t], %[r0], %[r0]\nadd %[t], %[t], #1\nstr %[t], [%[y]]\n")
BODY(read_y_data_x, LOAD("r0", "y") "eor %[t], %[r0], %[r0]\nadd %[t], %[t], #1\nstr %[t], [%[x]]\n")
BODY(read_x_control_y, LOAD("r0", "x") "cbz %[r0], 1f\n1: str %[one], [%[y]]\n")
BODY(read_y_control_x, LOAD("r0", "y") "cbz %[r0], 1f\n1: str %[one], [%[x]]\n")
BODY(acquire_x_write_y, ACQUIRE("r0", "x") STORE("one", "y"))
BODY(acquire_y_write_x, ACQUIRE("r0", "y") STORE("one", "x"))
BODY(read_x_release_y, LOAD("r0", "x") RELEASE("one", "y"))

BODY(write2_x_release_y, STORE("two", "x") RELEASE("one", "y"))
BODY(write2_y_release_x, STORE("two", "y") RELEASE("one", "x"))
BODY(write_x_dmb_write_y, STORE("one", "x") DMB STORE("one", "y"))
BODY(write2_y_dmb_read_x, STORE("two", "y") DMB LOAD("r0", "x"))

BODY(write_x_twice, STORE("one", "x") STORE("two", "x"))
BODY(read_x_twice, LOAD("r0", "x") LOAD("r1", "x"))
BODY(read_write_x, LOAD("r0", "x") STORE("one", "x"))
BODY(write_read_x, STORE("one", "x") LOAD("r0", "x"))
BODY(write2_x, STORE("two", "x"))

BODY(write_wide_x_release_y, STORE("ones", "x") RELEASE("one", "y"))
BODY(acquire_y_read_parts_of_x, ACQUIRE("r0", "y") "ldrb %w[r1], [%[x], #7]\nldrh %w[t], [%[x], #2]\n"
     "and %[r1], %[r1], %[t]\nldr %w[t], [%[x], #4]\nand %[r1], %[r1], %[t]\n")
BODY(write_halves_of_x, "str %w[ones], [%[x]]\ndmb ishst\nstr %w[ones], [%[x], #4]\n")
BODY(read_part_and_whole_of_x, "ldr %w[r0], [%[x], #4]\n" DMB_LD LOAD("r1", "x"))
BODY(write_parts_of_x_release_y, "strb %w[ones], [%[x]]\nstrh %w[ones], [%[x], #2]\nstr %w[ones], [%[x], #4]\n"
     "strb %w[ones], [%[x], #1]\n" RELEASE("one", "y"))

static int first_without_second(const struct outcome *o) { return o->r[1][0] == 1 && o->r[1][1] == 0; }
static int first_without_whole(const struct outcome *o) { return o->r[1][0] == 1 && o->r[1][1] != ~0UL; }
static int first_without_bytes(const struct outcome *o) { return o->r[1][0] == 1 && o->r[1][1] != 0xff; }
static int part_without_whole(const struct outcome *o) { return o->r[1][0] == 0xffffffff && o->r[1][1] != ~0UL; }
static int both_zero(const struct outcome *o) { return o->r[0][0] == 0 && o->r[1][0] == 0; }
static int both_one(const struct outcome *o) { return o->r[0][0] == 1 && o->r[1][0] == 1; }
static int both_old(const struct outcome *o) { return o->x == 2 && o->y == 2; }
static int r_question(const struct outcome *o) { return o->y == 2 && o->r[1][0] == 0; }
static int s_question(const struct outcome *o) { return o->x == 2 && o->r[1][0] == 1; }
static int back_in_time(const struct outcome *o) { return o->r[1][0] != 0 && o->r[1][1] == 0; }
static int old_remains(const struct outcome *o) { return o->x != 2; }
static int own_future(const struct outcome *o) { return o->r[0][0] == 1; }
static int own_past(const struct outcome *o) { return o->r[0][0] == 0 || (o->r[0][0] == 2 && o->x == 1); }
static int readers_disagree(const struct outcome *o) {
    return o->r[2][0] == 1 && o->r[2][1] == 0 && o->r[3][0] == 1 && o->r[3][1] == 0;
}
static int third_misses(const struct outcome *o) { return o->r[1][0] == 1 && o->r[2][0] == 1 && o->r[2][1] == 0; }

static const struct test tests[] = {
    {"MP", {write_xy, read_yx}, first_without_second, 1, 0},
    {"MP+dmb+po", {write_x_dmb_y, read_yx}, first_without_second, 1, 0},
    {"MP+dmbs", {write_x_dmb_y, read_y_dmb_x}, first_without_second, 0, 0},
    {"MP+dmb.st+dmb.ld", {write_x_dmbst_y, read_y_dmbld_x}, first_without_second, 0, 0},
    {"MP+dmb.st+addr", {write_x_dmbst_y, read_y_address_x}, first_without_second, 0, 0},
    {"MP+dmb.st+ctrlisb", {write_x_dmbst_y, read_y_isb_x}, first_without_second, 0, 0},
    {"MP+stlr+ldar", {write_x_release_y, acquire_y_read_x}, first_without_second, 0, 0},
    {"MP+stlr+ldapr", {write_x_release_y, acquire_pc_y_read_x}, first_without_second, 0, HWCAP_LRCPC},
    {"MP+stlr+ldaxr", {write_x_release_y, exclusive_y_read_x}, first_without_second, 0, 0},
    {"MP+ldaddl+swpa", {write_x_add_y, swap_y_read_x}, first_without_second, 0, HWCAP_ATOMICS},
    {"SB", {write_x_read_y, write_y_read_x}, both_zero, 1, 0},
    {"SB+dmbs", {write_x_dmb_read_y, write_y_dmb_read_x}, both_zero, 0, 0},
    {"SB+dsb.sts", {write_x_dsbst_read_y, write_y_dsbst_read_x}, both_zero, 0, 0},
    {"SB+stlr-ldars", {release_x_acquire_y, release_y_acquire_x}, both_zero, 0, 0},
    {"SB+stlr-ldaprs", {release_x_acquire_pc_y, release_y_acquire_pc_x}, both_zero, 1, HWCAP_LRCPC},
    {"LB", {read_x_write_y, read_y_write_x}, both_one, 1, 0},
    {"LB+datas", {read_x_data_y, read_y_data_x}, both_one, 0, 0},
    {"LB+ctrls", {read_x_control_y, read_y_control_x}, both_one, 0, 0},
    {"LB+ldars", {acquire_x_write_y, acquire_y_write_x}, both_one, 0, 0},
    {"LB+stlr+data", {read_x_release_y, read_y_data_x}, both_one, 0, 0},
    {"R+dmbs", {write_x_dmb_write_y, write2_y_dmb_read_x}, r_question, 0, 0},
    {"S+stlr+ldar", {write2_x_release_y, acquire_y_write_x}, s_question, 0, 0},
    {"2+2W+stlrs", {write2_x_release_y, write2_y_release_x}, both_old, 0, 0},
    {"CoRR", {write_x, read_x_twice}, back_in_time, 0, 0},
    {"CoWW", {write_x_twice, read_x_twice}, old_remains, 0, 0},
    {"CoRW1", {read_write_x}, own_future, 0, 0},
    {"CoWR", {write_read_x, write2_x}, own_past, 0, 0},
    {"MP+wide+parts", {write_wide_x_release_y, acquire_y_read_parts_of_x}, first_without_bytes, 0, 0},
    {"MP+parts+wide", {write_parts_of_x_release_y, acquire_y_read_x}, first_without_whole, 0, 0},
    {"CoRR+half+whole", {write_halves_of_x, read_part_and_whole_of_x}, part_without_whole, 0, 0},
    {"WRC+ldar-stlr+ldar", {write_x, acquire_x_write_y, acquire_y_read_x}, third_misses, 1, 0},
    {"WRC+stlr+dmbs", {write_x, read_x_release_y, read_y_dmb_x}, third_misses, 0, 0},
    {"IRIW", {write_x, write_y, read_xy, read_yx}, readers_disagree, 1, 0},
    {"IRIW+dmb.lds", {write_x, write_y, read_x_dmbld_y, read_y_dmbld_x}, readers_disagree, 0, 0},
    {"IRIW+dmbs", {write_x, write_y, read_x_dmb_y, read_y_dmb_x}, readers_disagree, 0, 0},
    {"IRIW+stlrs+ldars", {release_x, release_y, acquire_xy, acquire_yx}, readers_disagree, 0, 0},
};
enum { TESTS = sizeof tests / sizeof *tests };

static struct cell cells[CELLS];
static uint64_t results[THREADS][CELLS][RESULTS];
static const struct test *current;
static unsigned threads_of_test;
/* How far each thread has come, on lines of their own. */
static struct {
    _Alignas(128) volatile uint64_t round;
} progress[THREADS];
static volatile uint64_t allowed_batch;
static volatile int is_over;

static void wait_a_little(unsigned *patience) {
    if (++*patience >= 2000) sched_yield(), *patience = 0;
}

/* Waits until all threads are about to do `round`, so that they do it together;
 * not for long if others may have no processor. */
static void meet(unsigned self, uint64_t round, int is_patient) {
    unsigned patience = 0;
    __atomic_store_n(&progress[self].round, round, __ATOMIC_RELEASE);
    for (unsigned other = 0; other < threads_of_test; other++)
        for (unsigned spins = 0; __atomic_load_n(&progress[other].round, __ATOMIC_ACQUIRE) < round; spins++) {
            if (is_patient) wait_a_little(&patience);
            else if (spins > 300) return;
        }
}

/* Does a thread's part of a batch of rounds. Two threads meet before every
 * round; more of them may have to share processors, so they only start together
 * and drift. */
static void do_batch(unsigned self, uint64_t batch) {
    body *work = current->bodies[self];
    uint64_t first = (batch - 1) * (CELLS + 2) + 1;
    meet(self, first, 1);
    for (unsigned i = 0; i < CELLS; i++) {
        if (threads_of_test == 2) meet(self, first + 1 + i, 0);
        for (unsigned delay = (unsigned)(batch * 7 + i) % (3 + self); delay > 0; delay--) __asm__ volatile("");
        work(&cells[i], results[self][i]);
    }
    __atomic_store_n(&progress[self].round, first + CELLS + 1, __ATOMIC_RELEASE);
}

static void *run_thread(void *argument) {
    unsigned self = (unsigned)(uintptr_t)argument, patience = 0;
    for (uint64_t batch = 1;; batch++) {
        while (__atomic_load_n(&allowed_batch, __ATOMIC_ACQUIRE) < batch) {
            if (is_over) return NULL;
            wait_a_little(&patience);
        }
        do_batch(self, batch);
    }
}

/* Runs a test for a time; gives how often the outcome in question was seen. */
static unsigned long run(const struct test *test, long milliseconds, unsigned long *rounds) {
    pthread_t threads[THREADS];
    unsigned long seen = 0;
    unsigned patience = 0;
    current = test, allowed_batch = 0, is_over = 0, *rounds = 0;
    for (threads_of_test = 0; threads_of_test < THREADS && test->bodies[threads_of_test];) threads_of_test++;
    for (unsigned i = 0; i < threads_of_test; i++) progress[i].round = 0;
    for (uintptr_t i = 1; i < threads_of_test; i++) need(pthread_create(&threads[i], NULL, run_thread, (void *)i) == 0);
    long long end = now_ms() + milliseconds;
    uint64_t batch = 0;
    do {
        for (unsigned i = 0; i < CELLS; i++) cells[i].x = 0, cells[i].y = 0;
        __atomic_store_n(&allowed_batch, ++batch, __ATOMIC_RELEASE);
        do_batch(0, batch);
        for (unsigned i = 1; i < threads_of_test; i++)
            while (__atomic_load_n(&progress[i].round, __ATOMIC_ACQUIRE) < batch * (CELLS + 2)) wait_a_little(&patience);
        for (unsigned i = 0; i < CELLS; i++) {
            struct outcome outcome = {.x = cells[i].x, .y = cells[i].y};
            for (unsigned t = 0; t < threads_of_test; t++) memcpy(outcome.r[t], results[t][i], sizeof outcome.r[t]);
            seen += (unsigned long)test->question(&outcome);
        }
        *rounds += CELLS;
    } while (now_ms() < end);
    is_over = 1;
    for (unsigned i = 1; i < threads_of_test; i++) pthread_join(threads[i], NULL);
    return seen;
}

int main(int count, char **arguments) {
    long milliseconds = count > 1 ? atol(arguments[1]) : 40;
    unsigned long present = getauxval(AT_HWCAP);
    plan(TESTS);
    for (unsigned i = 0; i < TESTS; i++) {
        const struct test *test = &tests[i];
        const char *rule = test->allowed ? "allowed" : "forbidden";
        if ((present & test->needs) != test->needs) {
            skip(1, "the processor lacks an instruction");
            continue;
        }
        if (count == 1 && strstr(test->name, "dsb.st")) {
            /* QEMU, in which the other machines run, takes DSB ST for DMB ST. */
            skip(1, "only asked for");
            continue;
        }
        unsigned long rounds, seen = run(test, milliseconds, &rounds);
        int is_control = count > 1 && strcmp(test->name, "SB") == 0;
        ok(test->allowed ? !is_control || seen > 0 : seen == 0, "%s", test->name);
        note("litmus %s %s %lu of %lu", test->name, rule, seen, rounds);
    }
    return done();
}
#else
int main(void) {
    plan(1);
    skip(1, "the instructions are ARM64's");
    return done();
}
#endif
