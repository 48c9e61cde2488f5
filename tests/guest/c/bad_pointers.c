/* Every system call with pointers that lead nowhere: an error, never harm. */
#include "tap.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#define BAD ((void *)16)

static void test_known(void) {
    int fds[2];
    char byte = 0;
    need(pipe(fds) == 0 && write(fds[1], "abcdef", 6) == 6);
    fails(syscall(SYS_write, fds[1], BAD, 10), EFAULT, "write");
    fails(syscall(SYS_read, fds[0], BAD, 1), EFAULT, "read");
    fails(syscall(SYS_openat, AT_FDCWD, BAD, 0, 0), EFAULT, "openat");
    fails(syscall(SYS_newfstatat, AT_FDCWD, ".", BAD, 0), EFAULT, "newfstatat");
    fails(syscall(SYS_fstat, 0, BAD), EFAULT, "fstat");
    fails(syscall(SYS_pipe2, BAD, 0), EFAULT, "pipe2");
    fails(syscall(SYS_getcwd, BAD, 4096), EFAULT, "getcwd");
    fails(syscall(SYS_uname, BAD), EFAULT, "uname");
    fails(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, BAD), EFAULT, "clock_gettime");
    fails(syscall(SYS_nanosleep, BAD, NULL), EFAULT, "nanosleep");
    fails(syscall(SYS_rt_sigaction, SIGUSR1, BAD, NULL, 8), EFAULT, "rt_sigaction");
    fails(syscall(SYS_rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8), EFAULT, "rt_sigprocmask");
    fails(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL, "a signal set of the wrong size");
    fails(syscall(SYS_ppoll, BAD, 1, NULL, NULL, 0), EFAULT, "ppoll");
    fails(syscall(SYS_writev, fds[1], BAD, 1), EFAULT, "writev");
    struct iovec part = {BAD, 4};
    fails(writev(fds[1], &part, 1), EFAULT, "writev of a bad part");
    fails(syscall(SYS_getrandom, BAD, 16, 0), EFAULT, "getrandom");
    fails(syscall(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", BAD, 10), EFAULT, "readlinkat");
    fails(syscall(SYS_execve, BAD, NULL, NULL), EFAULT, "execve");
    fails(syscall(SYS_getrlimit, 7, BAD), EFAULT, "getrlimit");
    fails(syscall(SYS_sysinfo, BAD), EFAULT, "sysinfo");
    fails(syscall(SYS_epoll_ctl, epoll_create1(0), EPOLL_CTL_ADD, fds[0], BAD), EFAULT, "epoll_ctl");
    fails(syscall(SYS_sigaltstack, BAD, NULL), EFAULT, "sigaltstack");
    /* A buffer that ends in the middle: what fits is done. */
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    need(munmap(pages + 4096, 4096) == 0);
    memset(pages, 'x', 4096);
    enter_scratch();
    int file = open("file", O_RDWR | O_CREAT, 0644);
    is(syscall(SYS_write, file, pages + 4090, 100), 6, "a write that runs off its buffer writes what there is");
    need(lseek(file, 0, SEEK_SET) == 0);
    is(syscall(SYS_read, file, &byte, 1), 1, "and the file goes on working");
    fails(syscall(SYS_openat, AT_FDCWD, memset(pages + 4000, 'n', 96), 0, 0), EFAULT, "a path that runs off its page");
    fails(syscall(SYS_write, file, (void *)0xffff000000001000, 10), EFAULT, "an address of the kernel's half");
    close(fds[0]);
    close(fds[1]);
}

/* Calls that end the caller, or others by a number that happens to be theirs. */
static int is_excluded(long number) {
    switch (number) {
    case SYS_exit:
    case SYS_exit_group:
    case SYS_rt_sigreturn:
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
    case SYS_reboot:
    case SYS_vhangup:
        return 1;
    default:
        return 0;
    }
}

/* In a child: every call with the same junk in all arguments. Survival is the test. */
static int sweep(long junk) {
    int status, harmed = 0;
    for (long number = 0; number < 470; number++) {
        if (is_excluded(number)) continue;
        pid_t child = fork();
        if (child == 0) {
            alarm(1);
            setpgid(0, 0);
            syscall(number, junk, junk, junk, junk, junk, junk);
            _exit(0);
        }
        for (long long start = now_ms();;) {
            pid_t done = waitpid(child, &status, WNOHANG);
            if (done == child) break;
            if (now_ms() - start > 300) {
                /* A call may wait for ever; it must not outlive SIGKILL. */
                kill(child, SIGKILL);
                kill(child, SIGCONT);
                waitpid(child, &status, 0);
                break;
            }
            sleep_ms(0);
        }
        harmed += WIFSIGNALED(status) && WTERMSIG(status) == SIGILL;
    }
    while (waitpid(-1, &status, WNOHANG) > 0) {}
    return harmed;
}

static int sweep_wild(void) { return sweep(16); }
static int sweep_high(void) { return sweep((long)0xffff800000001000); }
static int sweep_minus(void) { return sweep(-1); }
static int sweep_text(void) { return sweep((long)sweep); }

int main(void) {
    plan(31);
    test_known();
    /* Junk may do harm to a kernel that others use: only as its first process,
     * or on a machine that is there for tests alone. */
    if (getpid() != 1 && !getenv("TEST_MACHINE")) {
        skip(4, "this kernel is not this program's own");
        return done();
    }
    ok(exited_with(status_of(sweep_wild), 0), "every call with pointers to page 0");
    ok(exited_with(status_of(sweep_high), 0), "every call with pointers to the kernel's half");
    ok(exited_with(status_of(sweep_minus), 0), "every call with -1");
    ok(exited_with(status_of(sweep_text), 0), "every call with pointers to read-only memory");
    return done();
}
