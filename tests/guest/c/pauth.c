/* Pointer authentication: keys by process, prctl, and codes that are wrong. */
#include "tap.h"
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#define CHECKS 27

#ifdef __aarch64__
#ifndef HWCAP_PACA
#define HWCAP_PACA (1UL << 30)
#endif
#define POINTERS 64
#define POINTER(n) (0x555500000000UL + (unsigned long)(n)*16)

typedef unsigned long Codes[POINTERS];

/* Instructions of the hint space, so that any assembler knows them. */
static unsigned long pacia(unsigned long pointer, unsigned long modifier) {
    register unsigned long x17 asm("x17") = pointer, x16 asm("x16") = modifier;
    asm volatile("hint #8" : "+r"(x17) : "r"(x16));
    return x17;
}

static unsigned long pacib(unsigned long pointer, unsigned long modifier) {
    register unsigned long x17 asm("x17") = pointer, x16 asm("x16") = modifier;
    asm volatile("hint #10" : "+r"(x17) : "r"(x16));
    return x17;
}

static unsigned long autia(unsigned long pointer, unsigned long modifier) {
    register unsigned long x17 asm("x17") = pointer, x16 asm("x16") = modifier;
    asm volatile("hint #12" : "+r"(x17) : "r"(x16));
    return x17;
}

static unsigned long pacga(unsigned long value, unsigned long modifier) {
    register unsigned long x0 asm("x0"), x1 asm("x1") = value, x2 asm("x2") = modifier;
    asm volatile(".inst 0x9ac23020" : "=r"(x0) : "r"(x1), "r"(x2));
    return x0;
}

static unsigned long xpaci(unsigned long pointer) {
    register unsigned long x0 asm("x0") = pointer;
    asm volatile(".inst 0xdac143e0" : "+r"(x0));
    return x0;
}

static void sign_all(Codes codes, unsigned long (*sign)(unsigned long, unsigned long)) {
    for (int n = 0; n < POINTERS; n++) codes[n] = sign(POINTER(n), 42);
}

static Codes codes_a, codes_b;

static int authenticates(void) {
    for (int n = 0; n < POINTERS; n++)
        if (autia(codes_a[n], 42) != POINTER(n)) return 1;
    return 0;
}

static void *in_thread(void *unused UNUSED) { return (void *)(long)authenticates(); }

/* True if a failing authentication is an exception: FEAT_FPAC. */
static int has_fpac(void) {
    unsigned long isar1, isar2;
    asm("mrs %0, S3_0_C0_C6_1" : "=r"(isar1));
    asm("mrs %0, S3_0_C0_C6_2" : "=r"(isar2));
    return (isar1 >> 4 & 15) >= 4 || (isar1 >> 8 & 15) >= 4 || (isar2 >> 12 & 15) >= 4;
}

static volatile int signals, code;
static void *volatile address;

static void step_over(int number UNUSED, siginfo_t *info, void *context) {
    signals++;
    code = info->si_code;
    address = info->si_addr;
    ((ucontext_t *)context)->uc_mcontext.pc += 4;
}

extern char authentication[];

static void authenticate_wrong(void) {
    register unsigned long x17 asm("x17") = codes_a[0] ^ 1UL << 50, x16 asm("x16") = 42;
    asm volatile(".global authentication\nauthentication: hint #12" : "+r"(x17) : "r"(x16) : "memory");
}

/* Returns through an address whose code has been changed. */
static int corrupt_return(void) {
    asm volatile("adr x30, 1f\n"
                 "hint #25\n" /* paciasp */
                 "eor x30, x30, #0x4000000000000\n"
                 "hint #29\n" /* autiasp */
                 "ret\n"
                 "1:" ::: "x30", "memory");
    return 0;
}

static int whole_return(void) {
    asm volatile("adr x30, 1f\n"
                 "hint #25\n"
                 "hint #29\n"
                 "ret\n"
                 "1:" ::: "x30", "memory");
    return 7;
}

static int resets_own(void) { return prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0) != 0; }

/* The codes that this program has after exec. */
static void codes_of_exec(Codes codes) {
    int ends[2];
    need(pipe(ends) == 0);
    pid_t child = fork();
    need(child >= 0);
    if (child == 0) {
        dup2(ends[1], 1);
        execl("/proc/self/exe", "pauth", "codes", NULL);
        _exit(99);
    }
    close(ends[1]);
    need(read(ends[0], codes, sizeof(Codes)) == sizeof(Codes));
    close(ends[0]);
    int status;
    need(waitpid(child, &status, 0) == child && exited_with(status, 0));
}

static void test_codes(void) {
    sign_all(codes_a, pacia);
    sign_all(codes_b, pacib);
    int in_place = 1, signed_ones = 0;
    for (int n = 0; n < POINTERS; n++) {
        in_place &= (codes_a[n] & ~(0x7fUL << 48)) == POINTER(n);
        signed_ones += codes_a[n] != POINTER(n);
    }
    ok(in_place, "a code takes bits 54 to 48");
    ok(signed_ones > POINTERS / 2, "pointers are signed");
    ok(memcmp(codes_a, codes_b, sizeof codes_a) != 0, "the keys differ");
    is(authenticates(), 0, "signed pointers authenticate");
    is((long)xpaci(codes_a[1]), POINTER(1), "a code can be stripped");
    unsigned long generic = pacga(1, 2);
    ok((generic & 0xffffffff) == 0 && generic != 0, "a generic code is in the upper half");
    ok(pacga(1, 3) != generic, "and depends on the modifier");
}

static void test_failure(void) {
    on_siginfo(SIGILL, step_over, 0);
    if (has_fpac()) {
        authenticate_wrong();
        ok(signals == 1 && code == ILL_ILLOPN, "a wrong code is SIGILL, ILL_ILLOPN");
        ok(address == authentication, "at the instruction that authenticates");
    } else {
        skip(2, "failing authentication is no exception here");
    }
    on_signal(SIGILL, SIG_DFL, 0);
    ok(exited_with(status_of(whole_return), 7), "a signed return address works");
    int status = status_of(corrupt_return);
    ok(killed_by(status, has_fpac() ? SIGILL : SIGSEGV), "a corrupted one ends the process");
}

static void test_inheritance(void) {
    ok(exited_with(status_of(authenticates), 0), "a child has its parent's keys");
    pthread_t thread;
    void *result;
    need(pthread_create(&thread, NULL, in_thread, NULL) == 0 && pthread_join(thread, &result) == 0);
    is((long)result, 0, "and so has a thread");
    ok(exited_with(status_of(resets_own), 0), "a child can have new keys");
    is(authenticates(), 0, "which its parent does not get");
    Codes first, second;
    codes_of_exec(first);
    codes_of_exec(second);
    ok(memcmp(first, codes_a, sizeof first) != 0, "a new program has new keys");
    ok(memcmp(first, second, sizeof first) != 0, "each time others");
}

static void test_reset(void) {
    Codes now;
    fails(prctl(PR_PAC_RESET_KEYS, 32, 0, 0, 0), EINVAL, "a key that there is not is EINVAL");
    fails(prctl(PR_PAC_RESET_KEYS, 0, 1, 0, 0), EINVAL, "another argument is EINVAL");
    need(prctl(PR_PAC_RESET_KEYS, PR_PAC_APIBKEY, 0, 0, 0) == 0);
    sign_all(now, pacib);
    ok(memcmp(now, codes_b, sizeof now) != 0, "a reset key makes other codes");
    sign_all(now, pacia);
    ok(memcmp(now, codes_a, sizeof now) == 0, "other keys stay");
}

static int without_ib(void) {
    Codes now;
    sign_all(now, pacib);
    return now[0] != POINTER(0) || now[POINTERS - 1] != POINTER(POINTERS - 1) || authenticates();
}

static void test_enabled(void) {
    is(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 15, "all keys are enabled");
    fails(prctl(PR_PAC_SET_ENABLED_KEYS, 16, 0, 0, 0), EINVAL, "the generic key cannot be disabled");
    fails(prctl(PR_PAC_SET_ENABLED_KEYS, 1, 3, 0, 0), EINVAL, "a key outside of the set is EINVAL");
    need(prctl(PR_PAC_SET_ENABLED_KEYS, PR_PAC_APIBKEY, 0, 0, 0) == 0);
    is(prctl(PR_PAC_GET_ENABLED_KEYS, 0, 0, 0, 0), 13, "a key can be disabled");
    is(without_ib(), 0, "it then signs nothing, and others do");
    ok(exited_with(status_of(without_ib), 0), "in a child too");
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "codes") == 0) {
        Codes codes;
        sign_all(codes, pacia);
        return write(1, codes, sizeof codes) == sizeof codes ? 0 : 1;
    }
    plan(CHECKS);
    if (!(getauxval(AT_HWCAP) & HWCAP_PACA)) {
        is((long)pacia(POINTER(1), 2), POINTER(1), "without the extension its hints do nothing");
        fails(prctl(PR_PAC_RESET_KEYS, 0, 0, 0, 0), EINVAL, "and there are no keys");
        skip(CHECKS - 2, "the processor cannot sign pointers");
        return done();
    }
    test_codes();
    test_failure();
    test_inheritance();
    test_reset();
    test_enabled();
    return done();
}
#else
int main(void) {
    plan(CHECKS);
    skip(CHECKS, "signed pointers are ARM64's");
    return done();
}
#endif
