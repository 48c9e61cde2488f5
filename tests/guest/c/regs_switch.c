/* Every register is a process's own: x0 to x30, sp, the flags, v0 to v31, FPCR
 * and FPSR survive system calls that wait (100,000 switches between two
 * processes on one processor) and switches that no program asked for. */
#include "tap.h"

#include <sched.h>
#include <stddef.h>

#ifdef __aarch64__
enum { ROUNDS = 50000, SPINS = 20, SPIN_LENGTH = 20000000 };

/* The assembly below knows the offsets. */
struct registers {
    uint64_t x[31];
    uint64_t flags;
    __attribute__((aligned(16))) uint64_t v[32][2];
    uint64_t fpcr, fpsr;
};

struct frame {
    struct registers in, out;
    uint64_t stack;
} __attribute__((aligned(16)));

_Static_assert(offsetof(struct registers, v) == 256, "offset of v");
_Static_assert(offsetof(struct registers, fpcr) == 768, "offset of fpcr");
_Static_assert(offsetof(struct frame, out) == 784, "offset of out");
_Static_assert(offsetof(struct frame, stack) == 1568, "offset of stack");

/* Loads every register from frame->in, makes a system call or counts x0 down to
 * zero, and stores every register into frame->out. Between the two the stack
 * pointer points to the frame, so that no other register is needed. */
void switch_call(struct frame *frame);
void switch_spin(struct frame *frame);

__asm__(
    ".macro regs_save\n"
    "    stp x29, x30, [sp, #-160]!\n"
    "    stp x19, x20, [sp, #16]\n"
    "    stp x21, x22, [sp, #32]\n"
    "    stp x23, x24, [sp, #48]\n"
    "    stp x25, x26, [sp, #64]\n"
    "    stp x27, x28, [sp, #80]\n"
    "    stp d8, d9, [sp, #96]\n"
    "    stp d10, d11, [sp, #112]\n"
    "    stp d12, d13, [sp, #128]\n"
    "    stp d14, d15, [sp, #144]\n"
    "    mov x9, sp\n"
    "    str x9, [x0, #1568]\n"
    "    mov sp, x0\n"
    "    ldr x9, [sp, #768]\n"
    "    msr fpcr, x9\n"
    "    ldr x9, [sp, #776]\n"
    "    msr fpsr, x9\n"
    "    ldr x9, [sp, #248]\n"
    "    msr nzcv, x9\n"
    "    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    ldr q\\n, [sp, #(256 + 16 * \\n)]\n"
    "    .endr\n"
    "    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
    "    ldr x\\n, [sp, #(8 * \\n)]\n"
    "    .endr\n"
    ".endm\n"
    ".macro regs_restore\n"
    "    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
    "    str x\\n, [sp, #(784 + 8 * \\n)]\n"
    "    .endr\n"
    "    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "    str q\\n, [sp, #(784 + 256 + 16 * \\n)]\n"
    "    .endr\n"
    "    mrs x9, nzcv\n"
    "    str x9, [sp, #(784 + 248)]\n"
    "    mrs x9, fpcr\n"
    "    str x9, [sp, #(784 + 768)]\n"
    "    mrs x9, fpsr\n"
    "    str x9, [sp, #(784 + 776)]\n"
    "    msr fpcr, xzr\n"
    "    msr fpsr, xzr\n"
    "    ldr x9, [sp, #1568]\n"
    "    mov sp, x9\n"
    "    ldp x19, x20, [sp, #16]\n"
    "    ldp x21, x22, [sp, #32]\n"
    "    ldp x23, x24, [sp, #48]\n"
    "    ldp x25, x26, [sp, #64]\n"
    "    ldp x27, x28, [sp, #80]\n"
    "    ldp d8, d9, [sp, #96]\n"
    "    ldp d10, d11, [sp, #112]\n"
    "    ldp d12, d13, [sp, #128]\n"
    "    ldp d14, d15, [sp, #144]\n"
    "    ldp x29, x30, [sp], #160\n"
    ".endm\n"
    ".global switch_call\n"
    "switch_call:\n"
    "    regs_save\n"
    "    svc #0\n"
    "    regs_restore\n"
    "    ret\n"
    ".global switch_spin\n"
    "switch_spin:\n"
    "    regs_save\n"
    "1:  sub x0, x0, #1\n"
    "    cbnz x0, 1b\n"
    "    regs_restore\n"
    "    ret\n");

static uint64_t next_random(uint64_t *seed) {
    uint64_t z = *seed += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static void fill(struct registers *regs, uint64_t *seed) {
    for (int i = 0; i < 31; i++) regs->x[i] = next_random(seed);
    for (int i = 0; i < 32; i++) {
        regs->v[i][0] = next_random(seed);
        regs->v[i][1] = next_random(seed);
    }
    regs->flags = next_random(seed) & 0xf0000000;
    /* Rounding mode and flush to zero; the cumulative exception bits. */
    regs->fpcr = next_random(seed) & 0x01c00000;
    regs->fpsr = next_random(seed) & 0x0000009f;
}

/* Reports the first register that is not what it was; x0 is `result`. */
static int is_same(const struct frame *frame, uint64_t result) {
    for (int i = 0; i < 31; i++) {
        uint64_t want = i == 0 ? result : frame->in.x[i];
        if (frame->out.x[i] == want) continue;
        note("x%d is 0x%llx and was 0x%llx", i, (unsigned long long)frame->out.x[i], (unsigned long long)want);
        return 0;
    }
    for (int i = 0; i < 32; i++) {
        if (memcmp(frame->in.v[i], frame->out.v[i], 16) == 0) continue;
        note("v%d is not what it was", i);
        return 0;
    }
    if (frame->in.flags == frame->out.flags && frame->in.fpcr == frame->out.fpcr && frame->in.fpsr == frame->out.fpsr)
        return 1;
    note("flags, FPCR or FPSR are not what they were");
    return 0;
}

/* A read or write of one byte with everything else in the registers. */
static int call_keeps(long number, int fd, uint64_t *seed) {
    static struct frame frame;
    char byte = 'x';
    fill(&frame.in, seed);
    frame.in.x[0] = (uint64_t)fd;
    frame.in.x[1] = (uint64_t)&byte;
    frame.in.x[2] = 1;
    frame.in.x[8] = (uint64_t)number;
    switch_call(&frame);
    return is_same(&frame, 1);
}

/* Each round waits for the other process once. */
static int exchange(int from, int to, int starts, uint64_t seed) {
    for (int i = 0; i < ROUNDS; i++) {
        if (starts && !call_keeps(SYS_write, to, &seed)) return 0;
        if (!call_keeps(SYS_read, from, &seed)) return 0;
        if (!starts && !call_keeps(SYS_write, to, &seed)) return 0;
    }
    return 1;
}

static int spin(uint64_t seed) {
    static struct frame frame;
    for (int i = 0; i < SPINS; i++) {
        fill(&frame.in, &seed);
        frame.in.x[0] = SPIN_LENGTH;
        switch_spin(&frame);
        if (!is_same(&frame, 0)) return 0;
    }
    return 1;
}

static int succeeded(pid_t child) {
    int status;
    need(waitpid(child, &status, 0) == child);
    return exited_with(status, 0);
}

int main(void) {
    plan(4);
    /* With one processor each wait is a switch. */
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    int there[2], back[2];
    need(pipe(there) == 0 && pipe(back) == 0);
    pid_t child = fork();
    need(child >= 0);
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        _exit(exchange(there[0], back[1], 0, 1) ? 0 : 1);
    }
    close(there[0]);
    close(back[1]);
    on_signal(SIGPIPE, SIG_IGN, 0);
    ok(exchange(back[0], there[1], 1, 2), "registers survive calls that wait");
    close(there[1]);
    ok(succeeded(child), "the other process's too");

    child = fork();
    need(child >= 0);
    if (child == 0) _exit(spin(3) ? 0 : 1);
    ok(spin(4), "registers survive preemption");
    ok(succeeded(child), "the other process's survive it too");
    return done();
}
#else
int main(void) {
    plan(4);
    skip(4, "the registers are ARM64's");
    return done();
}
#endif
