/* Memory in order, at random, and by the C library's functions. */
#include "bench.h"
enum { SIZE = 8 << 20 };
int main(void) {
    uint64_t *words = malloc(SIZE), state = 5, sum = 0;
    size_t count = SIZE / sizeof *words;
    for (size_t i = 0; i < count; i++) words[i] = next_random(&state);
    for (int round = 0; round < 4; round++)
        for (size_t i = 0; i < count; i++) sum += words[i] ^ i;
    for (size_t i = 0; i < 2000000; i++) sum += words[(sum ^ i * 40503) % count];
    char *bytes = (char *)words;
    for (int round = 0; round < 8; round++) {
        memmove(bytes + 64, bytes, SIZE / 2);
        memset(bytes + SIZE / 2, round, SIZE / 4);
        sum += (uint64_t)(unsigned char)bytes[round * 1000];
        sum += memchr(bytes + SIZE / 2, round + 1, SIZE / 4) == NULL;
    }
    return report(sum);
}
