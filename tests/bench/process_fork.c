/* 300 times fork and wait, with 4 MB of memory that is shared until written. */
#include "bench.h"
#include <sys/wait.h>
#include <unistd.h>
int main(void) {
    static char memory[4 << 20];
    memset(memory, 1, sizeof memory);
    uint64_t right = 0;
    for (int i = 0; i < 300; i++) {
        pid_t child = fork();
        if (child == 0) {
            memory[i * 4096] = 2;
            _exit(7);
        }
        int status;
        right += waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7;
    }
    return report(right);
}
