/* The stack: growth on demand, overflow on an alternate stack, guard pages. */
#include "tap.h"
#include <pthread.h>
#include <sys/resource.h>

static long deep(int levels) {
    volatile char frame[4096];
    frame[0] = (char)levels;
    return levels == 0 ? 0 : deep(levels - 1) + frame[0] * 0 + 1;
}

static char alternate[65536];

static void report_overflow(int number UNUSED, siginfo_t *info, void *context UNUSED) {
    char here;
    int on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
    _exit(on_alternate && info->si_addr != NULL ? 21 : 22);
}

static int endless(int level) {
    volatile char frame[1024];
    frame[0] = (char)level;
    return endless(level + 1) + frame[0];
}

static int overflow_with_handler(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&stack, NULL);
    on_siginfo(SIGSEGV, report_overflow, SA_ONSTACK);
    return endless(0);
}

static int overflow_plain(void) { return endless(0); }

static int small_limit(void) {
    struct rlimit limit = {256 * 1024, 256 * 1024};
    setrlimit(RLIMIT_STACK, &limit);
    return (int)deep(200);
}

static void *thread_overflow(void *unused UNUSED) { return (void *)(long)endless(0); }
static int overflow_in_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, thread_overflow, NULL);
    pthread_join(thread, NULL);
    return 0;
}

static int handler_without_altstack(void) {
    on_siginfo(SIGSEGV, report_overflow, 0);
    return endless(0);
}

int main(void) {
    struct rlimit core = {0, 0};
    setrlimit(RLIMIT_CORE, &core);
    plan(7);
    /* First, since a child inherits what the stack has grown to. */
    ok(killed_by(status_of(small_limit), SIGSEGV), "RLIMIT_STACK limits growth");
    is(deep(1500), 1500, "the stack grows by megabytes");
    ok(killed_by(status_of(overflow_plain), SIGSEGV), "an overflow is SIGSEGV");
    ok(exited_with(status_of(overflow_with_handler), 21), "its handler runs on the alternate stack");
    ok(killed_by(status_of(handler_without_altstack), SIGSEGV), "a handler that has no stack dies of SIGSEGV");
    ok(killed_by(status_of(overflow_in_thread), SIGSEGV), "a thread stops at its guard page");
    stack_t now;
    sigaltstack(NULL, &now);
    ok(now.ss_flags & SS_DISABLE, "there is no alternate stack at first");
    return done();
}
