/* Guarded pages: landing pads, PROT_BTI, signal handlers, and what the ELF
 * property note of a program asks for. */
#include "tap.h"
#include <elf.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#define CHECKS 29

#ifdef __aarch64__
#ifndef HWCAP2_BTI
#define HWCAP2_BTI (1UL << 17)
#endif
#ifndef PROT_BTI
#define PROT_BTI 0x10
#endif
#define RX (PROT_READ | PROT_EXEC)
#define BTYPE(pstate) ((pstate) >> 10 & 3)

enum { NOP = 0xd503201f, BTI = 0xd503241f, BTI_C = 0xd503245f, BTI_J = 0xd503249f, BTI_JC = 0xd50324df };
enum { PACIASP = 0xd503233f, AUTIASP = 0xd50323bf, RET = 0xd65f03c0, BR_X1 = 0xd61f0020, BR_X17 = 0xd61f0220 };

/* A page of code, and the place in it that is in use. No place is used twice:
 * QEMU 7.2 keeps translations that end in a Branch Target exception although
 * the code or the protection changes. */
static uint32_t *area, *page;
static volatile int signals, code, btype, rounds;
static void *volatile address;

/* Returns to the caller of what could not be branched to. */
static void leave(int number UNUSED, siginfo_t *info, void *context) {
    mcontext_t *registers = &((ucontext_t *)context)->uc_mcontext;
    signals++;
    code = info->si_code;
    address = info->si_addr;
    btype = (int)BTYPE(registers->pstate);
    if (rounds > 0) {
        /* Once more: PSTATE is as it was. */
        rounds--;
        return;
    }
    registers->pc = registers->regs[30];
    registers->pstate &= ~0xc00UL;
}

static void write_code(const uint32_t *words, size_t count, int prot) {
    static int used;
    need(mprotect(area, 4096, PROT_READ | PROT_WRITE) == 0);
    page = area + 8 * used++;
    need(used <= 128);
    memcpy(page, words, count * 4);
    __builtin___clear_cache((char *)page, (char *)(page + count));
    need(mprotect(area, 4096, prot) == 0);
}

/* Branches from this program's own page, which is not guarded. */
static void call(void *target) { asm volatile("blr %0" ::"r"(target) : "x30", "memory"); }

static void jump_x17(void *target) {
    register void *x17 asm("x17") = target;
    asm volatile("adr x30, 1f\nbr x17\n1:" ::"r"(x17) : "x30", "memory");
}

/* Branches within the guarded page: its first words are `bti c; br`. */
static void jump_within(void *target) {
    register void *x1 asm("x1") = target;
    register void *x17 asm("x17") = target;
    asm volatile("blr %0" ::"r"(page), "r"(x1), "r"(x17) : "x30", "memory");
}

/* Whether a branch may go to an instruction in the guarded page. */
static int reaches(void (*branch)(void *), uint32_t stub, uint32_t pad) {
    uint32_t words[] = {BTI_C, stub, NOP, NOP, pad, pad == PACIASP ? AUTIASP : NOP, RET};
    write_code(words, 7, RX | PROT_BTI);
    signals = 0;
    branch(page + 4);
    return signals == 0;
}

static void test_pads(void) {
    ok(!reaches(call, NOP, NOP), "a call of no landing pad is stopped");
    ok(code == ILL_ILLOPC && address == page + 4, "by SIGILL, ILL_ILLOPC, at the target");
    is(btype, 2, "PSTATE tells that it was a call");
    rounds = 2;
    ok(!reaches(call, NOP, NOP) && signals == 3, "it is stopped again as long as PSTATE says so");
    ok(!reaches(call, NOP, BTI) && !reaches(call, NOP, BTI_J), "BTI and BTI J take no calls");
    ok(reaches(call, NOP, BTI_C) && reaches(call, NOP, BTI_JC) && reaches(call, NOP, PACIASP), "BTI C, BTI JC and PACIASP do");
    ok(!reaches(jump_x17, NOP, NOP) && btype == 1, "BR X17 is stopped");
    ok(reaches(jump_x17, NOP, BTI_C) && reaches(jump_x17, NOP, BTI_J) && reaches(jump_x17, NOP, PACIASP), "any landing pad takes it");
    ok(!reaches(jump_within, BR_X1, NOP) && btype == 3, "BR within guarded pages is stopped");
    ok(reaches(jump_within, BR_X1, BTI_J) && reaches(jump_within, BR_X1, BTI_JC), "BTI J and BTI JC take it");
    ok(!reaches(jump_within, BR_X1, BTI_C) && !reaches(jump_within, BR_X1, PACIASP), "BTI C and PACIASP do not");
    ok(reaches(jump_within, BR_X17, BTI_C) && reaches(jump_within, BR_X17, PACIASP), "but for BR X17");
}

static void test_protection(void) {
    uint32_t words[] = {NOP, RET, NOP, RET, NOP, RET};
    write_code(words, 6, RX);
    signals = 0;
    call(page);
    is(signals, 0, "pages are not guarded by themselves");
    is(mprotect(area, 4096, RX | PROT_BTI), 0, "PROT_BTI is accepted");
    call(page + 2);
    is(signals, 1, "and guards at once");
    is(mprotect(area, 4096, RX), 0, "a change of protection without it");
    call(page + 4);
    is(signals, 1, "takes it away");
    void *other = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_BTI, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ok(other != MAP_FAILED, "mmap takes PROT_BTI");
    memset(other, 1, 4096);
    need(munmap(other, 4096) == 0);
}

static int child_checks(void) {
    signals = 0;
    call(page);
    return signals != 1;
}

static void test_handlers(void) {
    uint32_t plain[] = {NOP, RET}, pad[] = {BTI_C, RET};
    write_code(plain, 2, RX | PROT_BTI);
    ok(exited_with(status_of(child_checks), 0), "a child's pages are guarded as its parent's");
    on_signal(SIGUSR1, (void (*)(int))(void *)page, 0);
    signals = 0;
    raise(SIGUSR1);
    ok(signals == 1 && address == page && btype == 2, "a signal handler has to be a landing pad");
    write_code(pad, 2, RX | PROT_BTI);
    on_signal(SIGUSR1, (void (*)(int))(void *)page, 0);
    raise(SIGUSR1);
    is(signals, 1, "BTI C is one");
    on_signal(SIGUSR1, SIG_DFL, 0);
}

static int maps_show_it(void) {
    char line[512];
    int found = 0, here = 0;
    FILE *file = fopen("/proc/self/smaps", "r");
    if (!file) return -1;
    while (fgets(line, sizeof line, file)) {
        unsigned long start, end;
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2) here = start <= (unsigned long)page && (unsigned long)page < end;
        if (here && strncmp(line, "VmFlags:", 8) == 0) found = strstr(line, " bt") != NULL;
    }
    fclose(file);
    return found;
}

/* A static program that calls what is no landing pad and then ends with 7. */
struct program {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    uint32_t note[8];
    uint32_t code[6];
};

static void make_program(struct program *program, uint32_t features) {
    memset(program, 0, sizeof *program);
    Elf64_Ehdr *header = &program->header;
    memcpy(header->e_ident, "\177ELF\2\1\1", 7);
    header->e_type = ET_EXEC;
    header->e_machine = EM_AARCH64;
    header->e_version = 1;
    header->e_entry = 0x400000 + offsetof(struct program, code);
    header->e_phoff = offsetof(struct program, segments);
    header->e_ehsize = sizeof *header;
    header->e_phentsize = sizeof(Elf64_Phdr);
    header->e_phnum = 2;
    program->segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000,
        .p_filesz = sizeof *program, .p_memsz = sizeof *program, .p_align = 4096};
    size_t note = offsetof(struct program, note);
    program->segments[1] = (Elf64_Phdr){.p_type = 0x6474e553, .p_flags = PF_R, .p_offset = note, .p_vaddr = 0x400000 + note,
        .p_filesz = sizeof program->note, .p_memsz = sizeof program->note, .p_align = 8};
    /* Name "GNU", NT_GNU_PROPERTY_TYPE_0, one property of four bytes. */
    uint32_t words[] = {4, 16, 5, 0x554e47, 0xc0000000, 4, features, 0};
    memcpy(program->note, words, sizeof words);
    /* adr x1, 1f; blr x1; 1: nop; mov x0, #7; mov x8, #93; svc #0 */
    uint32_t instructions[] = {0x10000041, 0xd63f0020, NOP, 0xd28000e0, 0xd2800ba8, 0xd4000001};
    memcpy(program->code, instructions, sizeof instructions);
}

static int run_program(const struct program *program) {
    write_file("program", program, sizeof *program, 0755);
    pid_t child = fork();
    need(child >= 0);
    if (child == 0) {
        signal(SIGILL, SIG_DFL);
        execl("./program", "program", NULL);
        _exit(errno);
    }
    int status;
    need(waitpid(child, &status, 0) == child);
    return status;
}

static void test_programs(void) {
    struct program program;
    enter_scratch();
    make_program(&program, 0);
    ok(exited_with(run_program(&program), 7), "a program without the property is not guarded");
    make_program(&program, 1);
    ok(killed_by(run_program(&program), SIGILL), "one with it is");
    make_program(&program, 1);
    program.segments[1].p_type = PT_NULL;
    ok(exited_with(run_program(&program), 7), "not if no segment leads to the note");
    make_program(&program, 1);
    program.note[5] = 8;
    ok(exited_with(run_program(&program), ENOEXEC), "features of another length are ENOEXEC");
    make_program(&program, 1);
    program.note[1] = 17;
    ok(exited_with(run_program(&program), ENOEXEC), "and so is a note longer than its segment");
    make_program(&program, 1);
    program.segments[1].p_filesz = 14;
    ok(exited_with(run_program(&program), EIO), "one without a name is EIO");
    make_program(&program, 1);
    program.segments[1].p_filesz = 4096;
    ok(exited_with(run_program(&program), ENOEXEC), "a huge one is ENOEXEC");
}

int main(void) {
    plan(CHECKS);
    area = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(area != MAP_FAILED);
    if (!(getauxval(AT_HWCAP2) & HWCAP2_BTI)) {
        fails(mprotect(area, 4096, PROT_READ | PROT_BTI), EINVAL, "without the extension PROT_BTI is EINVAL");
        skip(CHECKS - 1, "the processor has no guarded pages");
        return done();
    }
    on_siginfo(SIGILL, leave, 0);
    test_pads();
    test_protection();
    test_handlers();
    is(maps_show_it(), 1, "/proc/self/smaps shows bt");
    on_signal(SIGILL, SIG_DFL, 0);
    test_programs();
    return done();
}
#else
int main(void) {
    plan(CHECKS);
    skip(CHECKS, "guarded pages are ARM64's");
    return done();
}
#endif
