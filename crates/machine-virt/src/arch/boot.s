// The first instructions: the Image header, leaving EL2, the boot page tables.
//
// Until `mmu_on` this runs at its physical address with the MMU off; symbols
// are reached by adrp alone. x20 holds the device tree's address, x21 the
// image's.

    .section .text.image_header, "ax"
    .global image_start
image_start:
    b       boot                    // code0
    .long   0                       // code1
    .quad   0                       // text_offset: right at a 2 MiB boundary
    .quad   __image_size
    .quad   0xa                     // 4 KiB pages, anywhere in memory
    .quad   0
    .quad   0
    .quad   0
    .ascii  "ARM\x64"
    .long   0

    .section .text.boot, "ax"
boot:
    msr     daifset, #0xf
    mov     x20, x0
    adrp    x21, image_start
    bl      leave_el2

    // Zero .bss, where the boot page tables and the boot stack are.
    adrp    x0, __bss_start
    adrp    x1, __bss_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    // One GiB around the image: at its own address for the moment of the
    // switch, and writable but not executable in the direct map.
    lsr     x2, x21, #30
    lsl     x3, x2, #30
    and     x2, x2, #511
    adrp    x0, boot_identity_l1
    mov     x4, #{block_execute}
    orr     x4, x3, x4
    str     x4, [x0, x2, lsl #3]
    adrp    x5, boot_direct_l1
    ldr     x4, ={block_write}
    orr     x4, x3, x4
    str     x4, [x5, x2, lsl #3]
    // The level 0 entries. The image lies below 512 GiB.
    adrp    x6, boot_identity_l0
    orr     x7, x0, #3
    str     x7, [x6]
    adrp    x8, boot_kernel_l0
    orr     x7, x5, #3
    str     x7, [x8]
    // The first GiB as device memory.
    adrp    x5, boot_device_l1
    ldr     x4, ={block_device}
    str     x4, [x5]
    orr     x7, x5, #3
    str     x7, [x8, #(128 * 8)]
    // 64 MiB of the image in blocks of 2 MiB at its link address.
    adrp    x5, boot_kernel_l1
    orr     x7, x5, #3
    str     x7, [x8, #(511 * 8)]
    adrp    x9, boot_kernel_l2
    orr     x7, x9, #3
    str     x7, [x5, #(510 * 8)]
    mov     x4, #{block_execute}
    orr     x4, x21, x4
    mov     x2, #32
2:  str     x4, [x9], #8
    add     x4, x4, #0x200000
    subs    x2, x2, #1
    b.ne    2b

    mov     x0, x6
    mov     x1, x8
    ldr     x2, =high_entry
    b       mmu_on

high_entry:
    ldr     x9, =boot_stack_top
    mov     sp, x9
    mov     x29, #0
    mov     x30, #0
    mov     x0, x20
    mov     x1, x21
    b       {entry}

// Where a further CPU starts, from PSCI CPU_ON, with its number in x0.
    .global secondary_start
secondary_start:
    msr     daifset, #0xf
    mov     x20, x0
    bl      leave_el2
    adrp    x0, boot_identity_l0
    adrp    x1, secondary_root
    ldr     x1, [x1, :lo12:secondary_root]
    ldr     x2, =high_secondary
    b       mmu_on

high_secondary:
    mov     x0, x20
    ldr     x9, ={first_stack_top}
    add     x9, x9, x20, lsl #{stack_stride}
    mov     sp, x9
    mov     x29, #0
    mov     x30, #0
    b       {secondary_entry}

// Turns the MMU on with the tables x0 (lower half) and x1 (upper half), and
// goes to x2.
mmu_on:
    msr     ttbr0_el1, x0
    msr     ttbr1_el1, x1
    ldr     x3, ={mair}
    msr     mair_el1, x3
    // The physical address size is the processor's.
    ldr     x3, ={tcr}
    mrs     x4, id_aa64mmfr0_el1
    and     x5, x4, #0xf
    cmp     x5, #5
    mov     x6, #5
    csel    x5, x5, x6, ls
    bfi     x3, x5, #32, #3
    ubfx    x5, x4, #4, #4
    cmp     x5, #2
    b.ne    1f
    orr     x3, x3, #(1 << 36)      // 16-bit ASIDs
1:  msr     tcr_el1, x3
    mov     x3, #(3 << 20)
    msr     cpacr_el1, x3
    msr     mdscr_el1, xzr
    mov     x3, #0xc6               // EL0 reads the virtual counter, whose bit 12 ends a WFE
    msr     cntkctl_el1, x3
    isb
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    ldr     x3, ={sctlr}
    msr     sctlr_el1, x3
    isb
    ldr     x3, =vectors
    msr     vbar_el1, x3
    isb
    br      x2

// Comes back in EL1, with the MMU off, whether it was called in EL2 or EL1.
leave_el2:
    ldr     x0, ={sctlr_off}
    mrs     x1, CurrentEL
    cmp     x1, #(2 << 2)
    b.ne    2f
    // EL1 is 64-bit; pointer authentication does not trap.
    mov     x1, #(1 << 31)
    orr     x1, x1, #(3 << 40)
    msr     hcr_el2, x1
    msr     sctlr_el1, x0
    // EL1 has the counters and the timers, with no offset.
    mov     x1, #3
    msr     cnthctl_el2, x1
    msr     cntvoff_el2, xzr
    mov     x1, #0x33ff
    msr     cptr_el2, x1
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x1, midr_el1
    msr     vpidr_el2, x1
    mrs     x1, mpidr_el1
    msr     vmpidr_el2, x1
    // EL1 reaches a GICv3 through registers.
    mrs     x1, id_aa64pfr0_el1
    ubfx    x1, x1, #24, #4
    cbz     x1, 1f
    mrs     x1, S3_4_C12_C9_5       // ICC_SRE_EL2
    orr     x1, x1, #1              // SRE
    orr     x1, x1, #8              // Enable
    msr     S3_4_C12_C9_5, x1
    isb
    msr     S3_4_C12_C11_0, xzr     // ICH_HCR_EL2
1:  mov     x1, #0x3c5              // EL1h, everything masked
    msr     spsr_el2, x1
    msr     elr_el2, x30
    eret
2:  msr     sctlr_el1, x0
    isb
    ret

    .section .bss.boot, "aw", %nobits
    .balign 4096
boot_identity_l0:
    .space  4096
boot_identity_l1:
    .space  4096
boot_kernel_l0:
    .space  4096
boot_direct_l1:
    .space  4096
boot_device_l1:
    .space  4096
boot_kernel_l1:
    .space  4096
boot_kernel_l2:
    .space  4096
boot_stack:
    .space  65536
boot_stack_top:
    .global secondary_root
secondary_root:
    .space  8
