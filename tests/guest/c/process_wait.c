/* fork, exit statuses and the wait family. */
#include "tap.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static volatile int shared_nothing = 1;

static int exit_42(void) { return 42; }
static int change_memory(void) {
    shared_nothing = 2;
    return 0;
}
static int kill_self(void) {
    kill(getpid(), SIGTERM);
    return 0;
}
static int abort_self(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    abort();
}
static int no_children(void) { return waitpid(-1, NULL, 0) == -1 && errno == ECHILD ? 0 : 1; }

static void test_statuses(void) {
    ok(exited_with(status_of(exit_42), 42), "exit status reaches the parent");
    ok(killed_by(status_of(kill_self), SIGTERM), "a signal death is reported");
    ok(killed_by(status_of(abort_self), SIGABRT), "abort dies of SIGABRT");
    ok(exited_with(status_of(change_memory), 0) && shared_nothing == 1, "a child's writes stay in the child");
    ok(exited_with(status_of(no_children), 0), "wait without children is ECHILD");
}

static void test_ids(void) {
    int pipe_fds[2];
    need(pipe(pipe_fds) == 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t ids[3] = {getpid(), getppid(), (pid_t)syscall(SYS_gettid)};
        _exit(write(pipe_fds[1], ids, sizeof ids) == sizeof ids ? 0 : 1);
    }
    pid_t ids[3];
    need(read(pipe_fds[0], ids, sizeof ids) == sizeof ids);
    is(ids[0], child, "fork returns the child's pid");
    is(ids[1], getpid(), "the child's parent is the caller");
    is(ids[2], child, "the child's tid is its pid");
    waitpid(child, NULL, 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void test_options(void) {
    int gate[2], status;
    char byte;
    need(pipe(gate) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) == 0 ? 7 : 8);
    }
    close(gate[0]);
    is(waitpid(child, &status, WNOHANG), 0, "WNOHANG returns 0 while the child runs");
    close(gate[1]);
    siginfo_t info;
    memset(&info, 0, sizeof info);
    is(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0, "waitid WNOWAIT succeeds");
    ok(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 7 && info.si_signo == SIGCHLD,
       "siginfo carries pid, code and status");
    struct rusage usage;
    is(wait4(child, &status, 0, &usage), child, "WNOWAIT left the zombie to wait for");
    ok(exited_with(status, 7), "the status is the same");
    ok(usage.ru_utime.tv_sec >= 0 && usage.ru_maxrss >= 0, "rusage is filled");
    fails(waitpid(child, &status, 0), ECHILD, "a reaped child is gone");
    fails(waitpid(getpid(), &status, 0), ECHILD, "waiting for oneself is ECHILD");
    fails(waitid(P_PID, 1, NULL, 0), EINVAL, "waitid without a kind of event is EINVAL");
    fails(waitpid(-1, &status, 0x40000000 | 0x10), EINVAL, "unknown options are EINVAL");
}

static void test_order(void) {
    pid_t children[5];
    for (int i = 0; i < 5; i++) {
        children[i] = fork();
        if (children[i] == 0) _exit(i);
    }
    int right = 1;
    for (int i = 4; i >= 0; i--) {
        int status;
        if (waitpid(children[i], &status, 0) != children[i] || !exited_with(status, i)) right = 0;
    }
    ok(right, "children can be waited for in any order");
}

static void test_ignored_sigchld(void) {
    on_signal(SIGCHLD, SIG_IGN, 0);
    pid_t child = fork();
    if (child == 0) _exit(3);
    fails(waitpid(child, NULL, 0), ECHILD, "ignored SIGCHLD reaps by itself");
    on_signal(SIGCHLD, SIG_DFL, 0);
}

static void test_stop_and_continue(void) {
    int status, gate[2];
    char byte;
    need(pipe(gate) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        raise(SIGSTOP);
        /* Alive until its continuing has been seen. */
        _exit(read(gate[0], &byte, 1) == 0 ? 5 : 6);
    }
    close(gate[0]);
    is(waitpid(child, &status, WUNTRACED), child, "WUNTRACED reports a stop");
    ok(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "the stop signal is SIGSTOP");
    is(waitpid(child, &status, WUNTRACED | WNOHANG), 0, "a stop is reported once");
    kill(child, SIGCONT);
    is(waitpid(child, &status, WCONTINUED), child, "WCONTINUED reports a continue");
    ok(WIFCONTINUED(status), "the status says continued");
    close(gate[1]);
    waitpid(child, &status, 0);
    ok(exited_with(status, 5), "the child goes on where it stopped");
    child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        _exit(5);
    }
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    ok(killed_by(status, SIGKILL), "SIGKILL ends a stopped process");
}

static void test_orphans(void) {
    int link[2];
    pid_t grandchild = 0;
    need(pipe(link) == 0);
    need(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            while (getppid() == child) sleep_ms(1);
            _exit(11);
        }
        _exit(write(link[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    need(read(link[0], &grandchild, sizeof grandchild) == sizeof grandchild);
    is(waitpid(grandchild, &status, 0), grandchild, "an orphan goes to the nearest subreaper");
    ok(WIFEXITED(status), "the subreaper gets its status");
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(link[0]);
    close(link[1]);
}

static void test_vfork(void) {
    static volatile int seen;
    seen = 0;
    pid_t child = vfork();
    if (child == 0) {
        seen = 77;
        _exit(9);
    }
    int status;
    is(seen, 77, "vfork shares memory and the parent waits");
    waitpid(child, &status, 0);
    ok(exited_with(status, 9), "vfork's child exits by itself");
}

static void test_parent_death_signal(void) {
    int link[2];
    char byte = 0;
    need(pipe(link) == 0);
    pid_t child = fork();
    if (child == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (write(link[1], "r", 1) != 1) _exit(1);
            for (;;) pause();
        }
        close(link[1]);
        _exit(read(link[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(link[1]);
    waitpid(child, NULL, 0);
    is(read(link[0], &byte, 1), 0, "PR_SET_PDEATHSIG kills the orphan and closes its pipe");
    close(link[0]);
}

int main(void) {
    plan(33);
    test_statuses();
    test_ids();
    test_options();
    test_order();
    test_ignored_sigchld();
    test_stop_and_continue();
    test_orphans();
    test_vfork();
    test_parent_death_signal();
    /* As process 1 this program adopts the orphans. */
    while (waitpid(-1, NULL, 0) > 0) {}
    ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD, "nothing is left behind");
    return done();
}
