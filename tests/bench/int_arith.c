/* Dependent integer arithmetic. */
#include "bench.h"
int main(void) {
    uint64_t sum = 0, state = 88172645463325252u;
    for (uint64_t i = 1; i < 20000000; i++) {
        sum += next_random(&state) % (i | 1);
        sum = sum << 3 | sum >> 61;
    }
    return report(sum);
}
