// The exception vectors, the way into user code and the way back.
//
// The kernel always runs with interrupts masked, so an exception that comes
// from EL1 is a mistake of the kernel: its registers are stored on the CPU's
// emergency stack and the kernel gives up.

    .macro from_kernel kind
    .balign 128
    // SP_EL0 and TPIDRRO_EL0 are the user's; they are saved or zero by now.
    msr     tpidrro_el0, x0
    msr     sp_el0, x1
    mov     x1, sp
    mrs     x0, tpidr_el1
    ldr     x0, [x0, #{emergency}]
    mov     sp, x0
    sub     sp, sp, #{frame_size}
    str     x1, [sp, #248]
    mrs     x0, tpidrro_el0
    mrs     x1, sp_el0
    stp     x0, x1, [sp]
    mov     x0, #\kind
    b       kernel_fault
    .endm

    .macro from_user kind
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x1, #\kind
    b       leave_user
    .endm

    // What of PSTATE is the user's beside the flags: DIT, SSBS, BTYPE. The
    // processor ignores those that it has not.
    .macro user_pstate register
    mov     \register, #0x1c00
    movk    \register, #0x100, lsl #16
    .endm

    .section .text.vectors, "ax"
    .balign 2048
    .global vectors
vectors:
    from_kernel 0
    from_kernel 1
    from_kernel 2
    from_kernel 3
    from_kernel 0
    from_kernel 1
    from_kernel 2
    from_kernel 3
    from_user 0
    from_user 1
    from_user 2
    from_user 3
    // 32-bit user code is never entered.
    from_user 4
    from_user 4
    from_user 4
    from_user 4

kernel_fault:
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    str     x30, [sp, #240]
    mrs     x1, elr_el1
    mrs     x2, spsr_el1
    stp     x1, x2, [sp, #256]
    mrs     x1, esr_el1
    mrs     x2, far_el1
    stp     x1, x2, [sp, #272]
    mov     x1, sp
    b       {kernel_exception}

// u64 enter_user(UserContext *): runs user code until an exception, and says
// which of the vectors it came through.
    .global enter_user
enter_user:
    stp     x29, x30, [sp, #-112]!
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x0, [sp, #96]
    ldp     x1, x2, [x0, #{pc}]
    and     x2, x2, #0xf0000000     // EL0t, nothing masked
    ldr     x3, [x0, #{pstate}]
    user_pstate x4
    and     x3, x3, x4
    orr     x2, x2, x3
    ldr     x3, [x0, #{tpidr}]
    ldp     x30, x4, [x0, #240]
    msr     elr_el1, x1
    msr     spsr_el1, x2
    msr     tpidr_el0, x3
    msr     sp_el0, x4
    clrex
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldp     x0, x1, [x0]
    eret

leave_user:
    ldr     x0, [sp, #(16 + 96)]
    stp     x2, x3, [x0, #16]
    stp     x4, x5, [x0, #32]
    stp     x6, x7, [x0, #48]
    stp     x8, x9, [x0, #64]
    stp     x10, x11, [x0, #80]
    stp     x12, x13, [x0, #96]
    stp     x14, x15, [x0, #112]
    stp     x16, x17, [x0, #128]
    stp     x18, x19, [x0, #144]
    stp     x20, x21, [x0, #160]
    stp     x22, x23, [x0, #176]
    stp     x24, x25, [x0, #192]
    stp     x26, x27, [x0, #208]
    stp     x28, x29, [x0, #224]
    ldp     x2, x3, [sp], #16
    mrs     x4, sp_el0
    mrs     x5, elr_el1
    mrs     x6, spsr_el1
    mrs     x7, tpidr_el0
    stp     x2, x3, [x0]
    stp     x30, x4, [x0, #240]
    user_pstate x8
    and     x8, x6, x8
    str     x8, [x0, #{pstate}]
    and     x6, x6, #0xf0000000
    stp     x5, x6, [x0, #{pc}]
    str     x7, [x0, #{tpidr}]
    mov     x0, x1
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #112
    ret

// void call_on_stack(u64 top, void (*)(u64), u64): goes on, for good, on
// another stack.
    .global call_on_stack
call_on_stack:
    mov     sp, x0
    mov     x29, #0
    mov     x30, #0
    mov     x0, x2
    br      x1
