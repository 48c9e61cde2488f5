/*
 * A collection as a compiler's output asks for it: a call of an ordinary symbol.
 *
 * iw_status collect_here(iw_runtime *heap, iw_report *report);
 */
    .text
    .globl collect_here
    .type collect_here, %function
collect_here:
#if defined(__x86_64__)
    subq $8, %rsp
    movq %rsi, %rcx             /* where the report goes */
    movl $7, %edx               /* the reason */
    movl $1, %esi               /* IW_ORIGIN_PROGRAM */
    call iw_collect
    addq $8, %rsp
    ret
#elif defined(__aarch64__)
    stp x29, x30, [sp, #-16]!
    mov x29, sp
    mov x3, x1                  /* where the report goes */
    mov x2, #7                  /* the reason */
    mov w1, #1                  /* IW_ORIGIN_PROGRAM */
    bl iw_collect
    ldp x29, x30, [sp], #16
    ret
#else
#error "no assembly for this processor"
#endif
    .size collect_here, . - collect_here
    .section .note.GNU-stack, "", %progbits
