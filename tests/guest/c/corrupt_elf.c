/* Broken programs: execve refuses them or the process dies; nothing else happens. */
#include "tap.h"
#include <elf.h>

static unsigned char *image;
static size_t length;

/* Writes the image as a program, runs it, and returns the wait status; 100 + errno if exec failed. */
static int run_image(size_t size) {
    int status;
    unlink("program");
    write_file("program", image, size, 0755);
    pid_t child = fork();
    if (child == 0) {
        alarm(5);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execl("./program", "program", "child", (char *)0);
        _exit(100 + errno);
    }
    waitpid(child, &status, 0);
    return status;
}

static Elf64_Ehdr *head(void) { return (Elf64_Ehdr *)image; }
static Elf64_Phdr *segment(int type) {
    Elf64_Phdr *segments = (Elf64_Phdr *)(image + head()->e_phoff);
    for (int i = 0; i < head()->e_phnum; i++)
        if (segments[i].p_type == (Elf64_Word)type) return &segments[i];
    return NULL;
}

/* The segment that is executed. */
static Elf64_Phdr *text(void) {
    Elf64_Phdr *segments = (Elf64_Phdr *)(image + head()->e_phoff);
    for (int i = 0; i < head()->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X)) return &segments[i];
    return NULL;
}

/* Changes one place, runs, and puts it back. */
#define with(place, value, check, name)        \
    do {                                       \
        __typeof__(place) *at = &(place), saved = *at; \
        *at = (value);                         \
        int status = run_image(length);        \
        if (!ok(check, "%s", name)) note("status %x", status); \
        *at = saved;                           \
    } while (0)

#define refused(status) exited_with(status, 100 + ENOEXEC)
/* Linux kills a process whose image fails after the point of no return. */
#define dies(status) (WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) >= 100))

int main(int argc, char **argv UNUSED) {
    if (argc > 1) return 55;
    struct stat info;
    int fd = open("/proc/self/exe", O_RDONLY);
    need(fd >= 0 && fstat(fd, &info) == 0);
    length = (size_t)info.st_size;
    image = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    need(image != MAP_FAILED);
    plan(22);
    enter_scratch();
    ok(exited_with(run_image(length), 55), "the unchanged program runs");
    ok(refused(run_image(3)), "three bytes are no program");
    ok(refused(run_image(20)), "nor is half a header");
    ok(dies(run_image(64)), "nor is a header alone");
    with(image[0], 0, refused(status), "a wrong magic");
    with(image[EI_CLASS], ELFCLASS32, dies(status) || exited_with(status, 55), "a wrong class");
    with(head()->e_machine, EM_SPARC, refused(status), "another machine");
    with(head()->e_type, ET_REL, refused(status), "an object file");
    with(head()->e_phentsize, 10, refused(status), "program headers of a wrong size");
    with(head()->e_phnum, 0, refused(status), "no program headers");
    with(head()->e_phnum, 0xffff, refused(status), "more program headers than fit");
    with(head()->e_phoff, 1UL << 40, dies(status), "program headers beyond the file");
    with(head()->e_phoff, ~0UL, dies(status), "program headers at the end of numbers");
    with(head()->e_entry, 0x123450, WIFSIGNALED(status), "an entry that is not mapped");
    with(segment(PT_LOAD)->p_vaddr, ~0UL - 0xfff, dies(status), "a segment in the kernel's half");
    with(segment(PT_LOAD)->p_memsz, 1UL << 62, dies(status), "a segment larger than memory");
    with(segment(PT_LOAD)->p_filesz, 1UL << 40, dies(status), "a segment larger than its file");
    with(segment(PT_LOAD)->p_offset, segment(PT_LOAD)->p_offset + 1, dies(status), "a segment out of alignment");
    with(text()->p_flags, PF_R, WIFSIGNALED(status), "text that may not be executed");
    with(segment(PT_LOAD)->p_memsz, 0, dies(status), "a segment smaller than its contents");
    with(segment(PT_LOAD)->p_type, PT_INTERP, dies(status), "text as the name of an interpreter");
    /* Random damage to the headers. */
    uint64_t state = 12345;
    int survived = 1;
    for (int round = 0; round < 60; round++) {
        unsigned char saved[512];
        memcpy(saved, image, sizeof saved);
        for (int i = 0; i < 4; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            image[4 + (state >> 33) % 400] = (unsigned char)(state >> 24);
        }
        int status = run_image(length);
        survived &= WIFEXITED(status) || WIFSIGNALED(status);
        memcpy(image, saved, sizeof saved);
    }
    ok(survived, "sixty randomly damaged headers");
    return done();
}
