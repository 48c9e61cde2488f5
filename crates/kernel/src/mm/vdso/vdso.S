// The vDSO: code that the kernel maps into every process, for clocks that can
// be read without a system call, and for the return from signal handlers.
//
// The page before the image (vvar) holds what the clocks need. mod.rs writes
// it, and build.sh makes vdso.so from this file.

        .equ    NR_CLOCK_GETTIME, 113
        .equ    NR_CLOCK_GETRES, 114
        .equ    NR_RT_SIGRETURN, 139
        .equ    NR_GETTIMEOFDAY, 169

        // Offsets in the vvar page.
        .equ    VVAR_SEQUENCE, 0        // odd while the kernel writes
        .equ    VVAR_COUNTER, 8         // CNTVCT_EL0 at the last update
        .equ    VVAR_MULTIPLIER, 16     // nanoseconds per tick, times 2^32
        .equ    VVAR_MONOTONIC, 24      // CLOCK_MONOTONIC at that moment, ns
        .equ    VVAR_WALL, 32           // CLOCK_REALTIME minus CLOCK_MONOTONIC, ns

        // Bit n is set if clock n is read here: CLOCK_REALTIME,
        // CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_BOOTTIME.
        .equ    CLOCKS, 0x93
        .equ    LAST_CLOCK, 7

        .text

        // Unwinders know the frame of a signal handler by these two
        // instructions, and look at the one before a return address.
        .balign 16
        nop
        .globl  __kernel_rt_sigreturn
        .type   __kernel_rt_sigreturn, %function
__kernel_rt_sigreturn:
        mov     x8, #NR_RT_SIGRETURN
        svc     #0
        .size   __kernel_rt_sigreturn, . - __kernel_rt_sigreturn

        // Reads the monotonic clock into x9 and the wall clock's offset from it
        // into x10. Uses x4 to x8 and x11 to x13.
        .macro  read_clocks
        adr     x4, vvar
0:      ldar    w5, [x4]
        tbnz    w5, #0, 0b
        ldp     x7, x8, [x4, #VVAR_COUNTER]
        ldp     x9, x10, [x4, #VVAR_MONOTONIC]
        isb
        mrs     x11, cntvct_el0
        dmb     ishld
        ldr     w6, [x4]
        cmp     w6, w5
        b.ne    0b
        sub     x11, x11, x7
        umulh   x12, x11, x8
        mul     x13, x11, x8
        extr    x11, x12, x13, #32
        add     x9, x9, x11
        .endm

        // Goes to \otherwise unless the clock in w0 is read here.
        .macro  check_clock otherwise
        cmp     w0, #LAST_CLOCK
        b.hi    \otherwise
        mov     w2, #CLOCKS
        lsr     w2, w2, w0
        tbz     w2, #0, \otherwise
        .endm

        // Splits the nanoseconds in x9 into x11 seconds and x9 nanoseconds.
        // Uses x12.
        .macro  split_seconds
        movz    x12, #0xca00
        movk    x12, #0x3b9a, lsl #16
        udiv    x11, x9, x12
        msub    x9, x11, x12, x9
        .endm

        // int clock_gettime(clockid_t w0, struct timespec *x1)
        .balign 16
        .globl  __kernel_clock_gettime
        .type   __kernel_clock_gettime, %function
__kernel_clock_gettime:
        check_clock 2f
        read_clocks
        cbnz    w0, 1f
        add     x9, x9, x10
1:      split_seconds
        stp     x11, x9, [x1]
        mov     w0, #0
        ret
2:      mov     x8, #NR_CLOCK_GETTIME
        svc     #0
        ret
        .size   __kernel_clock_gettime, . - __kernel_clock_gettime

        // int gettimeofday(struct timeval *x0, struct timezone *x1)
        .balign 16
        .globl  __kernel_gettimeofday
        .type   __kernel_gettimeofday, %function
__kernel_gettimeofday:
        cbnz    x1, 2f
        cbz     x0, 1f
        read_clocks
        add     x9, x9, x10
        split_seconds
        mov     x12, #1000
        udiv    x9, x9, x12
        stp     x11, x9, [x0]
1:      mov     w0, #0
        ret
2:      mov     x8, #NR_GETTIMEOFDAY
        svc     #0
        ret
        .size   __kernel_gettimeofday, . - __kernel_gettimeofday

        // int clock_getres(clockid_t w0, struct timespec *x1)
        .balign 16
        .globl  __kernel_clock_getres
        .type   __kernel_clock_getres, %function
__kernel_clock_getres:
        check_clock 2f
        cbz     x1, 1f
        mov     x2, #1
        stp     xzr, x2, [x1]
1:      mov     w0, #0
        ret
2:      mov     x8, #NR_CLOCK_GETRES
        svc     #0
        ret
        .size   __kernel_clock_getres, . - __kernel_clock_getres

        .section .note.GNU-stack, "", %progbits
