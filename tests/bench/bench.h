/* What the benchmark programs share: a checksum as output, so that work is
 * neither optimized away nor wrong. */
#ifndef BENCH_H
#define BENCH_H
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t next_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline int report(uint64_t checksum) {
    printf("%016llx\n", (unsigned long long)checksum);
    return 0;
}
#endif
