/* Many processes: one after another, and at once. */
#include "tap.h"

int main(int argc, char **argv UNUSED) {
    if (argc > 1) return 7;
    plan(4);
    int right = 0, status;
    for (int i = 0; i < 500; i++) {
        pid_t child = fork();
        if (child == 0) {
            execl("/proc/self/exe", "x", "x", (char *)0);
            _exit(1);
        }
        right += waitpid(child, &status, 0) == child && exited_with(status, 7);
    }
    is(right, 500, "500 times fork, exec and wait");
    static pid_t children[1000];
    int started = 0, gate[2];
    need(pipe(gate) == 0);
    for (int i = 0; i < 1000; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char byte;
            close(gate[1]);
            _exit(read(gate[0], &byte, 1) == 0 ? 3 : 4);
        }
        started += children[i] > 0;
    }
    is(started, 1000, "1000 processes wait at once");
    ok(kill(children[999], 0) == 0 && waitpid(-1, &status, WNOHANG) == 0, "and stay");
    close(gate[1]);
    right = 0;
    for (int i = 0; i < 1000; i++) right += waitpid(children[i], &status, 0) == children[i] && exited_with(status, 3);
    is(right, 1000, "until they are let go");
    return done();
}
