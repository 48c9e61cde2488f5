/* Sessions, process groups, and signals to them. */
#include "tap.h"

static int session_rules(void) {
    if (setsid() != getpid()) return 1;
    if (getsid(0) != getpid() || getpgrp() != getpid()) return 2;
    if (setsid() != -1 || errno != EPERM) return 3;
    if (setpgid(0, 0) != -1 || errno != EPERM) return 4;
    return 0;
}

static int new_group(void) {
    if (setpgid(0, 0) != 0 || getpgrp() != getpid()) return 1;
    if (setpgid(0, 0) != 0) return 2;
    if (setsid() != -1 || errno != EPERM) return 3;
    return getsid(0) == getsid(getppid()) ? 0 : 4;
}

/* A child that waits in its own group. */
static pid_t waiting_child(pid_t group) {
    int ready[2];
    char byte;
    need(pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, group);
        if (write(ready[1], "r", 1) != 1) _exit(1);
        for (;;) pause();
    }
    setpgid(child, group ? group : child);
    need(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void test_group_signals(void) {
    int status, killed = 0;
    pid_t leader = waiting_child(0), second = waiting_child(leader), other = waiting_child(0);
    is(getpgid(second), leader, "a child joins another's group");
    is(kill(-leader, SIGTERM), 0, "kill reaches a group");
    for (int i = 0; i < 2; i++) killed += waitpid(-leader, &status, 0) > 0 && killed_by(status, SIGTERM);
    is(killed, 2, "waitpid by group collects its members");
    fails(waitpid(-leader, &status, 0), ECHILD, "an empty group is ECHILD");
    fails(kill(-leader, 0), ESRCH, "a dead group is ESRCH");
    is(kill(other, 0), 0, "a process outside is untouched");
    fails(setpgid(other, 999999), EPERM, "a group that does not exist is EPERM");
    kill(other, SIGKILL);
    waitpid(other, &status, 0);
    fails(getpgid(other), ESRCH, "a reaped process has no group");
    fails(setpgid(0, -1), EINVAL, "a negative group is EINVAL");
    fails(kill(999999, SIGTERM), ESRCH, "kill of nobody is ESRCH");
    fails(kill(getpid(), 65), EINVAL, "signal 65 is EINVAL");
}

static int child_execs(void) {
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "x", "sleep", NULL);
        _exit(1);
    }
    sleep_ms(100);
    int result = setpgid(child, child), error = errno;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return result == -1 && error == EACCES ? 0 : 1;
}

/* A stopped member of a group that becomes orphaned gets SIGHUP and SIGCONT. */
static int orphaned_group(void) {
    int report[2];
    char byte = 0;
    need(pipe(report) == 0);
    pid_t parent = fork();
    if (parent == 0) {
        /* A session of its own, so that whoever adopts the child is outside. */
        setsid();
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            close(report[0]);
            raise(SIGSTOP);
            _exit(0);
        }
        setpgid(child, child);
        waitpid(child, NULL, WUNTRACED);
        _exit(0);
    }
    close(report[1]);
    waitpid(parent, NULL, 0);
    /* The pipe closes when the orphan dies. */
    return read(report[0], &byte, 1) == 0 ? 0 : 1;
}

int main(int argc, char **argv UNUSED) {
    if (argc > 1) {
        sleep_ms(10000);
        return 0;
    }
    plan(15);
    ok(exited_with(status_of(session_rules), 0), "setsid makes a leader once");
    ok(exited_with(status_of(new_group), 0), "setpgid makes a group in the same session");
    test_group_signals();
    ok(exited_with(status_of(child_execs), 0), "a child that has exec'ed is EACCES");
    ok(exited_with(status_of(orphaned_group), 0), "a newly orphaned stopped group is hung up and continued");
    return done();
}
