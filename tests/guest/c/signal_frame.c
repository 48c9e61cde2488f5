/* The signal frame: registers saved, edited and restored; faults that carry on. */
#include "tap.h"
#include <stddef.h>
#include <ucontext.h>

static char alternate[65536] __attribute__((aligned(16)));
static volatile int runs, on_alternate, aligned, code, stack_flags;
static void *volatile address;

#ifdef __aarch64__
#define SKIP_INSTRUCTION(context) ((context)->uc_mcontext.pc += 4)
#else
#define SKIP_INSTRUCTION(context) ((context)->uc_mcontext.gregs[REG_RIP] += 2)
#endif

static void inspect(int number UNUSED, siginfo_t *info, void *context) {
    char here;
    ucontext_t *frame = context;
    runs++;
    on_alternate = &here >= alternate && &here < alternate + sizeof alternate;
    aligned = (uintptr_t)__builtin_frame_address(0) % 16 == 0;
    code = info->si_code;
    address = info->si_addr;
    stack_flags = frame->uc_stack.ss_flags;
}

static void skip_fault(int number, siginfo_t *info, void *context) {
    inspect(number, info, context);
    SKIP_INSTRUCTION((ucontext_t *)context);
}

static void test_altstack(void) {
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, now;
    is(sigaltstack(&stack, NULL), 0, "an alternate stack is set");
    on_siginfo(SIGUSR1, inspect, SA_ONSTACK);
    raise(SIGUSR1);
    ok(runs == 1 && on_alternate && aligned, "the handler runs there, aligned");
    sigaltstack(NULL, &now);
    ok(now.ss_sp == alternate && now.ss_flags == 0, "it stays set");
    on_siginfo(SIGUSR1, inspect, 0);
    raise(SIGUSR1);
    ok(!on_alternate, "without SA_ONSTACK the handler stays on the main stack");
    stack.ss_size = 100;
    fails(sigaltstack(&stack, NULL), ENOMEM, "a tiny stack is ENOMEM");
    stack.ss_flags = 0x55;
    fails(sigaltstack(&stack, NULL), EINVAL, "bad flags are EINVAL");
    stack_t off = {.ss_flags = SS_DISABLE};
    sigaltstack(&off, NULL);
}

/* Reads the bad address 0x20 with an instruction whose length is known. */
static long bad_read(void) {
    long value = 77;
#ifdef __aarch64__
    register long *from asm("x1") = (long *)0x20;
    asm volatile("ldr %0, [x1]" : "+r"(value) : "r"(from) : "memory");
#else
    asm volatile(".byte 0x8b, 0x01" : "+a"(value) : "c"(0x20L) : "memory"); /* mov (%rcx), %eax */
#endif
    return value;
}

static void test_faults(void) {
    on_siginfo(SIGSEGV, skip_fault, 0);
    runs = 0;
    long value = bad_read();
    ok(runs == 1 && value == 77, "a handler can step over the faulting load");
    ok(code == SEGV_MAPERR && address == (void *)0x20, "si_code and si_addr describe the fault");
    on_siginfo(SIGILL, skip_fault, 0);
    runs = 0;
#ifdef __aarch64__
    asm volatile(".inst 0x00000000");
#else
    asm volatile("ud2");
#endif
    ok(runs == 1 && (code == ILL_ILLOPC || code == ILL_ILLOPN), "an undefined instruction is SIGILL and can be stepped over");
}

static int jump_to(void *target) {
    ((void (*)(void))target)();
    return 0;
}
static int jump_null(void) { return jump_to(NULL); }
static int jump_wild(void) { return jump_to((void *)0x7ffff0001000); }
static int jump_data(void) {
    static long data[4];
    return jump_to(data);
}

static void *volatile fault_pc;
static void note_pc(int number UNUSED, siginfo_t *info, void *context UNUSED) { _exit(info->si_addr == fault_pc ? 31 : 32); }
static int jump_wild_with_handler(void) {
    fault_pc = (void *)0x7ffff0001000;
    on_siginfo(SIGSEGV, note_pc, 0);
    return jump_to(fault_pc);
}

static int bad_sigreturn(void) {
    /* A frame of rubbish: must die of a signal, not harm anything. */
#ifdef __aarch64__
    static char rubbish[8192] __attribute__((aligned(16)));
    memset(rubbish, 0xee, sizeof rubbish);
    asm volatile("mov sp, %0\n mov x8, #139\n svc #0" ::"r"(rubbish + 16) : "x8", "memory");
    __builtin_unreachable();
#else
    raise(SIGSEGV);
    return 0;
#endif
}

#ifdef __aarch64__
struct record {
    uint32_t magic, size;
};

static volatile uint64_t seen_x19, seen_v8;
static volatile int fpsimd_found, record_order_ok;
static volatile uint64_t new_sp_seen;

static void edit(int number UNUSED, siginfo_t *info UNUSED, void *context) {
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    seen_x19 = machine->regs[19];
    machine->regs[19] = 0x1919191919191919;
    machine->regs[20] = 0x2020202020202020;
    machine->pstate |= 1UL << 30; /* Z */
    char *at = (char *)machine->__reserved;
    record_order_ok = 1;
    for (int i = 0; i < 8; i++) {
        struct record *record = (struct record *)at;
        if (record->magic == 0) break;
        if (record->magic == 0x46508001) { /* FPSIMD_MAGIC */
            struct {
                struct record head;
                uint32_t fpsr, fpcr;
                __uint128_t v[32];
            } *fp = (void *)at;
            fpsimd_found = record->size == 528;
            seen_v8 = (uint64_t)fp->v[8];
            fp->v[8] = 0x8888888888888888;
        }
        if (record->size < 8 || record->size % 16) record_order_ok = 0;
        if (record->size < 8) break;
        at += record->size;
    }
}

static void test_registers(void) {
    on_siginfo(SIGTRAP, edit, 0);
    uint64_t x19 = 0x1234, x20 = 0x5678, v8 = 0x9abc, flags;
    register uint64_t r19 asm("x19") = x19;
    register uint64_t r20 asm("x20") = x20;
    asm volatile(
        "fmov d8, %3\n movz x1, #1\n cmp x1, #2\n"
        "mov x8, #172\n svc #0\n mov x1, #5\n mov x8, #129\n svc #0\n" /* getpid, kill(pid, SIGTRAP) */
        "mrs %2, nzcv\n fmov %3, d8\n"
        : "+r"(r19), "+r"(r20), "=&r"(flags), "+r"(v8)
        :
        : "x0", "x1", "x8", "v8", "cc", "memory");
    ok(seen_x19 == 0x1234 && seen_v8 == 0x9abc, "the frame holds the registers of the interrupted code");
    ok(r19 == 0x1919191919191919 && r20 == 0x2020202020202020, "edited registers are restored");
    ok(flags & (1UL << 30), "edited flags are restored");
    ok(fpsimd_found && v8 == 0x8888888888888888, "so are vector registers, from a record of 528 bytes");
    ok(record_order_ok, "records are 16-byte multiples and end with a null record");
}

static int brk_instruction(void) {
    asm volatile("brk #0x123");
    return 0;
}
static int unaligned_pc(void) { return jump_to((char *)unaligned_pc + 2); }
static int unaligned_exclusive(void) {
    static char bytes[32] __attribute__((aligned(16)));
    uint64_t value;
    asm volatile("ldxr %0, [%1]" : "=r"(value) : "r"(bytes + 9) : "memory"); /* FEAT_LSE2 allows it within 16 bytes. */
    return (int)value * 0;
}

static void test_arm(void) {
    on_signal(SIGTRAP, SIG_DFL, 0);
    ok(killed_by(status_of(brk_instruction), SIGTRAP), "BRK is SIGTRAP");
    ok(killed_by(status_of(unaligned_pc), SIGBUS), "a misaligned PC is SIGBUS");
    ok(killed_by(status_of(unaligned_exclusive), SIGBUS), "a misaligned exclusive is SIGBUS");
    volatile long zero = 0, seven = 7;
    is(({ long r; asm volatile("sdiv %0, %1, %2" : "=r"(r) : "r"(seven), "r"(zero)); r; }), 0, "division by zero is zero");
}
#endif

int main(void) {
    plan(23);
    test_altstack();
    test_faults();
    on_signal(SIGSEGV, SIG_DFL, 0);
    ok(killed_by(status_of(jump_null), SIGSEGV), "a jump to null is SIGSEGV");
    ok(killed_by(status_of(jump_wild), SIGSEGV), "a jump to nowhere is SIGSEGV");
    ok(killed_by(status_of(jump_data), SIGSEGV), "a jump to data is SIGSEGV");
    ok(exited_with(status_of(jump_wild_with_handler), 31), "si_addr of a wild jump is its target");
    ok(killed_by(status_of(bad_sigreturn), SIGSEGV), "sigreturn with a broken frame is SIGSEGV");
#ifdef __aarch64__
    test_registers();
    test_arm();
#else
    skip(9, "registers are those of ARM64");
#endif
    return done();
}
