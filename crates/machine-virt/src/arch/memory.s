// memcpy, memmove and memset, and their likes for frames. Aligned words are
// read and written whole: user code may be looking.

    .section .text.memory, "ax"
    .global memcpy
    .global memmove
memmove:
    sub     x3, x0, x1
    cmp     x3, x2
    b.lo    copy_backward           // the end of the source is in the way
memcpy:
    mov     x3, x0
    subs    x2, x2, #64
    b.lo    2f
1:  ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    ldp     x8, x9, [x1, #32]
    ldp     x10, x11, [x1, #48]
    add     x1, x1, #64
    stp     x4, x5, [x3]
    stp     x6, x7, [x3, #16]
    stp     x8, x9, [x3, #32]
    stp     x10, x11, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    ldp     x4, x5, [x1]
    ldp     x6, x7, [x1, #16]
    add     x1, x1, #32
    stp     x4, x5, [x3]
    stp     x6, x7, [x3, #16]
    add     x3, x3, #32
3:  tbz     x2, #4, 4f
    ldp     x4, x5, [x1], #16
    stp     x4, x5, [x3], #16
4:  tbz     x2, #3, 5f
    ldr     x4, [x1], #8
    str     x4, [x3], #8
5:  tbz     x2, #2, 6f
    ldr     w4, [x1], #4
    str     w4, [x3], #4
6:  tbz     x2, #1, 7f
    ldrh    w4, [x1], #2
    strh    w4, [x3], #2
7:  tbz     x2, #0, 8f
    ldrb    w4, [x1]
    strb    w4, [x3]
8:  ret

copy_backward:
    add     x1, x1, x2
    add     x3, x0, x2
    subs    x2, x2, #32
    b.lo    2f
1:  ldp     x4, x5, [x1, #-16]
    ldp     x6, x7, [x1, #-32]!
    stp     x4, x5, [x3, #-16]
    stp     x6, x7, [x3, #-32]!
    subs    x2, x2, #32
    b.hs    1b
2:  tbz     x2, #4, 3f
    ldp     x4, x5, [x1, #-16]!
    stp     x4, x5, [x3, #-16]!
3:  tbz     x2, #3, 4f
    ldr     x4, [x1, #-8]!
    str     x4, [x3, #-8]!
4:  tbz     x2, #2, 5f
    ldr     w4, [x1, #-4]!
    str     w4, [x3, #-4]!
5:  tbz     x2, #1, 6f
    ldrh    w4, [x1, #-2]!
    strh    w4, [x3, #-2]!
6:  tbz     x2, #0, 7f
    ldrb    w4, [x1, #-1]
    strb    w4, [x3, #-1]
7:  ret

    .global memset
memset:
    and     x1, x1, #0xff
    orr     x1, x1, x1, lsl #8
    orr     x1, x1, x1, lsl #16
    orr     x1, x1, x1, lsl #32
    mov     x3, x0
    subs    x2, x2, #64
    b.lo    2f
1:  stp     x1, x1, [x3]
    stp     x1, x1, [x3, #16]
    stp     x1, x1, [x3, #32]
    stp     x1, x1, [x3, #48]
    add     x3, x3, #64
    subs    x2, x2, #64
    b.hs    1b
2:  tbz     x2, #5, 3f
    stp     x1, x1, [x3]
    stp     x1, x1, [x3, #16]
    add     x3, x3, #32
3:  tbz     x2, #4, 4f
    stp     x1, x1, [x3], #16
4:  tbz     x2, #3, 5f
    str     x1, [x3], #8
5:  tbz     x2, #2, 6f
    str     w1, [x3], #4
6:  tbz     x2, #1, 7f
    strh    w1, [x3], #2
7:  tbz     x2, #0, 8f
    strb    w1, [x3]
8:  ret

// copy_shared(to, from, len): memcpy, of bytes that others may change.
    .global copy_shared
    .set    copy_shared, memcpy

// zero_page(page)
    .global zero_page
zero_page:
    mrs     x1, dczid_el0
    tbnz    x1, #4, 2f              // DC ZVA is prohibited
    and     x1, x1, #15
    mov     x2, #4
    lsl     x2, x2, x1
    add     x3, x0, #4096
1:  dc      zva, x0
    add     x0, x0, x2
    cmp     x0, x3
    b.lo    1b
    ret
2:  add     x3, x0, #4096
3:  stp     xzr, xzr, [x0], #16
    cmp     x0, x3
    b.lo    3b
    ret
