/* Accesses that other threads see whole, exclusives, and atomic instructions.
 *
 * `memory_atomics MILLISECONDS` gives each race that long. */
#include "tap.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/auxv.h>

#ifdef __aarch64__
#ifndef HWCAP_ATOMICS
#define HWCAP_ATOMICS (1 << 8)
#endif
#ifndef HWCAP_USCAT
#define HWCAP_USCAT (1 << 25)
#endif
#define ASM(text, ...) __asm__ volatile(".arch armv8.3-a\n" text : __VA_ARGS__)

enum { THREADS = 4, ROUNDS = 20000 };

static unsigned long present;
static long milliseconds = 30;
static volatile int is_over;
static _Alignas(4096) char memory[8192];

/* Part 1: tearing. A writer stores numbers all of whose bytes are the same; a
 * reader must never see two numbers at once. */

typedef void writer(char *at, uint64_t value);
/* Loads; gives the two registers, the second the same as the first if there is one. */
typedef void reader(char *at, uint64_t *pair);

static void stp(char *at, uint64_t v) { ASM("stp %0, %0, [%1]", : "r"(v), "r"(at) : "memory"); }
static void stp_w(char *at, uint64_t v) { ASM("stp %w0, %w0, [%1]", : "r"(v), "r"(at) : "memory"); }
static void str(char *at, uint64_t v) { ASM("str %0, [%1]", : "r"(v), "r"(at) : "memory"); }
static void str_w(char *at, uint64_t v) { ASM("str %w0, [%1]", : "r"(v), "r"(at) : "memory"); }
static void strh(char *at, uint64_t v) { ASM("strh %w0, [%1]", : "r"(v), "r"(at) : "memory"); }
static void stlr(char *at, uint64_t v) { ASM("stlr %0, [%1]", : "r"(v), "r"(at) : "memory"); }
static void str_q(char *at, uint64_t v) { ASM("dup v0.2d, %0\nstr q0, [%1]", : "r"(v), "r"(at) : "memory", "v0"); }
static void st1(char *at, uint64_t v) { ASM("dup v0.2d, %0\nst1 {v0.2d}, [%1]", : "r"(v), "r"(at) : "memory", "v0"); }
static void stp_d(char *at, uint64_t v) { ASM("fmov d0, %0\nstp d0, d0, [%1]", : "r"(v), "r"(at) : "memory", "v0"); }

static void store_exclusive_pair(char *at, uint64_t v) {
    uint64_t low, high, failed;
    ASM("1: ldxp %0, %1, [%4]\nstxp %w2, %3, %3, [%4]\ncbnz %w2, 1b",
        "=&r"(low), "=&r"(high), "=&r"(failed) : "r"(v), "r"(at) : "memory");
}

static void casp_store(char *at, uint64_t v) {
    ASM("ldp x2, x3, [%1]\n1: mov x6, x2\nmov x7, x3\nmov x4, %0\nmov x5, %0\n"
        ".arch_extension lse\ncasp x2, x3, x4, x5, [%1]\ncmp x2, x6\nccmp x3, x7, #0, eq\nb.ne 1b",
        : "r"(v), "r"(at) : "memory", "cc", "x2", "x3", "x4", "x5", "x6", "x7");
}

static void ldp(char *at, uint64_t *p) { ASM("ldp %0, %1, [%2]", "=&r"(p[0]), "=&r"(p[1]) : "r"(at) : "memory"); }
static void ldp_w(char *at, uint64_t *p) {
    ASM("ldp %w0, %w1, [%2]\nbfi %0, %0, #32, #32\nbfi %1, %1, #32, #32", "=&r"(p[0]), "=&r"(p[1]) : "r"(at) : "memory");
}
static void ldr(char *at, uint64_t *p) { ASM("ldr %0, [%1]", "=r"(p[0]) : "r"(at) : "memory"); p[1] = p[0]; }
static void ldr_w(char *at, uint64_t *p) {
    ASM("ldr %w0, [%1]\nbfi %0, %0, #32, #32", "=&r"(p[0]) : "r"(at) : "memory");
    p[1] = p[0];
}
static void ldrh(char *at, uint64_t *p) {
    ASM("ldrh %w0, [%1]\nbfi %0, %0, #16, #16\nbfi %0, %0, #32, #32", "=&r"(p[0]) : "r"(at) : "memory");
    p[1] = p[0];
}
static void ldar(char *at, uint64_t *p) { ASM("ldar %0, [%1]", "=r"(p[0]) : "r"(at) : "memory"); p[1] = p[0]; }
static void ldr_q(char *at, uint64_t *p) {
    ASM("ldr q0, [%2]\nfmov %0, d0\nfmov %1, v0.d[1]", "=&r"(p[0]), "=&r"(p[1]) : "r"(at) : "memory", "v0");
}
static void ldp_d(char *at, uint64_t *p) {
    ASM("ldp d0, d1, [%2]\nfmov %0, d0\nfmov %1, d1", "=&r"(p[0]), "=&r"(p[1]) : "r"(at) : "memory", "v0", "v1");
}
static void load_exclusive_pair(char *at, uint64_t *p) {
    uint64_t failed;
    ASM("1: ldxp %0, %1, [%3]\nstxp %w2, %0, %1, [%3]\ncbnz %w2, 1b",
        "=&r"(p[0]), "=&r"(p[1]), "=&r"(failed) : "r"(at) : "memory");
}
static void casp_load(char *at, uint64_t *p) {
    register uint64_t low __asm__("x2") = 1, high __asm__("x3") = 2;
    ASM(".arch_extension lse\ncasp x2, x3, x2, x3, [%2]", "+r"(low), "+r"(high) : "r"(at) : "memory");
    p[0] = low, p[1] = high;
}

struct tearing {
    const char *name;
    writer *write;
    reader *read;
    /* Offsets from a block of 16 bytes: all of these. */
    int first, last;
    /* Both registers are one access, or each is by itself. */
    int is_one;
    unsigned long needs;
};

static const struct tearing tearings[] = {
    {"STR, LDR of X, aligned", str, ldr, 8, 8, 1, 0},
    {"STP, LDP of X: each of two that are aligned", stp, ldp, 8, 8, 0, 0},
    {"STP, LDP of W: each of two that are aligned", stp_w, ldp_w, 12, 12, 0, 0},
    {"STR, LDR of Q: each half if aligned", str_q, ldr_q, 8, 8, 0, 0},
    {"ST1, LDP of D: each of two", st1, ldp_d, 8, 8, 0, 0},
    {"STP of D, LDR of Q: each half", stp_d, ldr_q, 0, 0, 0, 0},
    {"LDXP, STXP", store_exclusive_pair, load_exclusive_pair, 0, 0, 1, 0},
    {"CASP", casp_store, casp_load, 0, 0, 1, HWCAP_ATOMICS},
    {"CASP, LDXP", casp_store, load_exclusive_pair, 0, 0, 1, HWCAP_ATOMICS},
    {"STP, LDP of X in 16 aligned bytes", stp, ldp, 0, 0, 1, HWCAP_USCAT},
    {"STR, LDR of Q in 16 aligned bytes", str_q, ldr_q, 0, 0, 1, HWCAP_USCAT},
    {"STR of Q, LDP of X in 16 aligned bytes", str_q, ldp, 0, 0, 1, HWCAP_USCAT},
    {"STP of X, LDR of Q in 16 aligned bytes", stp, ldr_q, 0, 0, 1, HWCAP_USCAT},
    {"CASP, LDP in 16 aligned bytes", casp_store, ldp, 0, 0, 1, HWCAP_USCAT | HWCAP_ATOMICS},
    {"STR, LDR of X within 16 bytes", str, ldr, 1, 7, 1, HWCAP_USCAT},
    {"STR, LDR of W within 16 bytes", str_w, ldr_w, 5, 11, 1, HWCAP_USCAT},
    {"STRH, LDRH within 16 bytes", strh, ldrh, 7, 7, 1, HWCAP_USCAT},
    {"STLR, LDAR within 16 bytes", stlr, ldar, 1, 7, 1, HWCAP_USCAT},
    {"STR, LDAR within 16 bytes", str, ldar, 3, 3, 1, HWCAP_USCAT},
    {"STLR, LDR within 16 bytes", stlr, ldr, 6, 6, 1, HWCAP_USCAT},
};
enum { TEARINGS = sizeof tearings / sizeof *tearings };

static const struct tearing *current;
static char *place;

static void *write_always(void *unused) {
    for (uint64_t value = 0; !is_over; value++) current->write(place, (value & 0xff) * 0x0101010101010101);
    return unused;
}

static int is_whole(uint64_t value) { return value == (value & 0xff) * 0x0101010101010101; }

static void test_tearing(const struct tearing *tearing) {
    unsigned long torn = 0, loads = 0;
    if ((present & tearing->needs) != tearing->needs) {
        skip(1, "the processor lacks an instruction or does not promise it");
        return;
    }
    current = tearing;
    for (int offset = tearing->first; offset <= tearing->last; offset++) {
        pthread_t thread;
        memset(memory, 0, sizeof memory);
        /* With offset 8, the two halves lie in different cache lines. */
        place = memory + 1024 + 48 + offset, is_over = 0;
        need(pthread_create(&thread, NULL, write_always, NULL) == 0);
        long long end = now_ms() + 1 + milliseconds / (tearing->last - tearing->first + 1);
        do {
            for (int i = 0; i < 1000; i++) {
                uint64_t pair[2];
                tearing->read(place, pair);
                torn += !is_whole(pair[0]) || !is_whole(pair[1]) || (tearing->is_one && pair[0] != pair[1]);
            }
            loads += 1000;
        } while (now_ms() < end);
        is_over = 1;
        pthread_join(thread, NULL);
    }
    ok(torn == 0, "whole: %s", tearing->name);
    note("litmus %s, torn forbidden %lu of %lu", tearing->name, torn, loads);
}

/* Part 2: counters. Each thread adds one ROUNDS times. */

static char *counter;
static uint32_t lock;
static volatile uint64_t guarded;

static void add_exclusive(void) {
    uint64_t t, failed;
    ASM("1: ldxr %0, [%2]\nadd %0, %0, #1\nstxr %w1, %0, [%2]\ncbnz %w1, 1b", "=&r"(t), "=&r"(failed) : "r"(counter) : "memory");
}
static void add_exclusive_pair(void) {
    uint64_t low, high, failed;
    ASM("1: ldaxp %0, %1, [%3]\nadd %0, %0, #1\nadd %1, %1, #1\nstlxp %w2, %0, %1, [%3]\ncbnz %w2, 1b",
        "=&r"(low), "=&r"(high), "=&r"(failed) : "r"(counter) : "memory");
}
static void add_locked(void) {
    uint32_t t, failed;
    unsigned patience = 0;
    for (;;) {
        ASM("ldaxr %w0, [%2]\nmov %w1, #1\ncbnz %w0, 1f\nstxr %w1, %w3, [%2]\n1:", "=&r"(t), "=&r"(failed) : "r"(&lock), "r"(1) : "memory");
        if (t == 0 && failed == 0) break;
        if (++patience % 1000 == 0) sched_yield();
    }
    guarded++;
    ASM("stlr wzr, [%0]", : "r"(&lock) : "memory");
}
static void add_swap_locked(void) {
    uint32_t was;
    unsigned patience = 0;
    do {
        ASM(".arch_extension lse\nswpa %w1, %w0, [%2]", "=&r"(was) : "r"(1), "r"(&lock) : "memory");
        if (was && ++patience % 1000 == 0) sched_yield();
    } while (was);
    guarded++;
    ASM("stlr wzr, [%0]", : "r"(&lock) : "memory");
}
static void add_ldadd(void) { ASM(".arch_extension lse\nldadd %0, xzr, [%1]", : "r"(1L), "r"(counter) : "memory"); }
static void add_bytes(void) {
    /* The upper bytes count the carries of the lowest. */
    uint64_t old;
    ASM(".arch_extension lse\nldaddalb %w1, %w0, [%2]", "=&r"(old) : "r"(1), "r"(counter) : "memory");
    if (old == 0xff) ASM(".arch_extension lse\nldadd %w0, wzr, [%1]", : "r"(0x100), "r"(counter) : "memory");
}
static void add_cas(void) {
    uint64_t old = *(volatile uint64_t *)counter, expected;
    do {
        expected = old;
        ASM(".arch_extension lse\ncas %0, %1, [%2]", "+&r"(old) : "r"(expected + 1), "r"(counter) : "memory");
    } while (old != expected);
}
static void add_casp(void) {
    ASM("ldp x2, x3, [%0]\n1: mov x6, x2\nmov x7, x3\nadd x4, x2, #1\nadd x5, x3, #1\n"
        ".arch_extension lse\ncaspal x2, x3, x4, x5, [%0]\ncmp x2, x6\nccmp x3, x7, #0, eq\nb.ne 1b",
        : "r"(counter) : "memory", "cc", "x2", "x3", "x4", "x5", "x6", "x7");
}

struct counting {
    const char *name;
    void (*add)(void);
    int offset, is_guarded, is_pair;
    unsigned long needs;
};
static const struct counting countings[] = {
    {"LDXR, STXR", add_exclusive, 0, 0, 0, 0},
    {"LDAXP, STLXP", add_exclusive_pair, 0, 0, 1, 0},
    {"a lock of LDAXR, STXR, STLR", add_locked, 0, 1, 0, 0},
    {"a lock of SWPA, STLR", add_swap_locked, 0, 1, 0, HWCAP_ATOMICS},
    {"LDADD", add_ldadd, 0, 0, 0, HWCAP_ATOMICS},
    {"LDADDALB and LDADD of the bytes above", add_bytes, 0, 0, 0, HWCAP_ATOMICS},
    {"CAS", add_cas, 0, 0, 0, HWCAP_ATOMICS},
    {"CASPAL", add_casp, 0, 0, 1, HWCAP_ATOMICS},
    {"LDADD, not aligned", add_ldadd, 5, 0, 0, HWCAP_ATOMICS | HWCAP_USCAT},
    {"CAS, not aligned", add_cas, 3, 0, 0, HWCAP_ATOMICS | HWCAP_USCAT},
    {"LDXR, STXR, not aligned", add_exclusive, 2, 0, 0, HWCAP_USCAT},
};
enum { COUNTINGS = sizeof countings / sizeof *countings };

static void *count(void *counting) {
    for (int i = 0; i < ROUNDS; i++) ((const struct counting *)counting)->add();
    return NULL;
}

static void test_counting(const struct counting *counting) {
    pthread_t threads[THREADS];
    uint64_t total;
    if ((present & counting->needs) != counting->needs) {
        skip(1, "the processor lacks an instruction or does not promise it");
        return;
    }
    memset(memory, 0, sizeof memory);
    counter = memory + 1024 + counting->offset, lock = 0, guarded = 0;
    for (int i = 0; i < THREADS; i++) need(pthread_create(&threads[i], NULL, count, (void *)counting) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    memcpy(&total, counter, 8);
    if (counting->is_guarded) total = guarded;
    if (counting->is_pair) total = memcmp(counter, counter + 8, 8) == 0 ? total : ~0UL;
    is((long long)total, (long long)THREADS * ROUNDS, counting->name);
}

/* Part 3: when an exclusive store must fail. */

static uint64_t word;

/* The status of an exclusive store of 5 after `text`; 0 if it was done. */
#define STATUS(text)                                                                             \
    ({                                                                                           \
        uint64_t status, t = 0;                                                                  \
        word = 7;                                                                                \
        ASM("clrex\n" text "stxr %w0, %2, [%3]", "=&r"(status), "+&r"(t) : "r"(5L), "r"(&word) : "memory", "x0", "x8"); \
        status && word == 5 ? 99 : status;                                                       \
    })

static volatile int turn;

static void *store_in_between(void *unused) {
    while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 1) sched_yield();
    __atomic_store_n(&word, 8, __ATOMIC_RELAXED);
    __atomic_store_n(&turn, 2, __ATOMIC_RELEASE);
    return unused;
}

static void test_exclusives(void) {
    int tries = 0;
    while (STATUS("ldxr %1, [%3]\n") != 0 && tries < 1000) tries++;
    ok(tries < 1000, "an exclusive store after a load is done");
    is((long long)STATUS(""), 1, "without a load it is not");
    is((long long)STATUS("ldxr %1, [%3]\nclrex\n"), 1, "nor after CLREX");
    is((long long)STATUS("ldxr %1, [%3]\nstxr %w0, %1, [%3]\n"), 1, "nor after another one");
    is((long long)STATUS("mov x8, #178\nmov x0, #0\nldxr %1, [%3]\nsvc #0\n"), 1, "nor after a system call");
    pthread_t thread;
    uint64_t status, t;
    word = 7, turn = 0;
    need(pthread_create(&thread, NULL, store_in_between, NULL) == 0);
    /* Plain loads only between the two: nothing else may make it fail. */
    ASM("ldxr %1, [%2]\nstlr %w4, [%3]\n1: ldar %w1, [%3]\ncmp %w1, #2\nb.ne 1b\nstxr %w0, %5, [%2]",
        "=&r"(status), "=&r"(t) : "r"(&word), "r"(&turn), "r"(1), "r"(5L) : "memory", "cc");
    pthread_join(thread, NULL);
    is((long long)status, 1, "nor after another thread's store");
    is((long long)word, 8, "which remains");
}

/* Part 4: alignment. */

static sigjmp_buf back;
static siginfo_t caught;

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    caught = *info;
    siglongjmp(back, 1);
}

/* Whether `access` at `at` ends in SIGBUS for its alignment. */
#define MISALIGNED(access)                                                                                   \
    (memset(&caught, 0, sizeof caught), sigsetjmp(back, 1) == 0 ? (access, 0)                                \
     : caught.si_signo == SIGBUS && caught.si_code == BUS_ADRALN && (char *)caught.si_addr == at)

static void test_alignment(void) {
    uint64_t pair[2];
    int is_fine = (present & HWCAP_USCAT) != 0;
    char *volatile at = memory + 1024 + 3;
    on_siginfo(SIGBUS, on_fault, SA_NODEFER);
    memset(memory, 0, sizeof memory);
    is(MISALIGNED(ldar(at, pair)), !is_fine, "LDAR within 16 bytes is done or faults, as HWCAP says");
    is(MISALIGNED(stlr(at, 0x0807060504030201)), !is_fine, "so does STLR");
    if (is_fine) ok(memcmp(at - 1, "\0\1\2\3\4\5\6\7\10\0", 10) == 0, "which writes its eight bytes");
    else skip(1, "the processor lacks an instruction or does not promise it");
    at = memory + 1024 + 9;
    is(MISALIGNED(ldar(at, pair)), 1, "across 16 bytes LDAR faults");
    is(MISALIGNED(stlr(at, 1)), 1, "and STLR");
    at = memory + 1024 + 8;
    is(MISALIGNED(load_exclusive_pair(at, pair)), 1, "LDXP must be aligned");
    at = memory + 4096 - 3;
    memcpy(at, "\1\2\3\4\5\6\7\10", 8);
    ldr(at, pair);
    is((long long)pair[0], 0x0807060504030201, "LDR need not, across pages either");
}

int main(int arguments, char **texts) {
    if (arguments > 1) milliseconds = atol(texts[1]);
    present = getauxval(AT_HWCAP);
    plan(TEARINGS + COUNTINGS + 7 + 7);
    for (int i = 0; i < TEARINGS; i++) test_tearing(&tearings[i]);
    for (int i = 0; i < COUNTINGS; i++) test_counting(&countings[i]);
    test_exclusives();
    test_alignment();
    return done();
}
#else
int main(void) {
    plan(1);
    skip(1, "the instructions are ARM64's");
    return done();
}
#endif
