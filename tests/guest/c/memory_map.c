/* mmap and its family: placement, protection, sharing, files. */
#include "tap.h"
#include <setjmp.h>

#define PAGE 4096L
#define RW (PROT_READ | PROT_WRITE)

static sigjmp_buf escape;
static siginfo_t fault;

static void on_fault(int number UNUSED, siginfo_t *info, void *context UNUSED) {
    fault = *info;
    siglongjmp(escape, 1);
}

/* The signal that touching `at` raises, or 0. */
static int touch(volatile char *at, int writing) {
    memset(&fault, 0, sizeof fault);
    if (sigsetjmp(escape, 1)) return fault.si_signo;
    if (writing) *at = 1;
    else (void)*at;
    return 0;
}

static char *map(size_t length, int flags) {
    char *at = mmap(NULL, length, RW, flags | MAP_ANONYMOUS, -1, 0);
    need(at != MAP_FAILED);
    return at;
}

static void test_placement(void) {
    char *at = map(4 * PAGE, MAP_PRIVATE);
    int zero = 1;
    for (long i = 0; i < 4 * PAGE; i++) zero &= at[i] == 0;
    ok(zero, "anonymous memory is zero");
    memset(at, 7, 4 * PAGE);
    is(munmap(at + PAGE, PAGE), 0, "munmap splits a mapping");
    ok(touch(at + PAGE, 0) == SIGSEGV && fault.si_code == SEGV_MAPERR && fault.si_addr == at + PAGE, "the hole faults with MAPERR and its address");
    ok(at[0] == 7 && at[2 * PAGE] == 7, "both sides stay");
    ok(mmap(at + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at + PAGE && at[PAGE] == 0, "MAP_FIXED fills the hole with zeros");
    ok(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at && at[0] == 0, "MAP_FIXED replaces");
    fails(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0), EEXIST, "MAP_FIXED_NOREPLACE is EEXIST");
    munmap(at, 4 * PAGE);
    ok(mmap(at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == at, "a free hint is used");
    munmap(at, PAGE);
    fails(mmap(NULL, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL, "length 0 is EINVAL");
    fails(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL, "neither shared nor private is EINVAL");
    fails(mmap((void *)1, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL, "an unaligned fixed address is EINVAL");
    fails(mmap(NULL, PAGE, RW, MAP_PRIVATE, 99, 0), EBADF, "a bad descriptor is EBADF");
    fails(mmap(NULL, 1UL << 60, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM, "more than the address space is ENOMEM");
    fails(munmap((void *)1, PAGE), EINVAL, "munmap of an unaligned address is EINVAL");
    is(munmap(at, PAGE), 0, "munmap of nothing succeeds");
}

static void test_protection(void) {
    char *at = map(3 * PAGE, MAP_PRIVATE);
    at[PAGE] = 3;
    is(mprotect(at + PAGE, PAGE, PROT_READ), 0, "mprotect in the middle");
    ok(touch(at + PAGE, 0) == 0 && at[PAGE] == 3, "reading stays allowed");
    ok(touch(at + PAGE + 5, 1) == SIGSEGV && fault.si_code == SEGV_ACCERR && fault.si_addr == at + PAGE + 5, "writing faults with ACCERR at the byte");
    ok(touch(at, 1) == 0 && touch(at + 2 * PAGE, 1) == 0, "the neighbours stay writable");
    mprotect(at, 3 * PAGE, PROT_NONE);
    is(touch(at + PAGE, 0), SIGSEGV, "PROT_NONE faults on reading");
    mprotect(at, 3 * PAGE, RW);
    ok(touch(at + PAGE, 1) == 0, "and comes back with its contents");
    munmap(at + PAGE, PAGE);
    fails(mprotect(at, 3 * PAGE, PROT_READ), ENOMEM, "mprotect over a hole is ENOMEM");
    fails(mprotect(at + 1, PAGE, PROT_READ), EINVAL, "mprotect of an unaligned address is EINVAL");
    munmap(at, 3 * PAGE);
}

static void test_fork(void) {
    char *private = map(PAGE * 8, MAP_PRIVATE), *shared = map(PAGE, MAP_SHARED);
    int status;
    memset(private, 1, PAGE * 8);
    pid_t child = fork();
    if (child == 0) {
        private[0] = 2;
        shared[0] = 2;
        while (__atomic_load_n(&shared[1], __ATOMIC_SEQ_CST) == 0) sleep_ms(1);
        _exit(private[0] == 2 && private[PAGE] == 1 ? 0 : 1);
    }
    private[PAGE] = 9;
    __atomic_store_n(&shared[1], 1, __ATOMIC_SEQ_CST);
    waitpid(child, &status, 0);
    ok(exited_with(status, 0) && private[0] == 1, "private memory is copied on write, on both sides");
    is(shared[0], 2, "MAP_SHARED memory is shared across fork");
    munmap(private, PAGE * 8);
    munmap(shared, PAGE);
}

static void test_files(void) {
    char text[2 * PAGE];
    memset(text, 'a', sizeof text);
    write_file("file", text, PAGE + 100, 0644);
    int fd = open("file", O_RDWR), reader = open("file", O_RDONLY);
    char *private = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0), *shared = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
    need(private != MAP_FAILED && shared != MAP_FAILED);
    char byte;
    private[0] = 'p';
    need(pread(fd, &byte, 1, 0) == 1);
    is(byte, 'a', "a private mapping does not write the file");
    shared[1] = 's';
    need(pread(fd, &byte, 1, 1) == 1);
    is(byte, 's', "a shared mapping does");
    need(pwrite(fd, "w", 1, 2) == 1);
    ok(shared[2] == 'w', "write is seen through a shared mapping");
    ok(private[PAGE + 100] == 0 && private[2 * PAGE - 1] == 0, "the rest of the last page is zero");
    is(msync(shared, 2 * PAGE, MS_SYNC), 0, "msync succeeds");
    need(ftruncate(fd, 50) == 0);
    ok(touch(shared + PAGE, 0) == SIGBUS, "a page beyond the end of the file is SIGBUS");
    fails(mmap(NULL, PAGE, RW, MAP_SHARED, reader, 0), EACCES, "a writable shared mapping needs a writable file");
    ok(mmap(NULL, PAGE, RW, MAP_PRIVATE, reader, 0) != MAP_FAILED, "a private one does not");
    fails(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 100), EINVAL, "an unaligned offset is EINVAL");
    close(fd);
    close(reader);
    unlink("file");
    ok(private[0] == 'p' && shared[1] == 's', "mappings outlive the descriptor and the name");
}

static void test_remap(void) {
    char *at = map(4 * PAGE, MAP_PRIVATE);
    memset(at, 5, 4 * PAGE);
    is((long)mremap(at, 4 * PAGE, 2 * PAGE, 0), (long)at, "mremap shrinks in place");
    is(touch(at + 2 * PAGE, 0), SIGSEGV, "the tail is gone");
    char *moved = mremap(at, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    ok(moved != MAP_FAILED && moved[0] == 5 && moved[2 * PAGE - 1] == 5 && moved[2 * PAGE] == 0, "mremap grows and keeps the contents");
    char *target = map(64 * PAGE, MAP_PRIVATE);
    ok(mremap(moved, 64 * PAGE, 64 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target && target[0] == 5, "MREMAP_FIXED moves");
    is(touch(moved, 0), SIGSEGV, "the old place is gone");
    fails(mremap((void *)(PAGE * 16), PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT, "mremap of nothing is EFAULT");
    munmap(target, 64 * PAGE);
}

static void test_sparse(void) {
    size_t huge = 1UL << 38;
    char *at = mmap(NULL, huge, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ok(at != MAP_FAILED, "256 GiB without reservation");
    at[0] = at[huge / 2] = at[huge - 1] = 1;
    ok(at[1] == 0 && at[huge / 2] == 1 && at[huge - 1] == 1, "touched pages work");
    is(madvise(at, PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED succeeds");
    is(at[0], 0, "and zeroes private memory");
    is(munmap(at, huge), 0, "it unmaps at once");
    char *start = sbrk(0);
    ok(sbrk(10 * PAGE) == start && touch(start, 1) == 0 && touch(start + 10 * PAGE - 1, 1) == 0, "brk grows");
    ok(sbrk(-10 * PAGE) != (void *)-1 && sbrk(0) == start, "and shrinks");
    is(touch((char *)(((long)start + PAGE) & ~(PAGE - 1)), 0), SIGSEGV, "what it gave up is gone");
    unsigned char resident[2] = {0, 0};
    char *pages = map(2 * PAGE, MAP_PRIVATE);
    pages[0] = 1;
    ok(mincore(pages, 2 * PAGE, resident) == 0 && (resident[0] & 1) == 1, "mincore knows touched pages");
    is(touch((char *)0x123456789000, 0), SIGSEGV, "wild reads fault");
    is(touch((char *)0xffff800000000000, 1), SIGSEGV, "so do writes to kernel addresses");
}

int main(void) {
    plan(52);
    enter_scratch();
    on_siginfo(SIGSEGV, on_fault, 0);
    on_siginfo(SIGBUS, on_fault, 0);
    test_placement();
    test_protection();
    test_fork();
    test_files();
    test_remap();
    test_sparse();
    return done();
}
