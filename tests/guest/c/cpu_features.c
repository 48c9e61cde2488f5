/* What the processor says it is: HWCAP and HWCAP2, the ID registers, the
 * Features line of /proc/cpuinfo and what instructions do agree with each
 * other, whichever features there are. */
#include "tap.h"

#ifdef __aarch64__
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <ucontext.h>

/* The ID registers with fields of features. */
enum { PFR0, PFR1, ZFR0, SMFR0, ISAR0, ISAR1, ISAR2, MMFR0, MMFR1, MMFR2, REGISTERS };

static uint64_t id[REGISTERS];

#define READ(name)                                                  \
    ({                                                              \
        uint64_t value_;                                            \
        asm volatile("mrs %0, " name : "=r"(value_));               \
        value_;                                                     \
    })

static void read_id_registers(void) {
    id[PFR0] = READ("S3_0_C0_C4_0");
    id[PFR1] = READ("S3_0_C0_C4_1");
    id[ZFR0] = READ("S3_0_C0_C4_4");
    id[SMFR0] = READ("S3_0_C0_C4_5");
    id[ISAR0] = READ("S3_0_C0_C6_0");
    id[ISAR1] = READ("S3_0_C0_C6_1");
    id[ISAR2] = READ("S3_0_C0_C6_2");
    id[MMFR0] = READ("S3_0_C0_C7_0");
    id[MMFR1] = READ("S3_0_C0_C7_1");
    id[MMFR2] = READ("S3_0_C0_C7_2");
}

struct condition {
    int reg, shift, least;
};

/* A bit of AT_HWCAP (word 0) or AT_HWCAP2 (word 1). */
struct feature {
    int word, bit;
    const char *name;
    /* The bit is set if any of these holds; the first that is all zero ends them. */
    struct condition any[3];
    /* An instruction of it; 0 if it has none. */
    uint32_t instruction;
    /* Whether the instruction may run where the feature is not advertised: it
     * may be a hint, and a kernel cannot forbid all that a processor has. */
    enum { NEVER_RUNS, NOT_FORBIDDEN, HINT } how;
};

#define SIGNED 0x100

/* `least` counts from 0; with SIGNED the field's 15 stands for -1. */
static const struct feature features[] = {
    {0, 0, "fp", {{PFR0, 16, SIGNED | 0}}, 0x1e202800, NEVER_RUNS},           /* fadd s0, s0, s0 */
    {0, 1, "asimd", {{PFR0, 20, SIGNED | 0}}, 0x4ea08400, NEVER_RUNS},        /* add v0.4s, v0.4s, v0.4s */
    {0, 3, "aes", {{ISAR0, 4, 1}}, 0x4e284820, NEVER_RUNS},                   /* aese v0.16b, v1.16b */
    {0, 4, "pmull", {{ISAR0, 4, 2}}, 0x0ee2e020, NEVER_RUNS},                 /* pmull v0.1q, v1.1d, v2.1d */
    {0, 5, "sha1", {{ISAR0, 8, 1}}, 0x5e280820, NEVER_RUNS},                  /* sha1h s0, s1 */
    {0, 6, "sha2", {{ISAR0, 12, 1}}, 0x5e024020, NEVER_RUNS},                 /* sha256h q0, q1, v2.4s */
    {0, 7, "crc32", {{ISAR0, 16, 1}}, 0x1ac34041, NEVER_RUNS},                /* crc32b w1, w2, w3 */
    {0, 8, "atomics", {{ISAR0, 20, 2}}, 0xb8210002, NEVER_RUNS},              /* ldadd w1, w2, [x0] */
    {0, 9, "fphp", {{PFR0, 16, SIGNED | 1}}, 0x1ee02800, NEVER_RUNS},         /* fadd h0, h0, h0 */
    {0, 10, "asimdhp", {{PFR0, 20, SIGNED | 1}}, 0x4e401400, NEVER_RUNS},     /* fadd v0.8h, v0.8h, v0.8h */
    {0, 12, "asimdrdm", {{ISAR0, 28, 1}}, 0x6e828420, NEVER_RUNS},            /* sqrdmlah v0.4s, v1.4s, v2.4s */
    {0, 13, "jscvt", {{ISAR1, 12, 1}}, 0x1e7e0001, NEVER_RUNS},               /* fjcvtzs w1, d0 */
    {0, 14, "fcma", {{ISAR1, 16, 1}}, 0x6e82e420, NEVER_RUNS},                /* fcadd v0.4s, v1.4s, v2.4s, #90 */
    {0, 15, "lrcpc", {{ISAR1, 20, 1}}, 0xb8bfc001, NEVER_RUNS},               /* ldapr w1, [x0] */
    {0, 16, "dcpop", {{ISAR1, 0, 1}}, 0xd50b7c20, NEVER_RUNS},                /* dc cvap, x0 */
    {0, 17, "sha3", {{ISAR0, 32, 1}}, 0xce020c20, NEVER_RUNS},                /* eor3 v0.16b, v1.16b, v2.16b, v3.16b */
    {0, 18, "sm3", {{ISAR0, 36, 1}}, 0xce420c20, NEVER_RUNS},                 /* sm3ss1 v0.4s, v1.4s, v2.4s, v3.4s */
    {0, 19, "sm4", {{ISAR0, 40, 1}}, 0xcec08420, NEVER_RUNS},                 /* sm4e v0.4s, v1.4s */
    {0, 20, "asimddp", {{ISAR0, 44, 1}}, 0x4e829420, NEVER_RUNS},             /* sdot v0.4s, v1.16b, v2.16b */
    {0, 21, "sha512", {{ISAR0, 12, 2}}, 0xce628020, NEVER_RUNS},              /* sha512h q0, q1, v2.2d */
    {0, 22, "sve", {{PFR0, 32, 1}}, 0x2518e3e0, NEVER_RUNS},                  /* ptrue p0.b */
    {0, 23, "asimdfhm", {{ISAR0, 48, 1}}, 0x4e22ec20, NEVER_RUNS},            /* fmlal v0.4s, v1.4h, v2.4h */
    {0, 24, "dit", {{PFR0, 48, 1}}, 0xd53b42a1, NEVER_RUNS},                  /* mrs x1, dit */
    {0, 25, "uscat", {{MMFR2, 32, 1}}, 0, NEVER_RUNS},
    {0, 26, "ilrcpc", {{ISAR1, 20, 2}}, 0x99400001, NEVER_RUNS},              /* ldapur w1, [x0] */
    {0, 27, "flagm", {{ISAR0, 52, 1}}, 0xd500401f, NEVER_RUNS},               /* cfinv */
    {0, 28, "ssbs", {{PFR1, 4, 2}}, 0xd53b42c1, NEVER_RUNS},                  /* mrs x1, ssbs */
    {0, 29, "sb", {{ISAR1, 36, 1}}, 0xd50330ff, NEVER_RUNS},                  /* sb */
    {0, 30, "paca", {{ISAR1, 4, 1}, {ISAR1, 8, 1}, {ISAR2, 12, 1}}, 0xdac10041, NOT_FORBIDDEN},   /* pacia x1, x2 */
    {0, 31, "pacg", {{ISAR1, 24, 1}, {ISAR1, 28, 1}, {ISAR2, 8, 1}}, 0x9ac33041, NOT_FORBIDDEN},  /* pacga x1, x2, x3 */
    {1, 0, "dcpodp", {{ISAR1, 0, 2}}, 0xd50b7d20, NEVER_RUNS},                /* dc cvadp, x0 */
    {1, 1, "sve2", {{ZFR0, 0, 1}}, 0, NEVER_RUNS},
    {1, 7, "flagm2", {{ISAR0, 52, 2}}, 0xd500405f, NEVER_RUNS},               /* axflag */
    {1, 8, "frint", {{ISAR1, 32, 1}}, 0x1e284020, NEVER_RUNS},                /* frint32z s0, s1 */
    {1, 13, "i8mm", {{ISAR1, 52, 1}}, 0x4e82a420, NEVER_RUNS},                /* smmla v0.4s, v1.16b, v2.16b */
    {1, 14, "bf16", {{ISAR1, 44, 1}}, 0x6e42fc20, NEVER_RUNS},                /* bfdot v0.4s, v1.8h, v2.8h */
    {1, 15, "dgh", {{ISAR1, 48, 1}}, 0xd50320df, HINT},                 /* dgh */
    {1, 16, "rng", {{ISAR0, 60, 1}}, 0xd53b2401, NEVER_RUNS},                 /* mrs x1, rndr */
    {1, 17, "bti", {{PFR1, 0, 1}}, 0xd503245f, HINT},                   /* bti c */
    {1, 18, "mte", {{PFR1, 8, 2}}, 0x9adf1041, NOT_FORBIDDEN},                   /* irg x1, x2 */
    {1, 19, "ecv", {{MMFR0, 60, 1}}, 0xd53be0c1, NEVER_RUNS},                 /* mrs x1, cntvctss_el0 */
    {1, 20, "afp", {{MMFR1, 44, 1}}, 0, NEVER_RUNS},
    {1, 21, "rpres", {{ISAR2, 4, 1}}, 0, NEVER_RUNS},
    {1, 23, "sme", {{PFR1, 24, 1}}, 0x04bf5821, NEVER_RUNS},                  /* rdsvl x1, #1 */
    {1, 31, "wfxt", {{ISAR2, 0, 2}}, 0xd503101f, NEVER_RUNS},                 /* wfet xzr */
    {1, 34, "cssc", {{ISAR2, 52, 1}}, 0xdac02041, NOT_FORBIDDEN},                /* abs x1, x2 */
    {1, 43, "mops", {{ISAR2, 16, 1}}, 0x19c30420, NEVER_RUNS},                /* setp [x0]!, x1!, x3 */
    {1, 44, "hbc", {{ISAR2, 20, 1}}, 0x5400003e, NOT_FORBIDDEN},                 /* bc.al over nothing */
};
enum { FEATURES = sizeof features / sizeof features[0] };

/* Instructions of what has no bit, or whose bits a kernel may not know. */
static const struct {
    uint32_t word;
    const char *what;
} never[] = {
    {0xd5380101, "ID_PFR0_EL1, outside of what is emulated"},
    {0xd5380801, "an ID register with CRm 8"},
    {0xd5381001, "SCTLR_EL1"},
    {0xd5390001, "CCSIDR_EL1"},
    {0xd5384241, "CurrentEL"},
    {0xd53b4221, "DAIF"},
    {0xd53be021, "CNTPCT_EL0"},
    {0xd53bd0e1, "SCXTNUM_EL0"},
    {0xd51bd061, "a write to TPIDRRO_EL0"},
    {0xd51be041, "a write to CNTVCT_EL0"},
    {0xd50342df, "DAIFSet"},
    {0xd508751f, "IC IALLU"},
    {0xd5087620, "DC IVAC"},
    {0xd5233060, "TSTART"},
    {0xf83fd004, "LD64B"},
    {0x00000000, "UDF"},
};
enum { NEVER = sizeof never / sizeof never[0] };

/* Registers that EL0 may read wherever Linux runs. */
static const struct {
    uint32_t word;
    const char *what;
} always[] = {
    {0xd53b0021, "CTR_EL0"},     {0xd53b00e1, "DCZID_EL0"},  {0xd53be001, "CNTFRQ_EL0"}, {0xd53be041, "CNTVCT_EL0"},
    {0xd53bd041, "TPIDR_EL0"},   {0xd53bd061, "TPIDRRO_EL0"}, {0xd53b4201, "NZCV"},      {0xd53b4401, "FPCR"},
    {0xd53b4421, "FPSR"},        {0xd50b7a20, "DC CVAC"},     {0xd50b7b20, "DC CVAU"},   {0xd50b7e20, "DC CIVAC"},
    {0xd50b7420, "DC ZVA"},      {0xd50b7520, "IC IVAU"},     {0xd503203f, "YIELD"},     {0xd503229f, "CSDB"},
    {0xd503207f, "WFI"},         {0xd503201f, "NOP"},         {0xd5032fff, "an unallocated hint"},
};
enum { ALWAYS = sizeof always / sizeof always[0] };

/* Runs one instruction in a page of code. */
static uint32_t *code;
static char memory[4096] __attribute__((aligned(4096)));
static volatile int undefined, undefined_code;
static void *volatile undefined_address;

static void step_over(int number UNUSED, siginfo_t *info, void *context) {
    undefined = 1;
    undefined_code = info->si_code;
    undefined_address = info->si_addr;
    ((ucontext_t *)context)->uc_mcontext.pc += 4;
}

/* Whether `word` runs, with x0 a pointer to memory, x1 and x3 zero. */
static int runs(uint32_t word) {
    need(mprotect(code, 4096, PROT_READ | PROT_WRITE) == 0);
    code[0] = word;
    code[1] = 0xd65f03c0; /* ret */
    need(mprotect(code, 4096, PROT_READ | PROT_EXEC) == 0);
    __builtin___clear_cache((char *)code, (char *)code + 8);
    undefined = 0;
    register char *x0 asm("x0") = memory + 256;
    register uint64_t x1 asm("x1") = 0, x2 asm("x2") = 2, x3 asm("x3") = 0;
    register uint32_t *target asm("x16") = code;
    asm volatile("blr x16"
                 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(target)
                 :
                 : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x17", "x30", "v0", "v1", "v2",
                   "v3", "cc", "memory");
    return !undefined;
}

static int holds(const struct condition *condition) {
    int field = id[condition->reg] >> condition->shift & 15;
    if (condition->least & SIGNED && field > 7) field -= 16;
    return field >= (condition->least & 0xff);
}

static int field_says(const struct feature *feature) {
    for (int i = 0; i < 3; i++) {
        const struct condition *condition = &feature->any[i];
        if (i > 0 && condition->reg == 0 && condition->shift == 0) break;
        if (holds(condition)) return 1;
    }
    return 0;
}

/* The Features line, with a blank at both ends. */
static char line[4096];

static void read_cpuinfo(void) {
    FILE *file = fopen("/proc/cpuinfo", "r");
    need(file);
    while (fgets(line, sizeof line - 2, file) && strncmp(line, "Features", 8) != 0) {
    }
    fclose(file);
    need(strncmp(line, "Features\t: ", 11) == 0);
    char *end = strchr(line, '\n');
    need(end);
    strcpy(end, " ");
    memmove(line, line + 10, strlen(line + 10) + 1);
}

static int is_named(const char *name) {
    char word[32];
    snprintf(word, sizeof word, " %s ", name);
    return strstr(line, word) != NULL;
}

static void test_features(void) {
    uint64_t words[2] = {getauxval(AT_HWCAP), getauxval(AT_HWCAP2)};
    for (int i = 0; i < FEATURES; i++) {
        const struct feature *feature = &features[i];
        int bit = words[feature->word] >> feature->bit & 1;
        int fine = ok(field_says(feature) == bit, "%s: the ID registers agree with HWCAP", feature->name);
        fine &= ok(is_named(feature->name) == bit, "%s: /proc/cpuinfo agrees with HWCAP", feature->name);
        int does_run = feature->instruction == 0 ? bit : runs(feature->instruction);
        fine &= ok(does_run == bit || (does_run && feature->how != NEVER_RUNS), "%s: the instruction agrees with HWCAP", feature->name);
        if (!fine) note("HWCAP bit %d, instruction %s", bit, does_run ? "runs" : "is undefined");
    }
}

static void test_registers(void) {
    for (int i = 0; i < NEVER; i++) {
        int fine = !runs(never[i].word) && undefined_code == ILL_ILLOPC && undefined_address == code;
        if (!ok(fine, "%s is SIGILL, ILL_ILLOPC, at the instruction", never[i].what))
            note("undefined %d code %d at %p, not %p", undefined, undefined_code, undefined_address, (void *)code);
    }
    for (int i = 0; i < ALWAYS; i++) ok(runs(always[i].word), "%s is EL0's", always[i].what);
    ok(READ("S3_0_C0_C0_5") == 1UL << 31, "MPIDR_EL1 tells nothing");
    is(READ("S3_0_C0_C0_6"), 0, "nor does REVIDR_EL1");
    is(id[PFR0] & 0xff, 0x11, "EL0 and EL1 are AArch64");
    is(id[MMFR0] & 0xfffffffffff, 0x111ff000000, "memory sizes and granules are hidden");
    is(READ("S3_0_C0_C5_0"), 6, "debugging is that of Armv8.0");
    is(READ("S3_0_C0_C7_7"), 0, "a register that is not allocated reads as zero");
    is(READ("S3_0_C0_C2_0"), 0, "and so does one of AArch32");
}

enum { LATER_PR_SME_SET_VL = 63, MTE_SYNC = 1 << 1, LATER_PROT_MTE = 0x20, LATER_PROT_UNKNOWN = 0x8000 };

static void test_missing(void) {
    uint64_t hwcap = getauxval(AT_HWCAP), hwcap2 = getauxval(AT_HWCAP2);
    errno = 0;
    if (hwcap >> 22 & 1) skip(2, "there is SVE");
    else {
        fails(prctl(50, 16, 0, 0, 0), EINVAL, "PR_SVE_SET_VL without SVE is EINVAL");
        fails(prctl(51, 0, 0, 0, 0), EINVAL, "PR_SVE_GET_VL without SVE is EINVAL");
    }
    if (hwcap2 >> 23 & 1) skip(1, "there is SME");
    else fails(prctl(LATER_PR_SME_SET_VL, 16, 0, 0, 0), EINVAL, "PR_SME_SET_VL without SME is EINVAL");
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | LATER_PROT_MTE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ok(page != MAP_FAILED, "mmap takes PROT_MTE, there or not");
    if (hwcap2 >> 18 & 1) skip(2, "there is MTE");
    else {
        fails(mprotect(page, 4096, PROT_READ | LATER_PROT_MTE), EINVAL, "mprotect of PROT_MTE without MTE is EINVAL");
        fails(prctl(55, 1 | MTE_SYNC, 0, 0, 0), EINVAL, "PR_SET_TAGGED_ADDR_CTRL of a tag check without MTE is EINVAL");
    }
    fails(mprotect(page, 4096, PROT_READ | LATER_PROT_UNKNOWN), EINVAL, "mprotect of an unknown bit is EINVAL");
    ok(getauxval(29) == 0, "no AT_HWCAP3 that could have a bit");
}

#ifndef PR_SET_TAGGED_ADDR_CTRL
#define PR_SET_TAGGED_ADDR_CTRL 55
#define PR_GET_TAGGED_ADDR_CTRL 56
#endif

static int tagged_after_fork(void) { return prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0); }

static void test_tagged_addresses(void) {
    int fds[2];
    need(pipe(fds) == 0);
    char *tagged = (char *)((uintptr_t)memory | 0x5aUL << 56);
    is(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), 0, "system calls take no tagged addresses at first");
    fails(write(fds[1], tagged, 1), EFAULT, "a tagged buffer is EFAULT");
    is(prctl(PR_SET_TAGGED_ADDR_CTRL, 1, 0, 0, 0), 0, "PR_SET_TAGGED_ADDR_CTRL lets them");
    is(prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), 1, "and says so");
    is(write(fds[1], tagged, 1), 1, "a tagged buffer is taken");
    ok(exited_with(status_of(tagged_after_fork), 1), "a child inherits it");
    fails(prctl(PR_SET_TAGGED_ADDR_CTRL, 1, 1, 0, 0), EINVAL, "a third argument is EINVAL");
    is(prctl(PR_SET_TAGGED_ADDR_CTRL, 0, 0, 0, 0), 0, "and it can be taken back");
    fails(write(fds[1], tagged, 1), EFAULT, "with effect");
}

/* PSTATE.DIT and PSTATE.SSBS. */
enum { DIT = 24, SSBS = 12 };

static volatile uint64_t frame_pstate;
static volatile uint64_t edit_pstate;

static void look_at_pstate(int number UNUSED, siginfo_t *info UNUSED, void *context) {
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    frame_pstate = machine->pstate;
    machine->pstate ^= edit_pstate;
}

#define READ_DIT() (READ("S3_3_C4_C2_5") >> DIT & 1)
#define READ_SSBS() (READ("S3_3_C4_C2_6") >> SSBS & 1)
#define WRITE_DIT(value) asm volatile("msr S3_3_C4_C2_5, %0" ::"r"((uint64_t)(value) << DIT))
#define WRITE_SSBS(value) asm volatile("msr S3_3_C4_C2_6, %0" ::"r"((uint64_t)(value) << SSBS))

static int dit_of_child(void) { return (int)READ_DIT(); }
static int ssbs_of_child(void) { return (int)READ_SSBS(); }

static void test_dit(void) {
    is(READ_DIT(), 0, "DIT is clear at first");
    asm volatile(".inst 0xd503415f"); /* msr dit, #1 */
    is(READ_DIT(), 1, "DIT is set by an immediate");
    is(READ("S3_3_C4_C2_5"), 1L << DIT, "and is alone in its register");
    sleep_ms(2);
    is(READ_DIT(), 1, "it outlives a call that waits");
    ok(exited_with(status_of(dit_of_child), 1), "a child has it");
    edit_pstate = 0;
    need(raise(SIGUSR1) == 0);
    is(frame_pstate >> DIT & 1, 1, "a signal frame has it");
    is(READ_DIT(), 1, "and gives it back");
    edit_pstate = 1UL << DIT;
    need(raise(SIGUSR1) == 0);
    is(READ_DIT(), 0, "as the handler left it");
    WRITE_DIT(1);
    WRITE_DIT(0);
    is(READ_DIT(), 0, "DIT is cleared by a register");
}

static void test_ssbs(void) {
    uint64_t first = READ_SSBS();
    /* PR_GET_SPECULATION_CTRL of PR_SPEC_STORE_BYPASS. */
    int mode = prctl(52, 0, 0, 0, 0);
    ok(mode < 0 || mode == 0 || first == !(mode & 4), "SSBS is what the mitigation of speculation says");
    for (int i = 0; i < 2; i++) {
        WRITE_SSBS(i);
        is(READ("S3_3_C4_C2_6"), (long long)i << SSBS, "SSBS is written by a register");
        sleep_ms(2);
        is(READ_SSBS(), i, "it outlives a call that waits");
        ok(exited_with(status_of(ssbs_of_child), i), "a child has it");
        edit_pstate = 0;
        need(raise(SIGUSR1) == 0);
        is(frame_pstate >> SSBS & 1, i, "a signal frame has it");
        is(READ_SSBS(), i, "and gives it back");
    }
    asm volatile(".inst 0xd503403f"); /* msr ssbs, #0 */
    is(READ_SSBS(), 0, "SSBS is cleared by an immediate");
    asm volatile(".inst 0xd503413f"); /* msr ssbs, #1 */
    is(READ_SSBS(), 1, "SSBS is set by an immediate");
}

static void test_random_numbers(void) {
    uint64_t seen[64];
    int distinct = 1, cleared = 1;
    for (int i = 0; i < 64; i++) {
        uint64_t flags;
        /* A processor may run out for a moment. */
        for (int attempt = 0; attempt < 1000; attempt++) {
            if (i & 1) asm volatile("mrs %0, S3_3_C2_C4_1\n mrs %1, nzcv" : "=r"(seen[i]), "=r"(flags)::"cc");
            else asm volatile("mrs %0, S3_3_C2_C4_0\n mrs %1, nzcv" : "=r"(seen[i]), "=r"(flags)::"cc");
            if (flags == 0) break;
        }
        cleared &= flags == 0;
        for (int j = 0; j < i; j++) distinct &= seen[i] != seen[j];
    }
    ok(cleared, "RNDR and RNDRRS give numbers");
    ok(distinct, "each of them another");
}

enum { DIT_CHECKS = 9, SSBS_CHECKS = 13 };

int main(void) {
    plan(3 * FEATURES + NEVER + ALWAYS + 7 + 8 + 9 + DIT_CHECKS + SSBS_CHECKS + 2);
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(code != MAP_FAILED);
    on_siginfo(SIGILL, step_over, 0);
    on_siginfo(SIGUSR1, look_at_pstate, 0);
    read_id_registers();
    read_cpuinfo();
    note("hwcap %lx hwcap2 %lx%s", getauxval(AT_HWCAP), getauxval(AT_HWCAP2), line);
    test_features();
    test_registers();
    test_missing();
    test_tagged_addresses();
    if (getauxval(AT_HWCAP) >> 24 & 1) test_dit();
    else skip(DIT_CHECKS, "there is no DIT");
    if (getauxval(AT_HWCAP) >> 28 & 1) test_ssbs();
    else skip(SSBS_CHECKS, "there is no SSBS");
    if (getauxval(AT_HWCAP2) >> 16 & 1) test_random_numbers();
    else skip(2, "there is no RNG");
    return done();
}
#else
int main(void) {
    plan(1);
    skip(1, "the features are those of ARM64");
    return done();
}
#endif
